"""Rprop: only the gradient's sign counts; steps grow while it stays and shrink when it changes."""

from __future__ import annotations

from typing import Any

from minitorch.backend import Array, array_module
from minitorch.optim.optimizer import (
    Optimizer,
    check_implementation,
    check_learning_rate,
    count_step,
    number,
    scalar_state,
    zero_state,
)
from minitorch.optim.pieces import pieces


class Rprop(Optimizer):
    """Resilient backpropagation, for gradients of a whole data set.

    Formula, element by element, with the gradient g (−g if ``maximize``), the previous one p, a step length s
    (lr at first), (η⁻, η⁺) = ``etas`` and bounds ``step_sizes``:
      g · p > 0:  s ← min(s · η⁺, largest)
      g · p < 0:  s ← max(s · η⁻, smallest),   g ← 0
      θ ← θ − sign(g) · s,   p ← g
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable`` and ``capturable``.
    Source: Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning", 1993.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    >>> optimizer = torch.optim.Rprop([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, None, differentiable, capturable)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state.update(step=scalar_state(0.0), prev=zero_state(parameter), step_size=zero_state(parameter))
                state["step_size"].array[...] = number(group["lr"])
            count_step(state)  # not used, but part of the state that torch saves
            rprop_step(
                parameter.array,
                parameter.grad.array,
                state["prev"].array,
                state["step_size"].array,
                etas=group["etas"],
                step_sizes=group["step_sizes"],
                maximize=group["maximize"],
            )


def rprop_step(
    parameter: Array,
    grad: Array,
    previous: Array,
    step_size: Array,
    *,
    etas: tuple[float, float],
    step_sizes: tuple[float, float],
    maximize: bool,
) -> None:
    """One step in place: everything but ``grad`` changes."""
    xp = array_module(parameter)
    for param, g, before, length in pieces(parameter, grad, previous, step_size):
        if maximize:
            g = -g
        agreement = g * before
        unchanged = xp.ones_like(length)
        length *= xp.where(agreement > 0, etas[1], xp.where(agreement < 0, etas[0], unchanged))
        xp.clip(length, step_sizes[0], step_sizes[1], out=length)
        g = xp.where(agreement < 0, 0.0, g)
        param -= xp.sign(g) * length
        before[...] = g
