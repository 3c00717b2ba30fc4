"""Turning functions into Python's operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.ops.promotion import ForeignOperandError


def operator(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``a ∘ b`` from ``function(a, b)``; for operands that are no numbers, b's class is asked instead.

    That is Python's protocol: a method returns NotImplemented, and if the other class has no answer either,
    ``==`` is False and anything else is a TypeError that names both types.
    """

    def operate(self: Any, other: Any) -> Any:
        try:
            return function(self, other)
        except ForeignOperandError:
            return NotImplemented

    return operate


def reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``a ∘ b`` where b is the tensor whose method is called."""

    def operate(self: Any, other: Any) -> Any:
        try:
            return function(other, self)
        except ForeignOperandError:
            return NotImplemented

    return operate
