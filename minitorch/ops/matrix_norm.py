"""``linalg.matrix_norm``: the size of a matrix, as an array of numbers or as a map.

"fro" is the length of all elements as one vector. 1 and inf are the largest column and row sum of |elements|;
2 is the largest stretch of a vector, the largest singular value; "nuc" is the sum of all singular values.
Negative orders take the smallest instead of the largest.
"""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.autocast import autocasts
from minitorch.ops.dims import normalize_dim, numpy_names
from minitorch.ops.elementwise import abs
from minitorch.ops.extremes import amax, amin
from minitorch.ops.permutation import movedim
from minitorch.ops.reduction import sum
from minitorch.ops.shape import unsqueeze
from minitorch.ops.vector_norm import LinalgVectorNorm, check_dtype

INFINITY = float("inf")


class SingularValues(Function):
    """σ of A = U · diag(σ) · Vᵀ, largest first;  the gradient of A is U · diag(g) · Vᵀ."""

    backward_name = "LinalgSvdBackward0"

    def forward(self, A: Array) -> Array:
        left, values, right = array_module(A).linalg.svd(A, full_matrices=False)
        self.left, self.right = left, right
        self.save(A)
        return values

    def backward(self, grad_output: Any) -> Any:
        (A,) = self.saved
        return SingularValuesBackward.apply(grad_output, A, left=self.left, right=self.right)


class SingularValuesBackward(Function):
    """U · diag(g) · Vᵀ. How U and V move with A is not written down, so a second derivative is refused."""

    def forward(self, grad: Array, A: Array, *, left: Array, right: Array) -> Array:
        return (left * grad[..., None, :]) @ right

    def backward(self, grad_output: Any) -> Any:
        raise NotImplementedError("matrix_norm: minitorch has no second derivative of singular values")


@numpy_names
@autocasts
def matrix_norm(
    A: Any,
    ord: float | str = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: dtypes.dtype | None = None,
    out: Any = None,
) -> Any:
    """The norm of the matrix in two dimensions, for each place in the others (``linalg.matrix_norm``).

    Args: ord: "fro", "nuc", inf, -inf, 1, -1, 2 or -2, see the top of this file; dim: rows, columns.
    Gradient: by the formulas; where two are equally large, shared evenly (2 and -2: any of them).
    Raises: RuntimeError for integers, fewer than two dimensions, other than two in ``dim``, another ``ord``;
    IndexError for a dimension that does not exist.
    Numerics: singular values have a first derivative here, not a second.

    >>> import minitorch as torch
    >>> A = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    >>> torch.linalg.matrix_norm(A), torch.linalg.matrix_norm(A, "nuc"), torch.linalg.matrix_norm(A, float("inf"))
    (tensor(5.), tensor(7.), tensor(4.))
    """
    name, ndim = "linalg.matrix_norm", raw(A).ndim
    A = check_dtype(name, A, dtype)
    if ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if not isinstance(dim, (tuple, list)):
        raise TypeError(f"linalg_matrix_norm(): argument 'dim' must be tuple of ints, not {type(dim).__name__}")
    if len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    rows, columns = (normalize_dim(each, ndim) for each in dim)
    if rows == columns:
        raise RuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    result = _matrix_norm(movedim(A, (rows, columns), (-2, -1)), ord)
    if keepdim:
        for axis in sorted((rows, columns)):
            result = unsqueeze(result, axis)
    return write_out(result, out)


def _matrix_norm(A: Any, order: float | str) -> Any:
    """The norm of the last two dimensions."""
    ndim = raw(A).ndim
    if order == "fro":
        return LinalgVectorNorm.apply(A, order=2, dims=(ndim - 2, ndim - 1))
    if order == "nuc":
        return sum(SingularValues.apply(A), -1)
    if isinstance(order, str) or order not in (1, -1, 2, -2, INFINITY, -INFINITY):
        raise RuntimeError(f"linalg.matrix_norm: Order {order} not supported.")
    candidates = SingularValues.apply(A) if order in (2, -2) else sum(abs(A), -2 if order in (1, -1) else -1)
    if raw(candidates).shape[-1] == 0 and order > 0:
        return sum(candidates, -1)  # the largest of none: torch takes 0
    return amax(candidates, -1) if order > 0 else amin(candidates, -1)
