"""``DataLoader``: batches of a dataset, in the main process or prepared ahead by worker processes."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

from minitorch.tensor.random import Generator
from minitorch.utils.data.collate import default_collate, default_convert
from minitorch.utils.data.dataset import Dataset, IterableDataset
from minitorch.utils.data.iterator import SingleProcessIterator
from minitorch.utils.data.multiprocess import MultiProcessIterator
from minitorch.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from minitorch.utils.data.worker import get_worker_info

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class _EndlessSampler(Sampler[None]):
    """For streams, which have no indices: only the number of Nones in a batch means something."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches. The same seed gives the same batches as torch.

    Args:
        dataset: map-style (``dataset[i]``, ``len``) or an ``IterableDataset``.
        batch_size: samples in a batch; None gives single samples, without collation.
        shuffle: a new random order every epoch.
        sampler: the order of indices, instead of ``shuffle``.
        batch_sampler: lists of indices, instead of ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``.
        num_workers: processes that load; 0 loads in the main process.
        collate_fn: from a list of samples to a batch (without batches: from a sample to what is returned).
        pin_memory: tensors (and what else has ``pin_memory()``) in the batches come in pinned memory, from which
            ``to("cuda", non_blocking=True)`` keeps the host no longer than it takes to say so. With workers a
            thread does it, one batch ahead. Warns, as torch does, where there is no GPU.
        drop_last: leave out the last batch if it is smaller.
        timeout: seconds to wait for a batch of a worker; 0 waits as long as it takes.
        worker_init_fn: called with the worker's number at the start of each worker, after its generators
            (minitorch's, Python's and NumPy's) were seeded.
        multiprocessing_context: how workers are started ("fork", "spawn", "forkserver" or a context); None is
            Python's default.
        generator: what the order and the workers' seeds are drawn from; None is the default generator.
        prefetch_factor: batches that each worker prepares ahead; None is 2.
        persistent_workers: keep the workers from one epoch to the next.
        pin_memory_device: deprecated in torch and without effect.
        in_order: False returns batches as they become ready.
    Raises:
        ValueError or TypeError, in torch's words, for arguments that contradict each other.
        While iterating: an exception of a worker with the worker's traceback; RuntimeError if a worker was killed
        ("exited unexpectedly") or does not answer in time ("timed out").

    >>> import minitorch as torch
    >>> from minitorch.utils.data import TensorDataset
    >>> squares = TensorDataset(torch.arange(5), torch.arange(5) ** 2)
    >>> for numbers, of_them in DataLoader(squares, batch_size=3):
    ...     print(numbers, of_them)
    tensor([0, 1, 2]) tensor([0, 1, 4])
    tensor([3, 4]) tensor([ 9, 16])
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    sampler: Any
    batch_sampler: Any
    drop_last: bool
    persistent_workers: bool
    _is_initialized = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[..., Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: str | BaseContext | None = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_worker_options(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.generator = generator
        self.persistent_workers = persistent_workers
        self._set_samplers(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.collate_fn = collate_fn or (default_collate if self._auto_collation else default_convert)
        self._is_initialized = True
        self._announced_length: int | None = None  # what len() last said of a stream
        self._iterator: MultiProcessIterator | None = None
        self.check_worker_number_rationality()

    def _set_samplers(
        self, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
    ) -> None:
        is_iterable = isinstance(self.dataset, IterableDataset)
        if is_iterable:
            _check_stream_options(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            sampler = _EndlessSampler() if is_iterable else self._default_sampler(bool(shuffle))
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.drop_last = batch_size, drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler

    def _default_sampler(self, shuffle: bool) -> Sampler[int]:
        data: Any = self.dataset
        return RandomSampler(data, generator=self.generator) if shuffle else SequentialSampler(data)

    @property
    def multiprocessing_context(self) -> BaseContext | None:
        """How workers are started; None is Python's default."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: str | BaseContext | None) -> None:
        if context is not None:
            context = _as_context(context, self.num_workers)
        self._multiprocessing_context = context

    def __setattr__(self, attr: str, val: Any) -> None:
        if self._is_initialized and attr in _FIXED:
            raise ValueError(f"{attr} attribute should not be set after {self.__class__.__name__} is initialized")
        super().__setattr__(attr, val)

    def __iter__(self) -> Any:
        if self.num_workers == 0:
            return SingleProcessIterator(self)
        if self._iterator is not None and self._iterator.is_usable:
            self._iterator.restart(self)
            return self._iterator
        self.check_worker_number_rationality()
        iterator = MultiProcessIterator(self)
        if self.persistent_workers:
            self._iterator = iterator
        return iterator

    @property
    def _auto_collation(self) -> bool:
        """Whether samples are put together into batches."""
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        """The number of batches; of a stream, an estimate from ``len(dataset)``, if it has one."""
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        self._announced_length = length = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn if there are more workers than processors to run them."""
        is_affinity_known = hasattr(os, "sched_getaffinity")
        available = len(os.sched_getaffinity(0)) if is_affinity_known else os.cpu_count()
        if not self.num_workers or (available is not None and self.num_workers <= available):
            return
        advice = "DataLoader is not able to compute a suggested max number of worker in current system."
        if available is not None:
            caveat = "" if is_affinity_known else " (`cpuset` is not taken into account)"
            advice = (
                f"Our suggested max number of worker in current system is {available}{caveat}, which is smaller "
                "than what this DataLoader is going to create."
            )
        warnings.warn(
            f"This DataLoader will create {self.num_workers} worker processes in total. {advice} "
            "Please be aware that excessive worker creation might get DataLoader running slow or even freeze, "
            "lower the worker number to avoid potential slowness/freeze if necessary.",
            stacklevel=2,
        )


def _check_worker_options(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream_options(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    """A stream comes in its own order: nothing may be said about it."""
    start = "DataLoader with IterableDataset: expected unspecified"
    if shuffle not in {False, None}:
        raise ValueError(f"{start} shuffle option, but got shuffle={shuffle}")
    if sampler is not None:
        raise ValueError(f"{start} sampler option, but got sampler={sampler}")
    if batch_sampler is not None:
        raise ValueError(f"{start} batch_sampler option, but got batch_sampler={batch_sampler}")


def _as_context(context: str | BaseContext, num_workers: int) -> BaseContext:
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with "
            f"multi-process loading (num_workers > 0), but got num_workers={num_workers}"
        )
    if isinstance(context, str):
        valid = multiprocessing.get_all_start_methods()
        if context not in valid:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {valid!r}, but got "
                f"multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start "
            f"method, but got multiprocessing_context={context}"
        )
    return context
