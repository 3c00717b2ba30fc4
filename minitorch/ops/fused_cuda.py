"""Launching ``fused.cu``."""

from __future__ import annotations

from pathlib import Path

from minitorch.backend import Array, array_module, empty_in_order, in_order, order_of
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, blocks_for, element_types

_EACH = 4  # elements of a thread, as in the kernels
_kernels = KernelFile(Path(__file__).with_name("fused.cu"))


def fused(name: str, first: Array, second: Array | None = None) -> Array:
    """The formula with this name, element by element, in the memory order of ``first``."""
    order = order_of(first.shape, first.strides)
    first, second = in_order(first, order), None if second is None else in_order(second, order)
    output = empty_in_order(array_module(first), first.shape, first.dtype, order)
    arguments = [first, second, output, first.size]
    _kernels.launch(name, (blocks_for(first.size, _EACH * BLOCK),), (BLOCK,), arguments, element_types(first))
    return output
