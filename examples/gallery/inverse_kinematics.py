"""
A legacy script as it stands: a robot arm follows a circle
==========================================================

``examples/legacy/robot_arm.py`` computes the pose of a robot's tool from the angles of its six joints, with ``math.sin`` and
a matrix that it overwrites. It knows nothing of derivatives and is not changed. With its Jacobian we find the angles that
take the tool along a circle.
"""

import numpy as np
from pictures import axes, legacy, show

import npgrad as ng

robot_arm = legacy("robot_arm")
pose_and_jacobian = ng.value_and_jacobian(robot_arm.tool)

# %%
# From each point of the circle to the next, Newton's method: the pseudo-inverse of the three rows for the position takes the
# smallest change of the six angles.

angles = np.array([0.1, -0.7, 0.9, -0.3, 0.4, 0.2])
home = robot_arm.tool(angles)[:3]
turn = np.linspace(0, 2 * np.pi, 61)
wanted = home + 0.15 * np.stack([1 - np.cos(turn), np.sin(turn), 0 * turn], axis=1)

joints = np.empty((len(turn), 6))
for row, point in zip(joints, wanted, strict=True):
    for _ in range(5):
        pose, rows = pose_and_jacobian(angles)
        angles = angles - np.linalg.pinv(rows[:3]) @ (pose[:3] - point)
    row[:] = angles

reached = np.array([robot_arm.tool(q)[:3] for q in joints])
print("largest distance from the circle:", np.abs(reached - wanted).max(), "m")
assert np.abs(reached - wanted).max() < 1e-9


# %%
# The arm from above, at every tenth point, and what its joints do. The last joint turns the tool in place, so it has nothing
# to do.


def elbows(q):
    """Where the joints are, from the base to the tool."""
    places, turned = [np.zeros(3)], np.eye(4)
    for angle, parameters in zip(q, robot_arm.DH, strict=True):
        turned = turned @ robot_arm.link(np.empty((4, 4)), angle, *parameters)
        places.append(turned[:3, 3])
    return np.array(places)


figure, (left, right) = axes(2)
for q in joints[:-1:10]:
    left.plot(*elbows(q)[:, :2].T, "o-", color="0.7", ms=3)
left.plot(*wanted[:, :2].T, "k", lw=4, alpha=0.3, label="wanted")
left.plot(*reached[:, :2].T, "C1--", label="reached")
left.set(title="from above", aspect="equal", xlabel="x (m)", ylabel="y (m)")
left.legend()
right.plot(turn, joints, label=[f"joint {number}" for number in range(1, 7)])
right.set(title="angles", xlabel="angle on the circle", ylabel="radians", ylim=(-1.5, 2.6))
right.legend(ncols=3, loc="upper center")
show(figure)
