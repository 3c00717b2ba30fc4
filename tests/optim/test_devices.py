"""Optimizers and gradient clipping compute on the parameters' own device: on CuPy's strict stand-in, and on a GPU."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import minitorch as torch
from minitorch.autograd.variable import wrap
from minitorch.backend import accelerator
from tests.harness.strict_array import StrictArray, strict
from tests.optim.support import SHAPES, gradient, initial_values

CASES = [
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5, "maximize": True}),
    ("ASGD", {"t0": 2, "weight_decay": 0.1}),
    ("Adadelta", {"weight_decay": 0.1}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {"betas": (0.5, 0.7)}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Rprop", {}),
]


@pytest.fixture
def stand_in():
    previous = accelerator.install(strict)
    yield
    accelerator.install(previous)


def run(name: str, options: dict[str, Any], to_device: Any, to_host: Any) -> list[numpy.ndarray]:
    """Parameters and state after a few steps."""
    parameters = [torch.nn.Parameter(wrap(to_device(value), torch.Tensor)) for value in initial_values("float32")]
    optimizer = getattr(torch.optim, name)(parameters, lr=0.05, **options)
    for step in range(8):
        for position, parameter in enumerate(parameters):
            grad = gradient(to_host(parameter.array), step, position)
            parameter.grad = None if grad is None else wrap(to_device(grad), torch.Tensor)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        torch.nn.utils.clip_grad_value_(parameters, 0.4)
        optimizer.step()
    states = [value for state in optimizer.state.values() for value in state.values()]
    return [to_host(tensor.array) for tensor in [*parameters, *states]]


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_runs_on_strict_arrays(name, options, stand_in):
    def to_host(array: Any) -> numpy.ndarray:
        return array.get() if isinstance(array, StrictArray) else array.copy()

    on_host = run(name, options, numpy.array, to_host)
    on_device = run(name, options, strict.asarray, to_host)
    assert len(on_host) >= len(SHAPES)
    for mine, expected in zip(on_device, on_host):
        numpy.testing.assert_allclose(mine, expected, 1e-6, 1e-6)


@pytest.mark.cuda
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_gpu_equals_cpu(name, options):
    cupy = accelerator.require()
    on_host = run(name, options, numpy.array, numpy.array)
    on_device = run(name, options, cupy.asarray, lambda array: array.get() if hasattr(array, "get") else array.copy())
    for mine, expected in zip(on_device, on_host):
        numpy.testing.assert_allclose(mine, expected, 1e-5, 1e-5)
