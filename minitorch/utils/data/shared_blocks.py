"""Arrays from a worker to the main process without pickling their elements: blocks of shared memory.

A block is an anonymous file in memory (``memfd_create``) that both processes map. It has no name: nothing is
ever left over in /dev/shm, however a process ends, and the kernel frees the memory with the last map.

The worker owns the blocks. It puts an array into one (``default_collate`` builds the batch there right away),
sends the number of the block and, the first time, the open file. In the main process the tensor's memory *is*
the block; when the last tensor on it dies, its number goes back to the worker, which uses the block again: the
kernel then has no fresh memory to clear and to map for every batch.

Pickling does the rest: protocol 5 hands out the memory of arrays, wherever in the batch they are, as buffers
beside the stream. Small arrays stay in the stream.
"""

from __future__ import annotations

import mmap
import os
import pickle
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

from minitorch.backend import Array, host
from minitorch.utils.data.channel import Channel

SMALLEST = 16 * 1024  # bytes; below that a copy through the socket is cheaper than a block


class _Block:
    """A block as its worker sees it."""

    def __init__(self, number: int, size: int) -> None:
        self.number = number
        self.capacity = 1 << (size - 1).bit_length()  # costs nothing: pages exist once they are written
        self.file = os.memfd_create("minitorch-batch", os.MFD_CLOEXEC)
        os.ftruncate(self.file, self.capacity)
        self.memory = mmap.mmap(self.file, self.capacity)
        self.address = _address(host.frombuffer(self.memory, "uint8"))
        self.is_known = False  # whether the main process has the file
        self.senders = 0  # how often it was sent and not given back yet
        self.user: weakref.ref[Any] | None = None  # the worker's own array in it

    @property
    def is_free(self) -> bool:
        return self.senders == 0 and (self.user is None or self.user() is None)

    def lend(self, size: int) -> Array:
        """The first ``size`` bytes as an array that keeps the block taken while it (or a view of it) lives."""
        bytes_ = host.frombuffer(self.memory, "uint8", size)
        self.user = weakref.ref(bytes_)
        return bytes_


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


class _Sent(NamedTuple):
    """What the main process must know of a buffer: block, bytes, and the capacity of a block that is new to it."""

    number: int
    size: int
    capacity: int


class BlockWriter:
    """The worker's side: keeps the blocks and sends messages.

    limit: the most blocks there may be (each is an open file in both processes); arrays beyond that travel in
    the stream.
    """

    def __init__(self, channel: Channel, limit: int) -> None:
        self.channel = channel
        self.limit = limit if hasattr(os, "memfd_create") else 0
        self.blocks: dict[int, _Block] = {}
        self.forgotten: list[int] = []  # blocks given up, to be told to the main process
        self._next_number = 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """An uninitialised array, in a block if it is large."""
        dtype = host.dtype(dtype)
        size = dtype.itemsize
        for length in shape:
            size *= length
        block = self._take(size) if size >= SMALLEST else None
        if block is None:
            return host.empty(shape, dtype)
        return block.lend(size).view(dtype).reshape(shape)

    def send(self, message: Any) -> None:
        """Send ``message`` to the main process, its large arrays by way of blocks."""
        placed: list[tuple[_Block, int]] = []

        def stays_in_stream(buffer: pickle.PickleBuffer) -> bool:
            content = buffer.raw()
            block = self._holding(content) if content.nbytes >= SMALLEST else None
            if block is not None:
                block.senders += 1
                placed.append((block, content.nbytes))
            return block is None

        try:
            body = pickle.dumps(message, 5, buffer_callback=stays_in_stream)
        except BaseException:
            self.release([block.number for block, _ in placed])
            raise
        new = {block.number: block for block, _ in placed if not block.is_known}
        sent = [_Sent(block.number, size, block.capacity if block.number in new else 0) for block, size in placed]
        head = pickle.dumps((sent, self.forgotten), 5)
        self.forgotten = []
        self.channel.send(head, body, [block.file for block in new.values()])
        for block in new.values():
            block.is_known = True
            os.close(block.file)  # the map keeps the memory

    def release(self, numbers: Sequence[int]) -> None:
        """The main process needs these blocks no longer (each number once for every time it was sent)."""
        for number in numbers:
            self.blocks[number].senders -= 1

    def _holding(self, content: memoryview) -> _Block | None:
        """The block that ``content`` is the beginning of, or one with a copy of it; None if there is no room."""
        source = host.frombuffer(content, "uint8")
        address = _address(source)
        for block in self.blocks.values():
            if block.address == address:
                return block
        taken = self._take(source.size)
        if taken is not None:
            taken.lend(source.size)[:] = source
        return taken

    def _take(self, size: int) -> _Block | None:
        """A free block of at least ``size`` bytes, a new one if need be; None if there are too many."""
        free = [block for block in self.blocks.values() if block.is_free]
        large_enough = [block for block in free if block.capacity >= size]
        if large_enough:
            return min(large_enough, key=lambda block: block.capacity)
        if len(self.blocks) >= self.limit:
            if not free:
                return None
            self._forget(free[0])
        try:
            block = _Block(self._next_number, size)
        except OSError:  # no more open files, or no memory: let the stream try
            return None
        self._next_number += 1
        self.blocks[block.number] = block
        return block

    def _forget(self, block: _Block) -> None:
        del self.blocks[block.number]
        if block.is_known:
            self.forgotten.append(block.number)
        else:
            os.close(block.file)


class BlockReader:
    """The main process's side: receives messages and notes which blocks its tensors have given back."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.memories: dict[int, mmap.mmap] = {}
        self.released: list[int] = []

    def receive(self) -> Any:
        """The next message. Raises EOFError if the worker is gone."""
        head, body, files = self.channel.receive()
        sent, forgotten = pickle.loads(head)
        for number in forgotten:
            del self.memories[number]
        return pickle.loads(body, buffers=self._buffers(sent, files))

    def _buffers(self, sent: list[_Sent], files: list[int]) -> list[Array]:
        new = iter(files)
        buffers = []
        for number, size, capacity in sent:
            if capacity and number not in self.memories:
                file = next(new)
                self.memories[number] = mmap.mmap(file, capacity)
                os.close(file)
            # Arrays on this buffer keep it alive; it dies with the last of them.
            buffer = host.frombuffer(self.memories[number], "uint8", size)
            weakref.finalize(buffer, self.released.append, number).atexit = False
            buffers.append(buffer)
        return buffers

    def take_released(self) -> list[int]:
        """The numbers of the blocks given back since the last call."""
        numbers = self.released[:]  # tensors may die in other threads: what is added now stays for the next call
        del self.released[: len(numbers)]
        return numbers


_writer: BlockWriter | None = None  # of this process, if it is a worker


def use_writer(writer: BlockWriter) -> None:
    """Let ``empty_for_sending`` build arrays where ``writer`` finds them."""
    global _writer
    _writer = writer


def empty_for_sending(shape: tuple[int, ...], dtype: Any) -> Array:
    """An uninitialised array for a part of a batch: in a worker in shared memory, else an ordinary one."""
    return host.empty(shape, dtype) if _writer is None else _writer.empty(shape, dtype)
