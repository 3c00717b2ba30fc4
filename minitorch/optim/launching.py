"""What the launches of the optimizers' kernels have in common: when to look for one, and the learning rate."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.variable import Variable
from minitorch.backend import is_on_cpu
from minitorch.optim.optimizer import number


def are_on_gpu(parameters: list[Any]) -> bool:
    """Whether it is worth looking for kernels: the first parameter tells."""
    return bool(parameters) and not is_on_cpu(parameters[0].array)


def learning_rate(group: dict[str, Any]) -> list[Any]:
    """The learning rate as a kernel takes it: a pointer to where it lies on the GPU, or a number.

    On the GPU, a schedule can change it between two replays of a captured step.
    """
    rate = group["lr"]
    if isinstance(rate, Variable) and not is_on_cpu(rate.array) and rate.array.dtype == "float32":
        return [rate.array, 0.0]
    return [None, float(number(rate))]
