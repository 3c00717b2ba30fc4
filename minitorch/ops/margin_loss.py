"""Losses that ask for a margin: what is right must beat what is wrong by some amount, and then costs nothing.

All are built from max(0, margin − lead), the hinge, whose slope is 1 until the margin is reached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import minimum, where
from minitorch.ops.clamping import clamp_min
from minitorch.ops.distance import pairwise_distance
from minitorch.ops.elementwise import sigmoid, sqrt
from minitorch.ops.loss_reduction import (
    ElementwiseLoss,
    reduce_loss,
    refuse_gradient,
    resolve_reduction,
)
from minitorch.ops.promotion import to_dtype
from minitorch.ops.reduction import sum

Deprecated = bool | None  # size_average and reduce, which ``reduction`` replaces


@autocasts
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """Which of two scores is to be the larger: the first for target 1, the second for target −1.

    Formula: max(0, margin − target · (input1 − input2)).
    Shapes: all broadcast, with the same number of dimensions → () or, for "none", that shape.
    Gradient: ∓ target · g where the loss is positive.
    Args: reduction: "mean", "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: RuntimeError for unlike numbers of dimensions, or shapes that do not broadcast; ValueError for another
    ``reduction``.

    >>> import minitorch as torch
    >>> first, second = torch.tensor([3.0, 3.0]), torch.tensor([1.0, 5.0])
    >>> torch.nn.functional.margin_ranking_loss(first, second, torch.tensor([1.0, 1.0]), reduction="none")
    tensor([0., 2.])
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    shapes = [list(raw(each).shape) for each in (input1, input2, target)]
    if len({len(shape) for shape in shapes}) > 1:
        first, second, third = shapes
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: torch.Size({first}), input2: torch.Size({second}), target: torch.Size({third}) "
        )
    return reduce_loss(clamp_min(-target * (input1 - input2) + margin, 0), reduction)


@autocasts
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """A distance that is to be small for target 1, and at least ``margin`` for target −1.

    Formula: input where target = 1, max(0, margin − input) where target = −1 (and their sum for other targets).
    Shapes: input and target broadcast → () or, for "none", that shape.
    Gradient: g where target = 1, −g where target = −1 and input < margin.
    Args: as ``margin_ranking_loss``.

    >>> import minitorch as torch
    >>> distance, target = torch.tensor([0.3, 0.3]), torch.tensor([1.0, -1.0])
    >>> torch.nn.functional.hinge_embedding_loss(distance, target, reduction="none")
    tensor([0.3000, 0.7000])
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    kind = raw(target)
    apart = where(kind != 1, clamp_min(margin - input, 0), 0)
    return reduce_loss(apart + where(kind != -1, input, 0), reduction)


@autocasts
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """Vectors that are to point the same way for target 1, and at an angle for target −1.

    Formula: 1 − cos where target = 1, max(0, cos − margin) where target = −1, 0 elsewhere, with
    cos = x1·x2 / √((‖x1‖² + 10⁻¹²) (‖x2‖² + 10⁻¹²)).
    Shapes: inputs (N, D) and target (N,), or (D,) and () → () or, for "none", the shape of ``target``.
    Gradient: that of the cosine, with sign.
    Args: as ``margin_ranking_loss``.
    Raises: RuntimeError, with torch's texts, for shapes that do not fit; ValueError for another ``reduction``.

    >>> import minitorch as torch
    >>> a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 4.0]])
    >>> torch.nn.functional.cosine_embedding_loss(a, b, torch.tensor([1]))
    tensor(0.4000)
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    kind = raw(target)
    if kind.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not raw(input1).ndim == raw(input2).ndim == kind.ndim + 1:
        raise RuntimeError(
            f"{kind.ndim}D target tensor expects {kind.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(raw(input1).shape)} and {list(raw(input2).shape)}."
        )
    products = sum(input1 * input2, -1)
    squares = (sum(input1 * input1, -1) + 1e-12) * (sum(input2 * input2, -1) + 1e-12)
    cosine = products / sqrt(squares)
    losses = where(kind == 1, 1 - cosine, 0) + where(kind == -1, clamp_min(cosine - margin, 0), 0)
    return reduce_loss(losses, reduction)


class SoftMarginLoss(ElementwiseLoss):
    """log(1 + e^(−t·x));  ∂/∂x = −t · σ(−t·x)."""

    def losses(self, input: Array, target: Array) -> Array:
        xp, lead = array_module(input), input * target
        return xp.log1p(xp.exp(-xp.abs(lead))) + xp.maximum(-lead, 0)

    def gradients(self, grad: Any, input: Any, target: Any) -> tuple[Any, Any]:
        return -target * sigmoid(-target * input) * grad, None


@autocasts
def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """Logistic loss for targets 1 and −1: a hinge without a corner.

    Formula: log(1 + e^(−target · input)).
    Shapes: target broadcasts to the shape of ``input`` → () or, for "none", that shape.
    Gradient: −target · σ(−target · input) · g; the target has none.
    Args: as ``margin_ranking_loss``.
    Raises: RuntimeError for integers, for a target that requires grad or does not broadcast; ValueError for another
    ``reduction``.
    Numerics: grows linearly for very wrong scores, where torch overflows to inf.

    >>> import minitorch as torch
    >>> torch.nn.functional.soft_margin_loss(torch.tensor([0.0, 1000.0]), torch.tensor([1.0, -1.0]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    refuse_gradient("soft_margin_loss", "target", target)
    dtype = from_numpy_dtype(raw(input).dtype)
    if not dtype.is_floating_point:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {dtype.legacy_name}")
    loss = SoftMarginLoss.apply(input, to_dtype(target, dtype), reduction="none")
    if raw(loss).shape != raw(input).shape:
        raise RuntimeError(
            f"output with shape {list(raw(input).shape)} doesn't match the broadcast shape {list(raw(loss).shape)}"
        )
    return SoftMarginLoss.apply(input, to_dtype(target, dtype), reduction=reduction) if reduction != "none" else loss


@autocasts
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """An anchor that is to be closer to one vector than to another, by ``margin``.

    Formula: max(0, margin + d(anchor, positive) − d(anchor, negative)) with d = ``pairwise_distance``.
    Shapes: three of (N, D) or (D,) → () or, for "none", (N,) or ().
    Gradient: that of the distances.
    Args: p, eps: of the distance; swap: take d(positive, negative) instead of d(anchor, negative) where it is
    smaller; others as ``margin_ranking_loss``.
    Raises: ValueError for margin ≤ 0 or another ``reduction``; RuntimeError for unlike numbers of dimensions.
    Source: Balntas et al., "Learning local feature descriptors with triplets", 2016.

    >>> import minitorch as torch
    >>> a, p, n = torch.tensor([[0.0]]), torch.tensor([[2.0]]), torch.tensor([[2.5]])
    >>> torch.nn.functional.triplet_margin_loss(a, p, n)
    tensor(0.5000)
    """
    reduction = resolve_reduction(reduction, size_average, reduce)

    def distance(first: Any, second: Any) -> Any:
        return pairwise_distance(first, second, p, eps)

    return _triplet_loss(anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """``triplet_margin_loss`` with a distance of the caller's (default: ``pairwise_distance``).

    >>> import minitorch as torch
    >>> a, p, n = torch.tensor([0.0]), torch.tensor([2.0]), torch.tensor([2.5])
    >>> def squared(x, y):
    ...     return (x - y) * (x - y)
    >>> torch.nn.functional.triplet_margin_with_distance_loss(a, p, n, distance_function=squared, margin=3.0)
    tensor(0.7500)
    """
    reduction = resolve_reduction(reduction)
    return _triplet_loss(anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)


def _triplet_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    ndims = [raw(each).ndim for each in (anchor, positive, negative)]
    if len(set(ndims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {ndims[0]}D, positive {ndims[1]}D, and negative {ndims[2]}D inputs"
        )
    to_positive, to_negative = distance(anchor, positive), distance(anchor, negative)
    if swap:
        to_negative = minimum(to_negative, distance(positive, negative))
    return reduce_loss(clamp_min(margin + to_positive - to_negative, 0), reduction)
