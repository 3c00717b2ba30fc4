"""The length of a vector, ``linalg.vector_norm``, by one of many measures: the p-norms.

``ops/norm.py`` has its relatives, and ``ops/matrix_norm.py`` the norms of matrices.
"""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, row_major
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.dims import array_axis, numpy_names, reduced_dims
from minitorch.ops.elementwise import sign
from minitorch.ops.operand import narrow, widen
from minitorch.ops.promotion import to_dtype
from minitorch.ops.reduction import Spread, sum_array

INFINITY = float("inf")


class LinalgVectorNorm(Function):
    """(Σ |x|^p)^(1/p) over ``dims``;  ∂/∂x = sign(x) · (|x| / norm)^(p−1).

    p = ∞ and −∞: the largest and smallest |x|, whose gradient equals share evenly. p = 0: how many x are not 0.
    Where the norm is 0 the gradient is taken as 0.
    """

    def forward(self, input: Array, *, order: float, dims: tuple[int, ...], keepdim: bool = False) -> Array:
        self.order, self.dims = order, dims
        result = narrow(row_major(_norm(widen(input), order, dims, keepdim)), input)
        self.save(input, result)
        return result

    def backward(self, grad_output: Any) -> Any:
        input, result = self.saved
        spread = {"shape": tuple(input.shape), "dims": self.dims}
        norm, grad = Spread.apply(result, **spread), Spread.apply(grad_output, **spread)
        order, is_zero = self.order, raw(norm) == 0
        if order == 0:
            return None
        if abs(order) == INFINITY:
            return grad * self._share(raw(input), raw(norm))
        if order == 1:
            return grad * sign(input)
        safe_norm = where(is_zero, 1, norm)
        if order == 2:
            return where(is_zero, 0, grad * (input / safe_norm))
        if order < 1:
            return self._steep(input, norm, grad)
        size = input * raw(sign(input))
        if order < 2:  # sign(x)·|x|^(p−1), whose own derivative is infinite at 0 just where the norm's is
            direction = raw(sign(input)) * size ** (order - 1)
        else:
            direction = input * size ** (order - 2)
        return where(is_zero, 0, grad * (direction / safe_norm ** (order - 1)))

    def _steep(self, input: Any, norm: Any, grad: Any) -> Any:
        """p < 1: |x|^(p−1) is infinite at x = 0, where torch gives 0."""
        is_zero = raw(input) == 0
        size = where(is_zero, 1, input * raw(sign(input)))
        return where(is_zero, 0, raw(sign(input)) * size ** (self.order - 1) * grad * norm ** (1 - self.order))

    def _share(self, input: Array, norm: Array) -> Array:
        xp = array_module(input)
        chosen = (xp.abs(input) == norm) | ((input != input) & (norm != norm))
        count = sum_array(chosen, self.dims, keepdim=True).astype(input.dtype)
        return sign(input) * chosen / count


def _norm(input: Array, order: float, dims: tuple[int, ...], keepdim: bool) -> Array:
    xp, options = array_module(input), {"axis": array_axis(dims, input.ndim), "keepdims": keepdim}
    if order == 2:
        return xp.sqrt((input * input).sum(**options))
    if order == 0:
        return (input != 0).sum(dtype=input.dtype, **options)
    size = xp.abs(input)
    if order == 1:
        return size.sum(**options)
    if abs(order) == INFINITY:
        return size.max(**options) if order > 0 else size.min(**options)
    return (size**order).sum(**options) ** (1 / order)


@numpy_names
@autocasts
def vector_norm(
    x: Any,
    ord: float = 2,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: dtypes.dtype | None = None,
    out: Any = None,
) -> Any:
    """The ``ord``-norm of the elements, in all or over ``dim``, taken as one vector (``linalg.vector_norm``).

    Formula: (Σ |x|^ord)^(1/ord); ord = ∞: max |x|; −∞: min |x|; 0: the number of elements that are not 0.
    Gradient: g · sign(x) · (|x| / norm)^(ord−1), 0 where the norm is 0; for ±∞ shared evenly among equals.
    Args: dim: None or () for all, an integer, or several; dtype: convert ``x`` to it first.
    Raises: RuntimeError for integers, a narrower ``dtype``, or ord < 0 or ∞ of no elements; IndexError for a
    dimension that does not exist.

    >>> import minitorch as torch
    >>> torch.linalg.vector_norm(torch.tensor([3.0, -4.0])), torch.linalg.vector_norm(torch.tensor([3.0, -4.0]), 1)
    (tensor(5.), tensor(7.))
    """
    x = check_dtype("linalg.vector_norm", x, dtype)
    if isinstance(ord, str):
        raise TypeError("linalg_vector_norm(): argument 'ord' (position 2) must be Number, not str")
    dims = reduced_dims(dim, raw(x).ndim)
    _check_has_norm(raw(x), ord, dims, is_full=dim is None or dim == ())
    return write_out(LinalgVectorNorm.apply(x, order=ord, dims=dims, keepdim=keepdim), out)


def _check_has_norm(array: Array, order: float, dims: tuple[int, ...], is_full: bool) -> None:
    """Raise torch's error for the extreme of nothing."""
    if array.size or 0 <= order < INFINITY:
        return
    prefix = f"linalg.vector_norm cannot compute the {order:g} norm on "
    if is_full:
        raise RuntimeError(prefix + "an empty tensor because the operation does not have an identity")
    for dim in dims:
        if array.shape[dim] == 0:
            raise RuntimeError(
                f"{prefix}the dimension {dim}because this dimension is empty and the operation does not have an "
                "identity"
            )


def check_dtype(name: str, input: Any, dtype: dtypes.dtype | None) -> Any:
    """``input`` in ``dtype``; torch's error unless it is floating point, and as wide as ``dtype`` or less."""
    found = dtypes.dtype_of(raw(input))
    if not found.is_floating_point:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {found.legacy_name}")
    if dtype is None:
        return input
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name}: dtype should be floating point or complex. Got {dtype.legacy_name}")
    if dtypes.promote_types(found, dtype) is not dtype:
        raise RuntimeError(
            f"{name}: the dtype of the input ({found.legacy_name}) should be convertible without narrowing to the "
            f"specified dtype ({dtype.legacy_name})"
        )
    return to_dtype(input, dtype)
