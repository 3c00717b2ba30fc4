"""Launching ``adaptive_avg_pool2d.cu`` and ``adaptive_max_pool2d.cu``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from minitorch.backend import Array, array_module, image_order, in_order, row_major
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, blocks_for, element_types

Pair = tuple[int, int]

_average = KernelFile(Path(__file__).with_name("adaptive_avg_pool2d.cu"))
_largest = KernelFile(Path(__file__).with_name("adaptive_max_pool2d.cu"))


def average(input: Array, output_size: Pair) -> Array:
    """The mean of each window."""
    order, input = image_order(input), row_major(input)
    output = array_module(input).empty((*input.shape[:-2], *output_size), input.dtype)
    _launch(_average, "forward", output, [input, output], input.shape, output.shape)
    return in_order(output, order)


def spread(value: Array, input_size: Pair) -> Array:
    """Each window's value / size of the window at all its elements, added up."""
    value = row_major(value)
    result = array_module(value).empty((*value.shape[:-2], *input_size), value.dtype)
    _launch(_average, "backward", result, [value, result], result.shape, value.shape)
    return result


def largest_and_index(input: Array, output_size: Pair) -> tuple[Array, Array]:
    """The largest element of each window, and where it lies in its plane."""
    xp, order, input = array_module(input), image_order(input), row_major(input)
    output = xp.empty((*input.shape[:-2], *output_size), input.dtype)
    indices = xp.empty(output.shape, "int64")
    _launch(_largest, "forward", output, [input, output, indices], input.shape, output.shape)
    return in_order(output, order), in_order(indices, order)


def put_at_index(value: Array, indices: Array, shape: tuple[int, ...]) -> Array:
    """Each window's value at the element that it chose, added up; 0 elsewhere."""
    value, indices = row_major(value), row_major(indices)
    result = array_module(value).empty(shape, value.dtype)
    _launch(_largest, "backward", result, [value, indices, result], shape, value.shape)
    return result


def _launch(
    kernels: KernelFile,
    name: str,
    target: Array,
    arguments: list[Any],
    shape: tuple[int, ...],
    windows: tuple[int, ...],
) -> None:
    """Run a kernel with a thread for each element of ``target``; ``windows`` is the shape of the pooled planes."""
    sizes = [math.prod(shape[:-2]), *shape[-2:], *windows[-2:]]
    kernels.launch(
        name, (blocks_for(target.size),), (BLOCK,), [*arguments, *sizes], element_types(target, arguments[0])
    )
