"""Products of vectors that lie along one dimension of two tensors: ``vecdot`` and the cross product."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function, check_broadcastable
from minitorch.autograd.inplace import write_out
from minitorch.backend import Array, array_module
from minitorch.ops.arithmetic import mul
from minitorch.ops.autocast import autocasts
from minitorch.ops.dims import normalize_dim
from minitorch.ops.matmul_checks import arrays_of, check_bmm_dtypes, legacy_name, refuse_bool
from minitorch.ops.reduction import sum as sum_


@autocasts
def vecdot(x: Any, y: Any, *, dim: int = -1, out: Any = None) -> Any:
    """Inner products along one dimension.

    Formula: output[…] = Σ_k x[…, k] · y[…, k]
    Shapes: both (…, K), which broadcast → (…)
    Raises: RuntimeError if dtypes differ or are not floating point, or shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.linalg.vecdot(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    a, b = arrays_of("linalg.vecdot", ("x", "y"), x, y)
    if a.dtype.kind != "f":
        found = legacy_name(a)
        raise RuntimeError(f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {found}")
    if a.dtype != b.dtype:
        names = f"x of type {legacy_name(a)} and y of type {legacy_name(b)}"
        raise RuntimeError(f"linalg.vecdot: Expected x and y to have the same dtype, but found {names} instead")
    return write_out(sum_(mul(x, y), dim), out)


class LinalgCross(Function):
    """a × b along a dimension of size 3;  ∂/∂a = b × G,  ∂/∂b = G × a."""

    def forward(self, a: Array, b: Array, *, dim: int) -> Array:
        needs_a, needs_b = self.needs_input_grad[:2]
        self.save(a if needs_b else None, b if needs_a else None)
        self.dim = dim
        # (a × b)₀ = a₁·b₂ − a₂·b₁, and so on in a circle
        roll = array_module(a).roll
        return roll(a, -1, dim) * roll(b, -2, dim) - roll(a, -2, dim) * roll(b, -1, dim)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        grad_a = None if b is None else LinalgCross.apply(b, grad_output, dim=self.dim)
        return grad_a, (None if a is None else LinalgCross.apply(grad_output, a, dim=self.dim))


def linalg_cross(input: Any, other: Any, *, dim: int = -1, out: Any = None) -> Any:
    """The cross product of vectors of length 3.

    Formula: output = (a₁·b₂ − a₂·b₁, a₂·b₀ − a₀·b₂, a₀·b₁ − a₁·b₀)
    Shapes: size 3 in dimension ``dim``; the others broadcast.
    Gradient: other × G for ``input``, G × input for ``other``.
    Raises: RuntimeError for another length, or if numbers of dimensions or dtypes differ.

    >>> import minitorch as torch
    >>> torch.linalg.cross(torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    a, b = arrays_of("linalg.cross", ("input", "other"), input, other)
    if a.ndim != b.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    index = normalize_dim(dim, a.ndim)
    if a.ndim == 0 or a.shape[index] != 3 or b.shape[index] != 3:
        sizes = [array.shape[index] if array.ndim else 0 for array in (a, b)]
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {sizes[0]} and {sizes[1]}")
    check_broadcastable(a.shape, b.shape)
    refuse_bool(a, "cross")
    check_bmm_dtypes(a, b)
    return write_out(LinalgCross.apply(input, other, dim=index - a.ndim), out)


@autocasts
def cross(input: Any, other: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """``linalg.cross`` along ``dim``, by default the first dimension of size 3.

    Raises: RuntimeError as ``linalg.cross``, and if there is no such dimension.
    """
    (a,) = arrays_of("cross", ("input",), input)
    if dim is None:
        if 3 not in a.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = a.shape.index(3)
    return linalg_cross(input, other, dim=dim, out=out)
