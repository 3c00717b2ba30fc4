"""Tensor's arithmetic of two and three operands.

The mathematics is in ``ops/``: ``arithmetic.py``, ``division.py``, ``power.py``, ``choice.py``, ``clamping.py``,
``interpolation.py`` and ``pairwise.py``.
"""

from __future__ import annotations

import operator as python
from typing import Any, TypeVar

from minitorch.autograd.inplace import apply_inplace
from minitorch.autograd.variable import Variable
from minitorch.ops import arithmetic as ops
from minitorch.ops import choice, clamping, division, interpolation, pairwise, power
from minitorch.tensor.operator import arithmetic, operator, reflected

T = TypeVar("T", bound="ArithmeticMethods")


class ArithmeticMethods(Variable):
    """``a + b`` and its relatives, as operators, methods and in place."""

    # ---- operators ---------------------------------------------------------------------------

    __add__ = __radd__ = arithmetic(ops.add, ops.Add, python.add)
    __sub__ = arithmetic(ops.sub, ops.Sub, python.sub)
    __rsub__ = operator(ops.rsub)
    __mul__ = __rmul__ = arithmetic(ops.mul, ops.Mul, python.mul)
    __truediv__ = __div__ = arithmetic(division.div, division.Div, python.truediv)
    __rtruediv__ = __rdiv__ = operator(division.rdiv)
    __floordiv__ = operator(division.floor_divide)
    __rfloordiv__ = reflected(division.floor_divide)
    __mod__ = operator(division.remainder)
    __rmod__ = reflected(division.remainder)
    __pow__ = operator(power.pow)
    __rpow__ = reflected(power.pow)

    def __neg__(self: T) -> T:
        return ops.neg(self)

    def __pos__(self: T) -> T:
        return ops.positive(self)

    def __iadd__(self: T, other: Any) -> T:
        return self.add_(other)

    def __isub__(self: T, other: Any) -> T:
        return self.sub_(other)

    def __imul__(self: T, other: Any) -> T:
        return self.mul_(other)

    def __itruediv__(self: T, other: Any) -> T:
        return self.div_(other)

    def __ifloordiv__(self: T, other: Any) -> T:
        return self.floor_divide_(other)

    def __imod__(self: T, other: Any) -> T:
        return self.remainder_(other)

    def __ipow__(self: T, other: Any) -> T:
        return self.pow_(other)

    # ---- sums, differences, products ---------------------------------------------------------

    def add(self: T, other: Any, *, alpha: float = 1) -> T:
        """See ``minitorch.add``."""
        return ops.add(self, other, alpha=alpha)

    def add_(self: T, other: Any, *, alpha: float = 1) -> T:
        """``add`` in place."""
        return ops.add_(self, other, alpha=alpha)

    def sub(self: T, other: Any, *, alpha: float = 1) -> T:
        """See ``minitorch.sub``."""
        return ops.sub(self, other, alpha=alpha)

    def sub_(self: T, other: Any, *, alpha: float = 1) -> T:
        """``sub`` in place."""
        return ops.sub_(self, other, alpha=alpha)

    def mul(self: T, other: Any) -> T:
        """See ``minitorch.mul``."""
        return ops.mul(self, other)

    def mul_(self: T, other: Any) -> T:
        """``mul`` in place."""
        return ops.mul_(self, other)

    def neg(self: T) -> T:
        """See ``minitorch.neg``."""
        return ops.neg(self)

    def neg_(self: T) -> T:
        """``neg`` in place."""
        return apply_inplace(self, ops.neg)

    def positive(self: T) -> T:
        """See ``minitorch.positive``."""
        return ops.positive(self)

    subtract, subtract_, multiply, multiply_, negative, negative_ = sub, sub_, mul, mul_, neg, neg_

    # ---- quotients, remainders, powers -------------------------------------------------------

    def div(self: T, other: Any, *, rounding_mode: str | None = None) -> T:
        """See ``minitorch.div``."""
        return division.div(self, other, rounding_mode=rounding_mode)

    def div_(self: T, other: Any, *, rounding_mode: str | None = None) -> T:
        """``div`` in place."""
        return division.div_(self, other, rounding_mode=rounding_mode)

    divide, divide_ = div, div_

    def true_divide(self: T, other: Any) -> T:
        """See ``minitorch.true_divide``."""
        return division.div(self, other)

    def true_divide_(self: T, other: Any) -> T:
        """``true_divide`` in place."""
        return division.div_(self, other)

    def floor_divide(self: T, other: Any) -> T:
        """See ``minitorch.floor_divide``."""
        return division.floor_divide(self, other)

    def floor_divide_(self: T, other: Any) -> T:
        """``floor_divide`` in place."""
        return apply_inplace(self, lambda old: division.floor_divide(old, other))

    def remainder(self: T, other: Any) -> T:
        """See ``minitorch.remainder``."""
        return division.remainder(self, other)

    def remainder_(self: T, other: Any) -> T:
        """``remainder`` in place."""
        return apply_inplace(self, lambda old: division.remainder(old, other))

    def fmod(self: T, other: Any) -> T:
        """See ``minitorch.fmod``."""
        return division.fmod(self, other)

    def fmod_(self: T, other: Any) -> T:
        """``fmod`` in place."""
        return apply_inplace(self, lambda old: division.fmod(old, other))

    def pow(self: T, exponent: Any) -> T:
        """See ``minitorch.pow``."""
        return power.pow(self, exponent)

    def pow_(self: T, exponent: Any) -> T:
        """``pow`` in place."""
        return apply_inplace(self, lambda old: power.pow(old, exponent))

    def float_power(self: T, exponent: Any) -> T:
        """See ``minitorch.float_power``."""
        return power.float_power(self, exponent)

    def float_power_(self: T, exponent: Any) -> T:
        """``float_power`` in place, for a float64 tensor."""
        return apply_inplace(self, lambda old: power.float_power(old, exponent))

    # ---- choices -----------------------------------------------------------------------------

    def maximum(self: T, other: Any) -> T:
        """See ``minitorch.maximum``."""
        return choice.maximum(self, other)

    def minimum(self: T, other: Any) -> T:
        """See ``minitorch.minimum``."""
        return choice.minimum(self, other)

    def where(self: T, condition: Any, other: Any) -> T:
        """The tensor's values where ``condition`` holds, else ``other``; see ``minitorch.where``."""
        return choice.where(condition, self, other)

    def fmax(self: T, other: Any) -> T:
        """See ``minitorch.fmax``."""
        return choice.fmax(self, other)

    def fmin(self: T, other: Any) -> T:
        """See ``minitorch.fmin``."""
        return choice.fmin(self, other)

    # ---- limits ------------------------------------------------------------------------------

    def clamp(self: T, min: Any = None, max: Any = None) -> T:
        """See ``minitorch.clamp``."""
        return clamping.clamp(self, min, max)

    def clamp_(self: T, min: Any = None, max: Any = None) -> T:
        """``clamp`` in place."""
        return apply_inplace(self, lambda old: clamping.clamp(old, min, max))

    def clamp_min(self: T, min: Any) -> T:
        """See ``minitorch.clamp_min``."""
        return clamping.clamp_min(self, min)

    def clamp_min_(self: T, min: Any) -> T:
        """``clamp_min`` in place."""
        return apply_inplace(self, lambda old: clamping.clamp_min(old, min))

    def clamp_max(self: T, max: Any) -> T:
        """See ``minitorch.clamp_max``."""
        return clamping.clamp_max(self, max)

    def clamp_max_(self: T, max: Any) -> T:
        """``clamp_max`` in place."""
        return apply_inplace(self, lambda old: clamping.clamp_max(old, max))

    clip, clip_ = clamp, clamp_

    # ---- fused sums --------------------------------------------------------------------------

    def lerp(self: T, end: Any, weight: Any) -> T:
        """See ``minitorch.lerp``."""
        return interpolation.lerp(self, end, weight)

    def lerp_(self: T, end: Any, weight: Any) -> T:
        """``lerp`` in place."""
        return apply_inplace(self, lambda old: interpolation.lerp(old, end, weight))

    def addcmul(self: T, tensor1: Any, tensor2: Any, *, value: float = 1) -> T:
        """See ``minitorch.addcmul``."""
        return interpolation.addcmul(self, tensor1, tensor2, value=value)

    def addcmul_(self: T, tensor1: Any, tensor2: Any, *, value: float = 1) -> T:
        """``addcmul`` in place."""
        return apply_inplace(self, lambda old: interpolation.addcmul(old, tensor1, tensor2, value=value))

    def addcdiv(self: T, tensor1: Any, tensor2: Any, *, value: float = 1) -> T:
        """See ``minitorch.addcdiv``."""
        return interpolation.addcdiv(self, tensor1, tensor2, value=value)

    def addcdiv_(self: T, tensor1: Any, tensor2: Any, *, value: float = 1) -> T:
        """``addcdiv`` in place."""
        return apply_inplace(self, lambda old: interpolation.addcdiv(old, tensor1, tensor2, value=value))

    # ---- functions of two operands -----------------------------------------------------------

    def hypot(self: T, other: Any) -> T:
        """See ``minitorch.hypot``."""
        return pairwise.hypot(self, other)

    def hypot_(self: T, other: Any) -> T:
        """``hypot`` in place."""
        return apply_inplace(self, lambda old: pairwise.hypot(old, other))

    def atan2(self: T, other: Any) -> T:
        """See ``minitorch.atan2``."""
        return pairwise.atan2(self, other)

    def atan2_(self: T, other: Any) -> T:
        """``atan2`` in place."""
        return apply_inplace(self, lambda old: pairwise.atan2(old, other))

    def copysign(self: T, other: Any) -> T:
        """See ``minitorch.copysign``."""
        return pairwise.copysign(self, other)

    def copysign_(self: T, other: Any) -> T:
        """``copysign`` in place."""
        return apply_inplace(self, lambda old: pairwise.copysign(old, other))

    def xlogy(self: T, other: Any) -> T:
        """See ``minitorch.xlogy``."""
        return pairwise.xlogy(self, other)

    def xlogy_(self: T, other: Any) -> T:
        """``xlogy`` in place."""
        return apply_inplace(self, lambda old: pairwise.xlogy(old, other))

    def logaddexp(self: T, other: Any) -> T:
        """See ``minitorch.logaddexp``."""
        return pairwise.logaddexp(self, other)

    def logaddexp2(self: T, other: Any) -> T:
        """See ``minitorch.logaddexp2``."""
        return pairwise.logaddexp2(self, other)

    def ldexp(self: T, other: Any) -> T:
        """See ``minitorch.ldexp``."""
        return pairwise.ldexp(self, other)

    def ldexp_(self: T, other: Any) -> T:
        """``ldexp`` in place."""
        return apply_inplace(self, lambda old: pairwise.ldexp(old, other))

    def nextafter(self: T, other: Any) -> T:
        """See ``minitorch.nextafter``."""
        return pairwise.nextafter(self, other)

    def nextafter_(self: T, other: Any) -> T:
        """``nextafter`` in place."""
        return apply_inplace(self, lambda old: pairwise.nextafter(old, other))

    def gcd(self: T, other: Any) -> T:
        """See ``minitorch.gcd``."""
        return pairwise.gcd(self, other)

    def gcd_(self: T, other: Any) -> T:
        """``gcd`` in place."""
        return apply_inplace(self, lambda old: pairwise.gcd(old, other))

    def lcm(self: T, other: Any) -> T:
        """See ``minitorch.lcm``."""
        return pairwise.lcm(self, other)

    def lcm_(self: T, other: Any) -> T:
        """``lcm`` in place."""
        return apply_inplace(self, lambda old: pairwise.lcm(old, other))

    def heaviside(self: T, values: Any) -> T:
        """See ``minitorch.heaviside``."""
        return pairwise.heaviside(self, values)

    def heaviside_(self: T, values: Any) -> T:
        """``heaviside`` in place."""
        return apply_inplace(self, lambda old: pairwise.heaviside(old, values))

    arctan2, arctan2_ = atan2, atan2_
