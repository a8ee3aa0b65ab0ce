"""A legacy script as it stands, a robot arm, is made to follow a circle: steps of Newton with its Jacobian."""

import importlib.util
from pathlib import Path

import numpy as np
from pictures import axes, save

import npgrad as ng

SCRIPT = Path(__file__).parents[1] / "legacy" / "robot_arm.py"


def load():
    spec = importlib.util.spec_from_file_location("robot_arm", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def draw():
    tool = load().tool
    both = ng.value_and_jacobian(tool)
    angles = np.array([0.1, -0.7, 0.9, -0.3, 0.4, 0.2])
    home = np.asarray(tool(angles))[:3]
    turn = np.linspace(0, 2 * np.pi, 60)
    radius = 0.05 * np.linalg.norm(home)
    wanted = home + radius * np.stack([np.cos(turn) - 1, np.sin(turn), 0 * turn], axis=1)
    poses, joints = [], []
    for point in wanted:
        for _ in range(4):
            value, rows = both(angles)
            angles = angles - np.linalg.pinv(rows[:3]) @ (value[:3] - point)
        poses.append(np.asarray(tool(angles))[:3])
        joints.append(angles)
    reached = np.array(poses)
    figure, (left, right) = axes(2)
    left.plot(*wanted[:, :2].T, "k", lw=3, alpha=0.3, label="wanted")
    left.plot(*reached[:, :2].T, "C1--", label="reached")
    left.set(title="the tool", aspect="equal")
    left.legend()
    right.plot(turn, np.array(joints))
    right.set(title="six joint angles", xlabel="turn")
    assert np.abs(reached - wanted).max() < 1e-9
    return figure


if __name__ == "__main__":
    save(draw, __file__)
