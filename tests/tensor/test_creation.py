"""Making tensors, in both libraries: values, dtypes, printing, and what fails with which words."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.harness.both import Program, same

PROGRAMS: dict[str, Program] = {
    "tensor of numbers": lambda torch: [torch.tensor(x) for x in (1, 2.5, True, [1, 2.5, True], [True, 2], [[1], [2]])],
    "tensor of nothing": lambda torch: [torch.tensor([]), torch.tensor([[], []]), torch.tensor(())],
    "tensor of numpy": lambda torch: [
        torch.tensor(numpy.arange(3, dtype="int16")),
        torch.tensor([numpy.float64(1)]),
        torch.tensor([numpy.float32(1)]),
        torch.tensor([numpy.int32(1), 2]),
        torch.tensor(numpy.float64(3)),
    ],
    "tensor of tensors": lambda torch: torch.tensor([torch.tensor(1.0), 2]),
    "tensor with dtype": lambda torch: [
        torch.tensor(2.7, dtype=torch.int64),
        torch.tensor([1, 0], dtype=torch.bool),
        torch.tensor([1, 2], dtype=torch.float16),
    ],
    "tensor requires_grad": lambda torch: torch.tensor([1.0], requires_grad=True).requires_grad,
    "as_tensor": lambda torch: [torch.as_tensor([1, 2]), torch.as_tensor(2.5, dtype=torch.float64)],
    "zeros and ones": lambda torch: [
        torch.zeros(2, 3),
        torch.zeros((2, 0)),
        torch.ones([2], dtype=torch.int32),
        torch.zeros(()),
        torch.ones(torch.Size([3])),
    ],
    "full": lambda torch: [
        torch.full((2,), 1),
        torch.full((2,), 1.5),
        torch.full((2,), True),
        torch.full((), 2, dtype=torch.float64),
    ],
    "like": lambda torch: [
        torch.zeros_like(torch.ones(2, dtype=torch.int64)),
        torch.ones_like(torch.zeros(2), dtype=torch.bool),
        torch.full_like(torch.ones(2, 2), 7),
        torch.empty_like(torch.ones(2, 3)).shape,
    ],
    "arange": lambda torch: [
        torch.arange(5),
        torch.arange(1, 4),
        torch.arange(0, 1, 0.1),
        torch.arange(5, 1, -2),
        torch.arange(3, dtype=torch.float16),
        torch.arange(0, 0),
        torch.arange(2.5),
        torch.arange(1, 5, 2, dtype=torch.float64),
    ],
    "linspace": lambda torch: [
        torch.linspace(0, 1, 7),
        torch.linspace(3, -3, 10, dtype=torch.float64),
        torch.linspace(2, 5, 1),
        torch.linspace(0, 1, 0),
    ],
    "logspace": lambda torch: [torch.logspace(0, 2, 3), torch.logspace(-1, 1, 5, base=2, dtype=torch.float64)],
    "eye": lambda torch: [torch.eye(2), torch.eye(2, 3), torch.eye(3, 1, dtype=torch.int64), torch.eye(0)],
    "new": lambda torch: [
        torch.ones(1, dtype=torch.float64).new_zeros(2, 2),
        torch.ones(1, dtype=torch.int32).new_ones((2,)),
        torch.ones(1).new_full((2,), 3),
        torch.ones(1, dtype=torch.float64).new_tensor([1, 2]),
        torch.ones(1).new_empty(3, 1).shape,
    ],
    "legacy": lambda torch: [
        torch.FloatTensor([1, 2]),
        torch.LongTensor([1.5]),
        torch.Tensor([1, 2]),
        torch.Tensor(2, 3).shape,
        torch.Tensor(),
        torch.IntTensor(2).dtype,
        isinstance(torch.ones(1), torch.FloatTensor),
        isinstance(torch.ones(1), torch.DoubleTensor),
    ],
    "Python's names of dtypes": lambda torch: [
        torch.tensor(1, dtype=float),
        torch.zeros(2, dtype=int),
        torch.full((2,), 1, dtype=bool),
        torch.ones_like(torch.ones(2), dtype=int),
        torch.rand(2, dtype=float),
        torch.ones(2).new_zeros(1, dtype=float),
        torch.ones(2).to(int),
        torch.ones(2).sum(dtype=float),
    ],
    "layout like the other's": lambda torch: [
        made.stride()
        for x in (torch.ones(2, 3, 4).transpose(1, 2), torch.ones(2, 4, 6)[..., ::2], torch.ones(3, 1).expand(3, 4))
        for made in (torch.zeros_like(x), torch.full_like(x, 2), torch.randn_like(x), torch.empty_like(x))
    ],
    "layout that was asked for": lambda torch: [
        torch.zeros_like(torch.ones(2, 3).t(), memory_format=torch.contiguous_format).stride(),
        torch.zeros_like(torch.ones(2, 3).t(), memory_format=torch.preserve_format).stride(),
        torch.rand_like(torch.ones(1, 2, 3, 4), memory_format=torch.channels_last).stride(),
    ],
    "new without a suffix": lambda torch: [torch.ones(1, dtype=torch.int32).new([1, 2]), torch.ones(1).new(2, 3).shape],
    "is_tensor": lambda torch: [torch.is_tensor(torch.ones(1)), torch.is_tensor([1])],
    "out": lambda torch: torch.zeros(2, out=torch.ones(2)),
    "prints": lambda torch: [repr(torch.arange(3.0)), str(torch.zeros(2, 0)), repr(torch.tensor(True))],
}

ERRORS: dict[str, Program] = {
    "ragged": lambda torch: torch.tensor([[1, 2], [3]]),
    "string": lambda torch: torch.tensor("a"),
    "strings": lambda torch: torch.tensor(["a"]),
    "none": lambda torch: torch.tensor(None),
    "nones": lambda torch: torch.tensor([None]),
    "dict": lambda torch: torch.tensor({1: 2}),
    "too large": lambda torch: torch.tensor(2**70),
    "does not fit": lambda torch: torch.tensor([300], dtype=torch.uint8),
    "list of vectors": lambda torch: torch.tensor([torch.ones(2), torch.ones(2)]),
    "integer that requires grad": lambda torch: torch.tensor([1], requires_grad=True),
    "step zero": lambda torch: torch.arange(1, 5, 0),
    "step away": lambda torch: torch.arange(5, 1),
    "negative steps": lambda torch: torch.linspace(0, 1, -1),
    "negative size": lambda torch: torch.zeros(-1),
    "fractional size": lambda torch: torch.zeros(2.5),
    "no size": lambda torch: torch.zeros(),
    "from_numpy of a list": lambda torch: torch.from_numpy([1]),
    "Tensor of a float": lambda torch: torch.Tensor(2.5),
    "negative eye": lambda torch: torch.eye(-1),
    "NumPy's dtype": lambda torch: torch.zeros(1, dtype=numpy.float32),
    "full of a number": lambda torch: torch.full(2, 1),
    "size overflow": lambda torch: torch.empty(2**40, 2**40),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    same(PROGRAMS[name])


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    same(ERRORS[name])


def test_texts_of_errors() -> None:
    for name in ("ragged", "string", "strings", "none", "dict", "step zero", "step away", "negative steps"):
        same(ERRORS[name], message=True)


@given(
    start=st.integers(-20, 20),
    length=st.integers(0, 40),
    step=st.sampled_from([0.1, 0.25, 1.0, 1.5, -0.3, 2, -3]),
    dtype=st.sampled_from(["float32", "float64", None]),
)
def test_arange_against_torch(start: int, length: int, step: float, dtype: str | None) -> None:
    same(lambda torch: torch.arange(start, start + length * step, step, dtype=dtype and getattr(torch, dtype)))


@given(start=st.floats(-5, 5), end=st.floats(-5, 5), steps=st.integers(0, 40))
def test_linspace_against_torch(start: float, end: float, steps: int) -> None:
    same(lambda torch: torch.linspace(start, end, steps))


def test_copy_construction_warns_as_torch_does() -> None:
    with pytest.warns(UserWarning, match="recommended to use sourceTensor.detach"):
        minitorch.tensor(minitorch.ones(2))


def test_from_numpy_shares_memory() -> None:
    def program(torch: Any) -> Any:
        values = numpy.zeros(3)
        tensor = torch.from_numpy(values)
        tensor[0] = 5
        values[1] = 7
        return values.tolist(), tensor, tensor.numpy() is values or numpy.shares_memory(tensor.numpy(), values)

    same(program)


def test_tensor_copies() -> None:
    def program(torch: Any) -> Any:
        values = numpy.zeros(3)
        tensor = torch.tensor(values)
        values[0] = 1
        return tensor

    same(program)


def test_default_dtype() -> None:
    def program(torch: Any) -> Any:
        torch.set_default_dtype(torch.float64)
        try:
            return torch.zeros(1), torch.tensor(1.5), torch.arange(2.0), torch.get_default_dtype(), torch.rand(1)
        finally:
            torch.set_default_dtype(torch.float32)

    same(program)
    same(lambda torch: torch.set_default_dtype(torch.int64))


def test_cuda_is_refused_clearly_where_there_is_none() -> None:
    if minitorch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    for attempt in (
        lambda: minitorch.ones(2).cuda(),
        lambda: minitorch.zeros(2, device="cuda"),
        lambda: minitorch.rand(2, device="cuda:1"),
        lambda: minitorch.ones(2).to("cuda"),
    ):
        with pytest.raises(RuntimeError, match="a CUDA device was asked for, but none can be used"):
            attempt()
