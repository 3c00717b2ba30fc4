"""Launching ``fused.cu``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitorch.backend import Array, in_order, order_of
from minitorch.backend.elementwise import have_one_order, launch, lie_alike, view_for
from minitorch.backend.kernels import KernelFile

_kernels = KernelFile(Path(__file__).with_name("fused.cu"))


def fused(name: str, first: Array, second: Array | None = None, number: float | None = None) -> Array:
    """The formula with this name, element by element, in the memory order of ``first``.

    The operands are arrays of one shape and dtype, on which kernels run; ``number`` is for formulas that have one.
    """
    operands = (first,) if second is None else (first, second)
    if not have_one_order(*operands):
        order = order_of(first.shape, first.strides)
        operands = tuple([in_order(each, order) for each in operands])
    return launch(_kernels, name, operands, () if number is None else (float(number),))


def fused_if_alike(name: str, operands: tuple[Any, ...], number: float, in_place: bool = False) -> Array | None:
    """The formula, with a number, of operands that lie alike; None where it is for the array module to compute.

    ``in_place`` allows the result to take the memory of the first; then it is a view of that.
    """
    if any(each.__class__ is not operands[0].__class__ for each in operands) or not lie_alike(*operands):
        return None
    return launch(_kernels, name, operands, (float(number),), view_for(*operands) if in_place else None)


def fused_in_place(name: str, target: Array) -> Array | None:
    """A view of the array, in which the formula has taken its elements' place; None where no kernel can do that."""
    return launch(_kernels, name, (target,), output=target[...]) if lie_alike(target) else None
