"""Norms and what is made of them: norm, linalg.norm, dist, renorm.

The mathematics of the norms themselves is in ``vector_norm.py`` and ``matrix_norm.py``.
"""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.dims import normalize_dim, numpy_names
from minitorch.ops.matrix_norm import matrix_norm
from minitorch.ops.operand import widen
from minitorch.ops.promotion import promote, to_dtype
from minitorch.ops.vector_norm import vector_norm


@numpy_names
@autocasts
def norm(
    input: Any,
    p: float | str | None = "fro",
    dim: Any = None,
    keepdim: bool = False,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
) -> Any:
    """The norm of all elements or over ``dim``; ``linalg.vector_norm`` and ``linalg.matrix_norm`` are newer.

    Args: p: a number for the p-norm of a vector, whatever the number of dimensions; "fro" or None for 2;
    "nuc" for the nuclear norm of matrices.
    Gradient, errors: as ``linalg.vector_norm``, for "nuc" as ``linalg.matrix_norm``.

    >>> import minitorch as torch
    >>> torch.norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]])), torch.norm(torch.tensor([3.0, -4.0]), float("inf"))
    (tensor(5.), tensor(4.))
    """
    if isinstance(p, str) and p != "fro":
        if dim is None:
            dim = tuple(range(raw(input).ndim))
        dims = dim if isinstance(dim, (tuple, list)) else (dim,)
        return matrix_norm(input, p, dims, keepdim, dtype=dtype, out=out)
    if p == "fro" and isinstance(dim, (tuple, list)) and len(dim) > 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    order = 2 if p is None or isinstance(p, str) else p
    return vector_norm(input, order, dim, keepdim, dtype=dtype, out=out)


@numpy_names
def linalg_norm(
    A: Any,
    ord: float | str | None = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
) -> Any:
    """A vector's or matrix's norm, by the number of dimensions (``linalg.norm``).

    Args: ord: None for the 2-norm of all elements (over ``dim``); else, with one dimension, as ``vector_norm``,
    with two, as ``matrix_norm``.
    Raises: RuntimeError if ``ord`` is given, ``dim`` is not, and ``A`` is neither 1-d nor 2-d.

    >>> import minitorch as torch
    >>> A = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.linalg.norm(A), torch.linalg.norm(A, 1), torch.linalg.norm(A, 2, dim=1)
    (tensor(5.4772), tensor(6.), tensor([2.2361, 5.0000]))
    """
    ndim = raw(A).ndim
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype, out=out)
    if dim is None and not isinstance(ord, str) and ndim not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D.")
    is_matrix = ndim == 2 if dim is None else isinstance(dim, (tuple, list)) and len(dim) == 2
    if is_matrix or isinstance(ord, str):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype, out=out)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype, out=out)


@autocasts
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The p-norm of input − other, which broadcast.

    >>> import minitorch as torch
    >>> torch.dist(torch.tensor([1.0, 2.0]), torch.tensor([4.0, 6.0]))
    tensor(5.)
    """
    input, other = promote(input, other)
    return vector_norm(input - other, p)


@autocasts
def renorm(input: Any, p: float, dim: int, maxnorm: float, *, out: Any = None) -> Any:
    """Each slice along ``dim`` scaled down to the p-norm ``maxnorm``, if its own is larger.

    Raises: RuntimeError for p ≤ 0, maxnorm < 0, or fewer than two dimensions; IndexError for a dimension that
    does not exist.

    >>> import minitorch as torch
    >>> torch.renorm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    ndim = raw(input).ndim
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {ndim} dimensions")
    dim = normalize_dim(dim, ndim)
    others = tuple([axis for axis in range(ndim) if axis != dim])
    wide = widen(input)
    length = vector_norm(wide, p, others, keepdim=True)
    factor = where(raw(length) > maxnorm, maxnorm / (length + 1e-7), 1)
    return write_out(to_dtype(wide * factor, dtypes.from_numpy_dtype(raw(input).dtype)), out)
