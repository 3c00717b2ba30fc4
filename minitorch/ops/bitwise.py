"""Operations on the bits of integers, and on booleans as single bits: and, or, xor, not, shifts.

Negative integers are in two's complement: an endless row of ones to the left.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, common_module, is_on_cpu
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.comparison import without_gradient
from minitorch.ops.promotion import promote


def bitwise_and(input: Any, other: Any, *, out: Any = None) -> Any:
    """The bits set in both; for booleans, both.

    Args: tensors or numbers, not both numbers.
    Raises: NotImplementedError for floating-point operands, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.bitwise_and(torch.tensor([12, 5]), 6)
    tensor([4, 4])
    """
    return _combine("bitwise_and", operator.and_, input, other, out)


def bitwise_or(input: Any, other: Any, *, out: Any = None) -> Any:
    """The bits set in at least one; for booleans, at least one. See ``bitwise_and``.

    >>> import minitorch as torch
    >>> torch.bitwise_or(torch.tensor([12, 5]), 6)
    tensor([14,  7])
    """
    return _combine("bitwise_or", operator.or_, input, other, out)


def bitwise_xor(input: Any, other: Any, *, out: Any = None) -> Any:
    """The bits set in exactly one; for booleans, exactly one. See ``bitwise_and``.

    >>> import minitorch as torch
    >>> torch.bitwise_xor(torch.tensor([12, 5]), 6)
    tensor([10,  3])
    """
    return _combine("bitwise_xor", operator.xor, input, other, out)


def bitwise_not(input: Any, *, out: Any = None) -> Any:
    """Every bit turned over: −input − 1 for signed integers; for booleans, not.

    Raises: NotImplementedError for a floating-point operand.

    >>> import minitorch as torch
    >>> torch.bitwise_not(torch.tensor([0, 5])), torch.bitwise_not(torch.tensor([True]))
    (tensor([-1, -6]), tensor([False]))
    """
    if raw(input).dtype.kind == "f":
        name = from_numpy_dtype(raw(input).dtype).legacy_name
        raise NotImplementedError(f"\"bitwise_not_cpu\" not implemented for '{name}'")
    return write_out(without_gradient("bitwise_not", operator.invert, input), out)


def bitwise_left_shift(input: Any, other: Any, *, out: Any = None) -> Any:
    """input · 2ᵒᵗʰᵉʳ: the bits moved up. Those pushed out are lost.

    Numerics: a shift that is negative, or by all the bits there are, gives 0.
    Raises: as ``bitwise_and``.

    >>> import minitorch as torch
    >>> torch.bitwise_left_shift(torch.tensor([1, -3]), 2)
    tensor([  4, -12])
    """
    return _combine("lshift", _left_shift, input, other, out)


def bitwise_right_shift(input: Any, other: Any, *, out: Any = None) -> Any:
    """⌊input / 2ᵒᵗʰᵉʳ⌋: the bits moved down; the sign stays.

    Numerics: a shift that is negative, or by all the bits there are, leaves the sign: 0 or −1.
    Raises: as ``bitwise_and``.

    >>> import minitorch as torch
    >>> torch.bitwise_right_shift(torch.tensor([13, -3]), 2)
    tensor([ 3, -1])
    """
    return _combine("rshift", _right_shift, input, other, out)


def _left_shift(a: Array, b: Array) -> Array:
    last = 8 * a.dtype.itemsize - 1
    is_possible = (b >= 0) & (b <= last)
    xp = common_module(a, b)
    return (a << xp.minimum(xp.maximum(b, 0), last)) * is_possible


def _right_shift(a: Array, b: Array) -> Array:
    last = 8 * a.dtype.itemsize - 1
    if a.dtype.kind == "u":
        return (a >> common_module(a, b).minimum(b, last)) * (b <= last)
    xp = common_module(a, b)
    if is_on_cpu(b) and not getattr(b, "ndim", 0):  # a number, which `where` does not take on a GPU
        b = xp.full((), b, getattr(b, "dtype", None))
    return a >> xp.where((b < 0) | (b > last), last, b)


def _combine(name: str, function: Callable[..., Array], input: Any, other: Any, out: Any) -> Any:
    input, other = promote(input, other)
    dtype = from_numpy_dtype(raw(input if hasattr(raw(input), "dtype") else other).dtype)
    if dtype.is_floating_point or (dtype.name == "bool" and name.endswith("shift")):
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{dtype.legacy_name}'")
    return write_out(without_gradient(name, function, input, other), out)
