"""``x[index] = value`` and index_put against torch."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import as_numpy, to_ours, to_torch
from tests.harness.contract import SEEDS, OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape
from tests.ops.test_indexing import INDEX_ERRORS, MATRIX, Numbers, draw_index, long, resolve, their_getitem


def picks_twice(shape: tuple[int, ...], index: Any) -> bool:
    """Whether an element is chosen more than once: which value stays is then undefined."""
    numbers = oracle.arange(int(numpy.prod(shape))).reshape(shape)
    chosen = their_getitem(numbers, index).reshape(-1)
    return bool(chosen.unique().numel() < chosen.numel())


def setitem(package: Any) -> Any:
    def assign(x: Any, index: Any, value: Any) -> Any:
        y = x + 0 if x.dtype not in (package.bool,) else x.clone()
        y[resolve(index, package, x)] = value
        return y

    return assign


def draw_valid_index(draw: Draw, shape: tuple[int, ...]) -> Any:
    while True:
        index = draw_index(draw, shape)
        try:
            if not picks_twice(shape, index):
                return index
        except IndexError:
            continue


def setitem_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3, 0, 4)
    index = draw_valid_index(draw, shape)
    part = tuple(their_getitem(oracle.zeros(shape), index).shape)
    kept = part[draw(st.integers(0, len(part))) :]
    value = tuple([size if draw(st.booleans()) else 1 for size in kept])
    value = (*(1,) * draw(st.integers(0, 2)), *value)
    return Sample(Spec(shape), index, draw(st.sampled_from([Spec(value), Spec(()), 1, True])))


def put_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1, 4)
    accumulate = draw(st.booleans())
    count = draw(st.integers(1, len(shape)))
    sizes = [1] if not accumulate else draw(st.sampled_from([[4], [2, 3], [0]]))
    n = int(numpy.prod(sizes))
    indices = [
        Spec(
            tuple(sizes),
            "int64",
            values=numpy.array(draw(st.lists(st.integers(-size, size - 1), min_size=n, max_size=n)), "int64").reshape(
                sizes
            ),
        )
        for size in shape[:count]
    ]
    values = draw(st.sampled_from([(*sizes, *shape[count:]), shape[count:], ()]))
    return Sample(Spec(shape), tuple(indices), Spec(tuple(values)), accumulate)


VALUE_ERRORS = [
    (0, Spec((2,)), RuntimeError, r"The expanded size of the tensor \(3\) must match the existing size \(2\)"),
    (
        long(0),
        Spec((2,)),
        RuntimeError,
        r"shape mismatch: value tensor of shape \[2\] cannot be broadcast to indexing result of shape \[1, 3\]",
    ),
    (0, [1, 2, 3], TypeError, "can't assign a list to a torch.FloatTensor"),
    (
        long(0),
        Spec((3,), "float64"),
        RuntimeError,
        "Index put requires the source and destination dtypes match, got Float for the destination and Double",
    ),
]


class TestAssignment(OpContract):
    declarations = [
        Declaration(
            "setitem",
            setitem_samples,
            ours=setitem(torch),
            theirs=setitem(oracle),
            tiny=[
                Sample(MATRIX, (slice(None), 1), Spec((2,))),
                Sample(MATRIX, (0, long(2, 0)), Spec((1,))),
                Sample(MATRIX, Numbers([[True, False, True], [False, True, False]], "bool"), Spec((3,))),
            ],
            errors=[
                *[ErrorCase(Sample(MATRIX, index, 1), error, text) for index, error, text in INDEX_ERRORS],
                *[ErrorCase(Sample(MATRIX, index, value), error, text) for index, value, error, text in VALUE_ERRORS],
            ],
            integer_dtypes=("int64", "bool", "uint8"),
        ),
        Declaration(
            "index_put",
            put_samples,
            tiny=[Sample(MATRIX, (Spec((3,), "int64", values=[0, 1, 0]),), Spec((3, 3)), True)],
            errors=[
                ErrorCase(
                    Sample(MATRIX, (Spec((1,), "int64"),) * 3, Spec((1,))),
                    IndexError,
                    "too many indices for tensor of dimension 2",
                )
            ],
        ),
        Declaration("Tensor.index_put", put_samples),
    ]


def outcome(action: Any) -> Any:
    try:
        return action()
    except (RuntimeError, IndexError, TypeError, ValueError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8", "bool", "float32"])
@pytest.mark.parametrize("value", [1.7, True, 300, -1, -300, 0, float("nan"), "number in a tensor", "numpy"])
@pytest.mark.parametrize("index", [0, [0], "mask"])
def test_numbers_are_cast_as_torch_casts_them(dtype, value, index) -> None:
    def assign(package: Any) -> Any:
        x = package.zeros(2, 3, dtype=getattr(package, dtype))
        chosen = package.ones(2, 3, dtype=package.bool) if index == "mask" else index
        given_value = {"number in a tensor": package.tensor(2.5), "numpy": numpy.float64(2.5)}.get(value, value)
        x[chosen] = given_value
        return x.tolist()

    if value != value and dtype not in ("int64", "int8"):  # NaN as uint8 or bool: whatever the processor says
        return
    expected = outcome(lambda: assign(oracle))
    assert outcome(lambda: assign(torch)) == expected


def test_the_value_may_come_from_the_tensor_itself() -> None:
    for package in (torch, oracle):
        x = package.arange(6.0).reshape(2, 3)
        x[0] = x[1]
        x[:, 0] = x[:, 2]
        assert x.tolist() == [[5.0, 4.0, 5.0], [5.0, 4.0, 5.0]]


LEAF = "a leaf Variable that requires grad is being used in an in-place operation."


@pytest.mark.parametrize(
    ("index", "text"),
    [(0, "a view of " + LEAF), ([0], LEAF), (Ellipsis, LEAF), (slice(0, 1), "a view of " + LEAF)],
)
def test_a_leaf_that_requires_grad_cannot_be_changed(index, text) -> None:
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=text):
        x[index] = 1
    with torch.no_grad():
        x[index] = 5
    assert x._version == 1
    assert x[index].tolist() in (5.0, [5.0], [5.0] * 3)


def test_a_change_of_a_saved_value_is_found() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y[0] = 7
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_expanded_memory_is_not_written_through_indices() -> None:
    x = torch.zeros(1).expand(3)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single"):
        x[[0]] = 1
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single"):
        x += 1
    x[0] = 1
    assert x.tolist() == [1.0, 1.0, 1.0]


@given(st.data(), SEEDS)
def test_index_put_in_place_equals_torch(data, seed) -> None:
    sample = put_samples(data.draw)
    generator = numpy.random.default_rng(seed)
    arrays = [spec.make(generator, "float64") for spec in sample.specs()]
    x, *indices, values = arrays
    results = []
    for make in (to_ours, to_torch):
        leaf, put_values = make(x.copy(), True), make(values, True)
        y = leaf * 1
        y.index_put_(tuple([make(index) for index in indices]), put_values, accumulate=sample.args[3])
        (y * y).sum().backward()
        results.append([as_numpy(each) for each in (y, leaf.grad, put_values.grad)])
    for ours, theirs in zip(*results):
        numpy.testing.assert_allclose(ours, theirs, 1e-12)
