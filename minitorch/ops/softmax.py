"""Softmax, which turns scores into probabilities along one dimension, and its logarithm.

Both first subtract the line's largest score. That changes nothing (numerator and denominator are scaled
alike), but then no exponential overflows and at least one of them is 1.
"""

from __future__ import annotations

import warnings
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, as_array, row_major
from minitorch.backend.launching import runs_kernels
from minitorch.ops import softmax_cuda
from minitorch.ops.arithmetic import neg
from minitorch.ops.dims import normalize_dim, normalize_dims
from minitorch.ops.elementwise import Exp
from minitorch.ops.operand import narrow, require, widen
from minitorch.ops.promotion import to_dtype
from minitorch.ops.reduction import Sum

Dims = tuple[int, ...]  # the one dimension of the lines, or () for a 0-d tensor, which is a line of one score


def shifted_scores(scores: Array, dims: Dims) -> Array:
    """Fresh scores whose largest along ``dims`` is 0; nan where all are -inf, or one is inf."""
    if scores.size == 0:
        return scores.copy()
    scores = row_major(scores)
    return as_array(scores - scores.max(axis=dims or None, keepdims=True))


def softmax_array(scores: Array, dims: Dims) -> Array:
    """The raw softmax."""
    if dims and runs_kernels(scores):
        return softmax_cuda.softmax(scores, dims[0], logarithm=False)
    xp = array_module(scores)
    result = shifted_scores(widen(scores), dims)
    xp.exp(result, out=result)
    result /= result.sum(axis=dims or None, keepdims=True)
    return narrow(result, scores)


def log_softmax_array(scores: Array, dims: Dims) -> Array:
    """The raw logarithm of the softmax."""
    if dims and runs_kernels(scores):
        return softmax_cuda.softmax(scores, dims[0], logarithm=True)
    xp = array_module(scores)
    result = shifted_scores(widen(scores), dims)
    result -= xp.log(xp.exp(result).sum(axis=dims or None, keepdims=True))
    return narrow(result, scores)


class Softmax(Function):
    """s = eˣ / Σ eˣ;  grad_x = s · (g − Σ g·s): what raises one probability lowers the others."""

    def forward(self, scores: Array, *, dims: Dims) -> Array:
        self.dims = dims
        probabilities = softmax_array(scores, dims)
        self.save(probabilities)
        return probabilities

    def backward(self, grad_output: Any) -> Any:
        (probabilities,) = self.saved
        if self.dims and runs_kernels(grad_output):
            return softmax_cuda.softmax_gradient(grad_output, probabilities, self.dims[0], logarithm=False)
        weighted = grad_output * probabilities
        return weighted - probabilities * Sum.apply(weighted, dims=self.dims, keepdim=True)


class LogSoftmax(Function):
    """l = x − log Σ eˣ;  grad_x = g − eˡ · Σ g."""

    def forward(self, scores: Array, *, dims: Dims) -> Array:
        self.dims = dims
        logarithms = log_softmax_array(scores, dims)
        self.save(logarithms)
        return logarithms

    def backward(self, grad_output: Any) -> Any:
        (logarithms,) = self.saved
        if self.dims and runs_kernels(grad_output):
            return softmax_cuda.softmax_gradient(grad_output, logarithms, self.dims[0], logarithm=True)
        total = Sum.apply(grad_output, dims=self.dims, keepdim=True)
        return grad_output - Exp.apply(logarithms) * total


def softmax(input: Any, dim: int, dtype: dtypes.dtype | None = None, *, out: Any = None) -> Any:
    """Probabilities along ``dim``: positive, summing to 1, in the order of the scores.

    Formula: output_i = e^input_i / Σ_j e^input_j, j over ``dim``.
    Shapes: any → the same.
    Gradient: s · (g − Σ_j g_j·s_j) with s = output.
    Args: dtype: convert ``input`` to it first, for instance to sum float16 scores in float32.
    Raises: IndexError for a dimension that does not exist; NotImplementedError for integer scores.
    Numerics: the largest score is subtracted first, so nothing overflows. A line that is all -inf, or holds
    an inf, is nan. float16 is computed in float32 and rounded once.

    >>> import minitorch as torch
    >>> torch.softmax(torch.tensor([0.0, 1.0, 1000.0]), dim=0)
    tensor([0., 0., 1.])
    """
    return write_out(_along(Softmax, "softmax", input, dim, dtype), out)


def log_softmax(input: Any, dim: int, dtype: dtypes.dtype | None = None, *, out: Any = None) -> Any:
    """The logarithm of ``softmax`` along ``dim``, without computing the softmax.

    Formula: output_i = input_i − log Σ_j e^input_j, j over ``dim``.
    Shapes: any → the same.
    Gradient: g − softmax(input) · Σ_j g_j.
    Args and Raises: as ``softmax``.
    Numerics: stays finite where log(softmax(x)) would be log(0) = -inf.

    >>> import minitorch as torch
    >>> torch.log_softmax(torch.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    return write_out(_along(LogSoftmax, "log_softmax", input, dim, dtype), out)


def _along(function: type[Function], name: str, input: Any, dim: int, dtype: dtypes.dtype | None) -> Any:
    if dtype is not None:
        input = to_dtype(input, dtype)
    ndim = raw(input).ndim
    dims = normalize_dims(dim, ndim) if dim.__class__ is int else (normalize_dim(dim, ndim),)[:ndim]
    last = "_lastdim" if dims == (ndim - 1,) or not ndim else ""
    require(input, "f", name, f"{name}{last}_kernel_impl")
    return function.apply(input, dims=dims)


def functional_softmax(
    input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Any:
    """``softmax`` as ``nn.functional`` has it: ``dim`` may be left out, with a warning.

    Args: dim: None means 0 for inputs of 0, 1 or 3 dimensions, else 1; deprecated in torch, too.

    >>> import minitorch as torch
    >>> torch.nn.functional.softmax(torch.tensor([2.0, 2.0]), dim=-1)
    tensor([0.5000, 0.5000])
    """
    return softmax(input, _implicit_dim("softmax", input, dim, _stacklevel), dtype)


def functional_log_softmax(
    input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Any:
    """``log_softmax`` as ``nn.functional`` has it: ``dim`` may be left out, as in ``functional_softmax``.

    >>> import minitorch as torch
    >>> torch.nn.functional.log_softmax(torch.tensor([2.0, 2.0]), dim=-1)
    tensor([-0.6931, -0.6931])
    """
    return log_softmax(input, _implicit_dim("log_softmax", input, dim, _stacklevel), dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None) -> Any:
    """``softmax`` of -input: the smallest score gets the largest probability.

    Args: as ``functional_softmax``.

    >>> import minitorch as torch
    >>> torch.nn.functional.softmin(torch.tensor([0.0, 1000.0]), dim=0)
    tensor([1., 0.])
    """
    return softmax(neg(input), _implicit_dim("softmin", input, dim, _stacklevel), dtype)


def _implicit_dim(name: str, input: Any, dim: int | None, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if raw(input).ndim in (0, 1, 3) else 1
