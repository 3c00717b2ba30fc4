"""SGD on a GPU: one launch of ``sgd.cu`` for all parameters of a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitorch.autograd.variable import wrap
from minitorch.backend import Array, array_module
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import kind_of, type_of
from minitorch.backend.multi_tensor import can_step, launch
from minitorch.optim.launching import learning_rate
from minitorch.optim.optimizer import check_state_is_made_before, number
from minitorch.optim.scaling import Scaling
from minitorch.tensor.tensor import Tensor

_kernels = KernelFile(Path(__file__).with_name("sgd.cu"))

Row = tuple[Array, Array, Array | None]  # a parameter, its gradient, its momentum buffer


def step_on_gpu(
    states: dict[Any, dict[str, Any]], group: dict[str, Any], parameters: list[Any], scaling: Scaling
) -> list[Any]:
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
        if is_first and scaling.found_inf is not None:
            # The host does not learn whether this step is left out. From a buffer of zeros the next one is right.
            if group["dampening"] != 0:
                others.append(parameter)  # but not so with dampening, which the first step has not
                continue
            known = states[parameter]["momentum_buffer"] = wrap(array_module(array).zeros_like(array), Tensor)
            is_first = False
        elif is_first:
            known = states[parameter]["momentum_buffer"] = wrap(array_module(array).empty_like(array), Tensor)
        row = (array, grad, None if known is None else known.array)
        launches.setdefault((kind_of(array), is_first), []).append(row)
    for (_, is_first), rows in launches.items():
        launch(
            _kernels,
            "sgd_step",
            list(zip(*rows)),
            [*_arguments(group, is_first), *scaling.near(rows[0][0])],
            {"ELEMENT": type_of(rows[0][0])},
        )
    return others


def _arguments(group: dict[str, Any], is_first: bool) -> list[Any]:
    numbers = [float(number(group[name])) for name in ("momentum", "dampening", "weight_decay")]
    return [*learning_rate(group), *numbers, int(group["nesterov"]), int(group["maximize"]), int(is_first)]
