"""``x[index]`` against torch, for every kind of index."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch as torch
from minitorch.backend import accelerator
from tests.harness.compare import to_ours, to_torch
from tests.harness.contract import SEEDS, OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape


def _on_gpu(array: Any) -> Any:
    return accelerator.require().asarray(array)


class Numbers:
    """A tensor of indices or a mask, made anew for each library."""

    def __init__(self, values: Any, dtype: str, kind: str = "tensor") -> None:
        self.values, self.dtype, self.kind = numpy.asarray(values, dtype), dtype, kind

    def __repr__(self) -> str:
        return f"Numbers({self.values.tolist()}, {self.dtype}, {self.kind})"

    def of(self, package: Any, like: Any) -> Any:
        if self.kind == "list":
            return self.values.tolist()
        if self.kind == "array":
            return self.values
        made = (to_ours if package is torch else to_torch)(self.values)
        if getattr(like, "is_cuda", False):
            made.array = type(like.array)(made.array) if hasattr(like.array, "_host") else _on_gpu(made.array)
        return made


def draw_item(draw: Draw, shape: tuple[int, ...], dim: int, common: tuple[int, ...]) -> tuple[Any, int]:
    """One item of an index and the number of dimensions it stands for."""
    kinds = (
        ["none", "bool"] if dim >= len(shape) else ["slice", "slice", "int", "tensor", "tensor", "mask", "none", "bool"]
    )
    kind = draw(st.sampled_from(kinds))
    if kind == "none":
        return None, 0
    if kind == "bool":
        return draw(st.booleans()), 0
    size = shape[dim]
    if kind == "slice" or size == 0:
        bounds = st.none() | st.integers(-size - 1, size + 1)
        return slice(draw(bounds), draw(bounds), draw(st.none() | st.integers(1, 3))), 1
    if kind == "int":
        return draw(st.integers(-size, size - 1)), 1
    if kind == "mask":
        count = draw(st.integers(1, min(2, len(shape) - dim)))
        total = int(numpy.prod(shape[dim : dim + count]))
        mask = numpy.array(draw(st.lists(st.booleans(), min_size=total, max_size=total)), bool)
        if common != ():  # a mask meets other tensors: only one that picks a single place broadcasts with all
            mask[:] = False
            mask[draw(st.integers(0, total - 1)) if total else 0 :][:1] = True
        return Numbers(mask.reshape(shape[dim : dim + count]), "bool"), count
    kept = common[draw(st.integers(0, len(common))) :]
    sizes = tuple([each if draw(st.booleans()) else 1 for each in kept])
    values = draw(st.lists(st.integers(-size, size - 1), min_size=(n := int(numpy.prod(sizes))), max_size=n))
    kind = draw(st.sampled_from(["tensor", "array"] + (["list"] if len(sizes) == 1 and n else [])))
    dtype = "int64" if kind == "list" else draw(st.sampled_from(["int64", "int32"]))
    return Numbers(numpy.array(values).reshape(sizes), dtype, kind), 1


def draw_index(draw: Draw, shape: tuple[int, ...], with_masks: bool = True) -> Any:
    """An index into ``shape``: a tuple of items, sometimes with an Ellipsis, sometimes an item alone."""
    common = draw(st.sampled_from([(), (2,), (3, 1), (2, 3)]))
    items: list[Any] = []
    dim = 0
    for _ in range(draw(st.integers(0, len(shape) + 2))):
        item, used = draw_item(draw, shape, dim, common or (1,))
        if isinstance(item, bool) and not item and any(isinstance(each, Numbers) for each in items):
            item = True  # False is an index of length 0, which broadcasts with length 1 only
        items.append(item)
        dim += used
    if draw(st.booleans()):
        place = draw(st.integers(0, len(items)))
        if place == len(items) or dim == len(shape) or all(item is None for item in items[place:]):
            items.insert(place, Ellipsis)
    return items[0] if len(items) == 1 and draw(st.booleans()) else tuple(items)


def resolve(index: Any, package: Any, like: Any) -> Any:
    if isinstance(index, tuple):
        return tuple([resolve(item, package, like) for item in index])
    return index.of(package, like) if isinstance(index, Numbers) else index


def our_getitem(x: Any, index: Any) -> Any:
    return x[resolve(index, torch, x)]


def their_getitem(x: Any, index: Any) -> Any:
    return x[resolve(index, oracle, x)]


def getitem_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 4, 0, 4)
    while True:
        index = draw_index(draw, shape)
        try:
            their_getitem(oracle.zeros(shape), index)
        except IndexError:  # tensors that do not broadcast, and False next to several indices
            continue
        return Sample(Spec(shape), index)


def long(*values: int) -> Numbers:
    return Numbers(values, "int64")


MATRIX = Spec((2, 3))
INDEX_ERRORS = [
    ((5,), IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    ((0, -4), IndexError, "index -4 is out of bounds for dimension 1 with size 3"),
    ((0, 0, 0), IndexError, "too many indices for tensor of dimension 2"),
    (slice(None, None, -1), ValueError, "step must be greater than zero"),
    (long(5), IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    (Numbers([1.0], "float32"), IndexError, "tensors used as indices must be long, int, byte or bool tensors"),
    (Numbers([1], "int8"), IndexError, "tensors used as indices must be long, int, byte or bool tensors"),
    (
        Numbers([True], "bool"),
        IndexError,
        r"The shape of the mask \[1\] at index 0 does not match the shape of the indexed tensor \[2, 3\] at index 0",
    ),
    (
        (long(0, 1), long(0, 1, 2)),
        IndexError,
        r"indexing tensors could not be broadcast together with shapes \[2\], \[3\]",
    ),
    (1.5, IndexError, "only integers, slices"),
]
ERRORS = [ErrorCase(Sample(MATRIX, index), error, text) for index, error, text in INDEX_ERRORS]
ERRORS.append(ErrorCase(Sample(Spec(()), 0), IndexError, "invalid index of a 0-dim tensor"))


class TestIndexing(OpContract):
    declarations = [
        Declaration(
            "getitem",
            getitem_samples,
            ours=our_getitem,
            theirs=their_getitem,
            tiny=[
                Sample(MATRIX, (slice(None), 1)),
                Sample(MATRIX, (None, slice(0, 2), long(0, 0, 2))),
                Sample(MATRIX, Numbers([[True, False, True], [False, True, False]], "bool")),
            ],
            errors=ERRORS,
            integer_dtypes=("int64", "bool", "uint8"),
        )
    ]


@pytest.mark.parametrize(
    "index",
    [
        0,
        (slice(None), 1),
        slice(0, 1),
        None,
        Ellipsis,
        (),
        (0, slice(1, None)),
        (Ellipsis, None),
        slice(None),
        (Ellipsis, 0),
    ],
)
def test_basic_indices_give_views_with_torchs_names(index) -> None:
    array = numpy.arange(6.0).reshape(2, 3)
    ours, theirs = to_ours(array, True) * 1, to_torch(array, True) * 1
    assert numpy.shares_memory(ours[index].array, ours.array)
    assert ours[index]._base is ours
    assert ours[index].grad_fn.name() == theirs[index].grad_fn.name()


@pytest.mark.parametrize("index", [[0, 1], [True, False], numpy.array([0]), True, ([0, 1], 0)])
def test_other_indices_give_copies(index) -> None:
    array = numpy.arange(6.0).reshape(2, 3)
    ours, theirs = to_ours(array, True) * 1, to_torch(array, True) * 1
    assert not numpy.shares_memory(ours[index].array, ours.array)
    assert ours[index]._base is None
    assert ours[index].grad_fn.name() == theirs[index].grad_fn.name() == "IndexBackward0"
    assert ours[index].tolist() == theirs[index].tolist()


@pytest.mark.filterwarnings("ignore")
def test_the_older_ways_of_writing_an_index() -> None:
    array = numpy.arange(6.0).reshape(2, 3)
    ours, theirs = to_ours(array), to_torch(array)
    nested = [[0, 1], [1, 2]]  # a short list of lists counts as a tuple
    assert ours[nested].tolist() == theirs[nested].tolist()
    assert ours[torch.tensor([1, 0], dtype=torch.uint8)].tolist() == [[0.0, 1.0, 2.0]]  # a mask
    assert ours[torch.tensor(1, dtype=torch.int8)].tolist() == [3.0, 4.0, 5.0]  # a number
    assert ours[torch.tensor(0) :, torch.tensor(1) : 2].tolist() == [[1.0], [4.0]]
    assert ours[numpy.int64(1), numpy.int32(2)].item() == 5.0
    assert ours[[]].shape == (0, 3)
    assert ours[range(2), range(1, 3)].tolist() == theirs[range(2), range(1, 3)].tolist() == [1.0, 5.0]
    with pytest.warns(UserWarning, match="dtype torch.uint8 is now deprecated"):
        ours[torch.tensor([1, 0], dtype=torch.uint8)]
    with pytest.raises(TypeError, match="does not support deleting items"):
        del ours[0]


@given(st.data(), SEEDS)
def test_an_index_used_twice_gets_both_gradients_also_in_second_derivatives(data, seed) -> None:
    rows = data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=6))
    values = numpy.random.default_rng(seed).uniform(-1, 1, (3, 2))
    results = []
    for package, make in ((torch, to_ours), (oracle, to_torch)):
        x = make(values, True)
        y = x[package.tensor(rows)]
        (first,) = package.autograd.grad(y * y * y, x, package.ones_like(y), create_graph=True)
        (second,) = package.autograd.grad(first * first, x, package.ones_like(first))
        results.append((first.detach().numpy(), second.numpy()))
    for ours, theirs in zip(*results):
        numpy.testing.assert_allclose(ours, theirs, 1e-12)
