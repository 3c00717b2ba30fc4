"""Comparisons, tests of single values, and logic: eq, lt, isclose, isnan, logical_and, …

Results are boolean tensors (``equal`` and ``allclose``: Python booleans) and have no gradient, so these
functions leave nothing in the graph. Operands are promoted to a common dtype first, as in arithmetic.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from minitorch.autograd.function import explain
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.backend import Array, array_module, as_array, as_array_of, as_first, common_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.choice import require_tensors
from minitorch.ops.promotion import promote


def without_gradient(name: str, function: Callable[..., Array], *operands: Any) -> Any:
    """``function`` of the operands' arrays, as a tensor outside the graph if an operand is a tensor."""
    arrays = [raw(operand) for operand in operands]
    try:
        result = function(*arrays)
    except (TypeError, ValueError) as error:
        explain(name, arrays, error)
        raise
    for operand in operands:
        if isinstance(operand, Variable):
            return wrap(as_array(result), operand.result_class)
    return result


# ---- comparisons -----------------------------------------------------------------------------


def eq(input: Any, other: Any, *, out: Any = None) -> Any:
    """input = other, element by element; NaN equals nothing.

    Args: other: a tensor or a number. A number is first converted to the tensor's dtype, if of its category.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.eq(torch.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    return _compare("eq", operator.eq, input, other, out)


def ne(input: Any, other: Any, *, out: Any = None) -> Any:
    """input ≠ other, element by element; see ``eq``.

    >>> import minitorch as torch
    >>> torch.ne(torch.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    return _compare("ne", operator.ne, input, other, out)


def lt(input: Any, other: Any, *, out: Any = None) -> Any:
    """input < other, element by element; see ``eq``.

    >>> import minitorch as torch
    >>> torch.lt(torch.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    return _compare("lt", operator.lt, input, other, out)


def le(input: Any, other: Any, *, out: Any = None) -> Any:
    """input ≤ other, element by element; see ``eq``.

    >>> import minitorch as torch
    >>> torch.le(torch.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """
    return _compare("le", operator.le, input, other, out)


def gt(input: Any, other: Any, *, out: Any = None) -> Any:
    """input > other, element by element; see ``eq``.

    >>> import minitorch as torch
    >>> torch.gt(torch.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """
    return _compare("gt", operator.gt, input, other, out)


def ge(input: Any, other: Any, *, out: Any = None) -> Any:
    """input ≥ other, element by element; see ``eq``.

    >>> import minitorch as torch
    >>> torch.ge(torch.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """
    return _compare("ge", operator.ge, input, other, out)


def _compare(name: str, function: Callable[..., Array], input: Any, other: Any, out: Any) -> Any:
    input, other = promote(input, other)
    return write_out(without_gradient(name, lambda a, b: as_first(function(a, b), a, b), input, other), out)


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


# ---- comparisons of whole tensors ------------------------------------------------------------


def equal(input: Any, other: Any) -> bool:
    """Whether the two tensors have the same shape and the same values. NaN equals nothing.

    Numerics: dtypes may differ; values are compared in the common dtype. Waits for a GPU.

    >>> import minitorch as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    require_tensors("equal", input=input, other=other)
    if raw(input).shape != raw(other).shape:
        return False
    return bool(raw(eq(input, other)).all())


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether values are equal up to rounding, element by element.

    Formula: |input − other| ≤ atol + rtol · |other|. An infinity is close to itself only.
    Args: equal_nan: NaN is close to NaN.
    Raises: RuntimeError for operands of different dtypes, or a negative tolerance.

    >>> import minitorch as torch
    >>> torch.isclose(torch.tensor([1.0, 1.0]), torch.tensor([1.0 + 1e-6, 1.1]))
    tensor([ True, False])
    """
    require_tensors("isclose", input=input, other=other)
    dtypes = [from_numpy_dtype(raw(each).dtype) for each in (input, other)]
    if dtypes[0] is not dtypes[1]:
        raise RuntimeError(f"{dtypes[0].legacy_name} did not match {dtypes[1].legacy_name}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    return without_gradient("isclose", lambda a, b: _isclose(a, b, rtol, atol, equal_nan), input, other)


def _isclose(a: Array, b: Array, rtol: float, atol: float, equal_nan: bool) -> Array:
    xp = array_module(a)
    close = a == b
    if a.dtype.kind == "f" and equal_nan:
        close = close | (xp.isnan(a) & xp.isnan(b))
    if rtol == 0 and atol == 0:
        return close
    if a.dtype.kind != "f":  # differences of integers could wrap around
        a, b = a.astype("float64"), b.astype("float64")
    difference = xp.abs(a - b)
    return close | (xp.isfinite(difference) & (difference <= atol + rtol * xp.abs(b)))


def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether every pair of values is equal up to rounding; see ``isclose``. Waits for a GPU.

    >>> import minitorch as torch
    >>> torch.allclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0 + 1e-6]))
    True
    """
    return bool(raw(isclose(input, other, rtol, atol, equal_nan)).all())


# ---- tests of single values ------------------------------------------------------------------


def isnan(input: Any) -> Any:
    """Where ``input`` is not a number.

    >>> import minitorch as torch
    >>> torch.isnan(torch.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return _test("isnan", input)


def isinf(input: Any) -> Any:
    """Where ``input`` is +∞ or −∞.

    >>> import minitorch as torch
    >>> torch.isinf(torch.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    return _test("isinf", input)


def isfinite(input: Any) -> Any:
    """Where ``input`` is neither infinite nor NaN.

    >>> import minitorch as torch
    >>> torch.isfinite(torch.tensor([1.0, float("inf"), float("nan")]))
    tensor([ True, False, False])
    """
    return _test("isfinite", input)


def isposinf(input: Any, *, out: Any = None) -> Any:
    """Where ``input`` is +∞.

    >>> import minitorch as torch
    >>> torch.isposinf(torch.tensor([1.0, float("inf"), float("-inf")]))
    tensor([False,  True, False])
    """
    require_tensors("isposinf", input=input)
    return write_out(without_gradient("isposinf", lambda x: x == float("inf"), input), out)


def isneginf(input: Any, *, out: Any = None) -> Any:
    """Where ``input`` is −∞.

    >>> import minitorch as torch
    >>> torch.isneginf(torch.tensor([1.0, float("inf"), float("-inf")]))
    tensor([False, False,  True])
    """
    require_tensors("isneginf", input=input)
    return write_out(without_gradient("isneginf", lambda x: x == float("-inf"), input), out)


def _test(name: str, input: Any) -> Any:
    require_tensors(name, input=input)
    return without_gradient(name, lambda x: getattr(array_module(x), name)(x), input)


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False, out: Any = None
) -> Any:
    """Where a value of ``elements`` is among ``test_elements``.

    Shapes: as ``elements``.
    Args: one of the two may be a number; assume_unique: a promise that each holds no value twice;
        invert: where it is *not* among them.

    >>> import minitorch as torch
    >>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([2, 4]))
    tensor([False,  True, False])
    """
    elements, test_elements = promote(elements, test_elements)

    def find(values: Array, wanted: Array) -> Array:
        xp = common_module(values, wanted)
        values, wanted = as_array_of(xp, values), as_array_of(xp, wanted)
        return xp.isin(values, wanted, assume_unique=assume_unique and values.ndim > 0, invert=invert)

    return write_out(without_gradient("isin", find, elements, test_elements), out)


# ---- logic -----------------------------------------------------------------------------------


def logical_and(input: Any, other: Any, *, out: Any = None) -> Any:
    """Both; a number other than zero counts as true.

    >>> import minitorch as torch
    >>> torch.logical_and(torch.tensor([True, True]), torch.tensor([0, 5]))
    tensor([False,  True])
    """
    return _combine("logical_and", input, other, out)


def logical_or(input: Any, other: Any, *, out: Any = None) -> Any:
    """At least one; a number other than zero counts as true.

    >>> import minitorch as torch
    >>> torch.logical_or(torch.tensor([False, True]), torch.tensor([0, 0]))
    tensor([False,  True])
    """
    return _combine("logical_or", input, other, out)


def logical_xor(input: Any, other: Any, *, out: Any = None) -> Any:
    """Exactly one; a number other than zero counts as true.

    >>> import minitorch as torch
    >>> torch.logical_xor(torch.tensor([True, True]), torch.tensor([0, 5]))
    tensor([ True, False])
    """
    return _combine("logical_xor", input, other, out)


def _combine(name: str, input: Any, other: Any, out: Any) -> Any:
    require_tensors(name, input=input, other=other)
    return write_out(without_gradient(name, lambda a, b: getattr(array_module(a), name)(a, b), input, other), out)


def logical_not(input: Any, *, out: Any = None) -> Any:
    """Where ``input`` is zero or false.

    >>> import minitorch as torch
    >>> torch.logical_not(torch.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    require_tensors("logical_not", input=input)
    return write_out(without_gradient("logical_not", lambda x: array_module(x).logical_not(x), input), out)
