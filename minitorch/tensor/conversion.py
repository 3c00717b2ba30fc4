"""Between a tensor and everything else: shape and type attributes, numbers, lists, NumPy, devices, DLPack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import minitorch.dtypes as dtypes
from minitorch.autograd.primitive import Clone
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import device_of, is_on_cpu, to_numpy
from minitorch.device import device
from minitorch.ops.promotion import to_dtype
from minitorch.tensor.size import Size

T = TypeVar("T", bound="ConversionMethods")


class ConversionMethods(Variable):
    """What a tensor is (shape, dtype, device) and what it can be turned into."""

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self.array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return Size(self.array.shape)
        ndim = self.array.ndim
        if not -max(ndim, 1) <= dim < max(ndim, 1):
            low, high = -max(ndim, 1), max(ndim, 1) - 1
            raise IndexError(f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})")
        return self.array.shape[dim]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self.array.size)

    nelement = numel

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
        """Whether the tensor is on a GPU."""
        return not is_on_cpu(self.array)

    def item(self) -> Any:
        """The one element as a Python number; RuntimeError if there are more or none."""
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to Scalar")
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as nested Python lists (a number for a 0-d tensor)."""
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """The tensor as a NumPy array that shares its memory; ``force=True`` detaches and copies as needed."""
        if not force:
            if self.needs_grad:
                raise RuntimeError(
                    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
                )
            if not is_on_cpu(self.array):
                raise TypeError(
                    f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor "
                    "to host memory first."
                )
        return to_numpy(self.array)

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self: T) -> Iterator[T]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[index] for index in range(len(self.array))])  # type: ignore[index]

    def __bool__(self) -> bool:
        if self.array.size == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        if self.array.size > 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self.array)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __hash__(self) -> int:
        return id(self)

    def clone(self: T) -> T:
        """A copy in memory of its own; gradients flow through."""
        return Clone.apply(self)

    def type_to(self: T, target: dtypes.dtype) -> T:
        """The tensor in dtype ``target``."""
        return to_dtype(self, target)


def detached(array: Any, like: Variable) -> Any:
    """A tensor of ``like``'s class around ``array``."""
    return wrap(array, like.result_class)
