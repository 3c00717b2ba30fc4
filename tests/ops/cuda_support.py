"""What the tests of kernels share: a program on device arrays, by the emulator or by a GPU, and the same in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy
import torch as oracle

import minitorch
from minitorch.autograd.variable import wrap
from tests.harness.compare import assert_equal, flatten, is_tensor, to_torch

Program = Callable[..., Any]  # of the package, then the tensors
ToDevice = Callable[[numpy.ndarray], Any]
# Both round a sum to float16 once, but torch also rounds on the way to some gradients.
TOLERANCES = {"float16": (2e-3, 2e-3), "float32": (1e-5, 1e-5), "float64": (1e-12, 1e-12)}


def normal(*shape: int, seed: int = 0) -> numpy.ndarray:
    """Normal numbers."""
    return numpy.random.default_rng([seed, *shape]).standard_normal(shape)


def channels_last(array: numpy.ndarray) -> numpy.ndarray:
    """The same images, laid out place by place."""
    return numpy.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def on_device(array: numpy.ndarray, to_device: ToDevice, requires_grad: bool = False) -> Any:
    """A minitorch tensor on the device, in the layout of ``array``."""
    if array.ndim == 4 and not array.flags.c_contiguous:
        moved = to_device(numpy.ascontiguousarray(array.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
    else:
        moved = to_device(numpy.ascontiguousarray(array).reshape(array.shape))
    tensor = wrap(moved, minitorch.Tensor)
    tensor.needs_grad = requires_grad
    return tensor


def assert_as_torch(
    program: Program, arrays: Sequence[numpy.ndarray], dtype: str, to_device: ToDevice, tolerance: Any = None
) -> list[Any]:
    """Outputs, and gradients for a random cotangent, equal torch's; returns our outputs.

    Floating arrays are cast to ``dtype``, and are inputs that require grad.
    """
    arrays = [array.astype(dtype, order="K") if array.dtype.kind == "f" else array for array in arrays]
    ours = [on_device(array, to_device, array.dtype.kind == "f") for array in arrays]
    theirs = [to_torch(array, array.dtype.kind == "f") for array in arrays]
    tolerances = {**TOLERANCES, **({} if tolerance is None else {dtype: tolerance})}
    outputs, expected = flatten(program(minitorch, *ours)), flatten(program(oracle, *theirs))
    for actual, wanted in zip(outputs, expected, strict=True):
        assert actual.is_cuda
        assert_equal(actual, wanted, tolerances)
    if not expected[0].requires_grad:
        return outputs
    cotangent = numpy.random.default_rng(1).uniform(-1, 1, tuple(expected[0].shape)).astype(dtype)
    outputs[0].backward(on_device(cotangent, to_device))
    expected[0].backward(to_torch(cotangent))
    for tensor, wanted in zip(ours, theirs):
        if is_tensor(wanted.grad):
            assert_equal(tensor.grad, wanted.grad, tolerances, "gradient")
    return outputs
