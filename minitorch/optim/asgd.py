"""ASGD: stochastic gradient descent that also keeps the average of the points it visits."""

from __future__ import annotations

from typing import Any

from minitorch.backend import Array
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


class ASGD(Optimizer):
    """Averaged stochastic gradient descent.

    Formula, with the gradient g (−g if ``maximize``), step t and averages in ``state[parameter]["ax"]``:
      g ← g + weight_decay · θ
      θ ← θ · (1 − lambd · η) − η · g
      a ← a + μ · (θ − a)
      η ← lr / (1 + lambd · lr · t)^alpha,   μ ← 1 / max(1, t − t0)          (at first η = lr, μ = 1)
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable`` and ``capturable``.
    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    >>> optimizer = torch.optim.ASGD([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([0.8000, 1.6000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, None, differentiable, capturable)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        lr, lambd = number(group["lr"]), group["lambd"]
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state.update(step=scalar_state(0.0), eta=scalar_state(lr), mu=scalar_state(1.0))
                state["ax"] = zero_state(parameter)
            step = count_step(state)
            asgd_step(
                parameter.array,
                parameter.grad.array,
                state["ax"].array,
                eta=float(state["eta"].array),
                mu=float(state["mu"].array),
                lambd=lambd,
                weight_decay=group["weight_decay"],
                maximize=group["maximize"],
            )
            # as in torch both numbers are rounded to the default dtype
            state["eta"].copy_(scalar_state(lr / (1 + lambd * lr * step) ** group["alpha"]))
            state["mu"].copy_(scalar_state(1 / max(1, step - group["t0"])))


def asgd_step(
    parameter: Array,
    grad: Array,
    average: Array,
    *,
    eta: float,
    mu: float,
    lambd: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """One step in place: ``parameter`` and ``average`` change, ``grad`` does not."""
    for param, g, mean in pieces(parameter, grad, average):
        if maximize:
            g = -g
        if weight_decay != 0:
            g = g + weight_decay * param
        param *= 1 - lambd * eta
        param -= eta * g
        if mu == 1:
            mean[...] = param
        else:
            mean += mu * (param - mean)
