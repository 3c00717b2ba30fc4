"""Random tensors and the generators behind them.

On the CPU the same seed gives torch's numbers (``backend/generator.py`` explains how they come about). On a GPU numbers
are drawn there, by a generator of its own (``backend/cuda_generator.py``): the same seed gives the same numbers again,
which are neither those of the CPU nor those of torch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import wrap
from minitorch.backend import HostArray, current_cuda_device, host, is_on_cpu, module_of
from minitorch.backend.cuda_generator import CUDAGenerator, numbers_for, seed_all_devices
from minitorch.backend.generator import CPUGenerator, default_cpu_generator
from minitorch.device import CPU
from minitorch.device import device as device_type
from minitorch.memory_format import contiguous_format, memory_format, preserve_format
from minitorch.ops.strided import made_like
from minitorch.ops.transfer import move
from minitorch.tensor.creation import finish
from minitorch.tensor.data import Device, as_size, resolve_device
from minitorch.tensor.tensor import Tensor


class Generator:
    """A source of random numbers for one device, with a state of its own.

    Raises: RuntimeError where it is given to a function that makes numbers for another kind of device.

    >>> import minitorch as torch
    >>> generator = torch.Generator().manual_seed(0)
    >>> torch.rand(2, generator=generator)
    tensor([0.4963, 0.7682])
    """

    def __init__(self, device: Device = "cpu") -> None:
        where = resolve_device(device)
        self.numbers: CPUGenerator | CUDAGenerator
        if where.type == "cpu":
            self.device, self.numbers = CPU, CPUGenerator()
        else:
            index = current_cuda_device() if where.index is None else where.index
            self.device, self.numbers = device_type("cuda", index), CUDAGenerator(index)
            module_of(self.device)  # raises if there is no such GPU

    def manual_seed(self, seed: int) -> Generator:
        """Start the sequence that belongs to ``seed``."""
        self.numbers.manual_seed(seed)
        return self

    def initial_seed(self) -> int:
        """The seed of the current sequence."""
        return self.numbers.initial_seed()

    def seed(self) -> int:
        """Start a sequence from a seed that the system chooses; returns it."""
        return self.numbers.seed()

    def get_state(self) -> Tensor:
        """The state as a byte tensor, in torch's own layout."""
        return finish(self.numbers.get_state())

    def set_state(self, new_state: Tensor) -> Generator:
        """Go back to a state that ``get_state`` returned, here or in torch."""
        self.numbers.set_state(state_array(new_state))
        return self

    def get_offset(self) -> int:
        """How far a CUDA generator has come; RuntimeError for one of the CPU."""
        return self.numbers.get_offset()

    def set_offset(self, offset: int) -> None:
        """Let a CUDA generator go to a place in its stream, a multiple of 4; RuntimeError for one of the CPU."""
        self.numbers.set_offset(offset)

    def clone_state(self) -> Generator:
        """Another generator that will draw the same numbers."""
        other = Generator()
        other.device, other.numbers = self.device, self.numbers.clone()
        return other


def state_array(state: Tensor) -> HostArray:
    """The bytes of a generator's state; TypeError for a tensor on a GPU."""
    if not is_on_cpu(state.array):
        raise TypeError("RNG state must be a torch.ByteTensor")
    return host.asarray(state.array)


default_generator = Generator()
default_generator.numbers = default_cpu_generator


def numbers_of(generator: Generator | None, where: Device = None) -> CPUGenerator | CUDAGenerator:
    """What draws numbers for a device: the generator that the caller named, or the default one."""
    return numbers_for(generator, resolve_device(where))


def manual_seed(seed: int) -> Generator:
    """Start the default generators' sequences that belong to ``seed``, on all devices; returns the CPU's generator.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    default_generator.manual_seed(int(seed))
    seed_all_devices(int(seed))
    return default_generator


def seed() -> int:
    """Start the default generators of all devices from a seed that the system chooses; returns it."""
    chosen = default_generator.seed()
    seed_all_devices(chosen)
    return chosen


def initial_seed() -> int:
    """The seed of the default generator's current sequence."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state as a byte tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator into a state that ``get_rng_state`` returned."""
    default_generator.set_state(new_state)


def _dtype(given: Any, default: dtypes.dtype | None = None) -> Any:
    return dtypes.chosen_dtype(given, default or dtypes.get_default_dtype()).numpy


def _device(given: Device, out: Any) -> Device:
    """Where numbers are drawn: for what shall take them, if the caller does not say."""
    return out.device if given is None and out is not None else given


def _into(out: Any, made: Tensor) -> Tensor:
    return made if out is None else out.resize_(made.shape).copy_(made)


def rand(
    *size: Any,
    generator: Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers from the uniform distribution on [0, 1).

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    device = _device(device, out)
    array = numbers_of(generator, device).uniform(as_size("rand", size), _dtype(dtype))
    return _into(out, finish(array, device, requires_grad, pin_memory))


def randn(
    *size: Any,
    generator: Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers from the normal distribution with mean 0 and standard deviation 1.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    device = _device(device, out)
    array = numbers_of(generator, device).normal(as_size("randn", size), _dtype(dtype))
    return _into(out, finish(array, device, requires_grad, pin_memory))


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Integers from low (0 unless given) to high − 1: ``randint(high, size)`` or ``randint(low, high, size)``.

    Raises: RuntimeError if ``low`` is not below ``high``.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randint(10, (5,))
    tensor([4, 9, 3, 0, 3])
    """
    if isinstance(high, (tuple, list)) and size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    shape = as_size("randint", (size,))
    device = _device(device, out)
    numbers = numbers_of(generator, device)
    array = numbers.integers(int(low), int(high), shape, _dtype(dtype, dtypes.int64))
    return _into(out, finish(array, device, requires_grad, pin_memory))


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype = dtypes.int64,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The integers 0 … n − 1 in random order.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    device = _device(device, out)
    array = numbers_of(generator, device).permutation(n).astype(_dtype(dtype))
    return _into(out, finish(array, device, requires_grad, pin_memory))


def _drawn_like(
    input: Tensor,
    draw: Callable[[Any], Any],
    where: Device,
    requires_grad: bool,
    layout: memory_format | None,
    pin_memory: bool,
) -> Tensor:
    array = made_like(input.array, layout or preserve_format, draw)
    return finish(array, input.device if where is None else where, requires_grad, pin_memory)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:
    """``rand`` in the shape, dtype and device of ``input``."""
    numbers = numbers_of(generator, device or input.device)
    draw = functools.partial(numbers.uniform, dtype=_dtype(dtype, input.dtype))
    return _drawn_like(input, draw, device, requires_grad, memory_format, pin_memory)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:
    """``randn`` in the shape, dtype and device of ``input``."""
    in_blocks = memory_format is contiguous_format or bool(input.array.flags.c_contiguous)
    numbers = numbers_of(generator, device or input.device)
    draw = functools.partial(numbers.normal, dtype=_dtype(dtype, input.dtype), in_blocks=in_blocks)
    return _drawn_like(input, draw, device, requires_grad, memory_format, pin_memory)


def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:
    """``randint`` in the shape, dtype and device of ``input``."""
    low, high = (0, low) if high is None else (low, high)
    numbers = numbers_of(generator, device or input.device)
    draw = functools.partial(numbers.integers, low, high, dtype=_dtype(dtype, input.dtype))
    return _drawn_like(input, draw, device, requires_grad, memory_format, pin_memory)


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Normal numbers with the given means and standard deviations, each a number or a tensor.

    Formula: mean + std · z with z from ``randn``. Two numbers need ``size``.
    Raises: RuntimeError for a negative ``std``.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.normal(10.0, 2.0, (3,))
    tensor([13.0820,  9.4131,  5.6424])
    """
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError("normal() needs a size where mean and std are numbers")
        _check_std(std)
        device = _device(device, out)
        numbers = numbers_of(generator, device)
        array = numbers.normal(as_size("normal", (size,)), _dtype(dtype), float(mean), float(std))
        return _into(out, finish(array, device, requires_grad, pin_memory))
    if requires_grad or pin_memory:
        raise TypeError("normal() takes requires_grad and pin_memory where mean and std are numbers")
    if not isinstance(std, Tensor):
        _check_std(std)
    elif std.numel() and float(std.array.min()) < 0:
        raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = host.broadcast_shapes(*[each.array.shape for each in (mean, std) if isinstance(each, Tensor)])
    like = mean if isinstance(mean, Tensor) else std
    draw = finish(numbers_of(generator, like.device).normal(shape, like.array.dtype), like.device)
    return _into(out, (draw * std + mean).detach())


def _check_std(std: float) -> None:
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Any = None) -> Tensor:
    """Ones with probability ``input`` (or ``p`` for every element), else zeros, in the dtype of ``input``.

    Raises: RuntimeError for a probability outside [0, 1]. On a GPU, where looking would mean to wait, a tensor's
    probabilities below 0 and nan are taken as 0, and those above 1 as 1.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.bernoulli(torch.tensor([0.0, 0.5, 0.5, 1.0]))
    tensor([0., 0., 1., 1.])
    """
    if p is not None:
        return input.detach().clone(memory_format=contiguous_format).bernoulli_(p, generator=generator)
    numbers = numbers_of(generator, input.device)
    return _into(out, finish(numbers.bernoulli_from(_read_by(numbers, input)), input.device))


def _read_by(numbers: CPUGenerator | CUDAGenerator, input: Tensor) -> Any:
    """The array of a tensor, where what draws can read it."""
    return (input.detach() if numbers.device_type == "cuda" else input.detach().cpu()).array


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None, out: Any = None
) -> Tensor:
    """Indices drawn with probabilities proportional to each row of ``input``, as int64.

    Raises: RuntimeError for too many samples, and on the CPU for rows that are no probabilities: on a GPU, where
    looking would mean to wait, what such rows give is not specified.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.multinomial(torch.tensor([1.0, 0.0, 3.0]), 5, replacement=True)
    tensor([2, 2, 2, 2, 2])
    """
    numbers = numbers_of(generator, input.device)
    drawn = numbers.multinomial(_read_by(numbers, input), num_samples, replacement)
    return _into(out, move(wrap(drawn, Tensor), input.device))
