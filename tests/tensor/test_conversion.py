"""From tensors to numbers, lists, arrays and other types: in both libraries."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from tests.harness.both import Program, same

PROGRAMS: dict[str, Program] = {
    "attributes": lambda torch: [
        tuple(torch.ones(2, 3).shape),
        torch.ones(2, 3).size(1),
        torch.ones(2, 3).size(-2),
        torch.ones(2, 3).dim(),
        torch.ones(2, 3).ndimension(),
        torch.ones(2, 3).ndim,
        torch.ones(2, 3).numel(),
        len(torch.ones(2, 3)),
        torch.ones(2, 3).dtype,
        torch.ones(2, 3).device,
        torch.ones(2, 3).is_cuda,
        torch.ones(2, 3).element_size(),
        torch.ones(2, 3).nbytes,
        torch.ones(2).is_floating_point(),
    ],
    "is_same_size": lambda torch: [torch.ones(2).is_same_size(torch.zeros(shape)) for shape in ((2,), (2, 1))],
    "copy_ of a number": lambda torch: torch.ones(2).copy_(5),
    "copy_ that repeats": lambda torch: torch.zeros(2, 3).copy_(torch.arange(2.0).reshape(2, 1)),
    "apply_": lambda torch: torch.arange(4.0).reshape(2, 2).apply_(lambda value: 2 * value),
    "size": lambda torch: [repr(torch.ones(2, 3).shape), torch.ones(2, 3).size().numel(), str(torch.Size([1]))],
    "type names": lambda torch: [
        getattr(torch.ones(2), name)().type()
        for name in ("float", "double", "half", "long", "int", "short", "char", "byte", "bool")
    ],
    "type": lambda torch: [
        torch.tensor([1.7, -1.2]).type(torch.int64),
        torch.tensor([1.7]).type("torch.DoubleTensor"),
        torch.tensor([1.7]).type(torch.LongTensor),
        torch.tensor([1.7]).type_as(torch.ones(1, dtype=torch.int32)),
    ],
    "to": lambda torch: [
        torch.tensor([1.5]).to(torch.int32),
        torch.tensor([1.5]).to("cpu", torch.float16),
        torch.tensor([1.5]).to(torch.ones(1, dtype=torch.float64)),
        torch.tensor([1.5]).to(dtype=torch.bool),
        torch.tensor([1.5]).to(torch.device("cpu")),
    ],
    "numbers": lambda torch: [
        torch.tensor(2.5).item(),
        float(torch.tensor([2.5])),
        int(torch.tensor(2.5)),
        bool(torch.tensor(0)),
        torch.ones(2, 2).tolist(),
        torch.tensor(3).tolist(),
        [1, 2, 3][torch.tensor(1)],
        f"{torch.tensor(1.5):.3f}",
        3 in torch.tensor([1, 3]),
    ],
    "iteration": lambda torch: [each.tolist() for each in torch.arange(6).reshape(3, 2)],
    "mixed arithmetic with NumPy scalars": lambda torch: [
        torch.ones(2) * numpy.float64(3),
        torch.ones(2) + numpy.int64(1),
    ],
    "gradient through dtype conversions": lambda torch: _through_dtypes(torch),
    "deepcopy": lambda torch: _copied(torch),
    "pickle": lambda torch: pickle.loads(pickle.dumps(torch.tensor([1.5, 2], dtype=torch.float64))),
    "detach shares memory": lambda torch: _detached(torch),
    "data": lambda torch: _data(torch),
    "finfo": lambda torch: [
        (torch.finfo(each).eps, torch.finfo(each).max, torch.finfo(each).tiny, torch.finfo(each).bits)
        for each in (torch.float16, torch.float32, torch.float64)
    ],
    "iinfo": lambda torch: [(torch.iinfo(each).min, torch.iinfo(each).max) for each in (torch.uint8, torch.int64)],
    "same object when nothing changes": lambda torch: _unchanged(torch),
}

ERRORS: dict[str, Program] = {
    "item of two": lambda torch: torch.ones(2).item(),
    "float of two": lambda torch: float(torch.ones(2)),
    "bool of two": lambda torch: bool(torch.ones(2)),
    "bool of none": lambda torch: bool(torch.ones(0)),
    "len of 0-d": lambda torch: len(torch.tensor(1)),
    "iteration over 0-d": lambda torch: list(torch.tensor(1)),
    "size out of range": lambda torch: torch.ones(2).size(1),
    "numpy with grad": lambda torch: torch.ones(1, requires_grad=True).numpy(),
    "deepcopy of a result": lambda torch: copy.deepcopy(torch.ones(1, requires_grad=True) * 2),
    "index of a float": lambda torch: [1, 2][torch.tensor(1.0)],
    "format of a vector": lambda torch: f"{torch.ones(2):.3f}",
    "copy_ of more dimensions": lambda torch: torch.ones(2, 3).copy_(torch.ones(1, 2, 3)),
    "copy_ of many": lambda torch: torch.ones(2, 3).copy_(torch.ones(4, 2, 3)),
    "copy_ into 0-d": lambda torch: torch.tensor(1.0).copy_(torch.ones(1)),
    "copy_ into fewer": lambda torch: torch.ones(1, 3).copy_(torch.ones(2, 3)),
    "copy_ of another size": lambda torch: torch.ones(2, 3).copy_(torch.ones(2, 4)),
    "copy_ of no tensor": lambda torch: torch.ones(2, 3).copy_([1.0]),
    "unknown type": lambda torch: torch.ones(1).type("torch.NoTensor"),
    "unknown device": lambda torch: torch.device("nowhere"),
}


def _through_dtypes(torch: Any) -> Any:
    x = torch.ones(2, requires_grad=True)
    y = x.double().to(torch.float16).float() * 3
    y.backward(torch.ones(2))
    return x.grad


def _copied(torch: Any) -> Any:
    x = torch.ones(2, requires_grad=True)
    (x * 2).backward(torch.ones(2))
    twin = copy.deepcopy(x)
    with torch.no_grad():
        x.zero_()
    return twin.detach(), twin.grad, twin.requires_grad


def _detached(torch: Any) -> Any:
    x = torch.ones(2, requires_grad=True)
    y = x.detach()
    y[0] = 5
    return x.detach(), y.requires_grad, x.requires_grad


def _data(torch: Any) -> Any:
    x = torch.ones(2, requires_grad=True)
    x.data *= 3
    x.data[0] = 7
    kept = x.detach().clone()
    x.data = torch.zeros(3)
    return kept, x.detach(), x.requires_grad


def _unchanged(torch: Any) -> Any:
    x = torch.ones(2)
    return x.to(torch.float32) is x, x.float() is x, x.cpu() is x, x.to(torch.float32, copy=True) is x


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    same(PROGRAMS[name])


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    same(ERRORS[name], message=name not in ("unknown device", "unknown type"))


def test_functions_of_numpy_give_tensors() -> None:
    x = minitorch.tensor([1.0, 4.0])
    for result in (numpy.sqrt(x), numpy.transpose(x), numpy.maximum(numpy.zeros(2, "float32"), x)):
        assert isinstance(result, minitorch.Tensor)
        assert result.dtype is minitorch.float32
    assert numpy.sqrt(x).tolist() == oracle.tensor([1.0, 4.0]).sqrt().tolist()
    assert isinstance(numpy.exp(minitorch.tensor(1.0)), minitorch.Tensor)
    with pytest.raises(RuntimeError, match="requires grad"):
        numpy.sin(minitorch.ones(2, requires_grad=True))


def test_zero_copy_with_numpy() -> None:
    x = minitorch.zeros(3)
    numpy.asarray(x)[0] = 1
    x.numpy()[1] = 2
    assert x.tolist() == [1.0, 2.0, 0.0]
    assert numpy.asarray(x, dtype="float64").dtype == "float64"


def test_zero_copy_with_torch_both_ways() -> None:
    ours = minitorch.arange(3.0)
    theirs = oracle.from_dlpack(ours)
    theirs[0] = 7
    assert ours.tolist() == [7.0, 1.0, 2.0]
    back = minitorch.from_dlpack(oracle.arange(4.0))
    assert back.tolist() == [0.0, 1.0, 2.0, 3.0]
    with pytest.raises(BufferError, match="require gradient"):
        oracle.from_dlpack(minitorch.ones(1, requires_grad=True))


def test_repr_names_the_operation() -> None:
    same(lambda torch: repr(torch.ones(2, requires_grad=True) * 2))
    same(lambda torch: repr(torch.ones(2, requires_grad=True)))
