"""Products added to a tensor against torch; the declarations go through ``tests/harness/contract.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw

INTEGERS = ("int64", "int32", "uint8")
SIZE = st.integers(0, 4)
FACTOR = st.sampled_from([0, 1, 2, -3])
SHAPES: dict[str, Callable[[int, int, int, int], tuple[tuple[int, ...], ...]]] = {
    "addmm": lambda B, N, K, M: ((N, M), (N, K), (K, M)),
    "addmv": lambda B, N, K, M: ((N,), (N, K), (K,)),
    "addr": lambda B, N, K, M: ((N, M), (N,), (M,)),
    "baddbmm": lambda B, N, K, M: ((B, N, M), (B, N, K), (B, K, M)),
    "addbmm": lambda B, N, K, M: ((N, M), (B, N, K), (B, K, M)),
}
MATRICES = r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x4\)"
EXPANDED = r"The expanded size of the tensor \(2\) must match the existing size \(3\) at non-singleton dimension 0. "
TOO_MANY = r"expand\(torch.FloatTensor\{\[1, 2, 3\]\}, size=\[2, 3\]\): the number of sizes provided \(2\) must be"


def samples_of(name: str) -> Callable[[Draw], Sample]:
    def samples(draw: Draw) -> Sample:
        # torch's addmv leaves a broadcast input as it is where the matrix is empty: see the test of that below
        size = st.integers(1, 4) if name == "addmv" else SIZE
        input, a, b = SHAPES[name](draw(SIZE), draw(size), draw(size), draw(SIZE))
        kept = input[draw(st.integers(0, len(input))) :]
        kept = tuple(size if draw(st.booleans()) else 1 for size in kept)
        return Sample(Spec(kept), Spec(a), Spec(b), beta=draw(FACTOR), alpha=draw(FACTOR))

    return samples


def case(shapes: Any, match: str, **options: Any) -> ErrorCase:
    return ErrorCase(Sample(*[Spec(shape) for shape in shapes], **options), RuntimeError, match)


def wide_input(name: str, match: str) -> ErrorCase:
    input, a, b = SHAPES[name](2, 2, 3, 4)
    return ErrorCase(Sample(Spec(input, dtype="float64"), Spec(a), Spec(b)), RuntimeError, match)


ERRORS = {
    "addmm": [
        case([(2, 4), (2, 3), (2, 4)], MATRICES),
        case([(3, 4), (2, 3), (3, 4)], EXPANDED + r" Target sizes: \[2, 4\].  Tensor sizes: \[3, 4\]"),
        case([(2, 4), (2,), (3, 4)], "mat1 must be a matrix, got 1-D tensor"),
        case([(2, 4), (2, 3), (3,)], "mat2 must be a matrix, got 1-D tensor"),
        wide_input("addmm", "self and mat2 must have the same dtype, but got Double and Float"),
    ],
    "addmv": [
        case([(2,), (2, 3), (2,)], r"size mismatch, got input \(2\), mat \(2x3\), vec \(2\)"),
        case([(3,), (2, 3), (3,)], r"size mismatch, got input \(3\), mat \(2x3\), vec \(3\)"),
        case([(2, 2), (2, 3), (3,)], r"vector \+ matrix @ vector expected, got 2, 2, 1"),
        wide_input("addmv", "addmv input tensors must have the same dtype, but got Double, Float, and Float"),
    ],
    "addr": [
        case([(2, 3), (2, 1), (3,)], "addr: Expected 1-D argument vec1, but got 2-D"),
        case([(2, 3), (2,), ()], "addr: Expected 1-D argument vec2, but got 0-D"),
        case([(1, 2, 3), (2,), (3,)], TOO_MANY),
        ErrorCase(
            Sample(Spec((2, 3)), Spec((2,)), Spec((3,)), alpha=0.5),
            RuntimeError,
            "For integral input tensors, argument alpha must not be a floating point number.",
            dtype="int64",
        ),
    ],
    "baddbmm": [
        case([(2, 2, 4), (2, 2, 3), (2, 2, 4)], r"batch2 tensor to be: \[2, 3\] but got: \[2, 2\]"),
        case([(3, 2, 4), (2, 2, 3), (2, 3, 4)], EXPANDED),
        case([(4,), (2, 2, 3), (3, 3, 4)], r"batch2 tensor to be: \[2, 3\] but got: \[3, 3\]"),
        wide_input("baddbmm", "Input dtypes must be the same, got: input double, batch1: float, batch2: float"),
    ],
    "addbmm": [
        case([(2, 4), (2, 2, 3), (3, 3, 4)], "batch1 and batch2 must have same number of batches, got 2 and 3"),
        case([(2, 4), (2, 2, 3), (2, 4, 4)], r"Incompatible matrix sizes for bmm \(2x3 and 4x4\)"),
        case([(3, 4), (2, 2, 3), (2, 3, 4)], EXPANDED),
        wide_input("addbmm", "self and mat2 must have the same dtype, but got Double and Float"),
    ],
}


class TestAddmm(OpContract):
    declarations = [
        Declaration(
            name,
            samples_of(name),
            tiny=[Sample(*[Spec(shape) for shape in SHAPES[name](2, 2, 3, 2)], beta=2, alpha=-3)],
            errors=ERRORS[name],
            integer_dtypes=INTEGERS,
        )
        for name in SHAPES
    ] + [Declaration(f"Tensor.{name}", samples_of(name), twice=False) for name in SHAPES]


def make(name: str, dtype: str = "float32", requires_grad: bool = False) -> list[Any]:
    """(ours, torch's) of each operand."""
    generator = numpy.random.default_rng(0)
    arrays = [generator.uniform(-3, 3, shape).astype(dtype) for shape in SHAPES[name](2, 2, 3, 4)]
    return [(to_ours(array, requires_grad), to_torch(array, requires_grad)) for array in arrays]


@pytest.mark.parametrize("name", SHAPES)
def test_factors_that_are_fractions(name: str) -> None:
    """Of floating-point tensors as they are; of integer tensors cut off to integers."""
    for dtype in ["float64", "int64"][: 1 if name == "addr" else 2]:
        ours, theirs = zip(*make(name, dtype))
        actual = getattr(minitorch, name)(*ours, beta=2.7, alpha=1.5)
        assert_equal(actual, getattr(oracle, name)(*theirs, beta=2.7, alpha=1.5))


@pytest.mark.parametrize("name", SHAPES)
def test_beta_zero_ignores_nan_in_input(name: str) -> None:
    ours, theirs = zip(*make(name))
    ours[0].array[...] = numpy.nan
    theirs[0][...] = numpy.nan
    assert_equal(getattr(minitorch, name)(*ours, beta=0), getattr(oracle, name)(*theirs, beta=0))
    assert_equal(getattr(minitorch, name)(*ours, beta=1), getattr(oracle, name)(*theirs, beta=1))


@pytest.mark.parametrize("name", ["addmm", "addmv", "addbmm"])
def test_alpha_zero_ignores_nan_in_the_product(name: str) -> None:
    ours, theirs = zip(*make(name))
    ours[1].array[...] = numpy.nan
    theirs[1][...] = numpy.nan
    assert_equal(getattr(minitorch, name)(*ours, alpha=0), getattr(oracle, name)(*theirs, alpha=0))


@pytest.mark.parametrize("name", SHAPES)
def test_in_place(name: str) -> None:
    (x_ours, x_theirs), (a_ours, a_theirs), (b_ours, b_theirs) = make(name)
    b_ours.requires_grad_()
    b_theirs.requires_grad_()
    address = x_ours.array.ctypes.data
    assert getattr(x_ours, f"{name}_")(a_ours, b_ours, beta=2, alpha=3) is x_ours
    getattr(x_theirs, f"{name}_")(a_theirs, b_theirs, beta=2, alpha=3)
    assert x_ours.array.ctypes.data == address
    assert_equal(x_ours, x_theirs)
    assert x_ours.grad_fn.name() == x_theirs.grad_fn.name()
    (ours,) = minitorch.autograd.grad(x_ours, [b_ours], minitorch.ones_like(x_ours))
    (theirs,) = oracle.autograd.grad(x_theirs, [b_theirs], oracle.ones_like(x_theirs))
    assert_equal(ours, theirs)


@pytest.mark.parametrize("name", ["addmm", "baddbmm"])
def test_in_place_does_not_grow(name: str) -> None:
    _, (a_ours, a_theirs), (b_ours, b_theirs) = make(name)
    with pytest.raises(RuntimeError):
        getattr(oracle.ones(4), f"{name}_")(a_theirs, b_theirs)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        getattr(minitorch.ones(4), f"{name}_")(a_ours, b_ours)


@pytest.mark.parametrize("name", SHAPES)
def test_out(name: str) -> None:
    ours, theirs = zip(*make(name))
    expected = getattr(oracle, name)(*theirs)
    out = minitorch.zeros(*expected.shape)
    assert getattr(minitorch, name)(*ours, out=out) is out
    assert_equal(out, expected)


@pytest.mark.parametrize("name", SHAPES)
def test_float16_is_rounded_once(name: str) -> None:
    ours, theirs = zip(*make(name, "float16"))
    # torch rounds the product before it adds (addr, baddbmm): one more rounding, of 2⁻¹¹ of at most 27
    assert_equal(getattr(minitorch, name)(*ours), getattr(oracle, name)(*theirs), {"float16": (1e-3, 2e-2)})


@pytest.mark.parametrize("beta", [0, 1, 2, True])
@pytest.mark.parametrize("alpha", [0, 1, -3])
def test_addr_of_booleans_is_logical(beta: int, alpha: int) -> None:
    arrays = [numpy.array(values) for values in ([[True, False]] * 2, [True, False], [False, True])]
    ours = minitorch.addr(*map(to_ours, arrays), beta=beta, alpha=alpha)
    assert_equal(ours, oracle.addr(*map(to_torch, arrays), beta=beta, alpha=alpha))


def test_addr_promotes() -> None:
    arrays = [numpy.ones((2, 2), "int64"), numpy.ones(2, "float32"), numpy.ones(2, "float64")]
    assert_equal(minitorch.addr(*map(to_ours, arrays)), oracle.addr(*map(to_torch, arrays)))


@pytest.mark.parametrize("matrix", [(2, 0), (0, 2)])
@pytest.mark.parametrize("broadcast", [False, True])
def test_addmv_of_an_empty_matrix(matrix: tuple[int, int], broadcast: bool) -> None:
    """beta · input, always in the shape of the product (torch: in the input's own shape)."""
    N, K = matrix
    arrays = [numpy.ones(1 if broadcast else N), numpy.ones(matrix), numpy.ones(K)]
    ours, theirs = [
        function(*map(make, arrays), beta=3)
        for function, make in [(minitorch.addmv, to_ours), (oracle.addmv, to_torch)]
    ]
    assert_equal(ours, theirs.expand(N) if N or not broadcast else theirs[:0])
