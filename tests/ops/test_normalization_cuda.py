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
    "a block": normal(8, 2, 32, 33),
    "read twice": normal(8, 2, 32, 40),
    "read twice, one by one": normal(8, 2, 33, 39),
    "two stages": normal(8, 2, 64, 40),
    "two stages, channels last": channels_last(normal(8, 2, 32, 32)),
    "vectors": normal(9, 5, 4, 4),
    "one place": normal(70, 3, 1, 1),
    "volumes": normal(3, 4, 2, 3, 4),
}


@pytest.mark.parametrize("name", SHAPES)
def test_batch_norm(to_device: Any, name: str) -> None:
    """In training, with running averages, far from 0: squares must not cancel."""
    x = SHAPES[name] + 100
    C = x.shape[1]
    averages: list[Any] = []
    dtype = (
        "float64" if "two stages" in name or "twice" in name else "float32"
    )  # of so long sums, float32 knows too few digits
    tolerance = (1e-10, 1e-10) if dtype == "float64" else (2e-4, 2e-4)  # 100 takes 7 bits

    def program(package: Any, x: Any, weight: Any, bias: Any) -> Any:
        mean, var = (numpy.full(C, value, dtype) for value in (0.5, 2.0))
        place = to_torch if package.__name__ == "torch" else lambda array: on_device(array, to_device)
        averages.append((place(mean), place(var)))
        return package.nn.functional.batch_norm(x, *averages[-1], weight, bias, training=True, momentum=0.3)

    assert_as_torch(program, [x, normal(C), normal(C, seed=1)], dtype, to_device, tolerance)
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


@pytest.mark.parametrize("shape", [(3, 5, 4, 4), (10, 1, 40, 48)])
def test_batch_norm_of_images_that_start_anywhere(to_device: Any, shape: tuple[int, ...]) -> None:
    """A view that begins in the middle of 16 bytes, of channels that are held and of those that are read twice."""

    def program(package: Any, x: Any) -> Any:
        return package.nn.functional.batch_norm(x[1:].reshape(shape), None, None, training=True)

    assert_as_torch(program, [normal(numpy.prod(shape) + 1)], "float32", to_device, (1e-4, 1e-4))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_batch_norm_of_long_channels(to_device: Any, dtype: str) -> None:
    """Registers can hold 32,768 elements, but not of two arrays."""

    def program(package: Any, x: Any) -> Any:
        return package.nn.functional.batch_norm(x, None, None, training=True)

    assert_as_torch(program, [normal(9, 1, 32, 64)], dtype, to_device, (4e-3, 4e-3) if dtype == "float16" else None)


@pytest.mark.parametrize("shape", [(0, 6), (4, 0)])
def test_layer_norm_of_nothing(to_device: Any, shape: tuple[int, int]) -> None:
    arrays = [normal(*shape), normal(shape[1]), normal(shape[1], seed=1)]
    program = lambda package, *v: package.nn.functional.layer_norm(v[0], shape[1:], *v[1:])  # noqa: E731
    assert_as_torch(program, arrays, "float32", to_device)


@pytest.mark.parametrize("name", ["images", "two stages", "channels last", "rows"])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_batches_are_counted(to_device: Any, name: str, momentum: float | None) -> None:
    """By the kernel of the statistics, once for each batch, whatever finds these."""
    x = SHAPES[name].astype("float32")
    counts: dict[str, Any] = {}
    for package, place in (("minitorch", lambda array: on_device(array, to_device)), ("torch", to_torch)):
        nn = __import__(package).nn
        layer = (nn.BatchNorm2d if x.ndim == 4 else nn.BatchNorm1d)(x.shape[1], momentum=momentum)
        for each in [*layer.parameters(), *layer.buffers()] if package == "minitorch" else []:
            each.array = to_device(each.array)
        for _ in range(3):
            layer(place(x))
        layer.eval()(place(x))
        counts[package] = layer.num_batches_tracked, layer.running_mean, layer.running_var
    for ours, theirs in zip(*counts.values()):
        numpy.testing.assert_allclose(as_numpy(ours), as_numpy(theirs), 1e-4, 1e-5)


# Lanes, a warp, a block; in vectors or not; with and without the columns' sums in registers; too long to be held
@pytest.mark.parametrize("size", [1, 7, 64, 300, 1024, 1300, 8400, 16500])
def test_layer_norm_of_rows(to_device: Any, size: int) -> None:
    arrays = [normal(5, size) + 3, normal(size), normal(size, seed=1)]
    assert_as_torch(
        lambda package, *v: package.nn.functional.layer_norm(v[0], (size,), *v[1:]), arrays, "float64", to_device
    )


@pytest.mark.parametrize("rows", [1, 50, 1100])
def test_layer_norm_of_many_rows(to_device: Any, rows: int) -> None:
    """Teams work on several rows, and leave the sums of parameters' gradients to a second pass."""
    arrays = [normal(rows, 48) + 3, normal(48), normal(48, seed=1)]
    program = lambda package, *v: package.nn.functional.layer_norm(v[0], (48,), *v[1:])  # noqa: E731
    assert_as_torch(program, arrays, "float32", to_device, (1e-4, 1e-4))  # sums of 1,100 products


def test_layer_norm_without_parameters(to_device: Any) -> None:
    """Of a view that begins in the middle of 16 bytes."""

    def program(package: Any, x: Any) -> Any:
        return package.nn.functional.layer_norm(x[1:].reshape(6, 40), (40,))

    assert_as_torch(program, [normal(241)], "float32", to_device)


@pytest.mark.parametrize(("channels", "places"), [(6, (5, 7)), (4, (24, 30)), (2, (100, 170))])
def test_group_norm_of_images(to_device: Any, channels: int, places: tuple[int, int]) -> None:
    """Groups of 105 elements, of 1,440, and of 17,000, which are too many to be held."""
    arrays = [normal(2, channels, *places), normal(channels), normal(channels, seed=1)]
    assert_as_torch(lambda package, *v: package.nn.functional.group_norm(v[0], 2, *v[1:]), arrays, "float64", to_device)


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
