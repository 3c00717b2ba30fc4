"""nn.utils against torch."""

from __future__ import annotations

import math

import numpy
import pytest
import torch as oracle

import minitorch
import minitorch as torch
from tests.nn.support import as_numpy, assert_equal


def make_parameters(library, scale=1.0):
    random = numpy.random.default_rng(0)
    parameters = []
    for shape in [(3, 2), (4,), (), (2,)]:
        parameter = library.nn.Parameter(library.from_numpy(numpy.asarray(random.normal(size=shape), "float32")))
        parameter.grad = library.from_numpy(numpy.asarray(scale * random.normal(size=shape), "float32"))
        parameters.append(parameter)
    parameters[3].grad = None
    return parameters


@pytest.mark.parametrize("norm_type", [2, 2.0, 1, 3.5, math.inf, 0.5])
@pytest.mark.parametrize("max_norm", [0.1, 3.0, 1000])
def test_clip_grad_norm(norm_type, max_norm):
    results = []
    for library in (minitorch, oracle):
        parameters = make_parameters(library)
        results.append((library.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type), parameters))
    (our_norm, ours), (their_norm, theirs) = results
    assert_equal(our_norm, their_norm, "norm")
    for mine, expected in zip(ours, theirs):
        assert (mine.grad is None) == (expected.grad is None)
        if expected.grad is not None:
            assert_equal(mine.grad, expected.grad, "gradient")


def test_clip_grad_norm_of_one_tensor_and_of_none():
    for library in (minitorch, oracle):
        parameter = library.nn.Parameter(library.zeros(2))
        assert library.nn.utils.clip_grad_norm_(parameter, 1.0).item() == 0
        assert library.nn.utils.clip_grad_norm_([], 1.0).item() == 0
        parameter.grad = library.tensor([3.0, 4.0])
        assert library.nn.utils.clip_grad_norm_(iter([parameter]), 1.0).item() == 5


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_nonfinite_norm(bad):
    messages = []
    for library in (minitorch, oracle):
        parameter = library.nn.Parameter(library.zeros(2))
        parameter.grad = library.tensor([bad, 1.0])
        with pytest.raises(RuntimeError, match="non-finite") as caught:
            library.nn.utils.clip_grad_norm_(parameter, 1.0, error_if_nonfinite=True)
        messages.append(str(caught.value))
        assert parameter.grad[1].item() == 1
        library.nn.utils.clip_grad_norm_(parameter, 1.0)
        assert not math.isfinite(parameter.grad[0].item())
    assert messages[0] == messages[1]


def test_clip_grad_value():
    ours, theirs = make_parameters(minitorch), make_parameters(oracle)
    minitorch.nn.utils.clip_grad_value_(ours, 0.5)
    oracle.nn.utils.clip_grad_value_(theirs, 0.5)
    for mine, expected in zip(ours[:3], theirs):
        assert_equal(mine.grad, expected.grad, "gradient", exact=True)
    assert ours[3].grad is None


def test_total_norm_and_scaling_apart():
    parameters = make_parameters(torch)
    gradients = [parameter.grad for parameter in parameters[:3]]
    norm = torch.nn.utils.get_total_norm(gradients, 2)
    expected = math.sqrt(sum((as_numpy(gradient) ** 2).sum() for gradient in gradients))
    assert norm.item() == pytest.approx(expected, rel=1e-6)
    torch.nn.utils.clip_grads_with_norm_(parameters, 1.0, norm)
    assert torch.nn.utils.get_total_norm(gradients, 2).item() == pytest.approx(1, rel=1e-5)


def test_parameters_and_vector():
    ours, theirs = make_parameters(minitorch), make_parameters(oracle)
    vector = torch.nn.utils.parameters_to_vector(ours)
    assert_equal(vector, oracle.nn.utils.parameters_to_vector(theirs), "vector", exact=True)
    vector.sum().backward()
    assert ours[3].grad.tolist() == [1, 1]
    doubled = vector.detach() * 2
    torch.nn.utils.vector_to_parameters(doubled, ours)
    for mine, expected in zip(ours, theirs):
        numpy.testing.assert_array_equal(as_numpy(mine), 2 * as_numpy(expected))
        assert mine.is_leaf
        assert mine.shape == tuple(expected.shape)
    with pytest.raises(TypeError, match=r"expected torch\.Tensor, but got"):
        torch.nn.utils.vector_to_parameters([1.0], ours)
