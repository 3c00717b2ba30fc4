"""Collation against torch: values, dtypes and the types of containers."""

from __future__ import annotations

from collections import OrderedDict, UserDict, UserList, deque, namedtuple
from types import MappingProxyType

import numpy
import pytest

import minitorch
from tests.harness.both import same

Point = namedtuple("Point", ["x", "y"])


class Extra(dict):
    """A dict with something besides its items."""

    note = "kept"


def array(*values, dtype="float32"):
    return numpy.array(values, dtype)


BATCHES = {
    "tensors": lambda torch: [torch.arange(6.0).reshape(2, 3) + i for i in range(3)],
    "0-d tensors": lambda torch: [torch.tensor(i) for i in range(3)],
    "0-d float tensors": lambda torch: [torch.tensor(i / 2) for i in range(3)],
    "one tensor": lambda torch: [torch.ones(2, 2)],
    "empty tensors": lambda torch: [torch.zeros(0, 3), torch.zeros(0, 3)],
    "tensors with an empty end": lambda torch: [torch.zeros(3, 0), torch.zeros(3, 0)],
    "transposed tensors": lambda torch: [torch.arange(6).reshape(2, 3).t(), torch.ones(3, 2, dtype=torch.int64)],
    "mixed dtypes": lambda torch: [torch.tensor([1]), torch.tensor([2.5])],
    "bool tensors": lambda torch: [torch.tensor([True, False])] * 2,
    "half tensors": lambda torch: [torch.ones(2, dtype=torch.float16)] * 2,
    "arrays": lambda torch: [array(1, 2), array(3, 4)],
    "int arrays": lambda torch: [array(1, 2, dtype="int32"), array(3, 4, dtype="int32")],
    "NumPy floats": lambda torch: [numpy.float32(1), numpy.float32(2)],
    "NumPy doubles": lambda torch: [numpy.float64(1), numpy.float64(2)],
    "NumPy ints": lambda torch: [numpy.int16(1), numpy.int16(2)],
    "NumPy bools": lambda torch: [numpy.bool_(True), numpy.bool_(False)],
    "ints": lambda torch: [1, -2, 3],
    "bools": lambda torch: [True, False],
    "ints and bools": lambda torch: [3, True],
    "floats": lambda torch: [0.1, 0.2],
    "float and int": lambda torch: [0.5, 1],
    "strings": lambda torch: ["a", "bc"],
    "bytes": lambda torch: [b"a", b"bc"],
    "tuples": lambda torch: [(torch.ones(2), 1, "a"), (torch.zeros(2), 2, "b")],
    "lists": lambda torch: [[1, 2.0], [3, 4.0]],
    "nested": lambda torch: [{"a": [1, (2, {"b": 0.5})]}, {"a": [3, (4, {"b": 1.5})]}],
    "dicts": lambda torch: [{"x": 1, "y": "s"}, {"y": "t", "x": 2}],
    "ordered dicts": lambda torch: [OrderedDict(b=1, a=2), OrderedDict(b=3, a=4)],
    "dicts with extras": lambda torch: [Extra(x=1), Extra(x=2)],
    "user dicts": lambda torch: [UserDict(x=1), UserDict(x=2)],
    "fixed mappings": lambda torch: [MappingProxyType({"x": 1}), MappingProxyType({"x": 2})],
    "named tuples": lambda torch: [Point(1, 2.0), Point(3, 4.0)],
    "user lists": lambda torch: [UserList([1, 2]), UserList([3, 4])],
    "deques": lambda torch: [deque([1, 2]), deque([3, 4])],
    "ranges": lambda torch: [range(2), range(2, 4)],
    "empty tuples": lambda torch: [(), ()],
    "missing key": lambda torch: [{"x": 1}, {"y": 1}],
    "more keys": lambda torch: [{"x": 1}, {"x": 1, "y": 1}],
    "lists of other lengths": lambda torch: [[1, 2], [3]],
    "tensors of other sizes": lambda torch: [torch.ones(2), torch.ones(3)],
    "tensor and number": lambda torch: [torch.ones(2), 3],
    "None": lambda torch: [None, None],
    "objects": lambda torch: [{"a": object}, {"a": object}],
    "object arrays": lambda torch: [numpy.array([None]), numpy.array([None])],
    "string arrays": lambda torch: [numpy.array(["a"]), numpy.array(["b"])],
    "nothing": lambda torch: [],
}


def shown(value):
    """A result with the types of its containers spelled out."""
    if isinstance(value, (dict, UserDict, MappingProxyType)):
        return [type(value).__name__, {key: shown(each) for key, each in value.items()}]
    if isinstance(value, (list, tuple, UserList, deque)):
        return [type(value).__name__, *[shown(each) for each in value]]
    return value


@pytest.mark.parametrize("name", BATCHES)
def test_collate_equals_torch(name):
    same(lambda torch: shown(torch.utils.data.default_collate(BATCHES[name](torch))), message=True)


@pytest.mark.parametrize("name", [name for name in BATCHES if name not in ("objects",)])
def test_convert_equals_torch(name):
    same(lambda torch: shown(torch.utils.data.default_convert(BATCHES[name](torch))), message=True)


def test_containers_keep_what_else_they_carry():
    batch = [Extra(x=1), Extra(x=2)]
    batch[0].note = "mine"
    assert minitorch.utils.data.default_collate(batch).note == "mine"
    assert minitorch.utils.data.default_convert(batch[0]).note == "mine"


def test_samples_are_copied_and_left_alone():
    samples = [minitorch.ones(3), minitorch.zeros(3)]
    batch = minitorch.utils.data.default_collate(samples)
    batch.fill_(7)
    assert [each.tolist() for each in samples] == [[1, 1, 1], [0, 0, 0]]


def test_gradients_flow_through_a_batch():
    samples = [minitorch.ones(2, requires_grad=True), minitorch.zeros(2, requires_grad=True)]
    batch = minitorch.utils.data.default_collate(samples)
    (batch * minitorch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert [each.grad.tolist() for each in samples] == [[1.0, 2.0], [3.0, 4.0]]


def test_own_table():
    def collate(torch):
        if torch is minitorch:
            from minitorch.utils.data.collate import collate, default_collate_fn_map
        else:
            from torch.utils.data._utils.collate import collate, default_collate_fn_map

        def longest(batch, *, collate_fn_map=None):
            return max(batch, key=len)

        table = {**default_collate_fn_map, str: longest, (set, frozenset): longest}
        batch = [("a", {1}, 2, frozenset()), ("bcd", {1, 2}, 3, frozenset([1]))]
        return collate(batch, collate_fn_map=table)

    same(collate)


def test_collate_without_a_table():
    def collate(torch):
        if torch is minitorch:
            from minitorch.utils.data.collate import collate
        else:
            from torch.utils.data._utils.collate import collate
        return collate([[1], [2]])

    same(collate, message=True)
