"""nn.init against torch: with the same seed the same numbers."""

from __future__ import annotations

import math

import numpy
import pytest
import torch as oracle

import minitorch as torch
from tests.harness.both import same

NAMES = "linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d sigmoid tanh relu selu"

EXACT = [
    ("uniform_", (3, 5), {}),
    ("uniform_", (40,), {"a": -2.0, "b": 3.0}),
    ("constant_", (2, 3), {"val": 0.3}),
    ("ones_", (4,), {}),
    ("zeros_", (4,), {}),
    ("eye_", (3, 5), {}),
    ("eye_", (4, 2), {}),
    ("dirac_", (3, 2, 3), {}),
    ("dirac_", (4, 2, 3, 4), {"groups": 2}),
    ("dirac_", (2, 3, 1, 2, 3), {}),
    ("xavier_uniform_", (5, 7), {}),
    ("xavier_uniform_", (5, 3, 2, 2), {"gain": 1.7}),
    ("kaiming_uniform_", (5, 7), {}),
    ("kaiming_uniform_", (5, 7), {"a": math.sqrt(5)}),
    ("kaiming_uniform_", (5, 3, 2, 2), {"mode": "fan_out", "nonlinearity": "relu"}),
]
NORMAL = [  # within an ulp or two: the logarithms and cosines are NumPy's
    ("normal_", (3,), {"mean": 1.0, "std": 2.0}),
    ("normal_", (5, 5), {}),
    ("xavier_normal_", (5, 7), {}),
    ("xavier_normal_", (4, 3, 3, 3), {"gain": 0.5}),
    ("kaiming_normal_", (5, 7), {"a": 0.2}),
    ("kaiming_normal_", (5, 3, 2, 2), {"mode": "fan_out", "nonlinearity": "tanh"}),
    ("sparse_", (6, 5), {"sparsity": 0.3}),
    ("sparse_", (20, 3), {"sparsity": 0.5, "std": 2.0}),
]


def fill_both(name, shape, options, dtype):
    results = []
    for library in (torch, oracle):
        library.manual_seed(3)
        tensor = library.full(shape, 9.0, dtype=getattr(library, dtype))
        returned = getattr(library.nn.init, name)(tensor, **options)
        assert returned is tensor
        results.append(tensor.numpy())
    return results


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "shape", "options"), EXACT, ids=str)
def test_equals_torch_bit_for_bit(name, shape, options, dtype):
    ours, theirs = fill_both(name, shape, options, dtype)
    assert ours.dtype == theirs.dtype
    numpy.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "shape", "options"), NORMAL, ids=str)
def test_normal_equals_torch(name, shape, options, dtype):
    ours, theirs = fill_both(name, shape, options, dtype)
    numpy.testing.assert_allclose(ours, theirs, 4 * numpy.finfo(dtype).eps)


@pytest.mark.parametrize(("shape", "gain"), [((3, 5), 1), ((5, 3), 2.5), ((4, 2, 3), 1), ((1, 4), 1)])
def test_orthogonal(shape, gain):
    ours, theirs = fill_both("orthogonal_", shape, {"gain": gain}, "float64")
    numpy.testing.assert_allclose(ours, theirs, 1e-12, 1e-12)
    matrix = ours.reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    numpy.testing.assert_allclose(product, gain**2 * numpy.eye(len(product)), atol=1e-12)


@pytest.mark.parametrize("name", NAMES.split())
def test_gain(name):
    assert torch.nn.init.calculate_gain(name) == oracle.nn.init.calculate_gain(name)


@pytest.mark.parametrize("slope", [None, 0.3, 2, math.sqrt(5)])
def test_gain_of_leaky_relu(slope):
    assert torch.nn.init.calculate_gain("leaky_relu", slope) == oracle.nn.init.calculate_gain("leaky_relu", slope)


def test_a_generator_of_its_own():
    for name in ("uniform_", "normal_", "kaiming_uniform_", "xavier_normal_", "orthogonal_"):
        ours = getattr(torch.nn.init, name)(torch.empty(4, 5), generator=torch.Generator().manual_seed(1)).numpy()
        theirs = getattr(oracle.nn.init, name)(oracle.empty(4, 5), generator=oracle.Generator().manual_seed(1)).numpy()
        numpy.testing.assert_allclose(ours, theirs, 1e-5, 1e-6)


def test_sparse_with_a_generator():
    """It draws the numbers; which of them become zeros, the default generator says, as in torch."""

    def program(package):
        generator = package.Generator().manual_seed(1)
        return package.nn.init.sparse_(package.empty(9, 4), 0.3, generator=generator), package.rand(2)

    same(program)


def test_a_leaf_that_requires_grad_is_filled_without_recording():
    weight = torch.nn.Parameter(torch.zeros(3))
    assert torch.nn.init.ones_(weight) is weight
    assert weight.requires_grad
    assert weight.grad_fn is None
    assert weight.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "shape", "options", "message"),
    [
        ("eye_", (2,), {}, "Only tensors with 2 dimensions are supported"),
        ("dirac_", (2, 2), {}, "Only tensors with 3, 4, or 5 dimensions are supported"),
        ("dirac_", (3, 2, 1), {"groups": 2}, "dim 0 must be divisible by groups"),
        ("xavier_uniform_", (3,), {}, "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"),
        ("kaiming_uniform_", (3, 2), {"mode": "x"}, r"Mode x not supported, please use one of \['fan_in', 'fan_out'\]"),
        ("kaiming_normal_", (3, 2), {"nonlinearity": "foo"}, "Unsupported nonlinearity foo"),
        ("orthogonal_", (3,), {}, "Only tensors with 2 or more dimensions are supported"),
        ("sparse_", (3,), {"sparsity": 0.1}, "Only tensors with 2 dimensions are supported"),
    ],
)  # fmt: skip
def test_errors(name, shape, options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        getattr(torch.nn.init, name)(torch.empty(*shape), **options)


@pytest.mark.parametrize("slope", [True, "a"])
def test_gain_errors(slope):
    with pytest.raises(ValueError, match=f"negative_slope {slope} not a valid number"):
        torch.nn.init.calculate_gain("leaky_relu", slope)


def test_no_elements():
    for name in ("kaiming_uniform_", "kaiming_normal_"):
        with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
            getattr(torch.nn.init, name)(torch.empty(0, 3))
