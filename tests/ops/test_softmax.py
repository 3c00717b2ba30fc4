"""Softmax against torch; see ``tests/harness/contract.py`` for what each declaration is put through."""

from __future__ import annotations

from typing import ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
import minitorch.nn.functional
from reference import softmax as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape

NO_SUCH_DIM = ErrorCase(
    Sample(Spec((2, 3)), 2), IndexError, r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"
)
FUNCTIONAL = "nn.functional."


def not_implemented(name: str, dim: int, kernel: str) -> ErrorCase:
    message = f"\"{kernel}\" not implemented for 'Long'"
    return ErrorCase(Sample(Spec((2, 3), dtype="int64"), dim), NotImplementedError, message)


def samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    low, high = draw(st.sampled_from([(-2.0, 2.0), (-30.0, 30.0), (990.0, 1000.0)]))
    return Sample(Spec(shape, low=low, high=high), draw_dim(draw, len(shape)))


def samples_with_dtype(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    dtype = draw(st.sampled_from([None, minitorch.float64]))
    return Sample(Spec(shape), dim=draw_dim(draw, len(shape)), dtype=dtype)


TINY = [Sample(Spec((2, 3)), 1), Sample(Spec((2, 3, 2)), -2), Sample(Spec(()), 0)]


class TestSoftmax(OpContract):
    declarations: ClassVar = [
        Declaration(
            "softmax",
            samples,
            has_kernels=True,
            reference=reference.softmax,
            tiny=TINY,
            errors=[
                NO_SUCH_DIM,
                not_implemented("softmax", 1, "softmax_lastdim_kernel_impl"),
                not_implemented("softmax", 0, "softmax_kernel_impl"),
            ],
        ),
        Declaration(
            "log_softmax",
            samples,
            has_kernels=True,
            reference=reference.log_softmax,
            tiny=TINY,
            errors=[NO_SUCH_DIM, not_implemented("log_softmax", 1, "log_softmax_lastdim_kernel_impl")],
        ),
        Declaration(FUNCTIONAL + "softmax", samples_with_dtype),
        Declaration(FUNCTIONAL + "log_softmax", samples_with_dtype),
        Declaration(FUNCTIONAL + "softmin", samples_with_dtype),
        Declaration("Tensor.softmax", samples),
        Declaration("Tensor.log_softmax", samples),
    ]


NAMES = ("softmax", "log_softmax")
INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "scores", [[-INF, -INF, -INF], [-INF, 0, 1], [INF, 0, 1], [NAN, 0, 1], [1e30, -1e30, 0], [88.0, 89.0, 1000.0]]
)
def test_infinite_scores_are_as_in_torch(name: str, scores: list[float]) -> None:
    array = numpy.array(scores, "float32")
    assert_equal(getattr(minitorch, name)(to_ours(array), 0), getattr(oracle, name)(to_torch(array), 0))


@pytest.mark.parametrize("name", NAMES)
def test_float16_is_computed_in_float32(name: str) -> None:
    array = numpy.random.default_rng(0).uniform(-8, 8, (4, 50)).astype("float16")
    ours, theirs = to_ours(array, True), to_torch(array, True)
    outputs = getattr(minitorch, name)(ours, 1), getattr(oracle, name)(theirs, 1)
    assert_equal(*outputs)
    cotangent = numpy.random.default_rng(1).uniform(-1, 1, (4, 50)).astype("float16")
    outputs[0].backward(to_ours(cotangent))
    outputs[1].backward(to_torch(cotangent))
    # A sum of 50 rounded products: a few units in the last place of its largest term, 2⁻¹⁰.
    assert_equal(ours.grad, theirs.grad, {"float16": (1e-2, 2e-3)})


@pytest.mark.parametrize("name", NAMES)
def test_integers_may_be_converted_first(name: str) -> None:
    array = numpy.arange(6).reshape(2, 3)
    ours = getattr(minitorch, name)(to_ours(array), 1, dtype=minitorch.float64)
    assert_equal(ours, getattr(oracle, name)(to_torch(array), 1, dtype=oracle.float64))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 2), (2, 3, 1, 2)])
def test_a_dim_left_out_is_chosen_with_a_warning(name: str, shape: tuple[int, ...]) -> None:
    array = numpy.random.default_rng(0).normal(size=shape)
    with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name} has been deprecated"):
        ours = getattr(minitorch.nn.functional, name)(to_ours(array))
    with pytest.warns(UserWarning, match="deprecated"):
        theirs = getattr(oracle.nn.functional, name)(to_torch(array))
    assert_equal(ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_out_receives_the_result(name: str) -> None:
    array, out = numpy.random.default_rng(0).normal(size=(2, 3)), minitorch.tensor([])
    result = getattr(minitorch, name)(to_ours(array), 1, out=out)
    assert result is out
    assert_equal(out, getattr(oracle, name)(to_torch(array), 1).float())


@pytest.mark.parametrize("name", NAMES)
def test_the_nodes_name_is_torchs(name: str) -> None:
    array = numpy.zeros((2, 3))
    ours, theirs = getattr(minitorch, name)(to_ours(array, True), 1), getattr(oracle, name)(to_torch(array, True), 1)
    assert ours.grad_fn.name() == theirs.grad_fn.name()


def test_a_shift_of_all_scores_changes_nothing() -> None:
    array = numpy.random.default_rng(0).normal(size=(3, 4))
    shifted, plain = minitorch.softmax(to_ours(array + 500), 1), minitorch.softmax(to_ours(array), 1)
    numpy.testing.assert_allclose(shifted.array, plain.array, 1e-11)
    numpy.testing.assert_allclose(plain.array.sum(1), 1, 1e-15)
