"""Datasets for the loader's tests, and the check that nothing is left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import time

import numpy


class Numbers:
    """Sample i is (a small array, i). Belongs to neither library: both loaders take it."""

    def __init__(self, length=7):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return numpy.full(2, index, "float32"), index


class Images(Numbers):
    """Samples of 40 kB, so that batches travel in blocks of shared memory."""

    def __getitem__(self, index):
        return numpy.full((100, 100), index, "float32"), index


class Dice(Numbers):
    """Samples drawn from the three generators that a worker seeds."""

    def __init__(self, torch, length=7):
        super().__init__(length)
        self.torch = torch

    def __getitem__(self, index):
        draws = [random.random(), float(self.torch.rand(1)), float(numpy.random.rand())]
        info = self.torch.utils.data.get_worker_info()
        return index, draws, (-1, -1, -1) if info is None else (info.id, info.num_workers, info.seed)


class Failing(Numbers):
    """Sample 3 calls ``fail``."""

    def __init__(self, fail, length=7):
        super().__init__(length)
        self.fail = fail

    def __getitem__(self, index):
        if index == 3:
            return self.fail()
        return super().__getitem__(index)


class ProcessIds(Numbers):
    """Samples that name the process that made them."""

    def __getitem__(self, index):
        return os.getpid()


def stream(torch, length, shared=True, sized=False):
    """An iterable dataset of numbers; ``shared``: each worker yields its part, else all of them."""

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            info = torch.utils.data.get_worker_info()
            if info is None or not shared:
                return iter(range(length))
            return iter(range(info.id, length - info.id * 2, info.num_workers))  # parts of different lengths

    class SizedStream(Stream):
        def __len__(self):
            return length

    return SizedStream() if sized else Stream()


def is_gone(pid):
    """Whether the process has ended (a zombie that nobody has waited for has)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_gone(pids, seconds=5.0):
    """Whether all processes end within that time."""
    deadline = time.monotonic() + seconds
    while not all(is_gone(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def shared_memory_files():
    """What lies in /dev/shm."""
    return set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()


def leftovers(files_before):
    """Worker processes that still run, and files in shared memory that were not there before."""
    gc.collect()
    return multiprocessing.active_children(), shared_memory_files() - files_before
