"""The random generator of a GPU: a seed and an offset, from which kernels compute numbers where they are wanted.

Philox (``philox.cuh``) is a function of a seed, a counter and an offset. So the whole state is two numbers on the host:
the seed, and how far the generator has come. A draw is one launch, which takes an offset of its own; element i takes
the counter that belongs to i. Nothing is copied, nobody waits, and the same seed gives the same numbers on every GPU.
They are not those of torch's CUDA generator, nor of the CPU's. ``reference/philox.py`` has them in plain loops.

**Graphs.** What is captured in a CUDA graph would draw the same numbers in each replay, if seed and offset were
arguments of its kernels. During a capture kernels get the address of [seed, offset] on the device instead, and offsets
that count from there; before each replay the present state is written to that address, and the generator moves on. All
graphs read at one address, so those that draw must not be replayed on several streams at a time (in torch, too).
"""

from __future__ import annotations

import secrets
import threading
from typing import Any

import numpy

from minitorch.backend import accelerator, graphs
from minitorch.backend import distribution_arguments as arguments
from minitorch.backend.arrays import Array, current_cuda_device
from minitorch.backend.device_distributions import DeviceDistributions, Place, kernels
from minitorch.backend.generator import DEFAULT_SEED, CPUGenerator, default_cpu_generator
from minitorch.backend.kernels import kernels_available
from minitorch.device import device

STEP = 4  # offsets of a draw. One would do, but torch's states have multiples of four, and so either reads the other's
_STATE = numpy.dtype([("seed", numpy.uint64), ("offset", numpy.uint64)])  # the bytes of torch.cuda.get_rng_state()


def random_seed() -> int:
    """A seed of the operating system's choice, of as many bits as torch takes."""
    return secrets.randbits(53)


class _ThisThread(threading.local):
    drawn: int | None = None  # offsets that the capture of this thread has taken; None outside of captures


class CUDAGenerator(DeviceDistributions):
    """A stream of random numbers on GPU number ``index``; the methods that draw are those of ``CPUGenerator``."""

    device_type = "cuda"

    def __init__(self, index: int, seed: int = DEFAULT_SEED) -> None:
        self.index = index
        self._lock = threading.Lock()
        self._seed, self._offset = arguments.checked_seed(seed), 0
        self._capture = _ThisThread()
        self._captured_state: Array | None = None

    # ---- seed and state

    def manual_seed(self, seed: int) -> CUDAGenerator:
        """Restarts the stream; a negative seed is taken modulo 2⁶⁴."""
        self._set(arguments.checked_seed(seed), 0)
        return self

    def seed(self) -> int:
        """Restarts the stream from a seed of the operating system's, and returns it."""
        seed = random_seed()
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed of the stream."""
        return self._seed

    def get_offset(self) -> int:
        """How far the generator has come in its stream."""
        return self._offset

    def set_offset(self, offset: int) -> None:
        """Goes to a place in the stream, a multiple of 4."""
        if offset % STEP:
            raise RuntimeError("offset must be a multiple of 4")
        self._set(self._seed, offset)

    def get_state(self) -> numpy.ndarray:
        """Seed and offset as the 16 bytes of `torch.cuda.get_rng_state()`."""
        with self._lock:
            return numpy.array([(self._seed, self._offset)], _STATE).view(numpy.uint8)

    def set_state(self, state: numpy.ndarray) -> None:
        """Goes to the place that :meth:`get_state` saved; 8 bytes are a seed alone."""
        if not isinstance(state, numpy.ndarray) or state.dtype != numpy.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if state.size not in (8, _STATE.itemsize):
            raise RuntimeError("RNG state is wrong size")
        seed, *offset = numpy.frombuffer(state.tobytes(), numpy.uint64).tolist()
        if sum(offset) % STEP:
            raise RuntimeError("offset must be a multiple of 4")
        self._set(seed, sum(offset))

    def clone(self) -> CUDAGenerator:
        """Another generator at the same place of the same stream."""
        other = CUDAGenerator(self.index)
        other.set_state(self.get_state())
        return other

    def _set(self, seed: int, offset: int) -> None:
        if self._capture.drawn is not None:
            graphs.check_capture("each replay goes on where its generator is then")
        with self._lock:
            self._seed, self._offset = seed, offset

    # ---- draws

    def next_place(self) -> Place:
        """The place of the next draw: the generator moves on.

        Raises: RuntimeError while a graph is captured in which the generator takes no part.
        """
        if self._capture.drawn is not None:
            self._capture.drawn += STEP
            return Place(self._captured_state, numpy.uint64(0), numpy.uint64(self._capture.drawn - STEP))
        graphs.check_capture("its generator takes no part in the capture (see CUDAGraph.register_generator_state)")
        with self._lock:
            place = Place(None, numpy.uint64(self._seed), numpy.uint64(self._offset))
            self._offset = (self._offset + STEP) % 2**64
        return place

    def kept_place(self) -> Place:
        """The place of the next draw, for numbers that will be drawn again.

        In a graph it is noted on the device: the state that the graph finds there may have gone on in the meantime.
        """
        place = self.next_place()
        return place if place.state is None else self._keep(place)

    def _keep(self, place: Place) -> Place:
        kept = self.empty(2, numpy.uint64)
        kernels.launch("keep_place", (1,), (1,), [kept, place.state, place.offset], {"ELEMENT": "float"})
        return Place(kept, numpy.uint64(0), numpy.uint64(0))

    # ---- graphs: see graphs.CapturedGenerator

    def begin_capture(self) -> None:
        """From now on what this thread draws belongs to a graph."""
        if not isinstance(self._captured_state, accelerator.require().ndarray):
            self._captured_state = self.empty(2, numpy.uint64)  # kept: all graphs read the same
            # CUDA loads a kernel at its first launch, which must not be in a capture: these have none outside of graphs
            self._write_state()
            self._keep(Place(self._captured_state, numpy.uint64(0), numpy.uint64(0)))
        self._capture.drawn = 0

    def end_capture(self) -> int:
        """How far a replay moves the generator on."""
        drawn, self._capture.drawn = self._capture.drawn, None
        return drawn or 0

    def before_replay(self, total: int) -> None:
        """Write the state to where the graph's kernels read it, and move on. Values travel as arguments of a kernel."""
        if not total:
            return
        with self._lock:
            self._write_state()
            self._offset = (self._offset + total) % 2**64

    def _write_state(self) -> None:
        place = [numpy.uint64(self._seed), numpy.uint64(self._offset)]
        kernels.launch("write_state", (1,), (1,), [self._captured_state, *place], {"ELEMENT": "float"})


# ------------------------------------------------------------------------------------- generators by default


class _Seeds:
    """What the default generators were told before there was a GPU to have one: seeds cost no import of CuPy."""

    def __init__(self) -> None:
        self.of_all: int | None = None
        self.of_device: dict[int, int] = {}

    def of(self, index: int) -> int:
        """The seed to start with: torch's, too, is random if nobody gave one."""
        seed = self.of_device.get(index, self.of_all)
        return random_seed() if seed is None else seed


_seeds = _Seeds()
_defaults: dict[tuple[Any, int], CUDAGenerator] = {}  # by array module and device
_lock = threading.Lock()


def default_cuda_generator(index: int | None = None) -> CUDAGenerator:
    """The generator that a GPU's numbers come from by default; of the current GPU for None."""
    module = accelerator.require(index)
    key = (module, current_cuda_device() if index is None else index)
    found = _defaults.get(key)
    if found is None:
        with _lock:
            found = _defaults.setdefault(key, CUDAGenerator(key[1], _seeds.of(key[1])))
    return found


def seed_device(index: int, seed: int) -> None:
    """Start the default generator of one GPU from a seed, now or when there is one."""
    with _lock:
        _seeds.of_device[index] = arguments.checked_seed(seed)
        for (_, each), generator in _defaults.items():
            if each == index:
                generator.manual_seed(seed)


def seed_all_devices(seed: int) -> None:
    """Start the default generators of all GPUs from one seed, now or when there is one."""
    with _lock:
        _seeds.of_all = arguments.checked_seed(seed)
        _seeds.of_device.clear()
        for generator in _defaults.values():
            generator.manual_seed(seed)


def numbers_for(generator: Any, where: device) -> CPUGenerator | CUDAGenerator:
    """What draws numbers for a device: the caller's generator, if it is of that kind of device, or the default one.

    Numbers for an array module that has no kernels, a stand-in for CuPy's, are drawn on the host, to be copied.
    Raises: RuntimeError for a generator of another kind of device.
    """
    if generator is None:
        if where.type == "cpu" or not kernels_available():
            return default_cpu_generator
        return default_cuda_generator(where.index)
    numbers: CPUGenerator | CUDAGenerator = generator.numbers
    if numbers.device_type != where.type:
        raise RuntimeError(f"Expected a '{where.type}' device type for generator but found '{numbers.device_type}'")
    return numbers


class _OfCurrentDevice:
    """The default generator of the GPU that is current: it takes part in every capture there."""

    def begin_capture(self) -> None:
        default_cuda_generator().begin_capture()

    def end_capture(self) -> int:
        return default_cuda_generator().end_capture()

    def before_replay(self, total: int) -> None:
        default_cuda_generator().before_replay(total)

    def get_state(self) -> numpy.ndarray:
        return default_cuda_generator().get_state()

    def set_state(self, state: numpy.ndarray) -> None:
        default_cuda_generator().set_state(state)


graphs.default_generators.append(_OfCurrentDevice())
