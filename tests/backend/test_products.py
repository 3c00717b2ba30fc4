"""Matrix products cut into strips and shares equal products in one piece."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from minitorch.backend import products, threads

SHAPES = [
    ((40, 3), (3, 50)),  # narrow times flat
    ((3, 40), (40, 50)),  # few rows
    ((60, 50), (50, 70)),
    ((90, 50), (50, 20)),
    ((4, 5, 6), (4, 6, 7)),
]


@pytest.mark.parametrize("is_transposed", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("shapes", SHAPES)
def test_product(monkeypatch: Any, shapes: Any, count: int, is_transposed: bool) -> None:
    monkeypatch.setattr(threads, "_requested", count)
    for name, value in (("LEAST_FLOP", 100.0), ("_LARGE", 1000), ("_THIN", 4), ("_STRIP", 7)):
        monkeypatch.setattr(products, name, value)
    generator = numpy.random.default_rng(0)
    a, b = (generator.normal(size=shape) for shape in shapes)
    if is_transposed:
        a, b = (numpy.ascontiguousarray(each.swapaxes(-1, -2)).swapaxes(-1, -2) for each in (a, b))
    product = products.matrix_product(a, b)
    assert product.flags.c_contiguous
    numpy.testing.assert_allclose(product, numpy.einsum("...ij,...jk->...ik", a, b), 1e-12, 1e-12)
