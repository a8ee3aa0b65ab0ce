"""Energy and nodal forces of a two-dimensional spring network, scattered with np.add.at and np.subtract.at.

Node coordinates (flattened) in, forces out; springs that are cut (stretched beyond a limit) are masked out.
"""

import numpy as np

NODES = 6
SPRINGS = np.array([[0, 1], [1, 2], [3, 4], [4, 5], [0, 3], [1, 4], [2, 5], [0, 4], [1, 5], [0, 5]])
REST = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.4, 1.4, 1.0])


def forces(x, stiffness=3.0):
    xy = x.view()
    xy.shape = NODES, 2
    left, right = SPRINGS.T
    d = xy[right] - xy[left]
    length = np.sqrt(np.einsum("ij,ij->i", d, d))
    stretch = length - REST
    cut = stretch > 1.0
    stretch[cut] = 0.0
    pull = stiffness * stretch / length
    pull.shape = (-1, 1)
    d *= pull
    F = np.zeros_like(xy)
    np.add.at(F, left, d)
    np.subtract.at(F, right, d)
    F[[0, 3]] = 0.0                    # two nodes are held
    return F.ravel()


if __name__ == "__main__":
    grid = np.array([[0, 0], [1.1, 0], [2, 0.1], [0, 1], [1, 1.2], [2.1, 0.9]], dtype=float)
    print(forces(grid.flatten()).reshape(-1, 2))
