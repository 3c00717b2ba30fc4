"""gather and scatter against torch."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape

MATRIX, VECTOR = Spec((2, 3)), Spec((2,))


def draw_numbers(draw: Draw, shape: tuple[int, ...], dim: int, distinct: bool, longest: int = 4) -> Spec:
    """An index into ``shape`` along ``dim``: no larger elsewhere; ``distinct``: no place twice."""
    size = shape[dim]
    sizes = [draw(st.integers(0, each)) for each in shape]
    sizes[dim] = draw(st.integers(0, size if distinct else longest))
    generator = numpy.random.default_rng(draw(st.integers(0, 999)))
    if distinct:
        order = numpy.argsort(generator.random((*sizes[:dim], size, *sizes[dim + 1 :])), dim)
        values = order[(slice(None),) * dim + (slice(0, sizes[dim]),)]
    else:
        values = generator.integers(0, size, sizes)
    return Spec(tuple(sizes), draw(st.sampled_from(["int64", "int32"])), values=values)


def gather_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1)
    dim = draw_dim(draw, len(shape))
    return Sample(Spec(shape), dim, draw_numbers(draw, shape, dim % len(shape), False))


def scatter_samples(distinct: bool, with_numbers: bool = False, **options):
    def samples(draw: Draw) -> Sample:
        shape = draw_shape(draw, 1, 3, 1)
        dim = draw_dim(draw, len(shape))
        numbers = draw_numbers(draw, shape, dim % len(shape), distinct)
        larger = tuple([size + draw(st.integers(0, 2)) for size in numbers.shape])
        # torch takes a src larger than the index, but fails in backward if that src requires grad.
        src = draw(st.sampled_from([Spec(numbers.shape), Spec(larger, differentiable=False)]))
        drawn = {name: draw(st.sampled_from(values)) for name, values in options.items()}
        return Sample(Spec(shape), dim, numbers, 3 if with_numbers and draw(st.booleans()) else src, **drawn)

    return samples


def reduce_samples(draw: Draw) -> Sample:
    sample = scatter_samples(False, include_self=[True, False])(draw)
    reduce = draw(st.sampled_from(["sum", "prod", "mean", "amax", "amin"]))
    *others, _ = sample.args
    src = Spec(others[2].shape)  # torch's gradient fails for a src larger than the index
    return Sample(*others, src, reduce, **sample.kwargs)


def take_along_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, 1)
    if draw(st.booleans()):
        dim = draw_dim(draw, len(shape)) % len(shape)
        sizes = [draw(st.sampled_from([1, each])) for each in shape]
        sizes[dim] = draw(st.integers(0, 4))
        kept = [each if draw(st.booleans()) or axis == dim else 1 for axis, each in enumerate(shape)]
        limit, options = shape[dim], {"dim": dim - len(shape)}
        shape = tuple(kept)
    else:
        sizes, limit, options = [draw(st.integers(0, 4))], int(numpy.prod(shape)), {}
    values = numpy.random.default_rng(draw(st.integers(0, 999))).integers(0, limit, sizes)
    return Sample(Spec(shape), Spec(tuple(sizes), "int64", values=values), **options)


def index(values, dtype: str = "int64") -> Spec:
    return Spec(numpy.shape(values), dtype, values=values)


ONE = Spec((1, 1))
RANGE = "index 7 is out of bounds for dimension 0 with size 2"
SCATTER_ERRORS = [
    ErrorCase(Sample(MATRIX, 0, index([[7]]), ONE), RuntimeError, RANGE),
    ErrorCase(Sample(MATRIX, 0, index([[-1]]), ONE), RuntimeError, "index -1 is out of bounds"),
    ErrorCase(
        Sample(MATRIX, 0, index([[0, 1]]), ONE),
        RuntimeError,
        r"Expected index \[1, 2\] to be no larger than self \[2, 3\] apart from dimension 0 and to be no larger size "
        r"than src \[1, 1\]",
    ),
    ErrorCase(
        Sample(MATRIX, 0, index([[0]]), Spec((1, 1), "float64")),
        RuntimeError,
        "Expected self.dtype to be equal to src.dtype",
    ),
    ErrorCase(Sample(MATRIX, 0, index([0]), Spec((1,))), RuntimeError, "same number of dimensions as self tensor"),
    ErrorCase(Sample(MATRIX, 0, index([[0]]), Spec(())), RuntimeError, "same number of dimensions as src tensor"),
    ErrorCase(
        Sample(MATRIX, 0, index([[0.0]], "float32"), ONE),
        RuntimeError,
        r"scatter\(\): Expected dtype int32/int64 for index",
    ),
]


class TestScatter(OpContract):
    declarations = [
        Declaration(
            "gather",
            gather_samples,
            tiny=[Sample(MATRIX, 1, index([[0, 2, 0]]))],
            errors=[
                ErrorCase(Sample(MATRIX, 0, index([0])), RuntimeError, "same number of dimensions as input tensor"),
                ErrorCase(Sample(MATRIX, 0, index([[7]])), RuntimeError, RANGE),
                ErrorCase(Sample(MATRIX, 0, index([[-1]])), RuntimeError, "index -1 is out of bounds"),
                ErrorCase(
                    Sample(MATRIX, 0, index([[0, 0, 0, 0]])),
                    RuntimeError,
                    r"at dimension 1 expected index \[1, 4\] to be no larger than self \[2, 3\] apart from dimension 0",
                ),
                ErrorCase(Sample(MATRIX, 0, index([[0.0]], "float32")), RuntimeError, "Expected dtype int32/int64"),
                ErrorCase(
                    Sample(MATRIX, 0, index([[0]]), sparse_grad=True), NotImplementedError, "sparse", torch_error=None
                ),
            ],
            integer_dtypes=("int64", "bool"),
        ),
        Declaration(
            "scatter",
            scatter_samples(True, with_numbers=True),
            tiny=[Sample(MATRIX, 1, index([[2], [0]]), Spec((2, 2)))],
            errors=[
                *SCATTER_ERRORS,
                ErrorCase(
                    Sample(MATRIX, 0, index([[0]]), ONE, reduce="foo"), RuntimeError, "must be either add or multiply"
                ),
            ],
            integer_dtypes=("int64", "bool"),
        ),
        Declaration(
            "scatter with reduce",
            scatter_samples(False, with_numbers=True, reduce=["add", "multiply"]),
            ours=torch.scatter,
            theirs=oracle.scatter,
            differentiable=False,
            integer_dtypes=("int64",),
        ),
        Declaration(
            "scatter_add",
            scatter_samples(False),
            tiny=[Sample(MATRIX, 1, index([[0, 0], [2, 0]]), Spec((2, 2)))],
            errors=SCATTER_ERRORS,
            integer_dtypes=("int64", "int32"),
        ),
        Declaration(
            "scatter_reduce",
            reduce_samples,
            tiny=[
                Sample(Spec((2, 2), low=0.5), 1, index([[0, 0], [1, 1]]), Spec((2, 2), low=0.5), "prod"),
                Sample(MATRIX, 1, index([[0, 0], [2, 0]]), Spec((2, 2)), "mean", include_self=False),
            ],
            errors=[
                *[ErrorCase(Sample(*case.sample.args, "sum"), case.error, case.match) for case in SCATTER_ERRORS],
                ErrorCase(Sample(MATRIX, 0, index([[0]]), ONE, "foo"), RuntimeError, "got foo"),
            ],
            integer_dtypes=("int64", "int32"),
        ),
        Declaration(
            "take_along_dim",
            take_along_samples,
            tiny=[Sample(MATRIX, index([[0, 2], [1, 1]]), 1)],
            errors=[
                ErrorCase(Sample(MATRIX, index([0]), 0), RuntimeError, "should have the same number of dimensions"),
                ErrorCase(Sample(MATRIX, index([[0.0]], "float32"), 0), RuntimeError, "should be Long but got Float"),
            ],
            check_layouts=False,  # without dim, torch fails for tensors that are not contiguous
        ),
    ]


@pytest.mark.parametrize("reduce", ["prod", "amax", "amin", "mean", "sum"])
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize(
    "src", [[0.0, 2.0, 3.0, 2.0], [0.0, 0.0, 3.0, 1.0], [4.0, 4.0, 0.0, 0.0], [float("nan"), 1.0, 2.0, float("inf")]]
)
@pytest.mark.parametrize("values", [[2.0, 0.0, 4.0], [4.0, 0.0, 0.0]])
def test_zeros_ties_and_nan(reduce, include_self, src, values) -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor(values, requires_grad=True)
        y = package.tensor(src, requires_grad=True)
        result = x.scatter_reduce(0, package.tensor([0, 0, 1, 0]), y, reduce, include_self=include_self)
        result.backward(package.tensor([1.0, 10.0, 100.0]))
        results.append([result.tolist(), x.grad.tolist(), y.grad.tolist()])
    for ours, theirs in zip(*results):
        numpy.testing.assert_allclose(ours, theirs, 1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.tensor(2.0).gather(0, t.tensor(0)),
        lambda t: t.tensor(2.0).gather(0, t.tensor([0, 0])),
        lambda t: t.tensor([2.0, 3.0]).gather(0, t.tensor(1)),
        lambda t: t.tensor(2.0).scatter(0, t.tensor(0), 5.0),
        lambda t: t.tensor(2.0).scatter(0, t.tensor([0]), 5.0),
        lambda t: t.zeros(3).scatter(0, t.tensor(1), 5.0),
        lambda t: t.zeros(3).scatter_add(0, t.tensor(1), t.tensor(2.0)),
        lambda t: t.tensor(2.0).scatter_reduce(0, t.tensor(0), t.tensor(5.0), "sum"),
        lambda t: t.zeros(3).scatter(0, t.tensor([], dtype=t.int64), t.ones(2)),
        lambda t: t.zeros(2, 2).scatter_(1, t.tensor([[1], [0]]), 7),
        lambda t: t.zeros(2, 2).scatter_(1, t.tensor([[1], [0]]), value=7),
        lambda t: t.ones(2, 2).scatter_(1, t.tensor([[1], [0]]), 7, reduce="multiply"),
        lambda t: t.ones(2, 2).scatter_(1, t.tensor([[1], [0]]), t.ones(2, 1), reduce="add"),
        lambda t: t.ones(2, 2).scatter_add_(1, t.tensor([[1, 1], [0, 0]]), t.ones(2, 2)),
        lambda t: t.ones(2).scatter_reduce_(0, t.tensor([1, 1]), t.tensor([3.0, 4.0]), "amax"),
        lambda t: t.zeros(2, dtype=t.int64).scatter(0, t.tensor([0]), 1.5),
        lambda t: t.zeros(2, dtype=t.int64).scatter_reduce(0, t.tensor([0, 0]), t.tensor([-5, 2]), "mean"),
        lambda t: t.zeros(2, dtype=t.bool).scatter_reduce(0, t.tensor([0]), t.tensor([True]), "sum"),
    ],
)
def test_without_dimensions_in_place_and_other_dtypes(call) -> None:
    ours, theirs = call(torch), call(oracle)
    assert (tuple(ours.shape), ours.tolist(), str(ours.dtype)) == (
        tuple(theirs.shape),
        theirs.tolist(),
        str(theirs.dtype),
    )


def test_the_reducing_scatter_has_no_gradient() -> None:
    for package in (torch, oracle):
        x = package.ones(3, requires_grad=True)
        result = x.scatter(0, package.tensor([0]), 1, reduce="add")
        assert result.requires_grad
        with pytest.raises(RuntimeError, match="derivative for aten::scatter is not implemented"):
            result.sum().backward()


def test_in_place_scatter_on_a_view_reaches_its_base() -> None:
    results = []
    for make in (to_ours, to_torch):
        leaf, src = make(numpy.arange(6.0).reshape(2, 3), True), make(numpy.array([5.0, 7.0]), True)
        base = leaf * 1
        base[1].scatter_(0, make(numpy.array([2, 0])), src)
        (base * base).sum().backward()
        results.append([base.tolist(), leaf.grad.tolist(), src.grad.tolist()])
    assert results[0] == results[1]
