"""Margin losses against torch; see ``tests/harness/contract.py`` for the kinds of test."""

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
from tests.harness.strategies import Draw, draw_broadcastable, draw_shape

F = "nn.functional."
REDUCTIONS = st.sampled_from(["none", "mean", "sum"])


def signs(draw: Draw, shape: tuple[int, ...]) -> Spec:
    """Targets 1 and −1."""
    flat = [draw(st.sampled_from([1.0, -1.0])) for _ in range(int(numpy.prod(shape)))]
    return Spec(shape, values=numpy.array(flat).reshape(shape), differentiable=False)


def ranking(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3)
    # The hinge is at a difference of 0.5; input1 − input2 lies in [0.6, 3] or [−3, −0.6].
    low, high = draw(st.sampled_from([((0.4, 1.5), (-1.5, -0.2)), ((-1.5, -0.2), (0.4, 1.5))]))
    specs = Spec(shape, low=low[0], high=low[1]), Spec(shape, low=high[0], high=high[1])
    return Sample(*specs, signs(draw, shape), margin=0.5, reduction=draw(REDUCTIONS))


def hinge(draw: Draw) -> Sample:
    shape, target = draw_broadcastable(draw, 2)
    return Sample(Spec(shape, kinks=(0.7,)), signs(draw, target), margin=0.7, reduction=draw(REDUCTIONS))


def cosine(draw: Draw) -> Sample:
    batch = draw_shape(draw, 0, 1)
    shape = (*batch, draw(st.integers(1, 4)))
    margin = draw(st.sampled_from([-1.5, 1.5]))  # beyond any cosine: never at the hinge
    specs = Spec(shape, low=0.3), Spec(shape, low=0.3)
    return Sample(*specs, signs(draw, batch), margin=margin, reduction=draw(REDUCTIONS))


def soft_margin(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3)
    return Sample(Spec(shape), signs(draw, shape), reduction=draw(REDUCTIONS))


def triplet(draw: Draw) -> Sample:
    shape = (*draw_shape(draw, 0, 2), draw(st.integers(1, 4)))
    anchor = Spec(shape, low=0.1, high=1.0)
    positive, negative = Spec(shape, low=2.0, high=3.0), Spec(shape, low=-3.0, high=-2.0)
    # Far apart, so that neither the hinge (margin 30) nor the choice of ``swap`` is on an edge.
    options = {"margin": 30.0, "swap": draw(st.booleans()), "reduction": draw(REDUCTIONS)}
    return Sample(anchor, positive, negative, **options)


def triplet_of_order_p(draw: Draw) -> Sample:
    sample = triplet(draw)
    return Sample(*sample.args, p=draw(st.sampled_from([1.0, 2.0, 3.0])), **sample.kwargs)


PAIR = (Spec((3,), low=0.1), Spec((3,), low=0.1))
VECTORS = (Spec((3, 4)), Spec((3, 4)))
ONES = numpy.ones(3)
BAD_REDUCTION = ErrorCase(
    Sample(*PAIR, Spec(values=ONES), reduction="x"), ValueError, "x is not a valid value for reduction"
)
NEEDS_SAME_DIMS = ErrorCase(
    Sample(*VECTORS, Spec((4,))),
    RuntimeError,
    "are expected to have the same number of dimensions, but got: anchor 2D, positive 2D, and negative 1D inputs",
)
NO_MARGIN = ErrorCase(
    Sample(*VECTORS, Spec((3, 4)), margin=-1.0), ValueError, "margin must be greater than 0, got -1.0"
)


class TestMarginLoss(OpContract):
    declarations: ClassVar = [
        Declaration(
            F + "margin_ranking_loss",
            ranking,
            tiny=[Sample(Spec((3,), low=0.5), Spec((3,), high=0), Spec(values=-ONES, differentiable=False))],
            errors=[
                BAD_REDUCTION,
                ErrorCase(
                    Sample(Spec((3,)), Spec((3, 1)), Spec((3,))),
                    RuntimeError,
                    r"All input tensors should have same dimension but got sizes: input1: torch.Size\(\[3\]\), input2: "
                    r"torch.Size\(\[3, 1\]\), target: torch.Size\(\[3\]\)",
                ),
            ],
        ),
        Declaration(
            F + "hinge_embedding_loss",
            hinge,
            tiny=[Sample(Spec((3,), low=0.1, high=0.9), Spec(values=-ONES, differentiable=False))],
            errors=[
                ErrorCase(Sample(*PAIR, reduction="x"), ValueError, "x is not a valid value for reduction"),
                ErrorCase(Sample(Spec((3,)), Spec((4,))), RuntimeError, "must match the size of tensor"),
            ],
        ),
        Declaration(
            F + "cosine_embedding_loss",
            cosine,
            tiny=[Sample(Spec((3, 4), low=0.1), Spec((3, 4), low=0.1), Spec(values=ONES, differentiable=False))],
            errors=[
                ErrorCase(Sample(*VECTORS, Spec((3, 1))), RuntimeError, "0D or 1D target tensor expected"),
                ErrorCase(
                    Sample(Spec((4,)), Spec((4,)), Spec((3,))),
                    RuntimeError,
                    r"1D target tensor expects 2D input tensors, but found inputs with sizes \[4\] and \[4\].",
                ),
                ErrorCase(Sample(*VECTORS, Spec(())), RuntimeError, "0D target tensor expects 1D input tensors"),
                ErrorCase(Sample(Spec((3, 4)), Spec((3, 5)), Spec((3,))), RuntimeError, "The size of tensor a"),
            ],
        ),
        Declaration(
            F + "soft_margin_loss",
            soft_margin,
            tiny=[Sample(Spec((3,)), Spec(values=-ONES, differentiable=False), reduction="none")],
            errors=[
                ErrorCase(Sample(*PAIR, reduction="x"), ValueError, "x is not a valid value for reduction"),
                ErrorCase(Sample(Spec((3,)), Spec((4,))), RuntimeError, "The size of tensor a"),
                ErrorCase(
                    Sample(Spec((3,)), Spec((2, 1))),
                    RuntimeError,
                    r"output with shape \[3\] doesn't match the broadcast shape \[2, 3\]",
                ),
                ErrorCase(Sample(*PAIR), RuntimeError, "can't be cast to the desired output type Long", dtype="int64"),
            ],
        ),
        Declaration(
            F + "triplet_margin_loss",
            triplet_of_order_p,
            tiny=[
                Sample(Spec((2, 3), low=0.1), Spec((2, 3), low=2.5, high=3), Spec((2, 3), low=-4, high=-3), margin=9.0)
            ],
            errors=[NEEDS_SAME_DIMS, NO_MARGIN, BAD_REDUCTION],
        ),
        Declaration(
            F + "triplet_margin_with_distance_loss", triplet, errors=[NEEDS_SAME_DIMS, NO_MARGIN, BAD_REDUCTION]
        ),
    ]


def both(name: str, *arrays: Any, **options: Any) -> tuple[Any, Any]:
    arrays = tuple(numpy.asarray(array) for array in arrays)
    return (
        getattr(minitorch.nn.functional, name)(*map(to_ours, arrays), **options),
        getattr(oracle.nn.functional, name)(*map(to_torch, arrays), **options),
    )


def test_targets_that_are_neither_1_nor_minus_1() -> None:
    vectors = numpy.random.default_rng(0).uniform(size=(2, 3, 4))
    assert_equal(*both("hinge_embedding_loss", vectors[0], numpy.full((3, 4), 2.0), reduction="none"))
    assert_equal(*both("cosine_embedding_loss", *vectors, numpy.array([1, -1, 2]), reduction="none"))


def test_zero_vectors_have_a_cosine_of_0() -> None:
    assert_equal(*both("cosine_embedding_loss", numpy.zeros((2, 3)), numpy.ones((2, 3)), numpy.array([1, -1])))


def test_soft_margin_does_not_overflow() -> None:
    loss = minitorch.nn.functional.soft_margin_loss(minitorch.tensor([1000.0]), minitorch.tensor([-1.0]))
    assert loss.item() == 1000


def test_a_distance_of_the_callers() -> None:
    arrays = numpy.random.default_rng(0).normal(size=(3, 2, 4))
    results = [
        package.nn.functional.triplet_margin_with_distance_loss(
            *map(convert, arrays), distance_function=lambda a, b: ((a - b) * (a - b)).sum(-1), margin=3.0, swap=True
        )
        for package, convert in ((minitorch, to_ours), (oracle, to_torch))
    ]
    assert_equal(*results)


@pytest.mark.parametrize("reduce", [True, False])
@pytest.mark.filterwarnings("ignore:size_average and reduce")
def test_deprecated_arguments_are_mapped(reduce: bool) -> None:
    vectors = numpy.random.default_rng(0).normal(size=(3, 3, 4))
    options = {"size_average": False, "reduce": reduce}
    assert_equal(*both("margin_ranking_loss", *vectors, **options))
    assert_equal(*both("hinge_embedding_loss", *vectors[:2], **options))
    assert_equal(*both("soft_margin_loss", *vectors[:2], **options))
    assert_equal(*both("triplet_margin_loss", *vectors, **options))
    assert_equal(*both("cosine_embedding_loss", *vectors[:2], numpy.ones(3), **options))
