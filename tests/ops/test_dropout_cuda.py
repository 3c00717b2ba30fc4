"""Dropout's kernel and its random numbers, run by the emulator, and on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import minitorch
from minitorch.nn import functional
from minitorch.ops import dropout_cuda
from tests.harness.compare import as_numpy
from tests.ops.cuda_support import channels_last, normal, on_device

WORD = 1 << 32
# counter (lowest word first), key, and the four words that come out, as published with the generator
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((WORD - 1,) * 4, (WORD - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def philox(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Philox4x32-10 on Python's numbers."""
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (second // WORD) ^ b ^ k, second % WORD, (first // WORD) ^ d ^ m, first % WORD
        k, m = (k + 0x9E3779B9) % WORD, (m + 0xBB67AE85) % WORD
    return a, b, c, d


def expected_mask(seed: int, size: int, keep: float) -> numpy.ndarray:
    words = [philox((i, 0, 0, 0), (seed % WORD, seed // WORD)) for i in range(-(-size // 4))]
    return numpy.array([(word >> 8) / 2**24 < keep for each in words for word in each])[:size]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_reference_gives_the_known_answers(counter: Any, key: Any, words: Any) -> None:
    assert philox(counter, key) == words


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_mask_and_gradient(to_device: Any, monkeypatch: Any, dtype: str) -> None:
    seed = 0x123456789ABCDEF0
    monkeypatch.setattr(dropout_cuda, "draw_seed", lambda: seed)
    array = normal(3, 7, 49).astype(dtype)
    x = on_device(array, to_device, True)
    y = functional.dropout(x, 0.3)
    factor = (expected_mask(seed, array.size, 0.7) / numpy.float32(0.7)).reshape(array.shape)
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
