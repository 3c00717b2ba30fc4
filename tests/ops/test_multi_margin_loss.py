"""Margin losses over classes against torch; see ``tests/harness/contract.py`` for the kinds of test."""

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

F = "nn.functional."
REDUCTIONS = st.sampled_from(["none", "mean", "sum"])


def multi_margin(draw: Draw) -> Sample:
    C = draw(st.integers(1, 5))
    batch = draw(st.sampled_from([(), (1,), (3,)]))
    target = Spec(batch, dtype="int64", low=0, high=C - 1)
    # Scores in steps of 0.03: no difference is the margin, which is no multiple of that.
    return Sample(
        Spec((*batch, C), distinct=True),
        target,
        p=draw(st.sampled_from([1, 2])),
        margin=draw(st.sampled_from([0.0155, 0.205, 1.0])),
        weight=Spec((C,), low=0.2, differentiable=False) if draw(st.booleans()) else None,
        reduction=draw(REDUCTIONS),
    )


def multilabel_margin(draw: Draw) -> Sample:
    C = draw(st.integers(1, 5))
    batch = draw(st.sampled_from([(), (1,), (3,)]))
    target = Spec((*batch, C), dtype="int64", low=-1, high=C - 1)
    return Sample(Spec((*batch, C), distinct=True), target, reduction=draw(REDUCTIONS))


def multilabel_soft_margin(draw: Draw) -> Sample:
    shape = (*draw_shape(draw, 0, 2), draw(st.integers(1, 4)))
    weight = Spec(shape[-1:]) if draw(st.booleans()) else None
    return Sample(Spec(shape), Spec(shape, low=0, high=1), weight, reduction=draw(REDUCTIONS))


def call(target: Any, dtype: str = "int64", shape: tuple[int, ...] = (3, 4), **options: Any) -> Sample:
    return Sample(Spec(shape), Spec(values=target, dtype=dtype), **options)


BAD_REDUCTION = ErrorCase(call([0, 1, 2], reduction="x"), ValueError, "x is not a valid value for reduction")
NO_ROWS = "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
MULTI_ERRORS = [
    BAD_REDUCTION,
    ErrorCase(call([0, 1, 7]), RuntimeError, "target out of range"),
    ErrorCase(
        call([0, 1]),
        RuntimeError,
        r"multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples "
        r"\(batch size\). Expected target size \[3\], but got \[2\]. Input has shape \[3, 4\].",
    ),
    ErrorCase(call([0, 1, 2], p=3), ValueError, "only p == 1 and p == 2 supported"),
    ErrorCase(call([0, 1, 2], weight=Spec((3,))), RuntimeError, r"inconsistent weight size, expected 4 but got \[3\]"),
    ErrorCase(call([0, 1, 2], weight=Spec((3, 1))), ValueError, "weight must be one-dimensional"),
    ErrorCase(
        call([0, 1, 2], weight=Spec((4,), dtype="float64")), RuntimeError, "expected scalar type Float but found Double"
    ),
    ErrorCase(call([0, 1, 2], dtype="float32"), RuntimeError, "expected scalar type Long but found Float"),
    ErrorCase(call([0, 1], shape=(2, 3, 4)), RuntimeError, NO_ROWS + r"\[2, 3, 4\]"),
    ErrorCase(call([0, 1], shape=(2, 0)), RuntimeError, NO_ROWS + r"\[2, 0\]"),
    ErrorCase(
        call([0, 1, 2]),
        NotImplementedError,
        "\"multi_margin_loss_cpu_kernel\" not implemented for 'Long'",
        dtype="int64",
    ),
]
LABELS = [[0, -1, 1, 1], [1, 1, -1, 0], [-1, 0, 0, 0]]
MULTILABEL_ERRORS = [
    ErrorCase(call(LABELS, reduction="x"), ValueError, "x is not a valid value for reduction"),
    ErrorCase(call([[0, 9, 1, 1], *LABELS[1:]]), RuntimeError, "argument #2 'target' is out of range"),
    ErrorCase(call([[0, -2, 1, 1], *LABELS[1:]]), RuntimeError, "argument #2 'target' is out of range"),
    ErrorCase(call([[0, 1]]), RuntimeError, r"inconsistent target size: \[1, 2\] for input of size: \[3, 4\]"),
    ErrorCase(call(LABELS, dtype="int32"), RuntimeError, "expected scalar type Long but found Int"),
    ErrorCase(
        call(LABELS),
        NotImplementedError,
        "\"multilabel_margin_loss_forward_out_frame\" not implemented for 'Long'",
        dtype="int64",
    ),
]


class TestMultiMarginLoss(OpContract):
    declarations: ClassVar = [
        Declaration(
            F + "multi_margin_loss",
            multi_margin,
            tiny=[call([0, 2], shape=(2, 3)), call([0, 2], shape=(2, 3), p=2)],
            errors=MULTI_ERRORS,
            twice=False,  # torch has no second derivative
        ),
        Declaration(
            F + "multilabel_margin_loss",
            multilabel_margin,
            tiny=[call(LABELS)],
            errors=MULTILABEL_ERRORS,
            twice=False,  # torch has no second derivative
        ),
        Declaration(
            F + "multilabel_soft_margin_loss",
            multilabel_soft_margin,
            tiny=[Sample(Spec((2, 3)), Spec((2, 3), low=0, high=1), Spec((3,)))],
            errors=[
                ErrorCase(Sample(Spec((2, 3)), Spec((2, 3)), reduction="x"), ValueError, "x is not valid"),
                ErrorCase(
                    Sample(Spec(()), Spec(())), IndexError, "Dimension specified as -1 but tensor has no dimensions"
                ),
            ],
        ),
    ]


def test_a_label_named_twice_counts_twice() -> None:
    scores, target = numpy.random.default_rng(0).normal(size=(1, 4)), numpy.array([[2, 2, -1, 0]])
    ours = minitorch.nn.functional.multilabel_margin_loss(to_ours(scores), to_ours(target))
    assert_equal(ours, oracle.nn.functional.multilabel_margin_loss(to_torch(scores), to_torch(target)))


def test_one_score_without_batch() -> None:
    for scores, target in ((0.5, 0), ([0.5, 2.0], [1])):
        for reduction in ("none", "mean"):
            pair = numpy.array(scores), numpy.array(target)
            ours = minitorch.nn.functional.multi_margin_loss(*map(to_ours, pair), reduction=reduction)
            assert_equal(ours, oracle.nn.functional.multi_margin_loss(*map(to_torch, pair), reduction=reduction))


def test_the_weight_has_no_gradient() -> None:
    weight = minitorch.tensor([1.0, 1.0], requires_grad=True)
    with pytest.raises(
        RuntimeError, match="'multi_margin_loss' is not differentiable with respect to argument 'weight'"
    ):
        minitorch.nn.functional.multi_margin_loss(minitorch.zeros(1, 2), minitorch.tensor([0]), weight=weight)


@pytest.mark.parametrize("name", ["multi_margin_loss", "multilabel_margin_loss"])
def test_no_samples(name: str) -> None:
    """torch returns whatever was in memory, unless nothing is reduced."""
    scores, target = minitorch.zeros(0, 4), to_ours(numpy.zeros((0, 4)[: 2 if "label" in name else 1], "int64"))
    function = getattr(minitorch.nn.functional, name)
    assert function(scores, target, reduction="none").shape == (0,)
    assert function(scores, target, reduction="sum").item() == 0
    assert numpy.isnan(function(scores, target).item())
