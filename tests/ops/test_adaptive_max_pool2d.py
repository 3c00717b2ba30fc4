"""Adaptive max pooling against torch and its laws."""

from __future__ import annotations

import numpy
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as oracle

import minitorch
from minitorch.nn import functional
from tests.harness.compare import to_ours, to_torch
from tests.harness.contract import SEEDS, OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.test_adaptive_avg_pool2d import IMAGES, SIZES, draw_images
from tests.ops.window_samples import draw_batch


def adaptive_samples(draw: Draw) -> Sample:
    return Sample(draw_images(draw, distinct=True), draw(SIZES), draw(st.booleans()))


def adaptive1d_samples(draw: Draw) -> Sample:
    length = draw(st.integers(1, 7))
    images = Spec((*draw_batch(draw), 2, length), distinct=True)
    return Sample(images, draw(st.integers(1, 5)), return_indices=draw(st.booleans()))


class TestAdaptiveMaxPool(OpContract):
    declarations = [
        Declaration(
            "nn.functional.adaptive_max_pool2d",
            adaptive_samples,
            has_kernels=True,
            tiny=[Sample(Spec((1, 1, 5, 7), distinct=True), (3, 4)), Sample(Spec((2, 2, 3), distinct=True), (3, 1))],
            errors=[
                ErrorCase(Sample(Spec((8, 8)), 2), RuntimeError, "Expected 3D or 4D tensor, but got"),
                ErrorCase(Sample(Spec((2, 0, 8, 8)), 2), RuntimeError, "with dimension 1 being empty"),
                ErrorCase(Sample(IMAGES, -1), RuntimeError, "must be greater than or equal to 0"),
                ErrorCase(Sample(IMAGES, (1, 2, 3)), RuntimeError, "output_size must be 2"),
                ErrorCase(Sample(IMAGES, 2.5), TypeError, "output_size"),
                ErrorCase(Sample(IMAGES, 2), NotImplementedError, "not implemented for 'Long'", dtype="int64"),
            ],
        ),
        Declaration("nn.functional.adaptive_max_pool1d", adaptive1d_samples),
    ]


@given(seed=SEEDS)
def test_ties_nan_and_infinity(seed: int) -> None:
    """The same winner as torch where several elements are equal, infinite or nan; also its gradient."""
    values = numpy.array([0.0, -0.0, 1.0, numpy.inf, -numpy.inf, numpy.nan])
    generator = numpy.random.default_rng(seed)
    array = generator.choice(values, (2, 2, 5, 6), p=numpy.array([3, 3, 3, 1, 4, 1]) / 15)
    ours, theirs = to_ours(array, True), to_torch(array, True)
    actual, indices = functional.adaptive_max_pool2d(ours, (2, 4), return_indices=True)
    expected, expected_indices = oracle.adaptive_max_pool2d(theirs, (2, 4), return_indices=True)
    numpy.testing.assert_array_equal(actual.detach().numpy(), expected.detach().numpy())
    assert indices.tolist() == expected_indices.tolist()
    cotangent = generator.uniform(-1, 1, tuple(actual.shape))
    actual.backward(to_ours(cotangent))
    expected.backward(to_torch(cotangent))
    numpy.testing.assert_array_equal(ours.grad.numpy(), theirs.grad.numpy())


def test_the_node_is_called_as_in_torch() -> None:
    x = minitorch.ones(1, 1, 4, 4, requires_grad=True)
    assert functional.adaptive_max_pool2d(x, 2).grad_fn.name() == "AdaptiveMaxPool2DBackward0"
