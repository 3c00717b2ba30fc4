"""Functions of one operand against torch; see ``tests/harness/contract.py`` and ``tests/harness/unary_laws.py``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from reference import elementwise as reference
from tests.harness.compare import as_numpy
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, unary
from tests.harness.unary_laws import UnaryLaws

INTEGERS = ("int64", "int32", "int8", "uint8", "bool")
POSITIVE = {"low": 0.1, "high": 3.0}


def no_bool(kernel: str) -> ErrorCase:
    return ErrorCase(Sample(Spec((2,), "bool")), NotImplementedError, f"\"{kernel}\" not implemented for 'Bool'")


def nan_to_num_samples(draw: Draw) -> Sample:
    options = {"nan": draw(st.sampled_from([None, 0.0, 1.5])), "posinf": draw(st.sampled_from([None, 7.0]))}
    shape = draw(st.sampled_from([(0,), (4,), (2, 2)]))
    pool = [1.0, float("nan"), float("inf"), -float("inf"), -2.5]
    values = [draw(st.sampled_from(pool)) for _ in range(int(numpy.prod(shape)))]
    return Sample(Spec(shape, values=numpy.reshape(values, shape)), **options)


class TestElementwise(UnaryLaws, OpContract):
    declarations: ClassVar = [
        Declaration(
            "abs",
            unary(kinks=(0.0,)),
            reference=reference.abs,
            tiny=[Sample(Spec((2, 3), kinks=(0.0,))), Sample(Spec((), kinks=(0.0,)))],
            errors=[no_bool("abs_cpu")],
            integer_dtypes=INTEGERS[:-1],
        ),
        Declaration(
            "absolute",
            unary(kinks=(0.0,)),
            tiny=[Sample(Spec((3,), kinks=(0.0,)))],
            errors=[no_bool("abs_cpu")],
        ),
        Declaration("sign", unary(kinks=(0.0,)), tiny=[Sample(Spec((3,), kinks=(0.0,)))], integer_dtypes=INTEGERS),
        Declaration("sgn", unary(kinks=(0.0,)), tiny=[Sample(Spec((3,), kinks=(0.0,)))], integer_dtypes=INTEGERS),
        Declaration("signbit", unary(), tiny=[Sample(Spec((3,)))], differentiable=False, integer_dtypes=INTEGERS),
        Declaration("nan_to_num", nan_to_num_samples, tiny=[Sample(Spec((2, 2)), nan=0.5, posinf=1.5, neginf=-3.0)]),
        Declaration("square", unary(), tiny=[Sample(Spec((2, 3)))], integer_dtypes=INTEGERS),
        Declaration(
            "sqrt",
            unary(**POSITIVE),
            reference=reference.sqrt,
            tiny=[Sample(Spec((2, 3), **POSITIVE))],
            integer_dtypes=INTEGERS,
        ),
        Declaration("rsqrt", unary(**POSITIVE), tiny=[Sample(Spec((4,), **POSITIVE))], integer_dtypes=INTEGERS),
        Declaration(
            "reciprocal",
            unary(kinks=(0.0,), gap=0.2),
            tiny=[Sample(Spec((4,), kinks=(0.0,), gap=0.2))],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "exp",
            unary(),
            reference=reference.exp,
            tiny=[Sample(Spec((2, 3))), Sample(Spec(()))],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "log",
            unary(**POSITIVE),
            reference=reference.log,
            tiny=[Sample(Spec((2, 3), **POSITIVE))],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "sigmoid", unary(), reference=reference.sigmoid, tiny=[Sample(Spec((2, 3)))], integer_dtypes=INTEGERS
        ),
        Declaration("tanh", unary(), reference=reference.tanh, tiny=[Sample(Spec((2, 3)))], integer_dtypes=INTEGERS),
    ]

    @pytest.mark.parametrize("name", ["exp", "sqrt", "sigmoid", "tanh"])
    def test_result_into_a_lower_category_is_refused(self, name: str) -> None:
        for package in (oracle, minitorch):
            with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
                getattr(package, name)(package.ones(2), out=package.ones(2, dtype=package.int64))

    @pytest.mark.parametrize("name", ["exp_", "sqrt_", "sigmoid_", "reciprocal_"])
    def test_integers_cannot_hold_fractions_in_place(self, name: str) -> None:
        for package in (oracle, minitorch):
            with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Int"):
                getattr(package.ones(2, dtype=package.int32), name)()

    def test_in_place_on_a_leaf_that_requires_grad_is_refused(self) -> None:
        for package in (oracle, minitorch):
            with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
                package.ones(2, requires_grad=True).exp_()

    def test_saved_result_changed_in_place_is_found(self) -> None:
        for package in (oracle, minitorch):
            y = package.ones(2, requires_grad=True).exp()
            y.mul_(2)
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                y.sum().backward()

    def test_in_place_chain_has_the_gradient_of_the_chain(self) -> None:
        grads: list[Any] = []
        for package in (oracle, minitorch):
            x = package.tensor([0.5, 1.0, 2.0], dtype=package.float64, requires_grad=True)
            (x * 1).sin_().cos_().square_().abs_().sum().backward()
            grads.append(as_numpy(x.grad))
        numpy.testing.assert_allclose(grads[1], grads[0], 1e-12)

    def test_default_dtype_decides_what_integers_become(self) -> None:
        minitorch.set_default_dtype(minitorch.float64)
        try:
            assert minitorch.exp(minitorch.tensor([1])).dtype is minitorch.float64
        finally:
            minitorch.set_default_dtype(minitorch.float32)

    @pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
    def test_nan_to_num_of_whole_numbers_is_a_copy(self, dtype: str) -> None:
        x = minitorch.ones(3, dtype=getattr(minitorch, dtype))
        y = minitorch.nan_to_num(x, nan=5.0)
        assert y.dtype is x.dtype
        y[0] = 0
        assert x.sum() == 3

    def test_nan_to_num_of_float16_uses_its_own_largest_number(self) -> None:
        y = minitorch.nan_to_num(minitorch.tensor([float("inf"), -float("inf")], dtype=minitorch.float16))
        assert y.tolist() == [65504.0, -65504.0]

    def test_closed_gate_lets_no_infinite_gradient_through(self) -> None:
        for package in (oracle, minitorch):
            x = package.tensor([-1.0, 1.0], requires_grad=True)
            package.sign(x).backward(package.tensor([float("inf"), float("nan")]))
            assert (x.grad + 0).tolist() == [0.0, 0.0]
