"""Adamax: Adam with the largest recent gradient in the place of the root of the mean square."""

from __future__ import annotations

from typing import Any

from minitorch.backend import Array, array_module
from minitorch.optim.optimizer import (
    Optimizer,
    check_betas,
    check_implementation,
    check_learning_rate,
    check_not_negative,
    next_step,
    prepare_state,
    rate_of,
)
from minitorch.optim.pieces import pieces


class Adamax(Optimizer):
    """The variant of Adam that is based on the infinity norm.

    Formula, with the gradient g (−g if ``maximize``), step t and (β₁, β₂) = ``betas``:
      g ← g + weight_decay · θ
      m ← β₁ · m + (1 − β₁) · g
      u ← max(β₂ · u, |g| + eps)
      θ ← θ − lr / (1 − β₁ᵗ) · m / u
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable``; AssertionError in
    a step if ``capturable`` (which keeps the step count on the GPU) and a parameter is on the CPU.
    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    >>> optimizer = torch.optim.Adamax([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, None, differentiable)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        for parameter in parameters:
            state = self.state[parameter]
            prepare_state(state, parameter, "exp_avg", "exp_inf")
            adamax_step(
                parameter.array,
                parameter.grad.array,
                state["exp_avg"].array,
                state["exp_inf"].array,
                step=next_step(group, state, parameter),
                lr=rate_of(group),
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                maximize=group["maximize"],
            )


def adamax_step(
    parameter: Array,
    grad: Array,
    exp_avg: Array,
    exp_inf: Array,
    *,
    step: Any,
    lr: Any,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """One step in place: everything but ``grad`` changes."""
    xp = array_module(parameter)
    step_size = lr / (1 - beta1**step)
    for param, g, mean, largest in pieces(parameter, grad, exp_avg, exp_inf):
        if maximize:
            g = -g
        if weight_decay != 0:
            g = g + weight_decay * param
        mean += (1 - beta1) * (g - mean)
        largest *= beta2
        xp.maximum(largest, abs(g) + eps, out=largest)
        param -= step_size * (mean / largest)
