"""Binary cross-entropy against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

REDUCTIONS = st.sampled_from(["none", "mean", "sum"])
P = {"low": 0.05, "high": 0.95}
PAIR = (Spec((2, 3), **P), Spec((2, 3), **P))


def factor(draw: Draw, shape: tuple[int, ...]) -> Spec | None:
    """None, or a weight that broadcasts to ``shape``; it has no gradient."""
    kept = draw(st.integers(0, len(shape)))
    spec = Spec(tuple(size if draw(st.booleans()) else 1 for size in shape[kept:]), low=0.2, differentiable=False)
    return spec if draw(st.booleans()) else None


def probabilities(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3)
    return Sample(Spec(shape, **P), Spec(shape, **P), factor(draw, shape), reduction=draw(REDUCTIONS))


def logits(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3)
    # No logit near 0 where |x| has a kink: the derivative does not, but torch's second one takes 0 there.
    return Sample(
        Spec(shape, low=-8.0, high=8.0),
        Spec(shape, **P),
        factor(draw, shape),
        pos_weight=factor(draw, shape),
        reduction=draw(REDUCTIONS),
    )


BAD_REDUCTION = ErrorCase(Sample(*PAIR, reduction="x"), ValueError, "x is not a valid value for reduction")
ERRORS = [
    BAD_REDUCTION,
    ErrorCase(
        Sample(Spec((3, 4), **P), Spec((3, 1), **P)),
        ValueError,
        r"Using a target size \(torch.Size\(\[3, 1\]\)\) that is different to the input size "
        r"\(torch.Size\(\[3, 4\]\)\)",
    ),
    ErrorCase(
        Sample(Spec((2,), low=1.1), Spec((2,), **P)), RuntimeError, "all elements of input should be between 0 and 1"
    ),
    ErrorCase(
        Sample(Spec((2,), **P), Spec((2,), low=1.1)), RuntimeError, "all elements of target should be between 0 and 1"
    ),
    ErrorCase(
        Sample(Spec((2,), **P), Spec((2,), dtype="float64", **P)), RuntimeError, "Found dtype Double but expected Float"
    ),
    ErrorCase(
        Sample(Spec((2,), **P), Spec((2,), dtype="int64", low=0, high=1)),
        RuntimeError,
        "Found dtype Long but expected Float",
    ),
    ErrorCase(
        Sample(Spec((2,)), Spec((2,))),
        NotImplementedError,
        "\"binary_cross_entropy\" not implemented for 'Long'",
        dtype="int64",
    ),
]
LOGITS_ERRORS = [
    BAD_REDUCTION,
    ErrorCase(
        Sample(Spec((3,)), Spec((3,), dtype="int64")),
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    ErrorCase(
        Sample(Spec((3, 4)), Spec((3, 1))),
        ValueError,
        r"Target size \(torch.Size\(\[3, 1\]\)\) must be the same as input size \(torch.Size\(\[3, 4\]\)\)",
    ),
    ErrorCase(Sample(*PAIR, pos_weight=Spec((2,))), RuntimeError, "The size of tensor a"),
    ErrorCase(Sample(*PAIR), NotImplementedError, "\"log_sigmoid_cpu\" not implemented for 'Long'", dtype="int64"),
]
# log(1 − p) and p (1 − p) of p near 1 lose some units of 2⁻²⁴.
TOLERANCE = {"float32": (1e-5, 1e-5)}


class TestBinaryCrossEntropy(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.binary_cross_entropy",
            probabilities,
            tiny=[Sample(*PAIR), Sample(*PAIR, Spec((3,), low=0.2, differentiable=False), reduction="none")],
            errors=ERRORS,
            tolerance=TOLERANCE,
        ),
        Declaration(
            "nn.functional.binary_cross_entropy_with_logits",
            logits,
            tiny=[
                Sample(Spec((2, 3)), PAIR[1]),
                Sample(Spec((2, 3)), PAIR[1], pos_weight=Spec((3,), low=0.2, differentiable=False), reduction="sum"),
            ],
            errors=LOGITS_ERRORS,
            tolerance=TOLERANCE,
        ),
    ]


def both(name: str, values: Any, target: Any) -> tuple[list[Any], list[Any]]:
    """The losses, and the gradients of both operands, in both libraries."""
    results = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        x, t = convert(numpy.array(values), True), convert(numpy.array(target), True)
        losses = getattr(package.nn.functional, name)(x, t, reduction="none")
        losses.backward(convert(numpy.ones(len(values))))
        results.append([losses.detach(), x.grad, t.grad])
    return results[0], results[1]


def test_certain_predictions_are_as_in_torch() -> None:
    for ours, theirs in zip(*both("binary_cross_entropy", [0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0])):
        assert_equal(ours, theirs)


def test_large_logits_are_as_in_torch() -> None:
    values, target = [1000.0, -1000.0, 1000.0, -1000.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.5]
    for ours, theirs in zip(*both("binary_cross_entropy_with_logits", values, target)):
        assert_equal(ours, theirs)


def test_the_two_agree() -> None:
    x = numpy.random.default_rng(0).normal(size=(3, 4))
    t = numpy.random.default_rng(1).uniform(size=(3, 4))
    functional = minitorch.nn.functional
    of_logits = functional.binary_cross_entropy_with_logits(to_ours(x), to_ours(t))
    of_probabilities = functional.binary_cross_entropy(to_ours(1 / (1 + numpy.exp(-x))), to_ours(t))
    numpy.testing.assert_allclose(of_logits.array, of_probabilities.array, 1e-12)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_laws_of_both(name: str) -> None:
    function, theirs = getattr(minitorch.nn.functional, name), getattr(oracle.nn.functional, name)
    half = numpy.full((2, 3), 0.5)
    assert_equal(function(to_ours(half[:0]), to_ours(half[:0])), theirs(to_torch(half[:0]), to_torch(half[:0])))
    x = to_ours(half, True)
    assert function(x, x.detach()).grad_fn.name() == theirs(to_torch(half, True), to_torch(half)).grad_fn.name()
    with pytest.raises(RuntimeError, match="is not differentiable with respect to argument 'weight'"):
        function(x, x.detach(), x)
    with pytest.raises(RuntimeError, match=r"must match|broadcast"):
        function(x, x.detach(), minitorch.ones(2))
