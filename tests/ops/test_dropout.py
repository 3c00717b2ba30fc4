"""Dropout against torch: the same seed must give the same mask; see ``tests/harness/contract.py``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
import minitorch.nn.functional
from minitorch.backend.generator import CPUGenerator
from reference import dropout as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape


def torch_is_portable() -> bool:
    """Whether torch draws masks from its own generator here. On Intel processors it may use MKL's instead."""
    oracle.manual_seed(3)
    mask = oracle.empty(2000).bernoulli_(0.3)
    return bool((mask.numpy() == CPUGenerator(3).bernoulli(0.3, 2000, "float32")).all())


SAME_MASKS = torch_is_portable()


def seeded(package: Any, name: str) -> Callable[..., Any]:
    """The function, always from the same seed."""

    @functools.wraps(getattr(package.nn.functional, name))
    def call(*args: Any, **kwargs: Any) -> Any:
        package.manual_seed(17)
        return getattr(package.nn.functional, name)(*args, **kwargs)

    return call


def samples_of(min_dims: int, max_dims: int) -> Callable[[Draw], Sample]:
    def samples(draw: Draw) -> Sample:
        shape = draw_shape(draw, min_dims, max_dims)
        p = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0, 0, 1]))
        return Sample(Spec(shape), p, draw(st.sampled_from([True, True, False])))

    return samples


OUT_OF_RANGE = [
    ErrorCase(Sample(Spec((2, 3)), p), ValueError, f"dropout probability has to be between 0 and 1, but got {p}")
    for p in (-0.1, 1.5)
]


def declaration(name: str, dims: tuple[int, int], errors: list[ErrorCase]) -> Declaration:
    return Declaration(
        f"nn.functional.{name}",
        samples_of(*dims),
        ours=seeded(minitorch, name),
        theirs=seeded(oracle, name),
        errors=OUT_OF_RANGE + errors,
        same_on_cuda=False,
    )


INTEGERS = ErrorCase(
    Sample(Spec((3,), dtype="int64"), 0.5, True),
    RuntimeError,
    "result type Float can't be cast to the desired output type Long",
)
TOO_FLAT = ErrorCase(Sample(Spec((3,)), 0.5, True), RuntimeError, "Feature dropout requires at least 2 dimensions")


@pytest.mark.skipif(not SAME_MASKS, reason="torch draws its masks from MKL on this processor")
@pytest.mark.filterwarnings("ignore:dropout")
class TestDropout(OpContract):
    declarations: ClassVar = [
        declaration("dropout", (0, 4), [INTEGERS]),
        declaration("alpha_dropout", (0, 4), [INTEGERS]),
        declaration("feature_alpha_dropout", (2, 4), [TOO_FLAT]),
        declaration("dropout1d", (2, 3), [ErrorCase(Sample(Spec((3,)), 0.5), RuntimeError, "Expected 2D or 3D input")]),
        declaration("dropout2d", (2, 5), [TOO_FLAT]),
        declaration("dropout3d", (1, 5), []),
    ]


def test_equals_the_reference_for_the_mask_that_was_drawn() -> None:
    array = numpy.random.default_rng(0).normal(size=(5, 4))
    for p in (0.1, 0.5, 1.0):
        minitorch.manual_seed(1)
        output = minitorch.nn.functional.dropout(to_ours(array), p)
        numpy.testing.assert_allclose(output.array, reference.dropout(array, output.array != 0, p), 1e-15)


def test_a_layout_in_memory_decides_the_order_of_the_draws() -> None:
    array = numpy.ones((4, 3, 2))
    for view in (array.transpose(2, 0, 1), array[::2], array[:, :1], array.transpose(1, 0, 2)):
        minitorch.manual_seed(2)
        ours = minitorch.nn.functional.dropout(to_ours(view))
        theirs = oracle.from_numpy(array).as_strided(view.shape, [stride // 8 for stride in view.strides])
        oracle.manual_seed(2)
        if SAME_MASKS:
            assert_equal(ours, oracle.nn.functional.dropout(theirs))


def test_the_mean_stays_and_one_in_ten_is_dropped() -> None:
    minitorch.manual_seed(0)
    output = minitorch.nn.functional.dropout(to_ours(numpy.ones(100_000)), 0.1).array
    assert abs(output.mean() - 1) < 0.01
    assert abs((output == 0).mean() - 0.1) < 0.01


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    minitorch.manual_seed(0)
    array = numpy.random.default_rng(0).normal(size=200_000)
    output = minitorch.nn.functional.alpha_dropout(to_ours(array), 0.3, True).array
    assert abs(output.mean()) < 0.02
    assert abs(output.var() - 1) < 0.02


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout", "dropout1d", "dropout2d", "feature_alpha_dropout"])
@pytest.mark.filterwarnings("ignore:dropout2d")
def test_without_training_the_input_itself_comes_back(name: str) -> None:
    x = to_ours(numpy.ones((2, 3, 4)))
    function = getattr(minitorch.nn.functional, name)
    assert function(x, 0.5, False) is x
    assert function(x, 0.0, True) is x


def test_p_1_multiplies_by_0() -> None:
    array = numpy.array([1.0, -2.0, numpy.nan, numpy.inf])
    assert_equal(minitorch.nn.functional.dropout(to_ours(array), 1), oracle.nn.functional.dropout(to_torch(array), 1))


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout", "feature_alpha_dropout", "dropout1d", "dropout3d"])
@pytest.mark.parametrize("p", [0.4, 1.0])
@pytest.mark.filterwarnings("ignore:dropout3d")
def test_in_place(name: str, p: float) -> None:
    array = numpy.random.default_rng(0).normal(size=(3, 4))
    expected = seeded(minitorch, name)(to_ours(array.copy()), p, True)
    x = to_ours(array.copy())
    result = seeded(minitorch, name)(x, p, True, inplace=True)
    assert result is x
    numpy.testing.assert_array_equal(x.array, expected.array)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        seeded(minitorch, name)(to_ours(array.copy(), True), p, True, True)


def test_in_place_has_a_gradient() -> None:
    leaf = to_ours(numpy.ones((3, 4)), True)
    x = leaf * 3
    minitorch.manual_seed(0)
    minitorch.nn.functional.dropout(x, 0.5, inplace=True)
    x.backward(to_ours(numpy.ones((3, 4))))
    numpy.testing.assert_array_equal(leaf.grad.array, x.array)


@pytest.mark.skipif(not SAME_MASKS, reason="torch draws its masks from MKL on this processor")
@pytest.mark.parametrize("name", ["dropout", "alpha_dropout"])
@pytest.mark.parametrize("p", [0.3, 0.7])
def test_float16(name: str, p: float) -> None:
    array = numpy.random.default_rng(0).normal(size=200).astype("float16")
    ours = seeded(minitorch, name)(to_ours(array), p, True)
    assert_equal(ours, seeded(oracle, name)(to_torch(array), p, True), {"float16": (2e-3, 2e-3)})


def test_dimensions_are_warned_of() -> None:
    x = to_ours(numpy.ones((2, 3)))
    for name, message in (("dropout2d", "Received a 2-D input"), ("dropout3d", "Received a 2-D input")):
        with pytest.warns(UserWarning, match=message):
            getattr(minitorch.nn.functional, name)(x)
    with pytest.warns(UserWarning, match="input is interpreted as shape"):
        minitorch.nn.functional.dropout2d(to_ours(numpy.ones((2, 3, 4))))
