"""sort, argsort, msort, topk, kthvalue, mode."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape
from tests.ops.test_reduction import INTEGERS, OF_A_NUMBER, OUT_OF_RANGE

NAN = float("nan")
D = {"distinct": True}


def sort_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3)
    stable = draw(st.sampled_from([{}, {"stable": True}, {"stable": False}]))
    return Sample(Spec(shape, **D), dim=draw_dim(draw, len(shape)), descending=draw(st.booleans()), **stable)


def topk_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3)
    dim = draw_dim(draw, len(shape))
    k = draw(st.integers(0, shape[dim] if shape else 1))
    return Sample(Spec(shape, **D), k, dim, draw(st.booleans()))


def kthvalue_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3, min_size=1)
    dim = draw_dim(draw, len(shape))
    k = draw(st.integers(1, shape[dim] if shape else 1))
    return Sample(Spec(shape, **D), k, dim, draw(st.booleans()))


def mode_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3, min_size=1)
    values = numpy.random.default_rng(draw(st.integers(0, 99))).integers(0, 3, shape)
    return Sample(Spec(values=values), draw_dim(draw, len(shape)), draw(st.booleans()))


class TestSorting(OpContract):
    declarations = [
        Declaration(
            "sort",
            sort_samples,
            tiny=[Sample(Spec((2, 3), **D)), Sample(Spec((3, 2), **D), 0, True)],
            errors=[OUT_OF_RANGE, OF_A_NUMBER],
        ),
        Declaration("argsort", sort_samples, errors=[OUT_OF_RANGE], differentiable=False),
        Declaration("msort", lambda draw: Sample(Spec(draw_shape(draw), **D)), tiny=[Sample(Spec((3, 2), **D))]),
        Declaration(
            "topk",
            topk_samples,
            tiny=[Sample(Spec((2, 3), **D), 2), Sample(Spec((3, 2), **D), 1, 0, False)],
            errors=[
                ErrorCase(Sample(Spec((2, 3)), 4), RuntimeError, "selected index k out of range"),
                ErrorCase(Sample(Spec((2, 3)), -1), RuntimeError, "selected index k out of range"),
                ErrorCase(Sample(Spec((2, 3)), 1, 2), IndexError, "Dimension out of range"),
                ErrorCase(Sample(Spec((2,), "bool"), 1), RuntimeError, "topk does not support bool"),
            ],
        ),
        Declaration(
            "kthvalue",
            kthvalue_samples,
            tiny=[Sample(Spec((2, 3), **D), 2), Sample(Spec((3, 2), **D), 1, 0, True)],
            errors=[
                ErrorCase(Sample(Spec((2, 3)), 4), RuntimeError, "selected number k out of range for dimension 1"),
                ErrorCase(Sample(Spec((2, 3)), 0), RuntimeError, "selected number k out of range for dimension 1"),
            ],
        ),
        Declaration(
            "mode",
            mode_samples,
            tiny=[Sample(Spec((2, 3), **D)), Sample(Spec((2, 3), **D), 0, True)],
            errors=[OUT_OF_RANGE, ErrorCase(Sample(Spec((0, 3)), 0), IndexError, "dim 0 to have non-zero size")],
            integer_dtypes=("int64", "uint8"),
        ),
    ]

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("dtype", ["float64", "float16", *INTEGERS])
    def test_equals_keep_their_order(self, descending: bool, dtype: str) -> None:
        values = numpy.random.default_rng(0).integers(0, 4, (3, 40)).astype(dtype)
        for dim in (0, 1):
            ours = minitorch.sort(to_ours(values), dim, descending)
            theirs = oracle.sort(to_torch(values), dim=dim, descending=descending, stable=True)
            assert_equal(ours.values, theirs.values)
            assert_equal(ours.indices, theirs.indices)
            assert_equal(minitorch.argsort(to_ours(values), dim, descending), theirs.indices)

    @pytest.mark.parametrize("descending", [False, True])
    def test_nan_is_the_largest(self, descending: bool) -> None:
        values = numpy.array([[1.0, NAN, 3.0], [NAN, NAN, 2.0], [numpy.inf, NAN, -numpy.inf]])
        ours = minitorch.sort(to_ours(values), descending=descending)
        theirs = oracle.sort(to_torch(values), descending=descending, stable=True)
        assert_equal(ours.values, theirs.values)
        assert_equal(ours.indices, theirs.indices)
        assert_equal(
            minitorch.topk(to_ours(values), 2, largest=descending).values,
            oracle.topk(to_torch(values), 2, largest=descending).values,
        )
        for k in (1, 2, 3):
            assert_equal(minitorch.kthvalue(to_ours(values), k).values, oracle.kthvalue(to_torch(values), k).values)

    def test_of_equals_topk_and_kthvalue_take_the_first(self) -> None:
        x = minitorch.tensor([2.0, 1.0, 2.0, 1.0, 2.0])
        assert x.topk(2).indices.tolist() == [0, 2]
        assert x.topk(2, largest=False).indices.tolist() == [1, 3]
        assert x.kthvalue(1).indices.item() == 1

    def test_topk_values_with_ties_equal_torchs(self) -> None:
        values = numpy.random.default_rng(0).integers(0, 4, (3, 40))
        for largest in (True, False):
            ours = minitorch.topk(to_ours(values), 9, largest=largest)
            assert_equal(ours.values, oracle.topk(to_torch(values), 9, largest=largest).values)
            assert_equal(minitorch.gather(to_ours(values), 1, ours.indices), oracle.from_numpy(ours.values.numpy()))

    @pytest.mark.parametrize(
        ("name", "args"), [("sort", ()), ("topk", (2,)), ("kthvalue", (2,)), ("mode", ()), ("sort", (0, True))]
    )
    def test_named_tuples_print_as_torchs(self, name: str, args: Any) -> None:
        values = [[1.0, 3.0, 2.0], [2.0, 0.0, 7.0]]
        ours = getattr(minitorch.tensor(values), name)(*args)
        assert repr(ours) == repr(getattr(oracle.tensor(values), name)(*args))

    def test_out(self) -> None:
        x = minitorch.tensor([3.0, 1.0, 2.0])
        for name, args in (("sort", ()), ("topk", (3,))):
            values, indices = minitorch.zeros(3), minitorch.zeros(3, dtype=minitorch.int64)
            found = getattr(minitorch, name)(x, *args, out=(values, indices))
            assert found[0] is values
            assert x[indices].tolist() == values.tolist()

    def test_names_of_the_nodes(self) -> None:
        x = minitorch.ones(2, 3, requires_grad=True)
        found = [y[0].grad_fn.name() for y in (x.sort(), x.sort(stable=True), x.topk(1), x.kthvalue(1), x.mode())]
        assert found == ["SortBackward0", "SortBackward1", "TopkBackward0", "KthvalueBackward0", "ModeBackward0"]
