"""The element types of tensors, and torch's rules for combining them.

A ``dtype`` is a thin name over a NumPy dtype. What differs from NumPy is promotion: torch sorts types into
three categories, bool < integer < floating point, and an operand changes the result's type only if it is of
a higher category than every operand that counts more:

    int64 tensor + float32 tensor → float32        (NumPy says float64)
    float32 tensor + Python 2.5   → float32        a Python number adopts the tensor's type …
    int64 tensor + Python 2.5     → default dtype  … unless its category is higher
    float32 tensor + 0-d float64  → float32        a 0-d tensor counts less than one with dimensions

Source: https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
"""

from __future__ import annotations

import builtins
import functools
from typing import Any

import numpy

BOOL, INTEGER, FLOATING = range(3)
_CATEGORY_OF_KIND = {"b": BOOL, "u": INTEGER, "i": INTEGER, "f": FLOATING}


class dtype:  # noqa: N801 (torch's name)
    """The type of a tensor's elements, such as ``float32``.

    >>> import minitorch as torch
    >>> torch.float32, torch.float32.itemsize, torch.int64.is_floating_point
    (torch.float32, 4, False)
    """

    def __init__(self, name: str, legacy_name: str) -> None:
        self.name = name
        self.numpy = numpy.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.category = _CATEGORY_OF_KIND[self.numpy.kind]
        self.is_floating_point = self.category == FLOATING
        self.is_complex = False
        self.is_signed = self.numpy.kind in "if"
        self.legacy_name = legacy_name  # the "Float" of torch.FloatTensor; error messages use it too

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return "bool_" if self.name == "bool" else self.name  # a reference to the global below: one object a type


float16 = dtype("float16", "Half")
float32 = dtype("float32", "Float")
float64 = dtype("float64", "Double")
int8 = dtype("int8", "Char")
int16 = dtype("int16", "Short")
int32 = dtype("int32", "Int")
int64 = dtype("int64", "Long")
uint8 = dtype("uint8", "Byte")
bool_ = dtype("bool", "Bool")

ALL = (float16, float32, float64, int8, int16, int32, int64, uint8, bool_)
_OF_NUMPY = {each.numpy: each for each in ALL}
_OF_PYTHON = {builtins.bool: bool_, builtins.int: int64}

_default = float32


def get_default_dtype() -> dtype:
    """The floating-point type of new tensors: float32 unless changed by ``set_default_dtype``."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Make ``d`` the type of tensors that are made from Python floats.

    Raises TypeError where ``d`` is not a floating-point dtype, as torch does.
    """
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d}")
    _default = d


def from_numpy_dtype(numpy_dtype: Any) -> dtype:
    """The minitorch name of a NumPy dtype; TypeError for types that no tensor can have."""
    try:
        return _OF_NUMPY[numpy_dtype]
    except KeyError:
        supported = ", ".join(each.name for each in ALL)
        raise TypeError(
            f"can't convert np.ndarray of type {numpy_dtype}. The only supported types are: {supported}."
        ) from None


def chosen_dtype(given: Any, default: Any) -> Any:
    """The dtype a caller asked for, ``default`` if it is None; Python's float, int and bool name dtypes, too.

    >>> chosen_dtype(None, float32), chosen_dtype(builtins.float, float32)
    (torch.float32, torch.float64)
    """
    if given is None:
        return default
    if isinstance(given, dtype):
        return given
    if given is builtins.float:
        return float64
    if isinstance(given, type) and given in _OF_PYTHON:
        return _OF_PYTHON[given]
    raise TypeError(f"argument 'dtype' must be torch.dtype, not {type(given).__name__}")


def dtype_of(value: Any) -> dtype:
    """The dtype of a tensor, a raw array, or the one a Python number gets in a tensor of its own."""
    found = getattr(value, "dtype", None)
    if found is None:
        return _OF_PYTHON.get(type(value), _default)
    return found if isinstance(found, dtype) else from_numpy_dtype(found)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest type that holds both, where a floating-point type wins over any integer.

    >>> promote_types(int64, float16), promote_types(uint8, int8)
    (torch.float16, torch.int16)
    """
    if type1 is type2:
        return type1
    if type1.category != type2.category:
        return type1 if type1.category > type2.category else type2
    return _OF_NUMPY[numpy.promote_types(type1.numpy, type2.numpy)]


def _rank(value: Any) -> builtins.int:
    """How much an operand counts: 0 a Python number, 1 a 0-d tensor, 2 a tensor with dimensions."""
    if not hasattr(value, "dtype"):
        return 0
    return 2 if value.ndim else 1


def result_type(*operands: Any) -> dtype:
    """The type of an operation's result over these tensors, arrays and Python numbers.

    Operands of each rank (see ``_rank``) are promoted among themselves; a lower rank then matters only if
    its category is higher.

    >>> import minitorch as torch
    >>> torch.result_type(torch.tensor([1, 2]), 1.5), torch.result_type(torch.tensor([1], dtype=torch.uint8), 300)
    (torch.float32, torch.uint8)
    """
    result: dtype | None = None
    for rank in (2, 1, 0):
        of_rank = [dtype_of(operand) for operand in operands if _rank(operand) == rank]
        if not of_rank:
            continue
        promoted = functools.reduce(promote_types, of_rank)
        if result is None or promoted.category > result.category:
            result = promoted
    if result is None:
        raise ValueError("result_type: at least one operand is needed")
    return result


def can_cast(from_: dtype, to: dtype) -> builtins.bool:
    """Whether a result of type ``from_`` may be written into a tensor of type ``to``.

    Only a step down a category is refused: float → int, float → bool, int → bool.

    >>> import minitorch as torch
    >>> torch.can_cast(torch.int64, torch.float16), torch.can_cast(torch.float32, torch.int64)
    (True, False)
    """
    return from_.category <= to.category
