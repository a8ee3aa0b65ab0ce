"""Robertson's stiff chemical network, implicit Euler with a Newton iteration and an analytic 3x3 Jacobian.

Rate constants in, final concentrations out. The step size grows by a constant factor, the linear system is
solved by Gaussian elimination with partial pivoting in place.
"""

from numpy import *

_jac = zeros((3, 3))
_rhs = zeros(3)


def rates(y, k, dydt):
    r1 = k[0] * y[0]
    r2 = k[1] * y[1] * y[1]
    r3 = k[2] * y[1] * y[2]
    dydt[0] = -r1 + r3
    dydt[1] = r1 - r2 - r3
    dydt[2] = r2


def eliminate(A, b):
    """Solve A x = b; both are destroyed, the solution is left in b."""
    n = len(b)
    for p in range(n):
        q = p + argmax(abs(A[p:, p]))
        if q != p:
            A[[p, q]] = A[[q, p]]
            b[[p, q]] = b[[q, p]]
        for i in range(p + 1, n):
            m = A[i, p] / A[p, p]
            A[i, p:] -= m * A[p, p:]
            b[i] -= m * b[p]
    for i in range(n - 1, -1, -1):
        b[i] = (b[i] - dot(A[i, i + 1:], b[i + 1:])) / A[i, i]


def integrate(k, t_end=40.0):
    y = array([1.0, 0.0, 0.0])
    f = empty(3)
    t, h = 0.0, 1e-4
    while t < t_end:
        if t + h > t_end:
            h = t_end - t
        y_old = y.copy()
        for newton in range(20):
            rates(y, k, f)
            _rhs[:] = y_old + h * f - y
            _jac[...] = 0.0
            _jac[0, 0] = 1.0 + h * k[0]
            _jac[0, 1] = -h * k[2] * y[2]
            _jac[0, 2] = -h * k[2] * y[1]
            _jac[1, 0] = -h * k[0]
            _jac[1, 1] = 1.0 + h * (2.0 * k[1] * y[1] + k[2] * y[2])
            _jac[1, 2] = h * k[2] * y[1]
            _jac[2, 1] = -h * 2.0 * k[1] * y[1]
            _jac[2, 2] = 1.0
            eliminate(_jac, _rhs)
            y += _rhs
            if max(abs(_rhs)) < 1e-15:
                break
        t += h
        h *= 1.5
    return y


if __name__ == "__main__":
    print(integrate(array([0.04, 3.0e7, 1.0e4])))
