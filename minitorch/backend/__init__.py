"""The only package that knows NumPy from CuPy: arrays, devices, random generators, threads."""

import warnings

from minitorch.backend.accelerator import device_count, is_available
from minitorch.backend.allocation import OutOfMemoryError
from minitorch.backend.arrays import (
    Array,
    HostArray,
    array_module,
    as_array,
    as_array_of,
    as_strided,
    common_module,
    current_cuda_device,
    device_of,
    host,
    is_array,
    is_on_cpu,
    is_same_memory,
    joined,
    memory_object,
    module_of,
    row_major,
    to_numpy,
)
from minitorch.backend.determinism import add_at, fill_if_wanted
from minitorch.backend.kernels import KernelFile, kernels_available
from minitorch.backend.layout import (
    as_first,
    copy_in_order,
    empty_in_order,
    image_order,
    in_order,
    is_channels_last,
    is_dense,
    order_of,
)
from minitorch.backend.memory import keep_freed_memory
from minitorch.backend.pieces import in_pieces, in_rows
from minitorch.backend.products import matrix_product
from minitorch.backend.scratch import aligned_copy, aligned_empty, aligned_zeros, kept_scratch
from minitorch.backend.threads import parallel, split
from minitorch.backend.transfers import copy_to_host, is_pinned, pinned_copy, to_device

__all__ = [
    "Array",
    "HostArray",
    "KernelFile",
    "OutOfMemoryError",
    "add_at",
    "aligned_copy",
    "aligned_empty",
    "aligned_zeros",
    "array_module",
    "as_array",
    "as_array_of",
    "as_first",
    "as_strided",
    "common_module",
    "copy_in_order",
    "copy_to_host",
    "current_cuda_device",
    "device_count",
    "device_of",
    "empty_in_order",
    "fill_if_wanted",
    "host",
    "image_order",
    "in_order",
    "in_pieces",
    "in_rows",
    "is_array",
    "is_available",
    "is_channels_last",
    "is_dense",
    "is_on_cpu",
    "is_pinned",
    "is_same_memory",
    "joined",
    "kept_scratch",
    "kernels_available",
    "matrix_product",
    "memory_object",
    "module_of",
    "order_of",
    "parallel",
    "pinned_copy",
    "row_major",
    "split",
    "to_device",
    "to_numpy",
]

keep_freed_memory()

# NaN and infinity are values here, as in torch: NumPy's warnings about them are silenced, for our frames only.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minitorch\.")
