"""The arguments of distributions, checked as torch checks them: what both generators refuse, in torch's words.

Kernels have names in torch's messages, of which some end in the device: ``normal_kernel_cpu``, ``normal_kernel_cuda``.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_SCALAR_NAMES = {  # dtype: (torch's name in messages, the C++ type's)
    "bool": ("Bool", "bool"),
    "uint8": ("Byte", "unsigned char"),
    "int8": ("Char", "signed char"),
    "int16": ("Short", "short int"),
    "int32": ("Int", "int"),
    "int64": ("Long", "long int"),
    "uint16": ("UInt16", "short unsigned int"),
    "uint32": ("UInt32", "unsigned int"),
    "uint64": ("UInt64", "long unsigned int"),
    "float16": ("Half", "c10::Half"),
    "float32": ("Float", "float"),
    "float64": ("Double", "double"),
}


def not_implemented(kernel: str, dtype: np.dtype[Any]) -> NotImplementedError:
    """The error for a dtype that ``kernel``, torch's name of the code, does not know."""
    name = _SCALAR_NAMES[dtype.name][0]
    return NotImplementedError(f"\"{kernel}\" not implemented for '{name}'")


def require_floating(dtype: DTypeLike, kernel: str) -> np.dtype[Any]:
    """The dtype, if it is floating; else NotImplementedError in the name of ``kernel``."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise not_implemented(kernel, dtype)
    return dtype


def require_continuous(dtype: DTypeLike, distribution: str) -> np.dtype[Any]:
    """The dtype, if it is floating; the two distributions that say so in a sentence."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise RuntimeError(
            f"{distribution} distribution is a continuous probability distribution. "
            f"dtype must be a floating point but you specified {_SCALAR_NAMES[dtype.name][0]}"
        )
    return dtype


def check_uniform_bounds(low: float, high: float, dtype: np.dtype[Any]) -> None:
    """Raise RuntimeError unless low ≤ high, both and their difference being numbers of ``dtype``."""
    limit = float(np.finfo(dtype).max)
    scalar_name, type_name = _SCALAR_NAMES[dtype.name]
    for name, value in (("from", low), ("to", high)):
        if not -limit <= value <= limit:
            raise RuntimeError(f"{name} is out of bounds for {type_name}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > limit:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{scalar_name}>::max(), but found "
            f"to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def largest_integer(dtype: np.dtype[Any]) -> int:
    """Largest value of an integer dtype; for floats 2^digits, up to which every integer has its own value."""
    if dtype.kind == "f":
        return 1 << (np.finfo(dtype).nmant + 1)
    return 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)


def integer_bounds(low: int, high: int | None, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The bounds [low, high) that torch draws from: checked, and for floats made representable."""
    if high is None:
        low, high = _open_bounds(low, dtype)
    elif not low < high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    elif dtype.kind == "f":
        low, high = _representable_low(low, dtype), _representable_high(high, dtype)
        if not low < high:
            raise RuntimeError(
                "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
                f"but got from={low} >= to={high}"
            )
    smallest, largest = _value_range(dtype)
    for name, value in (("from", low), ("to - 1", high - 1)):
        if not smallest <= value <= largest:
            raise RuntimeError(f"{name} is out of bounds for {_SCALAR_NAMES[dtype.name][1]}")
    return low, high


def _open_bounds(low: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The bounds of `random_(low, None)`."""
    largest = largest_integer(dtype)
    if dtype.kind == "f":
        low = _representable_low(low, dtype)
        if not low < largest:
            raise RuntimeError(
                "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to "
                f"dtype, but got from={low} > to_inc={largest}"
            )
    return low, largest + 1


def _representable_low(low: int, dtype: np.dtype[Any]) -> int:
    """Moves a lower bound up if low + 1, rounded to the floating `dtype`, would fall below it."""
    rounded = _through(low + 1, dtype)
    return rounded + _spacing(low + 1, dtype) if rounded < low else low


def _representable_high(high: int, dtype: np.dtype[Any]) -> int:
    """Moves an upper bound down if high − 1, rounded to the floating `dtype`, would reach it."""
    rounded = _through(high - 1, dtype)
    return rounded - _spacing(high - 1, dtype) if rounded >= high else high


def _through(value: int, dtype: np.dtype[Any]) -> int:
    """`value` as `dtype` and back to int64; what does not fit becomes the smallest int64, as on x86."""
    with np.errstate(over="ignore"):
        rounded = float(dtype.type(value))
    return int(rounded) if -(2.0**63) <= rounded < 2.0**63 else -(2**63)


def _spacing(value: int, dtype: np.dtype[Any]) -> int:
    """The distance of neighbouring `dtype` numbers around an integer that is too long for its mantissa."""
    return 1 << max(abs(value).bit_length() - (np.finfo(dtype).nmant + 1), 0)


def _value_range(dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def check_multinomial(probabilities: NDArray[Any], num_samples: int, replacement: bool) -> None:
    """Raise RuntimeError for probabilities or a number of samples that ``multinomial`` cannot draw from."""
    if probabilities.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if probabilities.dtype.kind != "f":
        name = _SCALAR_NAMES[probabilities.dtype.name][0]
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {name}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > probabilities.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")


def check_normal(dtype: DTypeLike, std: float, kernel: str) -> np.dtype[Any]:
    """The dtype of `normal_`: floating; RuntimeError for a negative standard deviation."""
    dtype = require_floating(dtype, kernel)
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    return dtype


def check_log_normal(dtype: DTypeLike, std: float, kernel: str) -> np.dtype[Any]:
    """The dtype of `log_normal_`: floating; RuntimeError unless std > 0."""
    dtype = require_floating(dtype, kernel)
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    return dtype


def check_exponential(dtype: DTypeLike, rate: float) -> np.dtype[Any]:
    """The dtype of `exponential_`: floating; RuntimeError unless the rate is positive."""
    dtype = require_continuous(dtype, "Exponential")
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    return dtype


def check_cauchy(dtype: DTypeLike, sigma: float) -> np.dtype[Any]:
    """The dtype of `cauchy_`: floating; RuntimeError unless sigma is positive."""
    dtype = require_continuous(dtype, "Cauchy")
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    return dtype


def check_geometric(probability: float) -> None:
    """RuntimeError unless the probability lies between 0 and 1."""
    if not 0 < probability < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={probability:g}")


def check_bernoulli(probability: float) -> None:
    """RuntimeError unless the probability is one."""
    if not 0 <= probability <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={probability:g}")


def check_random(dtype: np.dtype[Any], kernel: str) -> None:
    """NotImplementedError for the unsigned dtypes that `random_()` does not know."""
    if dtype.kind == "u" and dtype != np.uint8:
        raise not_implemented(kernel, dtype)


def check_full_range(dtype: np.dtype[Any], kernel: str) -> None:
    """The error of `random_(-2**63, None)` for a dtype that is neither int64, float32 nor float64."""
    if dtype == np.float16 or dtype.kind == "b" or (dtype.kind == "u" and dtype != np.uint8):
        raise not_implemented(kernel, dtype)
    if dtype not in (np.int64, np.float32, np.float64):
        raise RuntimeError(f"{kernel} handles only int64, double, float and bfloat16")


def check_permutation(n: int) -> None:
    """RuntimeError for a negative size."""
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")


def checked_seed(seed: Any) -> int:
    """The seed as a number of 64 bits; a negative one is taken modulo 2⁶⁴."""
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
    seed = operator.index(seed)
    if not -(2**63) <= seed < 2**64:
        raise ValueError("Overflow when unpacking long long")
    return seed % 2**64
