"""A GPU's generator: its numbers are those of ``reference/philox.py``, and are distributed as they should be.

The emulator runs the kernels, and a GPU where there is one (``-m cuda``). Seeds are fixed, so that no test fails by
chance; the bounds are such that numbers which are truly random would pass with a probability of more than 1 − 10⁻⁶.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from minitorch.backend import accelerator
from minitorch.backend.cuda_generator import CUDAGenerator
from reference import philox
from tests.harness.cuda_emulator import launched
from tests.harness.no_host_copy import no_host_copy

SEED, OFFSET = 0xFEDCBA9876543210, 0x123456789ABCDEF0
FLOATING = [numpy.float16, numpy.float32, numpy.float64]
INTEGER = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
EVERY = [*(each.__name__ for each in FLOATING), *INTEGER, "bool"]
RISK = 1e-6


@pytest.fixture
def generator(to_device: Any) -> CUDAGenerator:
    """A generator in the middle of its stream."""
    made = CUDAGenerator(0, SEED)
    made.set_offset(OFFSET)
    return made


def drawn(array: Any) -> numpy.ndarray:
    """What was drawn, on the host; it lay on the device."""
    assert isinstance(array, accelerator.require().ndarray)
    values: numpy.ndarray = array.get()
    return values


# ----------------------------------------------------------------------------------------- equal to the reference


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.5, 0.1), (1, 1 + 2**-9), (5, 5), (-60000, 1000)])
def test_uniform(generator: CUDAGenerator, dtype: Any, low: float, high: float) -> None:
    values = drawn(generator.uniform((31, 33), dtype, low, high))
    expected = philox.uniform(SEED, OFFSET, values.size, dtype, low, high).reshape(31, 33)
    numpy.testing.assert_array_equal(values, expected, strict=True)
    assert (low <= values).all()
    assert (values < high).all() or low == high


# In units in the last place. A GPU's logarithm, root and sine have one or two each; float16 is rounded once more.
@pytest.mark.parametrize(("dtype", "ulps"), [(numpy.float16, 1), (numpy.float32, 6), (numpy.float64, 8)])
def test_logarithms_and_circles(generator: CUDAGenerator, dtype: Any, ulps: int) -> None:
    draws: list[tuple[Callable[..., Any], Callable[..., Any], Any]] = [
        (generator.normal, philox.normal, ()),
        (generator.exponential, philox.exponential, (0.75,)),
        (generator.cauchy, philox.cauchy, (0.0, 1.5)),
        (generator.log_normal, philox.log_normal, (0.0, 0.5)),
    ]
    for number, (draw, expect, parameters) in enumerate(draws):
        values = drawn(draw((1001,), dtype, *parameters))
        with numpy.errstate(over="ignore"):
            expected = expect(SEED, OFFSET + 4 * number, 1001, dtype, *parameters)
        tolerance, tiny = ulps * float(numpy.finfo(dtype).eps), float(numpy.finfo(dtype).smallest_subnormal)
        if draw == generator.log_normal:  # its error is that of the exponent, times as much as this is large
            tolerance *= 1 + float(abs(numpy.log(expected.astype("float64"))).max())
        numpy.testing.assert_allclose(values, expected, tolerance, tiny, strict=True)
        assert numpy.isfinite(values).all() or dtype == numpy.float16


@pytest.mark.parametrize("dtype", FLOATING)
def test_mean_and_deviation(generator: CUDAGenerator, dtype: Any) -> None:
    """Cancellation leaves absolute errors."""
    values = drawn(generator.normal((501,), dtype, 20, 3))
    expected = philox.normal(SEED, OFFSET, 501, dtype, 20, 3)
    numpy.testing.assert_allclose(values, expected, 0, 32 * 8 * float(numpy.finfo(dtype).eps), strict=True)
    values = drawn(generator.cauchy((501,), dtype, 3, 0.5)).astype("float64")
    expected = philox.cauchy(SEED, OFFSET + 4, 501, dtype, 3, 0.5).astype("float64")
    numpy.testing.assert_allclose(values, expected, 0, 8 * float(numpy.finfo(dtype).eps) * (abs(values) + 8).max())


# Offsets at which seed 0 gives a first word that is nearly the least, and nearly the largest, of all
NEAR_THE_ENDS = {196927520: 0x4, 132783908: 0xFFFFFFF1}


@pytest.mark.parametrize("offset", NEAR_THE_ENDS)
def test_the_ends_of_the_open_interval(to_device: Any, offset: int) -> None:
    """A word that is rounded to 2³² is still a number below 1: samples are finite, waiting times are not 0."""
    assert philox.words(0, offset, 1) == [NEAR_THE_ENDS[offset]]
    for draw in ("normal", "exponential", "cauchy", "log_normal"):
        generator = CUDAGenerator(0, 0)
        generator.set_offset(offset)
        values = drawn(getattr(generator, draw)(2, "float32"))
        assert numpy.isfinite(values).all()
        expected = getattr(philox, draw)(0, offset, 2, numpy.float32)
        numpy.testing.assert_allclose(values, expected, 1e-5, strict=True)
        assert values[0] > 0 or draw != "exponential"


RANGES = [
    *((dtype, 0, 10) for dtype in EVERY if dtype != "bool"),
    *(("bool", 0, 2), ("bool", 1, 2), ("int8", -128, 128), ("uint8", 0, 256), ("int16", -300, 7), ("uint16", 0, 65536)),
    *(("int32", -(2**31), 2**31), ("uint32", 5, 2**32), ("float16", -2000, 2048), ("float32", -(2**20), 2**24)),
    *(("int64", 0, 2**32), ("int64", 0, 2**32 + 1), ("int64", -(2**63), 2**63), ("int64", -(2**62), 2**63 - 1)),
    *(("int64", 7, 8), ("uint64", 2**63, 2**64), ("float64", -(2**53), 2**53)),
]


@pytest.mark.parametrize(("dtype", "low", "high"), RANGES)
def test_integers(generator: CUDAGenerator, dtype: str, low: int, high: int) -> None:
    values = drawn(generator.integers(low, high, (3, 35), dtype))
    expected = philox.integers(SEED, OFFSET, 105, low, high)
    assert values.dtype == dtype
    assert values.ravel().tolist() == expected
    assert all(low <= value < high for value in expected)


def test_integers_without_bounds(generator: CUDAGenerator) -> None:
    expected = philox.integers(SEED, OFFSET, 9, -(2**63), 2**63)
    assert drawn(generator.integers(-(2**63), None, 9, "int64")).tolist() == expected
    generator.set_offset(OFFSET)
    wide = drawn(generator.integers(-(2**63), None, 9, "float64"))
    numpy.testing.assert_array_equal(wide, numpy.array(expected, "int64").astype("float64"))
    largest_of = {"bool": 1, "int8": 127, "uint8": 255, "int32": 2**31 - 1, "int64": 2**63 - 1}
    for dtype, largest in {**largest_of, "float16": 2**11, "float32": 2**24, "float64": 2**53}.items():
        generator.set_offset(OFFSET)
        assert drawn(generator.random((21,), dtype)).tolist() == philox.integers(SEED, OFFSET, 21, 0, largest + 1)


@pytest.mark.parametrize("dtype", EVERY)
def test_bernoulli_and_geometric(generator: CUDAGenerator, dtype: str) -> None:
    values = drawn(generator.bernoulli(0.3, (7, 9), dtype))
    numpy.testing.assert_array_equal(
        values, philox.bernoulli(SEED, OFFSET, 63, 0.3).astype(dtype).reshape(7, 9), strict=True
    )
    trials = drawn(generator.geometric((63,), dtype, 0.4))
    numpy.testing.assert_array_equal(trials, philox.geometric(SEED, OFFSET + 4, 63, 0.4).astype(dtype), strict=True)


def test_bernoulli_at_the_ends(generator: CUDAGenerator) -> None:
    assert drawn(generator.bernoulli(1, 1000, "float32")).all()
    assert not drawn(generator.bernoulli(0, 1000, "float32")).any()


@pytest.mark.parametrize("dtype", FLOATING)
def test_bernoulli_from_probabilities(generator: CUDAGenerator, to_device: Any, dtype: Any) -> None:
    probabilities = numpy.linspace(0, 1, 105).astype(dtype).reshape(7, 15)
    values = drawn(generator.bernoulli_from(to_device(probabilities)))
    expected = philox.bernoulli_from(SEED, OFFSET, probabilities)
    numpy.testing.assert_array_equal(values, expected.astype(dtype), strict=True)
    values = drawn(generator.bernoulli_from(to_device(probabilities).T, "int32"))
    expected = philox.bernoulli_from(SEED, OFFSET + 4, probabilities.T)
    numpy.testing.assert_array_equal(values, expected.astype("int32"), strict=True)
    outside = to_device(numpy.array([-1, numpy.nan, 2, numpy.inf], dtype))
    assert drawn(generator.bernoulli_from(outside)).tolist() == [0, 0, 1, 1]


def test_multinomial_with_replacement(generator: CUDAGenerator, to_device: Any) -> None:
    weights = numpy.array([[0, 0.5, 0, 0.25, 2], [1, 0, 0, 0, 0]], "float32")  # whose sums have no rounding
    values = drawn(generator.multinomial(to_device(weights), 300, True))
    expected = philox.categories(SEED, OFFSET, weights.astype("float64").cumsum(1), 300)
    numpy.testing.assert_array_equal(values, expected, strict=True)
    values = drawn(generator.multinomial(to_device(weights[0]), 3, True))
    numpy.testing.assert_array_equal(values, philox.categories(SEED, OFFSET + 4, weights[0].cumsum(), 3))


# --------------------------------------------------------------------------------------------- place and state


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_element_depends_on_its_place_only(generator: CUDAGenerator, dtype: str) -> None:
    """Not on how many others are drawn: sizes around those of a thread's, a warp's and a block's share."""
    whole = [drawn(draw(5000, dtype)) for draw in (generator.uniform, generator.normal)]
    for count in (1, 2, 3, 4, 5, 127, 1023, 1024, 1025, 2048):
        generator.set_offset(OFFSET)
        for draw, values in zip((generator.uniform, generator.normal), whole):
            numpy.testing.assert_array_equal(drawn(draw(count, dtype)), values[:count])


def test_a_draw_takes_an_offset_and_none_takes_none(generator: CUDAGenerator) -> None:
    assert drawn(generator.uniform((0, 3), "float32")).shape == (0, 3)
    assert drawn(generator.permutation(0)).shape == (0,)
    assert generator.get_offset() == OFFSET
    assert drawn(generator.uniform((), "float32")).shape == ()
    assert generator.get_offset() == OFFSET + 4
    first, second = (drawn(generator.uniform(100, "float32")) for _ in range(2))
    assert (first != second).any()
    generator.manual_seed(-1)
    assert (generator.initial_seed(), generator.get_offset()) == (2**64 - 1, 0)


def test_state(generator: CUDAGenerator) -> None:
    state = generator.get_state()
    assert state.dtype == "uint8"
    assert state.tobytes() == SEED.to_bytes(8, "little") + OFFSET.to_bytes(8, "little")
    first = drawn(generator.normal(20, "float32"))
    other = CUDAGenerator(0)
    other.set_state(state)
    copy = other.clone()
    for each in (other, copy):
        numpy.testing.assert_array_equal(drawn(each.normal(20, "float32")), first)
    other.set_state(state[:8])
    assert (other.initial_seed(), other.get_offset()) == (SEED, 0)
    with pytest.raises(RuntimeError, match="RNG state is wrong size"):
        other.set_state(state[:9])
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        other.set_state(state.view("uint64"))
    with pytest.raises(RuntimeError, match="offset must be a multiple of 4"):
        other.set_offset(3)
    state[8] = 1
    with pytest.raises(RuntimeError, match="offset must be a multiple of 4"):
        other.set_state(state)
    assert other.seed() == other.initial_seed() != SEED


def test_nothing_is_copied_and_nobody_waits(generator: CUDAGenerator, to_device: Any) -> None:
    probabilities = to_device(numpy.full((3, 4), 0.5, "float32"))
    with no_host_copy():
        for dtype in ("float16", "float32", "float64"):
            for draw in (generator.uniform, generator.normal, generator.exponential, generator.log_normal):
                draw((3, 4), dtype)
            generator.cauchy((3, 4), dtype)
        generator.integers(0, 9, (3, 4), "int64")
        generator.random((3, 4), "uint8")
        generator.geometric((3, 4), "int32", 0.5)
        generator.bernoulli(0.5, (3, 4), "bool")
        generator.bernoulli_from(probabilities)
        generator.permutation(10)
        for count, replacement in ((1, False), (2, False), (5, True)):
            generator.multinomial(probabilities, count, replacement)


def test_kernels_of_captures_are_launched_before(emulated: Any) -> None:
    """A GPU loads a kernel's code when it is launched first, which had better not be in a capture."""
    generator, names = CUDAGenerator(0), ("write_state", "keep_place")
    for expected in (1, 0):
        before = [launched[name] for name in names]
        generator.begin_capture()
        assert [launched[name] - count for name, count in zip(names, before)] == [expected, expected]
        assert generator.end_capture() == 0
    assert generator.get_offset() == 0


def test_errors(generator: CUDAGenerator) -> None:
    """Those of the CPU's generator, whose tests compare them with torch, under the names of CUDA's kernels."""
    with pytest.raises(NotImplementedError, match="\"check_uniform_bounds\" not implemented for 'Long'"):
        generator.uniform(3, "int64")
    with pytest.raises(NotImplementedError, match="\"normal_kernel_cuda\" not implemented for 'Int'"):
        generator.normal(3, "int32")
    with pytest.raises(NotImplementedError, match="\"random_kernel_cuda\" not implemented for 'UInt16'"):
        generator.random(3, "uint16")
    with pytest.raises(RuntimeError, match="to - 1 is out of bounds for signed char"):
        generator.integers(0, 129, 3, "int8")
    for draw in (
        lambda: generator.uniform(3, "float32", 2, 1),
        lambda: generator.normal(3, "float32", 0, -1),
        lambda: generator.exponential(3, "float32", 0),
        lambda: generator.log_normal(3, "float32", 0, 0),
        lambda: generator.cauchy(3, "float32", 0, 0),
        lambda: generator.geometric(3, "float32", 1),
        lambda: generator.bernoulli(1.5, 3, "float32"),
        lambda: generator.integers(3, 3, 3, "int64"),
        lambda: generator.permutation(-1),
    ):
        with pytest.raises(RuntimeError):
            draw()
    assert generator.get_offset() == OFFSET


# ----------------------------------------------------------------------------------------------- distributions


def assert_distributed(values: numpy.ndarray, probability_below: Callable[[float], float]) -> None:
    """Kolmogorov and Smirnov: the largest distance of the two distribution functions.

    It is above √(log(2 / risk) / 2n) with less than this risk (Dvoretzky, Kiefer, Wolfowitz; Massart 1990).
    """
    n = values.size
    expected = numpy.array([probability_below(float(value)) for value in numpy.sort(values)])
    distance = max((numpy.arange(1, n + 1) / n - expected).max(), (expected - numpy.arange(n) / n).max())
    assert distance < math.sqrt(math.log(2 / RISK) / (2 * n))


def assert_frequencies(counts: Any, probabilities: Any) -> None:
    """Pearson's χ² with d degrees of freedom: above d + 2√(dx) + 2x with a risk below e⁻ˣ (Laurent, Massart 2000)."""
    counts, probabilities = numpy.asarray(counts, float), numpy.asarray(probabilities, float)
    expected = counts.sum() * probabilities
    assert expected.min() > 20
    chi_square = ((counts - expected) ** 2 / expected).sum()
    degrees, x = counts.size - 1, math.log(1 / RISK)
    assert chi_square < degrees + 2 * math.sqrt(degrees * x) + 2 * x


def normal_below(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2


DISTRIBUTIONS: dict[str, tuple[Callable[..., Any], Callable[[float], float]]] = {
    "uniform": (lambda g, dtype: g.uniform(20_000, dtype, -1, 3), lambda x: (x + 1) / 4),
    "normal": (lambda g, dtype: g.normal(20_000, dtype, 1, 2), lambda x: normal_below((x - 1) / 2)),
    "exponential": (lambda g, dtype: g.exponential(20_000, dtype, 2), lambda x: 1 - math.exp(-2 * x)),
    "log_normal": (lambda g, dtype: g.log_normal(20_000, dtype, 0.5, 1), lambda x: normal_below(math.log(x) - 0.5)),
    "cauchy": (lambda g, dtype: g.cauchy(20_000, dtype, 1, 2), lambda x: 0.5 + math.atan((x - 1) / 2) / math.pi),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(generator: CUDAGenerator, name: str, dtype: str) -> None:
    draw, probability_below = DISTRIBUTIONS[name]
    assert_distributed(drawn(draw(generator, dtype)), probability_below)


@pytest.mark.parametrize("dtype", FLOATING)
def test_moments_of_normals(generator: CUDAGenerator, dtype: Any) -> None:
    """Mean, variance and the correlations of neighbours, each within five of its standard deviations."""
    z = drawn(generator.normal(20_000, dtype)).astype("float64")
    bound = 5 / math.sqrt(z.size)
    assert abs(z.mean()) < bound
    assert abs((z**2).mean() - 1) < bound * math.sqrt(2)
    assert abs((z**3).mean()) < bound * math.sqrt(15)
    assert abs((z**4).mean() - 3) < bound * math.sqrt(96)
    for distance in (1, 2, 3, 4):
        assert abs((z[distance:] * z[:-distance]).mean()) < bound
    assert abs((z * drawn(generator.normal(20_000, dtype))).mean()) < bound


@pytest.mark.parametrize(
    ("low", "high", "cells"), [(-3, 10, 13), (0, 256, 64), (-(2**63), 2**63, 128), (-(2**62), 2**61, 96)]
)
def test_integers_are_equally_probable(generator: CUDAGenerator, low: int, high: int, cells: int) -> None:
    values = drawn(generator.integers(low, high, 20_000, "int64")).astype(object) - low
    assert_frequencies(numpy.bincount(numpy.array(values * cells // (high - low), int)), numpy.full(cells, 1 / cells))


def test_trials_and_bits(generator: CUDAGenerator) -> None:
    counts = numpy.bincount(drawn(generator.geometric(20_000, "int64", 0.3)).clip(max=12))[1:]
    probabilities = [0.3 * 0.7 ** (k - 1) for k in range(1, 12)]
    assert_frequencies(counts, [*probabilities, 1 - sum(probabilities)])
    ones = drawn(generator.bernoulli(0.2, 20_000, "int64")).sum()
    assert_frequencies([20_000 - ones, ones], [0.8, 0.2])


def test_permutations(generator: CUDAGenerator) -> None:
    order = drawn(generator.permutation(1000))
    assert order.dtype == "int64"
    assert sorted(order.tolist()) == list(range(1000))
    assert (order != numpy.arange(1000)).any()
    assert drawn(generator.permutation(1)).tolist() == [0]
    every = list(itertools.permutations(range(3)))
    drawn_orders = [tuple(drawn(generator.permutation(3)).tolist()) for _ in range(300)]
    assert_frequencies([drawn_orders.count(each) for each in every], numpy.full(6, 1 / 6))


@pytest.mark.parametrize("dtype", FLOATING)
def test_multinomial_without_replacement(generator: CUDAGenerator, to_device: Any, dtype: Any) -> None:
    weights = numpy.array([1, 0, 3, 4], dtype)
    rows = to_device(numpy.broadcast_to(weights, (4000, 4)).copy())
    first = drawn(generator.multinomial(rows, 1))
    assert first.shape == (4000, 1)
    assert_frequencies(numpy.bincount(first[:, 0], minlength=4)[[0, 2, 3]], [1 / 8, 3 / 8, 4 / 8])
    pairs = drawn(generator.multinomial(rows, 2))
    assert pairs.dtype == "int64"
    probabilities = {
        (a, b): weights[a] / 8 * weights[b] / (8 - weights[a]) for a in (0, 2, 3) for b in (0, 2, 3) if a != b
    }
    counts = [(pairs == pair).all(1).sum() for pair in probabilities]
    assert sum(counts) == 4000
    assert_frequencies(counts, [float(each) for each in probabilities.values()])
    assert sorted(drawn(generator.multinomial(to_device(weights), 3)).tolist()) == [0, 2, 3]
