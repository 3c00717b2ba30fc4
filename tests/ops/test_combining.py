"""Grids, combinations and blocks against torch."""

from __future__ import annotations

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

VECTOR, MATRIX = Spec((2,)), Spec((2, 3))
pytestmark = pytest.mark.filterwarnings("ignore:torch.meshgrid")


def mesh_samples(draw: Draw) -> Sample:
    specs = [Spec(draw_shape(draw, 0, 1)) for _ in range(draw(st.integers(1, 3)))]
    indexing = draw(st.sampled_from([None, "ij", "xy"]))
    return Sample(*specs, **({} if indexing is None else {"indexing": indexing}))


def product_samples(draw: Draw) -> Sample:
    return Sample(*[Spec(draw_shape(draw, 1, 1)) for _ in range(draw(st.integers(1, 3)))])


def combination_samples(draw: Draw) -> Sample:
    return Sample(Spec((draw(st.integers(0, 5)),)), draw(st.integers(0, 4)), draw(st.booleans()))


def block_samples(draw: Draw) -> Sample:
    dtypes = st.sampled_from([None, None, "int64"])
    # Sizes from 1: torch's gradient (not its value) forgets the row that a vector of size 0 takes up.
    return Sample(*[Spec(draw_shape(draw, 0, 2, 1), draw(dtypes)) for _ in range(draw(st.integers(1, 3)))])


class TestCombining(OpContract):
    declarations = [
        Declaration(
            "meshgrid",
            mesh_samples,
            tiny=[Sample(VECTOR, Spec((3,)), indexing="xy")],
            errors=[
                ErrorCase(Sample(), RuntimeError, "meshgrid expects a non-empty TensorList"),
                ErrorCase(Sample(VECTOR, VECTOR, indexing="zz"), RuntimeError, 'one of "xy" or "ij", but received: zz'),
                ErrorCase(Sample(MATRIX), RuntimeError, "Expected 0D or 1D tensor"),
                ErrorCase(
                    Sample(VECTOR, Spec((2,), "float64")), RuntimeError, "expects all tensors to have the same dtype"
                ),
            ],
        ),
        Declaration(
            "cartesian_prod",
            product_samples,
            tiny=[Sample(VECTOR, VECTOR)],
            errors=[ErrorCase(Sample(MATRIX), RuntimeError, r"Expect a 1D vector, but got shape \[2, 3\]")],
        ),
        Declaration(
            "combinations",
            combination_samples,
            tiny=[Sample(Spec((3,)), 2)],
            errors=[
                ErrorCase(Sample(MATRIX), RuntimeError, r"Expect a 1D vector, but got shape \[2, 3\]"),
                ErrorCase(Sample(VECTOR, -1), RuntimeError, "Expect a non-negative number, but got -1"),
            ],
        ),
        Declaration(
            "block_diag",
            block_samples,
            tiny=[Sample(MATRIX, Spec(()), VECTOR)],
            errors=[ErrorCase(Sample(Spec((2, 2, 2))), RuntimeError, "Input 0 has 3 dimensions")],
        ),
    ]


def test_tensors_may_come_as_one_list() -> None:
    ours = torch.meshgrid([torch.arange(2), torch.arange(3)], indexing="ij")
    theirs = oracle.meshgrid([oracle.arange(2), oracle.arange(3)], indexing="ij")
    assert [grid.tolist() for grid in ours] == [grid.tolist() for grid in theirs]
