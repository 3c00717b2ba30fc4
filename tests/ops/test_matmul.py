"""Matrix products against torch; see ``tests/harness/contract.py`` for what each declaration is put through."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from reference import matmul as reference
from tests.harness.compare import as_numpy, assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
SIZE = st.integers(0, 4)


def mm_samples(draw: Draw) -> Sample:
    N, K, M = draw(SIZE), draw(SIZE), draw(SIZE)
    return Sample(Spec((N, K)), Spec((K, M)))


def bmm_samples(draw: Draw) -> Sample:
    B, N, K, M = draw(SIZE), draw(SIZE), draw(SIZE), draw(SIZE)
    return Sample(Spec((B, N, K)), Spec((B, K, M)))


def mv_samples(draw: Draw) -> Sample:
    N, K = draw(SIZE), draw(SIZE)
    return Sample(Spec((N, K)), Spec((K,)))


def dot_samples(draw: Draw) -> Sample:
    K = draw(SIZE)
    return Sample(Spec((K,)), Spec((K,)))


def outer_samples(draw: Draw) -> Sample:
    return Sample(Spec((draw(SIZE),)), Spec((draw(SIZE),)))


def inner_samples(draw: Draw) -> Sample:
    K = draw(SIZE)
    if draw(st.booleans()):
        return Sample(Spec((*draw_shape(draw, 0, 2), K)), Spec((*draw_shape(draw, 0, 2), K)))
    scalar, other = Spec(()), Spec(draw_shape(draw, 0, 2))
    return Sample(scalar, other) if draw(st.booleans()) else Sample(other, scalar)


def matmul_samples(draw: Draw) -> Sample:
    """Every pairing of ranks; the batch sizes of two batches broadcast."""
    N, K, M = draw(SIZE), draw(SIZE), draw(SIZE)
    batch = draw_shape(draw, 0, 2, max_size=3)
    left, right = [
        tuple(size if draw(st.booleans()) else 1 for size in batch[draw(st.integers(0, len(batch))) :])
        for _ in range(2)
    ]
    a = draw(st.sampled_from([(K,), (N, K), (*left, N, K)]))
    b = draw(st.sampled_from([(K,), (K, M), (*right, K, M)]))
    return Sample(Spec(a), Spec(b))


def mismatch(a: tuple[int, ...], b: tuple[int, ...], match: str) -> ErrorCase:
    return ErrorCase(Sample(Spec(a), Spec(b)), RuntimeError, match)


def dtype_mismatch(a: tuple[int, ...], b: tuple[int, ...], match: str) -> ErrorCase:
    return ErrorCase(Sample(Spec(a), Spec(b, dtype="float64")), RuntimeError, match)


def of_bool(a: tuple[int, ...], b: tuple[int, ...], match: str) -> ErrorCase:
    return ErrorCase(Sample(Spec(a), Spec(b)), NotImplementedError, match, dtype="bool")


MM_SIZES = r"mat1 and mat2 shapes cannot be multiplied \({}x{} and {}x{}\)"
EQUAL_LENGTHS = r"inconsistent tensor size, expected tensor \[3\] and src \[4\] to have the same number of elements"


class TestMatmul(OpContract):
    declarations = [
        Declaration(
            "mm",
            mm_samples,
            reference=reference.mm,
            tiny=[Sample(Spec((2, 3)), Spec((3, 2))), Sample(Spec((2, 0)), Spec((0, 2)))],
            errors=[
                mismatch((2, 3), (4, 5), MM_SIZES.format(2, 3, 4, 5)),
                mismatch((2,), (2, 3), "self must be a matrix"),
                mismatch((2, 3), (1, 3, 4), "mat2 must be a matrix"),
                dtype_mismatch((2, 3), (3, 4), "expected m1 and m2 to have the same dtype, but got: float != double"),
                of_bool((2, 3), (3, 4), "\"addmm_impl_cpu_\" not implemented for 'Bool'"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "bmm",
            bmm_samples,
            reference=reference.matmul,
            tiny=[Sample(Spec((2, 2, 3)), Spec((2, 3, 1)))],
            errors=[
                mismatch((2, 3), (2, 3, 4), "batch1 must be a 3D tensor"),
                mismatch((2, 2, 3), (3, 4), "batch2 must be a 3D tensor"),
                mismatch((2, 2, 3), (2, 4, 4), r"batch2 tensor to be: \[2, 3\] but got: \[2, 4\]"),
                mismatch((2, 2, 3), (1, 3, 4), r"batch2 tensor to be: \[2, 3\] but got: \[1, 3\]"),
                dtype_mismatch((2, 2, 3), (2, 3, 4), "expected scalar type Float but found Double"),
                of_bool((2, 2, 3), (2, 3, 4), "\"bmm\" not implemented for 'Bool'"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "mv",
            mv_samples,
            reference=reference.matmul,
            tiny=[Sample(Spec((2, 3)), Spec((3,)))],
            errors=[
                mismatch((2, 3), (4,), r"size mismatch, got input \(2\), mat \(2x3\), vec \(4\)"),
                mismatch((3,), (3,), r"vector \+ matrix @ vector expected, got 1, 1, 1"),
                dtype_mismatch((2, 3), (3,), "same dtype, but got Double, Float, and Double"),
                of_bool((2, 3), (3,), "\"addmv_impl_cpu\" not implemented for 'Bool'"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "dot",
            dot_samples,
            reference=reference.matmul,
            tiny=[Sample(Spec((3,)), Spec((3,)))],
            errors=[
                mismatch((3,), (4,), EQUAL_LENGTHS),
                mismatch((3, 1), (3,), "1D tensors expected, but got 2D and 1D tensors"),
                dtype_mismatch((3,), (3,), "expected both vectors to have same dtype, but found Float and Double"),
                of_bool((3,), (3,), "\"dot\" not implemented for 'Bool'"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration("vdot", dot_samples, errors=[mismatch((3,), (4,), EQUAL_LENGTHS)], integer_dtypes=INTEGERS),
        Declaration(
            "outer",
            outer_samples,
            tiny=[Sample(Spec((2,)), Spec((3,)))],
            errors=[
                mismatch((3, 1), (3,), "outer: Expected 1-D argument self, but got 2-D"),
                mismatch((3,), (), "outer: Expected 1-D argument vec2, but got 0-D"),
            ],
            integer_dtypes=(*INTEGERS, "bool"),
        ),
        Declaration("ger", outer_samples),
        Declaration(
            "inner",
            inner_samples,
            tiny=[Sample(Spec((2, 3)), Spec((2, 3)))],
            errors=[
                mismatch((2, 3), (2, 4), r"inner\(\) the last dimension must match .* shapes \[2, 3\] and \[2, 4\]"),
                dtype_mismatch((2, 3), (2, 3), "both inputs should have same dtype"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "matmul",
            matmul_samples,
            reference=reference.matmul,
            tiny=[
                Sample(Spec(a), Spec(b))
                for a, b in [
                    ((3,), (3,)),
                    ((3,), (3, 2)),
                    ((2, 3), (3,)),
                    ((2, 2, 3), (3, 2)),
                    ((2, 2, 3), (3,)),
                    ((3,), (2, 3, 2)),
                    ((2, 3), (2, 3, 2)),
                    ((2, 2, 3), (1, 3, 2)),
                    ((2, 1, 2, 2), (3, 2, 1)),
                ]
            ],
            errors=[
                mismatch((), (2, 3), "both arguments to matmul need to be at least 1D, but they are 0D and 2D"),
                mismatch((2, 3), (), "both arguments to matmul need to be at least 1D, but they are 2D and 0D"),
                mismatch((2, 3), (4, 5), MM_SIZES.format(2, 3, 4, 5)),
                mismatch((3,), (4, 5), MM_SIZES.format(1, 3, 4, 5)),
                mismatch((5, 2, 3), (4, 5), MM_SIZES.format(10, 3, 4, 5)),
                mismatch((2, 4), (5, 2, 3), MM_SIZES.format(15, 2, 4, 2)),
                mismatch((3,), (4,), EQUAL_LENGTHS),
                mismatch((2, 3), (4,), r"size mismatch, got input \(2\), mat \(2x3\), vec \(4\)"),
                mismatch((5, 2, 3), (4,), r"size mismatch, got input \(10\), mat \(10x3\), vec \(4\)"),
                mismatch((4,), (5, 2, 3), r"size mismatch, got input \(15\), mat \(15x2\), vec \(4\)"),
                mismatch((5, 2, 3), (5, 4, 5), r"batch2 tensor to be: \[5, 3\] but got: \[5, 4\]"),
                mismatch((5, 2, 3), (3, 3, 5), r"size of tensor a \(5\) must match the size of tensor b \(3\)"),
                dtype_mismatch((2, 2, 3), (3, 4), "expected m1 and m2 to have the same dtype"),
                of_bool((2, 2, 3), (2, 3, 4), "\"bmm\" not implemented for 'Bool'"),
            ],
            integer_dtypes=INTEGERS,
        ),
        Declaration("matmul as an operator", matmul_samples, ours=lambda a, b: a @ b, theirs=lambda a, b: a @ b),
        *[
            Declaration(f"Tensor.{name}", samples, twice=False)
            for name, samples in [
                ("matmul", matmul_samples),
                ("mm", mm_samples),
                ("bmm", bmm_samples),
                ("mv", mv_samples),
                ("dot", dot_samples),
                ("vdot", dot_samples),
                ("inner", inner_samples),
                ("outer", outer_samples),
                ("ger", outer_samples),
            ]
        ],
    ]


SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
]


def draw_pair(*shapes: tuple[int, ...], dtype: str = "float32", requires_grad: bool = False) -> list[Any]:
    """(ours, torch's) of each shape, with equal values."""
    generator = numpy.random.default_rng(0)
    arrays = [generator.uniform(-1, 1, shape).astype(dtype) for shape in shapes]
    return [(to_ours(array, requires_grad), to_torch(array, requires_grad)) for array in arrays]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_matmul_prints_the_node_that_torch_prints(a: Any, b: Any) -> None:
    (a_ours, a_theirs), (b_ours, b_theirs) = draw_pair(a, b, requires_grad=True)
    assert (a_ours @ b_ours).grad_fn.name() == (a_theirs @ b_theirs).grad_fn.name()


@pytest.mark.parametrize(
    ("name", "shapes"),
    [("mm", [(2, 3), (3, 4)]), ("bmm", [(2, 2, 3), (2, 3, 4)]), ("mv", [(2, 3), (3,)]), ("dot", [(3,), (3,)])],
)
def test_other_products_print_the_node_that_torch_prints(name: str, shapes: Any) -> None:
    (a_ours, a_theirs), (b_ours, b_theirs) = draw_pair(*shapes, requires_grad=True)
    ours, theirs = getattr(minitorch, name)(a_ours, b_ours), getattr(oracle, name)(a_theirs, b_theirs)
    assert ours.grad_fn.name() == theirs.grad_fn.name()


@pytest.mark.parametrize("dtype", ["int64", "float16", "float64"])
def test_out_of_another_dtype_is_refused(dtype: str) -> None:
    (a_ours, a_theirs), (b_ours, b_theirs) = draw_pair((2, 3), (3, 4))
    out = numpy.zeros((2, 4), dtype)
    with pytest.raises(RuntimeError):
        oracle.mm(a_theirs, b_theirs, out=to_torch(out))
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype float"):
        minitorch.mm(a_ours, b_ours, out=to_ours(out))


@pytest.mark.parametrize("name", ["mm", "matmul"])
def test_out_receives_the_product(name: str) -> None:
    (a_ours, a_theirs), (b_ours, b_theirs) = draw_pair((2, 3), (3, 4))
    out = minitorch.zeros(2, 4)
    assert getattr(minitorch, name)(a_ours, b_ours, out=out) is out
    assert_equal(out, a_theirs @ b_theirs)


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_float16_accumulates_in_float32(a: Any, b: Any) -> None:
    (a_ours, a_theirs), (b_ours, b_theirs) = draw_pair(a, b, dtype="float16")
    assert_equal(a_ours @ b_ours, a_theirs @ b_theirs)


def test_float16_does_not_overflow_or_stall_on_the_way() -> None:
    """A float16 accumulator would stop growing at 2048 ones, and overflow at 65504."""
    ones = minitorch.ones(1, 4096, dtype=minitorch.float16)
    assert (ones @ ones.t()).item() == 4096
    large = minitorch.tensor([[60000.0, 60000.0, -60000.0]], dtype=minitorch.float16)
    assert (large @ minitorch.ones(3, 1, dtype=minitorch.float16)).item() == float(numpy.float16(60000))


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_nan_reaches_exactly_the_results_that_it_belongs_to(a: Any, b: Any) -> None:
    (a_ours, a_theirs), (b_ours, b_theirs) = draw_pair(a, b)
    a_ours.array.reshape(-1)[0] = numpy.nan
    a_theirs.view(-1)[0] = numpy.nan
    assert_equal(a_ours @ b_ours, a_theirs @ b_theirs)


def test_an_empty_inner_dimension_gives_zeros() -> None:
    result = minitorch.matmul(minitorch.zeros(2, 3, 0), minitorch.zeros(0, 4))
    numpy.testing.assert_array_equal(as_numpy(result), numpy.zeros((2, 3, 4)))


def test_gradient_of_a_matrix_shared_by_a_batch_lies_as_the_matrix() -> None:
    """So that the optimizer and ``.grad`` work on contiguous memory."""
    batch, matrix = minitorch.randn(5, 2, 3), minitorch.randn(3, 4, requires_grad=True)
    (batch @ matrix).sum().backward()
    assert matrix.grad.array.flags.c_contiguous


@pytest.mark.parametrize("other", [3, [1.0, 2.0], None])
def test_operands_that_are_not_tensors(other: Any) -> None:
    with pytest.raises(TypeError, match="unsupported operand type"):
        minitorch.ones(2, 2) @ other
    with pytest.raises(TypeError, match=r"mm\(\): argument 'mat2' \(position 2\) must be Tensor, not "):
        minitorch.mm(minitorch.ones(2, 2), other)


def test_numpy_arrays_are_not_operands() -> None:
    with pytest.raises(TypeError):
        numpy.ones((2, 2)) @ oracle.ones(2, 2)
    with pytest.raises(TypeError):
        numpy.ones((2, 2)) @ minitorch.ones(2, 2)


def test_no_gradient_is_computed_that_nobody_needs() -> None:
    (a, _), (b, _) = draw_pair((2, 3), (3, 4))
    result = a.requires_grad_() @ b
    assert result.grad_fn.saved[0] is None
    assert result.grad_fn.saved[1] is b.array
