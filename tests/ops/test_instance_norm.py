"""Instance normalisation against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

NAME = "nn.functional.instance_norm"
# float32 normalises to size 1; sums over a channel are then off by some units of 2⁻²⁴.
TOLERANCE = {"float32": (1e-5, 2e-5)}


def samples(draw: Draw) -> Sample:
    C = draw(st.integers(1, 3))
    uses_input = draw(st.booleans())
    shape = (draw(st.integers(1, 3)), C, *draw_shape(draw, 0, 2, min_size=1, max_size=3), 2)
    mean, var = Spec((C,), differentiable=False), Spec((C,), low=0.1, differentiable=False)
    # Not a bias alone: there torch's second derivative of batch_norm fails.
    weight, bias = draw(st.sampled_from([(None, None), (Spec((C,)), None), (Spec((C,)), Spec((C,)))]))
    averages = (None, None) if uses_input else (mean, var)
    return Sample(
        Spec(shape, distinct=True, spacing=0.3),
        *averages,
        weight,
        bias,
        uses_input,
        eps=draw(st.sampled_from([1e-5, 0.5])),
    )


X = Spec((2, 3, 4))
ERRORS = [
    ErrorCase(
        Sample(Spec((2, 3, 1))),
        ValueError,
        r"Expected more than 1 spatial element when training, got input size torch.Size\(\[2, 3, 1\]\)",
    ),
    ErrorCase(Sample(Spec((2, 3))), ValueError, "Expected more than 1 spatial element when training"),
    ErrorCase(
        Sample(X, use_input_stats=False),
        RuntimeError,
        "Expected running_mean and running_var to be defined when use_input_stats is false",
    ),
    ErrorCase(Sample(X, Spec((2,)), Spec((2,))), RuntimeError, "running_mean should contain 6 elements not 4"),
    ErrorCase(Sample(X, Spec((3,)), None), ValueError, "must either both be None or neither be None"),
    ErrorCase(Sample(X, weight=Spec((2,))), RuntimeError, "weight should contain 6 elements not 4"),
]


class TestInstanceNorm(OpContract):
    declarations: ClassVar = [
        Declaration(
            NAME,
            samples,
            tiny=[Sample(Spec((2, 2, 3)), weight=Spec((2,)), bias=Spec((2,)))],
            errors=ERRORS,
            tolerance=TOLERANCE,
        )
    ]


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 3, 2, 2)])
@pytest.mark.parametrize("momentum", [0.1, 1.0])
def test_running_averages_are_the_mean_over_samples(shape: tuple[int, ...], momentum: float) -> None:
    array = numpy.random.default_rng(0).normal(2, 3, shape)
    results: list[Any] = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        mean, var = convert(numpy.array([0.5, -1, 3])), convert(numpy.array([1, 2, 0.25]))
        package.nn.functional.instance_norm(convert(array), mean, var, momentum=momentum)
        results.append((mean, var))
    assert_equal(results[0][0], results[1][0])
    assert_equal(results[0][1], results[1][1])


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 3, 0)])
def test_no_elements(shape: tuple[int, ...]) -> None:
    array = numpy.zeros(shape)
    assert_equal(
        minitorch.nn.functional.instance_norm(to_ours(array)), oracle.nn.functional.instance_norm(to_torch(array))
    )
