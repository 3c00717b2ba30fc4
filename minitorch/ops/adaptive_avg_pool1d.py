"""Adaptive average pooling of sequences: the two-dimensional one over images of a single row."""

from __future__ import annotations

from typing import Any

from minitorch.ops.adaptive_avg_pool2d import adaptive_avg_pool2d
from minitorch.ops.avg_pool1d import check_sequences, one_number
from minitorch.ops.shape import squeeze, unsqueeze


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The mean of windows that are chosen so that the output has ``output_size`` elements.

    Formula: output[n, c, i] = mean of input[n, c, x] over ⌊i·L / L_out⌋ ≤ x < ⌈(i + 1)·L / L_out⌉
    Shapes: (N, C, L) or (C, L) → (N, C, L_out)
    Gradient, Raises: as ``adaptive_avg_pool2d``.

    >>> import minitorch as torch
    >>> torch.nn.functional.adaptive_avg_pool1d(torch.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[1.5000, 4.0000]])
    """
    check_sequences("adaptive_avg_pool1d", input)
    count = one_number("adaptive_avg_pool1d", "output_size", output_size)
    return squeeze(adaptive_avg_pool2d(unsqueeze(input, -2), (1, count)), -2)
