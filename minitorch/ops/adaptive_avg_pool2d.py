"""Adaptive average pooling: the windows are chosen so that the output has a given size.

Window i of H_out covers the rows ⌊i·H / H_out⌋ up to ⌈(i + 1)·H / H_out⌉ − 1, and the columns by the same rule:
together they cover the input, and neighbours may overlap where H_out does not divide H. A mean over a rectangle is a
mean over its columns of means over its rows, so H_out + W_out sums of slices are enough.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, empty_in_order, image_order
from minitorch.backend.launching import runs_kernels
from minitorch.ops import adaptive_pool2d_cuda
from minitorch.ops.operand import require
from minitorch.ops.reduction import mean
from minitorch.ops.windows import Pair, is_int


def bounds(size: int, count: int) -> list[tuple[int, int]]:
    """Where each of ``count`` windows over ``size`` elements starts and ends.

    >>> bounds(5, 3)
    [(0, 2), (1, 4), (3, 5)]
    """
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


class AdaptiveAvgPool2D(Function):
    """output = mean of each window."""

    def forward(self, input: Array, *, output_size: Pair) -> Array:
        self.input_size, self.output_size = (input.shape[-2], input.shape[-1]), output_size
        if 0 not in output_size and runs_kernels(input):
            return adaptive_pool2d_cuda.average(input, output_size)
        xp = array_module(input)
        leading, (H, W), (H_out, W_out) = input.shape[:-2], self.input_size, output_size
        wide = "float32" if input.dtype.char == "e" else input.dtype
        order = image_order(input)
        rows = empty_in_order(xp, (*leading, H_out, W), wide, order)
        for i, (start, end) in enumerate(bounds(H, H_out)):
            rows[..., i, :] = input[..., start:end, :].sum(-2, dtype=wide) / (end - start)
        output = empty_in_order(xp, (*leading, H_out, W_out), wide, order)
        for j, (start, end) in enumerate(bounds(W, W_out)):
            output[..., j] = rows[..., start:end].sum(-1) / (end - start)
        return output.astype(input.dtype, copy=False)

    def backward(self, grad_output: Any) -> Any:
        return SpreadAdaptively.apply(grad_output, input_size=self.input_size)


class SpreadAdaptively(Function):
    """The gradient of ``AdaptiveAvgPool2D``: every element of a window gets the window's value / its size."""

    backward_name = "AdaptiveAvgPool2DBackwardBackward0"

    def forward(self, value: Array, *, input_size: Pair) -> Array:
        self.output_size = (value.shape[-2], value.shape[-1])
        if runs_kernels(value):
            return adaptive_pool2d_cuda.spread(value, input_size)
        xp = array_module(value)
        leading, (H, W), (H_out, W_out) = value.shape[:-2], input_size, self.output_size
        rows = xp.zeros((*leading, H_out, W), value.dtype)
        for j, (start, end) in enumerate(bounds(W, W_out)):
            rows[..., start:end] += value[..., j : j + 1] / (end - start)
        result = xp.zeros((*leading, H, W), value.dtype)
        for i, (start, end) in enumerate(bounds(H, H_out)):
            result[..., start:end, :] += rows[..., i : i + 1, :] / (end - start)
        return result

    def backward(self, grad_output: Any) -> Any:
        return AdaptiveAvgPool2D.apply(grad_output, output_size=self.output_size)


def adaptive_size(op: str, output_size: Any, input_size: tuple[int, ...]) -> Pair:
    """The (H_out, W_out) asked for: an int for both, or a pair in which None means "as the input"."""
    sizes = (output_size, output_size) if is_int(output_size) else output_size
    if not isinstance(sizes, (tuple, list)) or not all(each is None or is_int(each) for each in sizes):
        kind = type(output_size).__name__
        raise TypeError(f"{op}(): argument 'output_size' must be an int or a tuple of ints and None, not {kind}")
    if len(sizes) != 2:
        raise RuntimeError(f"{op}: output_size must be 2")
    height, width = [input_size[axis] if size is None else int(size) for axis, size in enumerate(sizes)]
    if min(height, width) < 0:
        raise RuntimeError(
            f"{op}: elements of output_size must be greater than or equal to 0 but received {{{height}, {width}}}"
        )
    return height, width


def check_image(op: str, shape: tuple[int, ...], first: int = -2) -> None:
    """Raise torch's errors unless the shape is (N, C, H, W) or (C, H, W), with no zero from dimension ``first`` on."""
    if len(shape) not in (3, 4):
        raise RuntimeError(f"{op}(): Expected 3D or 4D tensor, but got {list(shape)}")
    for dim in range(len(shape) + first, len(shape)):
        if shape[dim] == 0:
            raise RuntimeError(
                f"{op}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(shape)} with dimension {dim} being empty"
            )


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The mean of windows that are chosen so that the output has ``output_size``.

    Formula: output[n, c, i, j] = mean of input[n, c, y, x] over ⌊i·H / H_out⌋ ≤ y < ⌈(i + 1)·H / H_out⌉ and x likewise
    Shapes: (N, C, H, W) or (C, H, W) → (N, C, H_out, W_out)
    Gradient: every element of a window gets g / size of the window; where windows overlap they add up.
    Args: ``output_size`` an int for both, or a pair; None in it means "as the input".
    Raises: RuntimeError if the input is not an image or a size is negative.

    >>> import minitorch as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.tensor([[[1.0, 2.0, 6.0]]]), (1, 2))
    tensor([[[1.5000, 4.0000]]])
    """
    require(input, "f", "adaptive_avg_pool2d", "adaptive_avg_pool2d")
    shape = raw(input).shape
    check_image("adaptive_avg_pool2d", shape)
    size = adaptive_size("adaptive_avg_pool2d", output_size, shape[-2:])
    if size == (1, 1):
        return mean(input, (-2, -1), keepdim=True)
    return AdaptiveAvgPool2D.apply(input, output_size=size)
