"""``einsum``, ``tensordot`` and ``kron`` against torch, over random equations."""

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
from tests.harness.strategies import Draw, draw_broadcastable, draw_shape

LETTERS = "abcXYZ"


def draw_operand(draw: Draw, sizes: dict[str, int], covered: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """One term and a shape for it: letters may repeat, sizes may be 1 (broadcast), an ellipsis stands anywhere."""
    letters = draw(st.lists(st.sampled_from(LETTERS), max_size=3))
    own = {letter: draw(st.sampled_from([sizes[letter], sizes[letter], 1])) for letter in letters}
    if not draw(st.booleans()):
        return "".join(letters), tuple(own[letter] for letter in letters)
    place = draw(st.integers(0, len(letters)))
    term = "".join(letters[:place]) + "..." + "".join(letters[place:])
    shape = [own[letter] for letter in letters]
    return term, (*shape[:place], *covered, *shape[place:])


def einsum_samples(draw: Draw) -> Sample:
    count = draw(st.integers(1, 3))
    sizes = {letter: draw(st.integers(0, 3)) for letter in LETTERS}
    covered = draw_broadcastable(draw, count, max_dims=2)
    terms, shapes = zip(*[draw_operand(draw, sizes, each) for each in covered])
    equation = ",".join(terms)
    if draw(st.booleans()):
        known = sorted(set(equation) & set(LETTERS))
        output = draw(st.permutations(known))[: draw(st.integers(0, len(known)))]
        place = draw(st.integers(0, len(output)))
        dots = "..." if draw(st.booleans()) else ""
        equation += "->" + "".join(output[:place]) + dots + "".join(output[place:])
    return Sample(equation, *[Spec(shape) for shape in shapes])


def tensordot_samples(draw: Draw) -> Sample:
    if draw(st.booleans()):
        shared = draw_shape(draw, 0, 2, max_size=3)
        a, b = (*draw_shape(draw, 0, 2, max_size=3), *shared), (*shared, *draw_shape(draw, 0, 2, max_size=3))
        return Sample(Spec(a), Spec(b), len(shared))
    a = draw_shape(draw, 0, 3, max_size=3)
    dims_a = draw(st.permutations(range(len(a))))[: draw(st.integers(0, len(a)))]
    rest = draw_shape(draw, 0, 2, max_size=3)
    places = draw(st.permutations(range(len(dims_a) + len(rest))))
    b = [0] * len(places)
    for place, size in zip(places, [*[a[dim] for dim in dims_a], *rest]):
        b[place] = size
    dims_b = [place - draw(st.sampled_from([0, len(b)])) for place in places[: len(dims_a)]]
    return Sample(Spec(a), Spec(tuple(b)), (list(dims_a), dims_b))


def kron_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw, 0, 3, max_size=3)), Spec(draw_shape(draw, 0, 3, max_size=3)))


def equation_error(equation: str, shapes: Any, match: str, dtype: str = "float32") -> ErrorCase:
    error = NotImplementedError if dtype == "bool" else RuntimeError
    return ErrorCase(Sample(equation, *[Spec(shape) for shape in shapes]), error, match, dtype)


def dims_error(dims: Any, match: str, error: type[Exception] = RuntimeError) -> ErrorCase:
    return ErrorCase(Sample(Spec((2, 3)), Spec((3, 2)), dims), error, match)


class TestEinsum(OpContract):
    declarations = [
        Declaration(
            "einsum",
            einsum_samples,
            tiny=[
                Sample("ij,jk->ik", Spec((2, 3)), Spec((3, 2))),
                Sample("iij->ji", Spec((2, 2, 3))),
                Sample("...i,ij,i", Spec((2, 2)), Spec((2, 2)), Spec((2,))),
                Sample("bij,bj->ib", Spec((2, 2, 2)), Spec((1, 2))),
            ],
            errors=[
                equation_error("ij,jk->ik", [(2, 3), (4, 5)], "subscript j has size 4 for operand 1 which does not"),
                equation_error("ii->i", [(3, 2)], "subscript i is repeated for operand 0 but the sizes don't match"),
                equation_error("ii->i", [(3, 1)], "the sizes don't match, 1 != 3"),
                equation_error("i1->i", [(2, 3)], r"invalid subscript given at index 1 .*must be in \[a-zA-Z\]"),
                equation_error("ij->i->j", [(2, 3)], "invalid subscript given at index 5"),
                equation_error("ij->k", [(2, 3)], "output subscript k does not appear in the equation for any input"),
                equation_error("ij->ii", [(2, 3)], "output subscript i appears more than once in the output"),
                equation_error("ijk->ij", [(2, 3)], r"subscripts in the equation \(3\) does not match .* \(2\)"),
                equation_error("i", [(2, 3)], "for operand 0 and no ellipsis was given"),
                equation_error("...ijk", [(2, 3)], "for operand 0"),
                equation_error("..i", [(2, 3)], "found '.' for operand 0 that is not part of any ellipsis"),
                equation_error("...i...", [(2, 3)], "for operand 0 for which an ellipsis was already found"),
                equation_error("ij->i.", [(2, 3)], "found '.' for output that is not part of any ellipsis"),
                equation_error("ij,jk", [(2, 3)], "fewer operands were provided than specified in the equation"),
                equation_error("ij", [(2, 3), (3,)], "more operands were provided than specified in the equation"),
                equation_error("i...,i...->...", [(2, 3), (2, 4)], "does not broadcast with previously seen"),
                equation_error("i,i->", [(2,), (2,)], "\"bmm\" not implemented for 'Bool'", "bool"),
                ErrorCase(
                    Sample("ij,jk", Spec((2, 3)), Spec((3, 4), dtype="float64")),
                    RuntimeError,
                    "expected scalar type Float but found Double",
                ),
                ErrorCase(Sample("i"), ValueError, "must specify the equation string and at least one operand"),
                ErrorCase(Sample(3, Spec((2,))), TypeError, "argument 'equation'"),
                ErrorCase(Sample(Spec((2, 3)), [0, 52]), ValueError, r"not within the valid range \[0, 52\)"),
            ],
            # not int32: whether a partial sum turns it into int64 depends on the order of torch's steps
            integer_dtypes=("int64",),
        ),
        Declaration(
            "tensordot",
            tensordot_samples,
            tiny=[Sample(Spec((2, 3)), Spec((3, 2)), ([1, 0], [0, 1])), Sample(Spec((2,)), Spec((3,)), 0)],
            errors=[
                dims_error(3, "tensordot expects dims < ndim_a or ndim_b, but got dims=3"),
                dims_error(-1, "tensordot expects dims >= 0, but got dims=-1"),
                dims_error(1.5, "tensordot expects dims to be int or"),
                dims_error(([1, 0], [0]), "both dimension lists should have same length"),
                dims_error(([0], [0]), "first has size 2 in dim 0 and second has size 3 in dim 0"),
                dims_error(([5], [0]), "Dimension out of range", IndexError),
                dims_error(([0, 0], [1, 1]), "dim 0 appears multiple times in the list of dims"),
                ErrorCase(
                    Sample(Spec((2, 3)), Spec((3, 2), dtype="float64"), 1),
                    RuntimeError,
                    "both inputs should have same dtype",
                ),
            ],
            integer_dtypes=("int64", "int32"),
        ),
        # torch's kron fails on some tensors that are not contiguous; ours is tried on them below
        Declaration(
            "kron",
            kron_samples,
            tiny=[Sample(Spec((2, 2)), Spec((3,)))],
            integer_dtypes=("int64", "bool"),
            check_layouts=False,
        ),
        Declaration("Tensor.kron", kron_samples, twice=False, check_layouts=False),
    ]


def pair(*shapes: tuple[int, ...], dtype: str = "float32", requires_grad: bool = False) -> Any:
    """Tensors of these shapes, ours and torch's."""
    generator = numpy.random.default_rng(0)
    arrays = [generator.uniform(-3, 3, shape).astype(dtype) for shape in shapes]
    return [[make(array, requires_grad) for array in arrays] for make in (to_ours, to_torch)]


def test_lists_of_numbers_instead_of_letters() -> None:
    (a, b), (c, d) = pair((2, 3), (5, 3, 4))
    assert_equal(
        minitorch.einsum(a, [0, 1], b, [..., 1, 2], [2, ..., 0]), oracle.einsum(c, [0, 1], d, [..., 1, 2], [2, ..., 0])
    )
    assert_equal(minitorch.einsum(a, [51, 1], b, [3, 1, 30]), oracle.einsum(c, [51, 1], d, [3, 1, 30]))


def test_operands_in_a_list() -> None:
    ours, theirs = pair((2, 3), (3, 4))
    assert_equal(minitorch.einsum(" i j , j k ", ours), oracle.einsum(" i j , j k ", theirs))


def test_a_single_operand_gives_a_view() -> None:
    x = minitorch.zeros(2, 2)
    minitorch.einsum("ii->i", x).add_(1)
    assert x.tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("equation", "shapes"), [("ij,jk->ik", [(2, 3), (3, 4)]), ("ij->i", [(2, 3)]), ("ij->ji", [(2, 3)])]
)
def test_einsum_prints_the_node_that_torch_prints(equation: str, shapes: Any) -> None:
    ours, theirs = pair(*shapes, requires_grad=True)
    assert minitorch.einsum(equation, *ours).grad_fn.name() == oracle.einsum(equation, *theirs).grad_fn.name()


@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij,ij->i", "ij,ij->", "ij,j->ij", "ij->"])
def test_float16_accumulates_in_float32(equation: str) -> None:
    ours, theirs = pair((4, 4), (4,) if equation == "ij,j->ij" else (4, 4), dtype="float16")
    count = equation.split("->")[0].count(",") + 1
    # torch rounds partial sums of the batched dot products to float16: a few more units of 2⁻¹¹
    assert_equal(
        minitorch.einsum(equation, *ours[:count]), oracle.einsum(equation, *theirs[:count]), {"float16": (4e-3, 1e-2)}
    )


def test_operands_of_a_plain_product_are_promoted() -> None:
    """Nothing is summed in i,i->i, so torch multiplies, which promotes."""
    arrays = [numpy.ones(3, "int32"), numpy.ones(3, "float32")]
    assert_equal(minitorch.einsum("i,i->i", *map(to_ours, arrays)), oracle.einsum("i,i->i", *map(to_torch, arrays)))


def test_tensordot_dims_in_a_tensor() -> None:
    (a, b), (c, d) = pair((2, 3), (3, 4))
    expected = oracle.tensordot(c, d, dims=1)
    assert_equal(minitorch.tensordot(a, b, dims=minitorch.tensor(1)), expected)
    assert_equal(minitorch.tensordot(a, b, dims=minitorch.tensor([[1], [0]])), expected)


def test_tensordot_broadcasts_size_1() -> None:
    (a, b), (c, d) = pair((2, 3), (1, 4))
    assert_equal(minitorch.tensordot(a, b, ([1], [0])), oracle.tensordot(c, d, ([1], [0])))


def test_kron_of_transposed_matrices() -> None:
    a, b = numpy.arange(6.0).reshape(2, 3).T, numpy.arange(4.0).reshape(2, 2).T
    numpy.testing.assert_array_equal(minitorch.kron(to_ours(a), to_ours(b)).array, numpy.kron(a, b))


def test_out() -> None:
    (a, b), (c, d) = pair((2, 3), (3, 4))
    out = minitorch.zeros(2, 4)
    assert minitorch.tensordot(a, b, 1, out=out) is out
    assert_equal(out, oracle.tensordot(c, d, 1))
    out = minitorch.zeros(6, 12)
    assert minitorch.kron(a, b, out=out) is out
    assert_equal(out, oracle.kron(c, d))
