"""Hypothesis pieces that many declarations share: shapes, axes, broadcastable operands.

Each takes ``draw``. Sizes are small (0 to 5): what breaks an op is its structure, not its size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.harness.declaration import Sample, Spec

Draw = Callable[..., Any]


def draw_shape(
    draw: Draw, min_dims: int = 0, max_dims: int = 4, min_size: int = 0, max_size: int = 5
) -> tuple[int, ...]:
    """A shape; zero sizes and 0-d included unless bounded."""
    return tuple(draw(st.lists(st.integers(min_size, max_size), min_size=min_dims, max_size=max_dims)))


def draw_broadcastable(draw: Draw, count: int, max_dims: int = 3) -> list[tuple[int, ...]]:
    """Shapes that broadcast together."""
    full = draw_shape(draw, 0, max_dims)
    shapes = []
    for _ in range(count):
        kept = draw(st.integers(0, len(full)))
        tail = full[len(full) - kept :]
        shapes.append(tuple(size if draw(st.booleans()) else 1 for size in tail))
    return shapes


def draw_dim(draw: Draw, ndim: int) -> int:
    """An axis, counted from either end; 0 or -1 for a 0-d tensor, as in torch."""
    return draw(st.integers(-max(ndim, 1), max(ndim, 1) - 1))


def unary(**options: Any) -> Callable[[Draw], Sample]:
    """Samples of a function of one tensor; ``options`` go to its Spec."""

    def samples(draw: Draw) -> Sample:
        return Sample(Spec(draw_shape(draw), **options))

    return samples


def binary(first: dict[str, Any] | None = None, second: dict[str, Any] | None = None) -> Callable[[Draw], Sample]:
    """Samples of a function of two tensors that broadcast."""

    def samples(draw: Draw) -> Sample:
        a, b = draw_broadcastable(draw, 2)
        return Sample(Spec(a, **(first or {})), Spec(b, **(second or {})))

    return samples
