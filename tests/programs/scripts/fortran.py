"""A translated FORTRAN/IDL script: everything by `from numpy import *`, 1-based loops, work arrays passed in and out, equivalence by views, DO WHILE, formatted output, computed constants."""
from numpy import *
from numpy.linalg import *
from numpy.fft import fft, rfft
NMAX = 20
COMMON = zeros(2*NMAX); U = COMMON[:NMAX]; V = COMMON[NMAX:]; W2 = COMMON.reshape(2, NMAX)   # EQUIVALENCE
IWORK = zeros(NMAX, dtype=int); SCRATCH = empty((4, NMAX), order="F")
X = array([1.3, .4, 2.2, .7])
def tridag(a, b, c, r, u, n):
    gam = SCRATCH[0]
    if b[1] == 0.: raise ZeroDivisionError("tridag")
    bet = b[1]; u[1] = r[1]/bet
    for j in range(2, n + 1): gam[j] = c[j - 1]/bet; bet = b[j] - a[j]*gam[j]; u[j] = (r[j] - a[j]*u[j - 1])/bet
    for j in range(n - 1, 0, -1): u[j] -= gam[j + 1]*u[j + 1]
def ludcmp(a, n, indx):
    vv = 1./abs(a).max(axis=1); d = 1.
    for j in range(n):
        for i in range(j): a[i, j] -= dot(a[i, :i], a[:i, j])
        for i in range(j, n): a[i, j] -= dot(a[i, :j], a[:j, j])
        imax = j + argmax(vv[j:]*abs(a[j:, j]))
        if imax != j: a[[imax, j]] = a[[j, imax]]; d = -d; vv[imax] = vv[j]
        indx[j] = imax
        if j != n - 1: a[j + 1:, j] /= a[j, j]
    return d
def lubksb(a, n, indx, b):
    for i in range(n): ip = indx[i]; s = b[ip]; b[ip] = b[i]; b[i] = s - dot(a[i, :i], b[:i])
    for i in range(n - 1, -1, -1): b[i] = (b[i] - dot(a[i, i + 1:], b[i + 1:]))/a[i, i]
def jacobi(a, n):
    v = eye(n); d = diag(a).copy()
    for sweep in range(20):
        if abs(triu(a, 1)).sum() < 1e-13: break
        for p in range(n - 1):
            for q in range(p + 1, n):
                if abs(a[p, q]) < 1e-15: continue
                th = (a[q, q] - a[p, p])/(2*a[p, q]); t = sign(th)/(abs(th) + sqrt(th*th + 1)) if th != 0 else 1.
                c = 1/sqrt(t*t + 1); s = t*c; J = identity(n); J[p, p] = J[q, q] = c; J[p, q] = s; J[q, p] = -s
                a = J.T.dot(a).dot(J); v = v.dot(J)
    return sort(diagonal(a)), v
def four1(data, nn, isign):
    n = nn << 1; j = 1
    for i in range(1, n, 2):
        if j > i: data[j], data[i] = data[i], data[j]; data[j + 1], data[i + 1] = data[i + 1], data[j + 1]
        m = nn
        while m >= 2 and j > m: j -= m; m >>= 1
        j += m
    mmax = 2
    while n > mmax:
        istep = mmax << 1; theta = isign*(2*pi/mmax); wpr, wpi = -2*sin(.5*theta)**2, sin(theta); wr, wi = 1., 0.
        for m in range(1, mmax, 2):
            for i in range(m, n + 1, istep):
                j = i + mmax; tr = wr*data[j] - wi*data[j + 1]; ti = wr*data[j + 1] + wi*data[j]
                data[j] = data[i] - tr; data[j + 1] = data[i + 1] - ti; data[i] += tr; data[i + 1] += ti
            wr, wi = wr*wpr - wi*wpi + wr, wi*wpr + wr*wpi + wi
        mmax = istep
def main(x):
    COMMON[:] = 0.; SCRATCH[...] = 0
    n = 8; a, b, c, r = (zeros(n + 1) for _ in range(4)); a[2:] = -x[1]; b[1:] = 2. + x[0]; c[1:-1] = -1.; r[1:] = linspace(0, x[2], n)
    tridag(a, b, c, r, U, n); V[1:n + 1] = W2[0, 1:n + 1]**2; W2[1] *= x[3]
    A = vander(array([1., 2., x[2], 5.]))/10 + x[3]*eye(4); lu = A.copy(); d = ludcmp(lu, 4, IWORK); rhs = arange(4.) + x; lubksb(lu, 4, IWORK, rhs)
    dt = d*prod(lu.diagonal()); assert allclose(dt, det(A)) and all(isfinite(rhs))
    w, vec = jacobi((A + A.T)/2, 4)
    data = zeros(17); data[1::2] = cos(arange(8)*x[0]); data[2::2] = x[1]*arange(8); four1(data, 8, 1)
    ref = fft(cos(arange(8)*x[0]) - 1j*x[1]*arange(8)); assert allclose(data[1::2], ref.real)
    av, sw = average(U[1:n + 1], weights=x[3]**arange(n), returned=True); p, C = polyfit(arange(8.), r[1:] + sin(arange(8)*x[0]), 2, cov=True)
    h2, ex, ey = histogram2d(U[1:9], V[1:9], bins=2); m = meshgrid(arange(3.)*x[0], arange(2.)*x[1], sparse=True, indexing="ij"); q = (m[0]*m[1] + m[0])
    g = gradient(q[:, 0]**2, edge_order=2); z = interp(linspace(-4, 9, 5), arange(4.), x, period=4.); e = ediff1d(x, to_begin=x[0], to_end=[9.])
    print("%12.5E%12.5E" % (U[3], V[4]), "DET=%10.4F" % dt, " ".join("%3d" % k for k in IWORK[:4]), "%s" % (h2.sum(),))
    return W2[:, 1:9].copy(), rhs, dt, w, data, av, sw, p, C, ex, q, g, z, e, around(x, 1).sum() + trunc(x[2])*x[1], trim_zeros(concatenate(([0.], x, [0.]))), cross(x[:3], x[1:]), nan_to_num(log(x - .4 - 1e-300*0) if False else x), roll(rot90(outer(x, x)), 1, axis=0), compress(x > .5, x), take(x, [3, -1], mode="wrap"), extract(x < 2, x)
