"""torch's old tensor types, ``FloatTensor`` and its siblings: constructors and names of a (type, device) pair.

``FloatTensor(2, 3)`` makes an uninitialised tensor, ``LongTensor([1, 2])`` one of that data,
``x.type(DoubleTensor)`` converts, ``isinstance(x, FloatTensor)`` asks for dtype and device.
"""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.tensor.tensor import Tensor, legacy_construct


class LegacyTensorType(type):
    """The type of ``FloatTensor`` and its siblings: calling one makes a ``Tensor`` of its dtype."""

    dtype: dtypes.dtype

    def __new__(cls, dtype: dtypes.dtype) -> LegacyTensorType:
        text = f"torch's old name for a {dtype} tensor in host memory: a constructor, and a type for ``isinstance``."
        made = super().__new__(cls, f"{dtype.legacy_name}Tensor", (), {"__module__": "torch", "__doc__": text})
        made.dtype = dtype
        return made

    def __init__(cls, dtype: dtypes.dtype) -> None:
        super().__init__(f"{dtype.legacy_name}Tensor", (), {})

    def __call__(cls, *args: Any) -> Tensor:
        return legacy_construct(cls.dtype, args)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and not instance.is_cuda


HalfTensor = LegacyTensorType(dtypes.float16)
FloatTensor = LegacyTensorType(dtypes.float32)
DoubleTensor = LegacyTensorType(dtypes.float64)
CharTensor = LegacyTensorType(dtypes.int8)
ShortTensor = LegacyTensorType(dtypes.int16)
IntTensor = LegacyTensorType(dtypes.int32)
LongTensor = LegacyTensorType(dtypes.int64)
ByteTensor = LegacyTensorType(dtypes.uint8)
BoolTensor = LegacyTensorType(dtypes.bool_)


def set_default_tensor_type(t: Any) -> None:
    """Make the dtype of a floating-point legacy type, such as ``DoubleTensor``, the default dtype."""
    name = t if isinstance(t, str) else None
    for each in (HalfTensor, FloatTensor, DoubleTensor):
        if t is each or name == f"torch.{each.__name__}":
            dtypes.set_default_dtype(each.dtype)
            return
    raise TypeError("only floating-point types are supported as the default type")
