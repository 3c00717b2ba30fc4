"""Adam: steps scaled by running estimates of the gradient's mean and of its square."""

from __future__ import annotations

import math
from typing import Any

from minitorch.backend import Array, array_module, in_pieces
from minitorch.optim.adam_cuda import step_on_gpu
from minitorch.optim.launching import are_on_gpu
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
from minitorch.optim.scaling import scaling_of, unscaled_by_host


class Adam(Optimizer):
    """Adam, in its original form and with AMSGrad or decoupled weight decay.

    Formula, with the gradient g (−g if ``maximize``), step t and (β₁, β₂) = ``betas``:
      g ← g + weight_decay · θ                (``decoupled_weight_decay``: θ ← θ − lr · weight_decay · θ)
      m ← β₁ · m + (1 − β₁) · g
      v ← β₂ · v + (1 − β₂) · g²
      θ ← θ − lr · m / (1 − β₁ᵗ) / (√(w / (1 − β₂ᵗ)) + eps)   with w = v, or with ``amsgrad`` the largest v so far
    Args: ``foreach`` and ``fused`` choose among torch's implementations; here they change nothing, except that with
    ``fused`` a ``GradScaler`` leaves unscaling, and skipping of steps, to the optimizer's kernels. ``capturable`` and
    ``fused`` keep the step count on the GPU: a step that was captured in a CUDA graph counts when it is replayed, and a
    step that was left out does not.
    Raises: ValueError for options out of range; NotImplementedError for ``differentiable``; AssertionError in a step
    if ``capturable`` and a parameter is on the CPU.
    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015 (https://arxiv.org/abs/1412.6980);
    Reddi et al., "On the convergence of Adam and beyond", 2018.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    >>> optimizer = torch.optim.Adam([weight], lr=0.1)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
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
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_implementation(foreach, fused, differentiable)
        self._step_supports_amp_scaling = bool(fused)

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        names = ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if group["amsgrad"] else ()))
        scaling = scaling_of(self)
        if are_on_gpu(parameters):
            parameters = step_on_gpu(self.state, group, parameters, scaling)
        if group["capturable"] and parameters:
            raise AssertionError("If capturable=True, params and state_steps must be on supported devices: ['cuda'].")
        if parameters and any(each is not None for each in scaling):
            for parameter in parameters:  # torch has a state after a step that was left out, too
                prepare_state(self.state[parameter], parameter, *names)
            parameters = unscaled_by_host(scaling, parameters)
        for parameter in parameters:
            state = self.state[parameter]
            prepare_state(state, parameter, *names)
            adam_step(
                parameter.array,
                parameter.grad.array,
                state["exp_avg"].array,
                state["exp_avg_sq"].array,
                state["max_exp_avg_sq"].array if group["amsgrad"] else None,
                step=count_step(state),
                lr=number(group["lr"]),
                beta1=number(group["betas"][0]),
                beta2=number(group["betas"][1]),
                eps=group["eps"],
                weight_decay=group["weight_decay"],
                decoupled_weight_decay=group["decoupled_weight_decay"],
                maximize=group["maximize"],
            )


def adam_step(
    parameter: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None,
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
    """One step in place: everything but ``grad`` changes. ``max_exp_avg_sq`` is None without AMSGrad."""
    xp = array_module(parameter)
    step_size = lr / (1 - beta1**step)
    correction2_sqrt = math.sqrt(1 - beta2**step)

    def work(param: Array, g: Array, mean: Array, square: Array, largest: Array | None) -> None:
        if maximize:
            g = -g
        if weight_decay != 0:
            if decoupled_weight_decay:
                param *= 1 - lr * weight_decay
            else:
                g = g + weight_decay * param
        scratch = xp.subtract(g, mean, out=xp.empty_like(mean))  # an array also where there are no dimensions
        scratch *= 1 - beta1
        mean += scratch
        xp.multiply(g, g, out=scratch)
        scratch *= 1 - beta2
        square *= beta2
        square += scratch
        if largest is not None:
            xp.maximum(largest, square, out=largest)
        xp.sqrt(square if largest is None else largest, out=scratch)
        scratch /= correction2_sqrt
        scratch += eps
        xp.divide(mean, scratch, out=scratch)
        scratch *= step_size
        param -= scratch

    in_pieces(work, parameter, grad, exp_avg, exp_avg_sq, max_exp_avg_sq)
