"""A stream of random numbers of its own, for code that draws from minitorch's default generator."""

from __future__ import annotations

import minitorch


class RandomStream:
    """Inside ``with stream:`` the default generator goes on where the stream was; outside it is left alone.

    So shuffling and random transforms do not touch the numbers that dropout draws: the same dropout masks come
    out in torch, which has no part in loading, and a run that goes on from a checkpoint draws both alike.
    """

    def __init__(self, seed: int) -> None:
        self.state = minitorch.Generator().manual_seed(seed).get_state()

    def __enter__(self) -> RandomStream:
        self._outside = minitorch.get_rng_state()
        minitorch.set_rng_state(self.state)
        return self

    def __exit__(self, *error: object) -> None:
        self.state = minitorch.get_rng_state()
        minitorch.set_rng_state(self._outside)
