"""Products: prod, and the running product cumprod, with gradients that zeros do not spoil.

The gradient of x₁ · … · xₙ with respect to xᵢ is the product of all *others*. result / xᵢ would be that, were
no xᵢ zero. Instead: (product of those before i) · (product of those after i).
"""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, row_major
from minitorch.ops.autocast import autocasts
from minitorch.ops.cumulative import part, widened
from minitorch.ops.dims import normalize_dim, numpy_names
from minitorch.ops.operand import narrow, widen
from minitorch.ops.rearranging import flip
from minitorch.ops.reduction import Spread
from minitorch.ops.shape import reshape


class Shift(Function):
    """Move everything one place towards the end of ``dim`` (or the start), ``fill`` the place that gets free.

    Gradient: moved the other way; what fell out got none.
    """

    def forward(self, input: Array, *, dim: int, fill: float, towards_start: bool = False) -> Array:
        self.dim, self.towards_start = dim, towards_start
        result = array_module(input).full_like(input, fill)
        to, source = part(dim, 1, None), part(dim, None, -1)
        if towards_start:
            to, source = source, to
        result[to] = input[source]
        return result

    def backward(self, grad_output: Any) -> Any:
        return Shift.apply(grad_output, dim=self.dim, fill=0, towards_start=not self.towards_start)


class Recurrence(Function):
    """s with s_i = b_i + a_i · s_{i+1} along ``dim``, from the end (s_n = 0) or, ``from_start``, the other way.

    Computed by doubling, as ``cumulative.scan``: the pair (a, b) stands for the map s → b + a · s, and maps of
    neighbours are composed. Gradient: ∂b is the same recurrence run the other way with the factors moved one
    place; ∂a_i = ∂b_i · s_{i+1}.
    """

    def forward(self, a: Array, b: Array, *, dim: int, from_start: bool = False) -> Array:
        self.dim, self.from_start = dim, from_start
        factor, result = a.copy(), b.copy()
        step = 1
        while step < b.shape[dim]:
            here, there = part(dim, None, -step), part(dim, step, None)
            if from_start:
                here, there = there, here
            result[here] = result[here] + factor[here] * result[there]
            factor[here] = factor[here] * factor[there]
            step *= 2
        self.save(a, result)
        return result

    def backward(self, grad_output: Any) -> Any:
        a, result = self.saved
        moved = Shift.apply(a, dim=self.dim, fill=0, towards_start=self.from_start)
        grad_b = Recurrence.apply(moved, grad_output, dim=self.dim, from_start=not self.from_start)
        neighbour = Shift.apply(result, dim=self.dim, fill=0, towards_start=not self.from_start)
        return grad_b * neighbour, grad_b


class Cumprod(Function):
    """y_i = Π_{j ≤ i} x_j;  ∂y_i/∂x_k = (product before k) · (product from k+1 to i) for k ≤ i."""

    def forward(self, input: Array, *, dim: int) -> Array:
        self.dim = dim
        self.save(input)
        xp = array_module(input)
        if input.ndim == 0:
            return input.copy()
        wide = xp.float64 if input.dtype.kind == "f" else xp.int64
        return row_major(xp.cumprod(input, axis=dim, dtype=wide).astype(input.dtype))

    def backward(self, grad_output: Any) -> Any:
        (input,) = self.saved
        if grad_output.ndim == 0:
            return grad_output
        following = Shift.apply(input, dim=self.dim, fill=0, towards_start=True)
        # s_k = Σ_{i ≥ k} g_i · x_{k+1} ⋯ x_i obeys s_k = g_k + x_{k+1} · s_{k+1}
        return before(input, self.dim) * Recurrence.apply(following, grad_output, dim=self.dim)


def before(input: Any, dim: int) -> Any:
    """The product of all elements before each one along ``dim``; 1 for the first."""
    return Cumprod.apply(Shift.apply(input, dim=dim, fill=1), dim=dim)


@numpy_names
@autocasts
def cumprod(input: Any, dim: int, *, dtype: dtypes.dtype | None = None, out: Any = None) -> Any:
    """The running product along ``dim``.

    Formula: result_i = Π_{j ≤ i} input_j.
    Gradient: exact with zeros in ``input``, too, and differentiable again.
    Args: dtype: convert ``input`` to it first; integers and booleans become int64 without it.
    Raises: IndexError for a dimension that does not exist.

    >>> import minitorch as torch
    >>> torch.cumprod(torch.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    dim = normalize_dim(dim, raw(input).ndim)
    return write_out(Cumprod.apply(widened(input, dtype), dim=dim), out)


class Prod(Function):
    """Π x along ``dim``;  the gradient of x_i is g · Π_{j ≠ i} x_j."""

    def forward(self, input: Array, *, dim: int, keepdim: bool, backward_name: str) -> Array:
        self.dim, self.backward_name = dim, backward_name
        self.save(input)
        return row_major(narrow(widen(input).prod(axis=dim, keepdims=keepdim), input))

    def backward(self, grad_output: Any) -> Any:
        (input,) = self.saved
        after = flip(before(flip(input, self.dim), self.dim), self.dim)
        spread = Spread.apply(grad_output, shape=tuple(input.shape), dims=(self.dim,))
        return spread * (before(input, self.dim) * after)


@numpy_names
@autocasts
def prod(
    input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None, out: Any = None
) -> Any:
    """The product of all elements, or along one ``dim``; 1 for no elements.

    Gradient: g times the product of all other elements: right with one zero or several, and differentiable
    again.
    Args: dtype: convert ``input`` to it first; integers and booleans become int64 without it.
    Raises: IndexError for a dimension that does not exist; TypeError for several.

    >>> import minitorch as torch
    >>> torch.prod(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([ 2., 12.])
    """
    input = widened(input, dtype)
    ndim = raw(input).ndim
    if dim is None:
        flat = reshape(input, (-1,))
        result = Prod.apply(flat, dim=0, keepdim=False, backward_name="ProdBackward0")
        return write_out(reshape(result, (1,) * ndim) if keepdim else result, out)
    dim = normalize_dim(dim, ndim)
    if ndim == 0:
        input = reshape(input, (1,))
        keepdim = False
    return write_out(Prod.apply(input, dim=dim, keepdim=keepdim, backward_name="ProdBackward1"), out)
