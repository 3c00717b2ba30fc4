"""Samplers: the order in which a loader takes the samples of a map-style dataset.

The orders are torch's: a seed gives the same indices in both libraries.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import minitorch.dtypes as dtypes
from minitorch.tensor.creation import as_tensor, empty
from minitorch.tensor.random import Generator, multinomial, randint, randperm
from minitorch.tensor.tensor import Tensor

T_co = TypeVar("T_co", covariant=True)

_DRAWN_AT_ONCE = 32  # with replacement, indices are drawn in portions of this many


def draw_seed(generator: Generator | None) -> int:
    """A number below 2⁶³ from ``generator`` (None: the default one), to seed other generators with."""
    return int(empty((), dtype=dtypes.int64).random_(generator=generator).item())


def _require_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


class Sampler(Generic[T_co]):
    """An order of indices, or of lists of indices: subclasses define ``__iter__``, and ``__len__`` if it is known."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """The indices from the first to the last.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices in a random order, a new one every epoch.

    Args:
        replacement: draw each index from all of them, so that some come twice and some not at all.
        num_samples: how many to draw; None is as many as there are. Without replacement, more than there are
            means further permutations.
        generator: what to draw from. None seeds a generator for each epoch from the default one, so that an
            epoch moves the default generator by one number, whatever the dataset's length.
    Raises: TypeError for a ``replacement`` that is no bool, ValueError for a ``num_samples`` that is not
        positive (as for an empty dataset).

    >>> import minitorch as torch
    >>> list(RandomSampler(range(5), generator=torch.Generator().manual_seed(0)))
    [4, 0, 1, 3, 2]
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        """How many indices an epoch has; follows the dataset's length unless it was given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        generator = self.generator
        if generator is None:
            generator = Generator().manual_seed(draw_seed(None))
        yield from self._with_replacement(generator) if self.replacement else self._permutations(generator)

    def _with_replacement(self, generator: Generator) -> Iterator[int]:
        high = len(self.data_source)
        portions, rest = divmod(self.num_samples, _DRAWN_AT_ONCE)
        for portion in [_DRAWN_AT_ONCE] * portions + [rest]:
            yield from randint(0, high, (portion,), dtype=dtypes.int64, generator=generator).tolist()

    def _permutations(self, generator: Generator) -> Iterator[int]:
        count = len(self.data_source)
        whole, rest = divmod(self.num_samples, count)
        for _ in range(whole):
            yield from randperm(count, generator=generator).tolist()
        # Drawn even if nothing of it is used: the generator must end up where torch's does.
        yield from randperm(count, generator=generator).tolist()[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a random order, drawn from ``generator`` (None: the default one).

    >>> import minitorch as torch
    >>> list(SubsetRandomSampler([10, 20, 30], torch.Generator().manual_seed(0)))
    [30, 10, 20]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn in proportion to ``weights``, which need not add up to one.

    Args:
        num_samples: how many to draw.
        replacement: whether an index may come twice.
        generator: what to draw from; None is the default generator.
    Raises: ValueError for weights that are not one-dimensional, a ``num_samples`` that is not positive, a
        ``replacement`` that is no bool.

    >>> import minitorch as torch
    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 3))
    [1, 1, 1]
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _require_positive("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=dtypes.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        yield from multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler, or of any iterable, in lists of ``batch_size``.

    Args:
        drop_last: leave out the last batch if it is smaller than the others.
    Raises: ValueError for a ``batch_size`` that is not a positive int, a ``drop_last`` that is no bool.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        _require_positive("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        total = len(self.sampler)  # type: ignore[arg-type]
        return total // self.batch_size if self.drop_last else -(-total // self.batch_size)
