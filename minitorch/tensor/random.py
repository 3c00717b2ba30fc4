"""Random tensors and the generator behind them: the same seed gives torch's CPU numbers.

``backend/generator.py`` explains how the numbers come about. Numbers for a GPU are drawn on the host and
copied, so a seed means the same on every device.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import wrap
from minitorch.backend import host
from minitorch.backend.generator import CPUGenerator, default_cpu_generator
from minitorch.memory_format import contiguous_format, memory_format, preserve_format
from minitorch.ops.strided import made_like
from minitorch.ops.transfer import move
from minitorch.tensor.creation import finish
from minitorch.tensor.data import Device, as_size, resolve_device
from minitorch.tensor.tensor import Tensor


class Generator:
    """A source of random numbers with a state of its own.

    >>> import minitorch as torch
    >>> generator = torch.Generator().manual_seed(0)
    >>> torch.rand(2, generator=generator)
    tensor([0.4963, 0.7682])
    """

    def __init__(self, device: Device = "cpu") -> None:
        self.device = resolve_device(device)
        self.numbers = CPUGenerator()

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
        self.numbers.set_state(host.asarray(new_state.array))
        return self


default_generator = Generator()
default_generator.numbers = default_cpu_generator


def numbers_of(generator: Generator | None) -> CPUGenerator:
    """The generator the caller named, or the default one."""
    return (default_generator if generator is None else generator).numbers


def manual_seed(seed: int) -> Generator:
    """Start the default generator's sequence that belongs to ``seed``; returns the generator.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator from a seed that the system chooses; returns it."""
    return default_generator.seed()


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
    array = numbers_of(generator).uniform(as_size("rand", size), _dtype(dtype))
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
    array = numbers_of(generator).normal(as_size("randn", size), _dtype(dtype))
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
    array = numbers_of(generator).integers(int(low), int(high), shape, _dtype(dtype, dtypes.int64))
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
    array = numbers_of(generator).permutation(n).astype(_dtype(dtype))
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
    draw = functools.partial(numbers_of(generator).uniform, dtype=_dtype(dtype, input.dtype))
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
    draw = functools.partial(numbers_of(generator).normal, dtype=_dtype(dtype, input.dtype), in_blocks=in_blocks)
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
    draw = functools.partial(numbers_of(generator).integers, low, high, dtype=_dtype(dtype, input.dtype))
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
        array = numbers_of(generator).normal(as_size("normal", (size,)), _dtype(dtype), float(mean), float(std))
        return _into(out, finish(array, device, requires_grad, pin_memory))
    if requires_grad or pin_memory:
        raise TypeError("normal() takes requires_grad and pin_memory where mean and std are numbers")
    if not isinstance(std, Tensor):
        _check_std(std)
    elif std.numel() and float(std.array.min()) < 0:
        raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = host.broadcast_shapes(*[each.array.shape for each in (mean, std) if isinstance(each, Tensor)])
    like = mean if isinstance(mean, Tensor) else std
    draw = finish(numbers_of(generator).normal(shape, like.array.dtype), like.device)
    return _into(out, (draw * std + mean).detach())


def _check_std(std: float) -> None:
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Any = None) -> Tensor:
    """Ones with probability ``input`` (or ``p`` for every element), else zeros, in the dtype of ``input``.

    Raises: RuntimeError for a probability outside [0, 1].

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.bernoulli(torch.tensor([0.0, 0.5, 0.5, 1.0]))
    tensor([0., 0., 1., 1.])
    """
    if p is not None:
        return input.detach().clone(memory_format=contiguous_format).bernoulli_(p, generator=generator)
    array = input.detach().cpu().array
    if array.size and not bool(((array >= 0) & (array <= 1)).all()):
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
    return _into(out, finish(numbers_of(generator).bernoulli_from(array), input.device))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None, out: Any = None
) -> Tensor:
    """Indices drawn with probabilities proportional to each row of ``input``, as int64.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.multinomial(torch.tensor([1.0, 0.0, 3.0]), 5, replacement=True)
    tensor([2, 2, 2, 2, 2])
    """
    array = input.detach().cpu().array
    drawn = numbers_of(generator).multinomial(array, num_samples, replacement)
    return _into(out, move(wrap(drawn, Tensor), input.device))
