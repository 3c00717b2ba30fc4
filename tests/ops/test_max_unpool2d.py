"""Max unpooling against torch: indices come from torch's own pooling."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

from minitorch.nn import functional
from tests.harness.compare import to_ours
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.window_samples import draw_batch

X, PLACES = numpy.zeros((1, 1, 2, 2)), numpy.array([[[[0, 3], [9, 10]]]])


def unpool2d_samples(draw: Draw) -> Sample:
    """Windows that do not overlap, so that no two indices are equal."""
    kernel, stride = draw(st.integers(1, 2)), draw(st.integers(2, 3))
    size = [draw(st.integers(kernel, 6)), draw(st.integers(kernel, 6))]
    shape = (*draw_batch(draw), 2, *size)
    values = numpy.random.default_rng(draw(st.integers(0, 99))).permutation(int(numpy.prod(shape))).reshape(shape)
    pooled = oracle.nn.functional.max_pool2d(
        oracle.tensor(values, dtype=oracle.float64), kernel, stride, return_indices=True
    )
    indices = pooled[1].numpy()
    return Sample(
        Spec(tuple(indices.shape)),
        Spec(values=indices, dtype="int64"),
        kernel,
        stride,
        output_size=tuple(size),
    )


def unpool1d_samples(draw: Draw) -> Sample:
    count = draw(st.integers(1, 3))
    places = numpy.arange(count) * 2 + numpy.random.default_rng(draw(st.integers(0, 99))).integers(0, 2, (2, count))
    return Sample(Spec((2, count)), Spec(values=places, dtype="int64"), 2)


def as_specs(x: numpy.ndarray, places: numpy.ndarray, **options: object) -> Sample:
    return Sample(Spec(values=x), Spec(values=places, dtype=str(places.dtype)), 2, **options)


class TestMaxUnpool(OpContract):
    declarations = [
        Declaration(
            "nn.functional.max_unpool2d",
            unpool2d_samples,
            check_layouts=False,
            tiny=[Sample(Spec((1, 1, 2, 2)), Spec(values=PLACES, dtype="int64"), 2)],
            errors=[
                ErrorCase(as_specs(X, PLACES[..., :1]), RuntimeError, "Expected shape of indices to be same"),
                ErrorCase(as_specs(X, PLACES.astype("int32")), RuntimeError, "should be type int64 but got: Int"),
                ErrorCase(
                    as_specs(X, PLACES + 9),
                    RuntimeError,
                    r"Found an invalid max index: 19 \(output volumes are of size 4x4\)",
                ),
                ErrorCase(
                    as_specs(X, PLACES, output_size=(7, 4)),
                    ValueError,
                    r'invalid output_size "\(7, 4\)" \(dim 0 must be between 2 and 6\)',
                ),
            ],
        ),
        Declaration("nn.functional.max_unpool1d", unpool1d_samples, check_layouts=False),
    ]


@pytest.mark.parametrize("size", [(5, 5), (2, 3, 5, 5)])
def test_it_undoes_the_pooling_of_sparse_images(size: tuple[int, ...]) -> None:
    array = numpy.zeros((2, 3, 5, 5))
    array[:, :, 1::2, ::2] = numpy.arange(1, 37).reshape(2, 3, 2, 3)
    pooled, indices = functional.max_pool2d(to_ours(array), 2, ceil_mode=True, return_indices=True)
    restored = functional.max_unpool2d(pooled[:, :, :2], indices[:, :, :2], 2, output_size=None)
    assert restored.shape == (2, 3, 4, 6)
    back = functional.max_unpool2d(pooled, indices, 2, output_size=size)
    assert back.tolist() == array.tolist()
