"""A product added to a tensor: beta · input + alpha · (A · B), for the products of ``matmul.py``.

``addmm`` (matrices), ``addmv`` (matrix and vector), ``addr`` (outer product of vectors), ``baddbmm`` (batches of
matrices), ``addbmm`` (the sum over a batch). The product is computed first; scaling and adding happen in its
memory. As in BLAS a factor of 0 means that the operand is not looked at: nan · 0 is 0 there.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.primitive import is_broadcastable_to
from minitorch.autograd.variable import raw
from minitorch.backend import Array
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.arithmetic import mul
from minitorch.ops.autocast import autocasts
from minitorch.ops.matmul import Bmm, Mm, SumOfOuterProducts, multiply
from minitorch.ops.matmul_checks import (
    C_NAMES,
    arrays_of,
    check_bmm,
    check_mv,
    check_mv_dtypes,
    legacy_name,
    refuse_bool,
    refuse_sizes,
    write_product,
)
from minitorch.ops.promotion import promote, to_dtype
from minitorch.ops.shape import unsqueeze

Shape = tuple[int, ...]


class AddProduct(Function):
    """beta · input + alpha · product(a, b); subclasses say which product, and what its gradients are.

    ∂/∂input = beta · G, and the product's own gradients times alpha.
    """

    def forward(self, input: Array, a: Array, b: Array, *, beta: float, alpha: float) -> Array:
        _, needs_a, needs_b = self.needs_input_grad[:3]
        self.save(a if needs_b else None, b if needs_a else None)
        self.beta, self.alpha = beta, alpha
        if input.dtype.kind != "f":
            beta, alpha = [to_dtype(int(factor), from_numpy_dtype(input.dtype)) for factor in (beta, alpha)]
        if input.dtype.char == "e":
            input, a, b = [each.astype("float32") for each in (input, a, b)]
            return self.add_product(input, a, b, beta, alpha).astype("float16")
        return self.add_product(input, a, b, beta, alpha)

    def add_product(self, input: Array, a: Array, b: Array, beta: float, alpha: float) -> Array:
        """The raw result, in the memory of the product."""
        result = self.product(a, b)
        if alpha == 0:
            result[...] = 0
        elif alpha != 1:
            result *= alpha
        if beta == 1:
            result += input
        elif beta != 0:
            result += input * beta
        return result

    def product(self, a: Array, b: Array) -> Array:
        """The raw product, in memory of its own."""
        raise NotImplementedError

    def gradients(self, grad_output: Any, a: Any, b: Any) -> tuple[Any, Any]:
        """Of the product's operands; None for a where b was not kept, and the other way round."""
        raise NotImplementedError

    def backward(self, grad_output: Any) -> Any:
        needs_input = self.needs_input_grad[0]
        gradients = self.gradients(grad_output, *self.saved)
        grad_a, grad_b = [None if each is None else scaled(each, self.alpha) for each in gradients]
        return (scaled(grad_output, self.beta) if needs_input else None), grad_a, grad_b


def scaled(gradient: Any, factor: float) -> Any:
    """gradient · factor."""
    return gradient if factor == 1 else gradient * factor


class Addmm(AddProduct):
    """Of two matrices."""

    def product(self, a: Array, b: Array) -> Array:
        return multiply(a, b)

    def gradients(self, grad_output: Any, a: Any, b: Any) -> tuple[Any, Any]:
        grad_a = None if b is None else Mm.apply(grad_output, b, transposed=True)
        return grad_a, (None if a is None else SumOfOuterProducts.apply(a, grad_output))


class Addmv(AddProduct):
    """Of a matrix and a vector."""

    def product(self, a: Array, b: Array) -> Array:
        return multiply(a, b)

    def gradients(self, grad_output: Any, a: Any, b: Any) -> tuple[Any, Any]:
        grad_a = None if b is None else mul(unsqueeze(grad_output, 1), b)
        return grad_a, (None if a is None else Mm.apply(grad_output, a))


class Addr(AddProduct):
    """Of two vectors: all products of an element of one with one of the other."""

    def product(self, a: Array, b: Array) -> Array:
        return a[:, None] * b

    def gradients(self, grad_output: Any, a: Any, b: Any) -> tuple[Any, Any]:
        grad_a = None if b is None else Mm.apply(b, grad_output, transposed=True)
        return grad_a, (None if a is None else Mm.apply(a, grad_output))


class Baddbmm(AddProduct):
    """Of the matrices of two batches, pair by pair."""

    def product(self, a: Array, b: Array) -> Array:
        return multiply(a, b)

    def gradients(self, grad_output: Any, a: Any, b: Any) -> tuple[Any, Any]:
        grad_a = None if b is None else Bmm.apply(grad_output, b, right=True)
        return grad_a, (None if a is None else Bmm.apply(a, grad_output, left=True))


class Addbmm(Baddbmm):
    """Of the matrices of two batches, summed over the batch: one product of (N, B·K) and (B·K, M)."""

    def product(self, a: Array, b: Array) -> Array:
        B, N, K = a.shape
        side_by_side = a.swapaxes(0, 1).reshape(N, B * K)
        return multiply(side_by_side, b.reshape(B * K, b.shape[2]))


@autocasts
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1, out: Any = None) -> Any:
    """A matrix product added to ``input``.

    Formula: output = beta · input + alpha · (mat1 · mat2)
    Shapes: mat1 (N, K), mat2 (K, M), input broadcastable to (N, M) → (N, M)
    Gradient: beta · G for ``input``, alpha · G · mat2ᵀ for ``mat1``, alpha · mat1ᵀ · G for ``mat2``.
    Args: beta, alpha: truncated to integers for integer tensors; 0 ignores the operand, nan included.
    Raises: RuntimeError if sizes or dtypes do not match.

    >>> import minitorch as torch
    >>> torch.addmm(torch.ones(2), torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), alpha=10)
    tensor([[11., 21.],
            [31., 41.]])
    """
    x, a, b = arrays_of("addmm", ("input", "mat1", "mat2"), input, mat1, mat2)
    for name, array in (("mat1", a), ("mat2", b)):
        if array.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {array.ndim}-D tensor")
    check_expands(x, (len(a), b.shape[1]))
    check_mm_dtypes(x, a, b)
    if a.shape[1] != b.shape[0]:
        refuse_sizes(*a.shape, *b.shape)
    return write_product(Addmm.apply(input, mat1, mat2, beta=beta, alpha=alpha), out)


@autocasts
def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1, out: Any = None) -> Any:
    """The product of a matrix and a vector added to ``input``.

    Formula: output = beta · input + alpha · (mat · vec)
    Shapes: mat (N, K), vec (K), input (N), (1) or () → (N)
    Args, Raises: as ``addmm``.

    >>> import minitorch as torch
    >>> torch.addmv(torch.tensor([1.0, 2.0]), torch.eye(2), torch.tensor([10.0, 20.0]))
    tensor([11., 22.])
    """
    x, a, b = arrays_of("addmv", ("input", "mat", "vec"), input, mat, vec)
    if a.ndim != 2 or b.ndim != 1 or x.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {x.ndim}, {a.ndim}, {b.ndim}")
    size = x.size if x.ndim and x.size != 1 else len(a)
    check_mv(a.shape, b.shape, size)
    if size != len(a):
        raise RuntimeError(f"size mismatch, got input ({size}), mat ({len(a)}x{a.shape[1]}), vec ({len(b)})")
    check_mv_dtypes(x, a, b)
    return write_product(Addmv.apply(input, mat, vec, beta=beta, alpha=alpha), out)


@autocasts
def addr(input: Any, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1, out: Any = None) -> Any:
    """The outer product of two vectors added to ``input``.

    Formula: output[n, m] = beta · input[n, m] + alpha · vec1[n] · vec2[m]
    Shapes: vec1 (N), vec2 (M), input broadcastable to (N, M) → (N, M)
    Args: beta, alpha: integers for integer tensors. Dtypes are promoted.
    Raises: RuntimeError if sizes do not match, or for a fractional factor of integers.

    >>> import minitorch as torch
    >>> torch.addr(torch.zeros(2, 2), torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    x, a, b = arrays_of("addr", ("input", "vec1", "vec2"), input, vec1, vec2)
    for name, array in (("vec1", a), ("vec2", b)):
        if array.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {array.ndim}-D")
    check_expands(x, (len(a), len(b)))
    input, vec1, vec2 = promote(input, vec1, vec2)
    kind = raw(input).dtype.kind
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if kind != "f" and isinstance(factor, float):
            raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
    return write_out(Addr.apply(input, vec1, vec2, beta=beta, alpha=alpha), out)


@autocasts
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1, out: Any = None) -> Any:
    """Products of the matrices of two batches added to ``input``.

    Formula: output[b] = beta · input[b] + alpha · (batch1[b] · batch2[b])
    Shapes: batch1 (B, N, K), batch2 (B, K, M), input broadcastable to (B, N, M) → (B, N, M)
    Args, Raises: as ``addmm``.

    >>> import minitorch as torch
    >>> torch.baddbmm(torch.zeros(1), torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape
    torch.Size([2, 1, 1])
    """
    x, a, b = arrays_of("baddbmm", ("input", "batch1", "batch2"), input, batch1, batch2)
    _check_batches(a, b)
    check_expands(x, (len(a), a.shape[1], b.shape[2]))
    if not x.dtype == a.dtype == b.dtype:
        names = [C_NAMES[array.dtype.name] for array in (x, a, b)]
        raise RuntimeError(
            f"Input dtypes must be the same, got: input {names[0]}, batch1: {names[1]}, batch2: {names[2]}"
        )
    check_bmm(a, b, same_batch=True)
    return write_product(Baddbmm.apply(input, batch1, batch2, beta=beta, alpha=alpha), out)


@autocasts
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1, out: Any = None) -> Any:
    """The sum of the products of the matrices of two batches, added to ``input``.

    Formula: output = beta · input + alpha · Σ_b batch1[b] · batch2[b]
    Shapes: batch1 (B, N, K), batch2 (B, K, M), input broadcastable to (N, M) → (N, M)
    Args, Raises: as ``addmm``.

    >>> import minitorch as torch
    >>> torch.addbmm(torch.zeros(1, 1), torch.ones(2, 1, 3), torch.ones(2, 3, 1))
    tensor([[6.]])
    """
    x, a, b = arrays_of("addbmm", ("input", "batch1", "batch2"), input, batch1, batch2)
    _check_batches(a, b)
    check_expands(x, (a.shape[1], b.shape[2]))
    if len(a) != len(b):
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {len(a)} and {len(b)}")
    if a.shape[2] != b.shape[1]:
        sizes = f"({a.shape[1]}x{a.shape[2]} and {b.shape[1]}x{b.shape[2]})"
        raise RuntimeError(f"Incompatible matrix sizes for bmm {sizes}")
    check_mm_dtypes(x, a, b)
    return write_product(Addbmm.apply(input, batch1, batch2, beta=beta, alpha=alpha), out)


def _check_batches(a: Array, b: Array) -> None:
    for number, array in ((1, a), (2, b)):
        if array.ndim != 3:
            raise RuntimeError(f"batch{number} must be a 3D tensor")


def check_expands(array: Array, shape: Shape) -> None:
    """Raise torch's error unless ``array`` can be repeated to ``shape``."""
    if array.ndim > len(shape):
        raise RuntimeError(
            f"expand(torch.{legacy_name(array)}Tensor{{{list(array.shape)}}}, size={list(shape)}): the number of sizes "
            f"provided ({len(shape)}) must be greater or equal to the number of dimensions in the tensor ({array.ndim})"
        )
    if is_broadcastable_to(array.shape, shape):
        return
    leading = len(shape) - array.ndim
    for dim in range(len(shape) - 1, leading - 1, -1):
        found = array.shape[dim - leading]
        if found not in (1, shape[dim]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[dim]}) must match the existing size ({found}) at "
                f"non-singleton dimension {dim}.  Target sizes: {list(shape)}.  Tensor sizes: {list(array.shape)}"
            )


def check_mm_dtypes(input: Array, a: Array, b: Array) -> None:
    """Raise unless all three have one dtype, and not bool."""
    for array in (input, a):
        if array.dtype != b.dtype:
            names = f"{legacy_name(array)} and {legacy_name(b)}"
            raise RuntimeError(f"self and mat2 must have the same dtype, but got {names}")
    refuse_bool(b, "addmm_impl_cpu_")
