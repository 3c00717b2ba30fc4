"""Matrix products cut into tiles, strips and shares equal products in one piece."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from minitorch.backend import products, threads

SHAPES = [
    ((40, 3), (3, 50)),  # narrow times flat
    ((3, 40), (40, 50)),  # few rows: of a transposed matrix tiles, else …
    ((10, 40), (40, 50)),  # … strips
    ((16, 10), (10, 66)),  # some more rows: turned, …
    ((20, 12), (12, 85)),  # … and made longer
    ((37, 40), (40, 75)),
    ((60, 50), (50, 70)),
    ((90, 50), (50, 20)),
    ((4, 5, 6), (4, 6, 7)),
]


@pytest.mark.parametrize("long", [1, 100])
@pytest.mark.parametrize("is_transposed", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("shapes", SHAPES)
def test_product(monkeypatch: Any, shapes: Any, count: int, is_transposed: bool, long: int) -> None:
    monkeypatch.setattr(threads, "_requested", count)
    sizes = {"_LARGE": 1000, "_THIN": 11, "_UNPACKED": 900, "_TILE_COLUMNS": 17, "_STRIP_ROWS": 7, "_STRIP_COLUMNS": 9}
    for name, value in {**sizes, "LEAST_FLOP": 100.0, "_LONG": long}.items():
        monkeypatch.setattr(products, name, value)
    generator = numpy.random.default_rng(0)
    a, b = (generator.normal(size=shape) for shape in shapes)
    if is_transposed:
        a, b = (numpy.ascontiguousarray(each.swapaxes(-1, -2)).swapaxes(-1, -2) for each in (a, b))
    product = products.matrix_product(a, b)
    assert product.flags.c_contiguous
    numpy.testing.assert_allclose(product, numpy.einsum("...ij,...jk->...ik", a, b), 1e-12, 1e-12)
