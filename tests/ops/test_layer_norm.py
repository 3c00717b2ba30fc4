"""Layer and RMS normalisation against torch; see ``tests/harness/contract.py`` for the kinds of test."""

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

EPS = st.sampled_from([1e-5, 1e-3, 0.5])
# float32 normalises to size 1; sums over a row are then off by some units of 2⁻²⁴.
TOLERANCE = {"float32": (1e-5, 2e-5)}


def draw_rows(draw: Draw) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape of an input and its last dimensions, which are normalised; possibly of no elements."""
    normalized = draw_shape(draw, 1, 2, min_size=1, max_size=4)
    return (*draw_shape(draw, 0, 2, max_size=3), *normalized), normalized


def layer_norm_samples(draw: Draw) -> Sample:
    shape, normalized = draw_rows(draw)
    # Not a bias alone: there torch's second derivative fails (it is tried in ``TINY``).
    pairs = [(None, None), (Spec(normalized), None), (Spec(normalized), Spec(normalized))]
    # Distinct values: a variance near zero would make 1/√(σ² + ε) amplify rounding without bound.
    return Sample(Spec(shape, distinct=True, spacing=0.3), normalized, *draw(st.sampled_from(pairs)), draw(EPS))


def rms_norm_samples(draw: Draw) -> Sample:
    shape, normalized = draw_rows(draw)
    weight = Spec(normalized) if draw(st.booleans()) else None
    return Sample(Spec(shape, distinct=True, spacing=0.3), normalized, weight, draw(st.sampled_from([None, 1e-5, 0.5])))


X = Spec((2, 3, 4))
TINY = [
    Sample(Spec((2, 3)), (3,)),
    Sample(Spec((2, 3)), (3,), Spec((3,)), Spec((3,)), 1e-3),
    Sample(Spec((2, 2, 2)), (2, 2), None, Spec((2, 2))),
]
SHARED_ERRORS = [
    ErrorCase(
        Sample(X, ()), RuntimeError, "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least"
    ),
    ErrorCase(
        Sample(X, (4,), Spec((3,))),
        RuntimeError,
        r"Expected weight to be of same shape as normalized_shape, but got weight of shape \[3\] and "
        r"normalized_shape = \[4\]",
    ),
    ErrorCase(Sample(X, 4), TypeError, "must be tuple of ints, not int"),
]
LAYER_NORM_ERRORS = [
    *SHARED_ERRORS,
    ErrorCase(
        Sample(X, (3,)),
        RuntimeError,
        r"Given normalized_shape=\[3\], expected input with shape \[\*, 3\], but got input of size\[2, 3, 4\]",
    ),
    ErrorCase(Sample(X, (5, 2, 3, 4)), RuntimeError, r"expected input with shape \[\*, 5, 2, 3, 4\]"),
    ErrorCase(Sample(X, (4,), None, Spec((3,))), RuntimeError, r"but got bias of shape \[3\]"),
    ErrorCase(
        Sample(X, (4,), Spec((4,), dtype="float64")),
        RuntimeError,
        r"mixed dtype \(CPU\): expect parameter to have scalar type of Float",
    ),
    ErrorCase(
        Sample(X, (4,)), NotImplementedError, "\"LayerNormKernelImpl\" not implemented for 'Long'", dtype="int64"
    ),
]
RMS_NORM_ERRORS = [
    *SHARED_ERRORS,
    ErrorCase(
        Sample(X, (3,)),
        RuntimeError,
        r"Given normalized_shape=\[3\], expected input with shape \[\*3\], but got input of size\[2, 3, 4\]",
    ),
    ErrorCase(Sample(X, (4,)), NotImplementedError, "\"rms_norm\" not implemented for 'Long'", dtype="int64"),
]


class TestLayerNorm(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.layer_norm",
            layer_norm_samples,
            tiny=TINY,
            errors=LAYER_NORM_ERRORS,
            tolerance=TOLERANCE,
            has_kernels=True,
        ),
        Declaration(
            "nn.functional.rms_norm", rms_norm_samples, tiny=TINY[:1], errors=RMS_NORM_ERRORS, tolerance=TOLERANCE
        ),
    ]


def test_every_row_has_mean_0_and_variance_1() -> None:
    array = numpy.random.default_rng(0).normal(5, 3, (4, 50))
    output = minitorch.nn.functional.layer_norm(to_ours(array), (50,)).array
    numpy.testing.assert_allclose(output.mean(1), 0, atol=1e-12)
    numpy.testing.assert_allclose(output.var(1), 1, 1e-5)
    root = minitorch.nn.functional.rms_norm(to_ours(array), (50,)).array
    numpy.testing.assert_allclose((root**2).mean(1), 1, 1e-12)


def test_float32_survives_a_large_mean() -> None:
    array = (1000 + numpy.random.default_rng(0).normal(size=(8, 500))).astype("float32")
    exact = oracle.nn.functional.layer_norm(to_torch(array.astype("float64")), (500,)).numpy()
    # The mean itself is off by a unit in the last place of 1000, 6·10⁻⁵.
    numpy.testing.assert_allclose(minitorch.nn.functional.layer_norm(to_ours(array), (500,)).array, exact, 0, 2e-4)


@pytest.mark.parametrize("parameter", ["float16", "float32"])
def test_float16_is_computed_in_float32(parameter: str) -> None:
    array, weight = numpy.random.default_rng(0).normal(size=(2, 8)).astype("float16"), numpy.arange(8.0)
    for name in ("layer_norm", "rms_norm"):
        outputs = [
            getattr(package.nn.functional, name)(convert(array), (8,), convert(weight.astype(parameter)))
            for package, convert in ((minitorch, to_ours), (oracle, to_torch))
        ]
        assert_equal(*outputs, {"float16": (2e-3, 2e-3)})


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
def test_no_elements(shape: tuple[int, int]) -> None:
    array = numpy.zeros(shape, "float32")
    ours = minitorch.nn.functional.layer_norm(to_ours(array), shape[1:])
    assert_equal(ours, oracle.nn.functional.layer_norm(to_torch(array), shape[1:]))


def test_the_nodes_name_is_torchs() -> None:
    array = numpy.eye(3)
    for name in ("layer_norm", "rms_norm"):
        names = [
            getattr(package.nn.functional, name)(convert(array, True), (3,)).grad_fn.name()
            for package, convert in ((minitorch, to_ours), (oracle, to_torch))
        ]
        assert names[0] == names[1]
