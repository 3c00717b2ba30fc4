"""Matrix products on a GPU without cuBLAS: launching the kernel of ``matmul.cu``, which tells how it works.

CuPy's ``a @ b`` calls cuBLAS, and that is what products use everywhere else. While a CUDA graph is captured, CuPy
refuses cuBLAS; then ``multiply`` in ``matmul.py`` calls ``device_matrix_product`` instead. It runs on the current
stream, and allocates only the result and (for long sums with few results) the sums of the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from minitorch.backend import Array, KernelFile, accelerator, array_module, host
from minitorch.ops.tiled_product import Arithmetic, Plan, arithmetic_for, cut, plan_for

KERNELS = KernelFile(Path(__file__).with_name("matmul.cu"))


class _Extras(NamedTuple):
    alpha: float
    beta: float
    bias: Array | None


def device_matrix_product(
    a: Array, b: Array, out: Array | None = None, *, alpha: float = 1, beta: float = 0, bias: Array | None = None
) -> Array:
    """alpha · (a @ b) + beta · out + bias, for device arrays of any strides.

    Shapes: a (…, M, K), b (…, K, N), out (…, M, N), bias (N), where the batch dimensions … broadcast. A vector ``a``
      counts as one row, a vector ``b`` as one column, which the result then lacks.
    Args: out: takes the result (and is returned); it must not overlap the operands, and is needed if ``beta`` is not 0.
    Raises: TypeError for dtypes that differ or are not floating, ValueError for shapes that do not fit.
    Numerics: float32 rounds its factors to TF32 where ``backends.cuda.matmul.allow_tf32`` is set; float16 adds up in
      float32 and rounds once. The order of the sums depends on the shapes alone.
    """
    _check(a, b)
    rows, columns = (a[None, :] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    batch = host.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
    shape = (*batch, *a.shape[-2:-1], *b.shape[-1:]) if b.ndim > 1 else (*batch, *a.shape[-2:-1])
    xp = array_module(a)
    if out is None and not beta:
        out = xp.empty(shape, a.dtype)
    if out is None or out.shape != shape or out.dtype != a.dtype:
        raise ValueError(f"matrix product: out must be {shape}, {a.dtype}, not {out if out is None else out.shape}")
    if out.size:
        matrices = out[..., None] if b.ndim == 1 else out
        matrices = matrices[..., None, :] if a.ndim == 1 else matrices
        operands = [xp.broadcast_to(each, (*batch, *each.shape[-2:])) for each in (rows, columns)]
        _multiply([*operands, matrices], _Extras(float(alpha), float(beta), bias))
    return out


def _check(a: Array, b: Array) -> None:
    if a.dtype != b.dtype or a.dtype.char not in "efd":
        raise TypeError(f"matrix product: expected floating dtypes, both the same, not {a.dtype} and {b.dtype}")
    if not (a.ndim and b.ndim) or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(f"matrix product: {a.shape} and {b.shape} do not fit")


def _multiply(matrices: Sequence[Array], extras: _Extras) -> None:
    """Launch the kernel for batches that two numbers count; where there are more, they are merged or looped over."""
    if matrices[0].ndim <= 4:
        _launch([each[(None,) * (4 - each.ndim)] for each in matrices], extras)
    elif all(each.strides[0] == each.shape[1] * each.strides[1] for each in matrices):
        _multiply([_merge_first_two(each) for each in matrices], extras)
    else:
        for index in range(len(matrices[0])):
            _multiply([each[index] for each in matrices], extras)


def _merge_first_two(array: Array) -> Array:
    """(A, B, …) → (A · B, …), a view."""
    shape = (array.shape[0] * array.shape[1], *array.shape[2:])
    return array_module(array).lib.stride_tricks.as_strided(array, shape, array.strides[1:])


def _launch(matrices: Sequence[Array], extras: _Extras) -> None:
    """The product of a and b into out: four-dimensional (outer, inner, rows, columns), of equal batch dimensions."""
    a, b, out = matrices
    arithmetic = arithmetic_for(a.dtype, accelerator.tf32_is_allowed(), accelerator.has_tensor_cores())
    assert arithmetic is not None  # see ``_check``
    strides = (a.strides, b.strides, out.strides)
    plan = _plan(out.shape, a.shape[-1], strides, a.itemsize, arithmetic, accelerator.multiprocessors())
    xp = array_module(a)
    partial = xp.empty(plan.partial_sums, arithmetic.sums) if plan.partial_sums else None
    bias = None if extras.bias is None else xp.ascontiguousarray(extras.bias)
    arguments = (a, b, out, bias, partial, extras.alpha, extras.beta, plan.numbers)
    for launch in plan.launches:
        KERNELS.launch(launch.kernel, launch.grid, launch.block, arguments, plan.defines, launch.shared_bytes)


@lru_cache(4096)
def _plan(
    shape: tuple[int, ...],
    K: int,
    strides: tuple[tuple[int, ...], ...],
    itemsize: int,
    arithmetic: Arithmetic,
    multiprocessors: int,
) -> Plan:
    outer, inner, M, N = shape
    batches, steps = outer * inner, [step // itemsize for array in strides for step in array]
    chosen = cut(M, N, K, batches, arithmetic, multiprocessors)
    # 1 if neighbours along K are neighbours in memory, which decides how threads read
    along = (("A_ALONG_K", int(strides[0][-1] == itemsize)), ("B_ALONG_K", int(strides[1][-2] == itemsize)))
    numbers = host.array((chosen.parts, batches, inner, M, N, K, *steps), "int64")  # the struct Numbers of matmul.cu
    return plan_for("matrix_product", chosen, (M, N, batches), arithmetic, along, numbers)
