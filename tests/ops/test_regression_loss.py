"""Regression losses against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from collections.abc import Callable
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
REDUCTIONS = ("none", "mean", "sum")
PAIR = (Spec((2, 3), low=-2, high=-0.1), Spec((2, 3), low=0.1))  # no place where they are equal


def sampler(first: dict[str, Any], second: dict[str, Any], **options: list[Any]) -> Callable[[Draw], Sample]:
    """Draws two operands that broadcast, a reduction, and each option from its list."""

    def samples(draw: Draw) -> Sample:
        shapes = draw_broadcastable(draw, 2)
        chosen = {name: draw(st.sampled_from(values)) for name, values in options.items()}
        reduction = draw(st.sampled_from(REDUCTIONS))
        return Sample(Spec(shapes[0], **first), Spec(shapes[1], **second), reduction=reduction, **chosen)

    return samples


def weighted(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3)
    specs = Spec(shape, low=-2, high=-0.1), Spec(shape, low=0.1)
    return Sample(*specs, weight=Spec(shape, low=0.1), reduction=draw(st.sampled_from(REDUCTIONS)))


def gaussian(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, min_size=1)
    form = draw(st.sampled_from(["full", "missing", "one", "number"]))
    sizes = {"full": shape, "missing": shape[:-1], "one": (*shape[:-1], 1)}
    # (1,) and () are the same to torch where the last size is 1 already
    var = 0.5 if form == "number" else Spec(sizes[form], low=0.2, high=2.0)
    options = {"full": draw(st.booleans()), "eps": draw(st.sampled_from([1e-6, 0.5]))}
    return Sample(Spec(shape), Spec(shape), var, reduction=draw(st.sampled_from(REDUCTIONS)), **options)


APART = ({"low": -2.0, "high": -0.1}, {"low": 0.1, "high": 2.0})
PROBABILITY = {"low": 0.05, "high": 1.0}
MISMATCH = ErrorCase(
    Sample(Spec((3, 4)), Spec((3, 2))), RuntimeError, r"The size of tensor [ab] \([24]\) must match the size of tensor"
)
BAD_REDUCTION = ErrorCase(Sample(*PAIR, reduction="x"), ValueError, "x is not a valid value for reduction")
BAD_WEIGHT = ErrorCase(Sample(*PAIR, weight=Spec((3,))), ValueError, "Weights and input must have the same size.")


def no_integers(kernel: str) -> ErrorCase:
    return ErrorCase(Sample(*PAIR), NotImplementedError, f"\"{kernel}\" not implemented for 'Long'", dtype="int64")


@pytest.mark.filterwarnings("ignore:Using a target size", "ignore:reduction. 'mean' divides")
class TestRegressionLoss(OpContract):
    declarations: ClassVar = [
        Declaration(F + "l1_loss", sampler(*APART), tiny=[Sample(*PAIR)], errors=[MISMATCH, BAD_REDUCTION, BAD_WEIGHT]),
        Declaration(F + "l1_loss", weighted),
        Declaration(
            F + "smooth_l1_loss",
            sampler({"low": -2.0, "high": 0.0}, {"low": 0.1}, beta=[0.0, 0.5, 1.0, 3.0]),
            tiny=[Sample(*PAIR), Sample(*PAIR, beta=4.0, reduction="none")],
            errors=[
                MISMATCH,
                BAD_REDUCTION,
                no_integers("smooth_l1_cpu"),
                ErrorCase(Sample(*PAIR, beta=-1.0), RuntimeError, "does not support negative values for beta."),
            ],
        ),
        Declaration(
            F + "huber_loss",
            sampler({}, {}, delta=[0.5, 1.0, 3.0]),
            tiny=[Sample(*PAIR), Sample(*PAIR, delta=4.0, reduction="none")],
            errors=[
                MISMATCH,
                BAD_REDUCTION,
                BAD_WEIGHT,
                no_integers("huber_cpu"),
                ErrorCase(Sample(*PAIR, delta=0.0), RuntimeError, "does not support non-positive values for delta."),
                ErrorCase(
                    Sample(*PAIR, reduction="x", weight=Spec((2, 3))),
                    ValueError,
                    "Invalid reduction mode: x. Expected one of 'none', 'mean', 'sum'.",
                ),
            ],
        ),
        Declaration(F + "huber_loss", weighted),
        Declaration(
            F + "poisson_nll_loss",
            sampler(
                {"low": 0.1}, {"low": 0.1, "high": 3.0, "kinks": (1.0,)}, log_input=[True, False], full=[True, False]
            ),
            tiny=[Sample(Spec((2, 2)), Spec((2, 2), low=0.1, high=3, kinks=(1.0,)), full=True)],
            errors=[MISMATCH, BAD_REDUCTION],
        ),
        Declaration(
            F + "gaussian_nll_loss",
            gaussian,
            tiny=[Sample(Spec((2, 2)), Spec((2, 2)), Spec((2,), low=0.2), full=True)],
            errors=[
                ErrorCase(Sample(*PAIR, Spec((4, 1), low=0.1)), ValueError, "var is of incorrect size"),
                ErrorCase(Sample(*PAIR, -1.0), ValueError, "var has negative entry/entries"),
                ErrorCase(Sample(*PAIR, Spec((2, 3), low=-2, high=-1)), ValueError, "var has negative entry/entries"),
                ErrorCase(Sample(*PAIR, Spec((2, 3), low=0.1), reduction="x"), ValueError, "x is not valid"),
            ],
        ),
        Declaration(
            F + "kl_div",
            sampler({}, PROBABILITY, log_target=[True, False]),
            tiny=[
                Sample(Spec((2, 2)), Spec((2, 2), **PROBABILITY)),
                Sample(Spec((2, 2)), Spec((2, 2)), log_target=True),
            ],
            errors=[
                MISMATCH,
                BAD_REDUCTION,
                ErrorCase(Sample(*PAIR), RuntimeError, "kl_div: Integral inputs not supported.", dtype="int64"),
            ],
        ),
    ]


def both(name: str, *arrays: numpy.ndarray, **options: Any) -> tuple[Any, Any]:
    return (
        getattr(minitorch.nn.functional, name)(*map(to_ours, arrays), **options),
        getattr(oracle.nn.functional, name)(*map(to_torch, arrays), **options),
    )


NAMES = ("l1_loss", "smooth_l1_loss", "huber_loss", "mse_loss")


@pytest.mark.parametrize("name", NAMES)
def test_unlike_sizes_are_warned_of(name: str) -> None:
    with pytest.warns(UserWarning, match=r"Using a target size \(torch.Size\(\[3, 1\]\)\) that is different"):
        getattr(minitorch.nn.functional, name)(minitorch.zeros(3, 4), minitorch.zeros(3, 1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32"), ("float32", "int64")])
def test_dtypes_are_promoted_as_in_torch(name: str, dtypes: tuple[str, str]) -> None:
    array = numpy.random.default_rng(0).uniform(-2, 2, (2, 3))
    ours, theirs = both(name, array.astype(dtypes[0]), (array + 1).astype(dtypes[1]))
    assert_equal(ours, theirs)


@pytest.mark.parametrize("name", ["smooth_l1_loss", "huber_loss"])
def test_the_bend_itself(name: str) -> None:
    inputs, zeros = numpy.array([-1.0, 0.0, 1.0]), numpy.zeros(3)
    grads = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        x = convert(inputs, True)
        getattr(package.nn.functional, name)(x, convert(zeros), reduction="sum").backward()
        grads.append(x.grad)
    assert_equal(*grads)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name", [*NAMES, "poisson_nll_loss", "kl_div"])
def test_the_mean_over_nothing_is_nan(name: str) -> None:
    assert_equal(*both(name, numpy.zeros((0, 2)), numpy.zeros((0, 2))))


@pytest.mark.parametrize("size_average", [True, False])
@pytest.mark.parametrize("name", ["l1_loss", "smooth_l1_loss", "poisson_nll_loss", "kl_div", "mse_loss"])
@pytest.mark.filterwarnings("ignore:size_average and reduce")
def test_deprecated_arguments_are_mapped(name: str, size_average: bool) -> None:
    arrays = numpy.random.default_rng(0).uniform(0.1, 2, (2, 2, 3))
    for reduce in (True, False):
        assert_equal(*both(name, *arrays, size_average=size_average, reduce=reduce))


def test_kl_div_of_batches() -> None:
    arrays = numpy.random.default_rng(0).uniform(0.1, 1, (2, 4, 3))
    assert_equal(*both("kl_div", *arrays, reduction="batchmean"))
    assert_equal(*both("kl_div", *arrays[:, 0, 0], reduction="batchmean"))
    assert_equal(*both("kl_div", arrays[0], 0 * arrays[1], reduction="sum"))
    with pytest.warns(UserWarning, match="'batchmean' divides only by the batch size"):
        minitorch.nn.functional.kl_div(minitorch.zeros(2), minitorch.ones(2))


def test_a_variance_below_eps_still_has_a_gradient() -> None:
    arrays = numpy.array([1.0, 2.0]), numpy.array([1.5, 0.0]), numpy.array([0.0, 0.25])
    grads = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        var = convert(arrays[2], True)
        package.nn.functional.gaussian_nll_loss(convert(arrays[0]), convert(arrays[1]), var, eps=0.5).backward()
        grads.append(var.grad)
    assert_equal(*grads)


@pytest.mark.parametrize("name", ["smooth_l1_loss", "huber_loss", "l1_loss"])
def test_the_nodes_name_is_torchs(name: str) -> None:
    array = numpy.zeros((2, 3))
    ours = getattr(minitorch.nn.functional, name)(to_ours(array, True), to_ours(array))
    theirs = getattr(oracle.nn.functional, name)(to_torch(array, True), to_torch(array))
    assert ours.grad_fn.name() == theirs.grad_fn.name()
