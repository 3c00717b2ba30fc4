"""Convolution with a kernel of 1 × 1: nothing has to be copied, each image is a matrix already.

    output[n]  =  weight as (C_out × C_in)  ·  input[n] as (C_in × H·W)

The gradients are weightᵀ · grad_output[n] and Σ_n grad_output[n] · input[n]ᵀ.
"""

from __future__ import annotations

import functools

from minitorch.backend import Array, array_module, matrix_product, parallel, split
from minitorch.backend.layout import is_channels_last
from minitorch.backend.threads import LEAST_FLOP
from minitorch.ops.windows import Windows


def applies(windows: Windows, groups: int) -> bool:
    """Whether the convolution is of the kind that this file computes."""
    is_plain = windows.kernel_size == windows.stride == (1, 1) and windows.padding == (0, 0)
    return groups == 1 and is_plain and windows.input_size == windows.output_size


def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_in, H, W) and (C_out, C_in, 1, 1) → (N, C_out, H, W)."""
    return _multiply(weight[:, :, 0, 0], input, bias)


def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_out, H, W) and the weight → (N, C_in, H, W)."""
    return _multiply(weight[:, :, 0, 0].T, output, bias)


def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """(N, C_out, H, W) and (N, C_in, H, W) → (C_out, C_in, 1, 1)."""
    xp = array_module(input)
    outputs, inputs = _matrices(output), _matrices(input)

    def work(images: slice) -> Array:
        return xp.matmul(outputs[images], inputs[images].swapaxes(1, 2)).sum(0, dtype=input.dtype)

    shares = split(len(input), 2 * output.size * input.shape[1], LEAST_FLOP)
    return functools.reduce(xp.add, parallel(shares, work))[:, :, None, None]


def _multiply(matrix: Array, images: Array, bias: Array | None) -> Array:
    """matrix · each image, + bias; the threads share the images, or if there is only one, its places."""
    if is_channels_last(images):
        return _multiply_rows(matrix, images, bias)
    xp = array_module(images)
    N, _, H, W = images.shape
    inputs, result = _matrices(images), xp.empty((N, len(matrix), H * W), images.dtype)

    def work(part: tuple[slice, slice]) -> None:
        chosen, places = part
        product = result[chosen, :, places]
        xp.matmul(matrix, inputs[chosen, :, places], out=product)
        if bias is not None:
            product += bias[:, None]

    flop, everything = 2 * images.size * len(matrix), slice(None)
    if N > 1:
        parallel([(part, everything) for part in split(N, flop, LEAST_FLOP)], work)
    else:
        parallel([(everything, part) for part in split(H * W, flop, LEAST_FLOP)], work)
    return result.reshape(N, len(matrix), H, W)


def _multiply_rows(matrix: Array, images: Array, bias: Array | None) -> Array:
    """The same with channels last in memory: all places of all images are the rows of one matrix."""
    N, C, H, W = images.shape
    rows = matrix_product(images.transpose(0, 2, 3, 1).reshape(N * H * W, C), matrix.T)
    if bias is not None:
        rows += bias
    return rows.reshape(N, H, W, len(matrix)).transpose(0, 3, 1, 2)


def _matrices(images: Array) -> Array:
    """(N, C, H, W) → (N, C, H·W)."""
    N, C, H, W = images.shape
    return images.reshape(N, C, H * W)
