"""Batch normalisation against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch
import minitorch.nn.functional
from reference import batch_norm as reference
from tests.harness.compare import as_numpy, assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape
from tests.ops.window_samples import LAYOUTS, assert_same_layout

NAME = "nn.functional.batch_norm"


def draw_input(draw: Draw, smallest: int) -> tuple[int, ...]:
    """(N, C), (N, C, L), (N, C, H, W) or (N, C, D, H, W) with more than one element a channel."""
    N, C = draw(st.integers(smallest, 4)), draw(st.integers(1, 3))
    return (N, C, *draw_shape(draw, 0, 3, min_size=1, max_size=3))


def draw_parameters(draw: Draw, C: tuple[int, ...]) -> tuple[Spec | None, Spec | None]:
    """weight and bias. Not a bias alone: there torch's second derivative fails (it is tried in ``TINY``)."""
    return draw(st.sampled_from([(None, None), (Spec(C), None), (Spec(C), Spec(C))]))


def training(draw: Draw) -> Sample:
    shape = draw_input(draw, 2)
    C = shape[1:2]
    weight, bias = draw_parameters(draw, C)
    eps = draw(st.sampled_from([1e-5, 1e-3, 0.5]))
    # Values that are all different: a variance near zero would make 1/√(σ² + ε) amplify rounding without bound.
    return Sample(Spec(shape, distinct=True, spacing=0.3), None, None, weight, bias, True, eps=eps)


def evaluation(draw: Draw) -> Sample:
    shape = draw_input(draw, 0)
    C = shape[1:2]
    mean, var = Spec(C, differentiable=False), Spec(C, low=0.1, high=4.0, differentiable=False)
    weight, bias = draw_parameters(draw, C)
    return Sample(Spec(shape), mean, var, weight, bias, False, eps=draw(st.sampled_from([1e-5, 0.5])))


def evaluated(shape: tuple[int, ...], **changes: Any) -> Sample:
    arguments = {"running_mean": Spec((shape[1],)), "running_var": Spec((shape[1],), low=1.0)}
    return Sample(Spec(shape), **{**arguments, **changes})


STATISTICS = (Spec((3,), differentiable=False), Spec((3,), low=0.5, differentiable=False))
TINY = [
    Sample(Spec((3, 2)), None, None, None, None, True),
    Sample(Spec((2, 3, 2)), None, None, Spec((3,)), Spec((3,)), True, eps=1e-3),
    Sample(Spec((2, 3, 2)), None, None, None, Spec((3,)), True),
    Sample(Spec((2, 3, 2)), *STATISTICS, Spec((3,)), Spec((3,)), False),
    Sample(Spec((2, 3, 2)), *STATISTICS, None, Spec((3,))),
    Sample(Spec((2, 3, 2, 1)), *STATISTICS),
]
ERRORS = [
    ErrorCase(
        Sample(Spec((1, 3)), None, None, training=True),
        ValueError,
        r"Expected more than 1 value per channel when training, got input size torch.Size\(\[1, 3\]\)",
    ),
    ErrorCase(
        Sample(Spec((1, 3, 1, 1)), None, None, training=True),
        ValueError,
        r"got input size torch.Size\(\[1, 3, 1, 1\]\)",
    ),
    ErrorCase(Sample(Spec((2, 3)), None, None), RuntimeError, "running_mean must be defined in evaluation mode"),
    ErrorCase(Sample(Spec((2, 3)), Spec((3,)), None), RuntimeError, "running_var must be defined in evaluation mode"),
    ErrorCase(
        Sample(Spec((2, 3)), Spec((3,)), None, training=True), ValueError, "must either both be None or neither be None"
    ),
    ErrorCase(evaluated((2, 3), running_mean=Spec((4,))), RuntimeError, "running_mean should contain 3 elements not 4"),
    ErrorCase(evaluated((2, 3), running_var=Spec((4,))), RuntimeError, "running_var should contain 3 elements not 4"),
    ErrorCase(evaluated((2, 3), weight=Spec((2,))), RuntimeError, "weight should contain 3 elements not 2"),
    ErrorCase(evaluated((2, 3), bias=Spec((2,))), RuntimeError, "bias should contain 3 elements not 2"),
    ErrorCase(
        evaluated((2, 3), weight=Spec((3,), dtype="float64")),
        RuntimeError,
        r"mixed dtype \(CPU\): expect parameter to have scalar type of Float",
    ),
    ErrorCase(evaluated((2, 3)), NotImplementedError, "\"batch_norm\" not implemented for 'Long'", dtype="int64"),
    ErrorCase(evaluated((2, 3), eps=-1.0), ValueError, "eps must be non-negative, but got -1.0"),
    ErrorCase(evaluated((2, 3), training=True, eps=0.0), ValueError, "eps must be positive during training"),
    ErrorCase(evaluated((2, 3), training=True, momentum=None), TypeError, "'momentum'"),
]
# float32 normalises a channel to size 1; a sum over its elements is then off by some units of 2⁻²⁴.
TOLERANCE = {"float32": (1e-5, 2e-5)}


def reference_batch_norm(*arguments: Any, eps: float = 1e-5) -> Any:
    """The reference, whose ``eps`` comes where torch has ``momentum``."""
    return reference.batch_norm(*arguments, eps=eps)


class TestBatchNorm(OpContract):
    declarations: ClassVar = [
        Declaration(
            NAME,
            training,
            reference=reference_batch_norm,
            tiny=TINY[:3],
            errors=ERRORS,
            tolerance=TOLERANCE,
            has_kernels=True,
        ),
        Declaration(NAME, evaluation, reference=reference_batch_norm, tiny=TINY[3:], has_kernels=True),
    ]


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("shape", [(0, 2, 3), (2, 2, 0)], ids=str)
def test_nothing_to_normalise(shape: tuple[int, ...], trained: bool) -> None:
    results = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        x, weight = convert(numpy.zeros(shape), True), convert(numpy.ones(shape[1]), True)
        averages = [convert(numpy.ones(shape[1])) for _ in range(2)]
        output = package.nn.functional.batch_norm(x, *averages, weight, None, trained)
        output.sum().backward()
        results.append((output, x.grad, weight.grad, *averages))
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs)


@pytest.mark.parametrize("trained", [True, False])
def test_no_channels(trained: bool) -> None:
    nothing = minitorch.zeros(0)
    output = minitorch.nn.functional.batch_norm(minitorch.zeros(2, 0, 3), nothing, nothing, training=trained)
    assert output.shape == (2, 0, 3)


LARGE = [(3, 5, 60, 60), (2, 3, 100, 110), (2, 40, 50, 50), (50, 3, 5, 8), (700, 30, 1, 1), (9, 8, 11, 13)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", LARGE, ids=str)
@pytest.mark.parametrize("trained", [True, False])
def test_channels_of_every_length_and_layout(shape: tuple[int, ...], layout: str, trained: bool) -> None:
    """Values, gradients and memory layout, for lines that are longer or shorter than the pattern of factors."""
    generator = numpy.random.default_rng(0)
    C = shape[1]
    array = LAYOUTS[layout](generator.normal(generator.normal(size=(C, 1, 1)), 2, shape).astype("float32"))
    cotangent = LAYOUTS["row-major"](generator.standard_normal(shape).astype("float32"))
    parameters = [generator.uniform(0.5, 2, C).astype("float32") for _ in range(4)]
    exact, results = [], []
    for package, convert, dtype in (
        (minitorch, to_ours, "float32"),
        (oracle, to_torch, "float32"),
        (oracle, to_torch, "float64"),
    ):
        x, weight, bias = [convert(each.astype(dtype), True) for each in (array, *parameters[:2])]
        averages = [convert(each.astype(dtype)) for each in parameters[2:]]
        output = package.nn.functional.batch_norm(x, *averages, weight, bias, trained)
        output.backward(convert(cotangent.astype(dtype)))
        (exact if dtype == "float64" else results).append([output, x.grad, weight.grad, bias.grad, *averages])
    for ours, theirs, truth in zip(*results, *exact):
        error, allowed = [abs(as_numpy(each) - as_numpy(truth)).max() for each in (ours, theirs)]
        assert error <= 4 * allowed + 1e-6 * abs(as_numpy(truth)).max()
    assert_same_layout(results[0][0], results[1][0])
    assert_same_layout(results[0][1], results[1][1])


def run(package: Any, convert: Any, array: Any, options: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Output, and running averages after it."""
    dtype = array.dtype
    mean, var = convert(numpy.array([0.5, -1, 3], dtype)), convert(numpy.array([1, 2, 0.25], dtype))
    output = package.nn.functional.batch_norm(convert(array), mean, var, training=True, **options)
    return output, mean, var


@given(
    shape=st.sampled_from([(2, 3), (4, 3, 2), (2, 3, 2, 2), (1, 3, 2), (0, 3, 2)]),
    dtype=st.sampled_from(["float32", "float64"]),
    momentum=st.sampled_from([0.1, 0.5, 1.0, 0, 1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_running_averages_are_updated_in_place(shape: tuple[int, ...], dtype: str, momentum: float, seed: int) -> None:
    array = numpy.random.default_rng(seed).normal(2, 3, shape).astype(dtype)
    ours, theirs = (run(p, c, array, {"momentum": momentum}) for p, c in ((minitorch, to_ours), (oracle, to_torch)))
    for actual, expected in zip(ours[1:], theirs[1:]):
        assert_equal(actual, expected, TOLERANCE)
        assert actual._version == 1
    if array.size:
        expected_mean, expected_var = reference.running_statistics(
            array.astype("float64"), numpy.array([0.5, -1, 3]), numpy.array([1, 2, 0.25]), momentum
        )
        numpy.testing.assert_allclose(ours[1].array, expected_mean, 1e-5, 1e-5)
        numpy.testing.assert_allclose(ours[2].array, expected_var, 1e-5, 1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_float32_statistics_survive_a_large_mean(layout: str) -> None:
    array = LAYOUTS[layout]((1000 + numpy.random.default_rng(0).normal(size=(64, 3, 8, 8))).astype("float32"))
    exact = oracle.nn.functional.batch_norm(to_torch(array.astype("float64")), None, None, training=True).numpy()
    ours = minitorch.nn.functional.batch_norm(to_ours(array), None, None, training=True).array
    # The mean itself is off by half a unit in the last place of 1000, 3·10⁻⁵.
    numpy.testing.assert_allclose(ours, exact, 0, 2e-4)


def test_an_output_has_mean_0_and_variance_1() -> None:
    array = numpy.random.default_rng(0).normal(5, 3, (50, 3, 4))
    output = minitorch.nn.functional.batch_norm(to_ours(array), None, None, training=True).array
    numpy.testing.assert_allclose(output.mean((0, 2)), 0, atol=1e-12)
    numpy.testing.assert_allclose(output.var((0, 2)), 1, 1e-5)


def test_float16_input_with_float32_parameters() -> None:
    array = numpy.random.default_rng(0).normal(size=(8, 3)).astype("float16")
    weight = numpy.array([1, 2, 3], "float32")
    for trained in (True, False):
        outputs = [
            package.nn.functional.batch_norm(
                convert(array), convert(0 * weight), convert(weight), convert(weight), convert(weight), trained
            )
            for package, convert in ((minitorch, to_ours), (oracle, to_torch))
        ]
        assert_equal(*outputs, {"float16": (2e-3, 2e-3)})


def test_training_twice_and_then_backward() -> None:
    """The averages that training changes are not what its gradient needs."""
    array, mean, var = numpy.random.default_rng(0).normal(size=(4, 3)), numpy.zeros(3), numpy.ones(3)
    grads = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        x, running = convert(array, True), (convert(mean.copy()), convert(var.copy()))
        first = package.nn.functional.batch_norm(x, *running, training=True)
        second = package.nn.functional.batch_norm(first * first, *running, training=True)
        (second * second * second).sum().backward()
        grads.append(x.grad)
    assert_equal(*grads)


def test_evaluation_notices_changed_averages() -> None:
    x, mean, var = to_ours(numpy.ones((2, 3)), True), minitorch.zeros(3).double(), minitorch.ones(3).double()
    output = minitorch.nn.functional.batch_norm(x, mean, var)
    var.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.backward(to_ours(numpy.ones((2, 3))))


def test_averages_cannot_require_grad() -> None:
    mean = minitorch.tensor([0.0, 0.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="not differentiable with respect to argument 'running_mean'"):
        minitorch.nn.functional.batch_norm(minitorch.zeros(2, 2), mean, minitorch.ones(2))


@pytest.mark.parametrize("trained", [True, False])
def test_the_nodes_name_is_torchs(trained: bool) -> None:
    names = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        averages = convert(numpy.zeros(3)), convert(numpy.ones(3))
        output = package.nn.functional.batch_norm(convert(numpy.eye(3), True), *averages, training=trained)
        names.append(output.grad_fn.name())
    assert names[0] == names[1]
