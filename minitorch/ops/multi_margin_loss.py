"""Margin losses over classes: the true class (or classes) must beat every other one."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, is_on_cpu
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.binary_cross_entropy import BinaryCrossEntropyWithLogits
from minitorch.ops.choice import where
from minitorch.ops.clamping import clamp_min
from minitorch.ops.loss_reduction import reduce_loss, refuse_gradient, require_floating, resolve_reduction
from minitorch.ops.promotion import promote
from minitorch.ops.reduction import sum
from minitorch.ops.scatter import gather
from minitorch.ops.shape import reshape, unsqueeze

Deprecated = bool | None  # size_average and reduce, which ``reduction`` replaces


@autocasts
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """The score of the true class must exceed every other by ``margin``.

    Formula: Σ_{j ≠ t} weight[t] · max(0, margin − input[t] + input[j])^p / C.
    Shapes: input (N, C) and target (N,), or (C,) and () or (1,); weight (C,) → () or, for "none", that of ``target``.
    Gradient: for each j whose hinge is open, its slope to input[j], and the opposite to input[t].
    Args: p: 1 or 2; reduction: "mean", "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: ValueError for another p, ``reduction`` or dimension of ``weight``; RuntimeError, with torch's texts, for
    shapes, dtypes and classes that do not fit (on a GPU the loss of a class that does not exist is nan).
    Numerics: the mean over no samples is nan; torch leaves it undefined.

    >>> import minitorch as torch
    >>> torch.nn.functional.multi_margin_loss(torch.tensor([[0.5, 0.0, 2.0]]), torch.tensor([0]))
    tensor(1.)
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    _check_weight(input, weight)
    N, C = _rows(raw(input))
    _check_target("multi_margin_loss", input, target, N)
    require_floating(input, "multi_margin_loss", "multi_margin_loss_cpu_kernel")
    index, exists = _existing(raw(target).reshape(N), C, "target out of range")
    xp = array_module(index)
    scores, column = reshape(input, (N, C)), index.reshape(N, 1)
    hinges = clamp_min(scores - gather(scores, 1, column) + margin, 0)
    hinges = where(xp.arange(C) == column, 0, hinges if p == 1 else hinges * hinges)
    if weight is not None:
        hinges = hinges * raw(weight)[column]
    losses = where(exists, sum(hinges, 1) / C, float("nan"))
    return reduce_loss(reshape(losses, tuple(raw(target).shape)), reduction)


def _check_weight(input: Any, weight: Any) -> None:
    if weight is None:
        return
    values, array = raw(weight), raw(input)
    if values.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    count = array.shape[-1] if array.ndim else 1
    if values.size != count:
        raise RuntimeError(f"inconsistent weight size, expected {count} but got {list(values.shape)}")
    refuse_gradient("multi_margin_loss", "weight", weight)
    expected, found = from_numpy_dtype(array.dtype), from_numpy_dtype(values.dtype)
    if expected is not found:
        raise RuntimeError(f"expected scalar type {expected.legacy_name} but found {found.legacy_name}")


def _rows(input: Array) -> tuple[int, int]:
    """(N, C) of scores, which may lack the batch. Raises torch's error for other shapes, and without classes."""
    shape = input.shape
    if len(shape) > 2 or 0 in shape[-1:]:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(shape)}"
        )
    return (shape[0] if len(shape) == 2 else 1), (shape[-1] if shape else 1)


def _check_target(name: str, input: Any, target: Any, N: int) -> None:
    if raw(target).size != N or raw(target).ndim > 1:
        raise RuntimeError(
            f"{name}: target tensor should be 1-D with size equal to the number of input samples (batch size). "
            f"Expected target size [{N}], but got {list(raw(target).shape)}. "
            f"Input has shape {list(raw(input).shape)}."
        )
    _check_is_long(target)


def _check_is_long(target: Any) -> None:
    found = from_numpy_dtype(raw(target).dtype).legacy_name
    if found != "Long":
        raise RuntimeError(f"expected scalar type Long but found {found}")


def _existing(classes: Array, count: int, message: str, lowest: int = 0) -> tuple[Array, Array]:
    """The classes, 0 for those that do not exist, and which do. On the CPU all must, else RuntimeError."""
    exists = (classes >= lowest) & (classes < count)
    if is_on_cpu(classes) and not exists.all():
        raise RuntimeError(message)
    return array_module(classes).where(exists, classes, 0), exists


@autocasts
def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """The score of each true class must exceed that of each other class by 1.

    Formula: Σ_{t true} Σ_{j not true} max(0, 1 − input[t] + input[j]) / C. The true classes are those in the row
    of ``target`` before its first −1.
    Shapes: input and target (N, C) or (C,) → () or, for "none", (N,) or ().
    Gradient: as ``multi_margin_loss``.
    Args: reduction: "mean", "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: RuntimeError, with torch's texts, for shapes, dtypes and classes that do not fit (on a GPU classes that
    do not exist are taken as 0, so as not to wait for them); ValueError for another ``reduction``.

    >>> import minitorch as torch
    >>> scores, target = torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([[3, 0, -1, 1]])
    >>> torch.nn.functional.multilabel_margin_loss(scores, target)
    tensor(0.8500)
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    N, C = _rows(raw(input))
    labels = raw(target)
    if tuple(labels.shape) != tuple(raw(input).shape):
        raise RuntimeError(
            f"inconsistent target size: {list(labels.shape)} for input of size: {list(raw(input).shape)}"
        )
    require_floating(input, "multilabel_margin_loss", "multilabel_margin_loss_forward_out_frame")
    _check_is_long(target)
    labels, _ = _existing(labels.reshape(N, C), C, "argument #2 'target' is out of range", lowest=-1)
    xp = array_module(labels)
    counts = xp.cumsum(labels < 0, axis=1) == 0  # before the first −1
    classes = xp.where(counts, labels, 0)
    is_true = ((classes[:, :, None] == xp.arange(C)) & counts[:, :, None]).any(axis=1)
    scores = reshape(input, (N, C))
    hinges = clamp_min(unsqueeze(scores, 1) - unsqueeze(gather(scores, 1, classes), 2) + 1, 0)
    losses = sum(where(counts[:, :, None] & ~is_true[:, None, :], hinges, 0), (1, 2)) / C
    return reduce_loss(reshape(losses, tuple(raw(input).shape[:-1])), reduction)


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Deprecated = None,
    reduce: Deprecated = None,
    reduction: str = "mean",
) -> Any:
    """``binary_cross_entropy_with_logits`` averaged over the classes.

    Formula: −Σ_c weight[c] · (target · log σ(input) + (1 − target) · log σ(−input)) / C.
    Shapes: input and target (…, C); weight broadcasts to them → () or, for "none", (…).
    Gradient: weight · (σ(input) − target) / C · g.
    Args: reduction: "mean", "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: ValueError for another ``reduction``; IndexError for a 0-d input.

    >>> import minitorch as torch
    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.zeros(1, 4), torch.ones(1, 4))
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None:
        reduction = resolve_reduction(reduction, size_average, reduce)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    if not raw(input).ndim:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    input, target = promote(input, target)
    losses = BinaryCrossEntropyWithLogits.apply(input, target, None, None, reduction="none")
    if weight is not None:
        losses = losses * weight
    return reduce_loss(sum(losses, -1) / raw(input).shape[-1], reduction)
