"""Mean squared error."""

from __future__ import annotations

from typing import Any

from minitorch.backend import Array
from minitorch.ops.autocast import autocasts
from minitorch.ops.loss_reduction import (
    ElementwiseLoss,
    check_weight_size,
    require_floating,
    resolve_reduction,
    warn_of_broadcasting,
    weighted_loss,
)
from minitorch.ops.promotion import promote


class MseLoss(ElementwiseLoss):
    """(a − b)²;  ∂/∂a = 2 (a − b) = −∂/∂b."""

    def losses(self, input: Array, target: Array) -> Array:
        difference = input - target
        return difference * difference

    def gradients(self, grad: Any, input: Any, target: Any) -> tuple[Any, Any]:
        slope = (input - target) * (grad * 2)
        return slope, (-slope if self.needs_input_grad[1] else None)


@autocasts
def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """Squared error between ``input`` and ``target``.

    Formula: loss = (input − target)² at each place. With ``weight``: weight · (input − target)², whose
    "mean" divides by Σ weight.
    Shapes: input and target that broadcast to one shape (a warning says so if they differ) → () or, for
    "none", that shape; weight: the shape of ``input``.
    Gradient: 2 (input − target) · g for ``input``, divided by the number of places for "mean"; the opposite
    for ``target``.
    Args: reduction: "mean", "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: ValueError for another ``reduction``, or for a weight of another size than ``input``;
    RuntimeError if the shapes do not broadcast; NotImplementedError for integers.

    >>> import minitorch as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0]))
    tensor(4.5000)
    """
    warn_of_broadcasting(input, target)
    reduction = resolve_reduction(reduction, size_average, reduce)
    input, target = promote(input, target)
    if weight is not None:
        check_weight_size(weight, input)
        return weighted_loss(MseLoss.apply(input, target, reduction="none"), weight, reduction)
    require_floating(input, "mse_loss", "mse_cpu")
    return MseLoss.apply(input, target, reduction=reduction)
