"""Memory that an op needs while it computes, kept for the next time.

Fresh memory is slow: the operating system hands it out page by page, zeroed, at the first touch. An op that needs
a scratch of the same sizes again and again (one layer, step after step) asks here, and gets what it had before:

    scratch = kept_scratch(("conv2d", shape), lambda: Scratch(shape))

What is kept is never part of a result, so nobody outside of the op sees it. Each thread has its own; what was not
used for longest is let go where a thread keeps more than ``MOST_BYTES``.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

MOST_BYTES = 32_000_000


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Scratch = TypeVar("Scratch", bound=_Sized)


class _Kept(threading.local):
    def __init__(self) -> None:
        self.items: OrderedDict[Hashable, _Sized] = OrderedDict()


_kept = _Kept()


def kept_scratch(key: Hashable, make: Callable[[], Scratch]) -> Scratch:
    """What ``make`` made for ``key`` the last time, in this thread; made now if there is none."""
    items = _kept.items
    found = items.pop(key, None)
    if found is None:
        found = make()
        room = MOST_BYTES - found.nbytes
        while items and sum(each.nbytes for each in items.values()) > room:
            items.popitem(last=False)
    items[key] = found
    return found  # type: ignore[return-value]  # each key has one kind of scratch
