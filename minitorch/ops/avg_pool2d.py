"""Average pooling: the mean of every window.

As in ``max_pool2d.py``, the loop over windows is turned around: for a fixed element (u, v) of the window, the elements
of all windows are one strided slice of the input, and the K_h·K_w slices are added up. Padding adds nothing; whether
it *counts* is a matter of the divisor.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, empty_in_order, host, image_order, in_order, in_rows
from minitorch.backend.launching import runs_kernels
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops import avg_pool2d_cuda
from minitorch.ops import avg_pool2d_tiles as average_tiles
from minitorch.ops import max_pool2d_tiles as tiles
from minitorch.ops.max_pool2d import pooling_windows
from minitorch.ops.operand import require
from minitorch.ops.windows import Windows


class Divisor(NamedTuple):
    """By what a window's sum is divided: ``override`` if it is given, else the number of its elements."""

    count_include_pad: bool
    override: int | None

    def of(self, windows: Windows, like: Array) -> Any:
        """A number, or an array of one divisor a window where they differ."""
        if self.override is not None:
            return self.override
        heights, widths = [self._lengths(windows, axis, host) for axis in (0, 1)]
        if len(set(heights.tolist())) == len(set(widths.tolist())) == 1:
            return int(heights[0] * widths[0])
        heights, widths = [self._lengths(windows, axis, array_module(like)).astype(like.dtype) for axis in (0, 1)]
        return heights[:, None] * widths

    def _lengths(self, windows: Windows, axis: int, xp: Any) -> Array:
        """How many elements each window has along one axis: inside the padded input, or inside the input."""
        size, padding = windows.input_size[axis], windows.padding[axis]
        least, most = (-padding, size + padding) if self.count_include_pad else (0, size)
        starts = xp.arange(windows.output_size[axis]) * windows.stride[axis] - padding
        return xp.minimum(starts + windows.kernel_size[axis], most) - xp.maximum(starts, least)


class AvgPool2D(Function):
    """output = Σ window / divisor."""

    def forward(self, input: Array, *, windows: Windows, divisor: Divisor) -> Array:
        self.windows, self.divisor = windows, divisor
        if runs_kernels(input):
            return avg_pool2d_cuda.average(input, windows, *divisor)
        xp = array_module(input)
        wide = "float32" if input.dtype.char == "e" else input.dtype
        total = empty_in_order(xp, (*input.shape[:-2], *windows.output_size), wide, image_order(input))
        number = divisor.of(windows, total)

        def add_up(input: Array, total: Array) -> None:
            _add_up(input, total, windows)
            _divide(total, number)

        is_tiled = tiles.applies(input, windows)
        in_rows(add_up, input, total, is_long=is_tiled, cost=1 if is_tiled else 4)
        return total.astype(input.dtype, copy=False)

    def backward(self, grad_output: Any) -> Any:
        return SpreadOverWindows.apply(grad_output, windows=self.windows, divisor=self.divisor)


class SpreadOverWindows(Function):
    """The gradient of ``AvgPool2D``: every element of a window gets the window's value / divisor."""

    backward_name = "AvgPool2DBackwardBackward0"

    def forward(self, value: Array, *, windows: Windows, divisor: Divisor) -> Array:
        self.windows, self.divisor = windows, divisor
        if runs_kernels(value):
            return avg_pool2d_cuda.spread(value, windows, *divisor)
        order, shape = image_order(value), (*value.shape[:-2], *windows.input_size)
        result = empty_in_order(array_module(value), shape, value.dtype, order)
        value, number = in_order(value, order), divisor.of(windows, value)
        is_tiled = tiles.applies(result, windows)

        def spread(result: Array, value: Array) -> None:
            share = value / number
            if is_tiled:
                average_tiles.spread(result, share)
                return
            result[...] = 0
            for _, _, place, input_place in windows.taps():
                result[input_place] += share[place]

        in_rows(spread, result, value, is_long=is_tiled, cost=1 if is_tiled else 4)
        return result

    def backward(self, grad_output: Any) -> Any:
        return AvgPool2D.apply(grad_output, windows=self.windows, divisor=self.divisor)


def _add_up(input: Array, total: Array, windows: Windows) -> None:
    if tiles.applies(input, windows):
        average_tiles.sums(input, total)
        return
    total[...] = 0
    for _, _, place, input_place in windows.taps():
        total[place] += input[input_place]


def _divide(total: Array, divisor: Any) -> None:
    """total ← total / divisor; of integers, rounded towards zero as in C."""
    if total.dtype.kind == "f":
        total /= divisor
        return
    sign = -1 if isinstance(divisor, int) and divisor < 0 else 1  # counts of elements are positive
    total[...] = sign * array_module(total).sign(total) * (abs(total) // abs(divisor))


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of every window.

    Formula: output[n, c, i, j] = Σ_{u,v} input[n, c, i·s_h − p_h + u, j·s_w − p_w + v] / divisor
    Shapes: (N, C, H, W) or (C, H, W) → (N, C, H_out, W_out), with H_out from ``windows.window_count``.
    Gradient: every element of a window gets g / divisor; where windows overlap they add up.
    Args: ``stride`` None means ``kernel_size``; ``padding`` is of zeros and at most half the window; ``ceil_mode``
      rounds the number of windows up; the divisor is ``divisor_override`` if given, else the number of elements of
      the window inside the padded input or, with ``count_include_pad=False``, inside the input.
    Raises: RuntimeError if a number is out of range, the input is not an image, or no window fits.

    >>> import minitorch as torch
    >>> torch.nn.functional.avg_pool2d(torch.tensor([[[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]]]), 2, stride=1)
    tensor([[[3.5000, 4.5000]]])
    """
    require(input, "fiu", "avg_pool2d", "avg_pool2d")
    dtype, shape = raw(input).dtype, raw(input).shape
    if dtype.kind != "f" and dtype != "int64":
        raise NotImplementedError(f"\"avg_pool2d\" not implemented for '{from_numpy_dtype(dtype).legacy_name}'")
    if len(shape) < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [-{len(shape)}, {len(shape) - 1}], but got -3)"
        )
    windows = pooling_windows("avg_pool2d", shape, kernel_size, stride, padding, ceil_mode=ceil_mode)
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    return AvgPool2D.apply(input, windows=windows, divisor=Divisor(bool(count_include_pad), divisor_override))
