"""Adaptive max pooling: the largest element of each of the windows of ``adaptive_avg_pool2d.py``."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, image_order, in_order
from minitorch.backend.launching import runs_kernels
from minitorch.ops import adaptive_pool2d_cuda
from minitorch.ops.adaptive_avg_pool2d import adaptive_size, bounds, check_image
from minitorch.ops.operand import require
from minitorch.ops.selection import Deposit
from minitorch.ops.shape import reshape
from minitorch.ops.windows import Pair


class AdaptiveMaxPool2D(Function):
    """(output, indices): the largest element of each window, and where it was;  it gets the window's gradient."""

    def forward(self, input: Array, *, output_size: Pair) -> tuple[Array, Array]:
        self.input_shape = input.shape
        if 0 not in output_size and runs_kernels(input):
            output, indices = adaptive_pool2d_cuda.largest_and_index(input, output_size)
            self.save(indices)
            return output, indices
        xp = array_module(input)
        *leading, H, W = input.shape
        indices = xp.zeros((*leading, *output_size), "int64")
        for i, (top, bottom) in enumerate(bounds(H, output_size[0])):
            for j, (left, right) in enumerate(bounds(W, output_size[1])):
                number = _winner(input[..., top:bottom, left:right].reshape(*leading, (bottom - top) * (right - left)))
                row, column = top + number // (right - left), left + number % (right - left)
                indices[..., i, j] = row * W + column
        output = xp.take_along_axis(flat_planes(input), flat_planes(indices), axis=-1).reshape(indices.shape)
        order = image_order(input)
        output, indices = in_order(output, order), in_order(indices, order)
        self.save(indices)
        return output, indices

    def backward(self, grad_output: Any, _: Any) -> Any:
        if runs_kernels(grad_output):
            return adaptive_pool2d_cuda.put_at_index(grad_output, self.saved[0], self.input_shape)
        return put_in_planes(grad_output, raw(self.saved[0]), self.input_shape, repeats=True)


def _winner(elements: Array) -> Array:
    """The position of the largest along the last axis: the first of equal ones, but the last nan if there is one."""
    xp = array_module(elements)
    is_nan = elements != elements
    last_nan = elements.shape[-1] - 1 - xp.argmax(is_nan[..., ::-1], axis=-1)
    return xp.where(is_nan.any(-1), last_nan, xp.argmax(elements, axis=-1))


def flat_planes(array: Array) -> Array:
    """(…, H, W) → (…, H·W)."""
    *leading, H, W = array.shape
    return array.reshape(*leading, H * W)


def put_in_planes(value: Any, indices: Array, shape: tuple[int, ...], repeats: bool) -> Any:
    """Zeros of ``shape`` with each value at its flat index in its plane; ``repeats``: equal indices add up."""
    *leading, H, W = shape
    flat = reshape(value, flat_planes(indices).shape)
    placed = Deposit.apply(
        flat, indices=flat_planes(indices), shape=(*leading, H * W), dim=len(leading), repeats=repeats
    )
    return reshape(placed, shape)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest element of windows that are chosen so that the output has ``output_size``.

    Formula: output[n, c, i, j] = max of input[n, c, y, x] over ⌊i·H / H_out⌋ ≤ y < ⌈(i + 1)·H / H_out⌉ and x likewise
    Shapes: (N, C, H, W) or (C, H, W) → (N, C, H_out, W_out); indices alike: y · W + x of the element, int64.
    Gradient: each window's goes to its largest element; where windows overlap they add up.
    Args: ``output_size`` an int for both, or a pair; None in it means "as the input".
    Raises: RuntimeError if the input is not an image or a size is negative.
    Numerics: of equal elements the first in reading order wins; nan beats every number, and the last nan the others.

    >>> import minitorch as torch
    >>> torch.nn.functional.adaptive_max_pool2d(torch.tensor([[[1.0, 6.0, 2.0]]]), (1, 2), return_indices=True)
    (tensor([[[6., 6.]]]), tensor([[[1, 1]]]))
    """
    require(input, "f", "adaptive_max_pool2d", "adaptive_max_pool2d")
    shape = raw(input).shape
    check_image("adaptive_max_pool2d", shape, first=-3 if len(shape) == 4 else -2)
    size = adaptive_size("adaptive_max_pool2d", output_size, shape[-2:])
    output, indices = AdaptiveMaxPool2D.apply(input, output_size=size)
    return (output, indices) if return_indices else output
