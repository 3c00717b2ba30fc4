"""Samplers against torch: the same indices for the same seed, and the same state of the generator afterwards."""

from __future__ import annotations

import itertools

import pytest

from tests.harness.both import same

SEEDED = [False, True]


def generator_of(torch, seeded):
    return torch.Generator().manual_seed(7) if seeded else None


@pytest.mark.parametrize("seeded", SEEDED)
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("num_samples", [None, 1, 5, 10, 13, 32, 33, 70])
def test_random_sampler(num_samples, replacement, seeded):
    def draw(torch):
        sampler = torch.utils.data.RandomSampler(range(10), replacement, num_samples, generator_of(torch, seeded))
        return [list(sampler), list(sampler), len(sampler), torch.rand(1)]

    same(draw)


@pytest.mark.parametrize("seeded", SEEDED)
def test_subset_random_sampler(seeded):
    def draw(torch):
        sampler = torch.utils.data.SubsetRandomSampler([3, 1, 4, 1, 5, 9], generator_of(torch, seeded))
        return [list(sampler), list(sampler), len(sampler), torch.rand(1)]

    same(draw)


@pytest.mark.parametrize("seeded", SEEDED)
@pytest.mark.parametrize(("num_samples", "replacement"), [(1, True), (1, False), (4, False), (5, True), (40, True)])
def test_weighted_random_sampler(num_samples, replacement, seeded):
    def draw(torch):
        weights = [0.1, 0.9, 0.4, 0.7, 3.0, 0.6]
        sampler = torch.utils.data.WeightedRandomSampler(weights, num_samples, replacement, generator_of(torch, seeded))
        return [list(sampler), list(sampler), len(sampler), torch.rand(1)]

    same(draw)


@pytest.mark.parametrize(
    ("length", "batch_size", "drop_last"), list(itertools.product([0, 1, 6, 7], [1, 3, 10], [False, True]))
)
def test_batch_sampler(length, batch_size, drop_last):
    def batches(torch):
        data = torch.utils.data
        sampler = data.BatchSampler(data.SequentialSampler(range(length)), batch_size, drop_last)
        return [list(sampler), len(sampler), list(data.BatchSampler(iter(range(length)), batch_size, drop_last))]

    same(batches)


def test_length_follows_the_dataset():
    def grow(torch):
        values = [1, 2]
        sampler = torch.utils.data.RandomSampler(values)
        values.append(3)
        return [len(sampler), list(sampler)]

    same(grow)


ERRORS = {
    "replacement": lambda data: data.RandomSampler(range(3), replacement=1),
    "no samples": lambda data: data.RandomSampler(range(3), num_samples=0),
    "negative": lambda data: data.RandomSampler(range(3), num_samples=-2),
    "half a sample": lambda data: data.RandomSampler(range(3), num_samples=1.5),
    "empty": lambda data: data.RandomSampler([]),
    "no length": lambda data: data.RandomSampler(iter([])),
    "sampler": lambda data: iter(data.Sampler()),
    "weighted samples": lambda data: data.WeightedRandomSampler([1.0], 0),
    "weighted bool": lambda data: data.WeightedRandomSampler([1.0], True),
    "weighted replacement": lambda data: data.WeightedRandomSampler([1.0], 1, replacement=None),
    "weights": lambda data: data.WeightedRandomSampler([[1.0]], 1),
    "batch size": lambda data: data.BatchSampler(range(3), 0, False),
    "bool batch size": lambda data: data.BatchSampler(range(3), True, False),
    "drop last": lambda data: data.BatchSampler(range(3), 1, 0),
    "unsized batches": lambda data: len(data.BatchSampler(iter([]), 1, False)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    same(lambda torch: ERRORS[name](torch.utils.data), message=True)
