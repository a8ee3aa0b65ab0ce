"""Forward kinematics of a six-joint arm by Denavit-Hartenberg matrices, written with the math module.

Joint angles in, position of the tool and its roll, pitch and yaw out.
"""

import math

import numpy as np

# a, alpha, d
DH = [
    (0.0, math.pi / 2, 0.089),
    (-0.425, 0.0, 0.0),
    (-0.392, 0.0, 0.0),
    (0.0, math.pi / 2, 0.109),
    (0.0, -math.pi / 2, 0.095),
    (0.0, 0.0, 0.082),
]


def link(T, theta, a, alpha, d):
    ct, st = math.cos(theta), math.sin(theta)
    ca, sa = math.cos(alpha), math.sin(alpha)
    T[0] = [ct, -st * ca, st * sa, a * ct]
    T[1] = [st, ct * ca, -ct * sa, a * st]
    T[2] = [0.0, sa, ca, d]
    T[3] = [0.0, 0.0, 0.0, 1.0]
    return T


def tool(q):
    T = np.eye(4)
    A = np.empty((4, 4))
    for joint, (a, alpha, d) in enumerate(DH):
        T = T.dot(link(A, q[joint], a, alpha, d))
    pose = np.zeros(6)
    pose[:3] = T[:3, 3]
    pose[3] = math.atan2(T[2, 1], T[2, 2])
    pose[4] = math.atan2(-T[2, 0], math.hypot(T[2, 1], T[2, 2]))
    pose[5] = math.atan2(T[1, 0], T[0, 0])
    return pose


if __name__ == "__main__":
    for number in tool([0.1, -0.7, 0.9, -0.3, 0.4, 0.2]):
        print("% .6f" % number, end=" ")
    print()
