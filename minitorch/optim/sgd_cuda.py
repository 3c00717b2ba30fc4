"""SGD on a GPU: one launch of ``sgd.cu`` for all parameters of a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitorch.autograd.variable import wrap
from minitorch.backend import Array, array_module
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import TYPES, kind_of
from minitorch.backend.multi_tensor import can_step, launch
from minitorch.optim.launching import learning_rate
from minitorch.optim.optimizer import check_state_is_made_before, number
from minitorch.tensor.tensor import Tensor

_kernels = KernelFile(Path(__file__).with_name("sgd.cu"))

Row = tuple[Array, Array, Array | None]  # a parameter, its gradient, its momentum buffer


def step_on_gpu(states: dict[Any, dict[str, Any]], group: dict[str, Any], parameters: list[Any]) -> list[Any]:
    """Step those of the parameters that kernels can, and return the others."""
    launches: dict[Any, list[Row]] = {}
    others = []
    for parameter in parameters:
        array, grad = parameter.array, parameter.grad.array
        known = states[parameter].get("momentum_buffer") if group["momentum"] != 0 else None
        if not can_step(array, grad, None if known is None else known.array):
            others.append(parameter)
            continue
        is_first = group["momentum"] != 0 and known is None
        if is_first:
            check_state_is_made_before()
            known = states[parameter]["momentum_buffer"] = wrap(array_module(array).empty_like(array), Tensor)
        row = (array, grad, None if known is None else known.array)
        launches.setdefault((kind_of(array), is_first), []).append(row)
    for (_, is_first), rows in launches.items():
        launch(
            _kernels,
            "sgd_step",
            list(zip(*rows)),
            _arguments(group, is_first),
            {"ELEMENT": TYPES[rows[0][0].dtype.name]},
        )
    return others


def _arguments(group: dict[str, Any], is_first: bool) -> list[Any]:
    numbers = [float(number(group[name])) for name in ("momentum", "dampening", "weight_decay")]
    return [*learning_rate(group), *numbers, int(group["nesterov"]), int(group["maximize"]), int(is_first)]
