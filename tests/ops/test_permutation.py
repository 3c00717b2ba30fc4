"""Dimensions in another order, against torch."""

from __future__ import annotations

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape

INTEGERS = ("int64", "bool")
MATRIX = Spec((2, 3))


def transpose_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    return Sample(Spec(shape), draw_dim(draw, len(shape)), draw_dim(draw, len(shape)))


def permute_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    order = draw(st.permutations(range(len(shape))))
    return Sample(Spec(shape), tuple([dim - len(shape) if draw(st.booleans()) else dim for dim in order]))


def movedim_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1)
    if draw(st.booleans()):
        return Sample(Spec(shape), draw_dim(draw, len(shape)), draw_dim(draw, len(shape)))
    count = draw(st.integers(0, len(shape)))
    orders = [tuple(draw(st.permutations(range(len(shape))))[:count]) for _ in range(2)]
    return Sample(Spec(shape), *orders)


def matrix_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw, 0, 2)))


class TestPermutation(OpContract):
    declarations = [
        Declaration(
            "transpose",
            transpose_samples,
            tiny=[Sample(Spec((2, 3)), 0, 1)],
            errors=[ErrorCase(Sample(MATRIX, 0, 3), IndexError, r"range of \[-2, 1\], but got 3")],
            integer_dtypes=INTEGERS,
        ),
        Declaration("swapaxes", transpose_samples),
        Declaration("Tensor.swapdims", transpose_samples),
        Declaration(
            "t",
            matrix_samples,
            errors=[ErrorCase(Sample(Spec((2, 2, 2))), RuntimeError, "but self is 3D")],
        ),
        Declaration(
            "permute",
            permute_samples,
            tiny=[Sample(Spec((2, 1, 3)), (2, 0, 1))],
            errors=[
                ErrorCase(Sample(MATRIX, (0, 0)), RuntimeError, "duplicate dims are not allowed"),
                ErrorCase(Sample(MATRIX, (0,)), RuntimeError, r"input.dim\(\) = 2 is not equal to len\(dims\) = 1"),
                ErrorCase(Sample(MATRIX, (0, 2)), IndexError, "Dimension out of range"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "movedim",
            movedim_samples,
            errors=[
                ErrorCase(Sample(MATRIX, (0, 0), (0, 1)), RuntimeError, r"repeated dim in `source` \(\[0, 0\]\)"),
                ErrorCase(Sample(MATRIX, (0, 1), (0, 0)), RuntimeError, "repeated dim in `destination`"),
                ErrorCase(Sample(MATRIX, (0,), (0, 1)), RuntimeError, "should contain the same number of dims"),
            ],
        ),
        Declaration("Tensor.moveaxis", movedim_samples),
    ]


@pytest.mark.parametrize("name", ["T", "mT", "H", "mH"])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (2, 3, 4)])
@pytest.mark.filterwarnings("ignore")
def test_the_attributes(name, shape) -> None:
    if shape == () and name in ("mT", "mH"):  # torch returns the 0-d tensor; its use there is deprecated
        return
    try:
        expected = getattr(oracle.zeros(shape), name)
    except RuntimeError:
        with pytest.raises(RuntimeError, match=f"tensor.{name} is only supported on matrices"):
            getattr(torch.zeros(shape), name)
        return
    assert tuple(getattr(torch.zeros(shape), name).shape) == tuple(expected.shape)
