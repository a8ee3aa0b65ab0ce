"""American put on a Cox-Ross-Rubinstein binomial tree, rolled back in one array; early exercise by np.maximum."""

import numpy as np


def american_put(p, steps=50):
    """p = [spot, strike, rate, volatility, maturity]"""
    spot, strike, rate, vol, maturity = p
    dt = maturity / steps
    up = np.exp(vol * np.sqrt(dt))
    prob = (np.exp(rate * dt) - 1.0 / up) / (up - 1.0 / up)
    disc = np.exp(-rate * dt)
    prices = spot * up ** np.arange(-steps, steps + 1, 2)
    values = np.clip(strike - prices, 0.0, None)
    exercised = np.zeros(steps, dtype=bool)
    for level in range(steps - 1, -1, -1):
        values[: level + 1] = disc * (prob * values[1: level + 2] + (1.0 - prob) * values[: level + 1])
        prices[: level + 1] = prices[: level + 1] * up
        payoff = strike - prices[: level + 1]
        early = payoff > values[: level + 1]
        exercised[level] = early.any()
        values[: level + 1][early] = payoff[early]
    return values[0]


if __name__ == "__main__":
    print(round(american_put([100.0, 103.0, 0.05, 0.25, 1.0]), 6))
