"""Group normalisation against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from typing import ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

# float32 normalises to size 1; sums over a group are then off by some units of 2⁻²⁴.
TOLERANCE = {"float32": (1e-5, 2e-5)}


def samples(draw: Draw) -> Sample:
    groups, channels_of_group = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rest = draw_shape(draw, 0, 3, min_size=1, max_size=3)
    if channels_of_group == 1:
        rest = (*rest, 2)  # a group of one value has no variance
    C = groups * channels_of_group
    # Not a bias alone: there torch's backward fails (it is tried in ``TINY``).
    parameters = draw(st.sampled_from([(None, None), (Spec((C,)), None), (Spec((C,)), Spec((C,)))]))
    shape = (draw(st.integers(1, 3)), C, *rest)  # for an empty batch torch fails in backward
    return Sample(Spec(shape, distinct=True, spacing=0.3), groups, *parameters, draw(st.sampled_from([1e-5, 0.5])))


X = Spec((2, 4, 3))
TINY = [
    Sample(Spec((2, 4)), 2),
    Sample(Spec((2, 4, 2)), 2, Spec((4,)), Spec((4,)), 1e-3),
    Sample(Spec((1, 4)), 2, None, Spec((4,))),
]
ERRORS = [
    ErrorCase(
        Sample(X, 3),
        RuntimeError,
        r"Expected number of channels in input to be divisible by num_groups, but got input of shape \[2, 4, 3\] and "
        "num_groups=3",
    ),
    ErrorCase(Sample(Spec((4,)), 2), RuntimeError, "Expected at least 2 dimensions for input tensor but received 1"),
    ErrorCase(
        Sample(Spec((1, 4)), 4),
        ValueError,
        r"Expected more than 1 value per channel when training, got input size \[1, 4\]",
    ),
    ErrorCase(
        Sample(X, 2, Spec((3,))),
        RuntimeError,
        "Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape "
        r"\[3\] and input of shape \[2, 4, 3\]",
    ),
    ErrorCase(Sample(X, 2, None, Spec((3,))), RuntimeError, "Expected bias to be a vector of size equal to the number"),
    ErrorCase(Sample(X, -1), RuntimeError, "Expected num groups to be greater than 0, got -1"),
    ErrorCase(Sample(X, 0), ZeroDivisionError, "by zero"),
    ErrorCase(
        Sample(X, 2, Spec((4,), dtype="float64")), RuntimeError, r"mixed dtype \(CPU\): expect parameter to have"
    ),
    ErrorCase(Sample(X, 2), NotImplementedError, "\"GroupNormKernelImpl\" not implemented for 'Long'", dtype="int64"),
]


class TestGroupNorm(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.group_norm", samples, tiny=TINY, errors=ERRORS, tolerance=TOLERANCE, has_kernels=True
        )
    ]


@pytest.mark.parametrize("shape", [(0, 4, 3), (2, 4, 0)])
def test_no_elements(shape: tuple[int, ...]) -> None:
    array = numpy.zeros(shape)
    ours = minitorch.nn.functional.group_norm(to_ours(array), 2)
    assert_equal(ours, oracle.nn.functional.group_norm(to_torch(array), 2))


def test_the_extremes_are_layer_norm_and_instance_norm() -> None:
    x = to_ours(numpy.random.default_rng(0).normal(size=(2, 4, 3)))
    functional = minitorch.nn.functional
    numpy.testing.assert_allclose(functional.group_norm(x, 1).array, functional.layer_norm(x, (4, 3)).array, 1e-10)
    numpy.testing.assert_allclose(functional.group_norm(x, 4).array, functional.instance_norm(x).array, 1e-10)


def test_the_nodes_name_is_torchs() -> None:
    array = numpy.random.default_rng(0).normal(size=(2, 4))
    names = [
        package.nn.functional.group_norm(convert(array, True), 2).grad_fn.name()
        for package, convert in ((minitorch, to_ours), (oracle, to_torch))
    ]
    assert names[0] == names[1]
