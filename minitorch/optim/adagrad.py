"""Adagrad: each element's step shrinks with the squares of all gradients it has had."""

from __future__ import annotations

from typing import Any

from minitorch.backend import Array, array_module
from minitorch.optim.optimizer import (
    Optimizer,
    check_implementation,
    check_learning_rate,
    check_not_negative,
    count_step,
    number,
    scalar_state,
    zero_state,
)
from minitorch.optim.pieces import pieces


class Adagrad(Optimizer):
    """Adagrad.

    Formula, with the gradient g (−g if ``maximize``), step t and s = ``initial_accumulator_value`` at first:
      g ← g + weight_decay · θ
      s ← s + g²
      θ ← θ − lr / (1 + (t − 1) · lr_decay) · g / (√s + eps)
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable``.
    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods", 2011.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    >>> optimizer = torch.optim.Adagrad([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(lr_decay=lr_decay, weight_decay=weight_decay)
        check_not_negative(initial_accumulator_value=initial_accumulator_value, epsilon=eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, fused, differentiable)
        for group in self.param_groups:
            for parameter in group["params"]:
                self._prepare(parameter, group)

    def _prepare(self, parameter: Any, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state.update(step=scalar_state(0.0), sum=zero_state(parameter))
            state["sum"].array[...] = group["initial_accumulator_value"]

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        for parameter in parameters:
            self._prepare(parameter, group)  # of a group that was added later
            state = self.state[parameter]
            step = count_step(state)
            adagrad_step(
                parameter.array,
                parameter.grad.array,
                state["sum"].array,
                lr=number(group["lr"]) / (1 + (step - 1) * group["lr_decay"]),
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                maximize=group["maximize"],
            )


def adagrad_step(
    parameter: Array,
    grad: Array,
    squares: Array,
    *,
    lr: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """One step in place: ``parameter`` and ``squares`` change, ``grad`` does not. ``lr`` has decayed already."""
    xp = array_module(parameter)
    for param, g, total in pieces(parameter, grad, squares):
        if maximize:
            g = -g
        if weight_decay != 0:
            g = g + weight_decay * param
        total += g * g
        denominator = xp.sqrt(total)
        denominator += eps
        param -= lr * (g / denominator)
