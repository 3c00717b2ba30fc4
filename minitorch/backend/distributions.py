"""From uniform numbers to samples: the arithmetic of torch's CPU distributions, rounding by rounding.

Every function here is pure: :class:`minitorch.backend.generator.CPUGenerator` draws the random words, in
torch's order, and turns them into samples with these. To agree with torch in the last bit, three things
matter besides the formula: the precision of every intermediate result, which `a·b + c` is rounded once
(a *fused* multiply-add) instead of twice, and whose logarithm and cosine are used.

Source: `ATen/core/TransformationHelper.h` and `ATen/native/cpu/DistributionTemplates.h` of PyTorch;
S. Moshier's Cephes library for the float32 functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Float64Array = NDArray[np.float64]
Float32Array = NDArray[np.float32]

BLOCK = 16  # torch transforms sixteen uniforms at a time: eight radii, eight angles
_BLOCKS_AT_ONCE = 2048  # 16384 angles: every step below stays in the processor's cache


# ---- rounding


def libm(function: Callable[[float], float], values: Float64Array) -> Float64Array:
    """`function` of `math`, element by element: NumPy's own vector versions may differ in the last bit."""
    return np.fromiter(map(function, values.ravel().tolist()), np.float64, values.size).reshape(values.shape)


def cast(values: FloatArray, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Converts float64 samples to `dtype`; float16 goes through float32, as in torch."""
    if dtype == np.float16:
        values = values.astype(np.float32)
    return values.astype(dtype, copy=False)


def fused_multiply_add(values: FloatArray, factor: float, addend: float) -> FloatArray:
    """values·factor + addend with one rounding, in the precision of `values` (float32 or float64).

    torch's compiler turns `u * (to - from) + from` into this instruction; NumPy has none. For float32 the
    product is exact in float64. For float64 the errors of the product (Dekker) and of the sum (Knuth) are
    computed exactly and added last.
    """
    if factor == 1:
        return values + values.dtype.type(addend)  # one rounding already
    if values.dtype == np.float32:
        return (values.astype(np.float64) * factor + addend).astype(np.float32)
    product, product_error = _two_product(values, factor)
    total = product + addend
    addend_part = total - product
    total_error = (product - (total - addend_part)) + (addend - addend_part)
    return total + (total_error + product_error)


def _two_product(left: FloatArray, right: float) -> tuple[FloatArray, FloatArray]:
    """left·right as (rounded product, its exact error), Dekker 1971."""
    left_high, left_low = _split(left)
    right_high, right_low = _split(np.float64(right))
    product = left * right
    error = left_low * right_low - (
        ((product - left_high * right_high) - left_low * right_high) - left_high * right_low
    )
    return product, error


def _split(value: Any) -> tuple[Any, Any]:
    """value = high + low with 26 bits each, so that products of the parts are exact (Veltkamp 1968)."""
    scaled = value * 134217729.0  # 2²⁷ + 1
    high = scaled - (scaled - value)
    return high, value - high


# ---- uniform


def scale_uniform(unit: FloatArray, low: float, high: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    """unit·(high − low) + low for unit in [0, 1): the half-open interval [low, high) in `dtype`.

    `unit` is float32 for float16 results. Rounding may reach `high` itself; torch puts `low` there instead.
    """
    low, high = unit.dtype.type(low), unit.dtype.type(high)
    values = unit if (low, high) == (0, 1) else fused_multiply_add(unit, high - low, low)
    values = values.astype(dtype, copy=False)
    values[values >= dtype.type(high)] = low
    return values


# ---- normal


def compare_pairs(words: NDArray[np.uint32], probability: float, out: NDArray[np.bool_]) -> None:
    """Whether the float64 uniform of each two words is below `probability`: of 53 bits, mostly the upper 21 tell."""
    high, low = divmod(math.ceil(probability * 2**53), 2**32)
    upper = words[0::2] & np.uint32(2**21 - 1)
    np.less(upper, high, out=out)
    close = np.flatnonzero(upper == high)
    out[close] = words[1::2][close] < low


def box_muller_pairs(uniform: Float64Array) -> Float64Array:
    """Standard normals from float64 uniforms taken in pairs (angle, radius), as torch does below 16 elements.

    Formula: r = √(−2·log1p(−u₂)), θ = 2π·u₁; the pair becomes (r·cos θ, r·sin θ).
    """
    angle = 2.0 * math.pi * uniform[0::2]
    radius = np.sqrt(-2.0 * libm(math.log1p, -uniform[1::2]))
    samples = np.empty_like(uniform)
    samples[0::2] = radius * np.cos(angle)
    samples[1::2] = radius * np.sin(angle)
    return samples


def box_muller_blocks(uniform: FloatArray, mean: float, std: float) -> FloatArray:
    """Normals from whole blocks of 16 uniforms, as torch does from 16 elements on; keeps the dtype.

    Formula: r = √(−2·log(1 − u₁)), θ = 2π·u₂ with u₁ the first eight of a block and u₂ the last eight;
    the first eight become r·cos θ·std + mean, the last eight r·sin θ·std + mean.
    """
    transform: Callable[..., Any] = _polar_float32 if uniform.dtype == np.float32 else _polar_float64
    mean, std = uniform.dtype.type(mean), uniform.dtype.type(std)
    blocks = uniform.reshape(-1, 2, BLOCK // 2)  # (block, radius or angle, 8)
    samples = np.empty_like(blocks)
    for start in range(0, len(blocks), _BLOCKS_AT_ONCE):
        chunk = slice(start, start + _BLOCKS_AT_ONCE)
        radius, cosine, sine = transform(1 - blocks[chunk, 0], np.ascontiguousarray(blocks[chunk, 1]))
        samples[chunk, 0] = fused_multiply_add(radius * cosine, std, mean)
        samples[chunk, 1] = fused_multiply_add(radius * sine, std, mean)
    return samples.reshape(uniform.shape)


def _polar_float64(u1: Float64Array, u2: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Radius √(−2·log u₁), and cosine and sine of the angle 2π·u₂."""
    angle = 2.0 * math.pi * u2
    return np.sqrt(-2.0 * libm(math.log, u1)), np.cos(angle), np.sin(angle)


def _polar_float32(u1: Float32Array, u2: Float32Array) -> tuple[Float32Array, Float32Array, Float32Array]:
    """The same in float32, with the vector logarithm, cosine and sine that torch uses there."""
    radius = np.sqrt(np.float32(-2.0) * _log_float32(u1))
    cosine, sine = _cosine_sine_float32(np.float32(2.0 * math.pi) * u2)
    return radius, cosine, sine


# ---- discrete


def cumulative_probabilities(rows: NDArray[Any]) -> Float64Array:
    """Cumulative sums of each row divided by its total, the last one exactly 1; float16 rows in float32."""
    if (rows < 0).any() or np.isnan(rows).any():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    if not np.isfinite(rows).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry = infinity or NaN)")
    cumulative = np.cumsum(rows, axis=-1, dtype=np.promote_types(rows.dtype, np.float32))
    if (cumulative[:, -1] <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    cumulative = cumulative / cumulative[:, -1:]
    cumulative[:, -1] = 1
    return cumulative.astype(np.float64)


# ---- float32 functions
#
# Cephes' logf, cosf and sinf, whose polynomials torch evaluates with fused multiply-adds. A float32 product
# is exact in float64, so `_round(a * b + c)` on float64 arrays that hold float32 values is the fused
# operation, and `_round` around a single operation is the plain float32 one.

_LOG_COEFFICIENTS = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_COSINE_COEFFICIENTS = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SINE_COEFFICIENTS = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_LOG2_PARTS = (0.693359375, -2.12194440e-4)  # log 2 = large part (few bits) + small part
_QUARTER_PI_PARTS = (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)  # π/4, likewise
_SQRT_HALF_BITS = 0x3F3504F3  # float32 of √½


def _round(values: Float64Array) -> Float64Array:
    """Rounds to float32 precision in place; float64 storage keeps the next product exact."""
    values[...] = values.astype(np.float32)
    return values


def _polynomial(coefficients: tuple[float, ...], x: Float64Array) -> Float64Array:
    """Horner's rule, highest power first, one rounding per step."""
    result = np.full_like(x, np.float32(coefficients[0]))
    for coefficient in coefficients[1:]:
        result *= x
        result += float(np.float32(coefficient))
        _round(result)
    return result


def _log_float32(values: Float32Array) -> Float32Array:
    """log v = e·log 2 + log(1 + x), where v = 2ᵉ·(1 + x) and √½ ≤ 1 + x < √2."""
    bits = values.view(np.int32)
    exponent_bits = (bits - _SQRT_HALF_BITS) >> 23
    x = (bits - (exponent_bits << 23)).view(np.float32).astype(np.float64) - 1.0
    exponent = exponent_bits.astype(np.float64)
    large, small = (float(np.float32(part)) for part in _LOG2_PARTS)
    square = _round(x * x)
    cubic = _round(_polynomial(_LOG_COEFFICIENTS, x) * x)
    correction = _round(cubic * square + _round(exponent * small))
    correction = _round(correction - 0.5 * square)
    return (exponent * large + _round(x + correction)).astype(np.float32)


def _cosine_sine_float32(angle: Float32Array) -> tuple[Float32Array, Float32Array]:
    """cos and sin of an angle ≥ 0: both polynomials on [−π/4, π/4], then swapped and signed by quadrant."""
    octant = (angle * np.float32(4.0 / math.pi)).astype(np.int32)
    octant = (octant + 1) & ~1  # up to the next even one: octant / 2 is the quadrant
    reduced, steps = angle.astype(np.float64), octant.astype(np.float64)
    for part in _QUARTER_PI_PARTS:
        reduced -= steps * float(np.float32(part))
        _round(reduced)
    square = _round(reduced * reduced)
    cosine, sine = _cosine_polynomial(square), _sine_polynomial(reduced, square)
    is_odd = (octant & 2) != 0
    cosine, sine = np.where(is_odd, sine, cosine), np.where(is_odd, cosine, sine)
    cosine.view(np.int32)[...] ^= ((octant + 2) & 4) << 29  # negative in quadrants 1 and 2
    sine.view(np.int32)[...] ^= (octant & 4) << 29  # negative in quadrants 2 and 3
    return cosine, sine


def _cosine_polynomial(square: Float64Array) -> Float32Array:
    """cos x = 1 − x²/2 + x⁴·P(x²)."""
    quartic = _round(_polynomial(_COSINE_COEFFICIENTS, square) * square)
    quartic *= square
    quartic -= 0.5 * square
    return (_round(quartic) + 1.0).astype(np.float32)


def _sine_polynomial(x: Float64Array, square: Float64Array) -> Float32Array:
    """sin x = x + x³·P(x²)."""
    cubic = _round(_polynomial(_SINE_COEFFICIENTS, square) * square)
    cubic *= x
    cubic += x
    return cubic.astype(np.float32)
