"""``Tensor``: the class users see, put together from a mixin a family of methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import host, is_on_cpu, to_numpy
from minitorch.tensor import printing
from minitorch.tensor.arithmetic import ArithmeticMethods
from minitorch.tensor.comparison import ComparisonMethods
from minitorch.tensor.conversion import ConversionMethods
from minitorch.tensor.differentiation import DifferentiationMethods
from minitorch.tensor.elementwise import ElementwiseMethods
from minitorch.tensor.filling import FillingMethods
from minitorch.tensor.indexing import IndexingMethods
from minitorch.tensor.matmul import MatrixMethods
from minitorch.tensor.reduction import ReductionMethods
from minitorch.tensor.shape import ShapeMethods
from minitorch.tensor.size import Size


class Tensor(
    ArithmeticMethods,
    ElementwiseMethods,
    ComparisonMethods,
    ReductionMethods,
    ShapeMethods,
    IndexingMethods,
    MatrixMethods,
    FillingMethods,
    ConversionMethods,
    DifferentiationMethods,
):
    """A multi-dimensional array that remembers how it was computed.

    ``Tensor(2, 3)`` is an uninitialised tensor of that size, ``Tensor([1, 2])`` one of that data, both of the
    default dtype (use ``minitorch.tensor`` to have the dtype inferred).
    """

    __array_priority__ = 1000  # NumPy's and CuPy's operators leave mixed expressions to ours

    def __new__(cls, *args: Any) -> Tensor:
        return legacy_construct(dtypes.get_default_dtype(), args)

    def new(self, *args: Any) -> Tensor:
        """What ``Tensor(…)`` makes, in this tensor's dtype and on its device; ``new_tensor`` is the modern way."""
        return legacy_construct(self.dtype, args).to(self.device)

    def apply_(self, callable: Callable[[Any], Any]) -> Tensor:
        """Replace every element by what ``callable`` returns for it: slow, and without a gradient."""
        if self.requires_grad:
            raise RuntimeError("Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.")
        if not is_on_cpu(self.array):
            raise TypeError("apply_ is only implemented on CPU tensors")
        for place in host.ndindex(self.array.shape):
            self.array[place] = callable(self.array[place].item())
        self.bump_version()
        return self

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        dtype = self.dtype
        shown = printing.dtype_is_shown(repr(dtype), repr(dtypes.get_default_dtype()), empty=self.array.size == 0)
        return printing.format_tensor(
            to_numpy(self.array),
            dtype_name=repr(dtype) if shown else None,
            device=None if is_on_cpu(self.array) else str(self.device),
            requires_grad=self.requires_grad,
            grad_fn=None if self.grad_fn is None else self.grad_fn.name(),
        )


Tensor.result_class = Tensor
Tensor.__module__ = "minitorch"  # where users find it


def legacy_construct(dtype: dtypes.dtype, args: tuple[Any, ...]) -> Tensor:
    """What ``torch.Tensor(…)`` and ``torch.FloatTensor(…)`` make: from sizes, from a sequence, or from a tensor."""
    if len(args) == 1 and isinstance(args[0], Variable):
        if args[0].array.dtype != dtype.numpy:
            raise TypeError(f"expected a tensor of dtype {dtype} (got {dtypes.dtype_of(args[0])})")
        return wrap(args[0].array, Tensor)
    if len(args) == 1 and isinstance(args[0], (Sequence, host.ndarray)) and not isinstance(args[0], Size):
        return wrap(host.asarray(args[0]).astype(dtype.numpy), Tensor)
    sizes = args[0] if len(args) == 1 and isinstance(args[0], Size) else args
    for each in sizes:
        if not hasattr(each, "__index__"):
            raise TypeError(f"new(): data must be a sequence (got {type(each).__name__})")
    shape = tuple(sizes) if sizes else (0,)
    return wrap(host.empty(shape, dtype.numpy), Tensor)
