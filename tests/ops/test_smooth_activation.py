"""Smooth activations against torch; see ``tests/harness/contract.py`` and ``tests/harness/unary_laws.py``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
from hypothesis import strategies as st

import minitorch
from minitorch.nn import functional
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape, unary
from tests.harness.unary_laws import UnaryLaws

TINY = Spec((2, 3))
WIDE = {"low": -6.0, "high": 6.0}


def refused(kernel: str, shape: tuple[int, ...] = (2,)) -> list[ErrorCase]:
    return [
        ErrorCase(Sample(Spec(shape, dtype)), NotImplementedError, f"\"{kernel}\" not implemented for '{name}'")
        for dtype, name in (("int64", "Long"), ("bool", "Bool"))
    ]


def gelu_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw), **WIDE), approximate=draw(st.sampled_from(["none", "tanh"])))


def softplus_samples(draw: Draw) -> Sample:
    beta, threshold = draw(st.sampled_from([(1.0, 20.0), (2.0, 3.0), (0.5, 1.0), (-1.0, 20.0)]))
    return Sample(Spec(draw_shape(draw), **WIDE, kinks=(threshold / beta,)), beta, threshold)


def glu_samples(draw: Draw) -> Sample:
    shape = list(draw_shape(draw, min_dims=1))
    dim = draw_dim(draw, len(shape))
    shape[dim] *= 2
    return Sample(Spec(tuple(shape)), dim)


def plain(name: str, kernel: str) -> Declaration:
    return Declaration(f"nn.functional.{name}", unary(**WIDE), tiny=[Sample(TINY)], errors=refused(kernel))


class TestSmoothActivation(UnaryLaws, OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.gelu",
            gelu_samples,
            tiny=[Sample(TINY), Sample(TINY, approximate="tanh")],
            errors=[
                *refused("GeluKernelImpl"),
                ErrorCase(Sample(TINY, approximate="sigmoid"), RuntimeError, "must be either none or tanh"),
            ],
        ),
        plain("silu", "silu_cpu"),
        plain("mish", "mish_cpu"),
        plain("logsigmoid", "log_sigmoid_cpu"),
        Declaration(
            "nn.functional.softplus",
            softplus_samples,
            tiny=[Sample(TINY), Sample(Spec((2, 3), kinks=(1.0,)), 2.0, 2.0)],
            errors=refused("softplus_cpu"),
        ),
        Declaration(
            "nn.functional.softsign",
            unary(kinks=(0.0,)),
            tiny=[Sample(Spec((2, 3), kinks=(0.0,)))],
            integer_dtypes=("int64", "uint8"),
            errors=[ErrorCase(Sample(Spec((2,), "bool")), NotImplementedError, "not implemented for 'Bool'")],
        ),
        Declaration(
            "nn.functional.tanhshrink",
            unary(),
            tiny=[Sample(TINY)],
            integer_dtypes=("int64", "uint8"),
            errors=[ErrorCase(Sample(Spec((2,), "bool")), RuntimeError, "with a bool tensor is not supported")],
        ),
    ]
    no_half = ("nn.functional.tanhshrink",)  # torch, too, subtracts two rounded float16 numbers here
    values_left_out: ClassVar = {"nn.functional.gelu": (numpy.inf,)}  # in float32 torch's is nan
    gradients_left_out: ClassVar = {
        "nn.functional.softsign": (numpy.inf, -numpy.inf)
    }  # torch's is nan, ours the limit 0

    @pytest.mark.parametrize("name", ["silu", "mish", "logsigmoid", "softplus", "gelu", "softsign"])
    def test_large_numbers_have_finite_second_gradients(self, name: str) -> None:
        x = minitorch.tensor([800.0, -800.0, 100.0, -100.0], dtype=minitorch.float64, requires_grad=True)
        (grad,) = minitorch.autograd.grad(getattr(functional, name)(x).sum(), x, create_graph=True)
        (second,) = minitorch.autograd.grad(grad.sum(), x)
        assert numpy.isfinite(second.tolist()).all()

    def test_logsigmoid_keeps_its_digits_on_both_sides(self) -> None:
        values = functional.logsigmoid(minitorch.tensor([-800.0, 40.0], dtype=minitorch.float64)).tolist()
        numpy.testing.assert_allclose(values, [-800.0, -numpy.exp(-40.0)], 1e-15)


def glu_error(shape: tuple[int, ...], dim: Any, error: type[Exception], match: str) -> ErrorCase:
    return ErrorCase(Sample(Spec(shape), dim), error, match)


class TestGlu(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.glu",
            glu_samples,
            tiny=[Sample(Spec((2, 4))), Sample(Spec((4, 3)), 0)],
            errors=[
                *refused("glu_cpu"),
                glu_error((3,), -1, RuntimeError, "must be even, but dimension 0 is size 3"),
                glu_error((), -1, RuntimeError, "glu does not support scalars"),
                glu_error((2, 4), 3, IndexError, r"Dimension out of range \(expected to be in range of \[-2, 1\]"),
                glu_error((2, 4), "a", TypeError, "argument 'dim' .*must be int, not str"),
            ],
        )
    ]
