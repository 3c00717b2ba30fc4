"""RAdam: Adam that does not trust its estimate of the square before it has seen enough gradients."""

from __future__ import annotations

import math
from typing import Any

from minitorch.backend import Array, array_module
from minitorch.optim.optimizer import (
    Optimizer,
    check_betas,
    check_implementation,
    check_learning_rate,
    check_not_negative,
    count_step,
    number,
    prepare_state,
)
from minitorch.optim.pieces import pieces


class RAdam(Optimizer):
    """Rectified Adam.

    Formula, with the gradient g (−g if ``maximize``), step t and (β₁, β₂) = ``betas``:
      g ← g + weight_decay · θ                (``decoupled_weight_decay``: θ ← θ − lr · weight_decay · θ)
      m ← β₁ · m + (1 − β₁) · g
      v ← β₂ · v + (1 − β₂) · g²
      ρ∞ = 2 / (1 − β₂) − 1,   ρ = ρ∞ − 2 · t · β₂ᵗ / (1 − β₂ᵗ)      (the length of the average in effect)
      θ ← θ − lr · m / (1 − β₁ᵗ) · r · √(1 − β₂ᵗ) / (√v + eps)        if ρ > 5
      θ ← θ − lr · m / (1 − β₁ᵗ)                                       otherwise
      with r = √((ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ))
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable`` and ``capturable``.
    Source: Liu et al., "On the variance of the adaptive learning rate and beyond", 2020.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    >>> optimizer = torch.optim.RAdam([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.8000, -1.6000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(epsilon=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, None, differentiable, capturable)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        for parameter in parameters:
            state = self.state[parameter]
            prepare_state(state, parameter, "exp_avg", "exp_avg_sq")
            radam_step(
                parameter.array,
                parameter.grad.array,
                state["exp_avg"].array,
                state["exp_avg_sq"].array,
                step=count_step(state),
                lr=number(group["lr"]),
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                decoupled_weight_decay=group["decoupled_weight_decay"],
                maximize=group["maximize"],
            )


def radam_step(
    parameter: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    step: float,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled_weight_decay: bool,
    maximize: bool,
) -> None:
    """One step in place: everything but ``grad`` changes."""
    xp = array_module(parameter)
    correction1 = 1 - beta1**step
    rectification = rectified_scale(step, beta2)
    for param, g, mean, square in pieces(parameter, grad, exp_avg, exp_avg_sq):
        if maximize:
            g = -g
        if weight_decay != 0:
            if decoupled_weight_decay:
                param *= 1 - lr * weight_decay
            else:
                g = g + weight_decay * param
        mean += (1 - beta1) * (g - mean)
        square *= beta2
        square += (1 - beta2) * (g * g)
        change = (lr / correction1) * mean
        if rectification is not None:
            denominator = xp.sqrt(square)
            denominator += eps
            change *= rectification / denominator
        param -= change


def rectified_scale(step: float, beta2: float) -> float | None:
    """r · √(1 − β₂ᵗ) of the formula, or None as long as the average is too short."""
    correction2 = 1 - beta2**step
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / correction2
    if length <= 5:
        return None
    ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    return math.sqrt(ratio) * math.sqrt(correction2)
