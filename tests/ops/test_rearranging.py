"""flip, roll, rot90, repeat, tile, repeat_interleave against torch."""

from __future__ import annotations

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape, unary

INTEGERS = ("int64", "bool")
MATRIX = Spec((2, 3))


def flip_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    dims = draw(st.sets(st.integers(0, len(shape) - 1))) if shape else [0]
    return Sample(Spec(shape), tuple([dim - len(shape) if shape and draw(st.booleans()) else dim for dim in dims]))


def roll_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    if not shape or draw(st.booleans()):
        return Sample(Spec(shape), draw(st.integers(-4, 4)))
    dims = draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=3))
    return Sample(Spec(shape), tuple([draw(st.integers(-6, 6)) for _ in dims]), tuple(dims))


def rot90_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 2)
    return Sample(Spec(shape), draw(st.integers(-5, 5)), tuple(draw(st.permutations(range(len(shape))))[:2]))


def repeat_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3, max_size=3)
    counts = draw(st.lists(st.integers(0, 3), min_size=len(shape), max_size=len(shape) + 1))
    return Sample(Spec(shape), tuple(counts))


def tile_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw, 0, 3, max_size=3)), tuple(draw(st.lists(st.integers(0, 3), max_size=4))))


def interleave_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3, max_size=4)
    dim = draw(st.none() | st.just(draw_dim(draw, len(shape)))) if shape else None
    size = 1
    for axis, each in enumerate(shape):
        size *= each if dim is None or axis == dim % len(shape) else 1
    counts = draw(
        st.integers(0, 3)
        | st.lists(st.integers(0, 3), min_size=size, max_size=size).map(
            lambda each: Spec((len(each),), "int64", values=each)
        )
    )
    return Sample(Spec(shape), counts, **({} if dim is None else {"dim": dim}))


class TestRearranging(OpContract):
    declarations = [
        Declaration(
            "flip",
            flip_samples,
            tiny=[Sample(MATRIX, (0, 1))],
            errors=[
                ErrorCase(Sample(MATRIX, (0, 0)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
                ErrorCase(Sample(MATRIX, (3,)), IndexError, "Dimension out of range"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration("fliplr", lambda draw: Sample(Spec(draw_shape(draw, 2)))),
        Declaration("flipud", lambda draw: Sample(Spec(draw_shape(draw, 1)))),
        Declaration(
            "roll",
            roll_samples,
            tiny=[Sample(MATRIX, 1), Sample(MATRIX, (1, -1), (0, 1))],
            errors=[
                ErrorCase(Sample(MATRIX, (1, 2), 0), RuntimeError, "must align. shifts: 2, dims:1"),
                ErrorCase(Sample(MATRIX, (1, 2)), RuntimeError, "must align. shifts: 2, dims:0"),
                ErrorCase(Sample(Spec(()), 1, 0), IndexError, "tensor has no dimensions"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "rot90",
            rot90_samples,
            tiny=[Sample(MATRIX, 1, (0, 1))],
            errors=[
                ErrorCase(Sample(MATRIX, 1, (0, 0)), RuntimeError, "expected rotation dims to be different"),
                ErrorCase(Sample(MATRIX, 1, (0,)), RuntimeError, "expected total rotation dims == 2, but got dims = 1"),
                ErrorCase(Sample(Spec((2,))), RuntimeError, "expected total dims >= 2, but got total dims = 1"),
                ErrorCase(Sample(MATRIX, 1, (0, 5)), IndexError, "Dimension out of range"),
            ],
        ),
        Declaration(
            "Tensor.repeat",
            repeat_samples,
            tiny=[Sample(Spec((2,)), (2, 2))],
            errors=[
                ErrorCase(Sample(MATRIX, (2,)), RuntimeError, "Number of dimensions of repeat dims can not be smaller"),
                ErrorCase(Sample(MATRIX, (-1, 2)), RuntimeError, r"with negative dimension -2: \[-2, 6\]"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration("tile", tile_samples, tiny=[Sample(MATRIX, (2,))]),
        Declaration(
            "repeat_interleave",
            interleave_samples,
            tiny=[Sample(MATRIX, 2, dim=1), Sample(Spec((3,)), Spec((3,), "int64", values=[1, 0, 2]))],
            errors=[
                ErrorCase(Sample(MATRIX, -1), RuntimeError, "Repeats must be non-negative"),
                ErrorCase(
                    Sample(MATRIX, Spec((2,), "int64")),
                    RuntimeError,
                    r"but got repeats.size\(0\) = 2 and input.size\(0\) = 6",
                ),
                ErrorCase(Sample(MATRIX, Spec((2,), "float32"), 0), NotImplementedError, "not implemented for 'Float'"),
                ErrorCase(Sample(Spec((2,), "int64", values=[1, -2])), RuntimeError, "repeats can not be negative"),
            ],
            integer_dtypes=INTEGERS,
        ),
    ]


def test_counts_alone_give_indices() -> None:
    for counts in ([], [2], [0, 3, 1]):
        expected = oracle.repeat_interleave(oracle.tensor(counts, dtype=oracle.int64)).tolist()
        assert torch.repeat_interleave(torch.tensor(counts, dtype=torch.int64)).tolist() == expected


def test_output_size_spares_the_count() -> None:
    x, counts = torch.tensor([7, 8]), torch.tensor([1, 3])
    assert torch.repeat_interleave(x, counts, 0, output_size=4).tolist() == [7, 8, 8, 8]


@pytest.mark.parametrize("name", ["flip", "fliplr", "flipud", "rot90"])
def test_results_are_copies(name) -> None:
    x = torch.zeros(2, 2)
    result = getattr(x, name)(*([(0,)] if name == "flip" else [0] if name == "rot90" else []))
    result += 1
    assert x.tolist() == [[0, 0], [0, 0]]
    assert min(result.stride()) > 0


def test_sizes_may_come_one_by_one() -> None:
    x = torch.zeros(2, 3)
    assert x.repeat(2, 1).shape == x.repeat((2, 1)).shape == (4, 3)
    assert x.tile(2, 1).shape == x.tile((2, 1)).shape == (4, 3)
    assert x.flip(0, 1).shape == x.flip((0, 1)).shape == (2, 3)


class TestUnaryShapes(OpContract):
    declarations = [Declaration("Tensor.flip", lambda draw: Sample(*unary()(draw).args, ()))]
