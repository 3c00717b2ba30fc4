"""``linear`` and ``bilinear`` against torch; see ``tests/harness/contract.py`` for what they are put through."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
import minitorch.nn.functional as F  # noqa: N812
from reference import linear as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

SIZE = st.integers(0, 4)


def linear_samples(draw: Draw) -> Sample:
    rows, I, O = draw_shape(draw, 0, 3, max_size=3), draw(SIZE), draw(SIZE)  # noqa: E741
    kind = draw(st.sampled_from(["bias", "bias", "none", "one number", "one dimension"]))
    if kind == "one dimension":
        return Sample(Spec((*rows, I)), Spec((I,)))
    if kind == "none":
        return Sample(Spec((*rows, I)), Spec((O, I)))
    bias = (O,) if kind == "bias" else draw(st.sampled_from([(), (1,)]))
    return Sample(Spec((*rows, I)), Spec((O, I)), Spec(bias))


def bilinear_samples(draw: Draw) -> Sample:
    # torch fails where a size of the weight is 0
    size = st.integers(1, 4)
    rows, I, J, O = draw_shape(draw, 0, 2, max_size=3), draw(size), draw(size), draw(size)  # noqa: E741
    specs = [Spec((*rows, I)), Spec((*rows, J)), Spec((O, I, J))]
    return Sample(*specs, Spec((O,))) if draw(st.booleans()) else Sample(*specs)


def case(*shapes: tuple[int, ...], match: str, wide: int | None = None) -> ErrorCase:
    specs = [Spec(shape, dtype="float64" if number == wide else None) for number, shape in enumerate(shapes)]
    return ErrorCase(Sample(*specs), RuntimeError, match)


LINEAR_ERRORS = [
    case((2, 3), (4, 5), (4,), match=r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 5x4\)"),
    case((2, 3), (4, 5), match=r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 5x4\)"),
    case((2, 2, 3), (4, 5), match=r"mat1 and mat2 shapes cannot be multiplied \(4x3 and 5x4\)"),
    case((3,), (4, 5), (4,), match=r"mat1 and mat2 shapes cannot be multiplied \(1x3 and 5x4\)"),
    case(
        (2, 3),
        (4, 3),
        (5,),
        match=r"The expanded size of the tensor \(4\) must match the existing size \(5\) at non-singleton "
        r"dimension 1.  Target sizes: \[2, 4\].  Tensor sizes: \[5\]",
    ),
    case((), (4, 3), match="both arguments to linear need to be at least 1D, but they are 0D and 2D"),
    case((2, 3), (2, 4, 3), match=r"t\(\) expects a tensor with <= 2 dimensions, but self is 3D"),
    case((2, 3), (3,), (1,), match="mat2 must be a matrix, got 1-D tensor"),
    case((2, 3), (4, 3), match="expected m1 and m2 to have the same dtype, but got: float != double", wide=1),
    case((2, 3), (4, 3), (4,), match="must have the same dtype, but got Float and Double", wide=1),
    case((2, 3), (4, 3), (4,), match="must have the same dtype, but got Double and Float", wide=2),
    ErrorCase(Sample(Spec((2, 3)), Spec((4, 3)), Spec((4,))), NotImplementedError, '"addmm_impl_cpu_"', dtype="bool"),
]
BILINEAR_ERRORS = [
    case((2, 3), (2, 4), (4, 3, 5), match="input2 size does not match weight size: got 4 but expected 5"),
    case((2, 2), (2, 5), (4, 3, 5), match="input1 size does not match weight size: got 2 but expected 3"),
    case((2, 3), (3, 5), (4, 3, 5), match="input batch dimensions do not match at dim 0: got 2 and 3"),
    case((2, 2, 3), (2, 5), (4, 3, 5), match="input dimensions do not match: got 3 and 2"),
    case((2, 3), (2, 5), (4, 3, 5), (3,), match="bias size does not match weight size: got 3 but expected 4"),
    case((2, 3), (2, 5), (3, 5), match=r"bilinear\(\)"),
    case((2, 3), (2, 5), (4, 3, 5), match="expected scalar type", wide=0),
]


class TestLinear(OpContract):
    declarations = [
        Declaration(
            "nn.functional.linear",
            linear_samples,
            reference=reference.linear,
            tiny=[
                Sample(Spec((2, 3)), Spec((2, 3)), Spec((2,))),
                Sample(Spec((3,)), Spec((2, 3)), Spec((2,))),
                Sample(Spec((2, 1, 2)), Spec((3, 2))),
            ],
            errors=LINEAR_ERRORS,
            integer_dtypes=("int64", "int32"),
        ),
        Declaration(
            "nn.functional.bilinear",
            bilinear_samples,
            tiny=[Sample(Spec((2, 2)), Spec((2, 3)), Spec((2, 2, 3)), Spec((2,)))],
            errors=BILINEAR_ERRORS,
        ),
    ]


def pair(*shapes: tuple[int, ...], dtype: str = "float32", requires_grad: bool = True) -> Any:
    """Tensors of these shapes, ours and torch's."""
    generator = numpy.random.default_rng(0)
    arrays = [generator.uniform(-1, 1, shape).astype(dtype) for shape in shapes]
    return [[make(array, requires_grad) for array in arrays] for make in (to_ours, to_torch)]


@pytest.mark.parametrize("rows", [(), (2,), (5, 2), (2, 5, 2)])
@pytest.mark.parametrize("bias", [(), ((4,),)])
def test_linear_prints_the_node_that_torch_prints(rows: Any, bias: Any) -> None:
    ours, theirs = pair((*rows, 3), (4, 3), *bias)
    assert F.linear(*ours).grad_fn.name() == oracle.nn.functional.linear(*theirs).grad_fn.name()


def test_bias_with_a_row_for_every_row_of_the_input() -> None:
    ours, theirs = pair((5, 2, 3), (4, 3), (2, 4))
    actual, expected = F.linear(*ours), oracle.nn.functional.linear(*theirs)
    assert_equal(actual, expected)
    (actual * actual).sum().backward()
    (expected * expected).sum().backward()
    for mine, wanted in zip(ours, theirs):
        assert_equal(mine.grad, wanted.grad)


def test_gradients_of_the_parameters_lie_as_the_parameters() -> None:
    """One GEMM and one GEMV write them as they are: nothing is left to transpose or copy."""
    (x, weight, bias), _ = pair((5, 2, 3), (4, 3), (4,))
    F.linear(x, weight, bias).sum().backward()
    for value in (x, weight, bias):
        assert value.grad.array.flags.c_contiguous
        assert value.grad.array.shape == value.array.shape


def test_infinite_and_nan_gradients_stay_in_their_column() -> None:
    """The bias's gradient is a product with ones, which must not mix columns."""
    (x, weight, bias), _ = pair((2, 3), (4, 3), (4,))
    cotangent = minitorch.tensor([[1.0, numpy.inf, numpy.nan, -numpy.inf], [1.0, 1.0, 1.0, 2.0]])
    F.linear(x, weight, bias).backward(cotangent)
    numpy.testing.assert_array_equal(bias.grad.array, [2, numpy.inf, numpy.nan, -numpy.inf])


def test_no_gradient_is_computed_that_nobody_needs() -> None:
    (x, weight, bias), _ = pair((2, 3), (4, 3), (4,))
    result = F.linear(x.detach(), weight, bias)
    assert result.grad_fn.saved[1] is None
    assert result.grad_fn.backward(numpy.ones((2, 4), "float32"))[0] is None


def test_float16() -> None:
    ours, theirs = pair((5, 3), (4, 3), (4,), dtype="float16")
    assert_equal(F.linear(*ours), oracle.nn.functional.linear(*theirs))


def test_a_changed_weight_is_found_in_backward() -> None:
    (x, weight, bias), _ = pair((2, 3), (4, 3), (4,))
    result = F.linear(x, weight, bias)
    with minitorch.no_grad():
        weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()
