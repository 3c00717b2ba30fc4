"""Fetchers: from what the sampler says to a finished batch, the same in the main process and in workers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any


class MapFetcher:
    """Takes samples from a map-style dataset by index."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[..., Any], drop_last: bool) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn

    def fetch(self, index: Any) -> Any:
        """The batch of a list of indices; with batching switched off, the one sample at ``index``."""
        if not self.auto_collation:
            return self.collate_fn(self.dataset[index])
        if getattr(self.dataset, "__getitems__", None):
            return self.collate_fn(self.dataset.__getitems__(index))
        return self.collate_fn([self.dataset[each] for each in index])


class IterableFetcher:
    """Takes the next samples of a stream; what the sampler says only tells how many."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[..., Any], drop_last: bool) -> None:
        self.stream = iter(dataset)
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.has_ended = False

    def fetch(self, index: Any) -> Any:
        """The next batch, a shorter one at the end of the stream; StopIteration after that."""
        if self.has_ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.stream))
        samples = list(itertools.islice(self.stream, len(index)))
        self.has_ended = len(samples) < len(index)
        if not samples or (self.has_ended and self.drop_last):
            raise StopIteration
        return self.collate_fn(samples)


def make_fetcher(
    is_iterable: bool, dataset: Any, auto_collation: bool, collate_fn: Callable[..., Any], drop_last: bool
) -> MapFetcher | IterableFetcher:
    """The fetcher for the kind of dataset."""
    kind = IterableFetcher if is_iterable else MapFetcher
    return kind(dataset, auto_collation, collate_fn, drop_last)
