"""Rounding against torch; see ``tests/harness/contract.py`` and ``tests/harness/unary_laws.py``."""

from __future__ import annotations

from typing import ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import as_numpy
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape, unary
from tests.harness.unary_laws import UnaryLaws

INTEGERS = ("int64", "int32", "int8", "uint8")
WHOLE = (-2.0, -1.0, 0.0, 1.0, 2.0)
HALVES = (-1.5, -0.5, 0.5, 1.5)
HALF_AT = numpy.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 1e15 + 0.5])


def refused(dtype: str, kernel: str, name: str, **options: int) -> ErrorCase:
    return ErrorCase(
        Sample(Spec((2,), dtype), **options), NotImplementedError, f"\"{kernel}\" not implemented for '{name}'"
    )


def round_samples(draw: Draw) -> Sample:
    decimals = draw(st.sampled_from([0, 1, 3, -1]))
    kinks = HALVES if decimals == 0 else ()
    return Sample(Spec(draw_shape(draw), kinks=kinks, low=-30 if decimals < 0 else -2), decimals=decimals)


def whole(name: str, kernel: str) -> Declaration:
    tiny = [Sample(Spec((2, 3), kinks=WHOLE))]
    errors = [refused("bool", kernel, "Bool")]
    return Declaration(name, unary(kinks=WHOLE), tiny=tiny, errors=errors, integer_dtypes=INTEGERS)


class TestRounding(UnaryLaws, OpContract):
    declarations: ClassVar = [
        whole("floor", "floor_vml_cpu"),
        whole("ceil", "ceil_vml_cpu"),
        whole("trunc", "trunc_vml_cpu"),
        whole("fix", "trunc_vml_cpu"),
        Declaration(
            "round",
            round_samples,
            tiny=[Sample(Spec((2, 3), kinks=HALVES))],
            errors=[
                refused("bool", "round_vml_cpu", "Bool"),
                refused("int64", "round_cpu", "Long", decimals=1),
            ],
        ),
        Declaration(
            "frac",
            unary(kinks=WHOLE),
            tiny=[Sample(Spec((2, 3), kinks=WHOLE))],
            errors=[refused("int64", "frac_cpu", "Long"), refused("bool", "frac_cpu", "Bool")],
        ),
    ]

    @pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "frac"])
    def test_halves_and_whole_numbers(self, name: str) -> None:
        for values in (HALF_AT, numpy.array([-2.0, -0.0, 0.0, 5.0])):
            expected = getattr(oracle, name)(oracle.from_numpy(values))
            actual = getattr(minitorch, name)(minitorch.from_numpy(values))
            numpy.testing.assert_array_equal(as_numpy(actual), as_numpy(expected))

    @pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 2, 4])
    def test_halves_of_a_decimal(self, decimals: int) -> None:
        values = numpy.array([125.25, 135.0, 145.0, -2.675, 0.125, 0.00015], "float32")
        expected = oracle.round(oracle.from_numpy(values), decimals=decimals)
        actual = minitorch.round(minitorch.from_numpy(values), decimals=decimals)
        numpy.testing.assert_array_equal(as_numpy(actual), as_numpy(expected))

    @pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round"])
    @pytest.mark.parametrize("dtype", INTEGERS)
    def test_integers_come_back_as_a_copy(self, name: str, dtype: str) -> None:
        x = minitorch.tensor([1, 2, 3], dtype=getattr(minitorch, dtype))
        y = getattr(minitorch, name)(x)
        assert y.dtype is x.dtype
        y[0] = 9
        assert x.tolist() == [1, 2, 3]

    def test_parts_add_up(self) -> None:
        x = minitorch.tensor([-2.75, -0.5, 0.25, 3.5])
        assert (minitorch.trunc(x) + minitorch.frac(x)).tolist() == x.tolist()
