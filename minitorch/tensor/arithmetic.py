"""Tensor's operators and arithmetic methods; the mathematics is in ``ops/arithmetic.py``."""

from __future__ import annotations

from typing import Any, TypeVar

from minitorch.autograd.inplace import apply_inplace
from minitorch.autograd.variable import Variable
from minitorch.ops import arithmetic as ops

T = TypeVar("T", bound="ArithmeticMethods")


class ArithmeticMethods(Variable):
    """``a + b`` and its relatives, as operators, methods and in place."""

    def __add__(self: T, other: Any) -> T:
        return ops.add(self, other)

    def __radd__(self: T, other: Any) -> T:
        return ops.add(self, other)

    def __iadd__(self: T, other: Any) -> T:
        return self.add_(other)

    def __mul__(self: T, other: Any) -> T:
        return ops.mul(self, other)

    def __rmul__(self: T, other: Any) -> T:
        return ops.mul(self, other)

    def __imul__(self: T, other: Any) -> T:
        return self.mul_(other)

    def add(self: T, other: Any, *, alpha: float = 1) -> T:
        """See ``minitorch.add``."""
        return ops.add(self, other, alpha=alpha)

    def add_(self: T, other: Any, *, alpha: float = 1) -> T:
        """``add`` in place."""
        return apply_inplace(self, lambda old: ops.add(old, other, alpha=alpha))

    def mul(self: T, other: Any) -> T:
        """See ``minitorch.mul``."""
        return ops.mul(self, other)

    def mul_(self: T, other: Any) -> T:
        """``mul`` in place."""
        return apply_inplace(self, lambda old: ops.mul(old, other))
