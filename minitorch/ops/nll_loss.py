"""Negative log-likelihood: the price of the log-probability that was given to the true class."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, is_on_cpu
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.loss_reduction import refuse_gradient, resolve_reduction
from minitorch.ops.operand import narrow, require, widen


class TrueClasses:
    """The true class of each place, and what it weighs.

    ``place``: what to index an array of the input's shape with for the true class's value at each place; that of
    class 0 where the place is ignored. ``weights``: weight[target] (1 without weights), and 0 where it is ignored;
    ``total_weight``: their sum.
    """

    def __init__(self, input: Array, target: Array, weight: Array | None, ignore_index: int) -> None:
        xp = array_module(input)
        self.dim = class_dim(input.shape)
        self.is_counted = target != ignore_index
        # Nothing is ignored, usually. A GPU is not asked: the host would have to wait for the answer.
        self.counts_all = is_on_cpu(input) and bool(self.is_counted.all())
        classes = (target if self.counts_all else xp.where(self.is_counted, target, 0)).astype(xp.int64, copy=False)
        is_outside = _find_missing(classes, input.shape[self.dim])
        if is_outside is not None:
            classes = xp.where(is_outside, 0, classes)
        places = _open_grid(xp, target.shape)
        self.place = (*places[: self.dim], classes, *places[self.dim :])
        weights = xp.ones(target.shape, input.dtype) if weight is None else weight[classes]
        if not self.counts_all:
            weights = xp.where(self.is_counted, weights, weights.dtype.type(0))
        if is_outside is not None:
            weights = xp.where(is_outside, weights.dtype.type(xp.nan), weights)
        self.weights = widen(weights)
        is_plain = self.counts_all and weight is None
        self.total_weight = self.weights.dtype.type(target.size) if is_plain else self.weights.sum()

    def pick(self, values: Array) -> Array:
        """The value of the true class at each place, 0 where it is ignored."""
        return self.only_counted(values[self.place])

    def only_counted(self, values: Array) -> Array:
        """One value a place (or one for all): 0 where the place is ignored, were it even nan."""
        if self.counts_all:
            return values
        return array_module(values).where(self.is_counted, values, values.dtype.type(0))

    def add_to(self, values: Array, amounts: Array) -> None:
        """Add an amount to the value of the true class at each place."""
        values[self.place] += amounts

    def along_classes(self, values: Array) -> Array:
        """One value a place, in a shape that broadcasts over the classes."""
        return values[None] if self.dim == 0 else values[:, None]


def _find_missing(classes: Array, count: int) -> Array | None:
    """Where there is no such class: on a CPU that is an error.

    On a GPU, which would have to be waited for, the loss becomes nan there.
    """
    if not is_on_cpu(classes):
        return (classes < 0) | (classes >= count)
    if classes.size and classes.view("uint64").max() >= count:  # seen as unsigned, a negative number is huge
        is_outside = (classes < 0) | (classes >= count)
        raise IndexError(f"Target {classes[is_outside].reshape(-1)[0]} is out of bounds.")
    return None


def _open_grid(xp: Any, shape: tuple[int, ...]) -> list[Array]:
    """The place's number along each dimension, as arrays that broadcast to ``shape``."""
    return [xp.arange(size).reshape(size, *(1,) * (len(shape) - dim - 1)) for dim, size in enumerate(shape)]


def class_dim(shape: tuple[int, ...]) -> int:
    """The dimension of the classes: 1 in a batch (N, C, …), 0 without one."""
    return 0 if len(shape) == 1 else 1


class NllLoss(Function):
    """−weight[t] · input[t];  linear in the input, so that its gradient's gradient is itself."""

    truth: TrueClasses | None

    def forward(self, input: Array, target: Array, weight: Array | None, *, ignore_index: int, reduction: str) -> Array:
        self.backward_name = backward_name(input.shape)
        self.save(target, weight)
        self.shape, self.options = input.shape, {"ignore_index": ignore_index, "reduction": reduction}
        truth = self.truth = TrueClasses(input, target, weight, ignore_index)
        losses = -truth.pick(widen(input)) * truth.weights
        return narrow(reduce_weighted(losses, truth, reduction), input)

    def backward(self, grad_output: Any) -> Any:
        options = {"shape": self.shape, "truth": self.truth, **self.options}
        return NllLossGradient.apply(grad_output, *self.saved, **options), None, None

    def free(self) -> None:
        """Drop what is known of the true classes, too: an intermediate value, it is not among ``saved``."""
        super().free()
        self.truth = None


class NllLossGradient(Function):
    """−weight[t] · g, divided by Σ weight[t] for "mean", at the true class of each place, and 0 elsewhere."""

    def forward(
        self,
        grad_output: Array,
        target: Array,
        weight: Array | None,
        *,
        shape: tuple[int, ...],
        truth: TrueClasses,
        ignore_index: int,
        reduction: str,
    ) -> Array:
        self.save(target, weight)
        self.options = {"ignore_index": ignore_index, "reduction": reduction}
        grad_input = array_module(target).zeros(shape, grad_output.dtype)
        amounts = -truth.weights * scale_of_mean(grad_output, truth, reduction)
        truth.add_to(grad_input, truth.only_counted(amounts).astype(grad_output.dtype))
        return grad_input

    def backward(self, grad_output: Any) -> Any:
        target, weight = self.saved
        return NllLoss.apply(grad_output, target, weight, **self.options), None, None


def backward_name(shape: tuple[int, ...]) -> str:
    """torch's name of the node: images and other spatial inputs have a kernel of their own."""
    return "NllLossBackward0" if len(shape) <= 2 else "NllLoss2DBackward0"


def reduce_weighted(losses: Array, truth: TrueClasses, reduction: str) -> Array:
    """The losses, their sum, or their sum over that of the weights (nan for none)."""
    if reduction == "none":
        return losses
    return losses.sum() / truth.total_weight if reduction == "mean" else losses.sum()


def scale_of_mean(grad_output: Array, truth: TrueClasses, reduction: str) -> Array:
    """What each place's loss counts in the reduced loss, times that one's gradient."""
    return grad_output / truth.total_weight if reduction == "mean" else grad_output


@autocasts
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Negative log-likelihood of the true classes under log-probabilities.

    Formula: loss[n, …] = −weight[t] · input[n, t, …] with t = target[n, …], and 0 where t = ignore_index;
    "mean" divides the sum by Σ weight[t] over the places that are not ignored.
    Shapes: input (N, C), (N, C, d₁, …) or (C,); target of class indices (N,), (N, d₁, …) or (); weight (C,)
    → (), or the shape of ``target`` for "none".
    Gradient: −weight[t] · g at the true class of each place, over Σ weight[t] for "mean"; 0 elsewhere.
    Args: ignore_index: this target counts nothing; reduction: "mean", "sum" or "none"; size_average, reduce:
    deprecated forms of it.
    Raises: IndexError for a class that does not exist (on a GPU the loss is nan instead, so as not to wait
    for it); ValueError and RuntimeError, with torch's texts, for shapes and dtypes that do not fit.
    Numerics: the mean over no places, or over weights that sum to 0, is nan.

    >>> import minitorch as torch
    >>> log_probabilities = torch.tensor([[-0.5, -1.0], [-2.0, -0.25]])
    >>> torch.nn.functional.nll_loss(log_probabilities, torch.tensor([0, 1]))
    tensor(0.3750)
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    target = fit_target(input, target)
    require(input, "f", "nll_loss", "nll_loss_out_frame")
    check_weight(input, weight)
    return NllLoss.apply(input, target, weight, ignore_index=ignore_index, reduction=reduction)


def fit_target(input: Any, target: Any) -> Any:
    """``target`` in the shape of the losses. Raises torch's errors where it does not fit ``input``."""
    shape, target_shape = tuple(raw(input).shape), tuple(raw(target).shape)
    if not shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(shape) == 1:
        if len(target_shape) == 1 and target_shape != (1,):
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target_shape[0]}")
        _check_kind(target, shape)
        if len(target_shape) > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        return target if not target_shape else raw(target).reshape(())
    batch = target_shape[0] if target_shape else 0
    if shape[0] != batch:
        raise ValueError(f"Expected input batch_size ({shape[0]}) to match target batch_size ({batch}).")
    _check_shape(shape, target_shape)
    _check_kind(target, shape)
    return target


def _check_shape(shape: tuple[int, ...], target_shape: tuple[int, ...]) -> None:
    expected = (shape[0], *shape[2:])
    if target_shape == expected:
        return
    if len(shape) == 2:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if len(shape) != 4:
        raise RuntimeError(f"Expected target size {list(expected)}, got {list(target_shape)}")
    if len(target_shape) != 3:
        raise RuntimeError(
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {len(target_shape)}"
        )
    raise RuntimeError(f"size mismatch (got input: {list(shape)} , target: {list(target_shape)}")


def _check_kind(target: Any, shape: tuple[int, ...]) -> None:
    found = from_numpy_dtype(raw(target).dtype).legacy_name
    if len(shape) > 2 and found != "Long":
        raise RuntimeError(f"expected scalar type Long but found {found}")
    if found not in ("Long", "Byte"):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {found}")


def check_weight(input: Any, weight: Any) -> None:
    """Raise torch's error for class weights of another number, dtype, or that want a gradient."""
    if weight is None:
        return
    scores, weights = raw(input), raw(weight)
    count = scores.shape[class_dim(scores.shape)]
    if tuple(weights.shape) != (count,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {count} classes or no classes but got weight "
            f"tensor of shape: {list(weights.shape)}"
        )
    expected, found = from_numpy_dtype(scores.dtype), from_numpy_dtype(weights.dtype)
    if expected is not found:
        raise RuntimeError(f"expected scalar type {expected.legacy_name} but found {found.legacy_name}")
    refuse_gradient("nll_loss_forward", "weight", weight)
