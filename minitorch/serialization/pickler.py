"""Pickles as torch writes them: tensors by torch's names, their memory apart from the program.

Python's pickler asks of every object how to write it; this one has its own answers for tensors, sizes, dtypes
and devices. Memory is not written into the pickle: where a tensor's storage belongs stands a *persistent id*,
``('storage', torch.FloatStorage, '0', 'cpu', 6)``, and the bytes follow in a record of their own, once for all
tensors that share them.
"""

from __future__ import annotations

import codecs
import io
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import minitorch.dtypes as dtypes
from minitorch.backend import Array, array_module, device_of, is_on_cpu
from minitorch.device import device
from minitorch.nn.parameter import Parameter
from minitorch.ops.strided import contiguous_strides
from minitorch.serialization import names
from minitorch.serialization.storage import Storage
from minitorch.tensor.size import Size
from minitorch.tensor.tensor import Tensor


class SavedStorage(NamedTuple):
    """Memory that goes into a record: ``data/<key>``."""

    key: str
    flat: Array  # of one dimension, on whatever device
    owner: Array  # kept so that no other array gets its id
    location: str

    def persistent_id(self) -> tuple[Any, ...]:
        """What stands for it in the pickle."""
        type_name = names.STORAGE_NAMES[dtypes.from_numpy_dtype(self.flat.dtype)]
        return "storage", type_name, self.key, self.location, int(self.flat.size)


class Window(NamedTuple):
    """A tensor as torch's files describe it: a storage, and what of it the tensor shows, counted in elements."""

    storage: SavedStorage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class StorageTable:
    """The storages of one file, each numbered when it is first met."""

    def __init__(self) -> None:
        self.storages: list[SavedStorage] = []
        self._by_owner: dict[int, SavedStorage] = {}

    def window(self, array: Array) -> Window:
        """The storage that ``array`` shows, and how.

        Raises: RuntimeError if another tensor shows the same memory as another type.
        """
        owner = _owner(array)
        offset, remainder = divmod(_address(array) - _address(owner), int(array.dtype.itemsize))
        is_plain = array.size and _is_dense(owner) and not remainder and owner.nbytes % array.dtype.itemsize == 0
        if not is_plain or min(array.strides, default=0) < 0 or any(s % array.dtype.itemsize for s in array.strides):
            return self._copied(array)  # memory of a kind that torch does not know
        storage = self._by_owner.get(id(owner)) or self._add(owner, _flat(owner).view(array.dtype))
        if storage.flat.dtype != array.dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        return Window(storage, offset, array.shape, tuple([step // array.dtype.itemsize for step in array.strides]))

    def _copied(self, array: Array) -> Window:
        copy = array_module(array).ascontiguousarray(array).reshape(-1)
        return Window(self._add(array, copy), 0, array.shape, contiguous_strides(array.shape))

    def _add(self, owner: Array, flat: Array) -> SavedStorage:
        storage = SavedStorage(str(len(self.storages)), flat, owner, str(device_of(owner)))
        self.storages.append(storage)
        self._by_owner[id(owner)] = storage
        return storage

    def of_storage(self, storage: Storage) -> SavedStorage:
        """The entry of a storage that is itself among the saved objects."""
        owner = _owner(storage.array)
        return self._by_owner.get(id(owner)) or self._add(owner, storage.array)


def _owner(array: Array) -> Array:
    """The array whose memory ``array`` shows a part of (or all)."""
    owner = array
    while hasattr(array, "base") and array.base is not None:
        array = array.base
        if hasattr(array, "dtype"):  # NumPy's as_strided puts a link without one in between
            owner = array
    return owner


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0] if is_on_cpu(array) else array.data.ptr)


def _is_dense(array: Array) -> bool:
    """Whether the array's elements fill its memory without gaps, in whatever order of dimensions."""
    by_stride = sorted(zip(array.strides, array.shape))
    expected = int(array.dtype.itemsize)
    for step, size in by_stride:
        if size != 1 and step != expected:
            return False
        expected *= size
    return True


def _flat(owner: Array) -> Array:
    """A dense array's memory in its own order, as one dimension."""
    order = sorted(range(owner.ndim), key=lambda dim: (-owner.strides[dim], -owner.shape[dim]))
    return owner.transpose(order).reshape(-1)


class _TorchPickling:
    """What makes a pickler of Python (a subclass of ``pickle._Pickler``) write torch's pickles."""

    table: StorageTable

    def persistent_id(self, value: Any) -> Any:
        """What stands for a storage in the pickle; None for what the pickle itself describes."""
        if type(value) is Storage:
            return self.table.of_storage(value).persistent_id()
        return value.persistent_id() if type(value) is SavedStorage else None

    def reducer_override(self, value: Any) -> Any:
        """How to write a value of ours: the name of a function and its arguments, or the name of a global."""
        kind = type(value)
        if kind is Parameter:
            return self._parameter(value)
        if kind is Tensor:
            return self._tensor(value)
        if kind is Size:
            return names.SIZE, (tuple(value),)
        if kind is device:
            return names.DEVICE, (value.type,) if value.index is None else (value.type, value.index)
        if kind is bytes and not value:
            return codecs.encode, ("", "latin1")  # torch allows this, but not a call of bytes
        if kind in _NAMED or value is Tensor or value is Parameter:
            return "named"  # save_global finds the name
        if isinstance(value, Tensor):
            return self._subclass(value)
        return NotImplemented

    def _tensor(self, tensor: Tensor) -> tuple[names.GlobalName, tuple[Any, ...]]:
        window = self.table.window(tensor.array)
        return names.REBUILD_TENSOR, (*window, tensor.requires_grad, OrderedDict())

    def _parameter(self, parameter: Parameter) -> tuple[names.GlobalName, tuple[Any, ...]]:
        return names.REBUILD_PARAMETER, (parameter.data, parameter.requires_grad, OrderedDict())

    def _subclass(self, tensor: Tensor) -> Any:
        """A tensor of a user's class, which torch and we load only where the user allows that class."""
        function, args = self._parameter(tensor) if isinstance(tensor, Parameter) else self._tensor(tensor)
        return names.REBUILD_FROM_TYPE, (function, type(tensor), args, {})

    def save_global(self, value: Any, name: Any = None) -> None:
        """Write the name of a global: torch's where it has one."""
        torch_name = _torch_name(value)
        if torch_name is None:
            super().save_global(value, None if name == "named" else name)  # type: ignore[misc]
            return
        self.write(f"c{torch_name.module}\n{torch_name.name}\n".encode())  # type: ignore[attr-defined]
        self.memoize(value)  # type: ignore[attr-defined]


_NAMED = (names.GlobalName, dtypes.dtype)


def _torch_name(value: Any) -> names.GlobalName | None:
    if type(value) is names.GlobalName:
        return value
    if type(value) is dtypes.dtype:
        return names.DTYPE_NAMES[value]
    if value is Tensor:
        return names.TENSOR
    return names.PARAMETER if value is Parameter else None


def dumps(value: Any, pickle_module: Any, protocol: int) -> tuple[bytes, list[SavedStorage]]:
    """The pickle of ``value`` and the storages that it names.

    Args: pickle_module: ``pickle``, or another whose pickler is written in Python (``dill``).
    Raises: TypeError for a pickler that cannot be taught torch's names; what the pickler raises.
    """
    base = getattr(pickle_module, "_Pickler", None) or pickle_module.Pickler
    if not issubclass(base, pickle._Pickler):
        raise TypeError(
            f"save: the pickler of {pickle_module.__name__} is not written in Python (a subclass of "
            "pickle._Pickler), so that it cannot write torch's names"
        )
    pickler_class = type("TorchPickler", (_TorchPickling, base), {"table": StorageTable()})
    stream = io.BytesIO()
    pickler: Any = pickler_class(stream, protocol=protocol)
    pickler.dump(value)
    return stream.getvalue(), pickler.table.storages
