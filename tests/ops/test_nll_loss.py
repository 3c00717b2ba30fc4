"""Negative log-likelihood against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
import minitorch.nn.functional
from reference import nll_loss as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec, arrange
from tests.harness.strategies import Draw, draw_shape

NAME = "nn.functional.nll_loss"


def classes(shape: tuple[int, ...], count: int, dtype: str = "int64") -> Spec:
    return Spec(shape, dtype=dtype, low=0, high=count - 1)


def draw_target(draw: Draw, dtypes: tuple[str, ...] = ("int64", "uint8")) -> tuple[tuple[int, ...], Spec]:
    """The shape of an input (C,), (N, C) or (N, C, d₁, …), and a target that fits it."""
    C = draw(st.integers(1, 4))
    dtype = draw(st.sampled_from(dtypes))
    if draw(st.integers(0, 5)) == 0:
        return (C,), classes((), C, dtype)
    N, rest = draw(st.integers(0, 4)), draw_shape(draw, 0, 3, max_size=3)
    return (N, C, *rest), classes((N, *rest), C, "int64" if rest else dtype)


def draw_options(draw: Draw, count: int) -> dict[str, Any]:
    weight = Spec((count,), low=0.2, differentiable=False) if draw(st.booleans()) else None
    return {
        "weight": weight,
        "ignore_index": draw(st.sampled_from([-100, 0, 1])),
        "reduction": draw(st.sampled_from(["none", "mean", "sum"])),
    }


def samples(draw: Draw) -> Sample:
    shape, target = draw_target(draw)
    return Sample(Spec(shape), target, **draw_options(draw, shape[0] if len(shape) == 1 else shape[1]))


def call(shape: tuple[int, ...], target: Any, **options: Any) -> Sample:
    return Sample(Spec(shape), Spec(values=target, dtype=options.pop("dtype", "int64")), **options)


TINY = [
    Sample(Spec((3, 4)), classes((3,), 4)),
    Sample(Spec((3, 4)), classes((3,), 4), Spec((4,), low=0.1, differentiable=False), ignore_index=1),
    Sample(Spec((2, 3, 2)), classes((2, 2), 3), reduction="none"),
    Sample(Spec((2, 3, 2)), classes((2, 2), 3), Spec((3,), low=0.1, differentiable=False), reduction="sum"),
    Sample(Spec((3,)), classes((), 3)),
]
ERRORS = [
    ErrorCase(call((3, 4), [0, 1, 7]), IndexError, "Target 7 is out of bounds."),
    ErrorCase(call((3, 4), [0, -1, 1]), IndexError, "Target -1 is out of bounds."),
    ErrorCase(call((2, 3, 2), [[0, 1], [9, 0]]), IndexError, "Target 9 is out of bounds."),
    ErrorCase(
        call((3, 4), [0, 1, 1], dtype="float32"),
        RuntimeError,
        "expected target dtype to be Long or Byte, but got Float",
    ),
    ErrorCase(
        call((3, 4), [0, 1, 1], dtype="int32"), RuntimeError, "expected target dtype to be Long or Byte, but got Int"
    ),
    ErrorCase(call((1, 3, 2), [[0, 1]], dtype="float32"), RuntimeError, "expected scalar type Long but found Float"),
    ErrorCase(call((3, 4), [0, 1]), ValueError, r"Expected input batch_size \(3\) to match target batch_size \(2\)."),
    ErrorCase(call((3, 4), 0), ValueError, r"Expected input batch_size \(3\) to match target batch_size \(0\)."),
    ErrorCase(call((3, 4), [[0], [1], [1]]), RuntimeError, "multi-target not supported"),
    ErrorCase(call((4,), [0, 1]), ValueError, "For 1D input, 1D target must have size 1, but got target size: 2"),
    ErrorCase(call((), 0), ValueError, r"Expected 1 or more dimensions \(got 0\)"),
    ErrorCase(call((2, 3, 4), [[0] * 5] * 2), RuntimeError, r"Expected target size \[2, 4\], got \[2, 5\]"),
    ErrorCase(
        call((1, 3, 2, 2), [[[0]]]), RuntimeError, r"size mismatch \(got input: \[1, 3, 2, 2\] , target: \[1, 1, 1\]"
    ),
    ErrorCase(
        call((1, 3, 2, 2), [[0]]),
        RuntimeError,
        r"only batches of spatial targets supported \(3D tensors\) but got targets of dimension: 2",
    ),
    ErrorCase(
        call((3, 4), [0, 1, 1], weight=Spec((3,))),
        RuntimeError,
        r"weight tensor should be defined either for all 4 classes or no classes but got weight tensor of shape: \[3\]",
    ),
    ErrorCase(
        call((3, 4), [0, 1, 1], weight=Spec((4,), dtype="float64")),
        RuntimeError,
        "expected scalar type Float but found Double",
    ),
    ErrorCase(call((3, 4), [0, 1, 1], reduction="all"), ValueError, "all is not a valid value for reduction"),
    ErrorCase(
        call((3, 4), [0, 1, 1]), NotImplementedError, "\"nll_loss_out_frame\" not implemented for 'Long'", dtype="int64"
    ),
]


class TestNllLoss(OpContract):
    declarations: ClassVar = [
        Declaration(
            NAME,
            samples,
            reference=reference.nll_loss,
            tiny=TINY,
            errors=ERRORS,
            check_layouts=False,  # torch's backward refuses spatial inputs that are not contiguous
        )
    ]


INF = float("inf")
UNUSUAL = [
    ([[0.0, 0.0], [0.0, 0.0]], [-100, -100], None),
    ([[0.0, 1.0], [2.0, 0.0]], [0, 1], [0.0, 0.0]),
    ([[-INF, 0.0], [0.0, -INF]], [0, 0], None),
    ([[-INF, 0.0], [0.0, -INF]], [-100, 0], None),
    ([[-INF, 0.0], [0.0, -INF]], [0, 0], [0.0, 1.0]),
    ([[float("nan"), 0.0], [0.0, -INF]], [-100, 0], None),
]


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("values", "target", "weight"), UNUSUAL)
def test_ignored_and_infinite_places_are_as_in_torch(
    name: str, reduction: str, values: Any, target: Any, weight: Any
) -> None:
    results = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        x = convert(numpy.array(values), True)
        weights = None if weight is None else convert(numpy.array(weight))
        function = getattr(package.nn.functional, name)
        loss = function(x, convert(numpy.array(target)), weights, reduction=reduction)
        loss.backward(convert(numpy.ones(tuple(loss.shape))))
        results.append((loss.detach(), x.grad))
    assert_equal(results[0][0], results[1][0])
    assert_equal(results[0][1], results[1][1])


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_deprecated_arguments_are_mapped_with_a_warning(size_average: Any, reduce: Any) -> None:
    if size_average is None and reduce is None:
        return
    array, target = numpy.random.default_rng(0).normal(size=(3, 4)), numpy.array([0, 1, 3])
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated, please use reduction="):
        ours = minitorch.nn.functional.nll_loss(
            to_ours(array), to_ours(target), size_average=size_average, reduce=reduce
        )
    with pytest.warns(UserWarning, match="deprecated"):
        theirs = oracle.nn.functional.nll_loss(
            to_torch(array), to_torch(target), size_average=size_average, reduce=reduce
        )
    assert_equal(ours, theirs)


def test_a_target_of_one_element_goes_with_an_input_without_batch() -> None:
    array, target = numpy.random.default_rng(0).normal(size=4), numpy.array([2])
    for reduction in ("none", "mean"):
        ours = minitorch.nn.functional.nll_loss(to_ours(array), to_ours(target), reduction=reduction)
        assert_equal(ours, oracle.nn.functional.nll_loss(to_torch(array), to_torch(target), reduction=reduction))


def test_the_weight_has_no_gradient() -> None:
    weight, target = minitorch.tensor([1.0, 1.0], requires_grad=True), minitorch.tensor([1])
    for name in ("nll_loss", "cross_entropy"):
        with pytest.raises(RuntimeError, match="is not differentiable with respect to argument 'weight'"):
            getattr(minitorch.nn.functional, name)(minitorch.tensor([[1.0, 2.0]]), target, weight)


def test_a_target_changed_before_backward_is_noticed() -> None:
    x, target = to_ours(numpy.zeros((2, 3)), True), minitorch.tensor([0, 1])
    for name in ("nll_loss", "cross_entropy"):
        loss = getattr(minitorch.nn.functional, name)(x, target)
        target.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 2, 2)])
@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_the_nodes_name_is_torchs(name: str, shape: tuple[int, ...]) -> None:
    names = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        target = convert(numpy.zeros((shape[0], *shape[2:]), "int64"))
        names.append(getattr(package.nn.functional, name)(convert(numpy.ones(shape), True), target).grad_fn.name())
    assert names[0] == names[1]


@pytest.mark.parametrize("layout", ["transposed", "strided", "offset"])
def test_layouts_in_memory_do_not_matter(layout: str) -> None:
    array, target = numpy.random.default_rng(0).normal(size=(2, 3, 4)), numpy.array([[0, 1, 2, 0], [2, 2, 1, 0]])
    results = []
    for each in (array, arrange(array, layout)):
        x = to_ours(each, True)
        loss = minitorch.nn.functional.nll_loss(x, to_ours(target), reduction="none")
        loss.backward(to_ours(target + 1.0))
        results.append((loss.array, x.grad.array))
    numpy.testing.assert_array_equal(results[0][0], results[1][0])
    numpy.testing.assert_array_equal(results[0][1], results[1][1])
