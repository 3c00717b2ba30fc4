"""Moving a tensor between devices: a copy forward, and a copy of the gradient back."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.backend import Array, device_of, pinned_copy, to_device
from minitorch.device import device


class ToDevice(Function):
    """The same values in another device's memory."""

    backward_name = "ToCopyBackward0"

    def forward(self, value: Array, *, target: device, non_blocking: bool = False) -> Array:
        self.source = device_of(value)
        return to_device(value, target, non_blocking)

    def backward(self, grad_output: Any) -> Any:
        return ToDevice.apply(grad_output, target=self.source)


class PinMemory(Function):
    """The same values in pinned host memory."""

    def forward(self, value: Array) -> Array:
        return pinned_copy(value)

    def backward(self, grad_output: Any) -> Any:
        return grad_output


def move(value: Any, target: device, non_blocking: bool = False) -> Any:
    """``value`` on ``target``: itself if it is there already. ``non_blocking``: see ``backend/transfers.py``."""
    source = device_of(value.array)
    if target.type == source.type and target.index in (None, source.index):
        return value
    return ToDevice.apply(value, target=target, non_blocking=non_blocking)
