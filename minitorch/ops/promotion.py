"""Bring operands to a common dtype before an op computes: torch's rules, on Variables, arrays and numbers.

The usual cases cost one comparison: two operands of the same dtype, or a floating-point operand and a Python
number (which NumPy, too, treats as having no dtype of its own).
"""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.primitive import Cast
from minitorch.autograd.variable import Variable, raw


def promote(*operands: Any) -> tuple[Any, ...]:
    """The operands in their common dtype (``dtypes.result_type``)."""
    first = None
    for operand in operands:
        found = getattr(raw(operand), "dtype", None)
        if found is None:
            if first is not None and first.kind == "f" and operand.__class__ in (float, int, bool):
                continue
            return _promote_slowly(operands)
        if first is None:
            first = found
        elif found is not first:
            return _promote_slowly(operands)
    return operands


def _promote_slowly(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    arrays = [raw(operand) for operand in operands]
    for value in arrays:
        if not hasattr(value, "dtype") and not isinstance(value, (bool, int, float)):
            raise TypeError(f"expected a Tensor or a number, but got {type(value).__name__}")
    target = dtypes.result_type(*arrays)
    return tuple(to_dtype(operand, target) for operand in operands)


def to_dtype(value: Any, target: dtypes.dtype) -> Any:
    """``value`` in dtype ``target``: itself if it has it already. Python numbers wrap around as in torch."""
    array = raw(value)
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
    """``value`` itself if it is of a floating-point dtype, else in the default dtype."""
    if raw(value).dtype.kind == "f":
        return value
    return to_dtype(value, dtypes.get_default_dtype())


def is_variable(value: Any) -> bool:
    """Whether ``value`` is a tensor rather than a raw array or a number."""
    return isinstance(value, Variable)
