"""What the tests of CUDA convolutions share: cases, and the three functions against torch in float64."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
import torch as oracle

from minitorch.ops import conv2d_cuda
from minitorch.ops.conv_arguments import ConvolutionCall, convolution_windows
from minitorch.ops.windows import Pair, Windows


class Case(NamedTuple):
    """One convolution: sizes and options."""

    input: tuple[int, int, int, int]
    C_out: int
    kernel_size: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def windows(self) -> Windows:
        input = numpy.empty(self.input)
        weight = numpy.empty((self.C_out, self.input[1] // self.groups, *self.kernel_size))
        call = ConvolutionCall("conv2d", 2, input, weight, None, self.groups)
        return convolution_windows(call, self.stride, self.padding, self.dilation)


class Operands(NamedTuple):
    """Random host arrays of a case, and what torch makes of them in float64."""

    input: numpy.ndarray
    weight: numpy.ndarray
    bias: numpy.ndarray
    cotangent: numpy.ndarray
    output: numpy.ndarray
    grad_input: numpy.ndarray
    grad_weight: numpy.ndarray


def operands(case: Case, dtype: str) -> Operands:
    """Normal numbers, rounded to ``dtype`` before torch gets them."""
    generator = numpy.random.default_rng(0)
    windows = case.windows()
    shapes = (
        case.input,
        (case.C_out, case.input[1] // case.groups, *case.kernel_size),
        (case.C_out,),
        (case.input[0], case.C_out, *windows.output_size),
    )
    arrays = [generator.standard_normal(shape).astype(dtype) for shape in shapes]
    x, w, b, g = [oracle.from_numpy(array.astype("float64")) for array in arrays]
    x.requires_grad_()
    w.requires_grad_()
    output = oracle.conv2d(x, w, b, case.stride, case.padding, case.dilation, case.groups)
    output.backward(g)
    assert x.grad is not None
    assert w.grad is not None
    return Operands(*arrays, output.detach().numpy(), x.grad.numpy(), w.grad.numpy())


def results(case: Case, given: Operands, to_device: Any) -> tuple[Any, Any, Any]:
    """(output, gradient of the input, gradient of the weight) by the kernels, on the host."""
    x, w, b, g = [to_device(array) for array in given[:4]]
    windows = case.windows()
    output = conv2d_cuda.convolve(x, w, b, windows, case.groups)
    grad_input = conv2d_cuda.transpose(g, w, None, windows, case.groups)
    grad_weight = conv2d_cuda.correlate_kernel(g, x, windows, case.groups)
    return output.get(), grad_input.get(), grad_weight.get()


def errors(case: Case, dtype: str, to_device: Any) -> tuple[float, float, float]:
    """The largest error of each function, relative to the largest element of its result."""
    given = operands(case, dtype)
    found = []
    for actual, expected in zip(results(case, given, to_device), given[4:]):
        assert actual.dtype == dtype
        assert actual.shape == expected.shape
        found.append(float(abs(actual - expected).max() / abs(expected).max()))
    return found[0], found[1], found[2]
