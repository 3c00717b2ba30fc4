"""The places of the elements of a triangle: ``tril_indices``, ``triu_indices``."""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import wrap
from minitorch.backend import module_of
from minitorch.tensor.data import resolve_device
from minitorch.tensor.tensor import Tensor


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: dtypes.dtype = dtypes.int64, device: Any = None, layout: Any = None
) -> Tensor:
    """Rows and columns of the elements on and below diagonal ``offset`` of a row × col matrix, row by row.

    >>> import minitorch as torch
    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _indices("tril_indices", row, col, offset, dtype, device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: dtypes.dtype = dtypes.int64, device: Any = None, layout: Any = None
) -> Tensor:
    """Rows and columns of the elements on and above diagonal ``offset`` of a row × col matrix, row by row.

    >>> import minitorch as torch
    >>> torch.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _indices("triu_indices", row, col, offset, dtype, device)


def _indices(name: str, row: int, col: int, offset: int, dtype: dtypes.dtype, device: Any) -> Tensor:
    for what, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{what} must be non-negative, got{size}")
    if dtype not in (dtypes.int32, dtypes.int64):
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtype.legacy_name}'")
    xp = module_of(resolve_device(device))
    distance = xp.arange(col)[None, :] - xp.arange(row)[:, None]
    places = xp.nonzero(distance <= offset if name == "tril_indices" else distance >= offset)
    result: Tensor = wrap(xp.stack(places).astype(dtype.numpy), Tensor)
    return result
