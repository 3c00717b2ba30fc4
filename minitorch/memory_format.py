"""``memory_format``: the orders in which a tensor's elements may lie in memory."""

from __future__ import annotations


class memory_format:  # noqa: N801 (torch's name)
    """An order of dimensions in memory, such as ``channels_last``."""

    def __init__(self, name: str, dims: tuple[int, ...] | None = None) -> None:
        self.name = name
        self.dims = dims  # from the slowest to the fastest in memory; None: as they are numbered

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last", (0, 2, 3, 1))
channels_last_3d = memory_format("channels_last_3d", (0, 2, 3, 4, 1))
