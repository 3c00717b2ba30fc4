"""What matrix products refuse, in torch's words: sizes that do not fit, dtypes that differ, booleans."""

from __future__ import annotations

import math
from typing import Any, NoReturn

from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import Array, HostArray
from minitorch.dtypes import from_numpy_dtype

Shape = tuple[int, ...]

# The C++ names that some of torch's messages use.
C_NAMES = {
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "uint8": "unsigned char",
    "bool": "bool",
}


def arrays_of(function: str, names: tuple[str, ...], *operands: Any) -> list[Array]:
    """The operands' arrays; TypeError, with torch's text, for one that is not a tensor."""
    arrays: list[Array] = []
    for operand in operands:
        array = operand.array if isinstance(operand, Variable) else operand
        if array.__class__ is not HostArray and not hasattr(array, "dtype"):
            raise TypeError(
                f"{function}(): argument '{names[len(arrays)]}' (position {len(arrays) + 1}) must be Tensor, "
                f"not {type(array).__name__}"
            )
        arrays.append(array)
    return arrays


def legacy_name(array: Array) -> str:
    """The ``Float`` of ``torch.FloatTensor``."""
    return from_numpy_dtype(array.dtype).legacy_name


def refuse_bool(array: Array, kernel: str) -> None:
    """Raise torch's NotImplementedError for booleans, which have no sums of products."""
    if array.dtype.kind == "b":
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")


def refuse_sizes(N: int, K: int, K_2: int, M: int) -> NoReturn:
    """Raise torch's error for the product of an (N, K) and a (K_2, M) matrix."""
    raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({N}x{K} and {K_2}x{M})")


def check_mm(a: Array, b: Array) -> None:
    """Raise unless (…, K) times (K, M) makes sense for these."""
    if a.shape[-1] != b.shape[0]:
        refuse_sizes(math.prod(a.shape[:-1]), a.shape[-1], *b.shape)
    if a.dtype != b.dtype:
        names = C_NAMES[a.dtype.name], C_NAMES[b.dtype.name]
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {names[0]} != {names[1]}")
    refuse_bool(a, "addmm_impl_cpu_")


def check_bmm(a: Array, b: Array, same_batch: bool = False) -> None:
    """Raise unless batches (…, N, K) and (…, K, M), whose batch sizes broadcast or are equal, can be multiplied."""
    if a.shape[-1] != b.shape[-2] or (same_batch and len(a) != len(b)):
        batch = math.prod(a.shape[:-2])
        expected, found = [batch, a.shape[-1]], [len(b) if same_batch else batch, b.shape[-2]]
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {expected} but got: {found}."
        )
    check_bmm_dtypes(a, b)


def check_bmm_dtypes(a: Array, b: Array) -> None:
    """Raise unless the batches have one dtype, and not bool."""
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {legacy_name(a)} but found {legacy_name(b)}")
    refuse_bool(a, "bmm")


def check_mv(matrix: Shape, vector: Shape, size: int) -> None:
    """Raise unless a matrix and a vector of these shapes fit, and ``size`` is that of the result."""
    if matrix[1] != vector[0]:
        shape = f"{matrix[0]}x{matrix[1]}"
        raise RuntimeError(f"size mismatch, got input ({size}), mat ({shape}), vec ({vector[0]})")


def check_mv_dtypes(input: Array, matrix: Array, vector: Array) -> None:
    """Raise unless all three have one dtype, and not bool."""
    if not input.dtype == matrix.dtype == vector.dtype:
        names = ", ".join([legacy_name(input), legacy_name(matrix)])
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {names}, and {legacy_name(vector)}")
    refuse_bool(matrix, "addmv_impl_cpu")


def check_dot(a: Array, b: Array) -> None:
    """Raise unless both are vectors of one size and dtype."""
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        names = f"{legacy_name(a)} and {legacy_name(b)}"
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {names}")
    if len(a) != len(b):
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{len(a)}] and src [{len(b)}] to have the same number of "
            f"elements, but got {len(a)} and {len(b)} elements respectively"
        )
    refuse_bool(a, "dot")


def write_product(result: Any, out: Any) -> Any:
    """``write_out`` for products, which torch writes into tensors of the same dtype only."""
    if out is None:
        return result
    if out.array.dtype != raw(result).dtype:
        wanted, found = C_NAMES[raw(result).dtype.name], C_NAMES[out.array.dtype.name]
        raise RuntimeError(f"Expected out tensor to have dtype {wanted}, but got {found} instead")
    return write_out(result, out)
