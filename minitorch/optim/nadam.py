"""NAdam: Adam with Nesterov momentum."""

from __future__ import annotations

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
    scalar_state,
    zero_state,
)
from minitorch.optim.pieces import pieces


class NAdam(Optimizer):
    """Adam that looks ahead: the momentum it applies is the one of the next step.

    Formula, with the gradient g (−g if ``maximize``), step t and (β₁, β₂) = ``betas``:
      g ← g + weight_decay · θ                (``decoupled_weight_decay``: θ ← θ − lr · weight_decay · θ)
      μₜ = β₁ · (1 − 0.5 · 0.96^(t · momentum_decay)),   Π ← Π · μₜ
      m ← β₁ · m + (1 − β₁) · g
      v ← β₂ · v + (1 − β₂) · g²
      θ ← θ − lr · (μₜ₊₁ · m / (1 − Π · μₜ₊₁) + (1 − μₜ) · g / (1 − Π)) / (√(v / (1 − β₂ᵗ)) + eps)
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable`` and ``capturable``.
    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    >>> optimizer = torch.optim.NAdam([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.8944, -1.8944])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, None, differentiable, capturable)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        beta1, beta2 = group["betas"]
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state.update(step=scalar_state(0.0), mu_product=scalar_state(1.0))
                state.update(exp_avg=zero_state(parameter), exp_avg_sq=zero_state(parameter))
            step = count_step(state)
            mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (when * group["momentum_decay"])) for when in (step, step + 1))
            state["mu_product"].array[...] *= mu
            nadam_step(
                parameter.array,
                parameter.grad.array,
                state["exp_avg"].array,
                state["exp_avg_sq"].array,
                step=step,
                mu=mu,
                mu_next=mu_next,
                mu_product=float(state["mu_product"].array),
                lr=number(group["lr"]),
                beta1=beta1,
                beta2=beta2,
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                decoupled_weight_decay=group["decoupled_weight_decay"],
                maximize=group["maximize"],
            )


def nadam_step(
    parameter: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    step: float,
    mu: float,
    mu_next: float,
    mu_product: float,
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
    correction2 = 1 - beta2**step
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
        denominator = xp.sqrt(square / correction2)
        denominator += eps
        param -= (lr * (1 - mu) / (1 - mu_product)) * (g / denominator)
        param -= (lr * mu_next / (1 - mu_product * mu_next)) * (mean / denominator)
