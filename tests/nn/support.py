"""The same layer in both libraries: built alike, given the same values, compared in every respect."""

from __future__ import annotations

from typing import Any

import numpy
import torch as oracle

import minitorch
from tests.harness.compare import TOLERANCES


def both(name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """The layer ``name`` of either library, each made after the same seed."""
    made = []
    for library in (minitorch, oracle):
        library.manual_seed(5)
        translated = {key: _translated(value, library) for key, value in kwargs.items()}
        made.append(getattr(library.nn, name)(*[_translated(value, library) for value in args], **translated))
    return made[0], made[1]


def _translated(value: Any, library: Any) -> Any:
    """Arrays stand for tensors, and numpy's dtypes for the library's."""
    if isinstance(value, numpy.ndarray):
        return library.from_numpy(value.copy())
    return getattr(library, numpy.dtype(value).name) if isinstance(value, type) else value


def copy_state(source: Any, target: Any) -> None:
    """Give the torch module ``target`` the values of our module ``source``."""
    state = {name: oracle.from_numpy(as_numpy(value)) for name, value in source.state_dict().items()}
    target.load_state_dict(state)


def as_numpy(tensor: Any) -> numpy.ndarray:
    """A copy of the tensor's values."""
    return numpy.array(tensor.detach().numpy())


def assert_equal(actual: Any, expected: Any, what: str, exact: bool = False) -> None:
    """The tensors are alike in shape, dtype and values, within the tolerance of the dtype."""
    ours, theirs = as_numpy(actual), as_numpy(expected)
    assert ours.dtype == theirs.dtype, f"{what}: {ours.dtype} is not torch's {theirs.dtype}"
    assert ours.shape == theirs.shape, f"{what}: {ours.shape} is not torch's {theirs.shape}"
    if exact or theirs.dtype.kind != "f":
        numpy.testing.assert_array_equal(ours, theirs, err_msg=what)
    else:
        numpy.testing.assert_allclose(ours, theirs, *TOLERANCES[str(theirs.dtype)], err_msg=what)


def assert_same_state(ours: Any, theirs: Any, what: str, exact: bool = False) -> None:
    """The modules' state has the same keys in the same order, and equal values."""
    mine, expected = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(expected), what
    for key, value in expected.items():
        assert_equal(mine[key], value, f"{what}: {key}", exact)


def make_inputs(specs: list[Any], dtype: str, seed: int = 0) -> list[numpy.ndarray]:
    """An array for each spec: a shape stands for normal numbers, an array for itself."""
    random = numpy.random.default_rng(seed)
    return [
        spec.astype(dtype)
        if isinstance(spec, numpy.ndarray) and spec.dtype.kind == "f"
        else spec
        if isinstance(spec, numpy.ndarray)
        else random.normal(size=spec).astype(dtype)
        for spec in specs
    ]


def assert_same_behaviour(ours: Any, theirs: Any, specs: list[Any], dtype: str = "float64") -> None:
    """Outputs, gradients of inputs and parameters for a random cotangent, and buffers afterwards are alike."""
    arrays = make_inputs(specs, dtype)
    results = []
    for library, module in ((minitorch, ours), (oracle, theirs)):
        library.manual_seed(11)
        inputs = [library.from_numpy(array.copy()).requires_grad_(array.dtype.kind == "f") for array in arrays]
        output = module(*inputs)
        outputs = list(output) if isinstance(output, tuple) else [output]
        module.zero_grad()
        if outputs[0].requires_grad:
            outputs[0].backward(library.from_numpy(cotangent(outputs[0])))
        results.append((outputs, inputs))
    (our_outputs, our_inputs), (their_outputs, their_inputs) = results
    assert len(our_outputs) == len(their_outputs)
    for index, (mine, expected) in enumerate(zip(our_outputs, their_outputs)):
        assert_equal(mine, expected, f"output {index}")
        assert mine.requires_grad == expected.requires_grad
    for index, (mine, expected) in enumerate(zip(our_inputs, their_inputs)):
        assert_same_gradient(mine, expected, f"gradient of input {index}")
    for (name, mine), (_, expected) in zip(ours.named_parameters(), theirs.named_parameters()):
        assert_same_gradient(mine, expected, f"gradient of {name}")
    assert_same_state(ours, theirs, "state after the call")


def cotangent(output: Any) -> numpy.ndarray:
    """A random gradient for an output of either library."""
    shape = tuple(output.shape)
    return numpy.asarray(numpy.random.default_rng(7).normal(size=shape), as_numpy(output).dtype)


def assert_same_gradient(mine: Any, expected: Any, what: str) -> None:
    """Both have no gradient, or both have the same."""
    assert (mine.grad is None) == (expected.grad is None), what
    if expected.grad is not None:
        assert_equal(mine.grad, expected.grad, what)
