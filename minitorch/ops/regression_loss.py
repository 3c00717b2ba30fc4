"""Losses between a prediction and a number: l1, smooth l1, Huber, Poisson, Gaussian; and KL divergence.

They differ in what a large error costs: its square (``mse_loss``), its size (l1), or one near zero and the other
far away (smooth l1, Huber). The Poisson and Gaussian losses are log-likelihoods of those distributions.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.clamping import clamp
from minitorch.ops.elementwise import abs, exp, log
from minitorch.ops.loss_reduction import (
    AtLeast,
    ElementwiseLoss,
    check_weight_size,
    reduce_loss,
    require_floating,
    resolve_reduction,
    warn_of_broadcasting,
    weighted_loss,
)
from minitorch.ops.pairwise import xlogy
from minitorch.ops.promotion import promote, to_dtype
from minitorch.ops.shape import unsqueeze

Deprecated = bool | None  # size_average and reduce, which ``reduction`` replaces


@autocasts
def l1_loss(
    input: Any,
    target: Any,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """Absolute error: |input − target|.

    Shapes: input and target broadcast (with a warning) → () or, for "none", that shape.
    Gradient: sign(input − target) · g, 0 where they are equal; divided by the number of places for "mean".
    Args: weight: a factor for each place, of the size of ``input``; the mean then divides by its sum. reduction:
    "mean", "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: ValueError for another ``reduction`` or size of ``weight``; RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0]))
    tensor(1.5000)
    """
    warn_of_broadcasting(input, target)
    reduction = resolve_reduction(reduction, size_average, reduce)
    losses = abs(input - target)
    if weight is not None:
        check_weight_size(weight, input)
        return weighted_loss(losses, weight, reduction)
    return reduce_loss(losses, reduction)


class SmoothL1Loss(ElementwiseLoss):
    """½ d² / β for |d| < β, else |d| − ½ β;  d/dd = d / β limited to [−1, 1]."""

    beta: float

    def losses(self, input: Array, target: Array) -> Array:
        xp, beta = array_module(input), self.beta
        size = xp.abs(input - target)
        return xp.where(size < beta, size * size * (0.5 / beta), size - 0.5 * beta)

    def gradients(self, grad: Any, input: Any, target: Any) -> tuple[Any, Any]:
        slope = clamp((input - target) / self.beta, -1.0, 1.0) * grad
        return slope, (-slope if self.needs_input_grad[1] else None)


@autocasts
def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """Squared error near zero, absolute error far away.

    Formula: with d = input − target: d² / (2 beta) for |d| < beta, else |d| − beta / 2; for beta = 0, ``l1_loss``.
    Shapes: as ``l1_loss``.
    Gradient: d / beta limited to [−1, 1], times g.
    Args and Raises: as ``l1_loss``; RuntimeError for beta < 0; NotImplementedError for integers.
    Source: Girshick, "Fast R-CNN", 2015.

    >>> import minitorch as torch
    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([0.0, 0.0]), torch.tensor([0.5, 3.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    warn_of_broadcasting(input, target)
    reduction = resolve_reduction(reduction, size_average, reduce)
    if beta == 0:
        return reduce_loss(abs(input - target), reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    input, target = promote(input, target)
    require_floating(input, "smooth_l1_loss", "smooth_l1_cpu")
    return SmoothL1Loss.apply(input, target, reduction=reduction, beta=beta)


class HuberLoss(ElementwiseLoss):
    """½ d² for |d| ≤ δ, else δ (|d| − ½ δ);  d/dd = d limited to [−δ, δ]."""

    delta: float

    def losses(self, input: Array, target: Array) -> Array:
        xp, delta = array_module(input), self.delta
        size = xp.abs(input - target)
        return xp.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))

    def gradients(self, grad: Any, input: Any, target: Any) -> tuple[Any, Any]:
        slope = clamp(input - target, -self.delta, self.delta) * grad
        return slope, (-slope if self.needs_input_grad[1] else None)


@autocasts
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """Squared error near zero, absolute error far away: delta times ``smooth_l1_loss`` with beta = delta.

    Formula: with d = input − target: d² / 2 for |d| ≤ delta, else delta · (|d| − delta / 2).
    Shapes: as ``l1_loss``.
    Gradient: d limited to [−delta, delta], times g.
    Args: weight: a factor for each place, of the size of ``input``; unlike elsewhere "mean" divides by the count.
    Raises: as ``l1_loss``; RuntimeError for delta ≤ 0; NotImplementedError for integers.
    Source: Huber, "Robust Estimation of a Location Parameter", 1964.

    >>> import minitorch as torch
    >>> torch.nn.functional.huber_loss(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 5.0]), "none", delta=2.0)
    tensor([0.5000, 8.0000])
    """
    warn_of_broadcasting(input, target)
    kept = from_numpy_dtype(raw(input).dtype)
    input, target = promote(input, target)
    require_floating(input, "huber_loss", "huber_cpu")
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if weight is None:
        reduction = resolve_reduction(reduction)
        loss = HuberLoss.apply(input, target, reduction=reduction, delta=delta)
        return to_dtype(loss, kept) if kept.is_floating_point else loss
    check_weight_size(weight, input)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")
    return reduce_loss(HuberLoss.apply(input, target, reduction="none", delta=delta) * weight, reduction)


@autocasts
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: Deprecated = None,
    eps: float = 1e-8,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """Negative log-likelihood of counts ``target`` under Poisson distributions of rate ``input``.

    Formula: e^input − target · input if ``input`` is the rate's logarithm (``log_input``), else
    input − target · log(input + eps). ``full`` adds Stirling's approximation of log(target!):
    target · log(target) − target + ½ log(2π · target), where target > 1.
    Shapes: input and target broadcast → () or, for "none", that shape.
    Gradient: (e^input − target) · g, or (1 − target / (input + eps)) · g.
    Args: reduction: "mean", "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: ValueError for another ``reduction``; RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.nn.functional.poisson_nll_loss(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]), reduction="none")
    tensor([1.0000, 0.7183])
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = target * log(target) - target + log(target * (2 * math.pi)) * 0.5
        losses = losses + where(raw(target) <= 1, 0.0, stirling)
    return reduce_loss(losses, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """Negative log-likelihood of ``target`` under normal distributions of mean ``input`` and variance ``var``.

    Formula: ½ (log(v) + (input − target)² / v) with v = max(var, eps); ``full`` adds ½ log(2π).
    Shapes: input and target broadcast; var: a number, the shape of ``input``, or that shape with the last
    dimension missing or of size 1 → () or, for "none", the shape of the losses.
    Gradient: (input − target) / v · g for ``input``; ½ (1/v − (input − target)² / v²) · g for ``var``, also where
    it is below ``eps``.
    Raises: ValueError for a negative variance, one of another shape, or another ``reduction``.

    >>> import minitorch as torch
    >>> torch.nn.functional.gaussian_nll_loss(torch.tensor([0.0]), torch.tensor([2.0]), torch.tensor([1.0]))
    tensor(2.)
    """
    var = _checked_variance(input, var)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    var = AtLeast.apply(var, lower=eps)
    difference = input - target
    losses = (log(var) + difference * difference / var) * 0.5
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduce_loss(losses, reduction)


def _checked_variance(input: Any, var: Any) -> Any:
    array = raw(input)
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        return array_module(array).full_like(array, var)
    values, shape = raw(var), tuple(array.shape)
    if (values < 0).any():
        raise ValueError("var has negative entry/entries")
    if tuple(values.shape) == shape:
        return var
    if tuple(values.shape) == shape[:-1]:
        return unsqueeze(var, -1)
    differing = [size for wanted, size in zip(shape, values.shape) if wanted != size]
    if values.ndim != len(shape) or math.prod(differing) != 1 or len(differing) != 1:
        raise ValueError("var is of incorrect size")
    return var


@autocasts
def kl_div(
    input: Any,
    target: Any,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """Kullback–Leibler divergence of the log-probabilities ``input`` from the probabilities ``target``.

    Formula: target · (log(target) − input), and 0 where target = 0; with ``log_target``, where ``target`` holds
    logarithms, too: e^target · (target − input).
    Shapes: input and target broadcast → () or, for "none", that shape.
    Gradient: −target · g for ``input``.
    Args: reduction: "batchmean" (the sum over the size of the first dimension: what mathematics means), "mean"
    (over all places, with torch's warning), "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: ValueError for another ``reduction``; RuntimeError for integers, or if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.25, 0.75]])
    >>> torch.nn.functional.kl_div(torch.log(q), p, reduction="batchmean")
    tensor(0.1438)
    """
    is_batchmean = reduction == "batchmean"
    if size_average is not None or reduce is not None:
        reduction = resolve_reduction("mean", size_average, reduce)
    else:
        if reduction == "mean":
            warnings.warn(_MEAN_OF_KL, stacklevel=2)
        reduction = resolve_reduction("sum" if is_batchmean else reduction)
    if raw(input).dtype.kind != "f" or raw(target).dtype.kind != "f":
        raise RuntimeError("kl_div: Integral inputs not supported.")
    losses = exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    loss = reduce_loss(losses, reduction)
    return loss / raw(input).shape[0] if is_batchmean and raw(input).ndim else loss


_MEAN_OF_KL = (
    "reduction: 'mean' divides the total loss by both the batch size and the support size."
    "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
    "'mean' will be changed to behave the same as 'batchmean' in the next major release."
)
