"""The kernels of pooling (max, average, adaptive), run by the emulator, and on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from minitorch.nn import functional
from tests.harness.compare import as_numpy, to_torch
from tests.ops.cuda_support import assert_as_torch, channels_last, normal, on_device

LAYOUTS = {"rows": lambda images: images, "channels last": channels_last}
# One window that overlaps its neighbours, and one with everything: enough variants, as each is compiled.
WINDOWS = {
    "overlapping": {"kernel_size": 3, "stride": 2, "padding": 1},
    "dilated": {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 1), "dilation": (3, 1), "ceil_mode": True},
}
IMAGES = numpy.random.default_rng(0).permutation(2 * 3 * 7 * 6).reshape(2, 3, 7, 6) / 8 - 15  # no ties


@pytest.mark.parametrize(
    ("dtype", "window", "layout"),
    [
        ("float32", "overlapping", "rows"),
        ("float32", "overlapping", "channels last"),
        ("float16", "dilated", "rows"),
        ("float64", "dilated", "channels last"),
    ],
)
def test_max_pool2d(to_device: Any, dtype: str, window: str, layout: str) -> None:
    def program(package: Any, x: Any) -> Any:
        return package.nn.functional.max_pool2d(x, **WINDOWS[window], return_indices=True)

    (output, _) = assert_as_torch(program, [LAYOUTS[layout](IMAGES)], dtype, to_device)
    assert output.array.flags.c_contiguous == (layout == "rows")  # as torch's, in the order of the input


@pytest.mark.parametrize("layout", LAYOUTS)
def test_max_pool2d_of_ties_nan_and_infinity(to_device: Any, layout: str) -> None:
    """The first of equal elements wins, and the last nan; an infinite gradient stays where it belongs."""
    generator = numpy.random.default_rng(0)
    values = numpy.array([0.0, -0.0, 1.0, numpy.inf, -numpy.inf, numpy.nan], "float32")
    images = LAYOUTS[layout](generator.choice(values, (4, 3, 9, 8), p=numpy.array([3, 3, 3, 1, 4, 1]) / 15))
    ours, theirs = on_device(images, to_device, True), to_torch(images, True)
    options = {**WINDOWS["overlapping"], "return_indices": True}
    (output, indices), (expected, places) = (
        functional.max_pool2d(ours, **options),
        oracle.nn.functional.max_pool2d(theirs, **options),
    )
    numpy.testing.assert_array_equal(as_numpy(output), as_numpy(expected))
    numpy.testing.assert_array_equal(as_numpy(indices), as_numpy(places))
    cotangent = generator.choice(numpy.array([1.0, 2.0, numpy.inf], "float32"), tuple(expected.shape))
    output.backward(on_device(cotangent, to_device))
    expected.backward(to_torch(cotangent))
    numpy.testing.assert_array_equal(as_numpy(ours.grad), as_numpy(theirs.grad))


def test_max_pool2d_of_large_windows(to_device: Any) -> None:
    """Choices of more than 256 elements do not fit into a byte; an image of (C, H, W) has no batch."""
    image = numpy.random.default_rng(0).permutation(18 * 20).reshape(1, 18, 20).astype("float32")
    assert_as_torch(lambda package, x: package.nn.functional.max_pool2d(x, 17, 1, 2), [image], "float32", to_device)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("options", [{}, {"count_include_pad": False}, {"divisor_override": 5}], ids=str)
def test_avg_pool2d(to_device: Any, options: dict[str, Any], layout: str) -> None:
    def program(package: Any, x: Any) -> Any:
        return package.nn.functional.avg_pool2d(x, (3, 2), (2, 1), (1, 1), ceil_mode=True, **options)

    assert_as_torch(program, [LAYOUTS[layout](normal(2, 3, 7, 6))], "float32", to_device)


@pytest.mark.parametrize("size", [(3, 4), (7, 6), (9, 2)], ids=str)
@pytest.mark.parametrize("op", ["adaptive_avg_pool2d", "adaptive_max_pool2d"])
def test_adaptive(to_device: Any, op: str, size: tuple[int, int]) -> None:
    options = {"return_indices": True} if "max" in op else {}

    def program(package: Any, x: Any) -> Any:
        return getattr(package.nn.functional, op)(x, size, **options)

    assert_as_torch(program, [IMAGES], "float32", to_device)


def test_second_derivatives(to_device: Any) -> None:
    """The gradient is linear in the cotangent, and for ones as the second cotangent gives ones back."""
    x = on_device(normal(1, 1, 4, 4), to_device, True)
    cotangent = on_device(normal(1, 1, 2, 2), to_device, True)
    for op in (functional.max_pool2d, functional.avg_pool2d):
        (grad,) = minitorch.autograd.grad(op(x, 2), x, cotangent, create_graph=True)
        (second,) = minitorch.autograd.grad(grad.sum(), cotangent)
        numpy.testing.assert_allclose(as_numpy(second), numpy.ones((1, 1, 2, 2)), 1e-12)
