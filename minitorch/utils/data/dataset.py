"""Datasets: what a loader takes its samples from, and ways to put datasets together and apart.

A *map-style* dataset answers ``dataset[index]`` and ``len(dataset)``; an *iterable* one is a stream that only
``iter(dataset)`` opens. A map-style dataset may also have ``__getitems__(indices)``, which returns the samples
of a whole batch at once.
"""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from minitorch.autograd.variable import wrap
from minitorch.tensor.random import Generator, randperm
from minitorch.tensor.tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """A map-style dataset: subclasses define ``__getitem__`` and, for most samplers, ``__len__``.

    ``first + second`` is the one followed by the other.

    >>> class Squares(Dataset):
    ...     def __getitem__(self, index):
    ...         return index**2
    ...     def __len__(self):
    ...         return 4
    >>> (Squares() + Squares())[6]
    4
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[T_co]) -> Dataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """A stream of samples: subclasses define ``__iter__``, and ``__len__`` if the length is known.

    With several worker processes each of them iterates over its own copy: ``get_worker_info()`` tells a copy
    which part of the stream is its own. ``first + second`` is the one stream followed by the other.
    """

    def __add__(self, other: Dataset[T_co]) -> Dataset[T_co]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples that are rows of tensors: sample i is ``(first[i], second[i], …)``, views without a copy.

    Raises: AssertionError if the tensors differ in their first size.

    >>> import minitorch as torch
    >>> TensorDataset(torch.tensor([1.0, 2.0]), torch.tensor([0, 1]))[1]
    (tensor(2.), tensor(1))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensors[0].size(0) != tensor.size(0) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([_row(tensor, index) for tensor in self.tensors])

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


def _row(tensor: Tensor, index: Any) -> Tensor:
    """``tensor[index]``; without the way through an op where there is no gradient to record.

    A batch is many rows, so this is the hot spot of loading from memory.
    """
    array = tensor.array
    if index.__class__ is not int or tensor.needs_grad or not -len(array) <= index < len(array):
        return tensor[index]
    row: Tensor = wrap(array[index, ...], tensor.result_class)
    row.counter = tensor.version_counter()  # a change of the one is a change of the other
    return row


class StackDataset(Dataset[Any]):
    """Several datasets side by side: sample i is the tuple, or dict, of all their samples i.

    Raises: ValueError for positional and keyword datasets together, for none, and for different lengths.

    >>> StackDataset(image=["a", "b"], text=["A", "B"])[0]
    {'image': 'a', 'text': 'A'}
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or"
                "``dict``- (via ``kwargs``) like input/output, but both types are given."
            )
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if any(length != lengths[0] for length in lengths):
            raise ValueError("Size mismatch between datasets")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {key: dataset[index] for key, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        """The samples of a batch; datasets that have ``__getitems__`` themselves are asked once."""
        if isinstance(self.datasets, dict):
            columns = [_samples(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row)) for row in zip(*columns)]
        return list(zip(*[_samples(dataset, indices) for dataset in self.datasets]))

    def __len__(self) -> int:
        return self._length


def _samples(dataset: Any, indices: list[Any]) -> Sequence[Any]:
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[index] for index in indices]
    items: Sequence[Any] = dataset.__getitems__(indices)
    if len(items) != len(indices):
        raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(items)}")
    return items


class ConcatDataset(Dataset[T_co]):
    """Map-style datasets one after another; negative indices count from the end.

    Raises: AssertionError for no datasets and for iterable ones, ValueError for an index before the start.

    >>> ConcatDataset(["ab", "cde"])[3]
    'd'
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Where each dataset ends."""
        return list(itertools.accumulate(len(each) for each in sequence))

    def __init__(self, datasets: Iterable[Any]) -> None:
        super().__init__()
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: Any) -> T_co:
        if idx < 0:
            if -idx > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            idx += len(self)
        place = bisect.bisect_right(self.cumulative_sizes, idx)
        start = self.cumulative_sizes[place - 1] if place else 0
        sample: T_co = self.datasets[place][idx - start]
        return sample


class ChainDataset(IterableDataset[T_co]):
    """Streams one after another; ``datasets`` is iterated over lazily.

    Raises: AssertionError, when it comes to it, for a dataset that is not iterable-style.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        super().__init__()
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._streams():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._streams())


class Subset(Dataset[T_co]):
    """The samples of ``dataset`` at ``indices``.

    Raises: NotImplementedError if a subclass defines ``__getitem__`` but not ``__getitems__``: loaders use the
    latter, so the former would silently not be called.

    >>> list(Subset("abcdef", [1, 3, 5]))
    ['b', 'd', 'f']
    """

    dataset: Any
    indices: Sequence[int]

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__. "
                "When subclassing Subset and overriding __getitem__, you must also override "
                "__getitems__ to ensure DataLoader works correctly with your custom logic. "
                "A simple implementation:\n\n"
                "def __getitems__(self, indices):\n"
                "    return [self.__getitem__(idx) for idx in indices]"
            )

    def __getitem__(self, idx: Any) -> T_co:
        place = [self.indices[each] for each in idx] if isinstance(idx, list) else self.indices[idx]
        sample: T_co = self.dataset[place]
        return sample

    def __getitems__(self, indices: list[int]) -> Sequence[T_co]:
        """The samples of a batch, asked of the dataset at once if it can do that."""
        places = [self.indices[index] for index in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            items: Sequence[T_co] = self.dataset.__getitems__(places)
            return items
        return [self.dataset[place] for place in places]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset[Any]]:
    """Split ``dataset`` at random into parts that do not overlap.

    Args:
        lengths: the sizes of the parts; or fractions that add up to 1, which are rounded down, and what is
            left over goes to the parts one by one from the first.
        generator: what the permutation is drawn from; None is the default generator.
    Raises: ValueError for a fraction outside [0, 1] and for lengths that do not add up to the dataset's.
    Warns: UserWarning for a fraction that gives an empty part.

    >>> import minitorch as torch
    >>> parts = random_split(range(10), [0.25, 0.75], torch.Generator().manual_seed(0))
    >>> [len(part) for part in parts]
    [3, 7]
    """
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _lengths_of_fractions(len(dataset), lengths)
        for position, length in enumerate(lengths):
            if length == 0:
                warnings.warn(
                    f"Length of split at index {position} is 0. This might result in an empty dataset.", stacklevel=2
                )
    if sum(lengths) != len(dataset):
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    order = randperm(int(sum(lengths)), generator=generator).tolist()
    ends = itertools.accumulate(lengths)
    return [Subset(dataset, order[int(end - length) : int(end)]) for end, length in zip(ends, lengths)]


def _lengths_of_fractions(total: int, fractions: Sequence[float]) -> list[int]:
    for position, fraction in enumerate(fractions):
        if fraction < 0 or fraction > 1:
            raise ValueError(f"Fraction at index {position} is not between 0 and 1")
    lengths = [math.floor(total * fraction) for fraction in fractions]
    for position in range(total - sum(lengths)):
        lengths[position % len(lengths)] += 1
    return lengths
