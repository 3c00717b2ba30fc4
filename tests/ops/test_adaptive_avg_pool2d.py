"""Adaptive average pooling against torch, the reference, and differences."""

from __future__ import annotations

from typing import Any

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from minitorch.nn import functional
from reference import adaptive_avg_pool2d as reference
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.window_samples import draw_batch

IMAGES = Spec((2, 3, 8, 8))
# Not 0: torch then refuses to go backward; see test_empty_output.
SIZES = st.one_of(st.integers(1, 5), st.tuples(*[st.one_of(st.none(), st.integers(1, 7))] * 2))


def draw_images(draw: Draw, **options: Any) -> Spec:
    sizes = [draw(st.integers(1, 7)) for _ in range(3)]
    return Spec((*draw_batch(draw), *sizes), **options)


def adaptive_samples(draw: Draw) -> Sample:
    return Sample(draw_images(draw), draw(SIZES))


def adaptive1d_samples(draw: Draw) -> Sample:
    size = draw(st.integers(1, 5))
    length = draw(st.integers(1, 7))
    return Sample(Spec((*draw_batch(draw), 2, length)), draw(st.sampled_from([size, (size,)])))


class TestAdaptiveAvgPool(OpContract):
    declarations = [
        Declaration(
            "nn.functional.adaptive_avg_pool2d",
            adaptive_samples,
            has_kernels=True,
            reference=reference.adaptive_avg_pool2d,
            tiny=[
                Sample(Spec((1, 2, 4, 4)), (2, 2)),
                Sample(Spec((1, 1, 5, 7)), (3, 4)),
                Sample(Spec((1, 1, 2, 3)), (5, 1)),
                Sample(Spec((1, 2, 3, 3)), (1, 1)),
            ],
            errors=[
                ErrorCase(Sample(Spec((8, 8)), 2), RuntimeError, r"Expected 3D or 4D tensor, but got \[8, 8\]"),
                ErrorCase(
                    Sample(Spec((2, 3, 0, 8)), 2),
                    RuntimeError,
                    r"but input has sizes \[2, 3, 0, 8\] with dimension 2 being empty",
                ),
                ErrorCase(
                    Sample(IMAGES, -1), RuntimeError, r"must be greater than or equal to 0 but received \{-1, -1\}"
                ),
                ErrorCase(Sample(IMAGES, (1, 2, 3)), RuntimeError, "adaptive_avg_pool2d: output_size must be 2"),
                ErrorCase(Sample(IMAGES, 2.5), TypeError, "output_size"),
                ErrorCase(Sample(IMAGES, 2), NotImplementedError, "not implemented for 'Long'", dtype="int64"),
            ],
        ),
        Declaration(
            "adaptive_avg_pool1d",
            adaptive1d_samples,
            errors=[
                ErrorCase(Sample(Spec((8,)), 2), RuntimeError, "Expected 2 to 3 dimensions, but got 1-dimensional"),
                ErrorCase(Sample(Spec((2, 8)), (1, 2)), RuntimeError, r"should contain one int \(got 2\)"),
                ErrorCase(Sample(Spec((2, 8)), None), TypeError, "must be tuple of ints, not NoneType"),
            ],
        ),
    ]


@pytest.mark.parametrize("size", [2, 1])
def test_infinity_stays_in_its_windows(size: int) -> None:
    x = minitorch.tensor([[[1.0, 2.0, float("inf"), 3.0]]])
    expected = {2: [[[1.5, float("inf")]]], 1: [[[float("inf")]]]}
    assert functional.adaptive_avg_pool2d(x, (1, size)).tolist() == expected[size]


def test_the_node_is_called_as_in_torch() -> None:
    x = minitorch.ones(1, 1, 4, 4, requires_grad=True)
    assert functional.adaptive_avg_pool2d(x, 2).grad_fn.name() == "AdaptiveAvgPool2DBackward0"
    assert functional.adaptive_avg_pool2d(x, 1).grad_fn.name() == "MeanBackward1"


@pytest.mark.parametrize("size", [0, (0, 3), (2, 0)])
@pytest.mark.parametrize("name", ["adaptive_avg_pool2d", "adaptive_max_pool2d"])
def test_empty_output(name: str, size: Any) -> None:
    x = minitorch.ones(1, 2, 4, 4, requires_grad=True)
    output = getattr(functional, name)(x, size)
    assert output.shape == getattr(oracle.nn.functional, name)(oracle.ones(1, 2, 4, 4), size).shape
    output.sum().backward()
    assert not x.grad.numpy().any()
