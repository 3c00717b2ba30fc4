"""Launching ``softmax.cu``."""

from __future__ import annotations

from pathlib import Path

from minitorch.backend import Array, array_module, row_major
from minitorch.backend.kernels import KernelFile
from minitorch.ops.lines_cuda import lines_along

_kernels = KernelFile(Path(__file__).with_name("softmax.cu"))
_DEFINES = ((("LOGARITHM", 0),), (("LOGARITHM", 1),))


def softmax(scores: Array, dim: int, logarithm: bool) -> Array:
    """The softmax along a dimension, or its logarithm."""
    scores = row_major(scores)
    output = array_module(scores).empty(scores.shape, scores.dtype)
    lines_along(scores.shape, dim).launch(_kernels, "forward", scores, (scores, output), _DEFINES[logarithm])
    return output


def softmax_gradient(grad_output: Array, output: Array, dim: int, logarithm: bool) -> Array:
    """The gradient of the scores, from that of the output."""
    grad_output, output = row_major(grad_output), row_major(output)
    grad_input = array_module(output).empty(output.shape, output.dtype)
    arguments = (grad_output, output, grad_input)
    lines_along(output.shape, dim).launch(_kernels, "backward", output, arguments, _DEFINES[logarithm], arrays=2)
    return grad_input
