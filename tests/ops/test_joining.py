"""Joins against torch."""

from __future__ import annotations

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape

INTEGERS = ("int64", "bool")


def cat_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3)
    dim = draw_dim(draw, len(shape))
    specs = []
    for _ in range(draw(st.integers(1, 4))):
        size = draw(st.integers(0, 3))
        dtype = draw(st.sampled_from([None, None, "float32", "int64", "bool"]))
        part = [*shape]
        part[dim] = size
        specs.append(Spec((0,) if draw(st.integers(0, 9)) == 0 else tuple(part), dtype=dtype))
    if all(spec.shape == (0,) for spec in specs):
        return Sample(specs)
    return Sample(specs, dim)


def stack_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3)
    specs = [Spec(shape, dtype=draw(st.sampled_from([None, None, "int64"]))) for _ in range(draw(st.integers(1, 3)))]
    return Sample(specs, draw_dim(draw, len(shape) + 1))


def same_shapes(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 4, max_size=3)
    return Sample([Spec(shape) for _ in range(draw(st.integers(1, 3)))])


def several(draw: Draw) -> Sample:
    return Sample(*[Spec(draw_shape(draw)) for _ in range(draw(st.integers(1, 3)))])


TWO = Spec((2, 3))
TINY = [Sample([Spec((2,)), Spec((2,))])]


class TestJoining(OpContract):
    declarations = [
        Declaration(
            "cat",
            cat_samples,
            tiny=[Sample([Spec((1, 2)), Spec((2, 2))], 0)],
            errors=[
                ErrorCase(Sample([]), ValueError, "expected a non-empty list of Tensors"),
                ErrorCase(
                    Sample([TWO, Spec((2, 2))]),
                    RuntimeError,
                    "Sizes of tensors must match except in dimension 0. Expected size 3 but got size 2 for tensor "
                    "number 1 in the list.",
                ),
                ErrorCase(Sample([TWO, Spec((2,))]), RuntimeError, "same number of dimensions: got 2 and 1"),
                ErrorCase(Sample([TWO, TWO], 2), IndexError, r"range of \[-2, 1\], but got 2"),
                ErrorCase(Sample([Spec(()), Spec(())]), RuntimeError, r"zero-dimensional tensor \(at position 0\)"),
                ErrorCase(Sample(TWO), TypeError, "must be tuple of Tensors, not Tensor"),
                ErrorCase(Sample([TWO, 1]), TypeError, "expected Tensor as element 1 in argument 0, but got int"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "stack",
            stack_samples,
            tiny=[Sample([Spec((2,)), Spec((2,))], 1)],
            errors=[
                ErrorCase(Sample([]), RuntimeError, "stack expects a non-empty TensorList"),
                ErrorCase(Sample([TWO, Spec((2,))]), RuntimeError, r"but got \[2, 3\] at entry 0 and \[2\] at entry 1"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration("hstack", same_shapes, tiny=TINY),
        Declaration("vstack", same_shapes, tiny=TINY),
        Declaration("dstack", same_shapes, tiny=TINY),
        Declaration("column_stack", same_shapes, tiny=TINY),
        Declaration("atleast_1d", several),
        Declaration("atleast_2d", several),
        Declaration("atleast_3d", several),
    ]


@pytest.mark.parametrize("name", ["cat", "stack", "hstack", "vstack"])
def test_out(name) -> None:
    parts = [[1.0, 2.0], [3.0, 4.0]]
    expected = getattr(oracle, name)([oracle.tensor(part) for part in parts])
    for shape in (tuple(expected.shape), (0,)):
        out = torch.zeros(shape)
        assert getattr(torch, name)([torch.tensor(part) for part in parts], out=out) is out
        assert out.tolist() == expected.tolist()


def test_a_tensor_joined_with_itself_gets_both_gradients() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    torch.cat([x, x * 3, x]).backward(torch.tensor([1.0, 2.0, 10.0, 20.0, 100.0, 200.0]))
    assert x.grad.tolist() == [131.0, 262.0]


def test_the_other_names() -> None:
    assert torch.concat is torch.cat
    assert torch.concatenate is torch.cat
    assert torch.row_stack is torch.vstack
