"""Log-likelihood of a constant-velocity Kalman filter given noise levels; observations simulated once at import."""

import numpy as np

rng = np.random.RandomState(7)
OBS = np.cumsum(0.3 + 0.2 * rng.standard_normal(30)) + 0.5 * rng.standard_normal(30)
OBS[11] = np.nan                       # one observation is missing


def loglik(theta):
    """theta = [log process noise, log observation noise, initial velocity]"""
    q = np.exp(theta[0])
    r = np.exp(theta[1])
    F = np.array([[1.0, 1.0], [0.0, 1.0]])
    Q = np.array([[q / 3, q / 2], [q / 2, q]])
    H = np.array([[1.0, 0.0]])
    x = np.zeros((2, 1))
    x[1] = theta[2]
    P = np.diag([10.0, 1.0])
    total = 0.0
    for z in OBS:
        x = F @ x
        P = F @ P @ F.T + Q
        if np.isnan(z):
            continue
        S = H @ P @ H.T + r
        innovation = z - (H @ x)
        K = P @ H.T @ np.linalg.inv(S)
        x += K @ innovation
        P = (np.eye(2) - K @ H) @ P
        P += P.T
        P *= 0.5
        sign, logdet = np.linalg.slogdet(S)
        total -= 0.5 * (logdet + (innovation.T @ np.linalg.solve(S, innovation))[0, 0] + np.log(2 * np.pi))
    return total


if __name__ == "__main__":
    print(loglik(np.array([-3.0, -1.0, 0.2])))
