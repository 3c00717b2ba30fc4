"""A network trained in mixed precision on the CPU: torch's losses, and nearly those of float32."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle

import minitorch
from tests.amp.training import train
from tests.harness.compare import as_numpy


@pytest.mark.parametrize("fused", [None, True])
def test_losses_as_torch(fused: bool | None) -> None:
    ours, theirs = (train(package, "cpu", fused=fused) for package in (minitorch, oracle))
    numpy.testing.assert_allclose(ours[0], theirs[0], 2e-3)  # two float16 roundings of the largest loss
    assert ours[1] == theirs[1]
    for mine, their in zip(ours[2].parameters(), theirs[2].parameters()):
        assert mine.dtype is mine.grad.dtype is minitorch.float32
        numpy.testing.assert_allclose(as_numpy(mine), as_numpy(their), atol=2e-3)


def test_losses_near_those_of_float32() -> None:
    mixed, _, _ = train(minitorch, "cpu")
    full, _, _ = train(minitorch, "cpu", is_mixed=False)
    numpy.testing.assert_allclose(mixed, full, 5e-3)
    assert mixed != full


def test_overflows_are_left_out() -> None:
    """A scale of 2²⁴ takes gradients past float16's 65504: steps are left out until it is small enough."""
    ours, theirs = (train(package, "cpu", init_scale=2.0**24, steps=14) for package in (minitorch, oracle))
    assert ours[1] == theirs[1]
    assert ours[1][0] == 2.0**23
    assert ours[0][0] == ours[0][1], "nothing was learned in a step that was left out"
    assert ours[0][-1] < ours[0][0]
    numpy.testing.assert_allclose(ours[0], theirs[0], 2e-3)
