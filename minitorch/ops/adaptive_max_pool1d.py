"""Adaptive max pooling of sequences: the two-dimensional one over images of a single row."""

from __future__ import annotations

from typing import Any

from minitorch.ops.adaptive_max_pool2d import adaptive_max_pool2d
from minitorch.ops.avg_pool1d import check_sequences, one_number
from minitorch.ops.shape import squeeze, unsqueeze


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest element of windows that are chosen so that the output has ``output_size`` elements.

    Formula: output[n, c, i] = max of input[n, c, x] over ⌊i·L / L_out⌋ ≤ x < ⌈(i + 1)·L / L_out⌉
    Shapes: (N, C, L) or (C, L) → (N, C, L_out); indices alike, int64.
    Gradient, Raises, Numerics: as ``adaptive_max_pool2d``.

    >>> import minitorch as torch
    >>> torch.nn.functional.adaptive_max_pool1d(torch.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[2., 6.]])
    """
    check_sequences("adaptive_max_pool1d", input)
    count = one_number("adaptive_max_pool1d", "output_size", output_size)
    output, indices = adaptive_max_pool2d(unsqueeze(input, -2), (1, count), return_indices=True)
    return (squeeze(output, -2), squeeze(indices, -2)) if return_indices else squeeze(output, -2)
