"""The named tuples that ops with several results return, printed as torch prints them.

>>> import minitorch as torch
>>> torch.max(torch.tensor([[1.0, 3.0], [2.0, 0.0]]), 1)
torch.return_types.max(
values=tensor([3., 2.]),
indices=tensor([1, 0]))
"""

from __future__ import annotations

import collections
from typing import Any


def _return_type(name: str, fields: str) -> Any:
    """A class of named tuples that prints as ``torch.return_types.<name>``."""
    base: Any = collections.namedtuple(name, fields)  # type: ignore[misc]

    def show(self: Any) -> str:
        lines = [f"{field}={getattr(self, field)!r}" for field in self._fields]
        return f"torch.return_types.{name}(\n" + ",\n".join(lines) + ")"

    return type(name, (base,), {"__slots__": (), "__repr__": show, "__module__": __name__})


aminmax = _return_type("aminmax", "min max")
cummax = _return_type("cummax", "values indices")
cummin = _return_type("cummin", "values indices")
kthvalue = _return_type("kthvalue", "values indices")
linalg_slogdet = _return_type("linalg_slogdet", "sign logabsdet")
max = _return_type("max", "values indices")
median = _return_type("median", "values indices")
min = _return_type("min", "values indices")
mode = _return_type("mode", "values indices")
nanmedian = _return_type("nanmedian", "values indices")
slogdet = _return_type("slogdet", "sign logabsdet")
sort = _return_type("sort", "values indices")
topk = _return_type("topk", "values indices")
