"""Functions of two operands that have no operator: hypot, atan2, xlogy, logaddexp, copysign, gcd, …"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, common_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.arithmetic import mul
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import require_tensors, where
from minitorch.ops.comparison import without_gradient
from minitorch.ops.elementwise import exp, log
from minitorch.ops.operand import zeros_like_gradient
from minitorch.ops.power import pow
from minitorch.ops.promotion import is_floating, promote, to_dtype, to_floating

# ---- geometry --------------------------------------------------------------------------------


class Hypot(Function):
    """h = √(a² + b²);  ∂/∂a = a / h, ∂/∂b = b / h."""

    def forward(self, a: Array, b: Array) -> Array:
        result = common_module(a, b).hypot(a, b)
        self.save(a, b, result)
        return result

    def backward(self, grad_output: Any) -> Any:
        a, b, result = self.saved
        needs_a, needs_b = self.needs_input_grad
        grad_a = grad_output * (a / result) if needs_a else None
        return grad_a, (grad_output * (b / result) if needs_b else None)


def hypot(input: Any, other: Any, *, out: Any = None) -> Any:
    """√(input² + other²), without overflow on the way: the length of the legs' hypotenuse.

    Gradient: g · input / result and g · other / result.
    Raises: NotImplementedError for integers, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.hypot(torch.tensor([3.0]), torch.tensor([4.0]))
    tensor([5.])
    """
    return write_out(Hypot.apply(*_same_kind("hypot", "f", input, other)), out)


class Atan2(Function):
    """The angle of the point (b, a);  ∂/∂a = b / (a² + b²), ∂/∂b = −a / (a² + b²), both 0 at the origin."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(a, b)
        return common_module(a, b).arctan2(a, b)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        squared = a * a + b * b
        scaled = where(squared == 0, 0, grad_output / squared)
        return (scaled * b if needs_a else None), (-scaled * a if needs_b else None)


@autocasts
def atan2(input: Any, other: Any, *, out: Any = None) -> Any:
    """The angle from the positive x-axis to the point (x = other, y = input), in [−π, π].

    Gradient: g · other / r² and −g · input / r², with r² = input² + other²; 0 where r = 0.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.atan2(torch.tensor([1.0, -1.0]), torch.tensor([1.0, -1.0]))
    tensor([ 0.7854, -2.3562])
    """
    require_tensors("atan2", input=input, other=other)
    return write_out(Atan2.apply(*_floating_pair(input, other)), out)


class Copysign(Function):
    """|a| with b's sign: ±a, so ∂/∂a = ±1 (0 at a = 0) and ∂/∂b = 0."""

    def forward(self, a: Array, b: Array) -> Array:
        result = common_module(a, b).copysign(a, b)
        self.save(a, result)
        return result

    def backward(self, grad_output: Any) -> Any:
        a, result = self.saved
        needs_a, needs_b = self.needs_input_grad
        grad_a = grad_output * where(a == 0, 0, result / a) if needs_a else None
        return grad_a, (zeros_like_gradient(grad_output) if needs_b else None)


def copysign(input: Any, other: Any, *, out: Any = None) -> Any:
    """The size of ``input`` with the sign of ``other``, a tensor or number; the sign of −0.0 counts.

    Gradient: ±g for ``input`` (0 where it is 0), 0 for ``other``.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.copysign(torch.tensor([1.0, -2.0]), torch.tensor([-5.0, 0.0]))
    tensor([-1.,  2.])
    """
    require_tensors("copysign", input=input)
    return write_out(Copysign.apply(*_floating_pair(input, other)), out)


# ---- exponentials and logarithms -------------------------------------------------------------


class Xlogy(Function):
    """a · ln b;  ∂/∂a = ln b, ∂/∂b = a / b."""

    def forward(self, a: Any, b: Any) -> Array:
        self.save(a, b)
        xp = common_module(a, b)
        return xp.where((a == 0) & (b == b), 0, a * xp.log(b))  # b = b except for NaN

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        grad_a = grad_output * where((a == 0) & (b <= 0), 0, log(b)) if needs_a else None
        return grad_a, (grad_output * a / b if needs_b else None)


def xlogy(input: Any, other: Any, *, out: Any = None) -> Any:
    """input · ln(other), and 0 where input = 0: the limit, whatever ``other`` is, unless that is NaN.

    Gradient: g · ln(other) for ``input`` (0 where input = 0 and other ≤ 0), g · input / other for ``other``.
    Args: tensors, or one of them a number.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.xlogy(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    a, b = _floating_pair(input, other)
    dtype = from_numpy_dtype(raw(a if is_floating(a) else b).dtype)
    return write_out(Xlogy.apply(to_dtype(a, dtype), to_dtype(b, dtype)), out)


class Logaddexp(Function):
    """ln(eᵃ + eᵇ);  ∂/∂a = 1 / (1 + eᵇ⁻ᵃ), ∂/∂b = 1 / (1 + eᵃ⁻ᵇ)."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(a, b)
        return common_module(a, b).logaddexp(a, b)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        grad_a = grad_output / (1 + exp(b - a)) if needs_a else None
        return grad_a, (grad_output / (1 + exp(a - b)) if needs_b else None)


def logaddexp(input: Any, other: Any, *, out: Any = None) -> Any:
    """ln(eⁱⁿᵖᵘᵗ + eᵒᵗʰᵉʳ): the sum of two numbers that are given by their logarithms.

    Gradient: g / (1 + e^(other − input)) and g / (1 + e^(input − other)).
    Raises: NotImplementedError for integers, RuntimeError if the shapes do not broadcast.
    Numerics: computed from the larger one, so that nothing overflows.

    >>> import minitorch as torch
    >>> torch.logaddexp(torch.tensor([0.0, 1000.0]), torch.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """
    return write_out(Logaddexp.apply(*_same_kind("logaddexp", "f", input, other)), out)


class Logaddexp2(Function):
    """log₂(2ᵃ + 2ᵇ);  ∂/∂a = 1 / (1 + 2ᵇ⁻ᵃ), ∂/∂b = 1 / (1 + 2ᵃ⁻ᵇ)."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(a, b)
        return common_module(a, b).logaddexp2(a, b)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        grad_a = grad_output / (1 + pow(2, b - a)) if needs_a else None
        return grad_a, (grad_output / (1 + pow(2, a - b)) if needs_b else None)


def logaddexp2(input: Any, other: Any, *, out: Any = None) -> Any:
    """log₂(2ⁱⁿᵖᵘᵗ + 2ᵒᵗʰᵉʳ); see ``logaddexp``.

    >>> import minitorch as torch
    >>> torch.logaddexp2(torch.tensor([0.0, 3.0]), torch.tensor([0.0, 3.0]))
    tensor([1., 4.])
    """
    return write_out(Logaddexp2.apply(*_same_kind("logaddexp2", "f", input, other)), out)


def ldexp(input: Any, other: Any, *, out: Any = None) -> Any:
    """input · 2ᵒᵗʰᵉʳ.

    Gradient: that of the product: g · 2ᵒᵗʰᵉʳ for ``input``, g · result · ln 2 for ``other``.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.ldexp(torch.tensor([1.0, 3.0]), torch.tensor([3, -1]))
    tensor([8.0000, 1.5000])
    """
    require_tensors("ldexp", input=input, other=other)
    return mul(input, pow(2.0, other), out=out)


# ---- steps -----------------------------------------------------------------------------------


class Heaviside(Function):
    """0 for x < 0, 1 for x > 0, and a given value at 0; torch defines no derivative."""

    def forward(self, x: Array, values: Array) -> Array:
        return common_module(x, values).where(x == 0, values, x > 0)

    def backward(self, grad_output: Any) -> Any:
        raise RuntimeError("derivative for aten::heaviside is not implemented")


def heaviside(input: Any, values: Any, *, out: Any = None) -> Any:
    """The step function: 0 for input < 0, ``values`` for input = 0, 1 for input > 0.

    Gradient: none, as in torch: backward raises.
    Raises: RuntimeError for unlike dtypes, or shapes that do not broadcast.

    >>> import minitorch as torch
    >>> torch.heaviside(torch.tensor([-1.5, 0.0, 2.0]), torch.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    require_tensors("heaviside", input=input, values=values)
    if raw(input).dtype != raw(values).dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return write_out(Heaviside.apply(input, values), out)


class Nextafter(Function):
    """The neighbour of a on the way to b; torch defines no derivative."""

    def forward(self, a: Array, b: Array) -> Array:
        return common_module(a, b).nextafter(a, b)

    def backward(self, grad_output: Any) -> Any:
        raise RuntimeError("derivative for aten::nextafter is not implemented")


def nextafter(input: Any, other: Any, *, out: Any = None) -> Any:
    """The next number that the dtype has after ``input``, in the direction of ``other``.

    Gradient: none: backward raises.
    Raises: NotImplementedError for integers, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.nextafter(torch.tensor([1.0]), torch.tensor([2.0])) - 1
    tensor([1.1921e-07])
    """
    return write_out(Nextafter.apply(*_same_kind("nextafter", "f", input, other)), out)


# ---- whole numbers ---------------------------------------------------------------------------


def gcd(input: Any, other: Any, *, out: Any = None) -> Any:
    """The greatest common divisor of integers, never negative; gcd(0, 0) = 0.

    Raises: NotImplementedError for other dtypes, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.gcd(torch.tensor([12, -4]), torch.tensor([18, 6]))
    tensor([6, 2])
    """
    a, b = _same_kind("gcd", "iu", input, other)
    return write_out(without_gradient("gcd", lambda a, b: common_module(a, b).gcd(a, b), a, b), out)


def lcm(input: Any, other: Any, *, out: Any = None) -> Any:
    """The least common multiple of integers, never negative.

    Raises: NotImplementedError for other dtypes, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.lcm(torch.tensor([4, -4]), torch.tensor([6, 10]))
    tensor([12, 20])
    """
    a, b = _same_kind("lcm", "iu", input, other)
    return write_out(without_gradient("lcm", lambda a, b: common_module(a, b).lcm(a, b), a, b), out)


def _floating_pair(input: Any, other: Any) -> tuple[Any, Any]:
    """The operands in their common dtype, integers in the default floating-point dtype."""
    a, b = promote(input, other)
    if is_floating(a) or is_floating(b):
        return a, b
    return to_floating(input), to_floating(other)


def _same_kind(name: str, kinds: str, input: Any, other: Any) -> tuple[Any, ...]:
    """The operands in their common dtype, which must be of one of these kinds."""
    require_tensors(name, input=input, other=other)
    promoted = promote(input, other)
    dtype = raw(promoted[0]).dtype
    if dtype.kind not in kinds:
        unsupported = from_numpy_dtype(dtype).legacy_name
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{unsupported}'")
    return promoted


arctan2 = atan2
