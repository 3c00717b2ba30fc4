"""linalg.matrix_norm."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw

INFINITY = float("inf")
ORDERS = ("fro", "nuc", 2, -2, 1, -1, INFINITY, -INFINITY)
A = Spec((2, 3))


def norm_samples(draw: Draw) -> Sample:
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=3)))
    first, second = draw(st.permutations(range(-len(shape), 0)))[:2]
    spec = Spec(shape, kinks=(0.0,)) if draw(st.booleans()) else Spec(shape, low=0.1)
    return Sample(spec, draw(st.sampled_from(ORDERS)), (first, second), draw(st.booleans()))


class TestMatrixNorm(OpContract):
    declarations = [
        Declaration(
            "linalg.matrix_norm",
            norm_samples,
            tiny=[Sample(Spec((2, 3), kinks=(0.0,)), order) for order in ORDERS],
            errors=[
                ErrorCase(Sample(A, 3), RuntimeError, "Order 3 not supported"),
                ErrorCase(Sample(A, "foo"), RuntimeError, "Order foo not supported"),
                ErrorCase(Sample(Spec((3,))), RuntimeError, "must have at least 2 dimensions"),
                ErrorCase(Sample(A, dim=0), TypeError),
                ErrorCase(Sample(A, dim=(0, 0)), RuntimeError, r"dims must be different. Got \(0, 0\)"),
                ErrorCase(Sample(A, dim=(0, 5)), IndexError, "Dimension out of range"),
                ErrorCase(Sample(Spec((2, 2), "int64")), RuntimeError, "Expected a floating point .* Got Long"),
            ],
            twice=False,  # second derivatives of singular values are refused; the other orders have a test below
        )
    ]

    @pytest.mark.parametrize("order", ["fro", 1, INFINITY, -1])
    def test_second_gradients(self, order: str | float) -> None:
        values = numpy.array([[1.0, -2.0], [0.5, 3.0]])
        results = []
        for package, x in ((minitorch, to_ours(values, True)), (oracle, to_torch(values, True))):
            (grad,) = package.autograd.grad(package.linalg.matrix_norm(x, order) ** 2, x, create_graph=True)
            results.append(package.autograd.grad((grad * grad).sum(), x)[0])
        assert_equal(*results)

    def test_no_second_gradient_of_singular_values(self) -> None:
        x = minitorch.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
        (grad,) = minitorch.autograd.grad(minitorch.linalg.matrix_norm(x, "nuc"), x, create_graph=True)
        with pytest.raises(NotImplementedError, match="no second derivative of singular values"):
            grad.sum().backward()

    @pytest.mark.parametrize("order", ORDERS)
    def test_of_no_elements(self, order: str | float) -> None:
        for shape in ((0, 3), (3, 0), (2, 0, 3)):
            try:
                expected = oracle.linalg.matrix_norm(oracle.zeros(shape), order)
            except (RuntimeError, IndexError) as error:
                with pytest.raises(type(error)):
                    minitorch.linalg.matrix_norm(minitorch.zeros(shape), order)
            else:
                assert_equal(minitorch.linalg.matrix_norm(minitorch.zeros(shape), order), expected)

    def test_dtype_and_out(self) -> None:
        values = numpy.array([[3.0, 0.0], [0.0, 4.0]], "float32")
        ours = minitorch.linalg.matrix_norm(to_ours(values), dtype=minitorch.float64)
        assert_equal(ours, oracle.linalg.matrix_norm(to_torch(values), dtype=oracle.float64))
        out = minitorch.zeros(())
        assert minitorch.linalg.matrix_norm(to_ours(values), "nuc", out=out) is out
        assert out.item() == pytest.approx(7)
