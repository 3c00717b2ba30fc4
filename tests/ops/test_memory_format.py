"""Where the elements of a result lie in memory: the strides are torch's, for inputs of every layout.

A dimension of size 1 is left out of the comparison: nothing is read through its stride, and NumPy chooses another
than torch after some elementwise operations. So are expanded operands (stride 0) of elementwise operations: nothing
tells where in the order such a dimension stands, and the two guess differently. ``LEFT`` lists what else differs.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import pytest
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.harness.both import compare, outcome, same
from tests.harness.compare import as_numpy

Op = Callable[..., Any]
FORMATS = ("contiguous_format", "channels_last")
PACKAGES = (minitorch, oracle)


class Layout(NamedTuple):
    """How to make a tensor: dimensions in an order of memory, some of them cut out of more or repeated."""

    shape: tuple[int, ...]
    order: tuple[int, ...]  # from the slowest to the fastest in memory
    gap: int | None = None  # a dimension of which memory holds one more
    repeated: int | None = None  # a dimension of stride 0

    def make(self, torch: Any, dtype: str = "float32") -> Any:
        sizes = [1 if dim == self.repeated else size + (dim == self.gap) for dim, size in enumerate(self.shape)]
        values = numpy.random.default_rng(0).uniform(-2, 2, [sizes[dim] for dim in self.order]).astype(dtype)
        tensor = torch.from_numpy(values).permute([self.order.index(dim) for dim in range(len(sizes))])
        if self.gap not in (None, self.repeated):
            tensor = tensor.narrow(self.gap, 1, self.shape[self.gap])
        return tensor.expand(self.shape)


@st.composite
def layouts(draw: Any, shape: tuple[int, ...] | None = None, ndim: int = 4) -> Layout:
    if shape is None:
        shape = tuple(draw(st.lists(st.integers(1, 4), min_size=ndim, max_size=ndim)))
    order = draw(st.sampled_from([tuple(range(len(shape))), (0, *range(2, len(shape)), 1)]) | st.permutations(shape))
    if sorted(order) != list(range(len(shape))):  # any other order
        order = tuple(draw(st.permutations(range(len(shape)))))
    dims = st.none() | st.none() | st.integers(0, len(shape) - 1)
    # Beside a dimension of stride 0 torch sorts those of size 1 in a way of its own: left out.
    return Layout(shape, order, draw(dims), None if 1 in shape else draw(dims))


def seen(tensor: Any) -> Any:
    """What can be seen of a layout: strides (but of dimensions of size 1), and which formats it counts as."""
    strides = [stride if size != 1 else None for size, stride in zip(tensor.shape, tensor.stride())]
    torch = oracle if isinstance(tensor, oracle.Tensor) else minitorch
    return strides, [tensor.is_contiguous(memory_format=getattr(torch, name)) for name in FORMATS]


def assert_same_layouts(op: Op, *inputs: Layout) -> None:
    results = []
    for torch in PACKAGES:
        torch.manual_seed(0)
        result = op(torch, *[each.make(torch) for each in inputs])
        results.append(result if isinstance(result, (tuple, list)) else [result])
    for ours, theirs in zip(*results):
        assert seen(ours) == seen(theirs)
        if isinstance(ours, minitorch.Tensor) and not ours.requires_grad:
            compare(ours, theirs)


UNARY: dict[str, Op] = {
    "neg": lambda torch, x: -x,
    "exp": lambda torch, x: x.exp(),
    "abs": lambda torch, x: x.abs(),
    "sigmoid": lambda torch, x: x.sigmoid(),
    "erf": lambda torch, x: x.erf(),
    "clamp": lambda torch, x: x.clamp(-1, 1),
    "square": lambda torch, x: x**2,
    "isnan": lambda torch, x: x.isnan(),
    "greater": lambda torch, x: x > 0,
    "plus number": lambda torch, x: x + 1,
    "from number": lambda torch, x: 1 - x,
    "where": lambda torch, x: torch.where(x > 0, x, 0.0),
    "double": lambda torch, x: x.double(),
    "long": lambda torch, x: x.long(),
    "relu": lambda torch, x: torch.nn.functional.relu(x),
    "gelu": lambda torch, x: torch.nn.functional.gelu(x),
    "elu": lambda torch, x: torch.nn.functional.elu(x),
    "silu": lambda torch, x: torch.nn.functional.silu(x),
    "leaky_relu": lambda torch, x: torch.nn.functional.leaky_relu(x),
    "prelu": lambda torch, x: torch.nn.functional.prelu(x, torch.ones(1)),
    "dropout": lambda torch, x: torch.nn.functional.dropout(x),
    "dropout in evaluation": lambda torch, x: torch.nn.functional.dropout(x, training=False),
    "flip": lambda torch, x: x.flip(1),
    "clone": lambda torch, x: x.clone(),
    "clone channels last": lambda torch, x: x.clone(memory_format=torch.channels_last),
    "clone contiguous": lambda torch, x: x.clone(memory_format=torch.contiguous_format),
    "contiguous": lambda torch, x: x.contiguous(),
    "contiguous channels last": lambda torch, x: x.contiguous(memory_format=torch.channels_last),
    "to channels last": lambda torch, x: x.to(memory_format=torch.channels_last),
    "to contiguous": lambda torch, x: x.to(memory_format=torch.contiguous_format),
    "to double channels last": lambda torch, x: x.to(torch.float64, memory_format=torch.channels_last),
    "to double contiguous": lambda torch, x: x.to(torch.float64, memory_format=torch.contiguous_format),
    "to copy": lambda torch, x: x.to(torch.float32, copy=True),
    "deepcopy": lambda torch, x: copy.deepcopy(x),
    "zeros_like": lambda torch, x: torch.zeros_like(x),
    "ones_like channels last": lambda torch, x: torch.ones_like(x, memory_format=torch.channels_last),
    "rand_like": lambda torch, x: torch.rand_like(x),
    "tril": lambda torch, x: x.tril(),
    "sum": lambda torch, x: x.sum(1),
    "softmax": lambda torch, x: x.softmax(1),
    "cumsum": lambda torch, x: x.cumsum(1),
    "flatten": lambda torch, x: x.flatten(1),
    "stack": lambda torch, x: torch.stack([x, x], 1),
    "repeat": lambda torch, x: x.repeat(1, 2, 1, 1),
    "group_norm": lambda torch, x: torch.nn.functional.group_norm(x.repeat(2, 1, 2, 2), 1, eps=1.0),
    "instance_norm": lambda torch, x: torch.nn.functional.instance_norm(x.repeat(1, 1, 2, 2), eps=1.0),
}
BY_FORMULA = ("gelu", "elu", "silu", "leaky_relu", "prelu", "dropout")
ORDERED_BY_NUMPY = (*list(UNARY)[: list(UNARY).index("double")], *BY_FORMULA)


@pytest.mark.parametrize("name", UNARY)
@given(layout=layouts())
def test_of_one_tensor(name: str, layout: Layout) -> None:
    if layout.repeated is None or name not in ORDERED_BY_NUMPY:
        assert_same_layouts(UNARY[name], layout)
    else:  # no less can be viewed than in torch
        ours, theirs = (UNARY[name](torch, layout.make(torch)) for torch in PACKAGES)
        assert ours.is_contiguous() or not theirs.is_contiguous()


BINARY: dict[str, Op] = {
    "add": lambda torch, x, y: x + y,
    "sub": lambda torch, x, y: torch.sub(x, y, alpha=2),
    "mul": lambda torch, x, y: x * y,
    "div": lambda torch, x, y: x / y,
    "pow": lambda torch, x, y: x.abs() ** y,
    "maximum": lambda torch, x, y: torch.maximum(x, y),
    "minimum": lambda torch, x, y: torch.minimum(x, y),
    "less": lambda torch, x, y: x < y,
    "where": lambda torch, x, y: torch.where(x > y, x, y),
}


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data(), first=layouts())
def test_of_two_tensors(name: str, data: Any, first: Layout) -> None:
    """The first operand that tells two dimensions apart decides which is the slower one."""
    # Where sizes of 1 meet broadcast ones, torch sorts in a way of its own: left out.
    shape = first.shape if 1 in first.shape else tuple(size if data.draw(st.booleans()) else 1 for size in first.shape)
    first, second = (each._replace(repeated=None) for each in (first, data.draw(layouts(shape))))
    pair = (first, second) if data.draw(st.booleans()) else (second, first)
    assert_same_layouts(BINARY[name], *pair)


@given(data=st.data(), first=layouts())
def test_cat(data: Any, first: Layout) -> None:
    """Channels last if all inputs are."""
    second, dim = data.draw(layouts(first.shape)), data.draw(st.integers(0, 3))
    assert_same_layouts(lambda torch, x, y: torch.cat([x, y], dim), first, second)


LAYERS: dict[str, Op] = {
    "conv2d": lambda torch, x: torch.nn.functional.conv2d(x, torch.ones(3, x.shape[1], 3, 3), padding=1),
    "conv2d with channels-last weight": lambda torch, x: torch.nn.functional.conv2d(
        x.contiguous(), torch.ones(3, x.shape[1], 3, 3).contiguous(memory_format=torch.channels_last), padding=1
    ),
    "depthwise conv2d": lambda torch, x: torch.nn.functional.conv2d(
        x, torch.ones(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1]
    ),
    "1×1 conv2d": lambda torch, x: torch.nn.functional.conv2d(x, torch.ones(3, x.shape[1], 1, 1)),
    "conv_transpose2d": lambda torch, x: torch.nn.functional.conv_transpose2d(x, torch.ones(x.shape[1], 3, 3, 3)),
    "max_pool2d": lambda torch, x: torch.nn.functional.max_pool2d(x, 2, return_indices=True),
    "batch_norm of transposed images, training": lambda torch, x: torch.nn.functional.batch_norm(
        x.transpose(2, 3), None, None, training=True
    ),
    "batch_norm of transposed images": lambda torch, x: torch.nn.functional.batch_norm(
        x.contiguous().transpose(2, 3), torch.zeros(x.shape[1]), torch.ones(x.shape[1])
    ),
    "avg_pool2d": lambda torch, x: torch.nn.functional.avg_pool2d(x, 3, 2, 1),
    "adaptive_avg_pool2d": lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, (2, 3)),
    "global average": lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, 1),
    "adaptive_max_pool2d": lambda torch, x: torch.nn.functional.adaptive_max_pool2d(x, 2, return_indices=True),
    "nearest": lambda torch, x: torch.nn.functional.interpolate(x, scale_factor=2),
    "bilinear": lambda torch, x: torch.nn.functional.interpolate(x, size=(3, 7), mode="bilinear"),
    "bicubic": lambda torch, x: torch.nn.functional.interpolate(x, scale_factor=2, mode="bicubic"),
    "pad": lambda torch, x: torch.nn.functional.pad(x, (1, 2, 0, 1), value=3),
    "replicate": lambda torch, x: torch.nn.functional.pad(x, (1, 1, 1, 1), mode="replicate"),
    "reflect": lambda torch, x: torch.nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"),
    "circular": lambda torch, x: torch.nn.functional.pad(x, (1, 1, 1, 1), mode="circular"),
    "pixel_shuffle": lambda torch, x: torch.nn.functional.pixel_shuffle(x, 2),
    "pixel_unshuffle": lambda torch, x: torch.nn.functional.pixel_unshuffle(x, 2),
    "dropout2d": lambda torch, x: torch.nn.functional.dropout2d(x),
    "roll": lambda torch, x: x if 1 in x.shape else x.roll(1, 2),
    "normalize": lambda torch, x: torch.nn.functional.normalize(x),
}


@pytest.mark.parametrize("name", LAYERS)
@given(layout=st.sampled_from([(2, 4, 6, 4), (1, 4, 2, 2), (3, 8, 4, 2)]).flatmap(layouts))
def test_of_layers(name: str, layout: Layout) -> None:
    assert_same_layouts(LAYERS[name], layout)


GRADIENTS: dict[str, Op] = {
    **{name: LAYERS[name] for name in ("avg_pool2d", "adaptive_max_pool2d", "bilinear", "pad")},
    **{name: UNARY[name] for name in ("exp", "relu", "clone", "sum", "stack", "contiguous channels last")},
    "conv2d": lambda torch, x: torch.nn.functional.conv2d(x, torch.ones(3, x.shape[1], 1, 1)),
    "max_pool2d": lambda torch, x: torch.nn.functional.max_pool2d(x, 2),
    "batch_norm": lambda torch, x: torch.nn.functional.batch_norm(x, None, None, training=True),
}


@pytest.mark.parametrize("name", GRADIENTS)
@given(layout=st.sampled_from([(2, 4, 6, 4), (2, 1, 4, 4)]).flatmap(layouts))
def test_a_leafs_gradient_lies_as_the_leaf_does(name: str, layout: Layout) -> None:
    """Row-major if the leaf has gaps or repeats; so it stays when a second gradient is added."""
    grads = []
    for torch in PACKAGES:
        leaf = layout.make(torch).requires_grad_()
        for _ in range(2):
            result = GRADIENTS[name](torch, leaf)
            result = result[0] if isinstance(result, tuple) else result
            result.backward(torch.ones_like(result))
        grads.append(leaf.grad)
    assert seen(grads[0]) == seen(grads[1])
    numpy.testing.assert_allclose(as_numpy(grads[0]), as_numpy(grads[1]), 1e-5, 1e-5)


@given(data=st.data(), layout=layouts())
def test_view_refuses_where_torch_does(data: Any, layout: Layout) -> None:
    """And shares the memory where it does not refuse."""
    sizes = list(layout.shape)
    for _ in range(data.draw(st.integers(1, 3))):  # merge two neighbours, or split one
        dim = data.draw(st.integers(0, len(sizes) - 1))
        if data.draw(st.booleans()) and dim + 1 < len(sizes):
            sizes[dim : dim + 2] = [sizes[dim] * sizes[dim + 1]]
        else:
            divisors = [each for each in range(1, sizes[dim] + 1) if sizes[dim] % each == 0]
            factor = data.draw(st.sampled_from(divisors))
            sizes[dim : dim + 1] = [factor, sizes[dim] // factor]
    x = layout.make(minitorch)
    kind, expected = outcome(lambda torch: layout.make(torch).view(sizes), oracle)
    our_kind, actual = outcome(lambda torch: x.view(sizes), minitorch)
    assert our_kind == kind
    if kind == "error":
        assert str(actual) == str(expected)
    else:
        assert seen_strides(actual) == seen_strides(expected)
        assert numpy.shares_memory(actual.array, x.array)


def seen_strides(tensor: Any) -> list[int | None]:
    return [stride if size != 1 else None for size, stride in zip(tensor.shape, tensor.stride())]


@given(layout=layouts())
def test_pickled(layout: Layout) -> None:
    """Order kept, gaps and repetitions left out."""
    for x in (layout.make(minitorch), layout.make(minitorch).clone()):
        back = pickle.loads(pickle.dumps(x))
        compare(back, oracle.from_numpy(numpy.ascontiguousarray(x.array)))
        assert seen(back) == seen(minitorch.empty_like(x))


def test_to_returns_the_tensor_itself_where_torch_does() -> None:
    def program(torch: Any) -> list[bool]:
        plain = torch.zeros(2, 3, 4, 5)
        last = plain.to(memory_format=torch.channels_last)
        turned = plain.transpose(2, 3)
        return [
            x.to(memory_format=layout) is x
            for x in (plain, last, turned, torch.zeros(2, 1, 4, 5))
            for layout in (torch.contiguous_format, torch.channels_last, torch.preserve_format)
        ] + [last.to(torch.float32, copy=True, memory_format=torch.channels_last) is last]

    same(program)


@pytest.mark.parametrize("name", ["channels_last", "channels_last_3d"])
@pytest.mark.parametrize("method", ["to", "clone", "contiguous"])
def test_formats_need_their_number_of_dimensions(method: str, name: str) -> None:
    same(lambda torch: getattr(torch.zeros(2, 3, 4), method)(memory_format=getattr(torch, name)), message=True)


def test_module_to() -> None:
    """Parameters, buffers and gradients with four dimensions; the others stay as they are."""

    def program(torch: Any) -> Any:
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(16, 2))
        model.register_buffer("mask", torch.ones(1, 2, 3, 4))
        model(torch.ones(1, 3, 4, 4)).sum().backward()
        model = model.to(torch.float64, memory_format=torch.channels_last)
        tensors = [*model.parameters(), *[each.grad for each in model.parameters()], *model.buffers()]
        strides = [each.stride() for each in tensors], [str(each.dtype)[-7:] for each in tensors]
        model.zero_grad()
        model(torch.ones(1, 3, 4, 4, dtype=torch.float64)).sum().backward()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        optimizer.step()
        trained = [each.detach() for each in model.parameters()]
        return strides, [(each.stride(), each.grad.stride()) for each in model.parameters()], model.mask, trained

    same(program)


def test_a_rearranged_image_is_never_a_view() -> None:
    def program(torch: Any) -> Any:
        x = torch.zeros(1, 4, 1, 1)
        torch.nn.functional.pixel_shuffle(x, 2).add_(1)
        y = torch.zeros(1, 1, 2, 2)
        torch.nn.functional.pixel_unshuffle(y, 2).add_(1)
        return x, y

    same(program)


# ------------------------------------------------------------------------------------------- what is left

LEFT: dict[str, tuple[Op, str]] = {
    "sort": (lambda torch, x: tuple(x.sort(1)), "sorting gives row-major results, torch's keep the order"),
    "index": (
        lambda torch, x: x.transpose(2, 3)[:, [0, 1]],
        "an index gives row-major results, torch's keep the order",
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=LEFT[name][1])) for name in LEFT]
)
def test_left(name: str) -> None:
    assert_same_layouts(LEFT[name][0], Layout((2, 4, 6, 5), (0, 2, 3, 1)))
