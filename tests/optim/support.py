"""The same steps in both libraries: a trajectory, compared after every step, with the state at the end."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy
import torch as oracle

import minitorch

SHAPES = [(3, 2), (4,), (), (2, 1, 3)]


def initial_values(dtype: str) -> list[numpy.ndarray]:
    """Start values of the parameters."""
    random = numpy.random.default_rng(0)
    return [numpy.asarray(random.normal(size=shape), dtype) for shape in SHAPES]


def gradient(value: numpy.ndarray, step: int, position: int) -> numpy.ndarray | None:
    """A gradient that depends on the parameter and on the step; none at all for one parameter now and then."""
    if position == 1 and step % 7 == 3:
        return None
    noise = numpy.random.default_rng([step, position]).normal(size=value.shape)
    return numpy.asarray(value * (0.5 + position) + numpy.cos(3 * value) + 0.3 * noise, value.dtype)


class Run:
    """One optimizer of one library on parameters of its own."""

    def __init__(self, library: Any, make: Callable[[Any, list[Any]], Any], dtype: str = "float64") -> None:
        self.library = library
        self.parameters = [library.nn.Parameter(_tensor(library, value)) for value in initial_values(dtype)]
        self.optimizer = make(library, self.parameters)
        self.steps = 0

    def step(self) -> None:
        """Set every gradient, and step."""
        for position, parameter in enumerate(self.parameters):
            grad = gradient(as_numpy(parameter), self.steps, position)
            parameter.grad = None if grad is None else _tensor(self.library, grad)
        self.optimizer.step()
        self.steps += 1


def _tensor(library: Any, value: numpy.ndarray) -> Any:
    return library.from_numpy(value.copy())


def as_numpy(tensor: Any) -> numpy.ndarray:
    """A copy of the tensor's values."""
    return tensor.detach().numpy().copy()


def assert_same_trajectory(
    name: str, options: dict[str, Any], steps: int = 100, tolerance: float = 1e-9, dtype: str = "float64"
) -> tuple[Run, Run]:
    """Both libraries' optimizers called ``name`` visit the same points and remember the same state."""

    def make(library: Any, parameters: list[Any]) -> Any:
        half = {"params": parameters[2:], "lr": 0.03}  # a second group, with a rate of its own
        return getattr(library.optim, name)([{"params": parameters[:2]}, half], **copy.deepcopy(options))

    ours, theirs = Run(minitorch, make, dtype), Run(oracle, make, dtype)
    for step in range(steps):
        ours.step()
        theirs.step()
        for mine, expected in zip(ours.parameters, theirs.parameters):
            assert_close(as_numpy(mine), as_numpy(expected), tolerance, f"{name} {options}, step {step}")
    assert_same_state(ours.optimizer.state_dict(), theirs.optimizer.state_dict(), tolerance)
    return ours, theirs


def assert_close(actual: numpy.ndarray, expected: numpy.ndarray, tolerance: float, what: str) -> None:
    """Equal within ``tolerance`` of the larger of 1 and the expected value, and of one dtype."""
    assert actual.dtype == expected.dtype, what
    numpy.testing.assert_allclose(actual, expected, tolerance, tolerance, err_msg=what)


def assert_same_state(actual: Any, expected: Any, tolerance: float, path: str = "state_dict") -> None:
    """Two nested structures of numbers and tensors, ours and torch's, hold the same."""
    if isinstance(expected, oracle.Tensor):
        assert isinstance(actual, minitorch.Tensor), path
        assert tuple(actual.shape) == tuple(expected.shape), path
        assert_close(as_numpy(actual), as_numpy(expected), tolerance, path)
    elif isinstance(expected, dict):
        assert list(actual) == list(expected), path
        for key, value in expected.items():
            assert_same_state(actual[key], value, tolerance, f"{path}[{key!r}]")
    elif isinstance(expected, (list, tuple)):
        assert type(actual) is type(expected), path
        assert len(actual) == len(expected), path
        for index, (mine, value) in enumerate(zip(actual, expected)):
            assert_same_state(mine, value, tolerance, f"{path}[{index}]")
    elif isinstance(expected, float):
        assert abs(actual - expected) <= tolerance * max(1.0, abs(expected)), path
    else:
        assert actual == expected, path


def to_other_library(value: Any, library: Any) -> Any:
    """A nested structure with its tensors as tensors of ``library``."""
    if hasattr(value, "detach"):
        return library.from_numpy(as_numpy(value))
    if isinstance(value, dict):
        return {key: to_other_library(each, library) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_other_library(each, library) for each in value)
    return value
