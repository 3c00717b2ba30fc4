"""The memory of a GPU: counted, limited, and survived when it runs out."""

from __future__ import annotations

import gc
import inspect
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch as oracle

import minitorch as torch
from minitorch.backend import accelerator
from tests.harness.both import same
from tests.harness.fake_cupy import fake

MIB = 1 << 20
TOO_MUCH = (10 << 40) // 4  # floats: 10 TiB


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    """Each test begins with nothing left over, and leaves no limit."""
    gc.collect()
    yield
    if accelerator.loaded() is not None:
        accelerator.memory().set_limit(0, 0)


def test_allocated_memory_is_that_of_living_tensors(gpu: Any) -> None:
    before = torch.cuda.memory_allocated()
    x = torch.ones(3 * MIB // 4, device="cuda")
    assert torch.cuda.memory_allocated() == before + 3 * MIB
    assert torch.cuda.memory_allocated("cuda:0") == torch.cuda.memory_allocated(0) == before + 3 * MIB
    assert torch.cuda.memory_reserved() >= torch.cuda.memory_allocated()
    view = x[5:]
    del x
    assert torch.cuda.memory_allocated() == before + 3 * MIB
    del view
    assert torch.cuda.memory_allocated() == before
    y = torch.ones(1, device="cuda")
    assert torch.cuda.memory_allocated() == before + 512
    del y


def test_the_peak_is_seen_although_nobody_asks_at_its_time(gpu: Any) -> None:
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    assert torch.cuda.max_memory_allocated() == before
    kept = torch.ones(MIB // 4, device="cuda")
    for size in (2, 8, 3):
        x = torch.ones(size * MIB // 4, device="cuda")
        del x
    assert torch.cuda.max_memory_allocated() == before + 9 * MIB
    assert torch.cuda.memory_allocated() == before + MIB
    torch.cuda.reset_peak_memory_stats("cuda")
    assert torch.cuda.max_memory_allocated() == before + MIB
    x = torch.ones(4 * MIB // 4, device="cuda")
    del x
    assert torch.cuda.max_memory_allocated(0) == before + 5 * MIB
    del kept


def test_the_peak_is_exact(gpu: Any) -> None:
    """Against a look at each step: sizes up and down, in a sequence that repeats."""
    torch.cuda.reset_peak_memory_stats()
    sizes = [(7919 * step) % 97 + 1 for step in range(200)]
    kept: list[Any] = []
    peak = torch.cuda.memory_allocated()
    pool = gpu.get_default_memory_pool()
    for step, size in enumerate(sizes):
        kept.append(torch.empty(size * 128, device="cuda"))
        peak = max(peak, pool.used_bytes())
        if size % 3 == 0:
            del kept[step % len(kept)]
        if step % 50 == 49:
            kept.clear()
    assert torch.cuda.max_memory_allocated() == peak


def test_a_steady_loop_seldom_asks_the_pool(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an allocation costs: adding up all living blocks must be rare."""
    memory = accelerator.memory()
    asked = []
    monkeypatch.setattr(type(memory.ledgers[0]), "look", _counted(type(memory.ledgers[0]).look, asked))
    for step in range(20):
        if step == 10:
            asked.clear()
        saved = [torch.empty(1000, device="cuda") for _ in range(100)]
        while saved:
            torch.empty(1000, device="cuda")
            saved.pop()
    assert len(asked) < 10 * 200 * 0.1


def _counted(look: Any, asked: list[int]) -> Any:
    def counted(ledger: Any, pool: Any) -> int:
        asked.append(1)
        return int(look(ledger, pool))

    return counted


def test_the_cache_can_be_emptied(gpu: Any) -> None:
    torch.cuda.empty_cache()
    reserved = torch.cuda.memory_reserved()
    x = torch.ones(128 * MIB // 4, device="cuda")  # more than what may lie free in a block that is in use
    assert torch.cuda.memory_reserved() >= reserved + 128 * MIB
    del x
    assert torch.cuda.memory_reserved() >= reserved + 128 * MIB
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved() <= reserved
    assert torch.cuda.max_memory_reserved() >= reserved + 128 * MIB
    torch.cuda.reset_peak_memory_stats()
    assert torch.cuda.max_memory_reserved() == torch.cuda.memory_reserved()


def test_mem_get_info(gpu: Any) -> None:
    free, total = torch.cuda.mem_get_info()
    assert 0 < free <= total
    assert abs(total - torch.cuda.get_device_properties().total_memory) < 0.1 * total
    assert torch.cuda.mem_get_info("cuda:0")[1] == total


def test_stats_and_summary(gpu: Any) -> None:
    x = torch.ones(MIB, device="cuda")
    stats = torch.cuda.memory_stats()
    assert stats["allocated_bytes.all.current"] == torch.cuda.memory_allocated() > 0
    assert stats["allocated_bytes.all.peak"] == torch.cuda.max_memory_allocated()
    assert stats["reserved_bytes.all.current"] == torch.cuda.memory_reserved()
    assert stats["reserved_bytes.all.peak"] == torch.cuda.max_memory_reserved()
    assert stats["allocated_bytes.all.allocated"] >= 4 * MIB
    assert list(stats) == sorted(stats)
    text = torch.cuda.memory_summary()
    assert f"{stats['allocated_bytes.all.current'] / MIB:.1f} MiB" in text
    assert "GPU reserved memory" in text
    assert len({len(line) for line in text.splitlines()}) == 1
    del x


# ------------------------------------------------------------------------------------------------- out of memory


def test_the_error_is_torch_s() -> None:
    assert torch.OutOfMemoryError is torch.cuda.OutOfMemoryError
    assert issubclass(torch.OutOfMemoryError, RuntimeError)
    assert repr(torch.OutOfMemoryError) == repr(oracle.OutOfMemoryError).replace("torch", "minitorch")
    assert str(torch.OutOfMemoryError("full")) == "full"


MESSAGE = (
    r"^CUDA out of memory\. Tried to allocate 10240\.00 GiB\. GPU 0 has a total capacity of \d+\.\d\d [MG]iB of which "
    r"\d+\.\d\d [MG]iB is free\. Of the allocated memory [\d.]+ \w+ is allocated by minitorch, and [\d.]+ \w+ is "
    r"reserved by minitorch but unallocated\.$"
)


def test_ten_tebibytes_are_too_much(gpu: Any) -> None:
    """The parts of the message are numbers of bytes that fit what the other functions say."""
    failures = torch.cuda.memory_stats()["num_ooms"]
    with pytest.raises(torch.OutOfMemoryError, match=MESSAGE) as error:
        torch.empty(TOO_MUCH, device="cuda")
    assert error.value.__context__ is None
    assert torch.cuda.memory_stats()["num_ooms"] == failures + 1
    total = torch.cuda.mem_get_info()[1]
    assert total > 1 << 30 or f"total capacity of {total / MIB:.2f} MiB" in str(error.value)
    assert total <= 1 << 30 or f"total capacity of {total / (1 << 30):.2f} GiB" in str(error.value)


def test_the_library_goes_on_after_the_error(gpu: Any) -> None:
    before = torch.cuda.memory_allocated()
    x = torch.arange(5.0, device="cuda", requires_grad=True)
    for _ in range(3):
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(TOO_MUCH, device="cuda")
    (x * x).sum().backward()
    assert x.grad.tolist() == [0, 2, 4, 6, 8]
    del x
    assert torch.cuda.memory_allocated() == before


ALLOCATIONS = {  # in the library, in CuPy's own ops, and in copies
    "empty": lambda x: torch.empty(64 * MIB // 4, device="cuda"),
    "zeros": lambda x: torch.zeros(64 * MIB // 4, device="cuda"),
    "full": lambda x: torch.full((64 * MIB // 4,), 2.0, device="cuda"),
    "arange": lambda x: torch.arange(64 * MIB // 8, device="cuda"),
    "upload": lambda x: torch.zeros(64 * MIB // 4).to("cuda"),
    "upload that is not waited for": lambda x: torch.zeros(64 * MIB // 4).to("cuda", non_blocking=True),
    "elementwise": lambda x: x.expand(64, MIB // 4) + 1,
    "matmul": lambda x: x[: MIB // 8 // 2].reshape(-1, 1) @ x[:256].reshape(1, -1),
    "cat": lambda x: torch.cat([x] * 64),
    "repeat": lambda x: x.repeat(64),
    "cumsum": lambda x: x.expand(64, MIB // 4).cumsum(0),
    "CuPy": lambda x: accelerator.require().zeros(64 * MIB, "uint8"),
}


@pytest.mark.parametrize("name", ALLOCATIONS)
def test_every_allocation_fails_in_the_same_way(gpu: Any, name: str) -> None:
    x = torch.ones(MIB // 4, device="cuda")
    torch.cuda.empty_cache()
    accelerator.memory().set_limit(0, torch.cuda.memory_reserved() + 16 * MIB)
    with pytest.raises(torch.OutOfMemoryError, match=r"CUDA out of memory.* MiB allowed; Of the allocated memory"):
        ALLOCATIONS[name](x)
    accelerator.memory().set_limit(0, 0)
    result = ALLOCATIONS[name](x)
    assert result is not None
    assert (x + 1).sum().item() == MIB // 2


def test_an_op_that_fails_in_backward(gpu: Any) -> None:
    x = torch.ones(64 * MIB // 4, device="cuda", requires_grad=True)  # more than what lies free between other arrays
    y = (x * x).sum()
    torch.cuda.empty_cache()
    accelerator.memory().set_limit(0, torch.cuda.memory_reserved() + 512)
    with pytest.raises(torch.OutOfMemoryError):
        y.backward()
    accelerator.memory().set_limit(0, 0)
    (x * x).sum().backward()
    assert x.grad[0].item() == 2


def test_what_is_free_but_kept_for_others_is_given_back_first(gpu: Any) -> None:
    """CuPy gives up at its limit although free blocks of another size lie there."""
    torch.cuda.empty_cache()
    accelerator.memory().set_limit(0, torch.cuda.memory_reserved() + 32 * MIB)
    x = torch.ones(24 * MIB // 4, device="cuda")
    del x
    y = torch.ones(30 * MIB // 4, device="cuda")
    assert y.sum().item() == 30 * MIB // 4


def test_memory_that_streams_use_is_waited_for_before_it_fails(gpu: Any) -> None:
    torch.cuda.empty_cache()
    accelerator.memory().set_limit(0, torch.cuda.memory_reserved() + 32 * MIB)
    stream = torch.cuda.Stream()
    for value in range(4):
        x = torch.full((24 * MIB // 4,), float(value), device="cuda")
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            y = x[:1] + 1
        x.record_stream(stream)
        del x
        stream.synchronize()
        assert y.item() == value + 1


def test_the_part_of_the_memory_that_may_be_used(gpu: Any) -> None:
    total = torch.cuda.mem_get_info()[1]
    assert torch.cuda.get_per_process_memory_fraction() == 1.0
    torch.cuda.set_per_process_memory_fraction(0.25)
    assert torch.cuda.get_per_process_memory_fraction("cuda:0") == pytest.approx(0.25, rel=1e-6)
    with pytest.raises(torch.OutOfMemoryError, match="allowed; "):
        torch.empty(total // 4 // 2, device="cuda")
    torch.cuda.set_per_process_memory_fraction(0.0)
    torch.cuda.empty_cache()
    with pytest.raises(torch.OutOfMemoryError):
        torch.empty(100 * MIB, device="cuda")
    torch.cuda.set_per_process_memory_fraction(1.0)
    assert torch.cuda.get_per_process_memory_fraction() == 1.0
    with pytest.raises(TypeError, match="Invalid type for fraction argument, must be `float`"):
        torch.cuda.set_per_process_memory_fraction(1)
    for wrong in (-0.1, 1.5):
        with pytest.raises(ValueError, match=f"Invalid fraction value: {wrong}. Allowed range: 0~1"):
            torch.cuda.set_per_process_memory_fraction(wrong)


def test_the_error_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(torch.OutOfMemoryError("full")))
    assert type(again) is torch.OutOfMemoryError
    assert str(again) == "full"


@pytest.mark.cuda
def test_a_device_that_is_really_full() -> None:
    """All that is there is taken, in pieces; then the rest of the library works again."""
    taken: list[Any] = []
    with pytest.raises(torch.OutOfMemoryError):
        taken.extend(torch.empty(1 << 28, device="cuda") for _ in range(10_000))
    assert torch.cuda.memory_allocated() >= len(taken) << 30
    taken.clear()
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved() < 2 << 30
    assert torch.ones(1 << 20, device="cuda").sum().item() == 1 << 20


# ------------------------------------------------------------------------------------------------ without a GPU


@pytest.mark.parametrize(
    "name", ["memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved", "empty_cache"]
)
def test_without_a_gpu_nothing_is_used(no_gpu: None, name: str) -> None:
    if oracle.cuda.is_available():
        pytest.skip("torch has a GPU")
    same(lambda package: getattr(package.cuda, name)())


def test_without_a_gpu_there_are_no_stats(no_gpu: None) -> None:
    assert torch.cuda.memory_stats() == {}
    torch.cuda.reset_peak_memory_stats()
    for ask in (torch.cuda.mem_get_info, torch.cuda.memory_summary):
        with pytest.raises(RuntimeError, match="CUDA"):
            ask()
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.cuda.set_per_process_memory_fraction(0.5)


def test_the_stand_in_is_left_without_limit() -> None:
    assert fake.pool.get_limit() == 0


MEMORY_FUNCTIONS = [name for name in torch.cuda.memory.__all__ if name != "OutOfMemoryError"]


@pytest.mark.parametrize("name", MEMORY_FUNCTIONS)
def test_arguments_are_torch_s(name: str) -> None:
    ours, theirs = [inspect.signature(getattr(package.cuda, name)).parameters for package in (torch, oracle)]
    assert [(each.name, each.default) for each in ours.values()] == [
        (each.name, each.default) for each in theirs.values()
    ]
