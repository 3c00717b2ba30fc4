"""Tensor's functions of one operand; the mathematics is in ``ops/``.

Each method is the function of the same name in ``minitorch``; the one with a trailing underscore writes its
result into the tensor's own memory and returns the tensor.
"""

from __future__ import annotations

from typing import Any, TypeVar

import minitorch.dtypes as dtypes
from minitorch.ops import activation, elementwise, exponential, hard_activation, rounding, softmax
from minitorch.tensor.trigonometry import TrigonometricMethods

T = TypeVar("T", bound="ElementwiseMethods")


class ElementwiseMethods(TrigonometricMethods):
    """``x.exp()``, ``x.round()``, ``x.relu()`` and their relatives."""

    def __abs__(self: T) -> T:
        return self.abs()

    def abs(self: T) -> T:
        """See ``minitorch.abs``."""
        return elementwise.abs(self)

    def abs_(self: T) -> T:
        """``abs`` in place."""
        return elementwise.abs_(self)

    def absolute(self: T) -> T:
        """See ``minitorch.absolute``."""
        return elementwise.absolute(self)

    def absolute_(self: T) -> T:
        """``absolute`` in place."""
        return elementwise.absolute_(self)

    def sign(self: T) -> T:
        """See ``minitorch.sign``."""
        return elementwise.sign(self)

    def sign_(self: T) -> T:
        """``sign`` in place."""
        return elementwise.sign_(self)

    def sgn(self: T) -> T:
        """See ``minitorch.sgn``."""
        return elementwise.sgn(self)

    def sgn_(self: T) -> T:
        """``sgn`` in place."""
        return elementwise.sgn_(self)

    def signbit(self: T) -> T:
        """See ``minitorch.signbit``."""
        return elementwise.signbit(self)

    def nan_to_num(self: T, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> T:
        """See ``minitorch.nan_to_num``."""
        return elementwise.nan_to_num(self, nan, posinf, neginf)

    def nan_to_num_(self: T, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> T:
        """``nan_to_num`` in place."""
        return elementwise.nan_to_num_(self, nan, posinf, neginf)

    def square(self: T) -> T:
        """See ``minitorch.square``."""
        return elementwise.square(self)

    def square_(self: T) -> T:
        """``square`` in place."""
        return elementwise.square_(self)

    def sqrt(self: T) -> T:
        """See ``minitorch.sqrt``."""
        return elementwise.sqrt(self)

    def sqrt_(self: T) -> T:
        """``sqrt`` in place."""
        return elementwise.sqrt_(self)

    def rsqrt(self: T) -> T:
        """See ``minitorch.rsqrt``."""
        return elementwise.rsqrt(self)

    def rsqrt_(self: T) -> T:
        """``rsqrt`` in place."""
        return elementwise.rsqrt_(self)

    def reciprocal(self: T) -> T:
        """See ``minitorch.reciprocal``."""
        return elementwise.reciprocal(self)

    def reciprocal_(self: T) -> T:
        """``reciprocal`` in place."""
        return elementwise.reciprocal_(self)

    def exp(self: T) -> T:
        """See ``minitorch.exp``."""
        return elementwise.exp(self)

    def exp_(self: T) -> T:
        """``exp`` in place."""
        return elementwise.exp_(self)

    def log(self: T) -> T:
        """See ``minitorch.log``."""
        return elementwise.log(self)

    def log_(self: T) -> T:
        """``log`` in place."""
        return elementwise.log_(self)

    def sigmoid(self: T) -> T:
        """See ``minitorch.sigmoid``."""
        return elementwise.sigmoid(self)

    def sigmoid_(self: T) -> T:
        """``sigmoid`` in place."""
        return elementwise.sigmoid_(self)

    def tanh(self: T) -> T:
        """See ``minitorch.tanh``."""
        return elementwise.tanh(self)

    def tanh_(self: T) -> T:
        """``tanh`` in place."""
        return elementwise.tanh_(self)

    def expm1(self: T) -> T:
        """See ``minitorch.expm1``."""
        return exponential.expm1(self)

    def expm1_(self: T) -> T:
        """``expm1`` in place."""
        return exponential.expm1_(self)

    def exp2(self: T) -> T:
        """See ``minitorch.exp2``."""
        return exponential.exp2(self)

    def exp2_(self: T) -> T:
        """``exp2`` in place."""
        return exponential.exp2_(self)

    def log1p(self: T) -> T:
        """See ``minitorch.log1p``."""
        return exponential.log1p(self)

    def log1p_(self: T) -> T:
        """``log1p`` in place."""
        return exponential.log1p_(self)

    def log2(self: T) -> T:
        """See ``minitorch.log2``."""
        return exponential.log2(self)

    def log2_(self: T) -> T:
        """``log2`` in place."""
        return exponential.log2_(self)

    def log10(self: T) -> T:
        """See ``minitorch.log10``."""
        return exponential.log10(self)

    def log10_(self: T) -> T:
        """``log10`` in place."""
        return exponential.log10_(self)

    def logit(self: T, eps: float | None = None) -> T:
        """See ``minitorch.logit``."""
        return exponential.logit(self, eps)

    def logit_(self: T, eps: float | None = None) -> T:
        """``logit`` in place."""
        return exponential.logit_(self, eps)

    def floor(self: T) -> T:
        """See ``minitorch.floor``."""
        return rounding.floor(self)

    def floor_(self: T) -> T:
        """``floor`` in place."""
        return rounding.floor_(self)

    def ceil(self: T) -> T:
        """See ``minitorch.ceil``."""
        return rounding.ceil(self)

    def ceil_(self: T) -> T:
        """``ceil`` in place."""
        return rounding.ceil_(self)

    def round(self: T, *, decimals: int = 0) -> T:
        """See ``minitorch.round``."""
        return rounding.round(self, decimals=decimals)

    def round_(self: T, *, decimals: int = 0) -> T:
        """``round`` in place."""
        return rounding.round_(self, decimals=decimals)

    def trunc(self: T) -> T:
        """See ``minitorch.trunc``."""
        return rounding.trunc(self)

    def trunc_(self: T) -> T:
        """``trunc`` in place."""
        return rounding.trunc_(self)

    def fix(self: T) -> T:
        """See ``minitorch.fix``."""
        return rounding.fix(self)

    def fix_(self: T) -> T:
        """``fix`` in place."""
        return rounding.fix_(self)

    def frac(self: T) -> T:
        """See ``minitorch.frac``."""
        return rounding.frac(self)

    def frac_(self: T) -> T:
        """``frac`` in place."""
        return rounding.frac_(self)

    def relu(self: T) -> T:
        """See ``minitorch.relu``."""
        return activation.relu(self)

    def relu_(self: T) -> T:
        """``relu`` in place."""
        return activation.relu_(self)

    def prelu(self: T, weight: Any) -> T:
        """See ``minitorch.prelu``."""
        return activation.prelu(self, weight)

    def hardshrink(self: T, lambd: float = 0.5) -> T:
        """See ``minitorch.hardshrink``."""
        return hard_activation.hardshrink(self, lambd)

    def softmax(self: T, dim: int, dtype: dtypes.dtype | None = None) -> T:
        """See ``minitorch.softmax``."""
        return softmax.softmax(self, dim, dtype)

    def log_softmax(self: T, dim: int, dtype: dtypes.dtype | None = None) -> T:
        """See ``minitorch.log_softmax``."""
        return softmax.log_softmax(self, dim, dtype)
