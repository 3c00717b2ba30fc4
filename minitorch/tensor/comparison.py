"""Tensor's comparisons and logic; the mathematics is in ``ops/comparison.py`` and ``ops/bitwise.py``."""

from __future__ import annotations

from typing import Any, TypeVar

from minitorch.autograd.inplace import apply_inplace
from minitorch.autograd.variable import Variable
from minitorch.ops import bitwise
from minitorch.ops import comparison as ops
from minitorch.tensor.operator import operator, reflected

T = TypeVar("T", bound="ComparisonMethods")


class ComparisonMethods(Variable):
    """``a < b``, ``a & b`` and their relatives."""

    # ---- operators ---------------------------------------------------------------------------

    __eq__ = operator(ops.eq)
    __ne__ = operator(ops.ne)
    __lt__ = operator(ops.lt)
    __le__ = operator(ops.le)
    __gt__ = operator(ops.gt)
    __ge__ = operator(ops.ge)
    __and__ = operator(bitwise.bitwise_and)
    __or__ = operator(bitwise.bitwise_or)
    __xor__ = operator(bitwise.bitwise_xor)
    __lshift__ = operator(bitwise.bitwise_left_shift)
    __rshift__ = operator(bitwise.bitwise_right_shift)
    __rand__ = reflected(bitwise.bitwise_and)
    __ror__ = reflected(bitwise.bitwise_or)
    __rxor__ = reflected(bitwise.bitwise_xor)
    __rlshift__ = reflected(bitwise.bitwise_left_shift)
    __rrshift__ = reflected(bitwise.bitwise_right_shift)

    def __hash__(self) -> int:
        return id(self)  # two tensors are the same key only if they are the same object

    def __invert__(self: T) -> T:
        if self.array.dtype.kind == "f":
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return bitwise.bitwise_not(self)

    def __iand__(self: T, other: Any) -> T:
        return self.bitwise_and_(other)

    def __ior__(self: T, other: Any) -> T:
        return self.bitwise_or_(other)

    def __ixor__(self: T, other: Any) -> T:
        return self.bitwise_xor_(other)

    def __ilshift__(self: T, other: Any) -> T:
        return self.bitwise_left_shift_(other)

    def __irshift__(self: T, other: Any) -> T:
        return self.bitwise_right_shift_(other)

    # ---- comparisons -------------------------------------------------------------------------

    def eq(self: T, other: Any) -> T:
        """See ``minitorch.eq``."""
        return ops.eq(self, other)

    def ne(self: T, other: Any) -> T:
        """See ``minitorch.ne``."""
        return ops.ne(self, other)

    def lt(self: T, other: Any) -> T:
        """See ``minitorch.lt``."""
        return ops.lt(self, other)

    def le(self: T, other: Any) -> T:
        """See ``minitorch.le``."""
        return ops.le(self, other)

    def gt(self: T, other: Any) -> T:
        """See ``minitorch.gt``."""
        return ops.gt(self, other)

    def ge(self: T, other: Any) -> T:
        """See ``minitorch.ge``."""
        return ops.ge(self, other)

    greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne

    def equal(self, other: Any) -> bool:
        """See ``minitorch.equal``."""
        return ops.equal(self, other)

    def isclose(self: T, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> T:
        """See ``minitorch.isclose``."""
        return ops.isclose(self, other, rtol, atol, equal_nan)

    def allclose(self, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
        """See ``minitorch.allclose``."""
        return ops.allclose(self, other, rtol, atol, equal_nan)

    # ---- tests of single values --------------------------------------------------------------

    def isnan(self: T) -> T:
        """See ``minitorch.isnan``."""
        return ops.isnan(self)

    def isinf(self: T) -> T:
        """See ``minitorch.isinf``."""
        return ops.isinf(self)

    def isfinite(self: T) -> T:
        """See ``minitorch.isfinite``."""
        return ops.isfinite(self)

    def isposinf(self: T) -> T:
        """See ``minitorch.isposinf``."""
        return ops.isposinf(self)

    def isneginf(self: T) -> T:
        """See ``minitorch.isneginf``."""
        return ops.isneginf(self)

    # ---- logic -------------------------------------------------------------------------------

    def logical_and(self: T, other: Any) -> T:
        """See ``minitorch.logical_and``."""
        return ops.logical_and(self, other)

    def logical_and_(self: T, other: Any) -> T:
        """``logical_and`` in place, in the tensor's dtype."""
        return apply_inplace(self, lambda old: ops.logical_and(old, other))

    def logical_or(self: T, other: Any) -> T:
        """See ``minitorch.logical_or``."""
        return ops.logical_or(self, other)

    def logical_or_(self: T, other: Any) -> T:
        """``logical_or`` in place, in the tensor's dtype."""
        return apply_inplace(self, lambda old: ops.logical_or(old, other))

    def logical_xor(self: T, other: Any) -> T:
        """See ``minitorch.logical_xor``."""
        return ops.logical_xor(self, other)

    def logical_xor_(self: T, other: Any) -> T:
        """``logical_xor`` in place, in the tensor's dtype."""
        return apply_inplace(self, lambda old: ops.logical_xor(old, other))

    def logical_not(self: T) -> T:
        """See ``minitorch.logical_not``."""
        return ops.logical_not(self)

    def logical_not_(self: T) -> T:
        """``logical_not`` in place, in the tensor's dtype."""
        return apply_inplace(self, ops.logical_not)

    # ---- bits --------------------------------------------------------------------------------

    def bitwise_and(self: T, other: Any) -> T:
        """See ``minitorch.bitwise_and``."""
        return bitwise.bitwise_and(self, other)

    def bitwise_and_(self: T, other: Any) -> T:
        """``bitwise_and`` in place."""
        return apply_inplace(self, lambda old: bitwise.bitwise_and(old, other))

    def bitwise_or(self: T, other: Any) -> T:
        """See ``minitorch.bitwise_or``."""
        return bitwise.bitwise_or(self, other)

    def bitwise_or_(self: T, other: Any) -> T:
        """``bitwise_or`` in place."""
        return apply_inplace(self, lambda old: bitwise.bitwise_or(old, other))

    def bitwise_xor(self: T, other: Any) -> T:
        """See ``minitorch.bitwise_xor``."""
        return bitwise.bitwise_xor(self, other)

    def bitwise_xor_(self: T, other: Any) -> T:
        """``bitwise_xor`` in place."""
        return apply_inplace(self, lambda old: bitwise.bitwise_xor(old, other))

    def bitwise_not(self: T) -> T:
        """See ``minitorch.bitwise_not``."""
        return bitwise.bitwise_not(self)

    def bitwise_not_(self: T) -> T:
        """``bitwise_not`` in place."""
        return apply_inplace(self, bitwise.bitwise_not)

    def bitwise_left_shift(self: T, other: Any) -> T:
        """See ``minitorch.bitwise_left_shift``."""
        return bitwise.bitwise_left_shift(self, other)

    def bitwise_left_shift_(self: T, other: Any) -> T:
        """``bitwise_left_shift`` in place."""
        return apply_inplace(self, lambda old: bitwise.bitwise_left_shift(old, other))

    def bitwise_right_shift(self: T, other: Any) -> T:
        """See ``minitorch.bitwise_right_shift``."""
        return bitwise.bitwise_right_shift(self, other)

    def bitwise_right_shift_(self: T, other: Any) -> T:
        """``bitwise_right_shift`` in place."""
        return apply_inplace(self, lambda old: bitwise.bitwise_right_shift(old, other))
