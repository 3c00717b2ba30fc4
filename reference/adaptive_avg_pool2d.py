"""Adaptive average pooling: choose the windows so that the output has a given size."""

import numpy as np


def adaptive_avg_pool2d(input, output_size):
    """Mean over windows that divide the input into H_out rows and W_out columns of windows.

    Formula: output[n, c, i, j] = mean of input[n, c, row, column] over rows ⌊i·H / H_out⌋ up to
    ⌈(i + 1)·H / H_out⌉ - 1 and the columns by the same rule; neighbours overlap when H_out does not
    divide H.
    Shapes: input (N, C, H, W), output_size (H_out, W_out) → (N, C, H_out, W_out)
    """
    N, C, H, W = input.shape
    output = np.zeros((N, C, *output_size))
    for n, c, i, j in np.ndindex(*output.shape):
        places = window(i, j, (H, W), output_size)
        for row, column in places:
            output[n, c, i, j] += input[n, c, row, column] / len(places)
    return output


def adaptive_avg_pool2d_gradient(grad_output, input):
    """Return grad_input; only the shape of `input` matters.

    Gradient: every place of a window receives grad_output / (number of places in that window).
    """
    H, W = input.shape[2:]
    grad_input = np.zeros(input.shape)
    for n, c, i, j in np.ndindex(*grad_output.shape):
        places = window(i, j, (H, W), grad_output.shape[2:])
        for row, column in places:
            grad_input[n, c, row, column] += grad_output[n, c, i, j] / len(places)
    return grad_input


def window(i, j, size, output_size):
    """Return the (row, column) places that output (i, j) averages."""
    (H, W), (H_out, W_out) = size, output_size
    rows = range(i * H // H_out, -(-(i + 1) * H // H_out))  # -(-a // b) rounds a / b up
    columns = range(j * W // W_out, -(-(j + 1) * W // W_out))
    return [(row, column) for row in rows for column in columns]
