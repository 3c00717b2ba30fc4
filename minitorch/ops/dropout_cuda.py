"""Launching ``dropout.cu``: dropout on a GPU, whose mask is drawn anew for the gradient."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from minitorch.autograd.function import Function
from minitorch.backend import Array, array_module, device_of, empty_in_order, in_order, order_of
from minitorch.backend.cuda_generator import default_cuda_generator
from minitorch.backend.device_distributions import Place
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, blocks_for, element_types

_kernels = KernelFile(Path(__file__).with_name("dropout.cu"))


class DeviceDropout(Function):
    """output = input · mask / keep, where the mask is a function of the place. It is linear: its gradient is itself."""

    backward_name = "NativeDropoutBackward0"

    def forward(self, input: Array, *, keep: float, place: Place, order: tuple[int, ...]) -> Array:
        self.options: dict[str, Any] = {"keep": keep, "place": place, "order": order}
        x = in_order(input, order)  # elements are numbered as they lie in memory
        output = empty_in_order(array_module(x), x.shape, x.dtype, order)
        arguments = [x, output, *place, float(keep), x.size]
        _kernels.launch("dropout", (blocks_for(x.size, 4 * BLOCK),), (BLOCK,), arguments, element_types(x))
        return output

    def backward(self, grad_output: Any) -> Any:
        return DeviceDropout.apply(grad_output, **self.options)


def device_dropout(keep: float, like: Array) -> Callable[[Any], Any]:
    """A function that drops elements with one mask, of inputs of the shape and order of ``like``."""
    place = default_cuda_generator(device_of(like).index).kept_place()
    order = order_of(like.shape, like.strides)
    return lambda input: DeviceDropout.apply(input, keep=keep, place=place, order=order)
