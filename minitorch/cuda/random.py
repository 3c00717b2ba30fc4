"""The random generators of GPUs: seeds and states of those that numbers come from by default.

``minitorch.manual_seed`` seeds them, too. Seeds may be given where no GPU is there, or before one is used: they are
remembered, and CuPy is not imported for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch.backend import accelerator, device_count
from minitorch.backend.cuda_generator import (
    default_cuda_generator,
    random_seed,
    seed_all_devices,
    seed_device,
)
from minitorch.cuda.devices import current_device
from minitorch.device import device as Device  # noqa: N812 (here, `device` is an argument)
from minitorch.tensor.creation import finish
from minitorch.tensor.random import Generator, state_array
from minitorch.tensor.tensor import Tensor

WhichDevice = Any  # a Device, a string such as "cuda:0", or a number


def default_generators() -> tuple[Generator, ...]:
    """The generators that numbers come from by default, one for each GPU: ``cuda.default_generators[index]``."""
    return tuple(map(_generator_of, range(device_count())))


def _generator_of(index: int) -> Generator:
    generator = Generator()
    generator.device, generator.numbers = Device("cuda", index), default_cuda_generator(index)
    return generator


def get_rng_state(device: WhichDevice = "cuda") -> Tensor:
    """The state of a GPU's generator, as 16 bytes: seed and offset. RuntimeError if there is no GPU.

    >>> import minitorch as torch
    >>> if torch.cuda.is_available():
    ...     state = torch.cuda.get_rng_state()
    ...     first = torch.rand(2, device="cuda")
    ...     torch.cuda.set_rng_state(state)
    ...     assert (torch.rand(2, device="cuda") == first).all()
    """
    return finish(default_cuda_generator(_index(device)).get_state())


def get_rng_state_all() -> list[Tensor]:
    """The states of all GPUs' generators."""
    return [get_rng_state(index) for index in range(device_count())]


def set_rng_state(new_state: Tensor, device: WhichDevice = "cuda") -> None:
    """Put a GPU's generator into a state that ``get_rng_state`` returned, here or in torch. Ignored without a GPU.

    Raises: TypeError for what is no byte tensor on the CPU, RuntimeError for one of another size.
    """
    if accelerator.is_available():
        default_cuda_generator(_index(device)).set_state(state_array(new_state))


def set_rng_state_all(new_states: Iterable[Tensor]) -> None:
    """Put the generators of all GPUs into these states, one for each."""
    for index, state in enumerate(new_states):
        set_rng_state(state, index)


def manual_seed(seed: int) -> None:
    """Start the current GPU's sequence that belongs to ``seed``. Without a GPU, nothing happens.

    >>> import minitorch as torch
    >>> torch.cuda.manual_seed(7)
    """
    seed_device(_current(), int(seed))


def manual_seed_all(seed: int) -> None:
    """Start the sequences of all GPUs from one ``seed``. Without a GPU, nothing happens."""
    seed_all_devices(int(seed))


def seed() -> None:
    """Start the current GPU's generator from a seed that the system chooses."""
    seed_device(_current(), random_seed())


def seed_all() -> None:
    """Start the generators of all GPUs from one seed that the system chooses."""
    seed_all_devices(random_seed())


def initial_seed() -> int:
    """The seed of the current GPU's generator. RuntimeError if there is no GPU."""
    return default_cuda_generator().initial_seed()


def _current() -> int:
    """The number of the current GPU: the first, as long as none was used."""
    return 0 if accelerator.loaded() is None else current_device()


def _index(device: WhichDevice) -> int | None:
    """The number of a GPU, or None for the current one."""
    where = device if isinstance(device, Device) else Device(device)
    return where.index
