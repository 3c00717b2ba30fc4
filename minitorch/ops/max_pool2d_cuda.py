"""Launching ``max_pool2d.cu``."""

from __future__ import annotations

from pathlib import Path

from minitorch.backend import Array
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import INTEGERS, dense_images, empty_images, ordered_like
from minitorch.ops.windows import Windows
from minitorch.ops.windows_cuda import launch_over

_kernels = KernelFile(Path(__file__).with_name("max_pool2d.cu"))


def largest(input: Array, windows: Windows) -> Array:
    """The largest element of each window."""
    return _forward(dense_images(input), None, windows)


def largest_and_choice(input: Array, windows: Windows) -> tuple[Array, Array]:
    """The largest element of each window, and its number there."""
    input = dense_images(input)
    choice = empty_images((*input.shape[:-2], *windows.output_size), _choice_dtype(windows), input)
    return _forward(input, choice, windows), choice


def _forward(input: Array, choice: Array | None, windows: Windows) -> Array:
    output = empty_images((*input.shape[:-2], *windows.output_size), input.dtype, input)
    defines = {"CHOICE": INTEGERS[_choice_dtype(windows)]}
    launch_over(output, _kernels, "forward", [input, output, choice], windows, defines)
    return output


def put_at_choice(value: Array, choice: Array, windows: Windows) -> Array:
    """Each window's value at the element that it chose, added up; 0 elsewhere."""
    choice = dense_images(choice)
    value = ordered_like(value, choice)
    result = empty_images((*value.shape[:-2], *windows.input_size), value.dtype, choice)
    defines = {"CHOICE": INTEGERS[choice.dtype.name]}
    launch_over(result, _kernels, "backward", [value, choice, result], windows, defines)
    return result


def _choice_dtype(windows: Windows) -> str:
    """A byte for the number of an element of the window where that is enough."""
    K_h, K_w = windows.kernel_size
    return "uint8" if K_h * K_w <= 256 else "int32"
