"""Launching ``softmax.cu``."""

from __future__ import annotations

from pathlib import Path

from minitorch.backend import Array, array_module, row_major
from minitorch.backend.kernels import KernelFile
from minitorch.ops.autocast import autocasts
from minitorch.ops.lines_cuda import lines_along

_kernels = KernelFile(Path(__file__).with_name("softmax.cu"))


@autocasts
def softmax(scores: Array, dim: int, logarithm: bool) -> Array:
    """The softmax along a dimension, or its logarithm."""
    scores = row_major(scores)
    output = array_module(scores).empty_like(scores)
    defines = {"LOGARITHM": int(logarithm)}
    lines_along(scores.shape, dim).launch(_kernels, "forward", scores, [scores, output], defines)
    return output


def softmax_gradient(grad_output: Array, output: Array, dim: int, logarithm: bool) -> Array:
    """The gradient of the scores, from that of the output."""
    grad_output, output = row_major(grad_output), row_major(output)
    grad_input = array_module(output).empty_like(output)
    defines = {"LOGARITHM": int(logarithm)}
    lines = lines_along(output.shape, dim)
    lines.launch(_kernels, "backward", output, [grad_output, output, grad_input], defines)
    return grad_input
