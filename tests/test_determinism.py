"""Deterministic algorithms: the switches are torch's, and sums by index have one order of additions on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from minitorch.autograd.variable import wrap
from tests.harness.cuda_emulator import launched

DTYPES = ("float64", "float32", "int64", "int32", "int16", "uint8", "bool")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    for package in (minitorch, oracle):
        package.use_deterministic_algorithms(False)
        package.utils.deterministic.fill_uninitialized_memory = True


def state(package: Any) -> tuple[Any, ...]:
    return (
        package.are_deterministic_algorithms_enabled(),
        package.is_deterministic_algorithms_warn_only_enabled(),
        package.get_deterministic_debug_mode(),
    )


@pytest.mark.parametrize("mode", [0, 1, 2, "default", "warn", "error", 3, "other", None, 1.5])
def test_debug_mode(mode: Any) -> None:
    results = []
    for package in (minitorch, oracle):
        try:
            package.set_deterministic_debug_mode(mode)
            results.append(state(package))
        except Exception as error:
            results.append((type(error), str(error)))
    assert results[0] == results[1]


@pytest.mark.parametrize("mode", [True, False, 1, None, "yes"])
@pytest.mark.parametrize("warn_only", [True, False])
def test_switches(mode: Any, warn_only: bool) -> None:
    results = []
    for package in (minitorch, oracle):
        try:
            package.use_deterministic_algorithms(mode, warn_only=warn_only)
            results.append(state(package))
        except Exception as error:
            results.append((type(error), str(error).partition("must be")[2]))
    assert results[0] == results[1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fills", [True, False])
def test_fresh_memory(dtype: str, fills: bool) -> None:
    made = []
    for package in (minitorch, oracle):
        package.use_deterministic_algorithms(True)
        package.utils.deterministic.fill_uninitialized_memory = fills
        assert package.utils.deterministic.fill_uninitialized_memory is fills
        kind = getattr(package, dtype)
        like = package.zeros(2, 3).t()
        made.append([package.empty(2, 3, dtype=kind), package.empty_like(like, dtype=kind)])
        made[-1].append(like.new_empty(2, dtype=kind))
    for ours, theirs in zip(*made):
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert not fills or numpy.array_equal(ours.numpy(), theirs.numpy(), equal_nan=dtype.startswith("float"))
    with pytest.raises(RuntimeError, match="expected a bool"):
        minitorch.utils.deterministic.fill_uninitialized_memory = 1


PROGRAMS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "index_add": lambda x, index, values: x.index_add(0, index, values),
    "index_put": lambda x, index, values: x.index_put((index,), values, accumulate=True),
    "scatter_add": lambda x, index, values: x.scatter_add(0, index[:, None].expand(-1, values.shape[1]), values),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_sums_by_index_have_the_order_of_the_cpu(name: str, dtype: str, to_device: Any) -> None:
    """Bit for bit: numbers of very different sizes show any other order."""
    generator = numpy.random.default_rng(0)
    arrays = [
        generator.standard_normal((7, 5)).astype(dtype),
        generator.integers(0, 7, 400),
        (generator.standard_normal((400, 5)) * 10.0 ** generator.integers(-2, 3, (400, 5))).astype(dtype),
    ]
    expected = PROGRAMS[name](*[minitorch.from_numpy(array) for array in arrays])
    minitorch.use_deterministic_algorithms(True)
    on_device = [wrap(to_device(array), minitorch.Tensor) for array in arrays]
    before = launched["add_in_order"]
    found = [PROGRAMS[name](*on_device).cpu().numpy() for _ in range(2)]
    assert launched["add_in_order"] > before or not hasattr(on_device[0].array, "_host")
    numpy.testing.assert_array_equal(found[0], found[1])
    if dtype == "float16":  # here sums are rounded once, on the CPU after each addition
        wide = [array.astype("float64") if array.dtype.kind == "f" else array for array in arrays]
        exact = PROGRAMS[name](*map(minitorch.from_numpy, wide))
        numpy.testing.assert_allclose(found[0], exact.numpy(), 2e-3, 2e-3)
    else:
        numpy.testing.assert_array_equal(found[0], expected.numpy())
    if dtype != "float16":  # whose sums lose digits at every addition, and in CuPy's order others than in this one
        minitorch.use_deterministic_algorithms(False)
        numpy.testing.assert_allclose(PROGRAMS[name](*on_device).cpu().numpy(), expected.numpy(), 1e-3, 1e-3)


def test_gradients_of_indexing_and_embeddings(to_device: Any) -> None:
    generator = numpy.random.default_rng(0)
    weight, rows = generator.standard_normal((6, 3)).astype("float32"), generator.integers(0, 6, (4, 20))
    cotangent = generator.standard_normal((4, 20, 3)).astype("float32")
    minitorch.use_deterministic_algorithms(True)
    for look_up in (lambda w, i: w[i], lambda w, i: minitorch.nn.functional.embedding(i, w)):
        grads = []
        for put in (numpy.array, to_device):
            w, i, g = (wrap(put(array), minitorch.Tensor) for array in (weight, rows, cotangent))
            w.requires_grad_()
            look_up(w, i).backward(g)
            grads.append(w.grad.cpu().numpy())
        numpy.testing.assert_array_equal(*grads)
