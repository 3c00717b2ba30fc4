"""LBFGS against torch on functions that curve in different ways."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
import minitorch as torch
from minitorch.optim.line_search import Point, cubic_minimum
from tests.optim.support import as_numpy, assert_same_state, to_other_library


def rosenbrock(x: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def bowl(x: Any) -> Any:
    return (x[0] * x[0] * 5 + x[1] * x[1] * 0.3 + x[0] * x[1]) + 1.5 * x[0]


def quartic(x: Any) -> Any:
    return (x**4).sum() / 4 - (x * x).sum() + x[0] * 0.1


OPTIONS = [
    {},
    {"lr": 0.1},
    {"lr": 0.5, "max_iter": 5, "history_size": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 0.1, "history_size": 2, "max_iter": 7},
    {"line_search_fn": "strong_wolfe", "lr": 20.0, "max_eval": 9},
    {"tolerance_grad": 0.1},
    {"tolerance_change": 0.01, "line_search_fn": "strong_wolfe"},
]


class Run:
    """One library's optimizer on one function."""

    def __init__(self, library: Any, function: Any, options: dict[str, Any]) -> None:
        self.weight = library.nn.Parameter(library.tensor([-1.2, 1.0], dtype=library.float64))
        self.unused = library.nn.Parameter(library.zeros(2, dtype=library.float64))  # never has a gradient
        self.optimizer = library.optim.LBFGS([self.weight, self.unused], **options)
        self.function = function
        self.calls = 0

    def closure(self) -> Any:
        self.calls += 1
        self.optimizer.zero_grad()
        loss = self.function(self.weight)
        loss.backward()
        return loss

    def step(self) -> float:
        return float(self.optimizer.step(self.closure).detach())


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("function", [rosenbrock, bowl, quartic])
def test_trajectory_equals_torch(function, options):
    ours, theirs = Run(minitorch, function, options), Run(oracle, function, options)
    # without a line search Rosenbrock's valley magnifies rounding errors a thousandfold a step
    for step in range(4 if "line_search_fn" in options else 2):
        losses = ours.step(), theirs.step()
        if not math.isfinite(losses[1]) or abs(losses[1]) > 1e6:
            break  # without a line search the method may diverge: not comparable for long
        assert losses[0] == pytest.approx(losses[1], rel=1e-9, abs=1e-12), step
        numpy.testing.assert_allclose(as_numpy(ours.weight), as_numpy(theirs.weight), 1e-9, 1e-9)
        assert ours.calls == theirs.calls
    assert ours.unused.tolist() == [0, 0]


def test_state_equals_torch():
    runs = [Run(library, rosenbrock, {"line_search_fn": "strong_wolfe"}) for library in (minitorch, oracle)]
    for run in runs:
        run.step()
    mine, expected = (run.optimizer.state_dict() for run in runs)
    expected["state"][0].pop("al")  # torch's scratch space
    mine["state"][0] = {key: mine["state"][0][key] for key in expected["state"][0]}
    assert_same_state(mine, expected, 1e-9)


def test_going_on_from_torchs_state():
    ours, theirs = (Run(library, rosenbrock, {"line_search_fn": "strong_wolfe"}) for library in (minitorch, oracle))
    theirs.step()
    ours.optimizer.load_state_dict(to_other_library(theirs.optimizer.state_dict(), minitorch))
    ours.weight.data = torch.from_numpy(as_numpy(theirs.weight))
    ours.step()
    theirs.step()
    numpy.testing.assert_allclose(as_numpy(ours.weight), as_numpy(theirs.weight), 1e-9, 1e-9)


def test_minimum_is_found():
    run = Run(torch, rosenbrock, {"line_search_fn": "strong_wolfe", "max_iter": 100})
    run.step()
    numpy.testing.assert_allclose(as_numpy(run.weight), [1, 1], 1e-4)


def test_cubic_minimum_of_a_cubic():
    # f(t) = t³ − 3t has its minimum at 1
    left, right = (Point(t, t**3 - 3 * t, None, 3 * t**2 - 3) for t in (0.0, 3.0))
    assert cubic_minimum(left, right) == pytest.approx(1.0)
    assert cubic_minimum(right, left) == pytest.approx(1.0)
    assert cubic_minimum(left, right, (2.0, 3.0)) == 2.0


def test_cubic_without_minimum_gives_the_middle():
    # f(t) = t³ + t rises everywhere
    left, right = (Point(t, t**3 + t, None, 3 * t**2 + 1) for t in (-1.0, 2.0))
    assert cubic_minimum(left, right) == 0.5


def test_errors():
    parameters = [torch.nn.Parameter(torch.ones(2))]
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        torch.optim.LBFGS(parameters, lr=-1)
    with pytest.raises(ValueError, match=r"LBFGS doesn't support per-parameter options \(parameter groups\)"):
        torch.optim.LBFGS([{"params": parameters}, {"params": [torch.nn.Parameter(torch.ones(1))]}])
    with pytest.raises(TypeError, match="closure"):
        torch.optim.LBFGS(parameters).step()
    run = Run(torch, bowl, {"line_search_fn": "golden"})
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        run.step()
