"""``max_pool2d`` against torch, its reference and its laws."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.nn import functional
from reference import max_pool2d as reference
from tests.harness.compare import to_ours, to_torch
from tests.harness.contract import SEEDS, OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.window_samples import LAYOUTS, assert_same_layout, draw_batch, draw_option, draw_pooling_axis

IMAGES = Spec((2, 3, 8, 8))


def max_pool2d_samples(draw: Draw) -> Sample:
    (H, W), kernel, stride, padding, dilation = zip(draw_pooling_axis(draw, 2), draw_pooling_axis(draw, 2))
    batch = draw_batch(draw)
    return Sample(
        Spec((*batch, draw(st.integers(1, 3)), H, W), distinct=True),
        draw_option(draw, kernel),
        draw(st.sampled_from([None, draw_option(draw, stride)])),
        draw_option(draw, padding),
        draw_option(draw, dilation),
        draw(st.booleans()),
        draw(st.booleans()),
    )


def reference_with_indices(input: Any, *args: Any, return_indices: bool = False, **options: Any) -> Any:
    output, indices = reference.max_pool2d(input, *args, **options)
    return (output, indices) if return_indices else output


def tiny(shape: tuple[int, ...], kernel_size: Any, **options: Any) -> Sample:
    return Sample(Spec(shape, distinct=True), kernel_size, **options)


class TestMaxPool2d(OpContract):
    declarations = [
        Declaration(
            "nn.functional.max_pool2d",
            max_pool2d_samples,
            reference=reference_with_indices,
            tiny=[
                tiny((1, 2, 4, 4), (2, 2)),
                tiny((1, 1, 5, 4), (3, 2), stride=(1, 2), padding=(1, 1), return_indices=True),
                tiny((1, 1, 5, 5), (2, 2), stride=(2, 2), dilation=(2, 1), ceil_mode=True, return_indices=True),
            ],
            errors=[
                ErrorCase(Sample(IMAGES, 0), RuntimeError, "stride should not be zero"),
                ErrorCase(Sample(IMAGES, -1), RuntimeError, "kernel size should be greater than zero, but got kH: -1"),
                ErrorCase(Sample(IMAGES, 2, 0), RuntimeError, "stride should not be zero"),
                ErrorCase(
                    Sample(IMAGES, 3, padding=2),
                    RuntimeError,
                    "pad should be at most half of effective kernel size, but got pad=2, kernel_size=3 and dilation=1",
                ),
                ErrorCase(
                    Sample(IMAGES, 3, padding=2, dilation=2),
                    RuntimeError,
                    "pad should be smaller than or equal to half of kernel size, but got padW = 2, padH = 2, kW = 3",
                ),
                ErrorCase(Sample(IMAGES, 3, padding=-1), RuntimeError, "pad must be non-negative, but got pad: -1"),
                ErrorCase(Sample(IMAGES, 3, dilation=0), RuntimeError, "dilation should be greater than zero"),
                ErrorCase(
                    Sample(IMAGES, 9),
                    RuntimeError,
                    r"Given input size: \(3x8x8\). Calculated output size: \(3x0x0\). Output size is too small",
                ),
                ErrorCase(
                    Sample(IMAGES, (1, 2, 3)),
                    RuntimeError,
                    "max_pool2d: kernel_size must either be a single int, or a tuple of two ints",
                ),
                ErrorCase(Sample(IMAGES, 2.5), TypeError, "argument 'kernel_size'.* must be tuple of ints, not float"),
                ErrorCase(Sample(Spec((8, 8)), 2), RuntimeError, r"non-empty 3D or 4D \(batch mode\) tensor expected"),
                ErrorCase(Sample(Spec((2, 0, 8, 8)), 2), RuntimeError, r"but got:\[2, 0, 8, 8\]"),
                ErrorCase(Sample(IMAGES, 2), NotImplementedError, "not implemented for 'Bool'", dtype="bool"),
            ],
            integer_dtypes=("int64", "int32", "uint8"),
        )
    ]


@pytest.mark.parametrize("options", [{}, {"stride": 1}, {"padding": 1}, {"stride": 1, "padding": 1}])
@given(seed=SEEDS)
def test_ties_nan_and_infinity(seed: int, options: dict[str, Any]) -> None:
    """The same winner as torch where several elements are equal, infinite or nan; also its gradient."""
    values = numpy.array([0.0, -0.0, 1.0, numpy.inf, -numpy.inf, numpy.nan])
    chances = numpy.array([3, 3, 3, 1, 4, 1]) / 15
    generator = numpy.random.default_rng(seed)
    array = generator.choice(values, (2, 2, 5, 6), p=chances)
    ours, theirs = to_ours(array, True), to_torch(array, True)
    actual, indices = functional.max_pool2d(ours, 3, return_indices=True, **options)
    expected, expected_indices = oracle.nn.functional.max_pool2d(theirs, 3, return_indices=True, **options)
    numpy.testing.assert_array_equal(actual.detach().numpy(), expected.detach().numpy())
    assert indices.tolist() == expected_indices.tolist()
    plain = functional.max_pool2d(ours.detach(), 3, **options)
    numpy.testing.assert_array_equal(plain.numpy(), expected.detach().numpy())
    cotangent = generator.choice([1.0, 2.0, numpy.inf], tuple(actual.shape))
    actual.backward(to_ours(cotangent))
    expected.backward(to_torch(cotangent))
    numpy.testing.assert_array_equal(ours.grad.numpy(), theirs.grad.numpy())


def test_windows_of_more_than_256_elements() -> None:
    """Their numbers no longer fit into a byte."""
    array = numpy.random.default_rng(0).permutation(18 * 20).reshape(1, 1, 18, 20).astype("float64")
    ours, theirs = to_ours(array, True), to_torch(array, True)
    actual, indices = functional.max_pool2d(ours, 17, 1, 2, return_indices=True)
    expected, expected_indices = oracle.nn.functional.max_pool2d(theirs, 17, 1, 2, return_indices=True)
    assert indices.tolist() == expected_indices.tolist()
    actual.sum().backward()
    expected.sum().backward()
    assert ours.grad.tolist() == theirs.grad.tolist()


def test_choices_are_kept_only_for_a_gradient() -> None:
    x = minitorch.ones(1, 1, 4, 4, requires_grad=True)
    node = functional.max_pool2d(x, 2).grad_fn
    assert node.name() == "MaxPool2DWithIndicesBackward0"
    assert node.saved[0].dtype == "uint8"
    assert functional.max_pool2d(x.detach(), 2).grad_fn is None


def test_indices_have_no_gradient() -> None:
    _, indices = functional.max_pool2d(minitorch.ones(1, 1, 4, 4, requires_grad=True), 2, return_indices=True)
    assert indices.dtype is minitorch.int64
    assert not indices.requires_grad


VALUES = numpy.array([0.0, -0.0, 1.0, -1.0, numpy.inf, -numpy.inf, numpy.nan], "float32")
IMAGE_SHAPES = [(2, 3, 4, 6), (1, 1, 2, 2), (3, 2, 8, 2), (2, 3, 5, 7), (2, 1, 6, 9), (1, 5, 2, 4), (0, 2, 4, 4)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "options", [{}, {"ceil_mode": True}, {"padding": 1}, {"stride": 1}, {"dilation": 2, "ceil_mode": True}], ids=str
)
@settings(max_examples=10)
@given(shape=st.sampled_from(IMAGE_SHAPES), chance_of_nan=st.sampled_from([0, 0, 0.1]), seed=SEEDS)
def test_tiles_in_every_layout(
    layout: str, options: dict[str, Any], shape: tuple[int, ...], chance_of_nan: float, seed: int
) -> None:
    """Windows of 2 × 2 of float32, the fast path for which stops at odd sizes: winners, gradients, memory layout."""
    generator = numpy.random.default_rng(seed)
    chances = numpy.array([5, 2, 3, 3, 1, 1, 15 * chance_of_nan])
    array = LAYOUTS[layout](generator.choice(VALUES, shape, p=chances / chances.sum()))
    ours, theirs = to_ours(array, True), to_torch(array, True)
    actual, indices = functional.max_pool2d(ours, 2, return_indices=True, **options)
    expected, expected_indices = oracle.nn.functional.max_pool2d(theirs, 2, return_indices=True, **options)
    numpy.testing.assert_array_equal(actual.detach().numpy(), expected.detach().numpy())
    assert indices.tolist() == expected_indices.tolist()
    numpy.testing.assert_array_equal(functional.max_pool2d(ours.detach(), 2, **options).numpy(), actual.detach())
    assert_same_layout(actual, expected)
    for other in LAYOUTS.values():  # the gradient may come in another layout than the images
        cotangent = other(generator.choice(VALUES, tuple(actual.shape)))
        ours.grad = theirs.grad = None
        actual.backward(to_ours(cotangent), retain_graph=True)
        expected.backward(to_torch(cotangent), retain_graph=True)
        numpy.testing.assert_array_equal(ours.grad.numpy(), theirs.grad.numpy())
        assert_same_layout(ours.grad, theirs.grad)
