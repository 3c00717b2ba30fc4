"""The kernels of batch, layer and group normalisation, run by the emulator, and on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from tests.harness.compare import as_numpy, to_torch
from tests.ops.cuda_support import assert_as_torch, channels_last, normal, on_device

SHAPES = {
    "images": normal(2, 3, 7, 6),
    "channels last": channels_last(normal(2, 3, 7, 6)),
    "rows": normal(40, 35),
    "two stages": normal(8, 2, 32, 32),
    "two stages, channels last": channels_last(normal(8, 2, 32, 32)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_batch_norm(to_device: Any, name: str) -> None:
    """In training, with running averages, far from 0: squares must not cancel."""
    x = SHAPES[name] + 100
    C = x.shape[1]
    averages: list[Any] = []

    def program(package: Any, x: Any, weight: Any, bias: Any) -> Any:
        mean, var = (numpy.full(C, value, "float32") for value in (0.5, 2.0))
        place = to_torch if package.__name__ == "torch" else lambda array: on_device(array, to_device)
        averages.append((place(mean), place(var)))
        return package.nn.functional.batch_norm(x, *averages[-1], weight, bias, training=True, momentum=0.3)

    assert_as_torch(program, [x, normal(C), normal(C, seed=1)], "float32", to_device, (2e-4, 2e-4))  # 100 takes 7 bits
    for ours, theirs in zip(*averages):
        numpy.testing.assert_allclose(as_numpy(ours), as_numpy(theirs), 1e-5)


@pytest.mark.parametrize("name", ["images", "channels last"])
def test_batch_norm_in_evaluation(to_device: Any, name: str) -> None:
    x = SHAPES[name]
    mean, var = normal(3).astype("float32"), (normal(3) ** 2 + 1).astype("float32")

    def program(package: Any, x: Any, weight: Any, bias: Any) -> Any:
        place = to_torch if package.__name__ == "torch" else lambda array: on_device(array, to_device)
        return package.nn.functional.batch_norm(x, place(mean), place(var), weight, bias)

    assert_as_torch(program, [x, normal(3), normal(3, seed=1)], "float32", to_device)


@pytest.mark.parametrize("dtype", ["float16"])
def test_layer_norm(to_device: Any, dtype: str) -> None:
    arrays = [normal(5, 4, 9), normal(4, 9), normal(4, 9, seed=1)]

    def program(package: Any, x: Any, weight: Any, bias: Any) -> Any:
        return package.nn.functional.layer_norm(x, (4, 9), weight, bias)

    assert_as_torch(program, arrays, dtype, to_device)


def test_group_norm(to_device: Any) -> None:
    arrays = [normal(3, 6, 4, 5), normal(6), normal(6, seed=1)]
    assert_as_torch(lambda package, *v: package.nn.functional.group_norm(v[0], 2, *v[1:]), arrays, "float32", to_device)


def test_half_with_float_parameters(to_device: Any) -> None:
    """Mixed precision: float16 images, float32 weights."""
    x = normal(2, 3, 4, 4).astype("float16")
    weight, bias = normal(3).astype("float32"), normal(3, seed=1).astype("float32")
    results = []
    for package, place in (("minitorch", lambda array: on_device(array, to_device)), ("torch", to_torch)):
        batch_norm = __import__(package).nn.functional.batch_norm
        results.append(as_numpy(batch_norm(place(x), None, None, place(weight), place(bias), training=True)))
    assert results[0].dtype == "float16"
    numpy.testing.assert_allclose(*results, 2e-3, 2e-3)
