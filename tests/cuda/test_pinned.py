"""Pinned memory, and copies between host and GPU that nobody waits for."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch as torch
from minitorch import nn
from minitorch.backend import accelerator
from tests.harness.both import same
from tests.harness.fake_cupy import Event as FakeEvent
from tests.harness.pinned_memory import pinned_blocks

DTYPES = ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"]


def ask_cuda(gpu: Any, tensor: Any) -> bool:
    """What CUDA (or the stand-in) itself says of the address."""
    return bool(gpu.cuda.pinned_memory.is_memory_pinned(tensor.data_ptr()))


@pytest.mark.parametrize("dtype", DTYPES)
def test_pin_memory(gpu: Any, dtype: str) -> None:
    x = torch.arange(24).reshape(2, 3, 4).to(getattr(torch, dtype))
    assert not x.is_pinned()
    pinned = x.pin_memory()
    assert pinned.is_pinned()
    assert ask_cuda(gpu, pinned)
    assert not ask_cuda(gpu, x)
    assert pinned.device == torch.device("cpu")
    assert pinned.dtype is x.dtype
    assert torch.equal(pinned, x)
    assert pinned.pin_memory() is pinned
    assert x.pin_memory("cuda").is_pinned("cuda")
    assert pinned[1:, ::2].is_pinned()
    assert not (pinned == pinned).is_pinned()
    pinned[0, 0, 0] = 1
    assert x[0, 0, 0].item() == 0


def test_pinned_memory_keeps_strides(gpu: Any) -> None:
    x = torch.arange(48.0).reshape(1, 3, 4, 4)
    for each in (x.contiguous(memory_format=torch.channels_last), x.transpose(1, 3), x[:, :, ::2], x[0, 0, :1, :1]):
        pinned = each.pin_memory()
        assert pinned.is_pinned()
        assert pinned.stride() == each.stride()
        assert torch.equal(pinned, each)
    expanded = torch.ones(1).expand(3).pin_memory()
    assert expanded.stride() == (0,)
    assert torch.empty(0, 3).pin_memory().shape == (0, 3)
    assert torch.tensor(5.0).pin_memory().item() == 5


def test_pinned_memory_is_written_once_for_all(gpu: Any) -> None:
    x = torch.zeros(3).pin_memory()
    array = x.numpy()
    array[1] = 7
    assert x.tolist() == [0, 7, 0]
    x.add_(1)
    assert array.tolist() == [1, 8, 1]


def test_gradients_go_through(gpu: Any) -> None:
    x = torch.ones(3, requires_grad=True)
    pinned = x.pin_memory()
    assert pinned.grad_fn.name() == "PinMemoryBackward0"
    (pinned * 2).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


MAKERS: dict[str, Callable[..., Any]] = {
    "tensor": lambda torch, **options: torch.tensor([1.0, 2.0], **options),
    "empty": lambda torch, **options: torch.empty(2, 3, **options),
    "zeros": lambda torch, **options: torch.zeros(2, 3, **options),
    "ones": lambda torch, **options: torch.ones(2, 3, **options),
    "full": lambda torch, **options: torch.full((2, 3), 5.0, **options),
    "arange": lambda torch, **options: torch.arange(4, **options),
    "linspace": lambda torch, **options: torch.linspace(0, 1, 3, **options),
    "logspace": lambda torch, **options: torch.logspace(0, 1, 3, **options),
    "eye": lambda torch, **options: torch.eye(3, **options),
    "rand": lambda torch, **options: torch.rand(2, 3, **options),
    "randn": lambda torch, **options: torch.randn(2, 3, **options),
    "randint": lambda torch, **options: torch.randint(5, (2, 3), **options),
    "randperm": lambda torch, **options: torch.randperm(5, **options),
    "zeros_like": lambda torch, **options: torch.zeros_like(torch.ones(2), **options),
    "ones_like": lambda torch, **options: torch.ones_like(torch.ones(2), **options),
    "empty_like": lambda torch, **options: torch.empty_like(torch.ones(2), **options),
    "full_like": lambda torch, **options: torch.full_like(torch.ones(2), 3.0, **options),
    "rand_like": lambda torch, **options: torch.rand_like(torch.ones(2), **options),
    "randn_like": lambda torch, **options: torch.randn_like(torch.ones(2), **options),
    "randint_like": lambda torch, **options: torch.randint_like(torch.ones(2), 5, **options),
    "new_zeros": lambda torch, **options: torch.ones(2).new_zeros(3, **options),
    "new_ones": lambda torch, **options: torch.ones(2).new_ones(3, **options),
    "new_empty": lambda torch, **options: torch.ones(2).new_empty(3, **options),
    "new_full": lambda torch, **options: torch.ones(2).new_full((3,), 4.0, **options),
}


@pytest.mark.parametrize("name", MAKERS)
def test_constructors_make_pinned_memory(gpu: Any, name: str) -> None:
    torch.manual_seed(0)
    plain = MAKERS[name](torch)
    torch.manual_seed(0)
    made = MAKERS[name](torch, pin_memory=True)
    assert made.is_pinned()
    assert ask_cuda(gpu, made)
    assert (made.shape, made.dtype) == (plain.shape, plain.dtype)
    assert "empty" in name or torch.equal(made, plain)
    assert not MAKERS[name](torch, pin_memory=False).is_pinned()


@pytest.mark.parametrize("name", ["tensor", "empty", "zeros", "randn", "zeros_like", "new_ones"])
def test_tensors_on_a_gpu_are_not_pinned(gpu: Any, name: str) -> None:
    with pytest.raises(RuntimeError, match="Only dense CPU tensors can be pinned"):
        MAKERS[name](torch, device="cuda", pin_memory=True)
    x = torch.ones(2, device="cuda")
    assert not x.is_pinned()
    with pytest.raises(RuntimeError, match=r"cannot pin 'torch\.cuda\.FloatTensor' only dense CPU tensors"):
        x.pin_memory()


# -------------------------------------------------------------------------------------------------------- copies


def kinds(x: Any) -> list[Any]:
    return [x, x.pin_memory()]


@pytest.mark.parametrize("non_blocking", [False, True])
def test_to_the_gpu(gpu: Any, non_blocking: bool) -> None:
    for x in kinds(torch.arange(60.0).reshape(3, 4, 5)):
        for moved in (
            x.to("cuda", non_blocking=non_blocking),
            x.to("cuda", torch.float32, non_blocking),
            x.cuda(non_blocking=non_blocking),
            x.cuda(0, non_blocking),
            torch.empty(3, 4, 5, device="cuda").copy_(x, non_blocking=non_blocking),
            torch.empty(3, 4, 5, device="cuda").copy_(x, non_blocking),
        ):
            torch.cuda.synchronize()
            assert moved.is_cuda
            assert torch.equal(moved.cpu(), x)


@pytest.mark.parametrize("pinned", [False, True])
def test_a_source_may_be_changed_after_a_blocking_copy(gpu: Any, pinned: bool) -> None:
    x = torch.ones(1 << 22, pin_memory=pinned)
    for value in range(5):
        x.fill_(float(value))
        moved = x.to("cuda")
        x.fill_(-1.0)
        assert moved.min().item() == moved.max().item() == value


def test_a_pageable_source_may_be_changed_at_once(gpu: Any) -> None:
    x = torch.ones(1 << 22)
    for value in range(5):
        x.fill_(float(value))
        moved = x.to("cuda", non_blocking=True)
        x.fill_(-1.0)
        assert moved.min().item() == moved.max().item() == value


def test_a_pinned_source_may_be_dropped_at_once(gpu: Any) -> None:
    """Its memory comes back from CuPy's pool for the next one: not before it is read."""
    moved = []
    for value in range(10):
        x = torch.full((1 << 20,), float(value), pin_memory=True)
        moved.append(x.to("cuda", non_blocking=True))
        del x
    for value, each in enumerate(moved):
        assert each.min().item() == each.max().item() == value


def test_what_is_asked_of_cupy(emulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a pinned source that is waited for needs a wait: CuPy copies pageable memory before it returns."""
    cupy, calls = accelerator.require(), []
    original = cupy.asarray
    monkeypatch.setattr(
        cupy, "asarray", lambda array, **options: (calls.append(options), original(array, **options))[1], raising=False
    )
    x = torch.ones(3)
    for source, non_blocking in ((x, False), (x, True), (x.pin_memory(), False), (x.pin_memory(), True)):
        source.to("cuda", non_blocking=non_blocking)
    assert calls == [{}, {}, {"blocking": True}, {}]


def test_to_the_host(gpu: Any) -> None:
    x = torch.arange(60.0).reshape(3, 4, 5)
    on_gpu = x.cuda()
    blocking = on_gpu.to("cpu")
    assert not blocking.is_pinned()
    assert torch.equal(blocking, x)
    assert torch.equal(on_gpu.cpu(), x)
    moved = on_gpu.to("cpu", non_blocking=True)
    assert moved.is_pinned()
    torch.cuda.synchronize()
    assert torch.equal(moved, x)
    assert on_gpu[0, :0].to("cpu", non_blocking=True).shape == (0, 5)
    last = on_gpu[2, 3, 4].to("cpu", non_blocking=True)
    torch.cuda.current_stream().synchronize()
    assert last.item() == 59


@pytest.mark.parametrize("non_blocking", [False, True])
def test_copies_keep_the_order_in_memory(gpu: Any, non_blocking: bool) -> None:
    x = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    for each in (x.contiguous(memory_format=torch.channels_last), x.transpose(0, 2), x.permute(3, 0, 1, 2), x.mT):
        for source in kinds(each):
            moved = source.to("cuda", non_blocking=non_blocking)
            assert moved.stride() == each.stride()
            back = moved.to("cpu", non_blocking=non_blocking)
            torch.cuda.synchronize()
            assert back.stride() == each.stride()
            assert torch.equal(back, each)
    gaps = x[:, :, ::2, 1:].to("cuda", non_blocking=non_blocking).cpu()
    assert torch.equal(gaps, x[:, :, ::2, 1:])


def test_copy_to_a_tensor_on_the_host(gpu: Any) -> None:
    source = torch.arange(12.0, device="cuda").reshape(3, 4)
    expected = source.cpu()
    for target in kinds(torch.zeros(3, 4)):
        for non_blocking in (False, True):
            target.zero_()
            version = target._version
            assert target.copy_(source, non_blocking=non_blocking) is target
            torch.cuda.synchronize()
            assert torch.equal(target, expected)
            assert target._version == version + 1
    for target in kinds(torch.zeros(4, 3, dtype=torch.float64)):  # another dtype, another order, broadcasting
        target.copy_(source.t(), non_blocking=True)
        assert torch.equal(target, expected.t().double())
        target.copy_(source[0, :3], non_blocking=True)
        assert torch.equal(target, expected[0, :3].double().expand(4, 3))
    with pytest.raises(RuntimeError):
        torch.zeros(2, 2).copy_(source)


def test_a_copy_to_the_host_is_recorded(gpu: Any) -> None:
    source = torch.ones(3, device="cuda", requires_grad=True)
    target = torch.zeros(3).copy_(source * 2, non_blocking=True)
    target.sum().backward()
    assert source.grad.tolist() == [2, 2, 2]
    leaf = torch.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        leaf.copy_(source.detach())
    with torch.no_grad():
        leaf.copy_(source)
    assert leaf.tolist() == [1, 1, 1]


def test_gradients_of_copies(gpu: Any) -> None:
    x = torch.ones(3, requires_grad=True)
    y = x.pin_memory().to("cuda", non_blocking=True)
    (y * torch.arange(3.0, device="cuda")).sum().backward()
    assert x.grad.tolist() == [0, 1, 2]
    x = torch.ones(3, device="cuda", requires_grad=True)
    y = x.to("cpu", non_blocking=True)
    torch.cuda.synchronize()
    (y * torch.arange(3.0)).sum().backward()
    assert x.grad.tolist() == [0, 1, 2]


def test_modules(gpu: Any) -> None:
    for arguments, options in (
        (("cuda",), {"non_blocking": True}),
        (("cuda", torch.float64, True), {}),
        (("cuda", None, False), {}),
    ):
        module = nn.Linear(3, 2)
        for parameter in module.parameters():
            parameter.data = parameter.data.pin_memory()
        before = [parameter.detach().clone() for parameter in module.parameters()]
        moved = module.to(*arguments, **options)
        assert all(parameter.is_cuda for parameter in moved.parameters())
        for parameter, old in zip(moved.parameters(), before):
            assert torch.allclose(parameter.detach().cpu().float(), old)


def test_a_pinned_result_is_kept_until_it_is_written(emulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.ones(5, device="cuda")
    gc.collect()
    accelerator.memory().in_flight.wait()
    before = pinned_blocks()
    monkeypatch.setattr(FakeEvent, "done", False)
    moved = x.to("cpu", non_blocking=True)
    del moved
    assert pinned_blocks() == before + 1
    torch.empty(1, pin_memory=True)
    assert pinned_blocks() == before + 1
    monkeypatch.setattr(FakeEvent, "done", True)
    torch.empty(1, pin_memory=True)
    assert pinned_blocks() == before


@pytest.mark.cuda
def test_the_host_does_not_wait_for_a_pinned_copy() -> None:
    x = torch.ones(1 << 26, pin_memory=True)  # 256 MiB: some milliseconds on the way
    x.to("cuda", non_blocking=True)
    torch.cuda.synchronize()
    moved = x.to("cuda", non_blocking=True)
    event = torch.cuda.current_stream().record_event()
    was_over = event.query()
    torch.cuda.synchronize()
    assert not was_over
    assert moved.sum().item() == 1 << 26


@pytest.mark.cuda
def test_the_host_does_not_wait_for_a_pinned_result() -> None:
    x = torch.ones(1 << 26, device="cuda")
    torch.cuda.synchronize()
    moved = x.to("cpu", non_blocking=True)
    was_over = torch.cuda.current_stream().record_event().query()
    torch.cuda.synchronize()
    assert not was_over
    assert moved.numpy().sum(dtype=numpy.float64) == 1 << 26


# ------------------------------------------------------------------------------------------------ without a GPU


@pytest.mark.parametrize("name", MAKERS)
def test_without_a_gpu_nothing_is_pinned(no_gpu: None, name: str) -> None:
    if oracle.cuda.is_available():
        pytest.skip("torch has a GPU")
    same(lambda package: "empty" in name or MAKERS[name](package, pin_memory=False))
    same(lambda package: MAKERS[name](package, pin_memory=True), message=True)


@pytest.mark.parametrize(
    "program",
    [
        "torch.ones(2).is_pinned()",
        "torch.ones(2).is_pinned('cuda')",
        "torch.ones(2).pin_memory()",
        "torch.ones(2).to('cpu', non_blocking=True)",
        "torch.ones(2).to('cpu', non_blocking=True).is_pinned()",
        "torch.ones(2).copy_(torch.zeros(2), True)",
        "torch.ones(2).cpu(memory_format=torch.contiguous_format)",
        "torch.nn.Linear(2, 2).to('cpu', non_blocking=True).weight.shape[0]",
    ],
)
def test_without_a_gpu_as_in_torch(no_gpu: None, program: str) -> None:
    if oracle.cuda.is_available():
        pytest.skip("torch has a GPU")
    run = compile(program, "program", "eval")
    same(lambda package: eval(run, {"torch": package}))
