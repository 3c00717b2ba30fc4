"""Random numbers from a counter: Philox4x32-10, and the samples that a GPU's generator makes of its words.

Numbers have a place: the seed, the offset of the draw, and the index of the element. Nothing else matters, so that any
of them can be computed at any time.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011; Box and Muller, "A note on
the generation of random normal deviates", 1958; Lemire, "Fast random integer generation in an interval", 2019.
"""

import math

import numpy as np

WORD = 1 << 32


def philox(counter, key):
    """Four words of 32 bits for a counter of four words and a key of two, each the lowest word first.

    Ten rounds: two words are multiplied, the halves of the products are mixed with the others and with the key.
    """
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (second // WORD) ^ b ^ k, second % WORD, (first // WORD) ^ d ^ m, first % WORD
        k, m = (k + 0x9E3779B9) % WORD, (m + 0xBB67AE85) % WORD
    return a, b, c, d


def words(seed, offset, count):
    """Words of 32 bits: four from each of the counters (0, offset), (1, offset), …"""
    key = seed % WORD, seed // WORD
    made = []
    for index in range(-(-count // 4)):
        made += philox((index % WORD, index // WORD, offset % WORD, offset // WORD), key)
    return made[:count]


def wide_words(seed, offset, count):
    """Words of 64 bits: two of 32 bits each, the first one high."""
    halves = words(seed, offset, 2 * count)
    return [high * WORD + low for high, low in zip(halves[0::2], halves[1::2])]


def closed_unit(seed, offset, count, dtype):
    """Multiples of 2⁻²⁴ (float64: 2⁻⁵³) in [0, 1), from words of 32 (64) bits."""
    if dtype == np.float64:
        return [np.float64((word >> 11) / 2**53) for word in wide_words(seed, offset, count)]
    return [np.float32((word >> 8) / 2**24) for word in words(seed, offset, count)]


def open_unit(seed, offset, count, dtype):
    """Numbers in (0, 1): the middle of the interval that a word stands for, rounded, but never to 1."""
    if dtype == np.float64:
        return [
            min(unit + np.float64(2.0**-54), np.float64(1 - 2.0**-53))
            for unit in closed_unit(seed, offset, count, dtype)
        ]
    middles = [(np.float32(word) + np.float32(0.5)) * np.float32(2.0**-32) for word in words(seed, offset, count)]
    return [min(middle, np.float32(1 - 2.0**-24)) for middle in middles]


def uniform(seed, offset, count, dtype, low=0.0, high=1.0):
    """low + u · (high − low), rounded after each operation (float16 at last); what rounding makes `high` is `low`."""
    wide = _wide(dtype)
    low, high = wide(low), wide(high)
    samples = [dtype(unit * (high - low) + low) for unit in closed_unit(seed, offset, count, dtype)]
    return np.array([value if value < dtype(high) else dtype(low) for value in samples], dtype)


def normal(seed, offset, count, dtype, mean=0.0, std=1.0):
    """mean + std · z. Two uniform numbers make two z: √(−2 log u₁) · cos 2πu₂ and √(−2 log u₁) · sin 2πu₂."""
    even, wide = count + count % 2, _wide(dtype)
    radii, turns = open_unit(seed, offset, even, dtype)[0::2], closed_unit(seed, offset, even, dtype)[1::2]
    samples = []
    for u, turn in zip(radii, turns):
        radius = math.sqrt(-2 * math.log(u))
        for part in cosine_and_sine(turn):
            samples.append(dtype(wide(radius * part) * wide(std) + wide(mean)))
    return np.array(samples[:count], dtype)


def cosine_and_sine(turns):
    """cos 2πt and sin 2πt; the quarter turns are taken off before anything is rounded."""
    quarters = round(4 * float(turns))
    rest = 2 * math.pi * (float(turns) - quarters / 4)
    cosine, sine = math.cos(rest), math.sin(rest)
    return [(cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine)][quarters % 4]


def log_normal(seed, offset, count, dtype, mean=1.0, std=2.0):
    """exp(mean + std · z); float16 is rounded at last."""
    samples = normal(seed, offset, count, _wide(dtype), mean, std)
    return np.array([dtype(math.exp(value)) for value in samples], dtype)


def exponential(seed, offset, count, dtype, rate=1.0):
    """−log(u) / rate."""
    return np.array([dtype(-math.log(u) / rate) for u in open_unit(seed, offset, count, dtype)], dtype)


def cauchy(seed, offset, count, dtype, median=0.0, sigma=1.0):
    """median + sigma · tan(π(u − ½)), which is median − sigma · cos πu / sin πu."""
    samples = []
    for u in open_unit(seed, offset, count, dtype):
        cosine, sine = cosine_and_sine(u / 2)
        samples.append(dtype(median - sigma * cosine / sine))
    return np.array(samples, dtype)


def geometric(seed, offset, count, probability):
    """⌈log u / log(1 − probability)⌉, at least 1, with float64 u."""
    units = open_unit(seed, offset, count, np.float64)
    return np.array([max(math.ceil(math.log(u) / math.log1p(-probability)), 1) for u in units])


def bernoulli(seed, offset, count, probability):
    """Whether a word of 32 bits is below its share, probability · 2³²."""
    return np.array([word < round(probability * WORD) for word in words(seed, offset, count)])


def bernoulli_from(seed, offset, probabilities):
    """Whether a float64 uniform is below the probability of its element; row after row."""
    units = closed_unit(seed, offset, probabilities.size, np.float64)
    return np.array([u < p for u, p in zip(units, probabilities.ravel())]).reshape(probabilities.shape)


def integers(seed, offset, count, low, high):
    """low + ⌊word · size / 2⁶⁴⌋ with size = high − low; from a size above 2³² on, with words of 128 bits.

    Returns Python integers. All are equally probable, but for less than one part in 2³².
    """
    size = high - low
    if size <= WORD:
        return [low + (word * size >> 64) for word in wide_words(seed, offset, count)]
    halves = wide_words(seed, offset, 2 * count)
    return [low + ((first * 2**64 + second) * size >> 128) for first, second in zip(halves[0::2], halves[1::2])]


def categories(seed, offset, cumulative, samples):
    """For each row of cumulative sums, `samples` times the first category with a sum above u · total."""
    rows = np.atleast_2d(cumulative)
    units = iter(closed_unit(seed, offset, len(rows) * samples, np.float64))
    chosen = np.zeros((len(rows), samples), np.int64)
    for row in range(len(rows)):
        for sample in range(samples):
            wanted = next(units) * rows[row, -1]
            chosen[row, sample] = min(k for k in range(rows.shape[1]) if rows[row, k] > wanted)
    return chosen.reshape(*cumulative.shape[:-1], samples)


def _wide(dtype):
    """The type of the formulas: float16 is computed in float32."""
    return np.float64 if dtype == np.float64 else np.float32
