"""The loader against torch: same batches for the same seed, same errors; workers in ``test_workers.py``."""

from __future__ import annotations

import itertools
import multiprocessing
import warnings

import pytest

import minitorch
from tests.harness.both import same
from tests.utils.loader_support import Dice, Numbers, stream

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")

GRID = [
    {"length": length, "batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
    for length, batch_size, shuffle, drop_last in itertools.product(
        (1, 7, 40), (None, 1, 3), (None, False, True), (False, True)
    )
    if not (batch_size is None and drop_last)
]


def two_epochs(torch, dataset, **options):
    """All batches of two epochs, the lengths, and the state of the generator afterwards."""
    loader = torch.utils.data.DataLoader(dataset, **options)
    return [list(loader), list(loader), len(loader), len(iter(loader)), torch.rand(1)]


@pytest.mark.parametrize("options", GRID, ids=str)
@pytest.mark.parametrize("seeded", [False, True])
def test_batches_equal_torch(options, seeded):
    def load(torch):
        chosen = dict(options)
        if seeded:
            chosen["generator"] = torch.Generator().manual_seed(3)
        return two_epochs(torch, Numbers(chosen.pop("length")), **chosen)

    same(load)


def eager_sampler(torch):
    """A sampler that draws when its iterator is made, not when the first index is asked for."""

    class Eager(torch.utils.data.Sampler):
        def __iter__(self):
            return iter(torch.randperm(7).tolist())

        def __len__(self):
            return 7

    return Eager()


SAMPLERS = {
    "list": lambda torch: {"sampler": [3, 1, 2]},
    "random": lambda torch: {"sampler": torch.utils.data.RandomSampler(range(7), True, 9), "batch_size": 2},
    "weighted": lambda torch: {"sampler": torch.utils.data.WeightedRandomSampler([1.0, 2.0, 3.0], 5)},
    "subset": lambda torch: {"sampler": torch.utils.data.SubsetRandomSampler([5, 3, 1]), "drop_last": True},
    "eager": lambda torch: {"sampler": eager_sampler(torch), "batch_size": 3},
    "batches": lambda torch: {"batch_sampler": [[0, 1], [5], [2, 3, 4]]},
    "random batches": lambda torch: {
        "batch_sampler": torch.utils.data.BatchSampler(torch.utils.data.RandomSampler(range(7)), 3, True)
    },
    "lists without batches": lambda torch: {"sampler": torch.utils.data.SequentialSampler("abc"), "batch_size": None},
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("num_workers", [0, 2])
def test_samplers_equal_torch(name, num_workers):
    same(lambda torch: two_epochs(torch, Numbers(), num_workers=num_workers, **SAMPLERS[name](torch)))


@pytest.mark.parametrize("batch_size", [None, 1, 3, 10])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("sized", [False, True])
def test_streams_equal_torch(batch_size, drop_last, sized):
    def load(torch):
        loader = torch.utils.data.DataLoader(
            stream(torch, 7, sized=sized), batch_size, drop_last=drop_last and batch_size is not None
        )
        return [list(loader), list(loader), len(loader) if sized else None, torch.rand(1)]

    same(load)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_collate_fn(num_workers):
    def load(torch):
        data = Numbers()
        loader = torch.utils.data.DataLoader(data, 3, collate_fn=lambda batch: batch[0], num_workers=num_workers)
        single = torch.utils.data.DataLoader(data, None, collate_fn=lambda sample: sample[1], num_workers=num_workers)
        return [[label for _, label in loader], list(single)]

    same(load)


def test_getitems_takes_a_batch_at_once():
    class AtOnce(Numbers):
        def __getitems__(self, indices):
            return [sum(indices)]

    same(lambda torch: list(torch.utils.data.DataLoader(AtOnce(), 3)))


def test_random_draws_of_samples_in_the_main_process():
    def load(torch):
        return [next(iter(torch.utils.data.DataLoader(Dice(torch), 3, shuffle=True)))[1][1], torch.rand(1)]

    same(load)


# ------------------------------------------------------------------------------------------ errors, warnings


def make(torch, dataset=None, **options):
    return torch.utils.data.DataLoader(Numbers() if dataset is None else dataset, **options)


ERRORS = {
    "negative workers": lambda torch: make(torch, num_workers=-1),
    "negative timeout": lambda torch: make(torch, timeout=-1),
    "prefetch without workers": lambda torch: make(torch, prefetch_factor=2),
    "negative prefetch": lambda torch: make(torch, num_workers=1, prefetch_factor=-1),
    "persistent without workers": lambda torch: make(torch, persistent_workers=True),
    "sampler and shuffle": lambda torch: make(torch, sampler=[0], shuffle=True),
    "batches and size": lambda torch: make(torch, batch_sampler=[[0]], batch_size=2),
    "batches and shuffle": lambda torch: make(torch, batch_sampler=[[0]], shuffle=True),
    "batches and sampler": lambda torch: make(torch, batch_sampler=[[0]], sampler=[0]),
    "batches and drop": lambda torch: make(torch, batch_sampler=[[0]], drop_last=True),
    "no batches but drop": lambda torch: make(torch, batch_size=None, drop_last=True),
    "batch size": lambda torch: make(torch, batch_size=0),
    "drop last": lambda torch: make(torch, drop_last=1),
    "shuffled nothing": lambda torch: make(torch, [], shuffle=True),
    "shuffled stream": lambda torch: make(torch, stream(torch, 3), shuffle=True),
    "stream with sampler": lambda torch: make(torch, stream(torch, 3), sampler=[1]),
    "stream with batches": lambda torch: make(torch, stream(torch, 3), batch_sampler=[[1]]),
    "context without workers": lambda torch: make(torch, multiprocessing_context="fork"),
    "unknown context": lambda torch: make(torch, num_workers=1, multiprocessing_context="thread"),
    "no context": lambda torch: make(torch, num_workers=1, multiprocessing_context=3),
    "length of a stream": lambda torch: len(make(torch, stream(torch, 3))),
    "timeout without workers": lambda torch: iter(make(torch, timeout=1)),
    "index out of range": lambda torch: list(make(torch, [1, 2], sampler=[5])),
    "end of an iterator": lambda torch: [next(iterator) for iterator in [iter(make(torch, [1]))] for _ in range(2)],
    "pickled iterator": lambda torch: iter(make(torch, [1])).__getstate__(),
    **{
        f"set {name}": lambda torch, name=name: setattr(make(torch), name, None)
        for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
    },
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    is_iterator = name == "pickled iterator"  # its text has the name of torch's private class
    same(ERRORS[name], message=not is_iterator)


def test_prefetch_of_nothing():
    # torch's iterator stumbles over its own unfinished state afterwards, so its words are repeated here
    with pytest.raises(
        AssertionError, match=r"^prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter$"
    ):
        iter(make(minitorch, num_workers=1, prefetch_factor=0))


def warnings_of(torch, program):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program(torch)
    texts = sorted({str(each.message) for each in caught})
    assert texts
    return texts


def test_warning_about_many_workers():
    same(lambda torch: warnings_of(torch, lambda torch: make(torch, num_workers=5000)))


def test_warning_about_pinning():
    def load(torch):
        return warnings_of(torch, lambda torch: list(make(torch, pin_memory=True, pin_memory_device="cuda")))

    same(load)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_warning_about_the_length_of_a_stream(num_workers):
    def load(torch):
        class Long(torch.utils.data.IterableDataset):
            def __iter__(self):
                return iter(range(3))

            def __len__(self):
                return 2

            def __repr__(self):
                return "Long()"

        loader = make(torch, Long(), num_workers=num_workers)
        return [len(loader), warnings_of(torch, lambda torch: list(loader))]

    same(load)


def test_attributes():
    def read(torch):
        loader = make(torch, num_workers=2, batch_size=3, timeout=5)
        plain = make(torch)
        named = make(torch, num_workers=1, multiprocessing_context="spawn")
        names = ["batch_size", "num_workers", "drop_last", "timeout", "prefetch_factor", "persistent_workers"]
        names += ["pin_memory", "pin_memory_device", "in_order", "generator", "worker_init_fn"]
        return [
            [getattr(each, name) for each in (loader, plain) for name in names],
            type(plain.sampler).__name__,
            type(plain.batch_sampler).__name__,
            loader.multiprocessing_context,
            named.multiprocessing_context is multiprocessing.get_context("spawn"),
        ]

    same(read)
