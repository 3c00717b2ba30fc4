"""Linear algebra against torch; see ``tests/harness/contract.py`` for what each declaration is put through."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

# Matrices with singular values between about 1 and 7 and condition numbers below 10 lose a digit or two:
# float32 results differ between two LAPACKs by more than one rounding.
ILL_CONDITIONED = {"float32": (1e-4, 1e-4)}


def well_conditioned(shape: tuple[int, ...], seed: int, positive: bool = False) -> Spec:
    """Random matrices with a dominant diagonal, of either sign unless ``positive`` (then symmetric)."""
    generator = numpy.random.default_rng(seed)
    n = shape[-1]
    noise = generator.uniform(-1, 1, shape)
    signs = numpy.ones(n) if positive else generator.choice([-1.0, 1.0], n)
    values = noise + numpy.eye(n) * signs * (n + 1)
    return Spec(shape, values=(values + values.swapaxes(-1, -2)) / 2 if positive else values)


def square_samples(draw: Draw, positive: bool = False, batch_dims: int = 2) -> Sample:
    batch, n = draw_shape(draw, 0, batch_dims, max_size=2), draw(st.integers(0, 4))
    return Sample(well_conditioned((*batch, n, n), draw(st.integers(0, 99)), positive))


def cholesky_samples(draw: Draw) -> Sample:
    return Sample(*square_samples(draw, positive=True).args, upper=draw(st.booleans()))


def solve_samples(draw: Draw) -> Sample:
    n, k = draw(st.integers(1, 3)), draw(st.integers(0, 3))
    batch = draw_shape(draw, 0, 2, min_size=1, max_size=2)
    a = well_conditioned((*batch, n, n), draw(st.integers(0, 99)))
    kind = draw(st.sampled_from(["matrices", "broadcast", "vectors", "vector", "right"]))
    if kind == "right":
        return Sample(a, Spec((*batch, k, n)), left=False)
    shapes = {"matrices": (*batch, n, k), "broadcast": (1, n, k), "vectors": (*batch, n), "vector": (n,)}
    return Sample(a, Spec(shapes[kind]))


def power_samples(draw: Draw) -> Sample:
    return Sample(*square_samples(draw, batch_dims=1).args, draw(st.integers(-3, 6)))


def vecdot_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3)
    other = tuple(size if draw(st.booleans()) else 1 for size in shape[:-1])
    return Sample(Spec(shape), Spec((*other, shape[-1])), dim=draw(st.sampled_from([-1, len(shape) - 1])))


def cross_samples(draw: Draw) -> Sample:
    shape = list(draw_shape(draw, 0, 2, max_size=2))
    dim = draw(st.integers(0, len(shape)))
    other = [size if draw(st.booleans()) else 1 for size in shape]
    shape.insert(dim, 3)
    other.insert(dim, 3)
    return Sample(Spec(tuple(shape)), Spec(tuple(other)), dim=draw(st.sampled_from([dim, dim - len(shape)])))


def multi_dot_samples(draw: Draw) -> Sample:
    sizes = draw(st.lists(st.integers(0, 4), min_size=3, max_size=6))
    shapes: list[tuple[int, ...]] = list(itertools.pairwise(sizes))
    if draw(st.booleans()):
        shapes[0] = shapes[0][1:]
    if draw(st.booleans()):
        shapes[-1] = shapes[-1][:1]
    return Sample([Spec(shape) for shape in shapes])


def chain_samples(draw: Draw) -> Sample:
    sizes = draw(st.lists(st.integers(1, 4), min_size=3, max_size=5))
    return Sample(*[Spec(shape) for shape in itertools.pairwise(sizes)])


def square_errors(name: str, *more: Any) -> list[ErrorCase]:
    """What all functions of square matrices refuse."""
    return [
        ErrorCase(
            Sample(Spec((2, 3)), *more),
            RuntimeError,
            f"{name}: A must be batches of square matrices, but they are 2 by 3 matrices",
        ),
        ErrorCase(Sample(Spec((3,)), *more), RuntimeError, f"{name}: The input tensor A must have at least 2 dim"),
    ]


def dtype_error(name: str, *more: Any) -> ErrorCase:
    match = f"{name}: Expected a floating point or complex tensor as input. Got Long"
    return ErrorCase(Sample(Spec((3, 3)), *more), RuntimeError, match, dtype="int64")


def singular(name: str, match: str, *more: Any) -> ErrorCase:
    values = numpy.zeros((2, 2)) if "cholesky" not in name else -numpy.eye(2)
    return ErrorCase(Sample(Spec((2, 2), values=values), *more), RuntimeError, match)


def of_two(a: Any, b: Any, match: str, **options: Any) -> ErrorCase:
    return ErrorCase(Sample(a, b, **options), RuntimeError, match)


def of_list(*shapes: Any, match: str) -> ErrorCase:
    return ErrorCase(Sample([Spec(shape) for shape in shapes]), RuntimeError, match)


EYE = well_conditioned((3, 3), 0)
POSITIVE = well_conditioned((3, 3), 1, positive=True)
HALF = ErrorCase(Sample(EYE), RuntimeError, "Low precision dtypes not supported. Got Half", dtype="float16")
INV = "linalg.inv: .* could not be completed because the input matrix is singular"
CHOLESKY = "linalg.cholesky: The factorization could not be completed because the input is not positive-definite"
tolerant = functools.partial(Declaration, tolerance=ILL_CONDITIONED)


class TestLinearAlgebra(OpContract):
    declarations = [
        tolerant(
            "linalg.inv",
            square_samples,
            tiny=[Sample(well_conditioned((2, 3, 3), 1))],
            errors=[*square_errors("linalg.inv"), dtype_error("linalg.inv"), HALF, singular("inv", INV)],
        ),
        tolerant("inverse", square_samples, twice=False),
        tolerant(
            "linalg.solve",
            solve_samples,
            tiny=[Sample(EYE, Spec((3, 2))), Sample(EYE, Spec((3,))), Sample(EYE, Spec((2, 3)), left=False)],
            errors=[
                *square_errors("linalg.solve", Spec((3, 2))),
                dtype_error("linalg.solve", Spec((3, 2))),
                singular("solve", "torch.linalg.solve: The solver failed because the input matrix is", Spec((2,))),
                of_two(EYE, Spec((2, 3)), r"the equation AX = B \(3x3 and 2x3\)"),
                of_two(EYE, Spec((2, 4)), r"the equation XA = B \(3x3 and 2x4\)", left=False),
                of_two(EYE, Spec((3, 2), dtype="float64"), "A of type Float and B of type Double"),
            ],
        ),
        tolerant(
            "linalg.det",
            square_samples,
            tiny=[Sample(well_conditioned((2, 3, 3), 1))],
            errors=[*square_errors("linalg.det"), dtype_error("linalg.det")],
        ),
        tolerant("det", square_samples, twice=False),
        tolerant(
            "linalg.slogdet",
            square_samples,
            tiny=[Sample(well_conditioned((2, 3, 3), 1))],
            errors=[*square_errors("linalg.slogdet"), dtype_error("linalg.slogdet")],
        ),
        tolerant("logdet", functools.partial(square_samples, positive=True), tiny=[Sample(POSITIVE)]),
        tolerant(
            "linalg.cholesky",
            cholesky_samples,
            errors=[
                *square_errors("linalg.cholesky"),
                dtype_error("linalg.cholesky"),
                singular("cholesky", CHOLESKY),
            ],
        ),
        # Differences of one triangle at a time say nothing about a function of symmetric matrices: make them so
        tolerant(
            "linalg.cholesky of the symmetric part",
            functools.partial(square_samples, positive=True),
            ours=lambda a: minitorch.linalg.cholesky((a + a.mT) / 2),
            theirs=lambda a: oracle.linalg.cholesky((a + a.mT) / 2),
            tiny=[Sample(POSITIVE)],
        ),
        tolerant(
            "linalg.matrix_power",
            power_samples,
            tiny=[Sample(EYE, 3), Sample(EYE, -2)],
            errors=[
                *square_errors("linalg.matrix_power", 2),
                dtype_error("linalg.inv", -2),
                ErrorCase(Sample(EYE, 2.5), TypeError, r"argument 'n' \(position 2\) must be int, not float"),
            ],
        ),
        Declaration(
            "linalg.vecdot",
            vecdot_samples,
            tiny=[Sample(Spec((2, 3)), Spec((1, 3)))],
            errors=[
                ErrorCase(Sample(Spec((3,)), Spec((3,))), RuntimeError, "linalg.vecdot: .* Got Int", dtype="int32"),
                of_two(Spec((3,)), Spec((3,), dtype="float64"), "x of type Float and y of type Double"),
                of_two(Spec((2, 3)), Spec((2,)), r"size of tensor a \(3\) must match the size of tensor b \(2\)"),
            ],
        ),
        Declaration(
            "linalg.cross",
            cross_samples,
            tiny=[Sample(Spec((2, 3)), Spec((1, 3)))],
            errors=[
                of_two(Spec((2, 4)), Spec((2, 4)), "inputs dimension -1 must have length 3. Got 4 and 4"),
                of_two(Spec((2, 3)), Spec((3,)), "inputs must have the same number of dimensions"),
                of_two(Spec((2, 3)), Spec((3, 3)), r"size of tensor a \(2\) must match the size of tensor b"),
                of_two(Spec((2, 3)), Spec((2, 3), dtype="float64"), "expected scalar type Float but found Double"),
                ErrorCase(Sample(Spec((3,)), Spec((3,))), NotImplementedError, '"cross"', dtype="bool"),
            ],
            integer_dtypes=("int64", "int32"),
        ),
        Declaration(
            "cross",
            lambda draw: Sample(Spec((2, 3, 3)), Spec((1, 3, 3))),
            errors=[of_two(Spec((2, 4)), Spec((2, 4)), "no dimension of size 3 in input")],
        ),
        Declaration(
            "linalg.multi_dot",
            multi_dot_samples,
            tiny=[Sample([Spec((2, 3)), Spec((3, 1)), Spec((1, 2))])],
            errors=[
                of_list((2, 3), match=r"multi_dot\(\): expected at least 2 tensors but got 1"),
                of_list((2, 3), (3, 3, 3), (3, 2), match=r"multi_dot\(\): tensor 1 must be 2D but got 3D"),
                of_list((2, 3), (2, 3), match=r"tensors 0 and 1 with shapes \[2, 3\] and \[2, 3\] cannot be multipl"),
                ErrorCase(
                    Sample([Spec((2, 3)), Spec((3, 2), dtype="float64")]),
                    RuntimeError,
                    "tensor 0 is float and tensor 1 double",
                ),
            ],
        ),
        Declaration(
            "chain_matmul",
            chain_samples,
            twice=False,
            errors=[of_two(Spec((3,)), Spec((3, 2)), "Tensor dimension is 1, expected 2 instead")],
        ),
        *[
            tolerant(f"Tensor.{name}", samples, twice=False)
            for name, samples in [
                ("det", square_samples),
                ("slogdet", square_samples),
                ("inverse", square_samples),
                ("matrix_power", power_samples),
                ("logdet", functools.partial(square_samples, positive=True)),
            ]
        ],
    ]


@pytest.mark.parametrize(
    "name", ["linalg.inv", "linalg.det", "linalg.cholesky", "det", "logdet", "linalg.slogdet", "slogdet"]
)
def test_names_of_nodes_and_of_results_are_as_torch_prints_them(name: str) -> None:
    """Of several results in a named tuple, too."""
    results = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        function = package
        for part in name.split("."):
            function = getattr(function, part)
        result = function(convert(numpy.eye(3), True))
        if name == "logdet":
            results.append([result.requires_grad])
        elif isinstance(result, tuple):
            results.append([repr(result).split("(")[0], *[each.grad_fn.name() for each in result]])
        else:
            results.append([result.grad_fn.name()])
    assert results[0] == results[1]


@pytest.mark.parametrize("values", [numpy.zeros((2, 2)), -numpy.eye(3), numpy.eye(2)])
def test_logarithms_of_zero_and_negative_determinants(values: Any) -> None:
    assert_equal(minitorch.logdet(to_ours(values)), oracle.logdet(to_torch(values)))
    for mine, wanted in zip(minitorch.slogdet(to_ours(values)), oracle.slogdet(to_torch(values))):
        assert_equal(mine, wanted)


def test_gradient_of_the_determinant_of_a_singular_matrix() -> None:
    """The cofactors, by their definition as determinants of minors (torch says 0)."""
    values = numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    a = to_ours(values, True)
    minitorch.linalg.det(a).backward()
    for i, j in numpy.ndindex(3, 3):
        minor = numpy.delete(numpy.delete(values, i, 0), j, 1)
        expected = (-1) ** (i + j) * (minor[0, 0] * minor[1, 1] - minor[0, 1] * minor[1, 0])
        assert abs(a.grad[i, j].item() - expected) < 1e-12


def test_singular_matrices_raise_linalg_error() -> None:
    assert issubclass(minitorch.linalg.LinAlgError, RuntimeError)
    with pytest.raises(minitorch.linalg.LinAlgError):
        minitorch.linalg.inv(minitorch.zeros(2, 3, 3))


def test_cholesky_at_the_top_level_takes_upper_by_position() -> None:
    a = numpy.array([[4.0, 2.0], [2.0, 10.0]])
    assert_equal(minitorch.cholesky(to_ours(a), True), oracle.cholesky(to_torch(a), True))
    assert_equal(to_ours(a).cholesky(True), to_torch(a).cholesky(True))


def test_multi_dot_takes_the_cheapest_order() -> None:
    """10·100·5 + 10·5·50 multiplications, not 100·5·50 + 10·100·50: the small factor comes first."""
    a, b, c = (minitorch.ones(*shape, requires_grad=True) for shape in [(10, 100), (100, 5), (5, 50)])
    last = minitorch.linalg.multi_dot([a, b, c]).grad_fn
    assert [array.shape for array in last.saved] == [(10, 5), (5, 50)]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_integer_powers(n: int) -> None:
    a = numpy.array([[1, 2], [3, 4]])
    assert_equal(minitorch.matrix_power(to_ours(a), n), oracle.matrix_power(to_torch(a), n))


def test_the_first_power_is_a_copy() -> None:
    a = minitorch.eye(2)
    minitorch.linalg.matrix_power(a, 1).zero_()
    assert a.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_out() -> None:
    a = numpy.array([[4.0, 2.0], [2.0, 10.0]])
    for name in ["inv", "cholesky", "det"]:
        expected = getattr(oracle.linalg, name)(to_torch(a))
        out = to_ours(numpy.zeros(tuple(expected.shape)))
        assert getattr(minitorch.linalg, name)(to_ours(a), out=out) is out
        assert_equal(out, expected)
