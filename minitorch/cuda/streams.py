"""Streams, which are queues of work on a GPU, and events, which are marks in them.

Work on one stream is done in order; work on two streams is not ordered, unless an event says so: recorded on one,
waited for by the other. A tensor belongs to the stream on which it was made. If another one uses it, tell its memory
so (``Tensor.record_stream``), or it may be handed out again too early.

A backward pass works on the stream that is current where ``backward`` is called, not, as torch's, on that of each
forward op: call both on the same stream, or let the one wait for the other.
"""

from __future__ import annotations

from typing import Any

from minitorch.backend import accelerator, streams
from minitorch.cuda.devices import WhichDevice, existing_index
from minitorch.device import device as Device  # noqa: N812


class Stream:
    """A queue of work on a GPU, independent of others; also a context in which work goes there.

    There are 32 of each device and priority; the 33rd that is made is the first again.

    Args:
        device: of which GPU; None, or a negative number, is the current one.
        priority: lower numbers go first, 0 or above is the usual priority.
    Raises: RuntimeError without a GPU.
    """

    backend_stream: Any  # CuPy's
    device_index: int

    def __init__(self, device: WhichDevice = None, priority: int = 0) -> None:
        if not accelerator.is_available():
            raise RuntimeError("torch.cuda.Stream requires CUDA support")
        index = None if isinstance(device, int) and device < 0 else device
        self.device_index = existing_index(index)
        highest = streams.highest_priority(self.device_index)
        self.backend_stream = streams.stream_of_pool(self.device_index, max(min(priority, 0), highest))
        self._contexts: list[StreamContext] = []

    @classmethod
    def _around(cls, backend_stream: Any, index: int) -> Stream:
        made = object.__new__(Stream)
        made.backend_stream, made.device_index, made._contexts = backend_stream, index, []
        return made

    @property
    def cuda_stream(self) -> int:
        """CUDA's pointer to the stream; 0 for the default stream."""
        return int(self.backend_stream.ptr)

    @property
    def device(self) -> Device:
        """The GPU whose work it queues."""
        return Device("cuda", self.device_index)

    @property
    def priority(self) -> int:
        """The lower, the sooner its work is done."""
        return int(self.backend_stream.priority)

    @staticmethod
    def priority_range() -> tuple[int, int]:
        """The usual priority, and the one that goes first."""
        return 0, streams.highest_priority(existing_index(None))

    def wait_event(self, event: Event) -> None:
        """Let work that comes later wait for the event; the host does not wait."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """Let work that comes later wait for what the other stream has been given so far; the host does not wait."""
        self.wait_event(stream.record_event())

    def record_event(self, event: Event | None = None) -> Event:
        """Put an event (a new one unless given) behind what the stream has been given so far."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def query(self) -> bool:
        """Whether all its work is done."""
        return bool(self.backend_stream.done)

    def synchronize(self) -> None:
        """Wait until all its work is done."""
        self.backend_stream.synchronize()

    def __enter__(self) -> Stream:
        context = StreamContext(self)
        context.__enter__()
        self._contexts.append(context)
        return self

    def __exit__(self, *error: object) -> None:
        self._contexts.pop().__exit__(*error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[int, int]:
        return self.cuda_stream, self.device_index

    def __repr__(self) -> str:
        return f"<torch.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.cuda_stream  # the protocol by which other libraries take streams: version 0, and the pointer


class ExternalStream(Stream):
    """A stream that another library has made, and keeps alive.

    Args:
        stream_ptr: its ``cudaStream_t`` as a number.
        device: the GPU that it belongs to; None is the current one.
    """

    def __init__(self, stream_ptr: int, device: WhichDevice = None) -> None:
        self.device_index = existing_index(device)
        self.backend_stream = streams.foreign_stream(self.device_index, stream_ptr)
        self._contexts = []


class Event:
    """A mark in a stream: what is before it can be waited for, by the host and by other streams, and timed.

    It belongs to the GPU of the stream on which it is recorded first.

    Args:
        enable_timing: whether it keeps the time.
        blocking: whether ``synchronize`` lets the processor do something else; else it looks again and again.
        interprocess: whether other processes may use it (through CuPy; there is no handle of ours).
        external: refused; recording in a graph under capture is always internal.
    Raises: RuntimeError without a GPU; NotImplementedError for ``external``.
    """

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False, external: bool = False
    ) -> None:
        if not accelerator.is_available():
            raise RuntimeError("torch.cuda.Event requires CUDA support")
        if external:
            raise NotImplementedError("Event: external=True is not supported, CuPy records no external events")
        if interprocess and enable_timing:
            raise RuntimeError("CUDA error: invalid argument: an interprocess event cannot keep the time")
        self._options = (bool(enable_timing), bool(blocking), bool(interprocess))
        self._event: Any = None  # CuPy's, from the first record on
        self._index = -1

    @property
    def cuda_event(self) -> int:
        """CUDA's pointer to the event; 0 before it is recorded."""
        return 0 if self._event is None else int(self._event.ptr)

    @property
    def device(self) -> Device | None:
        """The GPU that it belongs to; None before it is recorded."""
        return None if self._event is None else Device("cuda", self._index)

    def record(self, stream: Stream | None = None) -> None:
        """Put it behind what the stream (the current one unless given) has been given so far.

        Raises: RuntimeError for a stream of another GPU than before.
        """
        stream = current_stream() if stream is None else stream
        if self._event is None:
            self._event = streams.make_event(stream.device_index, *self._options)
            self._index = stream.device_index
        if self._index != stream.device_index:
            raise RuntimeError(
                f"Event device {self._index} does not match recording stream's device {stream.device_index}."
            )
        with streams.on_device(self._index):
            self._event.record(stream.backend_stream)

    def wait(self, stream: Stream | None = None) -> None:
        """Let later work of the stream (the current one unless given) wait for it; the host does not wait."""
        if self._event is not None:
            stream = current_stream() if stream is None else stream
            with streams.on_device(stream.device_index):
                stream.backend_stream.wait_event(self._event)

    def query(self) -> bool:
        """Whether everything before it is done; true if it was never recorded."""
        return self._event is None or bool(self._event.done)

    def synchronize(self) -> None:
        """Wait until everything before it is done."""
        if self._event is not None:
            self._event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to the other one.

        Raises: ValueError unless both keep the time and were recorded; RuntimeError if one is not over yet.
        """
        if not (self._options[0] and end_event._options[0]):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._event is None or end_event._event is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        return streams.elapsed_time(self._event, end_event._event)

    def __repr__(self) -> str:
        return f"<torch.cuda.Event {self.cuda_event:#x}>" if self.cuda_event else "<torch.cuda.Event uninitialized>"


class StreamContext:
    """A context in which work goes to the stream, on the stream's GPU; with None nothing changes."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self.src_prev_stream: Stream | None = None
        self.dst_prev_stream: Stream | None = None

    def __enter__(self) -> None:
        if self.stream is None:
            return
        self.src_prev_stream = current_stream()
        if self.src_prev_stream.device_index != self.stream.device_index:
            self.dst_prev_stream = current_stream(self.stream.device_index)
        set_stream(self.stream)

    def __exit__(self, *error: object) -> None:
        if self.stream is None:
            return
        set_stream(self.dst_prev_stream)
        set_stream(self.src_prev_stream)
        self.src_prev_stream = self.dst_prev_stream = None


def stream(stream: Stream | None) -> StreamContext:
    """A context in which work goes to the stream; with None nothing changes.

    >>> with stream(None):
    ...     pass
    """
    return StreamContext(stream)


def set_stream(stream: Stream | None) -> None:
    """Let work go to the stream, and make its GPU the current one; with None nothing changes."""
    if stream is not None:
        streams.use_stream(stream.device_index, stream.backend_stream)


def current_stream(device: WhichDevice = None) -> Stream:
    """The stream that work on a GPU (the current one unless given) goes to, in this thread."""
    index = existing_index(device)
    return Stream._around(streams.current_stream(index), index)


def default_stream(device: WhichDevice = None) -> Stream:
    """The stream that work on a GPU goes to if nothing else is said."""
    return Stream._around(streams.default_stream(), existing_index(device))


def get_stream_from_external(data_ptr: int, device: WhichDevice = None) -> Stream:
    """A stream that another library has made, from its ``cudaStream_t`` as a number."""
    return ExternalStream(data_ptr, device)
