"""Powers: pow and float_power."""

from __future__ import annotations

import builtins
import math
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, HostArray, array_module, as_first, common_module
from minitorch.backend.elementwise import function_of
from minitorch.backend.launching import runs_kernels
from minitorch.ops.arithmetic import times
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.elementwise import log
from minitorch.ops.operand import zeros_like_gradient
from minitorch.ops.promotion import is_number, promote, to_dtype

_KERNELS = {2: "square", 0.5: "square_root", -0.5: "inverse_root", -1: "reciprocal"}  # of elementwise.cu


class Pow(Function):
    """bᵉ;  ∂/∂b = e · bᵉ⁻¹ (0 for e = 0), ∂/∂e = bᵉ · ln b (0 for b = 0, e ≥ 0)."""

    def forward(self, base: Any, exponent: Any) -> Array:
        result = as_first(_power(base, exponent), base, exponent)
        if not is_number(exponent):
            self.backward_name = "PowBackward2" if is_number(base) else "PowBackward1"
        self.save(base, exponent, result if self.needs_input_grad[1] else None)
        return result

    def backward(self, grad_output: Any) -> Any:
        base, exponent, result = self.saved
        needs_base, needs_exponent = self.needs_input_grad
        grad_base = _base_gradient(grad_output, base, exponent) if needs_base else None
        return grad_base, (grad_output * _exponent_slope(base, exponent, result) if needs_exponent else None)


def _power(base: Any, exponent: Any) -> Array:
    if is_number(exponent):
        return _power_of_number(base, exponent)
    if exponent.dtype.kind == "i":
        return _signed_power(base, exponent)
    return base**exponent


def _power_of_number(base: Array, exponent: float) -> Array:
    """A library's power function is many times slower than products and roots."""
    if base.__class__ is not HostArray and exponent in _KERNELS and runs_kernels(base):
        return function_of(_KERNELS[exponent], base)
    if exponent == 3:
        return base * base * base
    if exponent == 0.5:
        return array_module(base).sqrt(base)
    if exponent == -0.5:
        return 1 / array_module(base).sqrt(base)
    return base**exponent


def _signed_power(base: Array, exponent: Array) -> Array:
    """Integer powers, also negative ones: 1 / bⁿ rounded towards zero, which is 0 unless b is 1 or −1."""
    xp = common_module(base, exponent)
    exponent = xp.asarray(exponent)
    power = base ** xp.maximum(exponent, 0)
    inverse = (base == 1) + (base == -1) * (1 - 2 * (exponent & 1))
    return xp.where(exponent < 0, inverse, power)


def _base_gradient(grad_output: Any, base: Any, exponent: Any) -> Any:
    """g · e · bᵉ⁻¹, and 0 for e = 0 even where bᵉ⁻¹ is infinite."""
    if not is_number(exponent):
        return where(exponent == 0, 0, grad_output * (exponent * pow(base, exponent - 1)))
    if exponent == 0:
        return zeros_like_gradient(grad_output)
    return times(grad_output, times(base, exponent) if exponent == 2 else exponent * pow(base, exponent - 1))


def _exponent_slope(base: Any, exponent: Any, result: Any) -> Any:
    """bᵉ · ln b. For b = 0 it is the limit 0 · ln 0 = 0, unless e < 0."""
    if not is_number(base):
        return where((base == 0) & (exponent >= 0), 0, result * log(base))
    if base == 0:
        return where(exponent >= 0, 0, result * -math.inf)
    return result * (math.log(base) if base > 0 else math.nan)


@autocasts
def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input to the power of ``exponent``, element by element; either may be a number.

    Gradient: g · e · inputᵉ⁻¹ for ``input`` (0 for e = 0); g · result · ln(input) for ``exponent``, 0 where
        input = 0 and e ≥ 0.
    Raises: RuntimeError if the shapes do not broadcast, or for an integer tensor and a negative integer
        number ("Integers to negative integer powers are not allowed."); NotImplementedError for booleans.
    Numerics: an integer *tensor* of exponents may hold negative ones; these powers round to 0, 1 or −1.

    >>> import minitorch as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2), torch.pow(2, torch.tensor([3, 4]))
    (tensor([1., 4., 9.]), tensor([ 8, 16]))
    """
    if is_number(input) and is_number(exponent):
        raise TypeError("pow(): at least one of input and exponent must be Tensor, but both are numbers")
    if exponent.__class__ is int and exponent < 0 and raw(input).dtype.kind in "iub":
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    base, promoted = promote(input, exponent)
    if exponent.__class__ is not int or not 0 <= exponent < 128:  # a small number fits every dtype as it is
        exponent = promoted
    if raw(exponent if is_number(base) else base).dtype.kind == "b":
        raise NotImplementedError("\"pow\" not implemented for 'Bool'")
    result = Pow.apply(base, exponent)
    return result if out is None else write_out(result, out)


def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """``pow`` in float64, whatever the operands' dtypes.

    Gradient: as ``pow``.
    Raises: RuntimeError if the shapes do not broadcast, or if ``out`` is not float64.

    >>> import minitorch as torch
    >>> torch.float_power(torch.tensor([1, 2]), -1)
    tensor([1.0000, 0.5000], dtype=torch.float64)
    """
    if out is not None and out.array.dtype != dtypes.float64.numpy:
        raise RuntimeError("the output given to float_power has dtype other than the result's: Double")
    operands = [_to_double(operand) for operand in (input, exponent)]
    return pow(*operands, out=out)


def _to_double(value: Any) -> Any:
    return to_dtype(value, dtypes.float64) if hasattr(raw(value), "dtype") else builtins.float(value)
