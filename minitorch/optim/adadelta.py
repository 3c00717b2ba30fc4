"""Adadelta: step lengths from the ratio of two running averages, without a learning rate to choose."""

from __future__ import annotations

from typing import Any

from minitorch.backend import Array, array_module
from minitorch.optim.optimizer import (
    Optimizer,
    check_implementation,
    check_learning_rate,
    check_not_negative,
    next_step,
    prepare_state,
    rate_of,
)
from minitorch.optim.pieces import pieces


class Adadelta(Optimizer):
    """Adadelta.

    Formula, with the gradient g (−g if ``maximize``):
      g ← g + weight_decay · θ
      v ← rho · v + (1 − rho) · g²
      Δ = √(u + eps) / √(v + eps) · g
      u ← rho · u + (1 − rho) · Δ²
      θ ← θ − lr · Δ
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable``; AssertionError in
    a step if ``capturable`` (which keeps the step count on the GPU) and a parameter is on the CPU.
    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    >>> optimizer = torch.optim.Adadelta([weight], lr=10)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([0.9684, 1.9684])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(epsilon=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, None, differentiable)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        for parameter in parameters:
            state = self.state[parameter]
            prepare_state(state, parameter, "square_avg", "acc_delta")
            next_step(group, state, parameter)  # not used, but part of the state that torch saves
            adadelta_step(
                parameter.array,
                parameter.grad.array,
                state["square_avg"].array,
                state["acc_delta"].array,
                lr=rate_of(group),
                rho=group["rho"],
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                maximize=group["maximize"],
            )


def adadelta_step(
    parameter: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    *,
    lr: Any,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """One step in place: everything but ``grad`` changes."""
    xp = array_module(parameter)
    for param, g, square, change_square in pieces(parameter, grad, square_avg, acc_delta):
        if maximize:
            g = -g
        if weight_decay != 0:
            g = g + weight_decay * param
        square *= rho
        square += (1 - rho) * (g * g)
        change = xp.sqrt(change_square + eps)
        change /= xp.sqrt(square + eps)
        change *= g
        change_square *= rho
        change_square += (1 - rho) * (change * change)
        param -= lr * change
