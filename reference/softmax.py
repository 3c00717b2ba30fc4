"""Softmax, which turns scores into probabilities, and its logarithm."""

import numpy as np

from reference.reduction import groups, log_total_exp


def softmax(input, dim):
    """Probabilities along one dimension: positive, summing to 1.

    Formula: output_i = e ^ input_i / Σ_j e ^ input_j, j over `dim`; computed as e ^ log_softmax so
    that large scores do not overflow.
    Shapes: any shape → the same shape.
    """
    logs = log_softmax(input, dim)
    output = np.zeros(input.shape)
    for index in np.ndindex(*input.shape):
        output[index] = np.exp(logs[index])
    return output


def softmax_gradient(grad_output, input, dim):
    """Return grad_input.

    Gradient: grad_input_i = s_i · (grad_output_i - Σ_j grad_output_j · s_j), where s = softmax(input).
    """
    s = softmax(input, dim)
    grad_input = np.zeros(input.shape)
    for line in groups(input.shape, dim).values():
        weighted = 0.0
        for index in line:
            weighted += grad_output[index] * s[index]
        for index in line:
            grad_input[index] = s[index] * (grad_output[index] - weighted)
    return grad_input


def log_softmax(input, dim):
    """Logarithm of the softmax.

    Formula: output_i = input_i - log Σ_j e ^ input_j, j over `dim`
    Shapes: any shape → the same shape.
    """
    output = np.zeros(input.shape)
    with np.errstate(all="ignore"):  # scores of -∞ alone give nan
        for line in groups(input.shape, dim).values():
            log_sum = log_total_exp([input[index] for index in line])
            for index in line:
                output[index] = input[index] - log_sum
    return output


def log_softmax_gradient(grad_output, input, dim):
    """Return grad_input.

    Gradient: grad_input_i = grad_output_i - softmax(input)_i · Σ_j grad_output_j.
    """
    s = softmax(input, dim)
    grad_input = np.zeros(input.shape)
    for line in groups(input.shape, dim).values():
        total = 0.0
        for index in line:
            total += grad_output[index]
        for index in line:
            grad_input[index] = grad_output[index] - s[index] * total
    return grad_input
