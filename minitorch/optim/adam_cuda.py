"""Adam on a GPU: one launch of ``adam.cu`` for all parameters of a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitorch.backend import Array
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import kind_of, type_of
from minitorch.backend.multi_tensor import can_step, launch, multi_tensor_add
from minitorch.optim.launching import learning_rate
from minitorch.optim.optimizer import count_on_device, count_step, number, prepare_state
from minitorch.optim.scaling import Scaling

_kernels = KernelFile(Path(__file__).with_name("adam.cu"))

Row = tuple[Array | None, ...]  # a parameter, its gradient, mean, square, largest square, step count


def step_on_gpu(
    states: dict[Any, dict[str, Any]], group: dict[str, Any], parameters: list[Any], scaling: Scaling
) -> list[Any]:
    """Step those of the parameters that kernels can, and return the others.

    With ``capturable`` or ``fused`` a parameter's step count stands on the device: there a replayed graph counts, and
    there alone it is known whether a step was left out.
    """
    launches: dict[Any, list[Row]] = {}
    others = []
    names = ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if group["amsgrad"] else ()))
    counts_on_device = bool(group["capturable"] or group["fused"])
    for parameter in parameters:
        state, array = states[parameter], parameter.array
        prepare_state(state, parameter, *names)
        arrays = (array, parameter.grad.array, *(state[name].array for name in names))
        if not can_step(*arrays):
            others.append(parameter)
            continue
        step = count_on_device(state, parameter) if counts_on_device else None
        count = 0.0 if counts_on_device else count_step(state)
        row = (*arrays, *([None] * (5 - len(arrays))), step)
        launches.setdefault((kind_of(array), count), []).append(row)
    for (_, count), rows in launches.items():
        lists = list(zip(*rows))
        told = scaling.near(rows[0][0])
        if counts_on_device:
            multi_tensor_add(lists[5], 1.0, unless=told[1])
        settings = {"ELEMENT": type_of(lists[0][0]), "COUNT_ON_DEVICE": int(counts_on_device)}
        launch(_kernels, "adam_step", lists, [*_arguments(group, count), *told], settings)
    return others


def _arguments(group: dict[str, Any], count: float) -> list[Any]:
    beta1, beta2 = (float(number(beta)) for beta in group["betas"])
    numbers = [count, beta1, beta2, float(group["eps"]), float(number(group["weight_decay"]))]
    return [*learning_rate(group), *numbers, int(group["decoupled_weight_decay"]), int(group["maximize"])]
