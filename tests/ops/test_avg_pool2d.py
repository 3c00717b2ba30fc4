"""``avg_pool2d`` and ``avg_pool1d`` against torch, the reference, and differences."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from minitorch.nn import functional
from reference import avg_pool2d as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.window_samples import LAYOUTS, assert_same_layout, draw_batch, draw_option, draw_pooling_axis

IMAGES = Spec((2, 3, 8, 8))


def avg_pool2d_samples(draw: Draw) -> Sample:
    (H, W), kernel, stride, padding, _ = zip(draw_pooling_axis(draw), draw_pooling_axis(draw))
    return Sample(
        Spec((*draw_batch(draw), draw(st.integers(1, 3)), H, W)),
        draw_option(draw, kernel),
        draw(st.sampled_from([None, draw_option(draw, stride)])),
        draw_option(draw, padding),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([None, 3, -2])),
    )


def avg_pool1d_samples(draw: Draw) -> Sample:
    L, kernel, stride, padding, _ = draw_pooling_axis(draw)
    return Sample(
        Spec((*draw_batch(draw), draw(st.integers(1, 3)), L)),
        draw_option(draw, (kernel,)),
        draw(st.sampled_from([None, stride])),
        padding,
        draw(st.booleans()),
        draw(st.booleans()),
    )


class TestAvgPool(OpContract):
    declarations = [
        Declaration(
            "nn.functional.avg_pool2d",
            avg_pool2d_samples,
            reference=reference.avg_pool2d,
            tiny=[
                Sample(Spec((1, 2, 4, 4)), (2, 2)),
                Sample(Spec((1, 1, 5, 4)), (3, 2), (1, 2), (1, 1), count_include_pad=False),
                Sample(Spec((1, 1, 5, 5)), (2, 2), (2, 2), (1, 1), ceil_mode=True),
                Sample(Spec((1, 1, 3, 4)), (2, 2), (1, 1), divisor_override=3),
            ],
            integer_dtypes=("int64",),
            errors=[
                ErrorCase(Sample(IMAGES, 0), RuntimeError, "stride should not be zero"),
                ErrorCase(Sample(IMAGES, -1), RuntimeError, "kernel size should be greater than zero"),
                ErrorCase(
                    Sample(IMAGES, 3, padding=2), RuntimeError, "pad should be at most half of effective kernel size"
                ),
                ErrorCase(Sample(IMAGES, 3, padding=-1), RuntimeError, "pad must be non-negative"),
                ErrorCase(
                    Sample(IMAGES, 9), RuntimeError, r"Calculated output size: \(3x0x0\). Output size is too small"
                ),
                ErrorCase(Sample(IMAGES, (1, 2, 3)), RuntimeError, "avg_pool2d: kernel_size must either be a single"),
                ErrorCase(Sample(IMAGES, 2, divisor_override=0), RuntimeError, "divisor must be not zero"),
                ErrorCase(Sample(Spec((8, 8)), 2), IndexError, "Dimension out of range"),
                ErrorCase(Sample(Spec((2, 3, 4, 8, 8)), 2), RuntimeError, r"3D or 4D \(batch mode\) tensor"),
                ErrorCase(Sample(IMAGES, 2), NotImplementedError, "not implemented for 'Int'", dtype="int32"),
            ],
        ),
        Declaration(
            "avg_pool1d",
            avg_pool1d_samples,
            errors=[
                ErrorCase(Sample(Spec((8,)), 2), RuntimeError, "Expected 2 to 3 dimensions, but got 1-dimensional"),
                ErrorCase(Sample(Spec((2, 8)), (1, 2)), RuntimeError, r"should contain one int \(got 2\)"),
                ErrorCase(Sample(Spec((2, 8)), 9), RuntimeError, "Output size is too small"),
            ],
        ),
    ]


def test_infinity_stays_in_its_windows() -> None:
    x = [[[1.0, 2.0, float("inf"), 3.0]]]
    assert functional.avg_pool2d(minitorch.tensor(x), (1, 2)).tolist() == [[[1.5, float("inf")]]]


@pytest.mark.parametrize("options", [{}, {"padding": 1}, {"padding": 1, "count_include_pad": False}])
def test_float16_is_rounded_once(options: dict) -> None:
    x = oracle.randn(2, 3, 8, 8, generator=oracle.Generator().manual_seed(0)).half()
    ours = functional.avg_pool2d(minitorch.tensor(x.numpy()), 3, **options)
    theirs = oracle.nn.functional.avg_pool2d(x, 3, **options)
    assert ours.tolist() == theirs.tolist()


def test_the_node_is_called_as_in_torch() -> None:
    x = minitorch.ones(1, 1, 4, 4, requires_grad=True)
    assert functional.avg_pool2d(x, 2).grad_fn.name() == "AvgPool2DBackward0"
    assert functional.avg_pool1d(x[0], 2).grad_fn.name() == "SqueezeBackward1"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(2, 3, 4, 6), (1, 1, 2, 2), (3, 2, 8, 2), (2, 3, 5, 7), (0, 2, 4, 4)])
@pytest.mark.parametrize("options", [{}, {"ceil_mode": True}, {"divisor_override": 3}, {"stride": 1}], ids=str)
def test_tiles_in_every_layout(layout: str, shape: tuple[int, ...], options: dict) -> None:
    """Windows of 2 × 2 of float32, the fast path for which stops at odd sizes: values, gradients, memory layout."""
    generator = numpy.random.default_rng(0)
    array = LAYOUTS[layout](generator.standard_normal(shape).astype("float32"))
    ours, theirs = to_ours(array, True), to_torch(array, True)
    actual = functional.avg_pool2d(ours, 2, **options)
    expected = oracle.nn.functional.avg_pool2d(theirs, 2, **options)
    assert_equal(actual, expected)
    assert_same_layout(actual, expected)
    for other in LAYOUTS.values():  # the gradient may come in another layout than the images
        cotangent = other(generator.standard_normal(tuple(actual.shape)).astype("float32"))
        ours.grad = theirs.grad = None
        actual.backward(to_ours(cotangent), retain_graph=True)
        expected.backward(to_torch(cotangent), retain_graph=True)
        assert_equal(ours.grad, theirs.grad)
        assert_same_layout(ours.grad, theirs.grad)
