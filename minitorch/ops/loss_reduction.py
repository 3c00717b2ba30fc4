"""What every loss has in common: ``reduction``, and the arguments that used to be in its place.

A loss is computed element by element and then reduced to one number: "mean", "sum", or not at all ("none").
"""

from __future__ import annotations

import warnings
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import Array, array_module
from minitorch.ops.operand import narrow, require, widen
from minitorch.ops.reduction import mean, sum

REDUCTIONS = ("none", "mean", "sum")


def resolve_reduction(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """ "none", "mean" or "sum", from ``reduction`` or, where given, from the two deprecated arguments.

    Raises: ValueError if ``reduction`` is none of them.

    >>> resolve_reduction("elementwise_sum")
    Traceback (most recent call last):
    ValueError: elementwise_sum is not a valid value for reduction
    """
    if size_average is not None or reduce is not None:
        averages, reduces = size_average in (None, True), reduce in (None, True)
        reduction = ("mean" if averages else "sum") if reduces else "none"
        message = "size_average and reduce args will be deprecated, please use reduction='{}' instead."
        warnings.warn(message.format(reduction), stacklevel=3)
    if reduction == "elementwise_mean":
        warnings.warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=3)
        return "mean"
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduce_loss(losses: Any, reduction: str) -> Any:
    """The losses, their mean or their sum, recorded for autograd."""
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" else sum(losses)


def reduce_array(losses: Array, reduction: str) -> Array:
    """The same for raw arrays."""
    if reduction == "none":
        return losses
    return losses.sum() / losses.size if reduction == "mean" else losses.sum()


class ElementwiseLoss(Function):
    """Base of a loss of two operands that is computed element by element and then reduced.

    A subclass has the formula in ``losses`` (raw arrays) and in ``gradients`` (library ops). The operands are
    broadcast; ``gradients`` may return the broadcast shape.
    """

    def losses(self, input: Array, target: Array) -> Array:
        """The loss of each element."""
        raise NotImplementedError

    def gradients(self, grad: Any, input: Any, target: Any) -> tuple[Any, Any]:
        """The operands' gradients, where ``grad`` is that of each loss (or, broadcast, of all of them)."""
        raise NotImplementedError

    def forward(self, input: Array, target: Array, *, reduction: str, **options: Any) -> Array:
        self.__dict__.update(options)
        losses = self.losses(widen(input), widen(target))
        self.divisor = max(losses.size, 1) if reduction == "mean" else 1
        self.save(input, target)
        return narrow(array_module(input).asarray(reduce_array(losses, reduction)), input)

    def backward(self, grad_output: Any) -> Any:
        input, target = self.saved
        grad = grad_output if self.divisor == 1 else grad_output / self.divisor
        return self.gradients(grad, input, target)


class AtLeast(Function):
    """max(x, lower) whose gradient ignores the limit: g, even where x was raised."""

    backward_name = "CloneBackward0"

    def forward(self, x: Array, *, lower: float) -> Array:
        return array_module(x).maximum(x, lower)

    def backward(self, grad_output: Any) -> Any:
        return grad_output


def warn_of_broadcasting(input: Any, target: Any) -> None:
    """Warn, as torch does, that operands of unlike sizes are rarely meant."""
    input_shape, target_shape = tuple(raw(input).shape), tuple(raw(target).shape)
    if input_shape != target_shape:
        warnings.warn(
            f"Using a target size (torch.Size({list(target_shape)})) that is different to the input size "
            f"(torch.Size({list(input_shape)})). This will likely lead to incorrect results due to "
            "broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def require_floating(input: Any, name: str, kernel: str) -> None:
    """Raise torch's NotImplementedError for a loss of integers."""
    require(input, "f", name, kernel)


def check_weight_size(weight: Any, input: Any) -> None:
    """Raise torch's error for a weight of another size than ``input``."""
    if tuple(raw(weight).shape) != tuple(raw(input).shape):
        raise ValueError("Weights and input must have the same size.")


def weighted_loss(losses: Any, weight: Any, reduction: str) -> Any:
    """weight · losses, reduced; the mean divides by the total weight."""
    weighted = losses * weight
    if reduction == "none":
        return weighted
    return sum(weighted) / sum(weight) if reduction == "mean" else sum(weighted)


def refuse_gradient(function: str, argument: str, value: Any) -> None:
    """Raise torch's error if an argument requires grad that the loss has no gradient for."""
    if isinstance(value, Variable) and value.needs_grad:
        raise RuntimeError(
            f"The function '{function}' is not differentiable with respect to argument '{argument}'. "
            "This input cannot have requires_grad True."
        )
