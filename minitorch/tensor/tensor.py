"""``Tensor``: the class users see, put together from a mixin a family of methods."""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.backend import is_on_cpu, to_numpy
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
    """A multi-dimensional array that remembers how it was computed."""

    __array_priority__ = 1000  # NumPy's operators leave mixed expressions to ours

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
