"""Reshapes and expansions against torch."""

from __future__ import annotations

import math

import numpy
import pytest
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch as torch
from minitorch.ops.shape import can_be_viewed
from tests.harness.compare import to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec, arrange
from tests.harness.strategies import Draw, draw_broadcastable, draw_dim, draw_shape, unary

INTEGERS = ("int64", "uint8", "bool")


def draw_other_shape(draw: Draw, count: int) -> tuple[int, ...]:
    """A shape of ``count`` elements, sometimes with one size left open."""
    sizes = []
    while count > 1 and draw(st.booleans()):
        divisors = [each for each in range(1, count + 1) if count % each == 0]
        sizes.append(draw(st.sampled_from(divisors)))
        count //= sizes[-1]
    sizes.append(count)
    if math.prod(sizes) and draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return tuple(sizes)


def reshape_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    return Sample(Spec(shape), draw_other_shape(draw, math.prod(shape)))


def flatten_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    first, last = sorted([draw_dim(draw, len(shape)) % max(len(shape), 1) for _ in range(2)])
    return Sample(Spec(shape), first, last - (len(shape) or 1) if draw(st.booleans()) else last)


def unflatten_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, min_size=1)
    dim = draw_dim(draw, len(shape))
    return Sample(Spec(shape), dim, draw_other_shape(draw, shape[dim]))


def squeeze_samples(draw: Draw) -> Sample:
    shape = tuple(draw(st.lists(st.integers(0, 2), max_size=4)))
    dims = [None, draw_dim(draw, len(shape))]
    if shape:
        dims.append(tuple(draw(st.sets(st.integers(0, len(shape) - 1)))))
    dim = draw(st.sampled_from(dims))
    return Sample(Spec(shape)) if dim is None else Sample(Spec(shape), dim)


def unsqueeze_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3)
    return Sample(Spec(shape), draw_dim(draw, len(shape) + 1))


def draw_expanded(draw: Draw, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A size that ``shape`` expands to, with some sizes left as -1."""
    new = draw(st.lists(st.integers(0, 3), max_size=2))
    kept = [draw(st.integers(0, 3)) if size == 1 else draw(st.sampled_from([size, -1])) for size in shape]
    return (*new, *kept)


def expand_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3, max_size=3)
    return Sample(Spec(shape), draw_expanded(draw, shape))


def broadcast_samples(draw: Draw) -> Sample:
    return Sample(*[Spec(shape) for shape in draw_broadcastable(draw, draw(st.integers(1, 3)))])


MATRIX = Spec((2, 3))
WRONG_SIZE = ErrorCase(Sample(MATRIX, (4, -1)), RuntimeError, r"shape '\[4, -1\]' is invalid for input of size 6")
SHAPE_ERRORS = [
    WRONG_SIZE,
    ErrorCase(Sample(MATRIX, (5,)), RuntimeError, r"shape '\[5\]' is invalid for input of size 6"),
    ErrorCase(Sample(MATRIX, (-1, -1)), RuntimeError, "only one dimension can be inferred"),
    ErrorCase(Sample(MATRIX, (-2, 3)), RuntimeError, r"invalid shape dimension -2 at index 0 of shape \[-2, 3\]"),
    ErrorCase(Sample(Spec((0, 3)), (0, -1)), RuntimeError, "cannot reshape tensor of 0 elements into shape"),
]


class TestShape(OpContract):
    declarations = [
        Declaration(
            "reshape",
            reshape_samples,
            tiny=[Sample(MATRIX, (3, 2)), Sample(Spec((2, 3), layout="transposed"), (6,))],
            errors=SHAPE_ERRORS,
            integer_dtypes=INTEGERS,
        ),
        Declaration("Tensor.view", reshape_samples, errors=SHAPE_ERRORS, check_layouts=False),
        Declaration(
            "flatten",
            flatten_samples,
            errors=[
                ErrorCase(Sample(MATRIX, 1, 0), RuntimeError, "start_dim cannot come after end_dim"),
                ErrorCase(Sample(MATRIX, 2), IndexError, "Dimension out of range"),
            ],
        ),
        Declaration(
            "unflatten",
            unflatten_samples,
            errors=[
                ErrorCase(Sample(MATRIX, 1, (2, 2)), RuntimeError, r"Provided sizes \[2, 2\] don't multiply up"),
                ErrorCase(Sample(MATRIX, 1, ()), RuntimeError, "sizes must be non-empty"),
            ],
        ),
        Declaration("ravel", unary()),
        Declaration(
            "squeeze",
            squeeze_samples,
            tiny=[Sample(Spec((1, 2, 1)))],
            errors=[
                ErrorCase(Sample(MATRIX, 2), IndexError, r"expected to be in range of \[-2, 1\], but got 2"),
                ErrorCase(Sample(MATRIX, (0, 0)), RuntimeError, "dim 0 appears multiple times"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "unsqueeze",
            unsqueeze_samples,
            tiny=[Sample(Spec((2,)), 1)],
            errors=[ErrorCase(Sample(MATRIX, 4), IndexError, r"range of \[-3, 2\], but got 4")],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "Tensor.expand",
            expand_samples,
            tiny=[Sample(Spec((2, 1)), (3, 2, 2))],
            errors=[
                ErrorCase(
                    Sample(MATRIX, (3, 3)),
                    RuntimeError,
                    r"The expanded size of the tensor \(3\) must match the existing size \(2\) at non-singleton "
                    r"dimension 0.  Target sizes: \[3, 3\].  Tensor sizes: \[2, 3\]",
                ),
                ErrorCase(Sample(MATRIX, (2,)), RuntimeError, r"the number of sizes provided \(1\) must be greater"),
                ErrorCase(Sample(MATRIX, (-1, 2, 3)), RuntimeError, "leading, non-existing dimension 0"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration("broadcast_to", expand_samples),
        Declaration(
            "broadcast_tensors",
            broadcast_samples,
            errors=[ErrorCase(Sample(Spec((2,)), Spec((3,))), RuntimeError, r"tensor a \(2\) must match .* b \(3\)")],
        ),
    ]


@given(st.data(), st.sampled_from(["contiguous", "transposed", "strided", "offset"]))
def test_what_can_be_viewed_is_what_torch_views(data, layout) -> None:
    shape = draw_shape(data.draw, 1, 4, 1, 4)
    wanted = tuple(size for size in draw_other_shape(data.draw, math.prod(shape)))
    array = arrange(numpy.arange(math.prod(shape)).reshape(shape), layout)
    ours, theirs = to_ours(array), oracle.from_numpy(array)
    if data.draw(st.booleans()) and len(shape) > 1:
        ours, theirs = ours.transpose(0, 1), theirs.transpose(0, 1)
    try:
        expected = theirs.view(wanted)
    except RuntimeError:
        with pytest.raises(RuntimeError, match="view size is not compatible with input tensor's size and stride"):
            ours.view(wanted)
        assert not numpy.shares_memory(ours.reshape(wanted).array, array)
        return
    actual = ours.view(wanted)
    assert tuple(actual.shape) == tuple(expected.shape)
    assert actual.tolist() == expected.tolist()
    assert numpy.shares_memory(actual.array, array)
    assert numpy.shares_memory(ours.reshape(wanted).array, array)
    assert can_be_viewed(ours.array, tuple(actual.shape))


VIEWS = [
    lambda x: x.view(6),
    lambda x: x.reshape(3, 2),
    lambda x: x.flatten(),
    lambda x: x.squeeze(),
    lambda x: x.unsqueeze(1),
    lambda x: x.expand(2, 2, 3),
    lambda x: x.transpose(0, 1),
    lambda x: x.permute(1, 0),
    lambda x: x.T,
    lambda x: x.unflatten(1, (3, 1)),
    lambda x: x.t().reshape(3, 2),
    lambda x: x.view(2, 3),
    lambda x: x.view_as(x),
]


@pytest.mark.parametrize("view", VIEWS)
def test_views_share_memory_base_and_grad_fn_name(view) -> None:
    array = numpy.arange(6.0).reshape(2, 3)
    ours, theirs = to_ours(array, True) * 1, to_torch(array, True) * 1
    shown, expected = view(ours), view(theirs)
    assert numpy.shares_memory(shown.array, ours.array)
    assert shown._base is ours
    assert expected._base is theirs
    assert shown.grad_fn.name() == expected.grad_fn.name()


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "int64", "uint8", "float32"])
def test_view_of_another_dtype(dtype) -> None:
    array = numpy.arange(8, dtype="float32").reshape(2, 4)
    ours = to_ours(array).view(getattr(torch, dtype))
    theirs = to_torch(array).view(getattr(oracle, dtype))
    assert ours.tolist() == theirs.tolist()
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert numpy.shares_memory(ours.array, array)


@pytest.mark.parametrize("make", [lambda t: t.zeros(2, 3), lambda t: t.zeros(2, 2).t(), lambda t: t.zeros(())])
def test_view_of_another_dtype_that_does_not_fit(make) -> None:
    with pytest.raises(RuntimeError) as expected:
        make(oracle).view(oracle.float64)
    with pytest.raises(RuntimeError) as caught:
        make(torch).view(torch.float64)
    assert str(caught.value) == str(expected.value)


def test_sizes_may_come_one_by_one_or_as_one() -> None:
    x = torch.zeros(2, 3)
    for make in (x.view, x.reshape):
        assert make(3, 2).shape == make((3, 2)).shape == make([3, 2]).shape == (3, 2)
    assert x.permute(1, 0).shape == x.permute((1, 0)).shape == (3, 2)
    assert x.expand(2, 2, 3).shape == x.expand((2, 2, 3)).shape == (2, 2, 3)
    assert x.view(torch.tensor(3), 2).shape == (3, 2)
    assert torch.zeros(1).view(()).shape == ()


def test_the_in_place_shapes() -> None:
    for change in (
        lambda x: x.unsqueeze_(1),
        lambda x: x.unsqueeze_(0).squeeze_(),
        lambda x: x.unsqueeze_(0).squeeze_(0),
        lambda x: x.t_(),
        lambda x: x.transpose_(0, 1),
        lambda x: x.swapaxes_(0, 1),
    ):
        ours, theirs = change(torch.zeros(2, 3)), change(oracle.zeros(2, 3))
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours._version == theirs._version
