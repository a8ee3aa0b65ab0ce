"""Quantum: Crank-Nicolson wave packet with complex Thomas, split operator with fft, Bloch equations, density matrices with kron, Lanczos for a spin chain, expm by Pade scaling; out= in complex64 too."""
import numpy as np
from functools import reduce
SX, SY, SZ, I2 = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1., -1]), np.identity(2)
kron = lambda *ops: reduce(np.kron, ops)
X = np.array([1.0, .5, .3, .8])
def ctdma(a, b, c, d):
    n = len(d); w = np.empty(n, complex); g = np.empty(n, complex)
    w[0] = c/b[0]; g[0] = d[0]/b[0]
    for i in range(1, n): m = b[i] - a*w[i - 1]; w[i] = c/m; g[i] = (d[i] - a*g[i - 1])/m
    for i in range(n - 2, -1, -1): g[i] -= w[i]*g[i + 1]
    return g
def packet(k0, V0, n=24, nt=5, dt=.05):
    x = np.linspace(-6, 6, n); dx = x[1] - x[0]; V = V0*np.exp(-x**2)
    psi = np.exp(-(x + 2)**2/2 + 1j*k0*x); psi /= np.sqrt(np.trapezoid(abs(psi)**2, x)) if hasattr(np, "trapezoid") else np.sqrt(np.trapz(abs(psi)**2, x))
    r = 1j*dt/(4*dx**2)
    for _ in range(nt):
        b = 1 + 2*r + .5j*dt*V
        rhs = (2 - b)*psi; rhs[1:] += r*psi[:-1]; rhs[:-1] += r*psi[1:]
        psi = ctdma(-r, b, -r, rhs)
    return x, psi
def split(psi, x, V, dt=.05, nt=4):
    k = 2*np.pi*np.fft.fftfreq(x.size, x[1] - x[0]); eK = np.exp(-.5j*k*k*dt); eV = np.exp(-.5j*dt*V)
    for _ in range(nt): psi *= eV; psi = np.fft.ifft(np.fft.fft(psi)*eK); psi *= eV
    return psi
def chain(J, h, N=3):
    H = np.zeros((2**N, 2**N), dtype=complex)
    for i in range(N - 1):
        for S in (SX, SY, SZ):
            ops = [I2]*N; ops[i] = ops[i + 1] = S; H += J*kron(*ops)
    for i in range(N): ops = [I2]*N; ops[i] = SX; H -= h*(1 + .1*i)*kron(*ops)
    return H
def lanczos(H, m=5):
    v = np.ones(len(H), complex); v[0] = 2 + 1j; v /= np.linalg.norm(v); V, al, be = [v], [], []
    for j in range(m):
        w = H @ V[-1]; a = np.vdot(V[-1], w).real; al.append(a)
        w = w - a*V[-1] - (be[-1]*V[-2] if be else 0)
        for u in V: w = w - np.vdot(u, w)*u
        b = np.linalg.norm(w)
        if b < 1e-10: break
        be.append(b); V.append(w/b)
    return np.linalg.eigvalsh(np.diag(al) + np.diag(be[:len(al) - 1], 1) + np.diag(be[:len(al) - 1], -1))
def expm(A):
    s = max(0, int(np.ceil(np.log2(max(1e-30, np.linalg.norm(A, 1))))) + 1); A = A/2**s
    c, X_, N, D = .5, A, np.eye(len(A)) + .5*A, np.eye(len(A)) - .5*A
    for k in range(2, 7): c = c*(6 - k + 1)/(k*(12 - k + 1)); X_ = A @ X_; N = N + c*X_; D = D + (-1)**k*c*X_
    E = np.linalg.solve(D, N)
    for _ in range(s): E = E @ E
    return E
def ptrace(rho, keep, N=3):
    r = rho.reshape((2,)*2*N); idx = list(range(N)); out = "abc"
    low = [chr(97 + i) for i in idx]; up = [chr(97 + i) if i != keep else "z" for i in idx]
    return np.einsum("".join(low + up) + "->" + low[keep] + "z", r)
def main(x):
    grid, psi = packet(3*x[0], 4*x[1]); phi = split(psi.copy(), grid, x[2]*grid**2)
    H = chain(x[0], x[3]); e = np.linalg.eigvalsh(H); E = lanczos(H)
    U = expm(-.3j*H); st = U[:, 1]; rho = np.outer(st, st.conj())
    np.testing.assert_allclose(U @ U.conj().T, np.eye(8), atol=1e-12)
    r1 = ptrace(rho, 1); p = np.linalg.eigvalsh(r1 + 1e-3*np.diag([1, 2])); S = -np.sum(p*np.log(p))
    bloch = [np.trace(r1 @ s).real for s in (SX, SY, SZ)]
    z = np.array([x[0] + 1j*x[1], x[2] - 1j], dtype=np.complex64); z *= np.exp(1j*np.float32(.3)); np.multiply(z, z.conj(), out=z)
    T = (abs(phi[grid > 0])**2).sum()/(np.abs(phi)**2).sum(); mom = np.vdot(phi, -1j*np.gradient(phi, grid)).real
    print("transmitted %.5f <p> %.4f E0 %.6f (%.6f)" % (T, mom, E[0], e[0]), z.dtype)
    return psi.real, psi.imag, T, mom, E[0], S, bloch, U[:2].view(float), np.angle(phi[5:8])
