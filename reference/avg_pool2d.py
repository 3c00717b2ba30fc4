"""Average pooling: the mean of every window."""

import numpy as np

from reference.max_pool2d import pooled_size


def avg_pool2d(
    input,
    kernel_size,
    stride=None,
    padding=(0, 0),
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """Mean of every window.

    Formula: output[n, c, i, j] = Σ_{u,v} input[n, c, i·s_h - p_h + u, j·s_w - p_w + v] / divisor
    where s, p are stride, padding and the input is 0 outside its borders. The divisor is
    divisor_override if given; else the number of window places inside the padded input; else, with
    count_include_pad=False, inside the input itself.
    Shapes: input (N, C, H, W) → (N, C, H_out, W_out), with H_out from `pooled_size`.
    Args: stride `None` means kernel_size.
    """
    N, C, H, W = input.shape
    stride = kernel_size if stride is None else stride
    H_out = pooled_size(H, kernel_size[0], stride[0], padding[0], ceil_mode=ceil_mode)
    W_out = pooled_size(W, kernel_size[1], stride[1], padding[1], ceil_mode=ceil_mode)
    output = np.zeros((N, C, H_out, W_out))
    for i, j in np.ndindex(H_out, W_out):
        places, divisor = window(i, j, (H, W), kernel_size, stride, padding, count_include_pad, divisor_override)
        for n, c in np.ndindex(N, C):
            for row, column in places:
                output[n, c, i, j] += input[n, c, row, column] / divisor
    return output


def avg_pool2d_gradient(
    grad_output,
    input,
    kernel_size,
    stride=None,
    padding=(0, 0),
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """Return grad_input; only the shape of `input` matters.

    Gradient: every place of a window receives grad_output / divisor of that window.
    """
    N, C, H, W = input.shape
    stride = kernel_size if stride is None else stride
    grad_input = np.zeros(input.shape)
    for i, j in np.ndindex(*grad_output.shape[2:]):
        places, divisor = window(i, j, (H, W), kernel_size, stride, padding, count_include_pad, divisor_override)
        for n, c in np.ndindex(N, C):
            for row, column in places:
                grad_input[n, c, row, column] += grad_output[n, c, i, j] / divisor
    return grad_input


def window(i, j, size, kernel_size, stride, padding, count_include_pad, divisor_override):
    """Return the (row, column) places of window (i, j) that lie in the input, and its divisor."""
    (H, W), (p_h, p_w) = size, padding
    places, places_in_padded_input = [], 0
    for u, v in np.ndindex(*kernel_size):
        row, column = i * stride[0] - p_h + u, j * stride[1] - p_w + v
        if row < H + p_h and column < W + p_w:  # ceil_mode lets the last window stick out even further
            places_in_padded_input += 1
        if 0 <= row < H and 0 <= column < W:
            places.append((row, column))
    if divisor_override is not None:
        return places, divisor_override
    return places, places_in_padded_input if count_include_pad else len(places)
