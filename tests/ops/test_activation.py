"""Rectifiers against torch; see ``tests/harness/contract.py`` and ``tests/harness/unary_laws.py``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from minitorch.nn import functional
from reference import elementwise as reference
from tests.harness.compare import as_numpy
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape, unary
from tests.harness.unary_laws import UnaryLaws

KINK = {"kinks": (0.0,)}
TINY = Spec((2, 3), kinks=(0.0,))


def refused(kernel: str, *args: Any) -> list[ErrorCase]:
    return [
        ErrorCase(Sample(Spec((2,), dtype), *args), NotImplementedError, f"\"{kernel}\" not implemented for '{name}'")
        for dtype, name in (("int64", "Long"), ("bool", "Bool"))
    ]


def with_option(name: str, choices: list[float]) -> Any:
    def samples(draw: Draw) -> Sample:
        return Sample(Spec(draw_shape(draw), **KINK), **{name: draw(st.sampled_from(choices))})

    return samples


def rrelu_samples(draw: Draw) -> Sample:
    lower, upper = draw(st.sampled_from([(1 / 8, 1 / 3), (0.2, 0.2), (-0.5, 1.0)]))
    return Sample(Spec(draw_shape(draw), **KINK), lower, upper)


def threshold_samples(draw: Draw) -> Sample:
    limit = draw(st.sampled_from([0.5, -1.0]))
    return Sample(Spec(draw_shape(draw), kinks=(limit,)), limit, draw(st.sampled_from([20.0, -3.0])))


def whole_threshold_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw)), draw(st.sampled_from([0, 1.5])), draw(st.sampled_from([7, 7.9])))


def prelu_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    channels = shape[1] if len(shape) > 1 else 1
    return Sample(Spec(shape, **KINK), Spec(draw(st.sampled_from([(1,), (), (channels,)]))))


class TestActivation(UnaryLaws, OpContract):
    declarations: ClassVar = [
        Declaration(
            "relu",
            unary(**KINK),
            reference=reference.relu,
            tiny=[Sample(TINY), Sample(Spec((), **KINK))],
            errors=[ErrorCase(Sample(Spec((2,), "bool")), RuntimeError, "Boolean inputs not supported for relu")],
            integer_dtypes=("int64", "int32", "int8", "uint8"),
        ),
        Declaration("nn.functional.relu", unary(**KINK), tiny=[Sample(TINY)]),
        Declaration(
            "nn.functional.leaky_relu",
            with_option("negative_slope", [0.01, 0.5, -1.0, 0.0]),
            reference=reference.leaky_relu,
            tiny=[Sample(TINY, 0.2), Sample(TINY)],
            errors=refused("leaky_relu_cpu"),
        ),
        Declaration(
            "nn.functional.rrelu",
            rrelu_samples,
            tiny=[Sample(TINY)],
            errors=[
                *refused("leaky_relu_cpu"),
                ErrorCase(Sample(TINY, 0.4, 0.3), RuntimeError, "Lower bound should be less than or equal"),
                ErrorCase(Sample(TINY, float("inf"), 1.0), RuntimeError, "lower bound must be finite, got inf"),
            ],
        ),
        Declaration(
            "nn.functional.threshold",
            threshold_samples,
            tiny=[Sample(Spec((2, 3), kinks=(0.5,)), 0.5, 20.0)],
            errors=refused("threshold_cpu", 1, 2)[1:],
        ),
        Declaration(
            "threshold",
            whole_threshold_samples,
            tiny=[Sample(Spec((2, 3), kinks=(0.5,)), 0.5, -20.0)],
            dtypes=("int64", "int32", "uint8"),
            differentiable=False,
        ),
        Declaration(
            "nn.functional.elu",
            with_option("alpha", [1.0, 0.5, 2.0]),
            tiny=[Sample(TINY, 0.7)],
            errors=refused("elu_cpu"),
        ),
        Declaration("selu", unary(**KINK), tiny=[Sample(TINY)], errors=refused("elu_cpu")),
        Declaration("nn.functional.selu", unary(**KINK), tiny=[Sample(TINY)]),
        Declaration(
            "nn.functional.celu",
            with_option("alpha", [1.0, 0.5, 2.0]),
            tiny=[Sample(TINY, 0.7)],
            errors=[*refused("elu_cpu"), ErrorCase(Sample(TINY, 0.0), RuntimeError, "alpha cannot be 0 for CELU")],
        ),
        Declaration(
            "prelu",
            prelu_samples,
            tiny=[Sample(Spec((2, 3, 2), **KINK), Spec((3,))), Sample(TINY, Spec(()))],
            errors=[
                refused("prelu_cpu", Spec((1,), "int64"))[0],
                ErrorCase(Sample(Spec((2, 3)), Spec((2,))), RuntimeError, r"numbers = 2 and channel size = 3\."),
                ErrorCase(Sample(Spec((3,)), Spec((3,))), RuntimeError, r"numbers = 3 and channel size = 1\."),
                ErrorCase(Sample(Spec(()), Spec((2,))), RuntimeError, "Not allow zero-dim input tensor"),
                ErrorCase(Sample(Spec((2,)), Spec((1, 1))), RuntimeError, "scalar or 1D tensor, but got: ndim = 2"),
                ErrorCase(Sample(Spec((2,)), Spec((1,), "float64")), RuntimeError, "Got Float and Double"),
                ErrorCase(Sample(Spec((2,)), 0.25), TypeError, "argument 'weight' .* must be Tensor, not float"),
            ],
        ),
    ]

    @pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "selu", "celu", "rrelu"])
    def test_kink_has_the_gradient_that_torch_gives_it(self, name: str) -> None:
        grads = []
        for package in (oracle, minitorch):
            x = package.zeros(2, requires_grad=True)
            getattr(package.nn.functional, name)(x).sum().backward()
            grads.append(x.grad.tolist())
        assert grads[1] == pytest.approx(grads[0])

    @pytest.mark.parametrize("inplace", [False, True])
    @pytest.mark.parametrize("shape", [(50,), (4, 3, 5), ()])
    def test_rrelu_in_training_draws_the_slopes_of_torch(self, shape: tuple[int, ...], inplace: bool) -> None:
        values = numpy.random.default_rng(1).uniform(-2, 2, shape).astype("float32")
        results = []
        for package in (oracle, minitorch):
            package.manual_seed(5)
            x = package.from_numpy(values.copy()).requires_grad_()
            y = package.nn.functional.rrelu(x * 1, 0.1, 0.9, training=True, inplace=inplace)
            y.sum().backward()
            results.append((as_numpy(y.detach()), as_numpy(x.grad)))
        for ours, theirs in zip(results[1], results[0]):
            numpy.testing.assert_allclose(ours, theirs, 1e-6)

    def test_rrelu_in_training_keeps_nan_and_zero(self) -> None:
        y = functional.rrelu(minitorch.tensor([float("nan"), 0.0, float("inf")]), training=True)
        numpy.testing.assert_array_equal(as_numpy(y), [numpy.nan, 0.0, numpy.inf])

    def test_negative_slope_works_in_place_too(self) -> None:
        """torch cannot: it keeps the result only, whose sign no longer tells that of the input."""
        x = minitorch.tensor([-1.0, 2.0], requires_grad=True)
        functional.leaky_relu_(x * 1, -2.0).sum().backward()
        assert x.grad.tolist() == [-2.0, 1.0]

    def test_gate_closed_to_infinite_gradients(self) -> None:
        for package in (oracle, minitorch):
            x = package.tensor([-1.0, 1.0], requires_grad=True)
            package.relu(x).backward(package.tensor([float("inf"), 1.0]))
            assert x.grad.tolist() == [0.0, 1.0]

    def test_elu_of_large_numbers_has_finite_second_gradients(self) -> None:
        x = minitorch.tensor([800.0, -800.0], dtype=minitorch.float64, requires_grad=True)
        (grad,) = minitorch.autograd.grad(functional.elu(x).sum(), x, create_graph=True)
        (second,) = minitorch.autograd.grad(grad.sum(), x)
        assert second.tolist() == [0.0, 0.0]
