"""Bring operands to a common dtype before an op computes: torch's rules, on Variables, arrays and numbers.

The usual cases cost one comparison: two operands of the same dtype, or a floating-point operand and a Python
number (which NumPy, too, treats as having no dtype of its own).
"""

from __future__ import annotations

import math
import numbers
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.primitive import Cast
from minitorch.autograd.variable import Variable, raw

_NUMBERS = (float, int, bool)


def promote(*operands: Any) -> tuple[Any, ...]:
    """The operands in their common dtype (``dtypes.result_type``).

    A Python number next to floating-point operands stays as it is.
    """
    if len(operands) == 2:  # the usual case, once more and faster
        a, b = operands
        if isinstance(a, Variable):
            dtype = a.array.dtype
            if isinstance(b, Variable):
                if b.array.dtype is dtype:
                    return operands
            elif b.__class__ in _NUMBERS and dtype.kind == "f":
                return operands
    first = number = None
    for operand in operands:
        found = getattr(raw(operand), "dtype", None)
        if found is None:
            if operand.__class__ not in _NUMBERS:
                return _promote_slowly(operands)
            number = operand
        elif first is None:
            first = found
        elif found is not first:
            return _promote_slowly(operands)
    if first is None or (number is not None and first.kind != "f"):
        return _promote_slowly(operands)
    return operands


class ForeignOperandError(TypeError):
    """An operand is neither tensor nor number; operators then leave it to the other operand's class."""


def _promote_slowly(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    for value in operands:
        if not hasattr(raw(value), "dtype") and not is_number(value):
            raise ForeignOperandError(f"expected a Tensor or a number, but got {type(value).__name__}")
    if any(isinstance(value, Variable) for value in operands) and any(map(_is_numpy_scalar, operands)):
        return promote(*(value.item() if _is_numpy_scalar(value) else value for value in operands))
    target = dtypes.result_type(*map(raw, operands))
    return tuple(to_dtype(operand, target) for operand in operands)


def _is_numpy_scalar(value: Any) -> bool:
    """Whether it is NumPy's idea of a number: next to a tensor it counts as a Python number."""
    return isinstance(value, numbers.Real) and hasattr(value, "dtype")


def to_dtype(value: Any, target: dtypes.dtype) -> Any:
    """``value`` in dtype ``target``: itself if it has it already. Python numbers wrap around as in torch."""
    array = raw(value)
    if target.__class__ is not dtypes.dtype:
        target = dtypes.chosen_dtype(target, None)
    if not hasattr(array, "dtype"):
        return _number(array, target)
    if array.dtype == target.numpy:
        return value
    return Cast.apply(value, dtype=target.numpy)


def _number(value: Any, target: dtypes.dtype) -> Any:
    """A Python number as a NumPy scalar of dtype ``target``."""
    if target.is_floating_point or target is dtypes.bool_:
        return target.numpy.type(value)
    bits = 8 * target.itemsize
    wrapped = int(value) % (1 << bits)
    if target.is_signed and wrapped >= 1 << (bits - 1):
        wrapped -= 1 << bits
    return target.numpy.type(wrapped)


def to_floating(value: Any) -> Any:
    """``value`` itself if it is a number or of a floating-point dtype, else in the default dtype."""
    if is_number(value) or raw(value).dtype.kind == "f":
        return value
    return to_dtype(value, dtypes.get_default_dtype())


def is_floating(value: Any) -> bool:
    """Whether it is a tensor or array of a floating-point dtype; a Python number is not."""
    dtype = getattr(raw(value), "dtype", None)
    return dtype is not None and dtype.kind == "f"


def is_number(value: Any) -> bool:
    """Whether it is a Python number: one without a dtype of its own (NumPy's float64 is a float, but has one)."""
    return isinstance(value, (int, float)) and not hasattr(value, "dtype")


def check_range(value: Any, target: dtypes.dtype) -> None:
    """Raise torch's RuntimeError for a number too large for ``target``; below an unsigned dtype it may wrap."""
    if target.is_floating_point or not is_number(value) or math.isinf(value) or math.isnan(value):
        return
    bits = 8 * target.itemsize
    high = 1 << (bits - target.is_signed)
    if not -(1 << (bits - 1) if target.is_signed else high) <= value < high:
        raise RuntimeError(f"value cannot be converted to type {target.name}_t without overflow")


def is_variable(value: Any) -> bool:
    """Whether ``value`` is a tensor rather than a raw array or a number."""
    return isinstance(value, Variable)
