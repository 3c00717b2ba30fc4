"""Masks and flat numbers against torch: masked_*, take, put, nonzero."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_broadcastable, draw_shape, unary

MATRIX = Spec((2, 3))
MASK = Spec((2, 3), "bool")


def fill_samples(draw: Draw) -> Sample:
    input, mask = draw_broadcastable(draw, 2)
    return Sample(Spec(input), Spec(mask, "bool"), draw(st.sampled_from([Spec(()), 2, -1.5, True])))


def integer_safe(samples):
    return samples


def select_samples(draw: Draw) -> Sample:
    input, mask = draw_broadcastable(draw, 2)
    return Sample(Spec(input), Spec(mask, "bool"))


def scatter_samples(draw: Draw) -> Sample:
    input, mask = draw_broadcastable(draw, 2)
    count = int(numpy.prod(numpy.broadcast_shapes(input, mask)))
    return Sample(Spec(input), Spec(mask, "bool"), Spec((count + draw(st.integers(0, 2)),)))


def draw_flat(draw: Draw, size: int, shape: tuple[int, ...], distinct: bool = False) -> Spec:
    generator = numpy.random.default_rng(draw(st.integers(0, 999)))
    if distinct:
        values = generator.permutation(size)[: int(numpy.prod(shape))].reshape(shape)
        values = numpy.where(generator.random(shape) < 0.5, values, values - size)
    else:
        values = generator.integers(-size, size, shape)
    return Spec(shape, "int64", values=values)


def take_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3, 1)
    return Sample(Spec(shape), draw_flat(draw, int(numpy.prod(shape)), draw_shape(draw, 0, 2)))


def put_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3, 1)
    size = int(numpy.prod(shape))
    accumulate = draw(st.booleans())
    count = draw(st.integers(0, 5 if accumulate else size))
    return Sample(Spec(shape), draw_flat(draw, size, (count,), not accumulate), Spec((1, count)), accumulate)


class TestMasking(OpContract):
    declarations = [
        Declaration(
            "masked_fill",
            fill_samples,
            tiny=[Sample(MATRIX, Spec((3,), "bool"), Spec(()))],
            errors=[
                ErrorCase(Sample(MATRIX, Spec((2,), "bool"), 1), RuntimeError, r"tensor a \(2\) must match .* b \(3\)"),
                ErrorCase(Sample(MATRIX, Spec((3,), "int64"), 1), RuntimeError, "got mask with dtype long int"),
                ErrorCase(Sample(MATRIX, MASK, Spec((1,))), RuntimeError, r"but got tensor with 1 dimension\(s\)"),
            ],
            integer_dtypes=("int64", "bool"),
        ),
        Declaration(
            "masked_select",
            select_samples,
            tiny=[Sample(MATRIX, MASK)],
            errors=[
                ErrorCase(Sample(MATRIX, Spec((2,), "bool")), RuntimeError, r"tensor a \(2\) must match"),
                ErrorCase(Sample(MATRIX, Spec((3,), "int64")), RuntimeError, "expected BoolTensor for mask"),
            ],
            integer_dtypes=("int64", "bool"),
        ),
        Declaration(
            "masked_scatter",
            scatter_samples,
            tiny=[Sample(MATRIX, MASK, Spec((7,)))],
            errors=[
                ErrorCase(
                    Sample(MATRIX, Spec((2, 3), "bool", values=numpy.ones((2, 3))), Spec((3,))),
                    RuntimeError,
                    "Number of elements of source < number of ones in mask",
                ),
                ErrorCase(
                    Sample(MATRIX, MASK, Spec((7,), "float64")),
                    RuntimeError,
                    "to have same dtypes but gotFloat and Double",
                ),
            ],
        ),
        Declaration(
            "take",
            take_samples,
            tiny=[Sample(MATRIX, Spec((2,), "int64", values=[4, 4]))],
            errors=[
                ErrorCase(
                    Sample(MATRIX, Spec((1,), "int64", values=[7])),
                    IndexError,
                    "access index 7 on a tensor of 6 elements",
                ),
                ErrorCase(
                    Sample(MATRIX, Spec((1,), "float32")),
                    RuntimeError,
                    "Expected a long tensor for index, but got Float",
                ),
                ErrorCase(
                    Sample(Spec((0,)), Spec((1,), "int64", values=[0])),
                    IndexError,
                    "tried to take from an empty tensor",
                ),
            ],
        ),
        Declaration(
            "put",
            put_samples,
            tiny=[Sample(MATRIX, Spec((2,), "int64", values=[4, 0]), Spec((2,)))],
            errors=[
                ErrorCase(Sample(MATRIX, Spec((1,), "int64", values=[9]), Spec((1,))), IndexError, "access index 9"),
                ErrorCase(
                    Sample(MATRIX, Spec((1,), "int64"), Spec((2,))), IndexError, "source.numel.. = 2, index.numel.. = 1"
                ),
                ErrorCase(
                    Sample(MATRIX, Spec((1,), "int64"), Spec((1,), "float64")),
                    RuntimeError,
                    "self.dtype = Float and source.dtype = Double",
                ),
            ],
        ),
        Declaration("nonzero", unary(dtype="bool"), differentiable=False, integer_dtypes=("int64",)),
        Declaration(
            "nonzero as tuple",
            lambda draw: Sample(Spec(draw_shape(draw), "bool"), as_tuple=True),
            ours=torch.nonzero,
            theirs=oracle.nonzero,
            differentiable=False,
        ),
        Declaration("argwhere", unary(dtype="int64", low=-1, high=1), differentiable=False),
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.zeros(2, 3).masked_fill_(t.tensor([True, False, True]), 2),
        lambda t: t.zeros(2, 3, dtype=t.int64).masked_fill(t.tensor(True), 1.5),
        lambda t: t.zeros(2, 3).masked_fill(t.tensor(True), t.tensor(1.5, dtype=t.float64)),
        lambda t: t.zeros(2, 3).masked_scatter_(t.tensor([True, False, True]), t.arange(7.0)),
        lambda t: t.zeros(2, 3).put_(t.tensor([1, 1, -1]), t.ones(3), accumulate=True),
        lambda t: t.zeros(3, 3).fill_diagonal_(5),
        lambda t: t.zeros(2, 4).fill_diagonal_(5),
        lambda t: t.zeros(7, 3).fill_diagonal_(5),
        lambda t: t.zeros(7, 3).fill_diagonal_(5, wrap=True),
        lambda t: t.zeros(2, 2, 2, dtype=t.int64).fill_diagonal_(5),
        lambda t: t.zeros(3, 2).t().fill_diagonal_(5),
        lambda t: t.masked_select(t.tensor(1.0), t.tensor(True)),
        lambda t: t.take(t.arange(6), t.tensor(4)),
        lambda t: t.ones(()).nonzero(),
        lambda t: t.zeros(()).nonzero(),
        lambda t: t.ones(()).nonzero(as_tuple=True)[0],
        lambda t: t.tensor([float("nan"), 0.0]).nonzero(),
    ],
)
def test_in_place_numbers_and_dtypes(call) -> None:
    ours, theirs = call(torch), call(oracle)
    assert (tuple(ours.shape), ours.tolist(), str(ours.dtype)) == (
        tuple(theirs.shape),
        theirs.tolist(),
        str(theirs.dtype),
    )


def test_fill_diagonal_in_a_graph_and_its_errors() -> None:
    x = torch.ones(2, 2, requires_grad=True)
    y = (x * 3).fill_diagonal_(0)
    assert y.grad_fn.name() == "FillDiagonalBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [[0.0, 3.0], [3.0, 0.0]]
    for shape in ((3,), (2, 2, 3)):
        with pytest.raises(RuntimeError) as ours:
            torch.zeros(*shape).fill_diagonal_(1)
        with pytest.raises(RuntimeError) as theirs:
            oracle.zeros(*shape).fill_diagonal_(1)
        assert str(ours.value) == str(theirs.value)


def test_a_mask_larger_than_the_tensor_cannot_be_used_in_place() -> None:
    with pytest.raises(RuntimeError, match=r"output with shape \[3\] doesn't match the broadcast shape \[2, 3\]"):
        torch.zeros(3).masked_fill_(torch.ones(2, 3, dtype=torch.bool), 1)
