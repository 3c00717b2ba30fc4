"""``DevicePrefetcher``: the next batch is copied to the GPU while the current one is computed with.

    loader = DataLoader(dataset, batch_size=64, num_workers=4, pin_memory=True)
    for images, labels in DevicePrefetcher(loader, "cuda"):
        …

A GPU copies and computes at the same time if the two are on different streams. Three rules keep that right:

1. before a batch is handed out, the stream that computes waits (on the GPU) for the event behind the batch's copies;
2. the batch's memory belongs to the stream that copies: ``record_stream`` keeps it from being filled again before the
   stream that computed with it is done;
3. the host memory that a copy reads is kept until it is read (``backend/transfers.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from minitorch import cuda
from minitorch.device import device as Device  # noqa: N812
from minitorch.utils.data.nested import changed, tensors_in

T_co = TypeVar("T_co", covariant=True)


class DevicePrefetcher(Generic[T_co]):
    """Iterates over a loader's batches, on a device, one batch ahead.

    With a GPU the next batch is fetched from the loader and put on its way before the current one is handed out. From
    pinned memory (``DataLoader(pin_memory=True)``) the copy does not keep the host, either. On the CPU batches are
    handed on as they are.

    Args:
        loader: anything that can be iterated over; each ``iter`` begins a new pass, as the loader's does.
        device: where batches go: ``"cuda"``, ``"cuda:1"``, ``"cpu"``, a number or a ``minitorch.device``.

    Moved are tensors, and objects that have ``to(device, non_blocking=…)``, inside mappings, sequences and named tuples
    of any depth. An exception of the loader comes when its batch would have come. A loop may be left at any time.
    Raises: RuntimeError for a GPU that is not there.

    >>> batches = DevicePrefetcher([[1, 2], [3, 4]], "cpu")
    >>> len(batches), list(batches)
    (2, [[1, 2], [3, 4]])
    """

    def __init__(self, loader: Iterable[T_co], device: Any) -> None:
        self.loader = loader
        self.device = device if isinstance(device, Device) else Device(device)
        if self.device.type == "cuda":
            index = self.device.index
            self.device = Device("cuda", cuda.current_device() if index is None else index)
            cuda.get_device_properties(self.device)  # there is such a GPU

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[T_co]:
        return iter(self.loader) if self.device.type == "cpu" else _ahead(self.loader, self.device)


def _ahead(loader: Iterable[Any], device: Device) -> Iterator[Any]:
    """The batches on the GPU; each next one is on its way when one is handed out."""
    stream, batches = cuda.Stream(device), iter(loader)
    upcoming = _Upcoming(batches, stream)
    while not upcoming.is_end:
        current = upcoming.take()
        upcoming = _Upcoming(batches, stream)
        yield current
        del current  # from here on it lives as long as the caller keeps it


class _Upcoming:
    """A batch on its way, or the exception that came instead."""

    def __init__(self, batches: Iterator[Any], stream: cuda.Stream) -> None:
        self.stream = stream
        self.error: Exception | None = None
        self.is_end = False
        try:
            self._send(next(batches))
        except StopIteration:
            self.is_end = True
        except Exception as error:  # comes in its turn: the batch before it is good
            self.error = error

    def _send(self, batch: Any) -> None:
        if any(tensor.is_cuda for tensor in tensors_in(batch)):
            self.stream.wait_stream(cuda.current_stream())  # what the loader has put on a GPU is made there first
        with cuda.stream(self.stream):
            self.batch = _moved(batch, self.stream.device)
            self.copied = self.stream.record_event()

    def take(self) -> Any:
        """The batch, for the stream that is current now."""
        if self.error is not None:
            raise self.error
        computing = cuda.current_stream(self.stream.device)
        computing.wait_event(self.copied)
        for tensor in tensors_in(self.batch):
            if tensor.is_cuda:
                tensor.record_stream(computing)
        return self.batch


def _moved(batch: Any, device: Device) -> Any:
    return changed(batch, lambda part: part.to(device, non_blocking=True), lambda part: hasattr(part, "to"))
