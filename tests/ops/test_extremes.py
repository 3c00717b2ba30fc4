"""max, min, amax, amin, aminmax, argmax, argmin."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from reference import reduction as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape
from tests.ops.test_reduction import OF_A_NUMBER, OUT_OF_RANGE, TWICE, draw_dims

INTEGERS = ("int64", "int32", "uint8")
NAN = float("nan")


def draw_distinct(draw: Draw) -> tuple[int, ...]:
    return draw_shape(draw, min_size=1)


def amax_samples(draw: Draw) -> Sample:
    shape = draw_distinct(draw)
    return Sample(Spec(shape, distinct=True), draw_dims(draw, len(shape)), draw(st.booleans()))


def along_samples(draw: Draw) -> Sample:
    shape = draw_distinct(draw)
    return Sample(Spec(shape, distinct=True), draw_dim(draw, len(shape)), draw(st.booleans()))


def max_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_distinct(draw), distinct=True)) if draw(st.booleans()) else along_samples(draw)


def aminmax_samples(draw: Draw) -> Sample:
    shape = draw_distinct(draw)
    dim = draw(st.one_of(st.none(), st.just(draw_dim(draw, len(shape)))))
    return Sample(Spec(shape, distinct=True), dim=dim, keepdim=draw(st.booleans()))


def arg_samples(draw: Draw) -> Sample:
    shape = draw_distinct(draw)
    dim = draw(st.one_of(st.none(), st.just(draw_dim(draw, len(shape)))))
    return Sample(Spec(shape), dim, draw(st.booleans()))


D = {"distinct": True}
TINY = [Sample(Spec((2, 3), **D), 1), Sample(Spec((2, 3), **D), 0, True), Sample(Spec((2, 3), **D))]
EMPTY = Spec((0, 3))


def nothing(name: str, of_all: type[Exception] = RuntimeError) -> list[ErrorCase]:
    return [
        ErrorCase(
            Sample(EMPTY), of_all, rf"{name}\(\): Expected reduction dim to be specified for input.numel\(\) == 0"
        ),
        ErrorCase(Sample(EMPTY, 0), IndexError, rf"{name}\(\): Expected reduction dim 0 to have non-zero size"),
    ]


class TestExtremes(OpContract):
    declarations = [
        *[
            Declaration(
                name,
                amax_samples,
                tiny=[Sample(Spec((2, 3), **D), (0, 1)), Sample(Spec((2, 3), **D), 1, True)],
                errors=[OUT_OF_RANGE, TWICE, *nothing(name)],
                integer_dtypes=(*INTEGERS, "bool"),
            )
            for name in ("amax", "amin")
        ],
        *[
            Declaration(
                name,
                max_samples,
                reference=getattr(reference, name),
                tiny=TINY,
                errors=[OUT_OF_RANGE, OF_A_NUMBER, *nothing(name), ErrorCase(Sample(Spec((2,)), (0,)), TypeError)],
                integer_dtypes=(*INTEGERS, "bool"),
            )
            for name in ("max", "min")
        ],
        Declaration(
            "aminmax",
            aminmax_samples,
            tiny=[Sample(Spec((2, 3), **D), dim=1), Sample(Spec((2, 3), **D))],
            errors=[
                ErrorCase(Sample(EMPTY), RuntimeError, "cannot compute aminmax over an empty dimension"),
                ErrorCase(Sample(EMPTY, dim=0), IndexError, "aminmax: Expected reduction dim 0 to have non-zero size"),
            ],
            integer_dtypes=INTEGERS,
        ),
        *[
            Declaration(
                name,
                arg_samples,
                reference=getattr(reference, name),
                tiny=TINY,
                errors=[
                    OUT_OF_RANGE,
                    *nothing(name, IndexError),
                    ErrorCase(Sample(Spec((2,), "bool")), RuntimeError, "does not support bool input"),
                    ErrorCase(Sample(Spec((2, 2)), (0, 1)), TypeError),
                ],
                integer_dtypes=INTEGERS,
                differentiable=False,
            )
            for name in ("argmax", "argmin")
        ],
    ]

    @pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "argmax", "argmin", "aminmax"])
    @pytest.mark.parametrize("values", [[[1.0, NAN, 3.0], [2.0, 2.0, 1.0]], [[NAN, NAN], [1.0, 1.0]], [[0.0, -0.0]]])
    def test_nans_and_ties(self, name: str, values: Any) -> None:
        array = numpy.array(values)
        for options in ({}, {"dim": 0}, {"dim": 1}):
            results = []
            for package, x in ((minitorch, to_ours(array, True)), (oracle, to_torch(array, True))):
                found = getattr(package, name)(x, **options)
                found = found if isinstance(found, tuple) else (found,)
                if found[0].requires_grad:
                    sum((each * each).sum() for each in found if each.requires_grad).backward()
                results.append((*found, *([x.grad] if x.grad is not None else [])))
            assert len(results[0]) == len(results[1])
            for ours, theirs in zip(*results):
                assert_equal(ours, theirs)

    @pytest.mark.parametrize("name", ["max", "min"])
    def test_two_tensors(self, name: str) -> None:
        a, b = numpy.array([1.0, 5.0]), numpy.array([[3.0], [2.0]])
        expected = getattr(oracle, name)(to_torch(a), to_torch(b))
        assert_equal(getattr(minitorch, name)(to_ours(a), to_ours(b)), expected)
        assert_equal(getattr(to_ours(a), name)(to_ours(b)), expected)
        assert_equal(getattr(minitorch, name)(to_ours(a), other=to_ours(b)), expected)

    @pytest.mark.parametrize(
        ("name", "options"), [("max", {"dim": 1}), ("min", {"dim": 0, "keepdim": True}), ("aminmax", {})]
    )
    def test_named_tuples_print_as_torchs(self, name: str, options: Any) -> None:
        values = [[1.0, 3.0], [2.0, 0.0]]
        ours = getattr(minitorch, name)(minitorch.tensor(values), **options)
        assert repr(ours) == repr(getattr(oracle, name)(oracle.tensor(values), **options))
        first, second = ours
        assert first is ours[0]
        assert second is getattr(ours, ours._fields[1])

    def test_out(self) -> None:
        x = minitorch.tensor([[1.0, 3.0], [2.0, 0.0]])
        values, indices = minitorch.zeros(2), minitorch.zeros(2, dtype=minitorch.int64)
        minitorch.max(x, 1, out=(values, indices))
        assert (values.tolist(), indices.tolist()) == ([3.0, 2.0], [1, 0])
        number = minitorch.zeros(())
        assert minitorch.amin(x, out=number) is number
        assert number.item() == 0
        with pytest.raises(RuntimeError, match="got Float for input's dtype and Double for out's dtype"):
            minitorch.amax(x, 0, out=minitorch.zeros(2, dtype=minitorch.float64))

    def test_indices_are_watched(self) -> None:
        x = minitorch.ones(2, 3, requires_grad=True)
        values, indices = x.max(1)
        indices.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            values.sum().backward()

    def test_empty_along_another_dimension(self) -> None:
        for name in ("max", "amax", "argmax"):
            ours = getattr(minitorch, name)(minitorch.zeros(0, 3), 1)
            theirs = getattr(oracle, name)(oracle.zeros(0, 3), 1)
            for actual, expected in zip(*[(each if isinstance(each, tuple) else (each,)) for each in (ours, theirs)]):
                assert_equal(actual, expected)

    def test_names_of_the_nodes(self) -> None:
        x = minitorch.ones(2, 3, requires_grad=True)
        found = [y.grad_fn.name() for y in (x.max(), x.max(0)[0], x.min(), x.amax(0))]
        assert found == ["MaxBackward1", "MaxBackward0", "MinBackward1", "AmaxBackward0"]
