"""``torch.utils.deterministic``: what else changes where deterministic algorithms are asked for.

``fill_uninitialized_memory`` (True): whether ``empty``, ``empty_like`` and ``new_empty`` then give memory filled with
nan (True, or the largest number, where there is no nan), so that a read before the first write shows.

>>> import minitorch as torch
>>> torch.utils.deterministic.fill_uninitialized_memory
True
"""

from __future__ import annotations

import sys
import types

from minitorch.backend.determinism import switches


class _Deterministic(types.ModuleType):
    @property
    def fill_uninitialized_memory(self) -> bool:
        """Whether memory is filled."""
        return switches.fill_uninitialized_memory

    @fill_uninitialized_memory.setter
    def fill_uninitialized_memory(self, mode: bool) -> None:
        if type(mode) is not bool:
            raise RuntimeError(f"expected a bool, but got {type(mode)}")
        switches.fill_uninitialized_memory = mode


sys.modules[__name__].__class__ = _Deterministic
