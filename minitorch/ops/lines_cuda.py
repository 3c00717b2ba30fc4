"""Launching kernels that work on lines of scores: ``lines.cuh`` from the side of the host."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minitorch.backend import Array
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, blocks_for, element_types

_SHORT, _LONG = 16, 1024  # elements; longer lines get a warp, and a whole block


class Lines(NamedTuple):
    """Lines of ``length`` elements, ``inner`` apart, of an array that lies row after row."""

    lines: int
    length: int
    inner: int

    @property
    def team(self) -> int:
        """How many threads share a line: 8 have up to two of its elements each, a warp up to 32.

        >>> Lines(64, 10, 1).team, Lines(64, 1000, 1).team, Lines(64, 50257, 1).team, Lines(64, 1000, 49).team
        (8, 32, 256, 1)
        """
        if self.inner > 1:
            return 1
        return 8 if self.length <= _SHORT else 32 if self.length <= _LONG else BLOCK

    def launch(
        self, kernels: KernelFile, name: str, array: Array, arguments: list[Any], defines: dict[str, Any]
    ) -> None:
        """Run a kernel on these lines of ``array``; ``arguments`` are those before the sizes."""
        settings = element_types(array) | {"TEAM": self.team, "BLOCK": BLOCK} | defines
        grid = (blocks_for(self.lines, BLOCK // self.team),)
        kernels.launch(name, grid, (BLOCK,), [*arguments, *self], settings)


def lines_along(shape: tuple[int, ...], dim: int) -> Lines:
    """The lines along one dimension."""
    length, inner = shape[dim], math.prod(shape[dim + 1 :])
    return Lines(math.prod(shape) // length, length, inner)
