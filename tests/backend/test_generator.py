"""The CPU generator against torch's: the same seed, the same calls, the same bits."""

import math
import threading
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.backend.distributions import compare_pairs, fused_multiply_add
from minitorch.backend.generator import DEFAULT_SEED, CPUGenerator

SEEDS = [0, 1, 42, 2**32 - 1, 2**40 + 7, -5]
SHAPES = [(0,), (1,), (2,), (8,), (15,), (16,), (17,), (31,), (32,), (33,), (100,), (1000,), (), (3, 5, 7)]
FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
TORCH = {name: getattr(torch, name) for name in [*FLOATS, *INTEGERS, "bool", "uint16", "uint32", "uint64"]}


def pair(seed):
    return CPUGenerator(seed), torch.Generator().manual_seed(seed)


def empty(shape, dtype):
    return torch.empty(shape, dtype=TORCH[dtype])


def assert_same_bits(ours, theirs):
    theirs = theirs.numpy()
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours.flags.c_contiguous
    assert ours.tobytes() == theirs.tobytes()


def assert_same_stream(ours, theirs):
    """Both have drawn the same number of words and keep the same normal for the next call."""
    assert ours.get_state().tobytes() == theirs.get_state().numpy().tobytes()


# ---- each distribution, over seeds, sizes and dtypes


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-0.3, 0.77), (1.0, 1.01), (100.0, 100.3), (2.0, 2.0)])
def test_uniform(seed, dtype, bounds):
    ours, theirs = pair(seed)
    for shape in SHAPES:
        expected = empty(shape, dtype).uniform_(*bounds, generator=theirs)
        assert_same_bits(ours.uniform(shape, dtype, *bounds), expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", SEEDS)
def test_rand_and_randn(seed, dtype):
    ours, theirs = pair(seed)
    for shape in SHAPES:
        assert_same_bits(ours.uniform(shape, dtype), torch.rand(shape, dtype=TORCH[dtype], generator=theirs))
        assert_same_bits(ours.normal(shape, dtype), torch.randn(shape, dtype=TORCH[dtype], generator=theirs))
        assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("parameters", [(0.3, 0.7), (-2.0, 1.0), (5.0, 0.0), (0.0, 1e-3)])
def test_normal(seed, dtype, parameters):
    ours, theirs = pair(seed)
    for shape in SHAPES:
        expected = empty(shape, dtype).normal_(*parameters, generator=theirs)
        assert_same_bits(ours.normal(shape, dtype, *parameters), expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
def test_large_draws(dtype):
    ours, theirs = pair(3)
    size = 100_003  # several chunks and a tail
    assert_same_bits(ours.normal(size, dtype), torch.randn(size, dtype=TORCH[dtype], generator=theirs))
    assert_same_bits(ours.normal(size, dtype, 0.3, 0.7), empty(size, dtype).normal_(0.3, 0.7, generator=theirs))
    assert_same_bits(ours.uniform(size, dtype, -1, 3), empty(size, dtype).uniform_(-1, 3, generator=theirs))


def test_small_normals_share_one_cache_across_dtypes():
    ours, theirs = pair(7)
    for size, dtype in [(3, "float32"), (0, "float32"), (2, "float64"), (33, "float32"), (5, "float16")]:
        assert_same_bits(ours.normal(size, dtype), torch.randn(size, dtype=TORCH[dtype], generator=theirs))
        assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", SEEDS)
def test_other_continuous_distributions(seed, dtype):
    ours, theirs = pair(seed)
    for shape in SHAPES:
        expected = empty(shape, dtype).log_normal_(0.5, 0.2, generator=theirs)
        assert_same_bits(ours.log_normal(shape, dtype, 0.5, 0.2), expected)
        expected = empty(shape, dtype).cauchy_(1.0, 0.2, generator=theirs)
        assert_same_bits(ours.cauchy(shape, dtype, 1.0, 0.2), expected)
    assert_same_stream(ours, theirs)


def torch_uses_portable_streams():
    """False where torch draws `bernoulli_` and `exponential_` from MKL's streams (Intel processors)."""
    generator = torch.Generator().manual_seed(0)
    expected = (torch.rand(100, dtype=torch.float64, generator=generator) < 0.5).double()
    generator.manual_seed(0)
    return torch.equal(torch.empty(100, dtype=torch.float64).bernoulli_(0.5, generator=generator), expected)


portable_streams = pytest.mark.skipif(
    not torch_uses_portable_streams(), reason="torch draws from MKL's streams on this processor"
)


@portable_streams
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", SEEDS)
def test_exponential(seed, dtype):
    ours, theirs = pair(seed)
    for shape in SHAPES:
        for rate in (1.0, 1.7):
            expected = empty(shape, dtype).exponential_(rate, generator=theirs)
            assert_same_bits(ours.exponential(shape, dtype, rate), expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
def test_geometric(seed, dtype):
    ours, theirs = pair(seed)
    for shape in SHAPES:
        expected = empty(shape, dtype).geometric_(0.2, generator=theirs)
        assert_same_bits(ours.geometric(shape, dtype, 0.2), expected)


@pytest.mark.parametrize(
    "bounds",
    [(0, 2), (0, 10), (-50, 60), (0, 127), (3, None), (3, 4)]
    + [(0, n) for n in (2**24, 2**28 - 1, 2**28, 2**28 + 1, 2**31 - 1)]
    + [(0, 2**32 - 1), (0, 2**32 + 1), (-(2**40), 2**40), (0, 2**63 - 1), (-(2**63), 2**63 - 1)]
    + [
        (2**24 - 5, 2**25),
        (2**25 + 1, 2**25 + 2),
        (5, 2**24 + 2),
        (300, None),
        (-(2**25), 2**25 + 3),
        (-(2**63), None),
        (-(2**63) + 1, None),
    ],
)
@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "bool", "uint16", "uint32", "uint64"])
@pytest.mark.filterwarnings("ignore:.*out of bounds.*")
def test_integers(bounds, dtype):
    """Also where torch refuses: then with the same exception and text."""
    if dtype == "uint64" and bounds[1] is None and bounds[0] > 0:
        pytest.skip("torch takes the largest uint64 for -1 and refuses")
    ours, theirs = pair(11)
    for size in (3, 100):
        try:
            expected = empty(size, dtype).random_(*bounds, generator=theirs)
        except (RuntimeError, NotImplementedError) as error:
            with pytest.raises(type(error)) as caught:
                ours.integers(*bounds, size, dtype)
            assert str(caught.value) == str(error)  # noqa: PT017
        else:
            assert_same_bits(ours.integers(*bounds, size, dtype), expected)
            assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "bool"])
@pytest.mark.parametrize("seed", SEEDS)
def test_random(seed, dtype):
    ours, theirs = pair(seed)
    for shape in SHAPES:
        assert_same_bits(ours.random(shape, dtype), empty(shape, dtype).random_(generator=theirs))
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_permutation(seed):
    ours, theirs = pair(seed)
    for n in (0, 1, 2, 3, 15, 16, 17, 100, 1000, 30_000):
        assert_same_bits(ours.permutation(n), torch.randperm(n, generator=theirs))
        assert_same_stream(ours, theirs)


def test_large_permutation_is_the_inside_out_shuffle():
    """The algorithm torch uses from 214748364 elements on, too large to run here, on a few."""
    shuffled = CPUGenerator(3)._large_permutation(50)
    words = CPUGenerator(3)._double_words(50).tolist()
    expected = []
    for index, word in enumerate(words):
        other = word % (index + 1)
        expected.append(index)
        expected[index], expected[other] = expected[other], expected[index]
    assert shuffled.tolist() == expected


@portable_streams
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
@pytest.mark.parametrize("probability", [0.0, 0.3, 0.5, 1.0])
def test_bernoulli(dtype, probability):
    ours, theirs = pair(5)
    for shape in SHAPES:
        expected = empty(shape, dtype).bernoulli_(probability, generator=theirs)
        assert_same_bits(ours.bernoulli(probability, shape, dtype), expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("probability", [0.0, 1.0, 2.0**-53, 1 - 2.0**-53, 0.3, (12345 * 2**32 + 2**31) / 2**53])
def test_pairs_of_words_are_compared_as_their_uniforms_are(probability):
    """Also where the upper 21 bits do not tell, which chance brings about once in two million draws."""
    generator = np.random.default_rng(0)
    words = generator.integers(0, 2**32, 1000, dtype=np.uint32)
    words[0:600:2] = 12345 + (words[0:600:2] & ~np.uint32(2**21 - 1))
    pairs = words.astype(np.uint64)
    unit = (pairs[0::2] % 2**21 * 2**32 + pairs[1::2]) / 2**53
    is_below = np.empty(500, bool)
    compare_pairs(words, probability, is_below)
    assert (is_below == (unit < probability)).all()


@portable_streams
def test_bernoulli_makes_dropout_masks():
    with torch.random.fork_rng():
        torch.manual_seed(9)
        dropped = torch.nn.functional.dropout(torch.ones(4, 50), 0.3)
    mask = CPUGenerator(9).bernoulli(1 - 0.3, (4, 50), np.float32)
    assert_same_bits(mask / np.float32(1 - 0.3), dropped)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", SEEDS)
def test_bernoulli_from(seed, dtype):
    ours, theirs = pair(seed)
    for shape in SHAPES:
        probabilities = ours.uniform(shape, dtype)
        torch.rand(shape, dtype=TORCH[dtype], generator=theirs)
        p = torch.from_numpy(np.array(probabilities))
        assert_same_bits(ours.bernoulli_from(probabilities), torch.bernoulli(p, generator=theirs))
        expected = empty(shape, "int64").bernoulli_(p, generator=theirs)
        assert_same_bits(ours.bernoulli_from(probabilities, np.int64), expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1,), (7,), (0, 4), (3, 9), (200,), (4, 200)])
@pytest.mark.parametrize("num_samples", [1, 2, 7, 300])
@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial(dtype, shape, num_samples, replacement):
    if not replacement and num_samples > shape[-1]:
        pytest.skip("torch refuses, see the errors below")
    if (not replacement or num_samples == 1) and not torch_uses_portable_streams():
        pytest.skip("torch draws exponentials from MKL's streams on this processor")
    ours, theirs = pair(13)
    probabilities = np.random.default_rng(0).random(shape).astype(dtype)
    expected = torch.multinomial(torch.from_numpy(probabilities), num_samples, replacement, generator=theirs)
    assert_same_bits(ours.multinomial(probabilities, num_samples, replacement), expected)
    assert_same_stream(ours, theirs)


def test_multinomial_never_draws_a_zero_probability():
    probabilities = np.array([0.0, 1.0, 0.0, 3.0], np.float32)
    for replacement, num_samples in [(False, 2), (True, 500)]:
        drawn = CPUGenerator(1).multinomial(probabilities, num_samples, replacement)
        assert set(drawn.tolist()) == {1, 3}


# ---- sequences of calls

CALLS = {
    "rand": (
        lambda g, n: g.uniform(n, np.float32),
        lambda g, n: torch.rand(n, generator=g),
    ),
    "uniform64": (
        lambda g, n: g.uniform(n, np.float64, -1, 2),
        lambda g, n: torch.empty(n, dtype=torch.float64).uniform_(-1, 2, generator=g),
    ),
    "randn": (
        lambda g, n: g.normal(n, np.float32),
        lambda g, n: torch.randn(n, generator=g),
    ),
    "normal64": (
        lambda g, n: g.normal(n, np.float64, 1, 2),
        lambda g, n: torch.empty(n, dtype=torch.float64).normal_(1, 2, generator=g),
    ),
    "randint": (
        lambda g, n: g.integers(-3, 100, n, np.int64),
        lambda g, n: torch.randint(-3, 100, (n,), generator=g),
    ),
    "wide": (
        lambda g, n: g.integers(0, 2**40, n, np.int64),
        lambda g, n: torch.randint(0, 2**40, (n,), generator=g),
    ),
    "randperm": (
        lambda g, n: g.permutation(n),
        lambda g, n: torch.randperm(n, generator=g),
    ),
    "bernoulli": (
        lambda g, n: g.bernoulli_from(np.full(n, 0.4, np.float32)),
        lambda g, n: torch.bernoulli(torch.full((n,), 0.4), generator=g),
    ),
    "log_normal": (
        lambda g, n: g.log_normal(n, np.float32),
        lambda g, n: torch.empty(n).log_normal_(generator=g),
    ),
}


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(-(2**63), 2**64 - 1),
    calls=st.lists(st.tuples(st.sampled_from(sorted(CALLS)), st.integers(0, 70)), max_size=12),
)
def test_any_sequence_of_calls(seed, calls):
    ours, theirs = pair(seed)
    for name, size in calls:
        our_call, their_call = CALLS[name]
        assert_same_bits(our_call(ours, size), their_call(theirs, size))
        assert_same_stream(ours, theirs)


# ---- seeds and states


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [0, 1, 7, 623, 624, 625, 5000])
def test_states_are_interchangeable(seed, drawn):
    ours, theirs = pair(seed)
    ours.uniform(drawn, np.float32), torch.rand(drawn, generator=theirs)
    if drawn % 2:
        ours.normal(1, np.float32), torch.randn(1, generator=theirs)  # leaves a cached normal
    assert_same_stream(ours, theirs)
    from_torch, from_ours = CPUGenerator(99), torch.Generator()
    from_torch.set_state(theirs.get_state().numpy())
    from_ours.set_state(torch.from_numpy(ours.get_state()))
    assert from_torch.initial_seed() == from_ours.initial_seed() == ours.initial_seed()
    for size in (3, 700):
        expected = torch.randn(size, generator=theirs)
        assert_same_bits(from_torch.normal(size, np.float32), expected)
        assert torch.equal(torch.randn(size, generator=from_ours), expected)


def test_state_round_trip():
    generator = CPUGenerator(4)
    generator.normal(5, np.float32)
    state = generator.get_state()
    first = generator.normal(50, np.float32)
    state_before = state.copy()
    generator.set_state(state)
    np.testing.assert_array_equal(generator.normal(50, np.float32), first)
    np.testing.assert_array_equal(state, state_before)


def test_seeds():
    assert CPUGenerator().initial_seed() == DEFAULT_SEED == torch.Generator().initial_seed()
    assert CPUGenerator(-1).initial_seed() == torch.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    generator = CPUGenerator(0)
    assert generator.manual_seed(np.int64(3)) is generator
    assert generator.initial_seed() == 3
    chosen = generator.seed()
    assert generator.initial_seed() == chosen
    np.testing.assert_array_equal(generator.uniform(9, np.float32), CPUGenerator(chosen).uniform(9, np.float32))
    assert generator.seed() != chosen


def test_manual_seed_forgets_the_cached_normal():
    generator = CPUGenerator(0)
    generator.normal(1, np.float32)
    generator.manual_seed(0)
    np.testing.assert_array_equal(generator.normal(3, np.float32), CPUGenerator(0).normal(3, np.float32))


def test_threads_share_one_stream():
    generator = CPUGenerator(0)
    drawn = []

    def draw():
        drawn.extend(generator.uniform(100, np.float64) for _ in range(50))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = CPUGenerator(0).uniform((200, 100), np.float64)
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, expected))


# ---- errors

ERRORS = {
    "seed too large": (lambda g: g.manual_seed(2**64), lambda g: g.manual_seed(2**64)),
    "seed too small": (lambda g: g.manual_seed(-(2**63) - 1), lambda g: g.manual_seed(-(2**63) - 1)),
    "seed float": (lambda g: g.manual_seed(1.5), lambda g: g.manual_seed(1.5)),
    "seed bool": (lambda g: g.manual_seed(True), lambda g: g.manual_seed(True)),
    "state size": (
        lambda g: g.set_state(np.zeros(3, np.uint8)),
        lambda g: g.set_state(torch.zeros(3, dtype=torch.uint8)),
    ),
    "state content": (
        lambda g: g.set_state(np.zeros(5056, np.uint8)),
        lambda g: g.set_state(torch.zeros(5056, dtype=torch.uint8)),
    ),
    "state dtype": (
        lambda g: g.set_state(np.zeros(5056, np.float32)),
        lambda g: g.set_state(torch.zeros(5056)),
    ),
    "permutation": (lambda g: g.permutation(-1), lambda g: torch.randperm(-1)),
}
ERRORS |= {
    f"uniform {low} {high} {dtype}": (
        lambda g, low=low, high=high, dtype=dtype: g.uniform(4, dtype, low, high),
        lambda g, low=low, high=high, dtype=dtype: empty(4, dtype).uniform_(low, high),
    )
    for low, high, dtype in [
        (3, 1, "float32"),
        (0, math.inf, "float32"),
        (math.nan, 1, "float16"),
        (-3e38, 3e38, "float32"),
        (0, 1, "int64"),
    ]
}
ERRORS |= {
    f"{ours} {arguments} {dtype}": (
        lambda g, ours=ours, arguments=arguments, dtype=dtype: getattr(g, ours)(4, dtype, *arguments),
        lambda g, ours=ours, arguments=arguments, dtype=dtype: getattr(empty(4, dtype), ours + "_")(*arguments),
    )
    for ours, arguments, dtype in [
        ("normal", (0, -1), "float32"),
        ("normal", (0, math.nan), "float32"),
        ("normal", (), "int64"),
        ("exponential", (0,), "float32"),
        ("exponential", (-1.5,), "float64"),
        ("exponential", (), "int64"),
        ("log_normal", (0, -1), "float32"),
        ("log_normal", (), "int64"),
        ("cauchy", (0, -1), "float32"),
        ("geometric", (0,), "float32"),
        ("geometric", (1,), "float32"),
        ("random", (), "uint16"),
    ]
}
ERRORS |= {
    f"bernoulli {p}": (
        lambda g, p=p: g.bernoulli(p, 4, np.float32),
        lambda g, p=p: torch.empty(4).bernoulli_(p),
    )
    for p in (1.5, -0.1, math.nan)
}
ERRORS |= {
    f"multinomial {p} {arguments}": (
        lambda g, p=p, arguments=arguments: g.multinomial(np.array(p), *arguments),
        lambda g, p=p, arguments=arguments: torch.multinomial(torch.from_numpy(np.array(p)), *arguments),
    )
    for p, arguments in [
        ([1.0, 2.0], (3,)),
        ([1.0, 2.0], (0,)),
        ([1, 2], (1,)),
        (1.0, (1,)),
        ([[[1.0]]], (1,)),
        ([], (1,)),
        ([1.0, -2.0], (1,)),
        ([1.0, -2.0], (3, True)),
        ([math.nan, 0.0], (1,)),
        ([math.nan, 0.0], (3, True)),
        ([math.inf, 0.0], (3, True)),
        ([0.0, 0.0], (1,)),
        ([0.0, 0.0], (2,)),
        ([0.0, 0.0], (2, True)),
    ]
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_those_of_torch(name):
    ours, theirs = ERRORS[name]
    with pytest.raises(Exception) as expected:  # noqa: PT011
        theirs(torch.Generator())
    with pytest.raises(expected.type) as caught:
        ours(CPUGenerator(0))
    assert str(caught.value) == str(expected.value)


@pytest.mark.parametrize("p", [1.5, -0.1, math.nan])
def test_bernoulli_from_refuses(p):
    with pytest.raises(RuntimeError, match="Expected p_in >= 0 && p_in <= 1 to be true, but got false"):
        CPUGenerator(0).bernoulli_from(np.array([0.5, p]))
    with pytest.raises(NotImplementedError, match="bernoulli_tensor_cpu_p_"):
        CPUGenerator(0).bernoulli_from(np.array([1, 0]))


# ---- arithmetic


@given(*[st.floats(-1e10, 1e10, allow_subnormal=False)] * 3)
def test_fused_multiply_add_rounds_once(a, b, c):
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if 0 < abs(exact) < 1e-250 or 0 < abs(a * b) < 1e-250:
        return  # the error terms would be below the smallest number
    assert fused_multiply_add(np.array([a]), b, c)[0] == float(exact)


def test_no_warnings_escape():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        generator = CPUGenerator(0)
        generator.multinomial(np.array([0.0, 1.0], np.float32), 1)
        generator.integers(-(2**63), 2**63 - 1, 100, np.int64)
        generator.geometric(100, np.int64, 0.5)
        generator.normal(1000, np.float32)
