"""Local response normalisation: divide each channel by the energy of its neighbours.

Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.autocast import cast_operands


class NeighbourSum(Function):
    """Σ over the channels from c − before to c + after;  the gradient looks the other way."""

    def forward(self, values: Array, *, before: int, after: int) -> Array:
        self.before, self.after = before, after
        C = values.shape[1]
        total = array_module(values).zeros_like(values)
        for offset in range(-min(before, C), min(after, C) + 1):
            first, last = max(0, -offset), min(C, C - offset)
            total[:, first:last] += values[:, first + offset : last + offset]
        return total

    def backward(self, grad_output: Any) -> Any:
        return NeighbourSum.apply(grad_output, before=self.after, after=self.before)


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Divide each channel by a power of the mean square of the ``size`` channels around it.

    Formula: output_c = input_c / (k + alpha · Σ input_j² / size)^beta, j from c − size // 2 to c + (size − 1) // 2;
    channels that do not exist count as 0.
    Shapes: (N, C, L, …) → the same.
    Gradient: by the quotient rule.
    Raises: ValueError for fewer than 3 dimensions.

    >>> import minitorch as torch
    >>> torch.nn.functional.local_response_norm(torch.tensor([[[1.0], [2.0]]]), size=2, alpha=2.0, beta=1.0)
    tensor([[[0.5000],
             [0.3333]]])
    """
    if raw(input).ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {raw(input).ndim} dimensions)")
    if raw(input).size == 0:
        return input
    squares = input * input
    if raw(input).ndim > 3:
        (squares,) = cast_operands("avg_pool3d", squares)  # which is how torch adds them up
    energy = NeighbourSum.apply(squares, before=size // 2, after=(size - 1) // 2) / size
    return input / (energy * alpha + k) ** beta
