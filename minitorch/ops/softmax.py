"""Softmax, which turns scores into probabilities along one dimension, and its logarithm.

Both first subtract the line's largest score. That changes nothing (numerator and denominator are scaled
alike), but then no exponential overflows and at least one of them is 1.

All scores are seen as (outer, K, inner) with the line along K, and worked on a few lines at a time, which stay in
the cache from the search for the largest to the last division.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, in_rows, row_major
from minitorch.backend.launching import runs_kernels
from minitorch.ops import softmax_cuda
from minitorch.ops.arithmetic import neg
from minitorch.ops.autocast import autocasts
from minitorch.ops.dims import normalize_dim, normalize_dims
from minitorch.ops.elementwise import Exp
from minitorch.ops.operand import narrow, require, widen
from minitorch.ops.promotion import to_dtype
from minitorch.ops.reduction import Sum

SMALL = 1 << 14  # elements: not worth to be divided

Dims = tuple[int, ...]  # the one dimension of the lines, or () for a 0-d tensor, which is a line of one score


def softmax_array(scores: Array, dims: Dims) -> Array:
    """The raw softmax."""
    if dims and runs_kernels(scores):
        return softmax_cuda.softmax(scores, dims[0], logarithm=False)
    return _in_lines(_softmax, dims, scores)


def log_softmax_array(scores: Array, dims: Dims) -> Array:
    """The raw logarithm of the softmax."""
    if dims and runs_kernels(scores):
        return softmax_cuda.softmax(scores, dims[0], logarithm=True)
    return _in_lines(_log_softmax, dims, scores)


def _in_lines(work: Callable[..., None], dims: Dims, *operands: Array) -> Array:
    """``work(result, *operands)`` on arrays (outer, K, inner), whose middle dimension is the one of ``dims``."""
    like = operands[0]
    if not like.size:
        return like.copy()
    shape = _line_shape(like.shape, dims)
    lines = [row_major(widen(each)).reshape(shape) for each in operands]
    result = array_module(like).empty(shape, lines[0].dtype)
    if result.size > SMALL:
        in_rows(work, result, *lines, cost=3)
    else:
        work(result, *lines)
    return narrow(result.reshape(like.shape), like)


@functools.lru_cache(maxsize=64)
def _line_shape(shape: tuple[int, ...], dims: Dims) -> tuple[int, int, int]:
    """(outer, K, inner)."""
    if not dims:
        return 1, 1, 1
    (dim,) = dims
    return math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :])


def _softmax(result: Array, scores: Array) -> None:
    xp = array_module(scores)
    xp.subtract(scores, scores.max(axis=1, keepdims=True), out=result)  # nan where all are -inf, or one is inf
    xp.exp(result, out=result)
    result /= _sum(result)


def _log_softmax(result: Array, scores: Array) -> None:
    xp = array_module(scores)
    xp.subtract(scores, scores.max(axis=1, keepdims=True), out=result)
    result -= xp.log(_sum(xp.exp(result)))


def _sum(lines: Array) -> Array:
    """The sum of each line of (outer, K, inner), as (outer, 1, inner): where inner is 1, by a product with ones."""
    if lines.shape[2] > 1 or lines.size <= SMALL:
        return lines.sum(axis=1, keepdims=True)
    return (lines[:, :, 0] @ array_module(lines).ones(lines.shape[1], lines.dtype))[:, None, None]


class Softmax(Function):
    """s = eˣ / Σ eˣ;  grad_x = s · (g − Σ g·s): what raises one probability lowers the others."""

    def forward(self, scores: Array, *, dims: Dims) -> Array:
        self.dims = dims
        probabilities = softmax_array(scores, dims)
        self.save(probabilities)
        return probabilities

    def backward(self, grad_output: Any) -> Any:
        return SoftmaxGradient.apply(grad_output, self.saved[0], dims=self.dims)


class SoftmaxGradient(Function):
    """s · (g − Σ g·s), linear in g.  For a gradient a: to g the same map of a, to s  a · (g − Σ g·s) − g · Σ a·s."""

    backward_name = "SoftmaxBackwardDataBackward0"

    def forward(self, grad: Array, probabilities: Array, *, dims: Dims) -> Array:
        self.dims = dims
        self.save(grad, probabilities)
        if dims and runs_kernels(grad):
            return softmax_cuda.softmax_gradient(grad, probabilities, dims[0], logarithm=False)
        return _in_lines(_softmax_gradient, dims, grad, probabilities)

    def backward(self, grad_output: Any) -> Any:
        grad, probabilities = self.saved

        def total(values: Any) -> Any:
            return Sum.apply(values, dims=self.dims, keepdim=True)

        to_probabilities = grad_output * (grad - total(grad * probabilities))
        to_probabilities = to_probabilities - grad * total(grad_output * probabilities)
        return SoftmaxGradient.apply(grad_output, probabilities, dims=self.dims), to_probabilities


def _softmax_gradient(result: Array, grad: Array, probabilities: Array) -> None:
    xp = array_module(grad)
    xp.multiply(grad, probabilities, out=result)
    xp.subtract(grad, _sum(result), out=result)
    result *= probabilities


class LogSoftmax(Function):
    """l = x − log Σ eˣ;  grad_x = g − eˡ · Σ g."""

    def forward(self, scores: Array, *, dims: Dims) -> Array:
        self.dims = dims
        logarithms = log_softmax_array(scores, dims)
        self.save(logarithms)
        return logarithms

    def backward(self, grad_output: Any) -> Any:
        return LogSoftmaxGradient.apply(grad_output, self.saved[0], dims=self.dims)


class LogSoftmaxGradient(Function):
    """g − eˡ · Σ g, linear in g.  For a gradient a: to g  a − Σ a·eˡ, to l  −a · eˡ · Σ g."""

    backward_name = "LogSoftmaxBackwardDataBackward0"

    def forward(self, grad: Array, logarithms: Array, *, dims: Dims) -> Array:
        self.dims = dims
        self.save(grad, logarithms)
        if dims and runs_kernels(grad):
            return softmax_cuda.softmax_gradient(grad, logarithms, dims[0], logarithm=True)
        return _in_lines(_log_softmax_gradient, dims, grad, logarithms)

    def backward(self, grad_output: Any) -> Any:
        grad, logarithms = self.saved
        weighted = grad_output * Exp.apply(logarithms)
        to_grad = grad_output - Sum.apply(weighted, dims=self.dims, keepdim=True)
        return to_grad, -(weighted * Sum.apply(grad, dims=self.dims, keepdim=True))


def _log_softmax_gradient(result: Array, grad: Array, logarithms: Array) -> None:
    xp = array_module(grad)
    xp.exp(logarithms, out=result)
    result *= _sum(grad)
    xp.subtract(grad, result, out=result)


@autocasts
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


@autocasts
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
