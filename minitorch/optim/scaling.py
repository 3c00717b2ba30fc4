"""What a ``GradScaler`` tells an optimizer with ``fused=True``: the gradients' scale, and whether one is infinite.

Both are tensors of one element on a device, set as attributes for the length of one ``step``. On a GPU the kernels look
at them there, so that the host waits for nothing: a step that is left out is launched all the same, and does nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minitorch.backend import Array, array_module, device_of, to_device


class Scaling(NamedTuple):
    """Float32 arrays without dimensions: divide gradients by ``grad_scale``; leave the step out if ``found_inf``."""

    grad_scale: Array | None = None
    found_inf: Array | None = None

    def near(self, array: Array) -> list[Array | None]:
        """Both on an array's device, as arguments of a kernel."""
        where = device_of(array)
        return [each if each is None or device_of(each) == where else to_device(each, where) for each in self]


def scaling_of(optimizer: Any) -> Scaling:
    """What the optimizer was told, if anything."""
    told = [getattr(optimizer, name, None) for name in Scaling._fields]
    return Scaling(*(None if each is None else each.array for each in told))


def unscaled_by_host(scaling: Scaling, parameters: list[Any]) -> list[Any]:
    """Those that may step: all, their gradients divided by the scale, or none. For steps that no kernel does.

    For parameters on a GPU the host waits for it here.
    """
    if scaling.grad_scale is not None:
        for parameter in parameters:
            grad = parameter.grad.array
            (scale, _) = scaling.near(grad)
            array_module(grad).divide(grad, scale, out=grad, casting="same_kind")
    return [] if scaling.found_inf is not None and float(scaling.found_inf) != 0 else parameters
