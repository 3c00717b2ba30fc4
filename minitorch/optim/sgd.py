"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.variable import wrap
from minitorch.backend import Array, array_module, in_pieces
from minitorch.optim.launching import are_on_gpu
from minitorch.optim.optimizer import (
    Optimizer,
    check_implementation,
    check_learning_rate,
    check_not_negative,
    check_state_is_made_before,
    number,
)
from minitorch.optim.scaling import scaling_of, unscaled_by_host
from minitorch.optim.sgd_cuda import step_on_gpu
from minitorch.tensor.tensor import Tensor

_OPTIONS = ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")  # of ``sgd_step``


class SGD(Optimizer):
    """parameter ← parameter − lr · gradient, where momentum replaces the gradient by a running sum of gradients.

    Formula, with the gradient g (−g if ``maximize``), θ the parameter and b the momentum buffer:
      g ← g + weight_decay · θ
      b ← momentum · b + (1 − dampening) · g       (b ← g in the first step)
      g ← g + momentum · b  if ``nesterov``, else  g ← b
      θ ← θ − lr · g
    Args: ``foreach`` and ``fused`` choose among torch's implementations; here they change nothing, except that with
    ``fused`` a ``GradScaler`` leaves unscaling, and skipping of steps, to the optimizer's kernels.
    Raises: ValueError for a negative lr, momentum or weight_decay, and for ``nesterov`` without momentum or
    with dampening; NotImplementedError for ``differentiable``.
    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    >>> optimizer = torch.optim.SGD([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([0.8000, 1.6000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, fused, differentiable)
        self._step_supports_amp_scaling = bool(fused)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        scaling = scaling_of(self)
        if are_on_gpu(parameters):
            parameters = step_on_gpu(self.state, group, parameters, scaling)
        if not parameters:
            return  # before a look at options that may lie on the GPU
        if any(each is not None for each in scaling):
            parameters = unscaled_by_host(scaling, parameters)
        options: dict[str, Any] = {name: number(group[name]) for name in _OPTIONS}
        for parameter in parameters:
            momentum_buffer = None
            is_first = False
            if options["momentum"] != 0:
                state = self.state[parameter]
                is_first = state.get("momentum_buffer") is None
                if is_first:
                    check_state_is_made_before()
                    empty = array_module(parameter.array).empty_like(parameter.array)
                    state["momentum_buffer"] = wrap(empty, Tensor)
                momentum_buffer = state["momentum_buffer"].array
            sgd_step(parameter.array, parameter.grad.array, momentum_buffer, is_first=is_first, **options)


def sgd_step(
    parameter: Array,
    grad: Array,
    momentum_buffer: Array | None,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    is_first: bool,
) -> None:
    """One step in place: ``parameter`` and, with momentum, ``momentum_buffer`` change; ``grad`` does not.

    ``is_first`` says that the buffer holds nothing yet.
    """

    def step(param: Array, g: Array, buffer: Array | None) -> None:
        if maximize:
            g = -g
        if weight_decay != 0:
            g = g + weight_decay * param
        if buffer is not None:
            if is_first:
                buffer[...] = g
            else:
                buffer *= momentum
                buffer += g if dampening == 0 else (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        param -= lr * g

    in_pieces(step, parameter, grad, momentum_buffer)
