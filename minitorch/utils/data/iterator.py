"""One pass over a loader: what all iterators share, and the one that loads in the main process."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from minitorch.backend import is_available
from minitorch.utils.data.dataset import IterableDataset
from minitorch.utils.data.fetch import make_fetcher
from minitorch.utils.data.nested import pin_memory
from minitorch.utils.data.sampler import draw_seed

if TYPE_CHECKING:
    from minitorch.utils.data.dataloader import DataLoader


class LoaderIterator:
    """Draws indices from the loader's sampler; subclasses turn them into batches.

    It holds no reference to the loader: a loader that is dropped takes its iterator (and worker processes) along.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        _warn_about_pinning(loader)
        self._pins = loader.pin_memory and is_available()
        self._dataset = loader.dataset
        self._is_iterable = isinstance(loader.dataset, IterableDataset)
        self._index_sampler = loader._index_sampler
        self._num_workers = loader.num_workers
        self._open_sampler(loader)
        # torch draws the workers' seed even where there are none: the default generator must be left alike.
        self._base_seed = draw_seed(loader.generator)

    def _open_sampler(self, loader: DataLoader[Any]) -> None:
        """Begin an epoch's indices."""
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._announced_length = loader._announced_length

    def __iter__(self) -> LoaderIterator:
        return self

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        announced = self._announced_length
        if self._is_iterable and announced is not None and self._num_yielded > announced:
            self._warn_about_length(announced)
        return data

    def _next_data(self) -> Any:
        raise NotImplementedError

    def _warn_about_length(self, announced: int) -> None:
        message = (
            f"Length of IterableDataset {self._dataset} was reported to be {announced}"
            f"(when accessing len(dataloader)), but {self._num_yielded} samples have been fetched. "
        )
        if self._num_workers > 0:
            message += (
                "For multiprocessing data-loading, this could be caused by not properly configuring the "
                "IterableDataset replica at each worker. Please see "
                "https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for examples."
            )
        warnings.warn(message, stacklevel=3)

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)


def _warn_about_pinning(loader: DataLoader[Any]) -> None:
    if loader.pin_memory and loader.pin_memory_device:
        warnings.warn(
            "pin_memory_device is deprecated, the current accelerator will be used as the device,"
            f"ignore pin_memory_device='{loader.pin_memory_device}'.",
            stacklevel=4,
        )
    if loader.pin_memory and not is_available():
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, "
            "then device pinned memory won't be used.",
            stacklevel=4,
        )


class SingleProcessIterator(LoaderIterator):
    """Loads each batch when it is asked for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        if loader.timeout != 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self._fetcher = make_fetcher(
            self._is_iterable, loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last
        )

    def _next_data(self) -> Any:
        data = self._fetcher.fetch(next(self._sampler_iter))
        return pin_memory(data) if self._pins else data
