"""RMSprop: gradients divided by the root of their mean square."""

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


class RMSprop(Optimizer):
    """RMSprop.

    Formula, with the gradient g (−g if ``maximize``):
      g ← g + weight_decay · θ
      v ← alpha · v + (1 − alpha) · g²
      d = √v + eps;   ``centered``:  a ← alpha · a + (1 − alpha) · g,   d = √(v − a²) + eps
      θ ← θ − lr · g / d;   with momentum:  b ← momentum · b + g / d,   θ ← θ − lr · b
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable``; AssertionError in
    a step if ``capturable`` (which keeps the step count on the GPU) and a parameter is on the CPU.
    Source: Hinton, lecture 6e of "Neural networks for machine learning", 2012; Graves, "Generating sequences
    with recurrent neural networks", 2013, for the centered form.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    >>> optimizer = torch.optim.RMSprop([weight], lr=0.01)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, None, differentiable)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        names = ["square_avg"]
        names += ["momentum_buffer"] if group["momentum"] > 0 else []
        names += ["grad_avg"] if group["centered"] else []
        for parameter in parameters:
            state = self.state[parameter]
            prepare_state(state, parameter, *names)
            next_step(group, state, parameter)  # not used, but part of the state that torch saves
            rmsprop_step(
                parameter.array,
                parameter.grad.array,
                state["square_avg"].array,
                state["grad_avg"].array if group["centered"] else None,
                state["momentum_buffer"].array if group["momentum"] > 0 else None,
                lr=rate_of(group),
                alpha=group["alpha"],
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                momentum=group["momentum"],
                maximize=group["maximize"],
            )


def rmsprop_step(
    parameter: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array | None,
    momentum_buffer: Array | None,
    *,
    lr: Any,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    """One step in place: everything but ``grad`` changes. None for what the options do not need."""
    xp = array_module(parameter)
    for param, g, square, mean, buffer in pieces(parameter, grad, square_avg, grad_avg, momentum_buffer):
        if maximize:
            g = -g
        if weight_decay != 0:
            g = g + weight_decay * param
        square *= alpha
        square += (1 - alpha) * (g * g)
        if mean is None:
            denominator = xp.sqrt(square)
        else:
            mean += (1 - alpha) * (g - mean)
            denominator = xp.sqrt(square - mean * mean)
        denominator += eps
        if buffer is None:
            param -= lr * (g / denominator)
        else:
            buffer *= momentum
            buffer += g / denominator
            param -= lr * buffer
