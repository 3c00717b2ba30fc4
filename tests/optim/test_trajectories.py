"""Every optimizer but SGD and LBFGS (which have files of their own) against torch's trajectory."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.optim.support import assert_same_trajectory


def grid(**choices: list[Any]) -> list[dict[str, Any]]:
    """Every combination of the choices."""
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


BOTH = [False, True]
DECAY = [0, 0.1]
ADAM = grid(lr=[0.05], betas=[(0.9, 0.999), (0.5, 0.8)], weight_decay=DECAY, amsgrad=BOTH, maximize=BOTH)
OPTIONS = {
    "Adam": [{"weight_decay": 0.1, "decoupled_weight_decay": True}, *ADAM],
    "AdamW": ADAM,
    "Adamax": grid(lr=[0.05], eps=[1e-8, 0.1], weight_decay=DECAY, maximize=BOTH),
    "NAdam": grid(
        lr=[0.05],
        weight_decay=DECAY,
        momentum_decay=[0.004, 0.1],
        decoupled_weight_decay=BOTH,
        maximize=BOTH,
    ),
    "RAdam": [
        {"betas": (0.5, 0.7), "lr": 0.01},
        *grid(lr=[0.02], weight_decay=DECAY, decoupled_weight_decay=BOTH, maximize=BOTH),
    ],
    "ASGD": [
        {"lr": 0.01, "alpha": 0.5, "maximize": True},
        *grid(lr=[0.05], lambd=[1e-4, 0.1], t0=[1e6, 20], weight_decay=DECAY),
    ],
    "Adadelta": grid(lr=[0.5, 1.0], rho=[0.9, 0.5], eps=[1e-6, 0.01], weight_decay=DECAY, maximize=BOTH),
    "Adagrad": grid(lr=[0.1], lr_decay=[0, 0.1], initial_accumulator_value=[0, 0.5], weight_decay=DECAY, maximize=BOTH),
    "RMSprop": grid(lr=[0.02], alpha=[0.99, 0.5], momentum=[0, 0.9], centered=BOTH, weight_decay=DECAY, maximize=BOTH),
    "Rprop": grid(lr=[0.01], etas=[(0.5, 1.2), (0.3, 1.5)], step_sizes=[(1e-6, 50), (1e-3, 0.1)], maximize=BOTH),
}
CASES = [(name, options) for name, grids in OPTIONS.items() for options in [{}, *grids]]


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_trajectory_equals_torch(name, options):
    # ascent grows without bound: compare it for as long as the numbers stay moderate
    assert_same_trajectory(name, options, steps=20 if options.get("maximize") else 100)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_float32_equals_torch(name):
    # a rounding error of 6e-8 comes back through the gradient, up to three times as large, in every step
    assert_same_trajectory(name, {}, steps=20, tolerance=1e-5, dtype="float32")
