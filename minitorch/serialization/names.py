"""The names that torch's files use for what they hold, and what each is here.

A file does not hold code, only names: ``torch FloatStorage``, ``torch._utils _rebuild_tensor_v2``. Torch looks
them up in itself; here they are looked up in the tables below, so that no file makes us import torch.
"""

from __future__ import annotations

from typing import NamedTuple

import minitorch.dtypes as dtypes


class GlobalName(NamedTuple):
    """A global as a pickle spells it: ``torch._utils`` and ``_rebuild_tensor_v2``."""

    module: str
    name: str

    def __call__(self) -> None:
        """Never called: the pickler only checks that what a REDUCE names could be."""


class StorageType(NamedTuple):
    """``torch FloatStorage`` and its siblings: the type of the elements in a storage."""

    name: str
    dtype: dtypes.dtype


REBUILD_TENSOR = GlobalName("torch._utils", "_rebuild_tensor_v2")
REBUILD_PARAMETER = GlobalName("torch._utils", "_rebuild_parameter")
REBUILD_FROM_TYPE = GlobalName("torch._tensor", "_rebuild_from_type_v2")
SIZE = GlobalName("torch", "Size")
DEVICE = GlobalName("torch", "device")
TENSOR = GlobalName("torch", "Tensor")
PARAMETER = GlobalName("torch.nn.parameter", "Parameter")

DTYPE_NAMES = {dtype: GlobalName("torch", dtype.name) for dtype in dtypes.ALL}
STORAGE_NAMES = {dtype: GlobalName("torch", f"{dtype.legacy_name}Storage") for dtype in dtypes.ALL}

STORAGE_TYPES = {f"torch.{name}": StorageType(name, dtype) for dtype, (_, name) in STORAGE_NAMES.items()}
STORAGE_TYPES["torch.storage.UntypedStorage"] = StorageType("UntypedStorage", dtypes.uint8)
STORAGE_TYPES["torch.storage._UntypedStorage"] = STORAGE_TYPES["torch.storage.UntypedStorage"]

# What torch can save and minitorch cannot hold: the error says which, not just "unknown name".
_NO_SUCH_DTYPE = (
    "minitorch has no {}, because NumPy has no such type; convert the tensors before saving them in torch, "
    "with tensor.float() for example"
)
_NO_SUCH_LAYOUT = "minitorch has no {} tensors; make the tensors dense before saving them in torch"

_DTYPES_OF_STORAGES = {
    "BFloat16Storage": "bfloat16",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
}
_OTHER_DTYPES = (
    "complex32",
    "uint16",
    "uint32",
    "uint64",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float4_e2m1fn_x2",
)
_LAYOUTS_OF_FUNCTIONS = {
    "_rebuild_sparse_tensor": "sparse",
    "_rebuild_qtensor": "quantized",
    "_rebuild_nested_tensor": "nested",
    "_rebuild_meta_tensor_no_storage": "meta",
    "_rebuild_wrapper_subclass": "wrapper-subclass",
}

UNSUPPORTED = {
    **{f"torch.{name}": _NO_SUCH_DTYPE.format(f"torch.{dtype}") for name, dtype in _DTYPES_OF_STORAGES.items()},
    **{f"torch.{name}": _NO_SUCH_DTYPE.format(f"torch.{name}") for name in _DTYPES_OF_STORAGES.values()},
    **{f"torch.{name}": _NO_SUCH_DTYPE.format(f"torch.{name}") for name in _OTHER_DTYPES},
    **{f"torch._utils.{name}": _NO_SUCH_LAYOUT.format(layout) for name, layout in _LAYOUTS_OF_FUNCTIONS.items()},
}
