"""Which GPUs there are, what they are, and which one ``"cuda"`` means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, TypeAlias

from minitorch.backend import accelerator, current_cuda_device, streams
from minitorch.device import device as Device  # noqa: N812 (here, `device` is the context manager)

WhichDevice: TypeAlias = Any  # a Device, a string such as "cuda:0", a number, or None for the current GPU


def is_available() -> bool:
    """Whether tensors can be put on a GPU: CuPy is installed and finds a device."""
    return accelerator.is_available()


def device_count() -> int:
    """How many GPUs there are."""
    return accelerator.device_count()


def is_initialized() -> bool:
    """Whether a GPU has been used already."""
    return accelerator.loaded() is not None


def init() -> None:
    """Load CuPy now instead of at the first use; RuntimeError if there is no GPU."""
    accelerator.require()


def current_device() -> int:
    """The number of the GPU that ``"cuda"`` without an index means, in this thread; RuntimeError if there is none."""
    return current_cuda_device()


def device_index(which: WhichDevice, optional: bool = False) -> int:
    """The number of a GPU, from what a caller says.

    Args:
        optional: None, and ``"cuda"`` without an index, mean the current one.
    Raises: ValueError for the CPU, and for what names no GPU; RuntimeError if the current one is asked for without any.
    """
    if isinstance(which, str):
        which = Device(which)
    if isinstance(which, device):
        return which.idx
    if isinstance(which, Device):
        if which.type != "cuda":
            raise ValueError(f"Expected a cuda device, but got: {which}")
        which, named = which.index, which
    else:
        named = which
    if isinstance(which, int) and not isinstance(which, bool):
        return which
    if which is None and optional:
        return current_device()
    raise ValueError(f"Expected a torch.device with a specified index or an integer, but got:{named}")


def existing_index(which: WhichDevice) -> int:
    """As ``device_index`` with ``optional``; RuntimeError if there is no such GPU."""
    index = device_index(which, optional=True)
    accelerator.require(index)
    if index < 0:
        raise RuntimeError(f"CUDA error: invalid device ordinal {index}")
    return index


class device:  # noqa: N801 (torch's name)
    """A context in which another GPU is the current one.

    Args:
        device: a number, a string, a ``minitorch.device``, or None; with a negative number nothing changes.
    Raises: ValueError for the CPU; on entering, RuntimeError if there is no such GPU.

    >>> with device(-1):
    ...     pass
    """

    def __init__(self, device: WhichDevice) -> None:
        self.idx = device_index(device, optional=True)
        self.prev_idx = -1

    def __enter__(self) -> None:
        if self.idx >= 0:
            self.prev_idx = current_device()
            set_device(self.idx)

    def __exit__(self, type: Any, value: Any, traceback: Any) -> None:
        if self.prev_idx >= 0:
            set_device(self.prev_idx)


class device_of(device):  # noqa: N801 (torch's name)
    """A context in which the GPU of a tensor (or storage) is the current one; nothing changes for one on the CPU.

    >>> import minitorch as torch
    >>> device_of(torch.ones(2)).idx
    -1
    """

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.device.index if obj.is_cuda else -1)


def set_device(device: WhichDevice) -> None:
    """Make a GPU the current one, for this thread; a negative number changes nothing.

    Raises: ValueError for the CPU or without a number; RuntimeError if there is no such GPU.
    """
    index = device_index(device)
    if index >= 0:
        streams.set_device(index)


def synchronize(device: WhichDevice = None) -> None:
    """Wait until the GPU has finished all work given to it; RuntimeError if there is none."""
    accelerator.require()
    streams.synchronize_device(existing_index(device))


class DeviceProperties(SimpleNamespace):
    """What a GPU is; sizes in bytes, 0 for what this CUDA does not say. ``get_device_properties`` makes it."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    is_integrated: int
    is_multi_gpu_board: int
    max_threads_per_multi_processor: int
    warp_size: int
    regs_per_multiprocessor: int
    shared_memory_per_block: int
    shared_memory_per_block_optin: int
    shared_memory_per_multiprocessor: int
    L2_cache_size: int
    pci_bus_id: int
    pci_device_id: int
    pci_domain_id: int

    def __repr__(self) -> str:
        return (
            f"_CudaDeviceProperties(name='{self.name}', major={self.major}, minor={self.minor}, "
            f"total_memory={self.total_memory >> 20}MB, multi_processor_count={self.multi_processor_count}, "
            f"L2_cache_size={self.L2_cache_size >> 20}MB)"
        )


_CUDA_NAMES = {  # ours, which are torch's, and those of cudaDeviceProp
    "major": "major",
    "minor": "minor",
    "total_memory": "totalGlobalMem",
    "multi_processor_count": "multiProcessorCount",
    "is_integrated": "integrated",
    "is_multi_gpu_board": "isMultiGpuBoard",
    "max_threads_per_multi_processor": "maxThreadsPerMultiProcessor",
    "warp_size": "warpSize",
    "regs_per_multiprocessor": "regsPerMultiprocessor",
    "shared_memory_per_block": "sharedMemPerBlock",
    "shared_memory_per_block_optin": "sharedMemPerBlockOptin",
    "shared_memory_per_multiprocessor": "sharedMemPerMultiprocessor",
    "L2_cache_size": "l2CacheSize",
    "pci_bus_id": "pciBusID",
    "pci_device_id": "pciDeviceID",
    "pci_domain_id": "pciDomainID",
}


def get_device_properties(device: WhichDevice = None) -> DeviceProperties:
    """Name, memory, compute capability and more of a GPU (the current one unless given).

    Raises: AssertionError, as torch does, if there is no GPU with this number; RuntimeError if there is none at all.
    """
    accelerator.require()
    found = streams.device_properties(_checked(device, "Invalid device id"))
    name = found["name"]
    facts = {ours: int(found.get(theirs, 0)) for ours, theirs in _CUDA_NAMES.items()}
    return DeviceProperties(name=name.decode() if isinstance(name, bytes) else str(name), **facts)


def get_device_name(device: WhichDevice = None) -> str:
    """The name of a GPU, such as ``NVIDIA H100 80GB HBM3``."""
    return get_device_properties(device).name


def get_device_capability(device: WhichDevice = None) -> tuple[int, int]:
    """The compute capability of a GPU: (9, 0) for Hopper."""
    properties = get_device_properties(device)
    return properties.major, properties.minor


def can_device_access_peer(device: WhichDevice, peer_device: WhichDevice) -> bool:
    """Whether one GPU can read and write the memory of the other directly."""
    accelerator.require()
    index = _checked(device, "Invalid device id")
    return streams.can_access_peer(index, _checked(peer_device, "Invalid peer device id"))


def _checked(which: WhichDevice, complaint: str) -> int:
    index = device_index(which, optional=True)
    if not 0 <= index < device_count():
        raise AssertionError(complaint)
    return index
