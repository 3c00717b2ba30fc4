"""``device``: where a tensor's memory lies, ``cpu`` or ``cuda[:index]``."""

from __future__ import annotations

from typing import Any

_TYPES = ("cpu", "cuda")


class device:  # noqa: N801 (torch's name)
    """The place of a tensor: a type and, for CUDA, the number of the GPU.

    Args: a string ``"cpu"``, ``"cuda"``, ``"cuda:1"``; or a type and an index; or a bare index (a GPU).
    Raises RuntimeError for an unknown type or a malformed string.

    >>> device("cuda:1"), device("cuda", 1) == device("cuda:1"), str(device("cpu"))
    (device(type='cuda', index=1), True, 'cpu')
    """

    type: str
    index: int | None

    def __init__(self, type: str | int | device, index: int | None = None) -> None:
        if isinstance(type, device):
            kind, number = type.type, type.index if index is None else index
        elif isinstance(type, int):
            kind, number = "cuda", type
        elif ":" in type:
            if index is not None:
                raise RuntimeError(f"type (string) must not include an index because index was passed: {type}")
            kind, number = _parse(type)
        else:
            kind, number = type, index
        if kind not in _TYPES:
            raise RuntimeError(f"Expected one of {', '.join(_TYPES)} device type at start of device string: {kind}")
        self.type, self.index = kind, number

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)


def _parse(text: str) -> tuple[str, int]:
    type, _, index = text.partition(":")
    if not index.isdecimal() or (len(index) > 1 and index.startswith("0")):
        raise RuntimeError(f"Invalid device string: '{text}'")
    return type, int(index)


CPU = device("cpu")
