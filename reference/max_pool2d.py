"""Max pooling: keep the largest element of every window, and remember where it was."""

import numpy as np


def pool2d(X, pool_size, mode="max"):
    """Slide a window over the image X and keep its largest element ("max") or its mean ("avg").

    Formula: Y[i, j] = max or mean over u, v of X[i + u, j + v]
    Shapes: X (H, W) → (H - p_h + 1, W - p_w + 1)
    """
    p_h, p_w = pool_size
    Y = np.zeros((X.shape[0] - p_h + 1, X.shape[1] - p_w + 1))
    for i, j in np.ndindex(*Y.shape):
        largest, total = -np.inf, 0.0
        for u, v in np.ndindex(p_h, p_w):
            largest = max(largest, X[i + u, j + v])
            total += X[i + u, j + v]
        Y[i, j] = largest if mode == "max" else total / (p_h * p_w)
    return Y


def max_pool2d(input, kernel_size, stride=None, padding=(0, 0), dilation=(1, 1), ceil_mode=False):
    """Largest element of every window, and its flat position; returns (output, indices).

    Formula: output[n, c, i, j] = max_{u,v} input[n, c, i·s_h - p_h + u·d_h, j·s_w - p_w + v·d_w]
    where s, p, d are stride, padding, dilation and the input is -∞ outside its borders.
    Shapes: input (N, C, H, W) → output and indices (N, C, H_out, W_out), with H_out from
    `pooled_size`; indices hold row · W + column of the chosen element in its (H, W) plane.
    Args: stride `None` means kernel_size.
    Numerics: of equal elements the first in reading order is chosen; a nan beats every number, and
    of several the last one. A window that meets no element at all gives -∞ and index -1.
    """
    N, C, H, W = input.shape
    stride = kernel_size if stride is None else stride
    H_out = pooled_size(H, kernel_size[0], stride[0], padding[0], dilation[0], ceil_mode)
    W_out = pooled_size(W, kernel_size[1], stride[1], padding[1], dilation[1], ceil_mode)
    output = np.full((N, C, H_out, W_out), -np.inf)
    indices = np.full((N, C, H_out, W_out), -1, dtype=np.int64)
    for n, c, i, j in np.ndindex(*output.shape):
        for u, v in np.ndindex(*kernel_size):
            row = i * stride[0] - padding[0] + u * dilation[0]
            column = j * stride[1] - padding[1] + v * dilation[1]
            if not (0 <= row < H and 0 <= column < W):
                continue  # padding is never chosen
            element = input[n, c, row, column]
            if indices[n, c, i, j] == -1 or element > output[n, c, i, j] or np.isnan(element):
                output[n, c, i, j] = element
                indices[n, c, i, j] = row * W + column
    return output, indices


def max_pool2d_gradient(grad_output, input, indices):
    """Return grad_input; only the shape of `input` matters.

    Gradient: every grad_output[n, c, i, j] is added at the place that indices[n, c, i, j] names; an
    element that won several windows collects them all, one that won none gets 0.
    """
    W = input.shape[3]
    grad_input = np.zeros(input.shape)
    for n, c, i, j in np.ndindex(*grad_output.shape):
        if indices[n, c, i, j] >= 0:
            row, column = divmod(indices[n, c, i, j], W)
            grad_input[n, c, row, column] += grad_output[n, c, i, j]
    return grad_input


def pooled_size(size, kernel_size, stride, padding, dilation=1, ceil_mode=False):
    """Return how many windows fit along one axis.

    Formula: (size + 2·padding - dilation·(kernel_size - 1) - 1) / stride + 1, rounded down, or up
    with ceil_mode; but a last window that would start in the padding on the right is dropped.
    """
    span = size + 2 * padding - dilation * (kernel_size - 1) - 1
    steps = -(-span // stride) if ceil_mode else span // stride
    if ceil_mode and steps * stride >= size + padding:
        steps -= 1
    return steps + 1
