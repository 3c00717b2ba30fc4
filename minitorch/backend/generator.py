"""The CPU random generator: the same seed gives the same numbers as torch's CPU generator, bit for bit.

The engine is the Mersenne Twister MT19937 with its classic seeding, which NumPy has too; it yields 32-bit
words. A 64-bit draw is two words, the high one first. What a distribution takes from that stream (how many
words, of which width, in which order) is part of the agreement and is written down method by method; the
arithmetic from words to samples is in :mod:`minitorch.backend.distributions`.

torch itself is not the same everywhere. Large float32 normals here are those of x86 processors with AVX2; on
others torch's differ in the last bits. On Intel processors torch may draw `bernoulli_(p)` (dropout) and
`exponential_` from streams of the MKL library; this module follows the portable path, used on all others.

Source: `ATen/CPUGeneratorImpl.cpp`, `ATen/native/cpu/DistributionTemplates.h` of PyTorch; M. Matsumoto and
T. Nishimura, "Mersenne Twister", 1998.
"""

from __future__ import annotations

import array
import math
import secrets
import threading
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minitorch.backend import distribution_arguments as arguments
from minitorch.backend import distributions

__all__ = ["DEFAULT_SEED", "CPUGenerator", "default_cpu_generator"]

Shape: TypeAlias = int | tuple[int, ...]
Array: TypeAlias = NDArray[Any]

DEFAULT_SEED = 67280421310721  # of a `torch.Generator()` that was given none

_ENGINE_WORDS = 624  # the engine makes its words in batches of this many
_BLOCK = 1 << 14  # samples drawn and compared while they are in the cache
_LARGE_RANGE = 1 << 28  # from here on a 32-bit word modulo the range would be visibly uneven: 64 bits
_LARGE_PERMUTATION = (2**32 - 1) // 20

# The bytes of torch.get_rng_state(): two C structs, padding included.
_STATE = np.dtype(
    [
        ("seed", np.uint64),
        ("left", np.int32),  # words left in the batch, plus one
        ("is_seeded", np.int32),
        ("next", np.uint64),  # position in the batch
        ("engine", np.uint64, _ENGINE_WORDS),
        ("normal_x", np.float64),
        ("cached_normal", np.float64),
        ("normal_rho", np.float64),
        ("has_cached_normal", np.int32),
        ("padding", np.int32),  # the first struct ends here
        ("float_normal", np.float32),  # used by no CPU distribution
        ("has_float_normal", np.bool_),
    ],
    align=True,
)


class CPUGenerator:
    """A stream of random numbers equal to `torch.Generator()`'s, as NumPy arrays.

    Every drawing method returns a fresh C-contiguous array. Methods may be called from several threads; each
    call draws its numbers as one piece.

    >>> CPUGenerator(0).uniform(3, np.float32)
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    """

    device_type = "cpu"

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._lock = threading.RLock()
        self._engine = np.random.RandomState()
        self._initial_seed = 0
        self._cached_normal: float | None = None  # second of a Box–Muller pair, for the next small draw
        self.manual_seed(seed)

    # ---- seed and state

    def manual_seed(self, seed: int) -> CPUGenerator:
        """Restarts the stream; a negative seed is taken modulo 2⁶⁴. The engine uses the low 32 bits."""
        seed = arguments.checked_seed(seed)
        with self._lock:
            self._initial_seed = seed
            self._engine.seed(self._initial_seed % 2**32)
            self._cached_normal = None
        return self

    def seed(self) -> int:
        """Restarts the stream from a seed of the operating system's, and returns it."""
        seed = secrets.randbits(64)
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed of the last :meth:`manual_seed` (or :meth:`seed`, or :meth:`set_state`)."""
        return self._initial_seed

    def get_offset(self) -> int:
        """Refused: the stream of this engine has no places to go to."""
        raise RuntimeError("CPU Generator does not use offset")

    def set_offset(self, offset: int) -> None:
        """Refused, as :meth:`get_offset`."""
        raise RuntimeError("CPU Generator does not use offset")

    def clone(self) -> CPUGenerator:
        """Another generator at the same place of the same stream."""
        other = CPUGenerator()
        other.set_state(self.get_state())
        return other

    def get_state(self) -> NDArray[np.uint8]:
        """The state as the 5056 bytes of `torch.get_rng_state()`; either library reads the other's."""
        state = np.zeros(1, _STATE)
        with self._lock:
            engine, position = self._engine.get_state(legacy=False)["state"].values()
            state["seed"], state["engine"], state["is_seeded"] = self._initial_seed, engine, 1
            state["left"] = _ENGINE_WORDS + 1 - position
            # Just seeded, torch's position is still 0, and the first engine word is still the seed.
            state["next"] = 0 if engine[0] == self._initial_seed % 2**32 else position
            if self._cached_normal is not None:
                state["cached_normal"], state["has_cached_normal"] = self._cached_normal, 1
        return state.view(np.uint8)

    def set_state(self, state: NDArray[np.uint8]) -> None:
        """Continues the stream that :meth:`get_state` or `torch.get_rng_state()` saved."""
        if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if state.size != _STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.itemsize} "
                f"but found the input RNG state size to be {state.size}"
            )
        fields = np.frombuffer(state.tobytes(), _STATE)[0]
        left = int(fields["left"])
        if not (fields["is_seeded"] and 0 < left <= _ENGINE_WORDS and fields["next"] <= _ENGINE_WORDS):
            raise RuntimeError("Invalid mt19937 state")
        with self._lock:
            self._initial_seed = int(fields["seed"])
            position = _ENGINE_WORDS + 1 - left
            engine = {"key": fields["engine"].astype(np.uint32), "pos": position}
            self._engine.set_state({"bit_generator": "MT19937", "state": engine})
            self._cached_normal = float(fields["cached_normal"]) if fields["has_cached_normal"] else None

    # ---- raw draws

    def _words(self, count: int) -> NDArray[np.uint32]:
        """The next `count` 32-bit words."""
        return self._engine.randint(0, 2**32, count, dtype=np.uint32)

    def _double_words(self, count: int) -> NDArray[np.uint64]:
        """The next `count` 64-bit words, each of two 32-bit words, the high one first."""
        words = self._words(2 * count).astype(np.uint64)
        return (words[0::2] << np.uint64(32)) | words[1::2]

    def _unit_float32(self, count: int) -> NDArray[np.float32]:
        """Uniform on [0, 1): the low 24 bits of a word, times 2⁻²⁴."""
        words = self._words(count)
        words &= np.uint32(2**24 - 1)
        unit = words.view(np.int32).astype(np.float32)  # int32 converts faster than uint32
        unit *= np.float32(2.0**-24)
        return unit

    def _unit_float64(self, count: int) -> NDArray[np.float64]:
        """Uniform on [0, 1): the low 53 bits of a 64-bit word, times 2⁻⁵³."""
        return (self._double_words(count) & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53

    def _unit(self, count: int, dtype: np.dtype[Any]) -> Array:
        """Uniform on [0, 1) in the precision that torch computes `dtype` in."""
        return self._unit_float64(count) if dtype == np.float64 else self._unit_float32(count)

    # ---- continuous

    def uniform(self, shape: Shape, dtype: DTypeLike, low: float = 0.0, high: float = 1.0) -> Array:
        """`rand` and `uniform_(low, high)`: u·(high − low) + low with one rounding.

        Words: one per element, two for float64. Raises RuntimeError unless low ≤ high, both within `dtype`.
        """
        dtype = arguments.require_floating(dtype, "check_uniform_bounds")
        arguments.check_uniform_bounds(low, high, dtype)
        with self._lock:
            unit = self._unit(_count(shape), dtype)
        return distributions.scale_uniform(unit, low, high, dtype).reshape(shape)

    def normal(
        self, shape: Shape, dtype: DTypeLike, mean: float = 0.0, std: float = 1.0, in_blocks: bool = True
    ) -> Array:
        """`randn` and `normal_(mean, std)`.

        Fewer than 16 elements: float64 Box–Muller pairs (four words), the unused second of a pair kept for
        the next call. From 16 on: all elements uniform, then Box–Muller in blocks of 16; if the size is not
        a multiple of 16, the last 16 elements are drawn again as one block. float16 is rounded from float32.
        ``in_blocks=False``: pairs for any number of elements, as torch fills what is not contiguous.
        """
        dtype = arguments.check_normal(dtype, std, "normal_kernel_cpu")
        count = _count(shape)
        with self._lock:
            fill = self._large_normal if in_blocks and count >= distributions.BLOCK else self._small_normal
            return distributions.cast(fill(count, dtype, mean, std), dtype).reshape(shape)

    def _small_normal(self, count: int, dtype: np.dtype[Any], mean: float, std: float) -> Array:
        return distributions.fused_multiply_add(self._normal_pairs(count), std, mean)

    def _large_normal(self, count: int, dtype: np.dtype[Any], mean: float, std: float) -> Array:
        block = distributions.BLOCK
        whole = count - count % block
        # Uniforms past the last whole block are drawn and not used; float16 does not draw them.
        uniform = self._unit(whole if dtype == np.float16 else count, dtype)
        samples = np.empty(count, uniform.dtype)
        samples[:whole] = distributions.box_muller_blocks(uniform[:whole], mean, std)
        if whole != count:
            samples[-block:] = distributions.box_muller_blocks(self._unit(block, dtype), mean, std)
        return samples

    def _normal_pairs(self, count: int) -> NDArray[np.float64]:
        """Standard normals one by one: first the cached one, then pairs; caches the second of an odd pair."""
        samples = np.empty(count, np.float64)
        cached = 0
        if count > 0 and self._cached_normal is not None:
            samples[0], self._cached_normal, cached = self._cached_normal, None, 1
        missing = count - cached
        pairs = distributions.box_muller_pairs(self._unit_float64(missing + missing % 2))
        samples[cached:] = pairs[:missing]
        if missing % 2:
            self._cached_normal = float(pairs[-1])
        return samples

    def exponential(self, shape: Shape, dtype: DTypeLike, rate: float = 1.0) -> Array:
        """`exponential_(rate)`: −log1p(−u) / rate with u float64."""
        dtype = arguments.check_exponential(dtype, rate)
        unit = self._locked_unit_float64(_count(shape))
        # Only a float64 result shows the last bit of the logarithm; the others take the faster one.
        logarithm = distributions.libm(math.log1p, -unit) if dtype == np.float64 else np.log1p(-unit)
        return distributions.cast((-1.0 / rate) * logarithm, dtype).reshape(shape)

    def log_normal(self, shape: Shape, dtype: DTypeLike, mean: float = 1.0, std: float = 2.0) -> Array:
        """`log_normal_(mean, std)`: exp of float64 normals, drawn in pairs at every size."""
        dtype = arguments.check_log_normal(dtype, std, "log_normal_cpu")
        with self._lock:
            normal = self._small_normal(_count(shape), dtype, mean, std)
        return distributions.cast(distributions.libm(math.exp, normal), dtype).reshape(shape)

    def cauchy(self, shape: Shape, dtype: DTypeLike, median: float = 0.0, sigma: float = 1.0) -> Array:
        """`cauchy_(median, sigma)`: median + sigma·tan(π·(u − ½)) with u float64."""
        dtype = arguments.check_cauchy(dtype, sigma)
        tangent = distributions.libm(math.tan, math.pi * (self._locked_unit_float64(_count(shape)) - 0.5))
        samples = distributions.fused_multiply_add(tangent, sigma, median)
        return distributions.cast(samples, dtype).reshape(shape)

    def _locked_unit_float64(self, count: int) -> NDArray[np.float64]:
        with self._lock:
            return self._unit_float64(count)

    # ---- discrete

    def integers(self, low: int, high: int | None, shape: Shape, dtype: DTypeLike) -> Array:
        """`randint(low, high)` and `random_(low, high)`: low + word mod (high − low).

        The word has 64 bits if the range is 2²⁸ or more, else 32. `high=None` means up to the largest value
        of `dtype` (for floats, the largest up to which all integers are representable), included.
        """
        dtype = np.dtype(dtype)
        if high is None and low == -(2**63):
            return self._full_range(shape, dtype)
        low, high = arguments.integer_bounds(low, high, dtype)
        return self._modulo(high - low, low, shape, dtype, wide=high - low >= _LARGE_RANGE)

    def random(self, shape: Shape, dtype: DTypeLike) -> Array:
        """`random_()`: word mod (largest value of `dtype` + 1); for floats, mod (2^digits + 1).

        The word has 64 bits for int64 and float64, else 32.
        """
        dtype = np.dtype(dtype)
        arguments.check_random(dtype, "random_kernel_cpu")
        return self._modulo(arguments.largest_integer(dtype) + 1, 0, shape, dtype, wide=dtype in (np.int64, np.float64))

    def _modulo(self, size: int, base: int, shape: Shape, dtype: np.dtype[Any], *, wide: bool) -> Array:
        with self._lock:
            words: Array = self._double_words(_count(shape)) if wide else self._words(_count(shape))
        if size != 1 << words.itemsize * 8:
            words %= words.dtype.type(size)
        offsets = words.astype(np.int64, copy=False)
        offsets += np.int64(base)  # may wrap through 2⁶³ and back, as in C++
        return offsets.astype(dtype).reshape(shape)

    def _full_range(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """`random_(-2**63, None)`: all 64 bits."""
        arguments.check_full_range(dtype, "random_full_64_bits_range_kernel_cpu")
        with self._lock:
            return self._double_words(_count(shape)).view(np.int64).astype(dtype).reshape(shape)

    def geometric(self, shape: Shape, dtype: DTypeLike, probability: float) -> Array:
        """`geometric_(probability)`: ⌈log u / log1p(−probability)⌉ with u float64."""
        arguments.check_geometric(probability)
        with np.errstate(divide="ignore", invalid="ignore"):  # u = 0 gives infinity
            trials = np.ceil(np.log(self._locked_unit_float64(_count(shape))) / math.log1p(-probability))
            return distributions.cast(trials, np.dtype(dtype)).reshape(shape)

    def bernoulli(self, probability: float, shape: Shape, dtype: DTypeLike) -> Array:
        """`bernoulli_(probability)` and dropout masks: 1 where a float64 uniform is below `probability`."""
        arguments.check_bernoulli(probability)
        is_one = np.empty(_count(shape), bool)
        with self._lock:
            for start in range(0, is_one.size, _BLOCK):
                part = is_one[start : start + _BLOCK]
                distributions.compare_pairs(self._words(2 * part.size), probability, out=part)
        return is_one.astype(dtype).reshape(shape)

    def bernoulli_from(self, probabilities: Array, dtype: DTypeLike | None = None) -> Array:
        """`torch.bernoulli(probabilities)`: 1 where a uniform is below the element's probability.

        The uniform is float64 for float64 probabilities, else float32. `dtype` is the probabilities' if None.
        """
        arguments.require_floating(probabilities.dtype, "bernoulli_tensor_cpu_p_")
        if not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
        with self._lock:
            unit = self._unit(probabilities.size, probabilities.dtype)
        samples = unit.reshape(probabilities.shape) < probabilities
        return samples.astype(probabilities.dtype if dtype is None else dtype)

    def permutation(self, n: int) -> NDArray[np.int64]:
        """`randperm(n)`: Fisher–Yates from the front, one 32-bit word per swap; int64.

        Gigantic n (from about 2·10⁸) is built inside out with 64-bit words instead.
        """
        arguments.check_permutation(n)
        if n >= _LARGE_PERMUTATION:
            return self._large_permutation(n)
        with self._lock:
            words = self._words(max(n - 1, 0))
        offsets = words % np.arange(n, 1, -1, dtype=np.uint32)
        order = list(range(n))  # swaps of a list are several times faster than those of an array
        for index, offset in enumerate(offsets.tolist()):
            other = index + offset
            order[index], order[other] = order[other], order[index]
        return np.array(order, np.int64)

    def _large_permutation(self, n: int) -> NDArray[np.int64]:
        order = array.array("q", bytes(8 * n))  # a list of this many numbers would not fit in memory
        with self._lock:
            for start in range(0, n, 1 << 20):
                stop = min(start + (1 << 20), n)
                others = self._double_words(stop - start) % np.arange(start + 1, stop + 1, dtype=np.uint64)
                for index, other in enumerate(others.tolist(), start):
                    order[index] = order[other]
                    order[other] = index
        return np.array(order, np.int64)

    def multinomial(self, probabilities: Array, num_samples: int, replacement: bool = False) -> NDArray[np.int64]:
        """`torch.multinomial`: `num_samples` indices per row, drawn in proportion to `probabilities`.

        Without replacement (or for one sample): the largest p/q with q exponential, one q per element. With
        replacement: a float64 uniform per sample, searched in the normalised cumulative sums.
        """
        arguments.check_multinomial(probabilities, num_samples, replacement)
        if replacement and num_samples > 1:
            return self._multinomial_by_search(probabilities, num_samples)
        if not ((probabilities >= 0) & (probabilities < np.inf)).all():
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        if (probabilities.sum(-1) <= 0).any():
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        with np.errstate(divide="ignore", invalid="ignore"):  # q = 0 once in 2⁵³ draws
            scores = probabilities / self.exponential(probabilities.shape, probabilities.dtype)
        if num_samples == 1:
            return scores.argmax(-1, keepdims=True)
        order = np.argsort(-scores, axis=-1, kind="stable")
        return np.ascontiguousarray(order[..., :num_samples])

    def _multinomial_by_search(self, probabilities: Array, num_samples: int) -> NDArray[np.int64]:
        rows = np.atleast_2d(probabilities)
        cumulative = distributions.cumulative_probabilities(rows)
        uniform = self._locked_unit_float64(len(rows) * num_samples).reshape(len(rows), num_samples)
        found = [np.searchsorted(row, values) for row, values in zip(cumulative, uniform)]
        return np.array(found, np.int64).reshape(*probabilities.shape[:-1], num_samples)


def _count(shape: Shape) -> int:
    return shape if isinstance(shape, int) else math.prod(shape)


# The generator of every call that names none. Like torch's it starts from a seed of the system's choice.
default_cpu_generator = CPUGenerator()
default_cpu_generator.seed()
