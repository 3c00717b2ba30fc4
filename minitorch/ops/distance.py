"""Distances between vectors, cosine similarity, and scaling vectors to length 1."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import array_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.clamping import clamp_min
from minitorch.ops.dims import normalize_dim
from minitorch.ops.elementwise import sqrt
from minitorch.ops.index_along import index_select
from minitorch.ops.loss_reduction import AtLeast
from minitorch.ops.norm import norm
from minitorch.ops.promotion import promote
from minitorch.ops.reduction import sum
from minitorch.ops.shape import broadcast_tensors, unsqueeze
from minitorch.ops.vector_norm import vector_norm

COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of x1 − x2 + eps over the last dimension.

    Formula: (Σ_i |x1_i − x2_i + eps|^p)^(1/p).
    Shapes: x1 and x2 broadcast to (…, D) → (…), or (…, 1) with ``keepdim``.
    Gradient: that of the norm; ``eps`` keeps it away from the point where it has none.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.nn.functional.pairwise_distance(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    return norm(x1 - x2 + eps, p, -1, keepdim)


@autocasts
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along ``dim``.

    Formula: Σ x1·x2 / (max(‖x1‖, eps) · max(‖x2‖, eps)).
    Shapes: x1 and x2 broadcast to one shape → that shape without ``dim``.
    Gradient: (x2/‖x2‖ − cos · x1/‖x1‖) / ‖x1‖ · g for ``x1``, and the like for ``x2``.
    Raises: RuntimeError for integers, or if the shapes do not broadcast; IndexError for a dimension that does not
    exist.

    >>> import minitorch as torch
    >>> torch.nn.functional.cosine_similarity(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
    tensor([0.6000])
    """
    x1, x2 = promote(x1, x2)
    dtype = from_numpy_dtype(raw(x1).dtype)
    if not dtype.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {dtype.legacy_name}")
    x1, x2 = broadcast_tensors(x1, x2)
    dim = normalize_dim(dim, raw(x1).ndim)
    lengths = [sqrt(AtLeast.apply(sum(x * x, dim, True), lower=eps * eps)) for x in (x1, x2)]
    return sum(x1 / lengths[0] * (x2 / lengths[1]), dim)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """Divide vectors along ``dim`` by their p-norm.

    Formula: output = input / max(‖input‖_p, eps).
    Shapes: any → the same.
    Gradient: (g − x̂ · Σ g·x̂) / ‖input‖ for p = 2, where x̂ = output.
    Args: dim: one dimension or several; out: a tensor that receives the result.
    Raises: IndexError for a dimension that does not exist; RuntimeError for integers.

    >>> import minitorch as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return write_out(input / clamp_min(norm(input, p, dim, True), eps), out)


@autocasts
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """The p-norm distance of every row of ``x1`` from every row of ``x2``.

    Formula: output[…, i, j] = ‖x1[…, i, :] − x2[…, j, :]‖_p.
    Shapes: x1 (…, P, M), x2 (…, R, M), the leading dimensions broadcast → (…, P, R).
    Gradient: that of the norm; 0 where two rows are equal. For p = ∞ equally large coordinates share g, where
    torch gives g to each of them.
    Args: compute_mode: torch's choice between speed and accuracy; here every mode takes differences, which is
    the accurate one.
    Raises: RuntimeError for fewer than 2 dimensions, unlike M, p < 0 or integers; ValueError for another mode.

    >>> import minitorch as torch
    >>> torch.cdist(torch.tensor([[0.0, 0.0], [0.0, 4.0]]), torch.tensor([[3.0, 0.0]]))
    tensor([[3.],
            [5.]])
    """
    if compute_mode is not None and compute_mode not in COMPUTE_MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, x in (("X1", raw(x1)), ("X2", raw(x2))):
        if x.dtype.kind != "f":
            found = from_numpy_dtype(x.dtype).legacy_name
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {found}")
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if raw(x1).shape[-1] != raw(x2).shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {raw(x1).shape[-1]} X2: {raw(x2).shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    return vector_norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)


@autocasts
def pdist(input: Any, p: float = 2.0) -> Any:
    """The p-norm distance of every pair of rows.

    Formula: the part of ``cdist(input, input)`` above the diagonal, row by row.
    Shapes: (N, M) → (N (N − 1) / 2,).
    Gradient: as ``cdist``.
    Raises: RuntimeError unless ``input`` is a floating-point matrix and p ≥ 0.

    >>> import minitorch as torch
    >>> torch.nn.functional.pdist(torch.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    x = raw(input)
    if x.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {x.ndim}D")
    if x.dtype.kind != "f":
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = array_module(x).triu_indices(x.shape[0], 1)
    return vector_norm(index_select(input, 0, first) - index_select(input, 0, second), p, -1)
