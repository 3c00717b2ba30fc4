"""The kernels of softmax and cross-entropy, run by the emulator, and on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from minitorch.ops import cross_entropy_cuda
from tests.harness.compare import as_numpy, to_torch
from tests.ops.cuda_support import assert_as_torch, normal, on_device

# A few lanes, a warp, a block, and a thread for each line; held in registers or not; in vectors or not.
LINES = {
    "one score": ((3, 1), 1),
    "short": ((5, 10), 1),
    "short, in vectors": ((5, 16), 1),
    "a warp": ((3, 90), -1),
    "a warp, in vectors": ((7, 1000), -1),
    "a block": ((2, 1501), 1),
    "a block, in vectors": ((2, 1504), 1),
    "a large block": ((1, 9001), 1),
    "too long": ((2, 33001), 1),
    "too long, in vectors": ((2, 33600), 1),
    "apart": ((3, 4, 5), 1),
    "apart and long": ((3, 40, 5), 1),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
def test_softmax(to_device: Any, op: str, name: str) -> None:
    shape, dim = LINES[name]
    # of a long line, torch's sum of all gradients is not exact enough to be multiplied with a large probability
    scores = normal(*shape) * (4 if shape[dim] < 10_000 else 1)
    assert_as_torch(lambda package, x: getattr(package, op)(x, dim), [scores], "float32", to_device)


@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dim", [0, 1])
def test_lines_with_infinity_and_nan(to_device: Any, op: str, dim: int) -> None:
    x = numpy.zeros((10, 10), "float32")
    x[0], x[1, 3], x[2, 4], x[3, 5], x[4, :2] = -numpy.inf, numpy.inf, numpy.nan, -numpy.inf, (numpy.inf, -numpy.inf)
    x = x if dim == 1 else numpy.ascontiguousarray(x.T)
    ours, theirs = (
        getattr(__import__(package), op)(value, dim)
        for package, value in (("minitorch", on_device(x, to_device)), ("torch", to_torch(x)))
    )
    numpy.testing.assert_allclose(as_numpy(ours), as_numpy(theirs), 1e-6)


# float16 of up to 16 have steps of 2⁻⁶, and torch rounds the gradient on the way
LOGARITHMS = {"float16": (4e-3, 4e-3)}

TARGETS = numpy.array([0, 2, -100, 5, 1])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy(to_device: Any, smoothing: float, is_weighted: bool, reduction: str) -> None:
    weights = numpy.linspace(0.5, 2, 6, dtype="float32")

    def program(package: Any, x: Any, target: Any) -> Any:
        place = to_torch if package.__name__ == "torch" else lambda array: on_device(array, to_device)
        weight = place(weights) if is_weighted else None
        return package.nn.functional.cross_entropy(
            x, target, weight, reduction=reduction, label_smoothing=smoothing, ignore_index=-100
        )

    assert_as_torch(program, [normal(5, 6) * 3, TARGETS], "float32", to_device)


def test_cross_entropy_of_images(to_device: Any) -> None:
    targets = numpy.random.default_rng(0).integers(0, 6, (2, 3, 2))
    arrays = [normal(2, 6, 3, 2), targets]
    assert_as_torch(lambda package, *v: package.nn.functional.cross_entropy(*v), arrays, "float64", to_device)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(
    ("classes", "dtype"), [(90, "float16"), (1000, "float16"), (1000, "float32"), (1501, "float32"), (33600, "float32")]
)
def test_cross_entropy_of_many_classes(to_device: Any, classes: int, dtype: str, smoothing: float) -> None:
    targets = numpy.array([0, classes - 1, -100])

    def program(package: Any, x: Any, target: Any) -> Any:
        return package.nn.functional.cross_entropy(x, target, label_smoothing=smoothing)

    # torch rounds the logarithms of float16 before it adds them up
    tolerance = (4e-3, 4e-3) if dtype == "float16" else None
    assert_as_torch(program, [normal(3, classes), targets], dtype, to_device, tolerance)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("most_for_a_block", [1 << 17, 1 << 14])
def test_cross_entropy_of_many_places(to_device: Any, monkeypatch: Any, most_for_a_block: int, reduction: str) -> None:
    """Their losses are added up by one block, or by several."""
    monkeypatch.setattr(cross_entropy_cuda, "_MANY", most_for_a_block)
    targets = numpy.random.default_rng(0).integers(0, 3, (1, 131, 131))

    def program(package: Any, x: Any, target: Any) -> Any:
        return package.nn.functional.cross_entropy(x, target, reduction=reduction)

    assert_as_torch(program, [normal(1, 3, 131, 131), targets], "float64", to_device)


def test_cross_entropy_of_large_scores(to_device: Any) -> None:
    """The logarithm of the sum must not drown in the largest score."""
    scores = numpy.array([[5000.0, 4990.0, 4989.0], [-3000.0, -3008.0, -3009.0]], "float32")

    def program(package: Any, x: Any, target: Any) -> Any:
        return package.nn.functional.cross_entropy(x, target)

    assert_as_torch(program, [scores, numpy.array([0, 0])], "float32", to_device, (1e-5, 0))


def test_a_class_that_does_not_exist_makes_nan(to_device: Any) -> None:
    """The host does not wait for the GPU to look at the classes."""
    functional = __import__("minitorch").nn.functional
    scores, target = on_device(normal(5, 6).astype("float32"), to_device), on_device(TARGETS + 1, to_device)
    losses = as_numpy(functional.cross_entropy(scores, target, reduction="none"))
    assert numpy.isnan(losses[[2, 3]]).all()  # -99 and 6
    assert numpy.isfinite(losses[[0, 1, 4]]).all()


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("length", [9, 64, 520, 1500, 8200])
def test_softmax_in_other_types(to_device: Any, length: int, dtype: str) -> None:
    """A vector has eight of the one and two of the other."""
    scores = normal(3, length) * 4
    assert_as_torch(lambda package, x: package.softmax(x, 1), [scores], dtype, to_device)
    assert_as_torch(lambda package, x: package.log_softmax(x, 1), [scores], dtype, to_device, LOGARITHMS.get(dtype))


def test_lines_that_start_anywhere(to_device: Any) -> None:
    """A view that begins in the middle of 16 bytes must not be read in vectors."""

    def program(package: Any, x: Any) -> Any:
        return package.softmax(x[1:].reshape(3, 100), 1)

    assert_as_torch(program, [normal(301)], "float32", to_device)


@pytest.mark.parametrize("classes", [100, 1504, 33600])
def test_cross_entropy_of_lines_that_start_anywhere(to_device: Any, classes: int) -> None:
    def program(package: Any, x: Any, target: Any) -> Any:
        return package.nn.functional.cross_entropy(x[1:].reshape(2, classes), target)

    assert_as_torch(program, [normal(2 * classes + 1), numpy.array([classes - 1, 0])], "float32", to_device)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
def test_no_lines_and_lines_of_nothing(to_device: Any, op: str, shape: tuple[int, int]) -> None:
    assert_as_torch(lambda package, x: getattr(package, op)(x, 1), [normal(*shape)], "float32", to_device)


@pytest.mark.parametrize("length", [1504, 33600])
def test_long_lines_with_infinity_and_nan(to_device: Any, length: int) -> None:
    x = numpy.zeros((5, length), "float32")
    x[0], x[1, 3], x[2, 4], x[3, 5:], x[4, 9] = -numpy.inf, numpy.inf, numpy.nan, -numpy.inf, -numpy.inf
    ours, theirs = (
        __import__(package).softmax(value, 1)
        for package, value in (("minitorch", on_device(x, to_device)), ("torch", to_torch(x)))
    )
    numpy.testing.assert_allclose(as_numpy(ours), as_numpy(theirs), 1e-6)
