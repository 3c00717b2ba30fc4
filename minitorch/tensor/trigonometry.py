"""Tensor's trigonometric and special functions; the mathematics is in ``ops/``.

Each method is the function of the same name in ``minitorch``; the one with a trailing underscore writes its
result into the tensor's own memory and returns the tensor.
"""

from __future__ import annotations

from typing import TypeVar

from minitorch.autograd.variable import Variable
from minitorch.ops import gamma, special, trigonometry

T = TypeVar("T", bound="TrigonometricMethods")


class TrigonometricMethods(Variable):
    """``x.sin()``, ``x.erf()``, ``x.lgamma()`` and their relatives."""

    def sin(self: T) -> T:
        """See ``minitorch.sin``."""
        return trigonometry.sin(self)

    def sin_(self: T) -> T:
        """``sin`` in place."""
        return trigonometry.sin_(self)

    def cos(self: T) -> T:
        """See ``minitorch.cos``."""
        return trigonometry.cos(self)

    def cos_(self: T) -> T:
        """``cos`` in place."""
        return trigonometry.cos_(self)

    def tan(self: T) -> T:
        """See ``minitorch.tan``."""
        return trigonometry.tan(self)

    def tan_(self: T) -> T:
        """``tan`` in place."""
        return trigonometry.tan_(self)

    def asin(self: T) -> T:
        """See ``minitorch.asin``."""
        return trigonometry.asin(self)

    def asin_(self: T) -> T:
        """``asin`` in place."""
        return trigonometry.asin_(self)

    def acos(self: T) -> T:
        """See ``minitorch.acos``."""
        return trigonometry.acos(self)

    def acos_(self: T) -> T:
        """``acos`` in place."""
        return trigonometry.acos_(self)

    def atan(self: T) -> T:
        """See ``minitorch.atan``."""
        return trigonometry.atan(self)

    def atan_(self: T) -> T:
        """``atan`` in place."""
        return trigonometry.atan_(self)

    def arcsin(self: T) -> T:
        """See ``minitorch.arcsin``."""
        return trigonometry.arcsin(self)

    def arcsin_(self: T) -> T:
        """``arcsin`` in place."""
        return trigonometry.arcsin_(self)

    def arccos(self: T) -> T:
        """See ``minitorch.arccos``."""
        return trigonometry.arccos(self)

    def arccos_(self: T) -> T:
        """``arccos`` in place."""
        return trigonometry.arccos_(self)

    def arctan(self: T) -> T:
        """See ``minitorch.arctan``."""
        return trigonometry.arctan(self)

    def arctan_(self: T) -> T:
        """``arctan`` in place."""
        return trigonometry.arctan_(self)

    def sinh(self: T) -> T:
        """See ``minitorch.sinh``."""
        return trigonometry.sinh(self)

    def sinh_(self: T) -> T:
        """``sinh`` in place."""
        return trigonometry.sinh_(self)

    def cosh(self: T) -> T:
        """See ``minitorch.cosh``."""
        return trigonometry.cosh(self)

    def cosh_(self: T) -> T:
        """``cosh`` in place."""
        return trigonometry.cosh_(self)

    def asinh(self: T) -> T:
        """See ``minitorch.asinh``."""
        return trigonometry.asinh(self)

    def asinh_(self: T) -> T:
        """``asinh`` in place."""
        return trigonometry.asinh_(self)

    def acosh(self: T) -> T:
        """See ``minitorch.acosh``."""
        return trigonometry.acosh(self)

    def acosh_(self: T) -> T:
        """``acosh`` in place."""
        return trigonometry.acosh_(self)

    def atanh(self: T) -> T:
        """See ``minitorch.atanh``."""
        return trigonometry.atanh(self)

    def atanh_(self: T) -> T:
        """``atanh`` in place."""
        return trigonometry.atanh_(self)

    def arcsinh(self: T) -> T:
        """See ``minitorch.arcsinh``."""
        return trigonometry.arcsinh(self)

    def arcsinh_(self: T) -> T:
        """``arcsinh`` in place."""
        return trigonometry.arcsinh_(self)

    def arccosh(self: T) -> T:
        """See ``minitorch.arccosh``."""
        return trigonometry.arccosh(self)

    def arccosh_(self: T) -> T:
        """``arccosh`` in place."""
        return trigonometry.arccosh_(self)

    def arctanh(self: T) -> T:
        """See ``minitorch.arctanh``."""
        return trigonometry.arctanh(self)

    def arctanh_(self: T) -> T:
        """``arctanh`` in place."""
        return trigonometry.arctanh_(self)

    def sinc(self: T) -> T:
        """See ``minitorch.sinc``."""
        return trigonometry.sinc(self)

    def sinc_(self: T) -> T:
        """``sinc`` in place."""
        return trigonometry.sinc_(self)

    def deg2rad(self: T) -> T:
        """See ``minitorch.deg2rad``."""
        return trigonometry.deg2rad(self)

    def deg2rad_(self: T) -> T:
        """``deg2rad`` in place."""
        return trigonometry.deg2rad_(self)

    def rad2deg(self: T) -> T:
        """See ``minitorch.rad2deg``."""
        return trigonometry.rad2deg(self)

    def rad2deg_(self: T) -> T:
        """``rad2deg`` in place."""
        return trigonometry.rad2deg_(self)

    def erf(self: T) -> T:
        """See ``minitorch.erf``."""
        return special.erf(self)

    def erf_(self: T) -> T:
        """``erf`` in place."""
        return special.erf_(self)

    def erfc(self: T) -> T:
        """See ``minitorch.erfc``."""
        return special.erfc(self)

    def erfc_(self: T) -> T:
        """``erfc`` in place."""
        return special.erfc_(self)

    def erfinv(self: T) -> T:
        """See ``minitorch.erfinv``."""
        return special.erfinv(self)

    def erfinv_(self: T) -> T:
        """``erfinv`` in place."""
        return special.erfinv_(self)

    def lgamma(self: T) -> T:
        """See ``minitorch.lgamma``."""
        return gamma.lgamma(self)

    def lgamma_(self: T) -> T:
        """``lgamma`` in place."""
        return gamma.lgamma_(self)

    def digamma(self: T) -> T:
        """See ``minitorch.digamma``."""
        return gamma.digamma(self)

    def digamma_(self: T) -> T:
        """``digamma`` in place."""
        return gamma.digamma_(self)

    def polygamma(self: T, n: int) -> T:
        """See ``minitorch.polygamma``."""
        return gamma.polygamma(n, self)

    def polygamma_(self: T, n: int) -> T:
        """``polygamma`` in place."""
        return gamma.polygamma_(n, self)
