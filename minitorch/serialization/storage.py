"""``Storage``: the flat memory that tensors of a file show, and where it goes when it is loaded.

A file keeps memory, not tensors: two tensors that share memory name the same storage, each with its own offset,
sizes and strides. A storage also bears a *location* (``cpu``, ``cuda:0``): the device it was saved from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.backend import Array, accelerator, array_module, device_count, device_of, to_device
from minitorch.device import CPU, device
from minitorch.ops.strided import contiguous_strides

Restore = Callable[["Storage", str], "Storage"]


class Storage:
    """Flat memory: an array of one dimension. A callable ``map_location`` gets one and returns one."""

    def __init__(self, array: Array) -> None:
        self.array = array

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.from_numpy_dtype(self.array.dtype)

    @property
    def device(self) -> device:
        """Where the memory lies."""
        return device_of(self.array)

    @property
    def is_cuda(self) -> bool:
        """Whether the memory lies on a GPU."""
        return self.device.type == "cuda"

    def nbytes(self) -> int:
        """The size in bytes."""
        return int(self.array.nbytes)

    def size(self) -> int:
        """The number of elements."""
        return int(self.array.size)

    __len__ = size

    def cpu(self) -> Storage:
        """The storage in host memory; itself if it is there."""
        return self if not self.is_cuda else Storage(to_device(self.array, CPU))

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Storage:
        """The storage on a GPU: the current one unless ``device`` says another."""
        return Storage(to_device(self.array, _cuda_device("cuda" if device is None else device), non_blocking))

    def show(self, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Array:
        """The window on this memory with these sizes and strides, counted in elements.

        Raises: ValueError unless every element of the window lies within the storage.
        """
        _check_window(self.size(), offset, size, stride)
        if stride == contiguous_strides(size):
            return self.array[offset : offset + math.prod(size)].reshape(size)
        itemsize = int(self.array.dtype.itemsize)
        as_strided = array_module(self.array).lib.stride_tricks.as_strided
        return as_strided(self.array[offset:], size, [step * itemsize for step in stride])


def _check_window(numel: int, offset: Any, size: Any, stride: Any) -> None:
    for what, values in (("storage offset", (offset,)), ("size", size), ("stride", stride)):
        if type(values) is not tuple or any(type(value) is not int or value < 0 for value in values):
            raise ValueError(f"a tensor's {what} must be non-negative integers, got {values}")
    if len(size) != len(stride):
        raise ValueError(f"a tensor has {len(size)} sizes but {len(stride)} strides")
    last = offset + sum([(each - 1) * step for each, step in zip(size, stride)])
    if offset > numel or (0 not in size and last >= numel):
        raise ValueError(
            f"a tensor with sizes {size}, strides {stride} and storage offset {offset} is out of bounds for a "
            f"storage of {numel} elements"
        )


# --------------------------------------------------------------------------------------------- locations


def restorer(map_location: Any) -> Restore:
    """The function that puts a storage where ``map_location`` wants it, given the location it was saved with.

    Args: map_location: None (back to where it was), a device or its name (everything there), a dictionary
    from saved locations to others, or a function of storage and location (None from it means: as without).
    Raises: TypeError for anything else.
    """
    if map_location is None:
        return restore
    if isinstance(map_location, dict):
        return lambda storage, location: restore(storage, str(map_location.get(location, location)))
    if isinstance(map_location, bytes):
        map_location = map_location.decode("ascii")
    if isinstance(map_location, (str, device)):
        return lambda storage, location: restore(storage, str(map_location))
    if not callable(map_location):
        raise TypeError(
            f"map_location must be a device, a string, a dict or a function, got {type(map_location).__name__}"
        )
    return lambda storage, location: _restore_by(map_location, storage, location)


def _restore_by(function: Callable[..., Any], storage: Storage, location: str) -> Storage:
    chosen = function(storage, location)
    if chosen is None:
        return restore(storage, location)
    if not isinstance(chosen, Storage):
        raise TypeError(f"map_location must return a storage or None, got {type(chosen).__name__}")
    return chosen


def restore(storage: Storage, location: str) -> Storage:
    """``storage`` on the device that ``location`` names.

    Raises: RuntimeError, with torch's text, for a GPU that is not there and for a location of no known kind.
    """
    if location == "cpu":
        return storage.cpu()
    if location.startswith("cuda"):
        return Storage(to_device(storage.array, _cuda_device(location)))
    raise RuntimeError(
        "don't know how to restore data location of torch.storage.UntypedStorage "
        f"(tagged with {location[:100]}); map_location='cpu' puts everything into host memory"
    )


def _cuda_device(name: Any) -> device:
    if not accelerator.is_available():
        raise RuntimeError(
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are "
            "running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map "
            "your storages to the CPU."
        )
    target, count = device(name), device_count()
    if target.index is not None and target.index >= count:
        raise RuntimeError(
            f"Attempting to deserialize object on CUDA device {target.index} but torch.cuda.device_count() is "
            f"{count}. Please use torch.load with map_location to map your storages to an existing device."
        )
    return target
