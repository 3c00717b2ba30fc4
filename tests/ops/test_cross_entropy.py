"""Cross-entropy against torch; see ``tests/harness/contract.py`` for the kinds of test.

Ignored places, infinite scores, deprecated arguments and node names are tested with ``nll_loss``, for both.
"""

from __future__ import annotations

from typing import ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
import minitorch.nn.functional
from reference import cross_entropy as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape
from tests.ops.test_nll_loss import call, classes, draw_options, draw_target

NAME = "nn.functional.cross_entropy"
SMOOTHING = st.sampled_from([0.0, 0.1, 0.5, 1.0])


def indices(draw: Draw) -> Sample:
    shape, target = draw_target(draw, ("int64",))
    options = draw_options(draw, shape[0] if len(shape) == 1 else shape[1])
    if 0 in target.shape and options["reduction"] == "mean":
        options["reduction"] = "sum"  # the mean over nothing is nan, and tested on its own
    return Sample(Spec(shape), target, label_smoothing=draw(SMOOTHING), **options)


def probabilities(draw: Draw) -> Sample:
    reduction = draw(st.sampled_from(["none", "mean", "sum"]))
    shape = draw_shape(draw, 1, 4, min_size=int(reduction == "mean"), max_size=3)
    count = shape[0] if len(shape) == 1 else shape[1]
    return Sample(
        Spec(shape),
        Spec(shape, low=0),
        Spec((count,), low=0.2) if draw(st.booleans()) else None,
        reduction=reduction,
        label_smoothing=draw(SMOOTHING),
    )


WEIGHT = Spec((3,), low=0.1, differentiable=False)
TINY_INDICES = [
    Sample(Spec((2, 3)), classes((2,), 3)),
    Sample(Spec((4, 3)), classes((4,), 3), WEIGHT, ignore_index=1, label_smoothing=0.2),
    Sample(Spec((2, 3, 2)), classes((2, 2), 3), WEIGHT, reduction="none"),
    Sample(Spec((2, 3, 1, 2)), classes((2, 1, 2), 3), reduction="sum", label_smoothing=0.5),
    Sample(Spec((3,)), classes((), 3), label_smoothing=0.1),
]
TINY_PROBABILITIES = [
    Sample(Spec((2, 3)), Spec((2, 3), low=0)),
    Sample(Spec((2, 3, 2)), Spec((2, 3, 2), low=0), Spec((3,), low=0.1), label_smoothing=0.3, reduction="none"),
    Sample(Spec((3,)), Spec((3,), low=0), reduction="sum"),
]
INDEX_ERRORS = [
    ErrorCase(call((3, 4), [0, 1, 9]), IndexError, "Target 9 is out of bounds."),
    ErrorCase(
        call((3, 4), [0, 1, 1], dtype="float32"),
        RuntimeError,
        "expected target dtype to be Long or Byte, but got Float",
    ),
    ErrorCase(call((3, 4), [0, 1]), ValueError, r"Expected input batch_size \(3\) to match target batch_size \(2\)."),
    ErrorCase(call((2, 3, 4), [[0] * 5] * 2), RuntimeError, r"Expected target size \[2, 4\], got \[2, 5\]"),
    ErrorCase(
        call((3, 4), [0, 1, 1], label_smoothing=1.1),
        RuntimeError,
        "label_smoothing must be between 0.0 and 1.0. Got: 1.1",
    ),
    ErrorCase(
        call((3, 4), [0, 1, 1], weight=Spec((3,))), RuntimeError, "defined either for all 4 classes or no classes"
    ),
    ErrorCase(
        call((3, 4), [0, 1, 1], weight=Spec((4,), dtype="float64")),
        RuntimeError,
        "expected scalar type Float but found Double",
    ),
    ErrorCase(call((3, 4), [0, 1, 1], reduction="x"), ValueError, "x is not a valid value for reduction"),
    ErrorCase(call((3, 4), [0, 1, 1]), NotImplementedError, "not implemented for 'Long'", dtype="int64"),
]
PROBABILITY_ERRORS = [
    ErrorCase(
        Sample(Spec((3, 4)), Spec((3, 4), dtype="int64")),
        RuntimeError,
        "Expected floating point type for target with class probabilities, got Long",
    ),
    ErrorCase(
        Sample(Spec((3, 4)), Spec((3, 4)), ignore_index=2),
        RuntimeError,
        "ignore_index is not supported for floating point target",
    ),
    ErrorCase(
        Sample(Spec((3, 4)), Spec((3, 4)), Spec((3,))),
        RuntimeError,
        r"cross_entropy: weight tensor should be defined either for all 4 classes or no classes but got weight "
        r"tensor of shape: \[3\]",
    ),
]


class TestCrossEntropy(OpContract):
    declarations: ClassVar = [
        Declaration(
            NAME,
            indices,
            reference=reference.cross_entropy,
            tiny=TINY_INDICES,
            errors=INDEX_ERRORS,
            has_kernels=True,
        ),
        Declaration(
            NAME,
            probabilities,
            reference=reference.cross_entropy,
            tiny=TINY_PROBABILITIES,
            errors=PROBABILITY_ERRORS,
        ),
    ]


def test_scores_of_any_size_are_safe() -> None:
    array, target = numpy.array([[1e4, 0.0, -1e4]] * 3, "float32"), numpy.array([0, 1, 2])
    loss = minitorch.nn.functional.cross_entropy(to_ours(array), to_ours(target), reduction="none")
    numpy.testing.assert_array_equal(loss.array, [0, 1e4, 2e4])


def test_the_gradient_is_softmax_minus_target() -> None:
    array = numpy.random.default_rng(0).normal(size=(2, 3))
    x = to_ours(array, True)
    minitorch.nn.functional.cross_entropy(x, minitorch.tensor([2, 0]), reduction="sum").backward()
    exponentials = numpy.exp(array)
    softmax = exponentials / exponentials.sum(1, keepdims=True)
    numpy.testing.assert_allclose(x.grad.array, softmax - [[0, 0, 1], [1, 0, 0]], 1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_one_probability_of_1_is_a_class_index(smoothing: float) -> None:
    array, target = numpy.random.default_rng(0).normal(size=(4, 3, 2)), numpy.array([[0, 1], [2, 1], [0, 0], [1, 2]])
    one_hot = (target[:, None] == numpy.arange(3)[:, None]).astype("float64")
    by_index, by_probability = (
        minitorch.nn.functional.cross_entropy(to_ours(array), to_ours(each), label_smoothing=smoothing)
        for each in (target, one_hot)
    )
    numpy.testing.assert_allclose(by_index.array, by_probability.array, 1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_float16_is_computed_in_float32(smoothing: float) -> None:
    array, target = numpy.random.default_rng(0).normal(size=(6, 5)).astype("float16"), numpy.array([0, 1, 2, 3, 4, 0])
    results = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        x = convert(array, True)
        loss = package.nn.functional.cross_entropy(x, convert(target), label_smoothing=smoothing)
        loss.backward()
        results.append((loss.detach(), x.grad))
    # torch rounds the log-probabilities to float16 in between; ours does not.
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs, {"float16": (3e-3, 1e-3)})


def test_a_second_backward_finds_the_saved_values_freed() -> None:
    x = to_ours(numpy.zeros((2, 3)), True)
    loss = minitorch.nn.functional.cross_entropy(x, minitorch.tensor([0, 1]))
    loss.backward(retain_graph=True)
    loss.backward()
    numpy.testing.assert_allclose(x.grad.array[0], [-2 / 3, 1 / 3, 1 / 3])
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        loss.backward()


def test_mixed_dtypes_of_scores_and_probabilities_are_promoted() -> None:
    array = numpy.random.default_rng(0).uniform(size=(2, 3))
    for first, second in (("float32", "float64"), ("float64", "float32")):
        pair = array.astype(first), array.astype(second)
        ours = minitorch.nn.functional.cross_entropy(to_ours(pair[0]), to_ours(pair[1]))
        assert_equal(ours, oracle.nn.functional.cross_entropy(to_torch(pair[0]), to_torch(pair[1])))


@pytest.mark.parametrize("target", [numpy.zeros(0, "int64"), numpy.zeros((0, 3))])
def test_the_mean_over_no_places_is_nan(target: numpy.ndarray) -> None:
    scores = numpy.zeros((0, 3))
    loss = minitorch.nn.functional.cross_entropy(to_ours(scores), to_ours(target), label_smoothing=0.1)
    assert_equal(loss, oracle.nn.functional.cross_entropy(to_torch(scores), to_torch(target), label_smoothing=0.1))


def test_targets_may_be_bytes() -> None:
    scores, target = numpy.random.default_rng(0).normal(size=(3, 4)), numpy.array([3, 0, 1], "uint8")
    loss = minitorch.nn.functional.cross_entropy(to_ours(scores), to_ours(target))
    assert_equal(loss, oracle.nn.functional.cross_entropy(to_torch(scores), to_torch(target)))
