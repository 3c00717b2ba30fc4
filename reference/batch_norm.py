"""Batch normalisation: give every channel mean 0 and variance 1, then rescale it.

In training the mean and variance are those of the batch; in evaluation they are the running averages
that training left behind.
Source: Ioffe and Szegedy, "Batch Normalization", 2015.
"""

import math

import numpy as np


def batch_norm(input, running_mean=None, running_var=None, weight=None, bias=None, training=False, eps=1e-5):
    """Normalise every channel.

    Formula: x̂ = (input - μ_c) / √(σ²_c + eps); output = x̂ · weight_c + bias_c, where μ and σ² are
    the batch's mean and variance (divided by M, the number of elements of a channel) in training,
    and running_mean and running_var in evaluation.
    Shapes: input (N, C, …); running_mean, running_var, weight, bias (C,) → the shape of input.
    The running averages are not changed here; see `running_statistics`.
    """
    normalized, _ = normalize(input, running_mean, running_var, training, eps)
    output = np.zeros(input.shape)
    for c, channel in enumerate(channels(input.shape)):
        scale = 1.0 if weight is None else weight[c]
        shift = 0.0 if bias is None else bias[c]
        for index in channel:
            output[index] = normalized[index] * scale + shift
    return output


def running_statistics(input, running_mean, running_var, momentum=0.1):
    """Return the new (running_mean, running_var) after a training batch.

    Formula: new = (1 - momentum) · old + momentum · batch, where the batch's variance is here the
    unbiased one, divided by M - 1. For a cumulative average (the layer's momentum=None) pass
    momentum = 1 / k for the k-th batch.
    """
    new_mean, new_var = np.zeros(running_mean.shape), np.zeros(running_var.shape)
    for c, channel in enumerate(channels(input.shape)):
        mean, var = mean_and_variance(input, channel)
        M = len(channel)
        new_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean
        new_var[c] = (1 - momentum) * running_var[c] + momentum * var * M / (M - 1)
    return new_mean, new_var


def batch_norm_gradient(grad_output, input, running_mean=None, running_var=None, weight=None, training=False, eps=1e-5):
    """Return (grad_input, grad_weight, grad_bias).

    Gradient: with g = grad_output and sums over the M elements of a channel,
    grad_bias = Σ g; grad_weight = Σ g · x̂; in evaluation grad_input = weight · g / √(σ² + eps);
    in training, where μ and σ² depend on the input too,
    grad_input = weight / √(σ² + eps) · (g - Σ g / M - x̂ · Σ (g · x̂) / M).
    """
    normalized, deviations = normalize(input, running_mean, running_var, training, eps)
    grad_input = np.zeros(input.shape)
    C = input.shape[1]
    grad_weight, grad_bias = np.zeros(C), np.zeros(C)
    for c, channel in enumerate(channels(input.shape)):
        for index in channel:
            grad_bias[c] += grad_output[index]
            grad_weight[c] += grad_output[index] * normalized[index]
        scale = (1.0 if weight is None else weight[c]) / deviations[c]
        M = len(channel)
        for index in channel:
            through_statistics = (grad_bias[c] + normalized[index] * grad_weight[c]) / M if training else 0.0
            grad_input[index] = scale * (grad_output[index] - through_statistics)
    return grad_input, grad_weight, grad_bias


def channels(shape):
    """Return, for each channel c, the list of all places (n, c, …) that belong to it."""
    N, C, *rest = shape
    return [[(n, c, *place) for n in range(N) for place in np.ndindex(*rest)] for c in range(C)]


def mean_and_variance(input, channel):
    """Return the mean and the variance (divided by the count) of the elements at the given places."""
    mean = 0.0
    for index in channel:
        mean += input[index] / len(channel)
    var = 0.0
    for index in channel:
        var += (input[index] - mean) ** 2 / len(channel)
    return mean, var


def normalize(input, running_mean, running_var, training, eps):
    """Return x̂ in the shape of input, and √(σ² + eps) of every channel."""
    normalized = np.zeros(input.shape)
    deviations = np.zeros(input.shape[1])
    for c, channel in enumerate(channels(input.shape)):
        mean, var = mean_and_variance(input, channel) if training else (running_mean[c], running_var[c])
        deviations[c] = math.sqrt(var + eps)
        for index in channel:
            normalized[index] = (input[index] - mean) / deviations[c]
    return normalized, deviations
