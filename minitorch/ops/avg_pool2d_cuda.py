"""Launching ``avg_pool2d.cu``."""

from __future__ import annotations

from pathlib import Path

from minitorch.backend import Array
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import dense_images, empty_images
from minitorch.ops.windows import Windows
from minitorch.ops.windows_cuda import launch_over

_kernels = KernelFile(Path(__file__).with_name("avg_pool2d.cu"))


def average(input: Array, windows: Windows, count_padding: bool, override: int | None) -> Array:
    """The mean of each window, by either count or by ``override``."""
    return _launch("forward", input, windows.output_size, windows, count_padding, override)


def spread(value: Array, windows: Windows, count_padding: bool, override: int | None) -> Array:
    """Each window's value / divisor at all its elements, added up."""
    return _launch("backward", value, windows.input_size, windows, count_padding, override)


def _launch(
    name: str, array: Array, size: tuple[int, int], windows: Windows, count_padding: bool, override: int | None
) -> Array:
    array = dense_images(array)
    result = empty_images((*array.shape[:-2], *size), array.dtype, array)
    arguments = [array, result, float(override or 0)]
    launch_over(result, _kernels, name, arguments, windows, {"COUNT_PADDING": int(count_padding)})
    return result
