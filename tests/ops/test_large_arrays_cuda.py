"""Kernels on arrays too large for the emulator: equal to torch's, and the same bits in every run. Needs a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import minitorch
from minitorch.backend import accelerator
from tests.harness.compare import as_numpy
from tests.ops.cuda_support import assert_as_torch, channels_last, normal, on_device

pytestmark = pytest.mark.cuda

IMAGES = (32, 64, 56, 56)
FUNCTIONAL = {
    "max_pool2d": lambda package, x: package.nn.functional.max_pool2d(x, 3, 2, 1),
    "avg_pool2d": lambda package, x: package.nn.functional.avg_pool2d(x, 3, 2, 1),
    "adaptive_avg_pool2d": lambda package, x: package.nn.functional.adaptive_avg_pool2d(x, (6, 6)),
    "adaptive_max_pool2d": lambda package, x: package.nn.functional.adaptive_max_pool2d(x, (6, 6)),
    "batch_norm": lambda package, x: package.nn.functional.batch_norm(x, None, None, training=True),
    "group_norm": lambda package, x: package.nn.functional.group_norm(x, 32),
    "softmax over channels": lambda package, x: package.softmax(x, 1),
    "sum over channels": lambda package, x: package.sum(x, 1),
    "mean of channels": lambda package, x: package.mean(x, (0, 2, 3)),
    "gelu": lambda package, x: package.nn.functional.gelu(x),
}
ROWS = {
    "layer_norm": ((4096, 768), lambda package, x: package.nn.functional.layer_norm(x, (768,))),
    "softmax": ((64, 50257), lambda package, x: package.softmax(x, 1)),
    "log_softmax": ((4096, 1000), lambda package, x: package.log_softmax(x, 1)),
    "sum": ((65536, 300), lambda package, x: package.sum(x, 0)),
}
LOOSE = (1e-4, 1e-4)  # sums of up to 10⁵ numbers in another order


def compare_and_repeat(program: Callable[..., Any], array: numpy.ndarray) -> None:
    to_device = accelerator.require().asarray
    assert_as_torch(program, [array], "float32", to_device, LOOSE)
    runs = []
    for _ in range(2):
        x = on_device(array.astype("float32", order="K"), to_device, True)
        output = program(minitorch, x)
        (grad,) = minitorch.autograd.grad((output * output).sum(), x)
        runs.append((as_numpy(output), as_numpy(grad)))
    for first, second in zip(*runs):
        numpy.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("layout", [lambda x: x, channels_last], ids=["rows", "channels last"])
@pytest.mark.parametrize("name", FUNCTIONAL)
def test_images(name: str, layout: Callable[[Any], Any]) -> None:
    compare_and_repeat(FUNCTIONAL[name], layout(normal(*IMAGES)))


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    shape, program = ROWS[name]
    compare_and_repeat(program, normal(*shape))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(4096, 1000), (256, 50257), (8, 21, 64, 64)], ids=str)
def test_cross_entropy(shape: tuple[int, ...], smoothing: float) -> None:
    targets = numpy.random.default_rng(0).integers(0, shape[1], (shape[0], *shape[2:]))

    def program(package: Any, x: Any) -> Any:
        target = on_device(targets, accelerator.require().asarray) if package is minitorch else package.tensor(targets)
        return package.nn.functional.cross_entropy(x, target, label_smoothing=smoothing)

    compare_and_repeat(program, normal(*shape))
