"""Launching kernels that work on lines of numbers: ``lines.cuh`` from the side of the host."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from minitorch.backend import Array, KernelFile, host
from minitorch.backend.launching import TYPES, blocks_for, power_of_two

_WARP = 32
_SMALL_BLOCK, _LARGEST_BLOCK = 128, 1024  # threads: where a team is part of a warp, and where it is a block
_REGISTERS = 32  # of a thread, for what it holds of a line; a float64 takes two
_MOST_IN_32_BITS = 2**31 - (1 << 16)  # the last threads count further, by what they hold or read at a time


class Team(NamedTuple):
    """How many threads share a line, how many a block has, and how many elements each thread holds (0: none)."""

    team: int
    block: int
    held: int


@lru_cache(4096)
def team_for(length: int, inner: int, itemsize: int, arrays: int = 1) -> Team:
    """The team for lines of ``length`` elements, of as many arrays as are held at the same time.

    Up to a warp if that can hold the line; else a block, of as few threads as can hold it. These have fewer registers
    each, and lines of several arrays must be shorter, so that none of it spills.

    >>> team_for(10, 1, 4), team_for(1000, 1, 4)
    (Team(team=4, block=128, held=4), Team(team=32, block=128, held=32))
    >>> team_for(16384, 1, 4), team_for(50257, 1, 4)
    (Team(team=512, block=512, held=32), Team(team=1024, block=1024, held=0))
    >>> team_for(21, 49, 4), team_for(1000, 49, 4)
    (Team(team=1, block=128, held=32), Team(team=1, block=128, held=0))
    """
    words = max(itemsize // 4, 1)
    most = min(_REGISTERS, 2 * _REGISTERS // arrays) // words
    if inner > 1:
        return Team(1, _SMALL_BLOCK, power_of_two(length) if length <= most else 0)
    if length <= _WARP * most:
        team = min(power_of_two(-(-length // 4)), _WARP)
        return Team(team, _SMALL_BLOCK, max(power_of_two(-(-length // team)), 1))
    held = _REGISTERS // arrays // words
    if length > _LARGEST_BLOCK * held:
        return Team(_LARGEST_BLOCK, _LARGEST_BLOCK, 0)
    team = max(power_of_two(-(-length // held)), _SMALL_BLOCK)
    return Team(team, team, power_of_two(-(-length // team)))


class Lines(NamedTuple):
    """Lines of ``length`` elements, ``inner`` apart, of an array that lies row after row."""

    lines: int
    length: int
    inner: int

    def launch(
        self,
        kernels: KernelFile,
        name: str,
        array: Array,
        arguments: Sequence[Any],
        defines: tuple[tuple[str, Any], ...] = (),
        arrays: int = 1,
        blocks: int | None = None,
    ) -> None:
        """Run a kernel on these lines of ``array``; ``arguments`` are those before the sizes.

        ``blocks`` is for kernels in which a team works on line after line.
        """
        grid, block, settings = plan(*self, array.dtype.char, arrays, defines)
        kernels.launch(name, grid if blocks is None else (blocks,), block, (*arguments, *self), settings)

    def settings(self, array: Array, defines: tuple[tuple[str, Any], ...] = (), arrays: int = 1) -> Any:
        """What a kernel on these lines is compiled with."""
        return plan(*self, array.dtype.char, arrays, defines)[2]


@lru_cache(4096)
def plan(
    lines: int, length: int, inner: int, character: str, arrays: int, defines: tuple[tuple[str, Any], ...]
) -> tuple[tuple[int], tuple[int], tuple[Any, ...]]:
    """(grid, block, settings) for lines of a dtype: worked out once, as a step launches the same again and again."""
    dtype = host.dtype(character)
    team, block, held = team_for(length, inner, dtype.itemsize, arrays)
    index = "int" if lines * length < _MOST_IN_32_BITS else "long long"
    types = (("ELEMENT", TYPES[dtype.name]), ("INDEX", index))
    settings = (*types, ("TEAM", team), ("BLOCK", block), ("HELD", held), *defines)
    return (blocks_for(lines, block // team),), (block,), settings


@lru_cache(4096)
def lines_along(shape: tuple[int, ...], dim: int) -> Lines:
    """The lines along one dimension."""
    length, inner = shape[dim], math.prod(shape[dim + 1 :])
    return Lines(math.prod(shape) // length, length, inner)
