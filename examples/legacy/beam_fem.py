"""Cantilever of Euler-Bernoulli elements: assembly with np.add.at and np.ix_, a dense solve, tip load.

Element thicknesses in; largest deflection, compliance and volume out.
"""

import numpy as np

E, WIDTH, LENGTH, LOAD = 210e3, 10.0, 500.0, -50.0


def element_stiffness(h, le):
    inertia = WIDTH * h ** 3 / 12.0
    ke = np.array([[12.0, 6 * le, -12.0, 6 * le],
                   [6 * le, 4 * le * le, -6 * le, 2 * le * le],
                   [-12.0, -6 * le, 12.0, -6 * le],
                   [6 * le, 2 * le * le, -6 * le, 4 * le * le]])
    ke *= E * inertia / le ** 3
    return ke


def analyse(thickness):
    ne = len(thickness)
    le = LENGTH / ne
    ndof = 2 * (ne + 1)
    K = np.zeros((ndof, ndof))
    for e in range(ne):
        dofs = np.arange(2 * e, 2 * e + 4)
        np.add.at(K, (dofs[:, None], dofs[None, :]), element_stiffness(thickness[e], le))
    f = np.zeros(ndof)
    f[-2] = LOAD
    free = np.arange(2, ndof)
    u = np.zeros(ndof)
    u[free] = np.linalg.solve(K[np.ix_(free, free)], f[free])
    results = np.zeros(3)
    results[0] = np.abs(u[::2]).max()
    results[1] = f @ u
    results[2] = WIDTH * le * thickness.sum()
    return results


if __name__ == "__main__":
    d, c, v = analyse(np.linspace(24.0, 12.0, 6))
    print(f"deflection {d:.4f} mm, compliance {c:.3f} N mm, volume {v:.0f} mm3")
