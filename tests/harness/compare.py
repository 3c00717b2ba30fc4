"""Comparing our tensors with torch's: values within a tolerance by dtype, shapes and dtypes exactly."""

from __future__ import annotations

from typing import Any

import numpy
import torch as oracle

import minitorch
from minitorch.autograd.variable import Variable, wrap

# As torch.testing.assert_close: (relative, absolute).
TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def to_ours(array: numpy.ndarray, requires_grad: bool = False) -> Any:
    """A minitorch tensor on the array's own memory and layout."""
    tensor = wrap(array, minitorch.Tensor)
    tensor.needs_grad = requires_grad
    return tensor


def to_torch(array: numpy.ndarray, requires_grad: bool = False) -> Any:
    """A torch tensor of the same values and layout, in memory of its own."""
    spare = (
        numpy.lib.stride_tricks.as_strided(array.copy(order="K"), array.shape) if array.ndim == 0 else array.copy("K")
    )
    return oracle.from_numpy(spare).requires_grad_(requires_grad)


def as_numpy(value: Any) -> numpy.ndarray:
    """The values of a tensor of either library."""
    if isinstance(value, Variable):
        array = value.array
        return array.get() if hasattr(array, "get") else array
    detached = value.detach()
    if detached._is_zerotensor():  # torch's zeros without memory, the gradient of sgn
        detached = oracle.zeros(detached.shape, dtype=detached.dtype)
    return detached.numpy()


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of either library."""
    return isinstance(value, (Variable, oracle.Tensor))


def flatten(result: Any) -> list[Any]:
    """The outputs of an op as a list."""
    if is_tensor(result) or not isinstance(result, (tuple, list)):
        return [result]
    return [leaf for each in result for leaf in flatten(each)]


def error_in_ulp(actual: numpy.ndarray, expected: numpy.ndarray) -> float:
    """The largest difference, in units in the last place of the largest expected value (or of 1, if that is larger:
    inputs are of the order of 1, so a result of nearly 0 is a difference of such numbers)."""
    if expected.dtype.kind != "f" or expected.size == 0:
        return 0.0
    finite = numpy.isfinite(expected) & numpy.isfinite(actual)
    if not finite.any():
        return 0.0
    difference = abs(actual.astype("float64") - expected.astype("float64"))[finite].max()
    scale = abs(expected[finite].astype("float64")).max()
    return float(difference / (max(scale, 1.0) * numpy.finfo(expected.dtype).eps))


def assert_equal(
    actual: Any, expected: Any, tolerance: dict[str, tuple[float, float]] | None = None, what: str = "value"
) -> float:
    """Compare one output; returns the error in ulp. Raises AssertionError that shows both sides."""
    if not is_tensor(expected):
        assert type(actual) is type(expected) or actual == expected, f"{what}: {actual!r} is not {expected!r}"
        return 0.0
    assert isinstance(actual, Variable), f"{what}: {actual!r} is not a tensor"
    ours, theirs = as_numpy(actual), as_numpy(expected)
    assert tuple(ours.shape) == tuple(theirs.shape), f"{what}: shape {ours.shape} is not torch's {theirs.shape}"
    assert ours.dtype == theirs.dtype, f"{what}: dtype {ours.dtype} is not torch's {theirs.dtype}"
    if theirs.dtype.kind != "f":
        numpy.testing.assert_array_equal(ours, theirs, err_msg=what)
        return 0.0
    table = {**TOLERANCES, **(tolerance or {})}
    relative, absolute = table[str(theirs.dtype)]
    numpy.testing.assert_allclose(ours, theirs, relative, absolute, err_msg=what)
    return error_in_ulp(ours, theirs)
