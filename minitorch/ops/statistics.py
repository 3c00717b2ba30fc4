"""Spread of values: var, std, with the mean (var_mean, std_mean), and between variables: cov, corrcoef."""

from __future__ import annotations

import warnings
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, row_major
from minitorch.ops.choice import where
from minitorch.ops.dims import array_axis, numpy_names, reduced_dims
from minitorch.ops.elementwise import sqrt
from minitorch.ops.operand import floating, narrow, widen
from minitorch.ops.permutation import transpose
from minitorch.ops.reduction import Mean, Spread, count_reduced, mean, sum
from minitorch.ops.shape import reshape


class Var(Function):
    """Σ (x − mean)² / (n − correction) over ``dims``;  ∂/∂x = 2 (x − mean) / (n − correction).

    The mean's own dependence on x adds nothing, as deviations sum to zero.
    """

    def forward(
        self, input: Array, *, dims: tuple[int, ...], correction: float, keepdim: bool = False, of_all: bool = True
    ) -> Array:
        self.dims, self.of_all = dims, of_all
        self.freedom = count_reduced(input.shape, dims) - correction
        return self.result(input, keepdim)

    def result(self, input: Array, keepdim: bool) -> Array:
        self.save(input)
        return narrow(self.variance(widen(input), keepdim), input)

    def variance(self, input: Array, keepdim: bool) -> Array:
        axis = array_axis(self.dims, input.ndim)
        count = count_reduced(input.shape, self.dims)
        deviation = input - input.sum(axis=axis, keepdims=True) / input.dtype.type(count)
        total = row_major((deviation * deviation).sum(axis=axis, keepdims=keepdim))
        return array_module(input).true_divide(total, total.dtype.type(max(self.freedom, 0)))

    def backward(self, grad_output: Any) -> Any:
        (input,) = self.saved
        return self.input_gradient(grad_output, input)

    def input_gradient(self, grad_variance: Any, input: Any) -> Any:
        """g · 2 (x − mean) / freedom; where no freedom is left, torch's values."""
        spread = {"shape": tuple(input.shape), "dims": self.dims}
        centre = Mean.apply(input, dims=self.dims, keepdim=True)
        if self.freedom > 0 or not self.of_all:
            factor = 2 / self.freedom if self.freedom else float("inf")
            return Spread.apply(grad_variance * factor, **spread) * (input - centre)
        found = raw(input)
        slope = array_module(found).where(found == raw(centre), float("nan"), float("inf")).astype(found.dtype)
        return Spread.apply(grad_variance, **spread) * slope


class Std(Var):
    """√variance;  ∂/∂x = ∂ variance / (2 · std), and 0 where the values are all equal, as in torch."""

    def result(self, input: Array, keepdim: bool) -> Array:
        result = narrow(array_module(input).sqrt(self.variance(widen(input), keepdim)), input)
        self.save(input, result)
        return result

    def backward(self, grad_output: Any) -> Any:
        input, result = self.saved
        is_zero = raw(result) == 0
        grad_variance = where(is_zero, 0, grad_output / (2 * where(is_zero, 1, result)))
        return self.input_gradient(grad_variance, input)


UNSET: Any = object()


@numpy_names
def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = UNSET,
    out: Any = None,
) -> Any:
    """The variance of all elements, or over ``dim``.

    Formula: Σ (x − mean)² / max(0, n − correction).
    Gradient: g · 2 (x − mean) / (n − correction).
    Args: correction: 1 (Bessel's) if not given; unbiased: the older way to say it, True for 1, False for 0;
    ``var(x, False)`` is understood as unbiased=False.
    Raises: RuntimeError for integers; TypeError for both ``unbiased`` and ``correction``; IndexError for a
    dimension that does not exist.
    Numerics: two passes, so that a large mean costs no digits. For ``dim=()``, all elements, torch 2.13 has the
    same value and a wrong gradient (it divides by 1 − correction).

    >>> import minitorch as torch
    >>> torch.var(torch.tensor([1.0, 2.0, 3.0, 6.0])), torch.var(torch.tensor([1.0, 3.0]), correction=0)
    (tensor(4.6667), tensor(1.))
    """
    return _deviation("var", Var, input, dim, unbiased, keepdim, correction, out)


@numpy_names
def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = UNSET,
    out: Any = None,
) -> Any:
    """The standard deviation, √variance, of all elements or over ``dim``; arguments and errors as ``var``.

    Gradient: g · (x − mean) / ((n − correction) · std); 0 where all elements are equal.

    >>> import minitorch as torch
    >>> torch.std(torch.tensor([[1.0, 3.0], [2.0, 2.0]]), dim=1)
    tensor([1.4142, 0.0000])
    """
    return _deviation("std", Std, input, dim, unbiased, keepdim, correction, out)


@numpy_names
def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = UNSET,
) -> tuple[Any, Any]:
    """(variance, mean) of all elements or over ``dim``; arguments and errors as ``var``.

    >>> import minitorch as torch
    >>> torch.var_mean(torch.tensor([1.0, 3.0]))
    (tensor(2.), tensor(2.))
    """
    found = _deviation("var_mean", Var, input, dim, unbiased, keepdim, correction, None)
    return found, mean(input, None if dim.__class__ is bool else dim, keepdim)


@numpy_names
def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = UNSET,
) -> tuple[Any, Any]:
    """(standard deviation, mean) of all elements or over ``dim``; arguments and errors as ``var``.

    >>> import minitorch as torch
    >>> torch.std_mean(torch.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    found = _deviation("std_mean", Std, input, dim, unbiased, keepdim, correction, None)
    return found, mean(input, None if dim.__class__ is bool else dim, keepdim)


def _deviation(
    name: str, function: type[Function], input: Any, dim: Any, unbiased: Any, keepdim: bool, correction: Any, out: Any
) -> Any:
    if raw(input).dtype.kind != "f":
        which = name if "_" in name else "std and var"
        raise RuntimeError(f"{which} only support floating point and complex dtypes")
    if dim.__class__ is bool:  # var(x, False): the second argument used to be ``unbiased``
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not UNSET:
            raise TypeError(f"{name}(): unbiased and correction say the same thing: give one of them")
        correction = 1 if unbiased else 0
    correction = 1 if correction is UNSET or correction is None else correction
    dims, of_all = reduced_dims(dim, raw(input).ndim), dim in (None, ()) or not raw(input).ndim
    if count_reduced(raw(input).shape, dims) <= correction:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            "(input numel divided by output numel).",
            UserWarning,
            stacklevel=4,
        )
    return write_out(function.apply(input, dims=dims, correction=correction, keepdim=keepdim, of_all=of_all), out)


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariance matrix of variables (rows) from observations (columns).

    Formula: Σ_k w_k (x_ik − mean_i) (x_jk − mean_j) / d, w = fweights · aweights (1 if not given), means weighted
    by w, d = max(0, Σw − correction · Σ(w · aweights) / Σw).
    Shapes: (variables, observations) → (variables, variables); of one variable a 0-d result.
    Args: fweights: how often each observation occurred, integers; aweights: how much each counts.
    Raises: RuntimeError for bool, for more than two dimensions, and for weights that do not fit.

    >>> import minitorch as torch
    >>> torch.cov(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    shape = raw(input).shape
    if len(shape) > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {len(shape)} dimensions"
        )
    if raw(input).dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    table = floating(input if len(shape) == 2 else reshape(input, (1, -1)), "cov")
    weights = _observation_weights(raw(table).shape[1], fweights, aweights)
    if weights is None:
        count = raw(table).shape[1]
        deviation = table - mean(table, 1, keepdim=True)
        weighted, freedom = deviation, array_module(raw(table)).full((), max(count - correction, 0.0), raw(table).dtype)
    else:
        total = sum(weights)
        deviation = table - sum(table * weights, 1, keepdim=True) / total
        share = 1 if aweights is None else sum(weights * aweights) / total
        freedom = total - correction * share
        weighted, freedom = deviation * weights, where(raw(freedom) > 0, freedom, 0)
    result = weighted @ transpose(deviation, 0, 1) / freedom
    return reshape(result, ()) if raw(result).size == 1 else result


def _observation_weights(count: int, fweights: Any, aweights: Any) -> Any:
    """fweights · aweights, one for each observation, or None if there are neither."""
    for name, weights in (("fweights", fweights), ("aweights", aweights)):
        if weights is None:
            continue
        array = raw(weights)
        wanted, kinds = ("integral", "iu") if name == "fweights" else ("floating point", "f")
        if array.ndim > 1:
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions but got {name} with {array.ndim} dimensions"
            )
        if array.dtype.kind not in kinds:
            found = dtypes.dtype_of(array).legacy_name
            raise RuntimeError(f"cov(): expected {name} to have {wanted} dtype but got {name} with {found} dtype")
        if array.size != count:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{array.size} != {count}"
            )
        if array.size and bool((array < 0).any()):
            raise RuntimeError(f"cov(): {name} cannot be negative")
    if fweights is None or aweights is None:
        return aweights if fweights is None else fweights
    return fweights * aweights


def corrcoef(input: Any) -> Any:
    """The correlation matrix of variables (rows) from observations (columns): cov_ij / (std_i · std_j).

    Shapes and errors: as ``cov``; every coefficient lies in [−1, 1].

    >>> import minitorch as torch
    >>> torch.corrcoef(torch.tensor([[0.0, 1.0, 2.0], [4.0, 2.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    shape = raw(input).shape
    if len(shape) > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {len(shape)} dimensions"
        )
    covariance = cov(input)
    if raw(covariance).ndim == 0:
        return covariance / covariance
    size = raw(covariance).shape[0]
    diagonal = array_module(raw(covariance)).arange(size)
    deviation = sqrt(covariance[diagonal, diagonal])
    ratio = covariance / reshape(deviation, (-1, 1)) / reshape(deviation, (1, -1))
    found = raw(ratio)
    return where(found > 1, 1, where(found < -1, -1, ratio))  # rounding may overstep
