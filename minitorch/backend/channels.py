"""Launching kernels that walk over channels: ``channels.cuh`` from the side of the host."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

from minitorch.backend.arrays import Array
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, blocks_for, dense_images, element_types, power_of_two, shares_of
from minitorch.backend.layout import is_channels_last

_WARP = 32


class View(NamedTuple):
    """The shape (O, N, C, S) in which a kernel sees an array: channel (o, c) has the elements of all n and s."""

    N: int
    C: int
    S: int
    O: int = 1  # noqa: E741

    @property
    def is_across(self) -> bool:
        """Whether neighbours in memory are neighbouring channels, not elements of one."""
        return self.S == 1 and self.C > 1

    @property
    def lanes(self) -> int:
        """How many threads share a run of S elements."""
        return _WARP if self.is_across else min(power_of_two(self.S), BLOCK)

    @property
    def block(self) -> int:
        """Threads of a block: fewer where a channel has not enough elements for all of them."""
        if self.is_across:
            return BLOCK
        return max(min(self.lanes * power_of_two(self.N), BLOCK), _WARP)

    @lru_cache(4096)  # noqa: B019 (a View is a tuple of numbers: there is nothing that could not be freed)
    def shares(self) -> int:
        """How many blocks sum up a channel, each a share of its samples."""
        blocks = self.O * (blocks_for(self.C, _WARP) if self.is_across else self.C)
        elements = self.N * self.S * (_WARP if self.is_across else 1)
        return shares_of(blocks, self.N, elements, self.block // self.lanes)

    def launch(
        self,
        kernels: KernelFile,
        name: str,
        array: Array,
        arguments: list[Any],
        defines: dict[str, Any],
        shares: int | None = None,
    ) -> None:
        """Run a kernel on ``array`` seen this way; ``arguments`` are those before N, C and S."""
        grid, block, settings = _plan(self, shares, tuple((element_types(array) | defines).items()))
        kernels.launch(name, grid, block, arguments, settings)


@lru_cache(4096)
def _plan(view: View, shares: int | None, defines: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """(grid, block, settings): worked out once, as a step launches the same again and again."""
    grid = (blocks_for(view.C, _WARP) if view.is_across else view.C, shares or view.shares(), view.O)
    block = (view.lanes, view.block // view.lanes)
    return grid, block, (("ACROSS", int(view.is_across)), ("BLOCK", BLOCK), *defines)


def view_of_channels(array: Array) -> tuple[View, Array]:
    """(N, C, …) as samples, channels and places, and the array in an order that such a view describes."""
    array, (N, C, *places) = dense_images(array), array.shape
    S = math.prod(places)
    return (View(N * S, C, 1) if is_channels_last(array) else View(N, C, S)), array
