"""``finfo`` and ``iinfo``: the limits of a dtype."""

from __future__ import annotations

import minitorch.dtypes as dtypes
from minitorch.backend import host


class finfo:  # noqa: N801 (torch's name)
    """The limits of a floating-point dtype (the default one unless given).

    >>> import minitorch as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: dtypes.dtype | None = None) -> None:
        dtype = dtypes.get_default_dtype() if type is None else type
        if not dtype.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{dtype}'")
        info = host.finfo(dtype.numpy)
        self.bits: int = int(info.bits)
        self.dtype: str = dtype.name
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        self.resolution = float(info.resolution)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:  # noqa: N801 (torch's name)
    """The limits of an integer dtype.

    >>> import minitorch as torch
    >>> torch.iinfo(torch.int8).max
    127
    """

    def __init__(self, type: dtypes.dtype) -> None:
        if type.category != dtypes.INTEGER:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type}'")
        info = host.iinfo(type.numpy)
        self.bits, self.min, self.max = int(info.bits), int(info.min), int(info.max)
        self.dtype = type.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
