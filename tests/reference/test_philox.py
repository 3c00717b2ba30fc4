import math

import numpy as np
import pytest

from reference import philox

WORD = 1 << 32
# counter and key (lowest words first), and the four words that come out, as published with the generator (Random123)
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((WORD - 1,) * 4, (WORD - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_known_answers(counter, key, words):
    assert philox.philox(counter, key) == words


def test_words_have_their_place():
    seed, offset = 0xA4093822 + (0x299F31D0 << 32), 0x13198A2E + (0x03707344 << 32)
    assert (
        philox.words(seed, offset, 3)
        == list(philox.philox((0, 0, 0x13198A2E, 0x03707344), (seed % WORD, seed >> 32)))[:3]
    )
    first, second = philox.words(seed, offset, 2)
    assert philox.wide_words(seed, offset, 1) == [first << 32 | second]


@pytest.mark.parametrize("turns", [k / 16 for k in range(17)] + [1e-9, 0.25 + 2**-50, 0.5 - 2**-50])
def test_cosine_and_sine(turns):
    cosine, sine = philox.cosine_and_sine(turns)
    assert abs(cosine - math.cos(2 * math.pi * turns)) < 1e-15
    assert abs(sine - math.sin(2 * math.pi * turns)) < 1e-15
    assert (cosine == 0) == (turns in (0.25, 0.75))


def test_units_stay_within_their_interval(monkeypatch):
    """At both ends, where all bits of the words are equal."""
    for word, closed, open_end in ((0, 0, 2.0**-33), (WORD - 1, 1 - 2.0**-24, 1 - 2.0**-24)):
        monkeypatch.setattr(philox, "words", lambda seed, offset, count, word=word: [word] * count)
        assert philox.closed_unit(0, 0, 1, np.float32) == [closed]
        assert philox.open_unit(0, 0, 1, np.float32) == [open_end]
        (middle,) = philox.open_unit(0, 0, 1, np.float64)
        assert 0 < middle < 1
        assert philox.integers(0, 0, 1, -5, 7) == [-5 if word == 0 else 6]
        assert philox.integers(0, 0, 1, -(2**63), 2**63) == [-(2**63) if word == 0 else 2**63 - 1]
        assert philox.uniform(0, 0, 1, np.float16, 1, 2) == 1, "rounded, 2 - 2**-24 would be 2"
        assert np.isfinite(philox.normal(0, 0, 2, np.float32)).all()


def test_categories_without_probability_are_never_drawn():
    cumulative = np.array([[0.0, 1.0, 1.0, 3.0, 3.0], [2.0, 2.0, 2.0, 2.0, 2.0]])
    drawn = philox.categories(1, 0, cumulative, 50)
    assert set(drawn[0].tolist()) == {1, 3}
    assert set(drawn[1].tolist()) == {0}
