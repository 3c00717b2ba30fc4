import numpy as np
import pytest
import torch

from reference import reduction
from tests.reference.support import assert_same, draw, torch_gradients

CASES = [
    ((2, 3, 4), None),
    ((2, 3, 4), 0),
    ((2, 3, 4), -2),
    ((2, 3, 4), 2),
    ((5,), 0),
    ((), None),
    ((3, 1), 1),
]
MANY = [((2, 3, 4), (0, 2)), ((2, 3, 4), (-1, 0, 1))]


def torch_reduce(name, dim, **options):
    function = getattr(torch, name)
    if dim is None and name == "logsumexp":
        return lambda x: function(x, tuple(range(x.ndim)), **options)
    return lambda x: function(x, **options) if dim is None else function(x, dim, **options)


def check(name, array, dim, **options):
    expected, grad_output, (gradient,) = torch_gradients(torch_reduce(name, dim, **options), array)
    assert_same(getattr(reduction, name)(array, dim, **options), expected)
    assert_same(getattr(reduction, f"{name}_gradient")(grad_output, array, dim, **options), gradient)


@pytest.mark.parametrize(("shape", "dim"), CASES)
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "logsumexp"])
def test_equals_torch(name, shape, dim):
    check(name, draw(*shape), dim)


@pytest.mark.parametrize(("shape", "dim"), MANY)
@pytest.mark.parametrize("name", ["sum", "mean", "logsumexp", "var"])
def test_several_dims_equal_torch(name, shape, dim):
    check(name, draw(*shape), dim)


@pytest.mark.parametrize("correction", [0, 1, 2])
@pytest.mark.parametrize(("shape", "dim"), [((2, 3, 4), None), ((2, 3, 4), -1), ((6, 2), 0)])
def test_var_equals_torch(shape, dim, correction):
    check("var", draw(*shape), dim, correction=correction)


def test_var_without_degrees_of_freedom_is_nan_or_inf():
    assert np.isnan(reduction.var(np.ones(1)))
    assert np.isinf(reduction.var(np.array([1.0, 2.0]), correction=5))


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "logsumexp"])
def test_keepdim_keeps_a_size_of_one(name):
    array = draw(2, 3)
    expected = torch_reduce(name, 1, keepdim=True)(torch.tensor(array))
    actual = getattr(reduction, name)(array, 1, keepdim=True)
    assert_same(actual, expected)
    gradient = getattr(reduction, f"{name}_gradient")
    assert_same(gradient(actual, array, 1), gradient(actual[:, 0], array, 1))


@pytest.mark.parametrize("name", ["sum", "mean", "prod"])
@pytest.mark.filterwarnings("ignore")
def test_empty_equals_torch(name):
    check(name, np.zeros((2, 0)), 1)
    check(name, np.zeros((2, 0)), None)


@pytest.mark.parametrize("zeros", [1, 2])
def test_prod_gradient_with_zeros(zeros):
    array = draw(5)
    array[:zeros] = 0
    check("prod", array, 0)


@pytest.mark.parametrize("values", [[1000.0, 1001.0], [0.0, -np.inf], [-np.inf, -np.inf], [np.inf, 0.0], [np.nan, 1.0]])
def test_logsumexp_at_special_values(values):
    assert_same(reduction.logsumexp(np.array(values)), torch.logsumexp(torch.tensor(values, dtype=torch.float64), 0))


@pytest.mark.parametrize(("shape", "dim"), [((2, 3, 4), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((5,), 0), ((2, 0), 1)])
def test_cumsum_equals_torch(shape, dim):
    array = draw(*shape)
    expected, grad_output, (gradient,) = torch_gradients(lambda x: torch.cumsum(x, dim), array)
    assert_same(reduction.cumsum(array, dim), expected)
    assert_same(reduction.cumsum_gradient(grad_output, dim), gradient)


TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 1.0], [1.0, np.nan, np.nan], [-np.inf, -np.inf, -np.inf]])


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("name", ["max", "min"])
def test_extreme_along_dim_equals_torch(name, dim, keepdim):
    for array in (draw(4, 3), TIES):
        values, indices = getattr(torch, name)(torch.tensor(array), dim, keepdim)
        actual_values, actual_indices = getattr(reduction, name)(array, dim, keepdim)
        assert_same(actual_values, values)
        assert_same(actual_indices, indices)
        assert actual_indices.dtype == np.int64
        assert_same(getattr(reduction, f"arg{name}")(array, dim, keepdim), indices)
        _, grad_output, (gradient,) = torch_gradients(lambda x: getattr(torch, name)(x, dim, keepdim)[0], array)
        assert_same(getattr(reduction, f"{name}_gradient")(grad_output, array, dim), gradient)


@pytest.mark.parametrize("name", ["max", "min"])
def test_extreme_of_all_equals_torch(name):
    for array in (draw(2, 3), TIES[:2], np.ones((2, 2))):
        check(name, array, None)
        assert_same(getattr(reduction, f"arg{name}")(array), getattr(torch, f"arg{name}")(torch.tensor(array)))
