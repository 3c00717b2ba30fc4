"""Launching ``dropout.cu``: dropout on a GPU, whose mask is drawn anew for the gradient."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from minitorch.autograd.function import Function
from minitorch.backend import Array, array_module, empty_in_order, in_order, order_of
from minitorch.backend.generator import default_cpu_generator
from minitorch.backend.graphs import check_capture
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, blocks_for, element_types

_kernels = KernelFile(Path(__file__).with_name("dropout.cu"))


class DeviceDropout(Function):
    """output = input · mask / keep, where the mask is a function of the seed. It is linear: its gradient is itself."""

    backward_name = "NativeDropoutBackward0"

    def forward(self, input: Array, *, keep: float, seed: int, order: tuple[int, ...]) -> Array:
        self.options: dict[str, Any] = {"keep": keep, "seed": seed, "order": order}
        x = in_order(input, order)  # elements are numbered as they lie in memory
        output = empty_in_order(array_module(x), x.shape, x.dtype, order)
        arguments = [x, output, None, seed, 0, float(keep), x.size]
        _kernels.launch("dropout", (blocks_for(x.size, 4 * BLOCK),), (BLOCK,), arguments, element_types(x))
        return output

    def backward(self, grad_output: Any) -> Any:
        return DeviceDropout.apply(grad_output, **self.options)


def device_dropout(keep: float, like: Array) -> Callable[[Any], Any]:
    """A function that drops elements with one mask, of inputs of the shape and order of ``like``."""
    seed, order = draw_seed(), order_of(like.shape, like.strides)
    return lambda input: DeviceDropout.apply(input, keep=keep, seed=seed, order=order)


def draw_seed() -> int:
    """A seed for one mask: ``manual_seed`` makes it the same again."""
    check_capture("its seed is drawn by the CPU's generator, and each replay would drop the same elements")
    return int(default_cpu_generator.random((), "int64"))
