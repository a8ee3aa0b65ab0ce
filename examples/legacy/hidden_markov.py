"""Forward algorithm of a hidden Markov model in log space, with a hand-written logsumexp.

Unnormalised logits in one flat parameter vector: initial (3), transition (3x3), emission (3x4).
"""

import numpy as np

SEQUENCE = [0, 1, 1, 3, 2, 0, 0, 1, 2, 3, 3, 1, 0, 2, 2]


def logsumexp(a, axis=None):
    top = np.max(a, axis=axis, keepdims=True)
    s = np.log(np.sum(np.exp(a - top), axis=axis, keepdims=True)) + top
    return s.squeeze(axis) if axis is not None else s.item(0)


def normalise_rows(logits):
    for row in logits:                 # rows are views: the parameters are normalised in place
        row -= logsumexp(row, axis=0)


def loglik(params):
    init = params[:3]
    trans = params[3:12].reshape(3, 3)
    emit = params[12:].reshape(3, 4)
    init -= logsumexp(init, axis=0)
    normalise_rows(trans)
    normalise_rows(emit)
    alpha = np.empty((len(SEQUENCE), 3))
    alpha[0] = init + emit[:, SEQUENCE[0]]
    for t in range(1, len(SEQUENCE)):
        for state in range(3):
            alpha[t, state] = logsumexp(alpha[t - 1] + trans[:, state], axis=0) + emit[state, SEQUENCE[t]]
    return logsumexp(alpha[-1], axis=0)


if __name__ == "__main__":
    print(loglik(np.linspace(-1.0, 1.0, 24)))
