"""Dropout's kernel and its random numbers, run by the emulator, and on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import minitorch
from minitorch.backend.cuda_generator import default_cuda_generator
from minitorch.nn import functional
from reference.philox import closed_unit
from tests.harness.compare import as_numpy
from tests.ops.cuda_support import channels_last, normal, on_device


def expected_mask(seed: int, offset: int, size: int, keep: float) -> numpy.ndarray:
    return numpy.array(closed_unit(seed, offset, size, numpy.float32)) < numpy.float32(keep)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_mask_and_gradient(to_device: Any, dtype: str) -> None:
    seed = 0xF23456789ABCDEF0
    minitorch.manual_seed(seed)
    default_cuda_generator().set_offset(12)
    array = normal(3, 7, 49).astype(dtype)
    x = on_device(array, to_device, True)
    y = functional.dropout(x, 0.3)
    factor = (expected_mask(seed, 12, array.size, 0.7) / numpy.float32(0.7)).reshape(array.shape)
    tolerance = 1e-3 if dtype == "float16" else 1e-6
    numpy.testing.assert_allclose(as_numpy(y), array * factor, tolerance)
    cotangent = normal(3, 7, 49, seed=1).astype(dtype)
    y.backward(on_device(cotangent, to_device))
    numpy.testing.assert_allclose(as_numpy(x.grad), cotangent * factor, tolerance)
    assert y.grad_fn.name() == "NativeDropoutBackward0"
    assert not y.grad_fn.saved


def test_a_seed_makes_the_same_mask_again(to_device: Any) -> None:
    x = on_device(numpy.ones((40, 50), "float32"), to_device)
    minitorch.manual_seed(3)
    first, second = (as_numpy(functional.dropout(x, 0.25)) for _ in range(2))
    minitorch.manual_seed(3)
    numpy.testing.assert_array_equal(as_numpy(functional.dropout(x, 0.25)), first)
    assert (first != second).any()
    assert abs(first.mean() - 1) < 4 * numpy.sqrt(0.25 / 0.75 / x.numel())  # four standard deviations


def test_channels_last_keeps_its_order(to_device: Any) -> None:
    """The gradient of an input in another order meets the same mask."""
    x = on_device(channels_last(numpy.ones((2, 3, 4, 5), "float32")), to_device, True)
    y = functional.dropout(x, 0.5)
    y.backward(on_device(numpy.ones((2, 3, 4, 5), "float32"), to_device))
    assert as_numpy(y).any()
    numpy.testing.assert_array_equal(as_numpy(x.grad), as_numpy(y))


def test_in_place_and_second_derivative(to_device: Any) -> None:
    x = on_device(numpy.ones((8, 9), "float32"), to_device)
    y = functional.dropout(x, 0.5, inplace=True)
    assert y is x
    assert sorted(set(as_numpy(x).ravel())) == [0, 2]
    x = on_device(numpy.ones((8, 9), "float32"), to_device, True)
    g = on_device(numpy.ones((8, 9), "float32"), to_device, True)
    y = functional.dropout(x, 0.5)
    (grad,) = minitorch.autograd.grad(y, x, g, create_graph=True)
    (second,) = minitorch.autograd.grad(grad.sum(), g)
    numpy.testing.assert_array_equal(as_numpy(second), as_numpy(y))
