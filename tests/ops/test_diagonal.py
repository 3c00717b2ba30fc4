"""Diagonals and triangles against torch."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

INTEGERS = ("int64", "bool")
MATRIX, VECTOR = Spec((2, 3)), Spec((2,))


def two_dims(draw: Draw, ndim: int) -> list[int]:
    dims = draw(st.permutations(range(ndim)))[:2]
    return [dim - ndim if draw(st.booleans()) else dim for dim in dims]


def diagonal_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 2)
    return Sample(Spec(shape), draw(st.integers(-3, 3)), *two_dims(draw, len(shape)))


def embed_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3)
    return Sample(Spec(shape), draw(st.integers(-2, 2)), *two_dims(draw, len(shape) + 1))


def diag_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw, 1, 2)), draw(st.integers(-3, 3)))


def triangle_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw, 2)), draw(st.integers(-5, 5)))


def select_scatter_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1)
    dim = draw(st.integers(0, len(shape) - 1))
    part = Spec((*shape[:dim], *shape[dim + 1 :]))
    return Sample(Spec(shape), part, dim - len(shape), draw(st.integers(-shape[dim], shape[dim] - 1)))


def slice_scatter_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1)
    dim = draw(st.integers(0, len(shape) - 1))
    bounds = st.none() | st.integers(-shape[dim], shape[dim] + 1)
    index = slice(draw(bounds), draw(bounds), draw(st.integers(1, 3)))
    part = numpy.zeros(shape)[(slice(None),) * dim + (index,)].shape
    return Sample(Spec(shape), Spec(part), dim, index.start, index.stop, index.step)


def diagonal_scatter_samples(draw: Draw) -> Sample:
    sample = diagonal_samples(draw)
    shape = numpy.zeros(sample.args[0].shape).diagonal(*sample.args[1:]).shape
    return Sample(sample.args[0], Spec(shape), *sample.args[1:])


SAME_DIMS = "diagonal dimensions cannot be identical 0, 0"


class TestDiagonal(OpContract):
    declarations = [
        Declaration(
            "diagonal",
            diagonal_samples,
            tiny=[Sample(MATRIX, 1), Sample(MATRIX, -1)],
            errors=[
                ErrorCase(Sample(MATRIX, 0, 0, 0), RuntimeError, SAME_DIMS),
                ErrorCase(Sample(VECTOR), IndexError, "Dimension out of range"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "diag_embed",
            embed_samples,
            tiny=[Sample(VECTOR, 1)],
            errors=[
                ErrorCase(Sample(MATRIX, 1, 0, 0), RuntimeError, SAME_DIMS),
                ErrorCase(Sample(Spec(())), IndexError, "Dimension out of range"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "diag",
            diag_samples,
            errors=[ErrorCase(Sample(Spec((2, 2, 2))), RuntimeError, "Supports 1D or 2D tensors. Got 3D")],
        ),
        Declaration("diagflat", lambda draw: Sample(Spec(draw_shape(draw, 0, 3, max_size=3)), 1)),
        Declaration(
            "tril",
            triangle_samples,
            tiny=[Sample(MATRIX)],
            errors=[ErrorCase(Sample(VECTOR), RuntimeError, "tril: input tensor must have at least 2 dimensions")],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "triu",
            triangle_samples,
            tiny=[Sample(MATRIX)],
            errors=[ErrorCase(Sample(VECTOR), RuntimeError, "triu: input tensor must have at least 2 dimensions")],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "select_scatter",
            select_scatter_samples,
            tiny=[Sample(MATRIX, VECTOR, 1, 0)],
            errors=[ErrorCase(Sample(MATRIX, VECTOR, 0, 0), RuntimeError, r"src size = \[2\], slice size = \[3\]")],
        ),
        Declaration("slice_scatter", slice_scatter_samples, tiny=[Sample(MATRIX, Spec((2, 1)), 1, 1, 2)]),
        Declaration("diagonal_scatter", diagonal_scatter_samples, tiny=[Sample(MATRIX, VECTOR)]),
    ]


def test_a_diagonal_is_a_view_that_can_be_written() -> None:
    for package in (torch, oracle):
        x = package.zeros(2, 3)
        x.diagonal(1)[:] = package.tensor([1.0, 2.0])
        assert x.tolist() == [[0, 1, 0], [0, 0, 2]]
        assert package.diag(x, 1)._base is None


@pytest.mark.parametrize("name", ["tril_", "triu_"])
def test_in_place(name) -> None:
    ours, theirs = torch.ones(3, 3), oracle.ones(3, 3)
    assert getattr(ours, name)(1) is ours
    assert ours.tolist() == getattr(theirs, name)(1).tolist()


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
@pytest.mark.parametrize("arguments", [(2, 3), (3, 2, -1), (3, 3, 1), (0, 3), (2, 2, 5), (2, 2, -5)])
def test_indices(name, arguments) -> None:
    ours, theirs = getattr(torch, name)(*arguments), getattr(oracle, name)(*arguments)
    assert (tuple(ours.shape), ours.tolist(), str(ours.dtype)) == (
        tuple(theirs.shape),
        theirs.tolist(),
        str(theirs.dtype),
    )
    assert getattr(torch, name)(*arguments, dtype=torch.int32).dtype is torch.int32


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
def test_indices_of_impossible_matrices(name) -> None:
    with pytest.raises(RuntimeError, match="row must be non-negative, got-1"):
        getattr(torch, name)(-1, 2)
    with pytest.raises(RuntimeError, match="col must be non-negative, got-2"):
        getattr(torch, name)(1, -2)
