"""logsumexp: the logarithm of a sum of exponentials, which overflows nowhere."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, row_major
from minitorch.ops.autocast import autocasts
from minitorch.ops.dims import array_axis, normalize_dims, numpy_names
from minitorch.ops.elementwise import exp
from minitorch.ops.operand import floating, narrow, widen
from minitorch.ops.reduction import Spread


class Logsumexp(Function):
    """y = m + log Σ e^{x − m}, m the largest x;  ∂y/∂x = e^{x − y}, the softmax."""

    def forward(self, input: Array, *, dims: tuple[int, ...], keepdim: bool = False) -> Array:
        self.dims, axis = dims, array_axis(dims, input.ndim)
        xp, wide = array_module(input), widen(input)
        if input.size:
            largest = wide.max(axis=axis, keepdims=True)
            # e^{∞ − ∞} would be nan: with an infinite maximum the plain sum is right
            shift = xp.where(xp.isfinite(largest), largest, largest.dtype.type(0))
            total = xp.exp(wide - shift).sum(axis=axis, keepdims=True)
            result = xp.log(total) + shift
        else:
            result = xp.log(wide.sum(axis=axis, keepdims=True))
        if not keepdim:
            result = result.reshape([size for dim, size in enumerate(input.shape) if dim not in dims])
        result = row_major(narrow(result, input))
        self.save(input, result)
        return result

    def backward(self, grad_output: Any) -> Any:
        input, result = self.saved
        spread = {"shape": tuple(input.shape), "dims": self.dims}
        return Spread.apply(grad_output, **spread) * exp(input - Spread.apply(result, **spread))


@numpy_names
@autocasts
def logsumexp(input: Any, dim: Any, keepdim: bool = False, *, out: Any = None) -> Any:
    """log Σ e^{input} over ``dim``, one dimension or several; integers are taken as floating point.

    Formula: m + log Σ e^{input − m}, m the largest element: the largest exponential is then e⁰.
    Gradient: g · e^{input − result}, the softmax times g.
    Raises: IndexError for a dimension that does not exist; RuntimeError for one named twice.
    Numerics: −inf where all elements are −inf (or there are none), inf where one is inf, nan where one is nan.

    >>> import minitorch as torch
    >>> torch.logsumexp(torch.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    input = floating(input, "logsumexp")
    dims = normalize_dims(dim, raw(input).ndim)
    return write_out(Logsumexp.apply(input, dims=dims, keepdim=keepdim), out)
