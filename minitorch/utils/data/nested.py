"""Walking through a batch: tensors inside mappings, tuples, lists and objects."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

from minitorch.tensor.tensor import Tensor

Change = Callable[[Any], Any]


def changed(batch: Any, change: Change, applies: Callable[[Any], bool]) -> Any:
    """The batch with ``change(part)`` for each part that ``applies``; containers keep their types, where they can.

    What is neither changed nor a container (strings, numbers) stays as it is.
    """
    if applies(batch):
        return change(batch)
    if isinstance(batch, (str, bytes)):
        return batch
    if isinstance(batch, Mapping):
        return _mapping_like(batch, {key: changed(value, change, applies) for key, value in batch.items()})
    if isinstance(batch, tuple):
        parts = [changed(value, change, applies) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    if isinstance(batch, Sequence):
        return _sequence_like(batch, [changed(value, change, applies) for value in batch])
    return batch


def _mapping_like(original: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    try:
        if not isinstance(original, MutableMapping):
            return type(original)(items)  # type: ignore[call-arg]
        twin = copy.copy(original)
        twin.update(items)
        return twin
    except TypeError:  # a type that cannot be copied, or made from a dict
        return items


def _sequence_like(original: Sequence[Any], values: list[Any]) -> Any:
    try:
        if not isinstance(original, MutableSequence):
            return type(original)(values)  # type: ignore[call-arg]
        twin = copy.copy(original)
        for index, value in enumerate(values):
            twin[index] = value
        return twin
    except TypeError:  # a type that cannot be copied, changed, or made from a list, such as range
        return values


def tensors_in(batch: Any) -> Iterator[Tensor]:
    """All tensors of a batch: in containers, and in the attributes of objects that have ``to``."""
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, Mapping):
        for value in batch.values():
            yield from tensors_in(value)
    elif isinstance(batch, Sequence) and not isinstance(batch, (str, bytes)):
        for value in batch:
            yield from tensors_in(value)
    elif hasattr(batch, "to"):
        for value in getattr(batch, "__dict__", {}).values():
            yield from tensors_in(value)


def pin_memory(batch: Any) -> Any:
    """The batch with its tensors, and what else has ``pin_memory()``, in pinned memory."""
    return changed(batch, lambda part: part.pin_memory(), lambda part: hasattr(part, "pin_memory"))
