"""Matrix products: ``matmul`` and its special cases ``mm``, ``bmm``, ``mv``, ``dot``, ``outer``, ``inner``.

All the work is done by BLAS (GEMM, GEMV) behind the ``@`` of NumPy and CuPy; what is left to do here is to
bring every case to as few and as large products as possible, and the gradients. With C = A · B:

    ∂L/∂A = G · Bᵀ,   ∂L/∂B = Aᵀ · G   (G = ∂L/∂C)

so the gradient of a product is two products. Transposed operands go to BLAS as they are, without a copy:
instead of transposing tensors, the Functions below say which operand is meant transposed, and are then closed
under differentiation.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function, check_broadcastable
from minitorch.autograd.variable import raw
from minitorch.backend import Array, is_on_cpu, matrix_product
from minitorch.backend.graphs import avoids_cublas
from minitorch.ops.arithmetic import mul
from minitorch.ops.autocast import autocasts, cast_operands
from minitorch.ops.matmul_checks import (
    arrays_of,
    check_bmm,
    check_dot,
    check_mm,
    check_mv,
    check_mv_dtypes,
    refuse_bool,
    refuse_sizes,
    write_product,
)
from minitorch.ops.matmul_cuda import device_matrix_product
from minitorch.ops.shape import UnsafeView, reshape, unsqueeze


def multiply(a: Array, b: Array) -> Array:
    """The raw product a @ b; float16 with a float32 accumulator, rounded once (as GPUs do by themselves)."""
    if a.dtype.char == "e" and is_on_cpu(a):
        return matrix_product(a.astype("float32"), b.astype("float32")).astype("float16")
    if avoids_cublas() and not is_on_cpu(a) and a.dtype.kind == "f":
        return device_matrix_product(a, b)
    return matrix_product(a, b)


def as_rows(array: Array) -> Array:
    """A raw (…, K) array as a matrix (rows, K); a vector is one row."""
    return array if array.ndim == 2 else array.reshape(math.prod(array.shape[:-1]), array.shape[-1])


def multiply_rows(a: Array, b: Array) -> Array:
    """The raw product (…, K) @ (K, M) → (…, M) as a single GEMM, whatever the leading dimensions are."""
    if a.ndim <= 2:
        return multiply(a, b)
    return multiply(as_rows(a), b).reshape(*a.shape[:-1], b.shape[1])


class Mm(Function):
    """A (…, K) times the matrix B (K, M), or times Bᵀ where B is (M, K)."""

    def forward(self, a: Array, b: Array, *, transposed: bool = False) -> Array:
        needs_a, needs_b = self.needs_input_grad[:2]
        self.save(a if needs_b else None, b if needs_a else None)
        self.transposed = transposed
        if a.ndim != 2:  # torch's names for the reshapes that it does around the product
            self.backward_name = "UnsafeViewBackward0" if a.ndim > 2 else "SqueezeBackward4"
        return multiply_rows(a, b.T if transposed else b)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        grad_b = None
        if a is not None:
            flop = 0 if b is None else 2.0 * math.prod(grad_output.shape) * a.shape[-1]
            pair = (grad_output, a) if self.transposed else (a, grad_output)
            grad_b = SumOfOuterProducts.apply_later(flop, *pair)
        grad_a = None if b is None else Mm.apply(grad_output, b, transposed=not self.transposed)
        return grad_a, grad_b


class SumOfOuterProducts(Function):
    """Σ over all rows of aᵣᵀ · bᵣ, for a (…, K) and b (…, M): the (K, M) gradient of a matrix."""

    backward_name = "MmBackward0"

    def forward(self, a: Array, b: Array) -> Array:
        self.save(a, b)
        return multiply(as_rows(a).T, as_rows(b))

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad[:2]
        grad_a = Mm.apply(b, grad_output, transposed=True) if needs_a else None
        return grad_a, (Mm.apply(a, grad_output) if needs_b else None)


class Bmm(Function):
    """Batches of matrices: A · B, or Aᵀ · B (``left``), or A · Bᵀ (``right``); the batch dimensions broadcast."""

    def forward(self, a: Array, b: Array, *, left: bool = False, right: bool = False) -> Array:
        needs_a, needs_b = self.needs_input_grad[:2]
        self.save(a if needs_b else None, b if needs_a else None)
        self.left, self.right = left, right
        return multiply(a.swapaxes(-1, -2) if left else a, b.swapaxes(-1, -2) if right else b)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        grad_a = grad_b = None
        if b is not None and self.left:  # C = Aᵀ·B
            grad_a = Bmm.apply(b, grad_output, right=True)
        elif b is not None:
            grad_a = Bmm.apply(grad_output, b, right=not self.right)
        if a is not None and self.right:  # C = A·Bᵀ
            grad_b = Bmm.apply(grad_output, a, left=True)
        elif a is not None:
            grad_b = Bmm.apply(a, grad_output, left=not self.left)
        return grad_a, grad_b


class BatchMatmul(Bmm):
    """``Bmm`` under the name that torch prints when ``matmul`` reshapes its result."""

    backward_name = "UnsafeViewBackward0"


class Mv(Function):
    """The matrix A (N, K) times the vector v (K)."""

    def forward(self, matrix: Array, vector: Array) -> Array:
        needs_matrix, needs_vector = self.needs_input_grad[:2]
        self.save(matrix if needs_vector else None, vector if needs_matrix else None)
        return multiply(matrix, vector)

    def backward(self, grad_output: Any) -> Any:
        matrix, vector = self.saved
        grad_matrix = None if vector is None else mul(unsqueeze(grad_output, 1), vector)
        return grad_matrix, (None if matrix is None else Mm.apply(grad_output, matrix))


class Dot(Function):
    """Σ aᵢ·bᵢ;  ∂/∂a = b, ∂/∂b = a."""

    def forward(self, a: Array, b: Array) -> Array:
        needs_a, needs_b = self.needs_input_grad[:2]
        self.save(a if needs_b else None, b if needs_a else None)
        return multiply(a, b)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        return (None if b is None else grad_output * b), (None if a is None else grad_output * a)


class Vdot(Dot):
    """``Dot`` under the name of ``vdot``: they differ for complex numbers only."""


@autocasts
def mm(input: Any, mat2: Any, *, out: Any = None) -> Any:
    """Product of two matrices.

    Formula: output[n, m] = Σ_k input[n, k] · mat2[k, m]
    Shapes: input (N, K), mat2 (K, M) → (N, M); no broadcasting.
    Gradient: G · mat2ᵀ for ``input``, inputᵀ · G for ``mat2``.
    Raises: RuntimeError if an operand is not a matrix, or sizes or dtypes differ (nothing is promoted).
    Numerics: float16 accumulates in float32; integers wrap around.

    >>> import minitorch as torch
    >>> torch.mm(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    a, b = arrays_of("mm", ("input", "mat2"), input, mat2)
    if a.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if b.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    check_mm(a, b)
    return write_product(Mm.apply(input, mat2), out)


@autocasts
def bmm(input: Any, mat2: Any, *, out: Any = None) -> Any:
    """Products of the matrices of two batches, pair by pair.

    Formula: output[b, n, m] = Σ_k input[b, n, k] · mat2[b, k, m]
    Shapes: input (B, N, K), mat2 (B, K, M) → (B, N, M); no broadcasting.
    Raises: RuntimeError if an operand is not 3-D, or sizes or dtypes differ.

    >>> import minitorch as torch
    >>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape
    torch.Size([2, 1, 1])
    """
    a, b = arrays_of("bmm", ("input", "mat2"), input, mat2)
    for number, array in ((1, a), (2, b)):
        if array.ndim != 3:
            raise RuntimeError(f"batch{number} must be a 3D tensor")
    check_bmm(a, b, same_batch=True)
    return write_product(Bmm.apply(input, mat2), out)


@autocasts
def mv(input: Any, vec: Any, *, out: Any = None) -> Any:
    """Product of a matrix and a vector.

    Formula: output[n] = Σ_k input[n, k] · vec[k]
    Shapes: input (N, K), vec (K) → (N)
    Gradient: G · vecᵀ (an outer product) for ``input``, inputᵀ · G for ``vec``.
    Raises: RuntimeError for other numbers of dimensions, and if sizes or dtypes differ.

    >>> import minitorch as torch
    >>> torch.mv(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    matrix, vector = arrays_of("mv", ("input", "vec"), input, vec)
    if matrix.ndim != 2 or vector.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {matrix.ndim}, {vector.ndim}")
    check_mv(matrix.shape, vector.shape, len(matrix))
    check_mv_dtypes(vector, matrix, vector)
    return write_product(Mv.apply(input, vec), out)


@autocasts
def dot(input: Any, tensor: Any, *, out: Any = None) -> Any:
    """The inner product of two vectors.

    Formula: output = Σ_k input[k] · tensor[k]
    Shapes: (K), (K) → ()
    Raises: RuntimeError if an operand is not a vector, or sizes or dtypes differ.

    >>> import minitorch as torch
    >>> torch.dot(torch.tensor([2.0, 3.0]), torch.tensor([2.0, 1.0]))
    tensor(7.)
    """
    check_dot(*arrays_of("dot", ("input", "tensor"), input, tensor))
    return write_product(Dot.apply(input, tensor), out)


@autocasts
def vdot(input: Any, other: Any, *, out: Any = None) -> Any:
    """``dot`` with the first vector conjugated, which changes nothing for real numbers."""
    check_dot(*arrays_of("vdot", ("input", "other"), input, other))
    return write_product(Vdot.apply(input, other), out)


def outer(input: Any, vec2: Any, *, out: Any = None) -> Any:
    """All products of an element of one vector with one of the other.

    Formula: output[n, m] = input[n] · vec2[m]
    Shapes: (N), (M) → (N, M)
    Raises: RuntimeError if an operand is not a vector. Dtypes are promoted.

    >>> import minitorch as torch
    >>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4, 5]))
    tensor([[ 3,  4,  5],
            [ 6,  8, 10]])
    """
    for name, array in zip(("self", "vec2"), arrays_of("outer", ("input", "vec2"), input, vec2)):
        if array.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {array.ndim}-D")
    return mul(unsqueeze(input, 1), vec2, out=out)


ger = outer


@autocasts
def inner(input: Any, other: Any, *, out: Any = None) -> Any:
    """Sums of products over the last dimension of both.

    Formula: output[i…, j…] = Σ_k input[i…, k] · other[j…, k]; a plain product if one of them is 0-d.
    Shapes: input (I…, K), other (J…, K) → (I…, J…)
    Raises: RuntimeError if last sizes or dtypes differ.

    >>> import minitorch as torch
    >>> torch.inner(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    a, b = arrays_of("inner", ("input", "other"), input, other)
    if not (a.ndim and b.ndim):
        return mul(input, other, out=out)
    if a.shape[-1] != b.shape[-1]:
        shapes = f"{list(a.shape)} and {list(b.shape)}"
        raise RuntimeError(f"inner() the last dimension must match on both input tensors but got shapes {shapes}")
    if a.dtype != b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    refuse_bool(a, "addmm_impl_cpu_")
    if a.ndim > 1 or b.ndim > 1:  # else it is a dot product
        input, other = cast_operands("mm", input, other)
    product = Mm.apply(_fold(input), _fold(other), transposed=True)
    return write_product(reshape(product, (*a.shape[:-1], *b.shape[:-1])), out)


@autocasts
def matmul(input: Any, other: Any, *, out: Any = None) -> Any:
    """The product of vectors, matrices or batches of matrices: ``input @ other``.

    Formula: output[…, n, m] = Σ_k input[…, n, k] · other[…, k, m]
    Shapes: input (…, N, K), other (…, K, M) → (…, N, M), where the batch dimensions … broadcast. A vector on
    the left counts as one row, on the right as one column, which is dropped from the result.
    Gradient: G · otherᵀ for ``input``, inputᵀ · G for ``other``, summed over broadcast dimensions.
    Raises: RuntimeError for 0-d operands, sizes that do not fit, and dtypes that differ.
    Numerics: float16 accumulates in float32. Batches times one matrix are a single GEMM.

    >>> import minitorch as torch
    >>> torch.matmul(torch.ones(5, 2, 3), torch.ones(3, 4)).shape
    torch.Size([5, 2, 4])
    """
    a, b = arrays_of("matmul", ("input", "other"), input, other)
    if a.ndim == 2 and b.ndim == 2:
        check_mm(a, b)
        result = Mm.apply(input, other)
    else:
        result = _matmul(input, other, a, b)
    return result if out is None else write_product(result, out)


def _matmul(input: Any, other: Any, a: Array, b: Array) -> Any:
    """The cases of ``matmul`` that are not two matrices."""
    if not (a.ndim and b.ndim):
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D")
    if b.ndim == 1:
        return dot(input, other) if a.ndim == 1 else _batch_mv(input, other, a, b)
    if b.ndim == 2:
        check_mm(a, b)
        return Mm.apply(input, other)
    if a.ndim == 1:
        columns = math.prod(b.shape[:-2]) * b.shape[-1]
        check_mv((columns, b.shape[-2]), a.shape, columns)
        check_mv_dtypes(a, b, a)
        product = Bmm.apply(unsqueeze(input, 0), other)
        return UnsafeView.apply(product, shape=(*b.shape[:-2], b.shape[-1]))
    if a.ndim == 2 and a.shape[1] != b.shape[-2]:
        # torch computes (otherᵀ · inputᵀ)ᵀ here, and says so
        refuse_sizes(math.prod(b.shape[:-2]) * b.shape[-1], b.shape[-2], *a.shape[::-1])
    check_broadcastable(a.shape[:-2], b.shape[:-2])
    check_bmm(a, b)
    return BatchMatmul.apply(input, other)


def _batch_mv(input: Any, other: Any, a: Array, b: Array) -> Any:
    """(…, N, K) @ (K): all rows of all matrices in one GEMV."""
    rows = math.prod(a.shape[:-1])
    check_mv((rows, a.shape[-1]), b.shape, rows)
    check_mv_dtypes(b, a, b)
    if a.ndim == 2:
        return Mv.apply(input, other)
    return UnsafeView.apply(Mv.apply(_fold(input), other), shape=a.shape[:-1])


def _fold(value: Any) -> Any:
    """``as_rows`` for tensors."""
    array = raw(value)
    if array.ndim == 2:
        return value
    return reshape(value, (math.prod(array.shape[:-1]), array.shape[-1]))
