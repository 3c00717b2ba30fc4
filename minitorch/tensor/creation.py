"""Making tensors from data and constants: ``tensor``, ``zeros``, ``arange``, …"""

from __future__ import annotations

from typing import Any

import numpy

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import wrap
from minitorch.tensor.tensor import Tensor


def tensor(data: Any, *, dtype: dtypes.dtype | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor with a copy of ``data``."""
    array = numpy.array(data)
    if dtype is None and not hasattr(data, "dtype") and array.dtype.kind == "f":
        dtype = dtypes.get_default_dtype()
    result: Tensor = wrap(array if dtype is None else array.astype(dtype.numpy), Tensor)
    return result.requires_grad_(requires_grad)
