"""Slices by number against torch: index_select, index_add, index_copy, index_fill."""

from __future__ import annotations

from typing import Any

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape

INTEGERS = ("int64", "int32")
MATRIX = Spec((2, 3))


def long(*values: Any, dtype: str = "int64", shape: tuple[int, ...] | None = None) -> Spec:
    return Spec((len(values),) if shape is None else shape, dtype, values=list(values) if shape is None else values[0])


def draw_numbers(draw: Draw, size: int, distinct: bool = False, lowest: int = 0) -> Spec:
    numbers = draw(
        st.lists(st.integers(lowest, size - 1), max_size=5, unique_by=(lambda n: n % size) if distinct else None)
    )
    return long(*numbers, dtype=draw(st.sampled_from(INTEGERS)))


def select_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1)
    dim = draw_dim(draw, len(shape))
    return Sample(Spec(shape), dim, draw_numbers(draw, shape[dim]))


def with_source(distinct: bool):
    def samples(draw: Draw) -> Sample:
        shape = draw_shape(draw, 1, 3, 1)
        dim = draw_dim(draw, len(shape)) % len(shape)
        numbers = draw_numbers(draw, shape[dim], distinct)
        if distinct:
            numbers = long(*numbers.values)  # torch's index_copy takes int64 only
        source = Spec((*shape[:dim], numbers.shape[0], *shape[dim + 1 :]))
        options = {} if distinct else {"alpha": draw(st.sampled_from([1, 2, -3]))}
        return Sample(Spec(shape), dim - len(shape), numbers, source, **options)

    return samples


def fill_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1)
    dim = draw_dim(draw, len(shape))
    value = draw(st.sampled_from([Spec(()), 2, True]))
    # torch takes negative numbers, but with them fails in backward if the value requires grad.
    lowest = 0 if isinstance(value, Spec) else -shape[dim]
    return Sample(Spec(shape), dim, long(*draw_numbers(draw, shape[dim], lowest=lowest).values), value)


ROW = Spec((1, 3))


class TestIndexAlong(OpContract):
    declarations = [
        Declaration(
            "index_select",
            select_samples,
            tiny=[Sample(MATRIX, 1, long(0, 2, 0))],
            errors=[
                ErrorCase(Sample(MATRIX, 0, long(5)), IndexError, "index out of range in self"),
                ErrorCase(Sample(MATRIX, 0, long(-1)), IndexError, "index out of range in self"),
                ErrorCase(Sample(MATRIX, 0, Spec((1, 1), "int64")), IndexError, "Index is supposed to be a vector"),
                ErrorCase(Sample(MATRIX, 0, Spec((1,), "float32")), RuntimeError, "Expected dtype int32 or int64"),
                ErrorCase(Sample(Spec(()), 0, long(0, 0)), RuntimeError, r"only 1 value, got 2 value\(s\)"),
            ],
            integer_dtypes=("int64", "bool"),
        ),
        Declaration(
            "index_add",
            with_source(False),
            tiny=[Sample(MATRIX, 1, long(0, 0), Spec((2, 2)), alpha=2)],
            errors=[
                ErrorCase(Sample(MATRIX, 0, long(0, 1), ROW), RuntimeError, r"Number of indices \(2\) should be equal"),
                ErrorCase(
                    Sample(MATRIX, 0, long(0), Spec((1, 2))),
                    RuntimeError,
                    r"self.shape = \[2, 3\] source.shape = \[1, 2\]",
                ),
                ErrorCase(
                    Sample(MATRIX, 0, long(5), ROW),
                    RuntimeError,
                    "index 5 is out of bounds for dimension 0 with size 2",
                ),
                ErrorCase(Sample(MATRIX, 0, long(-1), ROW), RuntimeError, "index -1 is out of bounds"),
                ErrorCase(
                    Sample(MATRIX, 0, long(0), Spec((1, 3), "float64")), RuntimeError, "must have the same scalar type"
                ),
                ErrorCase(
                    Sample(MATRIX, 0, Spec((1,), "float32"), ROW),
                    RuntimeError,
                    "Expected dtype int32/int64 for index but got: Float",
                ),
                ErrorCase(
                    Sample(MATRIX, 0, Spec((1, 1), "int64"), ROW),
                    IndexError,
                    "Index is supposed to be a vector, but got dim: 2",
                ),
            ],
            integer_dtypes=("int64", "int32"),
        ),
        Declaration(
            "index_copy",
            with_source(True),
            tiny=[Sample(MATRIX, 1, long(2, 0), Spec((2, 2)))],
            errors=[
                ErrorCase(Sample(MATRIX, 0, long(0), Spec((1, 2))), RuntimeError, "must have same slice shapes"),
                ErrorCase(
                    Sample(MATRIX, 0, long(0, 1), ROW),
                    IndexError,
                    r"Number of indices \(2\) should be equal to source.size\(dim\) \(1\)",
                ),
                ErrorCase(
                    Sample(MATRIX, 0, long(5), ROW), IndexError, "index 5 is out of bounds for dimension 0 with size 2"
                ),
                ErrorCase(Sample(MATRIX, 0, long(0), Spec((3,))), IndexError, "their dimensionality must match"),
                ErrorCase(
                    Sample(MATRIX, 0, long(0), Spec((1, 3), "float64")), RuntimeError, "expected to have the same dtype"
                ),
            ],
            integer_dtypes=("int64", "bool"),
        ),
        Declaration(
            "index_fill",
            fill_samples,
            tiny=[Sample(MATRIX, 1, long(0, 2), Spec(()))],
            errors=[
                ErrorCase(
                    Sample(MATRIX, 0, long(5), 1), IndexError, "index 5 is out of bounds for dimension 0 with size 2"
                ),
                ErrorCase(
                    Sample(MATRIX, 0, long(0), Spec((1,))),
                    RuntimeError,
                    r"only supports a 0-dimensional value tensor, but got tensor with 1 dimension\(s\)",
                ),
                ErrorCase(Sample(MATRIX, 0, Spec((1,), "float32"), 1), IndexError, "Expected dtype int64 for index"),
                ErrorCase(Sample(MATRIX, 0, Spec((1, 1), "int64"), 1), RuntimeError, "Index has to be a vector/scalar"),
            ],
            integer_dtypes=("int64", "bool"),
        ),
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.tensor(2.0).index_select(0, t.tensor([0])),
        lambda t: t.tensor(2.0).index_select(0, t.tensor(0)),
        lambda t: t.tensor([2.0, 3.0]).index_select(0, t.tensor(1)),
        lambda t: t.tensor(2.0).index_add(0, t.tensor(0), t.tensor(5.0)),
        lambda t: t.tensor(2.0).index_copy(0, t.tensor(0), t.tensor(5.0)),
        lambda t: t.tensor(2.0).index_fill(0, t.tensor([0]), 5),
        lambda t: t.zeros(3).index_add_(0, t.tensor([1, 1]), t.ones(2)),
        lambda t: t.zeros(3).index_copy_(0, t.tensor([1, 0]), t.tensor([4.0, 5.0])),
        lambda t: t.zeros(3).index_fill_(0, t.tensor([1, 0]), 4),
        lambda t: t.zeros(3, dtype=t.int64).index_fill(0, t.tensor([1, 0]), 1.5),
        lambda t: t.zeros(3).index_fill(0, t.tensor([1]), t.tensor(7)),
    ],
)
def test_numbers_without_dimensions_and_in_place(call) -> None:
    ours, theirs = call(torch), call(oracle)
    assert (tuple(ours.shape), ours.tolist(), str(ours.dtype)) == (
        tuple(theirs.shape),
        theirs.tolist(),
        str(theirs.dtype),
    )


def test_out() -> None:
    out = torch.zeros(2)
    assert torch.index_select(torch.tensor([1.0, 2.0, 3.0]), 0, torch.tensor([2, 0]), out=out) is out
    assert out.tolist() == [3.0, 1.0]
