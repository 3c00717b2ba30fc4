"""The fully connected layer: every output is a weighted sum of all inputs, plus a bias."""

import numpy as np


def linear(input, weight, bias=None):
    """Affine map of the last dimension.

    Formula: output[…, o] = Σ_i input[…, i] · weight[o, i] + bias[o]
    Shapes: input (…, in_features), weight (out_features, in_features), bias (out_features,)
    → (…, out_features)
    """
    out_features, in_features = weight.shape
    output = np.zeros((*input.shape[:-1], out_features))
    for row in np.ndindex(*input.shape[:-1]):
        for o in range(out_features):
            for i in range(in_features):
                output[(*row, o)] += input[(*row, i)] * weight[o, i]
            if bias is not None:
                output[(*row, o)] += bias[o]
    return output


def linear_gradient(grad_output, input, weight):
    """Return (grad_input, grad_weight, grad_bias).

    Gradient: grad_input[…, i] = Σ_o grad_output[…, o] · weight[o, i];
    grad_weight[o, i] = Σ_rows grad_output[…, o] · input[…, i]; grad_bias[o] = Σ_rows grad_output[…, o].
    """
    out_features, in_features = weight.shape
    grad_input, grad_weight = np.zeros(input.shape), np.zeros(weight.shape)
    grad_bias = np.zeros(out_features)
    for row in np.ndindex(*input.shape[:-1]):
        for o in range(out_features):
            for i in range(in_features):
                grad_input[(*row, i)] += grad_output[(*row, o)] * weight[o, i]
                grad_weight[o, i] += grad_output[(*row, o)] * input[(*row, i)]
            grad_bias[o] += grad_output[(*row, o)]
    return grad_input, grad_weight, grad_bias
