"""SEIR epidemic, daily Euler steps with a lockdown switch; misfit to reported cases as used in a fit."""

import numpy as np

REPORTED = np.array([3, 4, 6, 9, 13, 18, 26, 36, 50, 67, 87, 110, 133, 153, 168, 175, 176, 170, 160, 147], dtype=np.int64)
POPULATION = 10000.0
ncalls = 0
history = {}


def run(beta, sigma, gamma, ndays):
    S = np.zeros(ndays + 1)
    E = np.zeros_like(S)
    I = np.zeros_like(S)
    R = np.zeros_like(S)
    I[0] = 10.0
    S[0] = POPULATION - I[0]
    locked = False
    for t in range(ndays):
        if not locked and I[t] > 300:
            locked = True
            beta = beta * 0.5
        infections = beta * S[t] * I[t] / POPULATION
        S[t + 1] = S[t] - infections
        E[t + 1] = E[t] + infections - sigma * E[t]
        I[t + 1] = I[t] + sigma * E[t] - gamma * I[t]
        R[t + 1] = R[t] + gamma * I[t]
    history["last"] = np.vstack([S, E, I, R])
    return sigma * E[1:]


def misfit(p):
    global ncalls
    ncalls += 1
    if p[0] <= 0 or p[1] <= 0 or p[2] <= 0:
        return np.inf
    cases = run(p[0], p[1], p[2], len(REPORTED))
    total = 0.0
    for model, seen in zip(cases, REPORTED):
        total += model - seen * np.log(max(model, 1e-10))
    return total


if __name__ == "__main__":
    print(misfit([1.1, 0.5, 0.4]), "after", ncalls, "call")
