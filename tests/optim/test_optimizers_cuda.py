"""The optimizers' kernels, and other jobs on many tensors, run by the emulator, and on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from minitorch.autograd.variable import wrap
from minitorch.backend import multi_tensor
from tests.harness.compare import as_numpy

SHAPES = [(3,), (50, 60), (0,), (7, 1, 3), *[(2,)] * multi_tensor.TENSORS]  # more tensors than a launch has, and chunks
RUNS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.1, "capturable": True}),
    ("AdamW", {"lr": 0.01, "capturable": True, "amsgrad": True}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "capturable": True}),
    ("Adadelta", {"lr": 0.5, "maximize": True, "capturable": True}),
    ("Adamax", {"lr": 0.05, "capturable": True}),
]


def tensor(array: Any, to_device: Any) -> Any:
    return wrap(to_device(numpy.array(array)), minitorch.Tensor)


@pytest.mark.parametrize(("name", "options"), RUNS, ids=str)
def test_steps_as_torch(to_device: Any, name: str, options: dict[str, Any]) -> None:
    generator = numpy.random.default_rng(0)
    values = [generator.standard_normal(shape).astype("float32") for shape in SHAPES]
    ours = [minitorch.nn.Parameter(tensor(value, to_device)) for value in values]
    theirs = [oracle.nn.Parameter(oracle.tensor(value)) for value in values]
    optimizer = getattr(minitorch.optim, name)(ours, **options)
    judge = getattr(oracle.optim, name)(
        theirs, **{name: value for name, value in options.items() if name != "capturable"}
    )
    for step in range(3):
        for mine, their in zip(ours, theirs):
            if step == 1 and their.numel() == 2:  # it has no gradient now, so its next step is one behind
                mine.grad = their.grad = None
                continue
            grad = generator.standard_normal(tuple(their.shape)).astype("float32")
            mine.grad, their.grad = tensor(grad, to_device), oracle.tensor(grad)
        optimizer.step()
        judge.step()
    for mine, their in zip(ours, theirs):
        numpy.testing.assert_allclose(as_numpy(mine), as_numpy(their), 2e-6, 2e-6)
    if options.get("capturable"):
        assert optimizer.state[ours[0]]["step"].is_cuda
        assert float(as_numpy(optimizer.state[ours[0]]["step"])) == 3


def test_learning_rate_on_the_device(to_device: Any) -> None:
    """A schedule can change it there between two replays of a captured step."""
    weight = minitorch.nn.Parameter(tensor(numpy.ones(3, "float32"), to_device))
    rate = tensor(numpy.array(0.5, "float32"), to_device)
    optimizer = minitorch.optim.SGD([weight], lr=rate)
    weight.grad = tensor(numpy.ones(3, "float32"), to_device)
    optimizer.step()
    rate.array[...] = 0.25
    optimizer.step()
    assert as_numpy(weight).tolist() == [0.25] * 3


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "Adadelta", "Adamax"])
def test_capturable_needs_a_device(name: str) -> None:
    weight = minitorch.nn.Parameter(minitorch.ones(2))
    optimizer = getattr(minitorch.optim, name)([weight], capturable=True)
    weight.grad = minitorch.ones(2)
    with pytest.raises(AssertionError, match="If capturable=True, params and state_steps must be on supported devices"):
        optimizer.step()


def test_zero_grad(to_device: Any) -> None:
    weights = [minitorch.nn.Parameter(tensor(numpy.ones(3, dtype), to_device)) for dtype in ("float32", "float64")]
    for weight in weights:
        weight.grad = tensor(as_numpy(weight) * 2, to_device)
    minitorch.optim.SGD(weights).zero_grad(set_to_none=False)
    assert not any(as_numpy(weight.grad).any() for weight in weights)


def test_zero_and_copy(to_device: Any) -> None:
    dtypes = ("float16", "float32", "float64", "int64", "int32", "int8")
    targets = [to_device(numpy.ones(shape, dtype)) for shape in ((3,), (2100,), (2, 3)) for dtype in dtypes]
    sources = [to_device((numpy.arange(each.size).reshape(each.shape) % 100).astype(each.dtype)) for each in targets]
    multi_tensor.multi_tensor_copy(targets, sources)
    for target, source in zip(targets, sources):
        numpy.testing.assert_array_equal(target.get(), source.get())
    multi_tensor.multi_tensor_zero(targets)
    assert not any(target.get().any() for target in targets)


@pytest.mark.parametrize("bad", [None, numpy.inf, -numpy.inf, numpy.nan])
def test_unscale(to_device: Any, bad: float | None) -> None:
    generator = numpy.random.default_rng(0)
    arrays = [
        generator.standard_normal(shape).astype(dtype) for shape in ((3,), (2100,)) for dtype in ("float16", "float32")
    ]
    if bad is not None:
        arrays[3][2099] = bad
    grads = [to_device(array.copy()) for array in arrays]
    found_inf = to_device(numpy.zeros(1, "float32"))
    multi_tensor.multi_tensor_unscale(grads, to_device(numpy.array([0.25], "float32")), found_inf)
    assert found_inf.get()[0] == (bad is not None)
    for grad, array in zip(grads, arrays):
        numpy.testing.assert_array_equal(grad.get(), array / 4)  # a power of two: exact


@pytest.mark.parametrize(("max_norm", "dtype"), [(1.0, "float32"), (1e6, "float32"), (0.5, "float16")])
def test_clip_grad_norm(to_device: Any, max_norm: float, dtype: str) -> None:
    grads = [numpy.random.default_rng(0).standard_normal(shape).astype(dtype) for shape in SHAPES]
    ours, theirs = [], []
    for grad in grads:
        ours.append(minitorch.nn.Parameter(tensor(grad, to_device)))
        theirs.append(oracle.nn.Parameter(oracle.tensor(grad)))
        ours[-1].grad, theirs[-1].grad = tensor(grad, to_device), oracle.tensor(grad)
    norms = [
        library.nn.utils.clip_grad_norm_(each, max_norm) for library, each in ((minitorch, ours), (oracle, theirs))
    ]
    tolerance = 1e-6 if dtype == "float32" else 2e-3
    numpy.testing.assert_allclose(as_numpy(norms[0]), as_numpy(norms[1]), tolerance)
    for mine, their in zip(ours, theirs):
        numpy.testing.assert_allclose(as_numpy(mine.grad), as_numpy(their.grad), tolerance, tolerance)
