"""Parts of tensors against torch."""

from __future__ import annotations

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape

MATRIX, SCALAR = Spec((2, 3)), Spec(())


def split_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3)
    dim = draw_dim(draw, len(shape))
    if draw(st.booleans()):
        return Sample(Spec(shape), draw(st.integers(0 if shape[dim] == 0 else 1, 6)), dim)
    sizes, left = [], shape[dim]
    while left:
        sizes.append(draw(st.integers(0, left)))
        left -= sizes[-1]
    return Sample(Spec(shape), sizes, dim)


def chunk_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3)
    return Sample(Spec(shape), draw(st.integers(1, 6)), draw_dim(draw, len(shape)))


def tensor_split_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3)
    parts = draw(st.integers(1, 6) | st.lists(st.integers(-4, 6), max_size=3).map(tuple))
    return Sample(Spec(shape), parts, draw_dim(draw, len(shape)))


def equal_split_samples(minimum: int, dim: int):
    def samples(draw: Draw) -> Sample:
        shape = list(draw_shape(draw, minimum, 4, 1))
        count = draw(st.integers(1, 3))
        shape[0 if len(shape) == 1 else dim] *= count
        return Sample(Spec(tuple(shape)), draw(st.sampled_from([count, (1,), (0, 2)])))

    return samples


def unbind_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1)
    return Sample(Spec(shape), draw_dim(draw, len(shape)))


def narrow_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3)
    dim = draw_dim(draw, len(shape))
    start = draw(st.integers(0, shape[dim]))
    length = draw(st.integers(0, shape[dim] - start))
    if start < shape[dim] and draw(st.booleans()):
        start -= shape[dim]
    return Sample(Spec(shape), dim, start, length)


def select_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1)
    dim = draw_dim(draw, len(shape))
    return Sample(Spec(shape), dim, draw(st.integers(-shape[dim], shape[dim] - 1)))


def wrong(sample: Sample, text: str, error: type[Exception] = RuntimeError) -> ErrorCase:
    return ErrorCase(sample, error, text)


class TestSplitting(OpContract):
    declarations = [
        Declaration(
            "split",
            split_samples,
            tiny=[Sample(Spec((3,)), 2), Sample(Spec((2, 3)), [1, 2], 1)],
            errors=[
                wrong(
                    Sample(MATRIX, 0), "split_size can only be 0 if dimension size is 0, but got dimension size of 2"
                ),
                wrong(Sample(MATRIX, -1), "split expects split_size be non-negative, but got split_size=-1"),
                wrong(Sample(MATRIX, [1, 2]), r"expects split_sizes to sum exactly to 2 .* got split_sizes=\[1, 2\]"),
                wrong(Sample(MATRIX, [-1, 3]), "split_sizes have only non-negative entries"),
                wrong(Sample(SCALAR, 1), "split expects at least a 1-dimensional tensor"),
                wrong(Sample(MATRIX, 2, 5), "Dimension out of range", IndexError),
            ],
            integer_dtypes=("int64", "bool"),
        ),
        Declaration(
            "chunk",
            chunk_samples,
            errors=[
                wrong(Sample(MATRIX, 0), "chunk expects `chunks` to be greater than 0, got: 0"),
                wrong(Sample(SCALAR, 1), "chunk expects at least a 1-dimensional tensor"),
            ],
        ),
        Declaration(
            "tensor_split",
            tensor_split_samples,
            errors=[
                wrong(Sample(MATRIX, 0), "number of sections must be larger than 0, got 0"),
                wrong(Sample(SCALAR, 1), "tensor_split expected at least a 1-dimensional tensor"),
            ],
        ),
        Declaration(
            "hsplit",
            equal_split_samples(1, 1),
            errors=[
                wrong(Sample(MATRIX, 2), "size of the dimension 3 is not divisible by the split_size 2!"),
                wrong(Sample(SCALAR, 1), "requires a tensor with at least 1 dimension"),
            ],
        ),
        Declaration("vsplit", equal_split_samples(2, 0), errors=[wrong(Sample(Spec((2,)), 1), "at least 2 dimension")]),
        Declaration("dsplit", equal_split_samples(3, 2), errors=[wrong(Sample(MATRIX, 1), "at least 3 dimension")]),
        Declaration(
            "unbind",
            unbind_samples,
            tiny=[Sample(Spec((2, 2)), 1)],
            errors=[wrong(Sample(SCALAR), "Dimension specified as 0 but tensor has no dimensions", IndexError)],
        ),
        Declaration(
            "narrow",
            narrow_samples,
            errors=[
                wrong(Sample(MATRIX, 0, 1, 2), r"start \(1\) \+ length \(2\) exceeds dimension size \(2\)."),
                wrong(Sample(MATRIX, 0, 3, 0), r"expected to be in range of \[-2, 2\], but got 3", IndexError),
                wrong(Sample(MATRIX, 0, 0, -1), "length must be non-negative"),
                wrong(Sample(SCALAR, 0, 0, 1), "cannot be applied to a 0-dim tensor"),
            ],
        ),
        Declaration(
            "select",
            select_samples,
            errors=[
                wrong(
                    Sample(MATRIX, 0, 5), r"index 5 out of range for tensor of size \[2, 3\] at dimension 0", IndexError
                ),
                wrong(Sample(SCALAR, 0, 0), "cannot be applied to a 0-dim tensor", IndexError),
            ],
        ),
    ]


@pytest.mark.parametrize(
    "take", [lambda t, x: t.split(x, [1, 1]), lambda t, x: t.unbind(x), lambda t, x: t.chunk(x, 2)]
)
@pytest.mark.parametrize("used", [0, 1])
def test_parts_that_nobody_used_have_zero_gradient(take, used) -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        part = take(package, x)[used]
        (part * part).sum().backward()
        results.append((x.grad.tolist(), part.grad_fn.name(), part._base is x))
    assert results[0] == results[1]


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
@pytest.mark.parametrize("name", ["split", "chunk", "unbind", "tensor_split", "narrow", "select"])
def test_parts_are_views(name, shape) -> None:
    arguments = {
        "split": (1,),
        "chunk": (2,),
        "unbind": (),
        "tensor_split": (2,),
        "narrow": (0, 1, 1),
        "select": (0, 1),
    }
    x = torch.zeros(shape)
    parts = getattr(x, name)(*arguments[name])
    last = parts[-1] if isinstance(parts, tuple) else parts
    last += 1
    assert x.sum().item() == last.numel()
    assert last._base is x


def test_bounds_may_be_tensors() -> None:
    x = torch.arange(4)
    assert [part.tolist() for part in torch.tensor_split(x, torch.tensor([1, 3]))] == [[0], [1, 2], [3]]
    assert [part.tolist() for part in torch.tensor_split(x, torch.tensor(2))] == [[0, 1], [2, 3]]
    assert x.narrow(0, torch.tensor(1), 2).tolist() == [1, 2]
