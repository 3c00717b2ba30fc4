"""Streams and events: what they are called and refuse, and that work is ordered as they say."""

from __future__ import annotations

import gc
import inspect
import threading
from typing import Any

import pytest
import torch as oracle

import minitorch as torch
from minitorch.backend import accelerator
from tests.harness.fake_cupy import Event as FakeEvent


def is_stand_in(gpu: Any) -> bool:
    return gpu.cuda.Event is FakeEvent


def test_streams_have_torch_s_names(gpu: Any) -> None:
    default = torch.cuda.default_stream()
    assert repr(default) == "<torch.cuda.Stream device=cuda:0 cuda_stream=0x0>"
    assert default == torch.cuda.current_stream() == torch.cuda.current_stream("cuda:0")
    assert hash(default) == hash(torch.cuda.current_stream(0))
    stream = torch.cuda.Stream()
    assert stream != default
    assert stream != "a stream"
    assert stream.cuda_stream != 0
    assert stream.device == torch.device("cuda:0")
    assert stream.device_index == 0
    assert repr(stream) == f"<torch.cuda.Stream device=cuda:0 cuda_stream={stream.cuda_stream:#x}>"
    assert stream.__cuda_stream__() == (0, stream.cuda_stream)
    assert len({torch.cuda.Stream(which).cuda_stream for which in (None, 0, "cuda", torch.device("cuda"), -1)}) == 5


def test_a_stream_does_not_wait_for_the_default_stream(gpu: Any) -> None:
    backend = torch.cuda.Stream().backend_stream
    assert backend.non_blocking if is_stand_in(gpu) else backend.is_non_blocking


def test_priorities(gpu: Any) -> None:
    usual, highest = torch.cuda.Stream.priority_range()
    assert highest < usual == 0
    assert torch.cuda.Stream().priority == 0
    assert torch.cuda.Stream(priority=-1).priority == -1
    assert torch.cuda.Stream(priority=3).priority == 0
    assert torch.cuda.Stream(priority=-1000).priority == highest


def test_streams_come_again_after_32(gpu: Any) -> None:
    """Memory is kept by stream: streams that come and go would keep ever more."""
    made = [torch.cuda.Stream() for _ in range(40)]
    assert made[:8] == made[32:]
    assert len(set(made)) == 32
    assert len({stream.cuda_stream for stream in made}) == 32


def test_stream_is_a_context(gpu: Any) -> None:
    before, stream, inner = torch.cuda.current_stream(), torch.cuda.Stream(), torch.cuda.Stream()
    for context in (torch.cuda.stream(stream), torch.cuda.StreamContext(stream), stream):
        with context:
            assert torch.cuda.current_stream() == stream
            assert gpu.cuda.get_current_stream().ptr == stream.cuda_stream
            with torch.cuda.stream(inner), torch.cuda.stream(None):
                assert torch.cuda.current_stream() == inner
            assert torch.cuda.current_stream() == stream
        assert torch.cuda.current_stream() == before
    with pytest.raises(KeyError), stream, stream:
        raise KeyError
    assert torch.cuda.current_stream() == before


def test_set_stream(gpu: Any) -> None:
    before, stream = torch.cuda.current_stream(), torch.cuda.Stream()
    torch.cuda.set_stream(None)
    assert torch.cuda.current_stream() == before
    torch.cuda.set_stream(stream)
    try:
        assert torch.cuda.current_stream() == stream
    finally:
        torch.cuda.set_stream(before)
    assert torch.cuda.current_stream() == before


@pytest.mark.cuda
def test_each_thread_has_a_current_stream() -> None:
    found = []
    with torch.cuda.Stream():
        thread = threading.Thread(target=lambda: found.append(torch.cuda.current_stream()))
        thread.start()
        thread.join()
    assert found == [torch.cuda.default_stream()]


def test_external_streams(gpu: Any) -> None:
    theirs = gpu.cuda.Stream(non_blocking=True)
    for stream in (torch.cuda.ExternalStream(theirs.ptr), torch.cuda.get_stream_from_external(theirs.ptr, "cuda:0")):
        assert isinstance(stream, torch.cuda.Stream)
        assert stream.cuda_stream == theirs.ptr
        with stream:
            x = torch.ones(1000, device="cuda") * 2
        stream.synchronize()
        assert x.sum().item() == 2000
    assert torch.cuda.ExternalStream(theirs.ptr) == torch.cuda.ExternalStream(theirs.ptr)


# -------------------------------------------------------------------------------------------------------- events


def test_events_before_they_are_recorded(gpu: Any) -> None:
    event = torch.cuda.Event()
    assert repr(event) == "<torch.cuda.Event uninitialized>"
    assert event.cuda_event == 0
    assert event.device is None
    assert event.query()
    event.wait()
    event.synchronize()
    torch.cuda.Stream().wait_event(event)


def test_events_time_what_is_between_them(gpu: Any) -> None:
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    x = torch.ones(512, 512, device="cuda")
    start.record()
    for _ in range(20):
        x = torch.matmul(x, x) / 512
    end.record()
    end.synchronize()
    assert end.query()
    assert 0 < start.elapsed_time(end) < 60_000
    assert end.elapsed_time(start) == pytest.approx(-start.elapsed_time(end))
    assert repr(start) == f"<torch.cuda.Event {start.cuda_event:#x}>"
    assert start.device == torch.device("cuda:0")


def test_elapsed_time_needs_two_events_that_keep_the_time(gpu: Any) -> None:
    timed, untimed = torch.cuda.Event(enable_timing=True), torch.cuda.Event()
    timed.record()
    untimed.record()
    for first, second in ((timed, untimed), (untimed, timed)):
        with pytest.raises(ValueError, match="must be created with argument 'enable_timing=True'"):
            first.elapsed_time(second)
    with pytest.raises(ValueError, match="Both events must be recorded before calculating elapsed time"):
        timed.elapsed_time(torch.cuda.Event(enable_timing=True))


def test_elapsed_time_of_events_to_come(monkeypatch: pytest.MonkeyPatch, gpu: Any) -> None:
    if not is_stand_in(gpu):
        pytest.skip("on the stand-in only, where an event can be kept from being over")
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    end.record()
    monkeypatch.setattr(FakeEvent, "done", False)
    assert not end.query()
    with pytest.raises(RuntimeError, match="Both events must be completed before calculating elapsed time"):
        start.elapsed_time(end)


def test_kinds_of_events(gpu: Any) -> None:
    event = torch.cuda.Event(blocking=True, interprocess=True)
    event.record(torch.cuda.Stream())
    event.synchronize()
    with pytest.raises(RuntimeError, match="CUDA error: invalid argument"):
        torch.cuda.Event(enable_timing=True, interprocess=True)
    with pytest.raises(NotImplementedError, match="external=True"):
        torch.cuda.Event(external=True)


def test_streams_make_and_take_events(gpu: Any) -> None:
    stream, event = torch.cuda.Stream(), torch.cuda.Event()
    assert stream.record_event(event) is event
    made = stream.record_event()
    assert isinstance(made, torch.cuda.Event)
    stream.synchronize()
    assert stream.query()
    assert made.query()
    torch.cuda.current_stream().wait_event(made)
    torch.cuda.current_stream().wait_stream(stream)
    made.wait()
    made.wait(stream)


# ----------------------------------------------------------------------------------------- order, and memory


def test_work_waits_for_what_it_is_told_to(gpu: Any) -> None:
    """A long chain on one stream, its result on another: without the wait the result would be read too early."""
    producer, consumer = torch.cuda.Stream(), torch.cuda.Stream()
    for _ in range(3):
        with torch.cuda.stream(producer):
            x = torch.zeros(1 << 20, device="cuda")
            for _ in range(50):
                x = x + 1
        consumer.wait_stream(producer)
        with torch.cuda.stream(consumer):
            y = x * 2
        x.record_stream(consumer)
        del x
        consumer.synchronize()
        assert y.min().item() == y.max().item() == 100


def test_memory_is_not_reused_while_another_stream_uses_it(gpu: Any) -> None:
    """The producer's stream would fill the freed block at once; the consumer has not read it yet."""
    producer, consumer = torch.cuda.Stream(), torch.cuda.Stream()
    busy = torch.ones(1024, 1024, device="cuda")
    torch.cuda.synchronize()
    for _ in range(5):
        with torch.cuda.stream(producer):
            x = torch.full((1 << 20,), 3.0, device="cuda")
        consumer.wait_stream(producer)
        with torch.cuda.stream(consumer):
            for _ in range(20):
                busy = torch.matmul(busy, busy) / 1024  # what x is behind
            y = x + 0
        x.record_stream(consumer)
        del x
        with torch.cuda.stream(producer):
            z = torch.full((1 << 20,), -7.0, device="cuda")
        torch.cuda.synchronize()
        assert y.min().item() == y.max().item() == 3
        assert z.max().item() == -7


def allocate(times: int) -> None:
    """One of so many allocations looks whether something is over."""
    for _ in range(times):
        torch.ones(1, device="cuda")


@pytest.fixture
def held(gpu: Any) -> Any:
    """What is kept for streams; on the stand-in, where nothing takes time, until a test says that events are over."""
    in_flight = accelerator.memory().in_flight
    gc.collect()  # tracebacks of other tests hold tensors
    torch.cuda.synchronize()
    in_flight.wait()
    assert not in_flight
    return in_flight


def test_record_stream_keeps_the_block_until_the_event_is_over(
    held: Any, gpu: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_stand_in(gpu):
        pytest.skip("on the stand-in only, where an event can be kept from being over")
    stream = torch.cuda.Stream()
    x = torch.ones(1000, device="cuda")
    x.record_stream(stream)
    x.record_stream(stream)
    view = x[10:]
    view.record_stream(torch.cuda.Stream())
    assert len(held.shared) == 1  # one block, whichever view says so
    del x
    held.release()
    assert held.shared  # the view lives
    assert not held.waiting
    monkeypatch.setattr(FakeEvent, "done", False)
    del view
    allocate(16)
    assert not held.shared
    assert len(held.waiting) == 2  # an event on each stream
    allocate(16)
    assert len(held.waiting) == 2
    monkeypatch.setattr(FakeEvent, "done", True)
    allocate(16)
    assert not held


def test_many_blocks_are_looked_at_in_turn(held: Any) -> None:
    stream = torch.cuda.Stream()
    kept = [torch.ones(100, device="cuda") for _ in range(50)]
    for each in kept:
        each.record_stream(stream)
    assert len(held.shared) == 50
    kept = kept[40:]
    allocate(64)
    torch.cuda.synchronize()
    allocate(16)
    assert len(held.shared) == 10
    del kept, each
    held.wait()
    assert not held


def test_record_stream_refuses(gpu: Any) -> None:
    x = torch.ones(2, device="cuda")
    with pytest.raises(TypeError, match=r"record_stream\(\) takes a torch.cuda.Stream"):
        x.record_stream(gpu.cuda.Stream())
    with pytest.raises(RuntimeError, match="this one is on the CPU"):
        torch.ones(2).record_stream(torch.cuda.Stream())
    torch.ones(0, device="cuda").record_stream(torch.cuda.Stream())


@pytest.mark.cuda
def test_synchronize_waits_for_the_device() -> None:
    x = torch.ones(4096, 4096, device="cuda")
    for _ in range(20):
        x = torch.matmul(x, x) / 4096
    event = torch.cuda.current_stream().record_event()
    was_over = event.query()
    torch.cuda.synchronize("cuda:0")
    assert not was_over
    assert event.query()


# ------------------------------------------------------------------------------------------------ without a GPU


def test_without_a_gpu(no_gpu: None) -> None:
    with pytest.raises(RuntimeError) as error:
        torch.cuda.Stream()
    if not oracle.backends.cuda.is_built():
        with pytest.raises(RuntimeError) as theirs:
            oracle.cuda.Stream()
        assert str(error.value) == str(theirs.value)
    with torch.cuda.stream(None):
        pass
    torch.cuda.set_stream(None)


@pytest.mark.parametrize("name", ["Stream", "Event", "StreamContext", "stream", "set_stream", "current_stream"])
def test_arguments_are_torch_s(name: str) -> None:
    """In their order, with their defaults; torch's Stream takes more by keyword, of its own making."""
    ours, theirs = getattr(torch.cuda, name), getattr(oracle.cuda, name)
    if name in ("Stream", "Event"):
        ours, theirs = ours.__init__, theirs.__new__
    assert _arguments(ours) == _arguments(theirs)


def _arguments(function: Any) -> list[tuple[str, Any]]:
    found = inspect.signature(function).parameters.values()
    named = [each for each in found if each.kind != each.VAR_KEYWORD and each.name not in ("self", "cls")]
    return [(each.name, each.default) for each in named]
