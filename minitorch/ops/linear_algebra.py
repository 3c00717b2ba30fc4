"""Linear algebra on square matrices: ``inv``, ``solve``, ``det``, ``slogdet``, ``cholesky``, ``matrix_power``.

LAPACK does the work, behind NumPy's and CuPy's ``linalg``. All of them take batches of matrices (…, n, n). The
gradients follow from a few identities (G is the gradient of the result):

    Y = A⁻¹         dY = −Y·dA·Y           ∂/∂A = −Yᵀ·G·Yᵀ
    A·X = B         dX = A⁻¹·(dB − dA·X)   ∂/∂B = A⁻ᵀ·G,  ∂/∂A = −(∂/∂B)·Xᵀ
    d = det A       dd = d·tr(A⁻¹·dA)      ∂/∂A = G·cof A,  cof A = det A · A⁻ᵀ

Source: Giles, "An extended collection of matrix derivative results", 2008
(https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf).
"""

from __future__ import annotations

import operator
from typing import Any

from minitorch import return_types
from minitorch.autograd.function import Function, check_broadcastable
from minitorch.autograd.inplace import write_out
from minitorch.autograd.primitive import Clone
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.autocast import autocasts
from minitorch.ops.matmul import Bmm, matmul
from minitorch.ops.matmul_checks import arrays_of, legacy_name
from minitorch.ops.operand import keep_where
from minitorch.ops.permutation import transpose
from minitorch.ops.reduction import sum as sum_
from minitorch.ops.shape import squeeze, unsqueeze


class LinAlgError(RuntimeError):
    """A matrix for which the result does not exist: a singular one, or one that is not positive-definite."""


def lapack(function: Any, message: str, *arrays: Array) -> Any:
    """Run a function of ``xp.linalg``; if the matrix does not allow it, say so in torch's words."""
    try:
        return function(*arrays)
    except array_module(arrays[0]).linalg.LinAlgError as error:
        raise LinAlgError(message) from error


class Inv(Function):
    """Y = A⁻¹."""

    backward_name = "LinalgInvExBackward0"

    def forward(self, a: Array) -> Array:
        message = "linalg.inv: the inversion could not be completed because the input matrix is singular."
        inverse = lapack(array_module(a).linalg.inv, message, a)
        self.save(inverse)
        return inverse

    def backward(self, grad_output: Any) -> Any:
        (inverse,) = self.saved
        return -Bmm.apply(Bmm.apply(inverse, grad_output, left=True), inverse, right=True)


class Solve(Function):
    """X with A·X = B, or Aᵀ·X = B (``transposed``)."""

    backward_name = "LinalgSolveExBackward0"

    def forward(self, a: Array, b: Array, *, transposed: bool = False) -> Array:
        self.transposed = transposed
        xp = array_module(a)
        batch = xp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        matrix = xp.broadcast_to(a.swapaxes(-1, -2) if transposed else a, (*batch, *a.shape[-2:]))
        message = "torch.linalg.solve: The solver failed because the input matrix is singular."
        solution = lapack(xp.linalg.solve, message, matrix, xp.broadcast_to(b, (*batch, *b.shape[-2:])))
        self.save(a, solution)
        return solution

    def backward(self, grad_output: Any) -> Any:
        a, solution = self.saved
        grad_b = Solve.apply(a, grad_output, transposed=not self.transposed)
        if not self.needs_input_grad[0]:
            return None, grad_b
        pair = (solution, grad_b) if self.transposed else (grad_b, solution)
        return -Bmm.apply(*pair, right=True), grad_b


class Det(Function):
    """d = det A;  ∂d/∂A = cof A."""

    backward_name = "LinalgDetBackward0"

    def forward(self, a: Array) -> Array:
        self.save(a)
        return array_module(a).linalg.det(a)

    def backward(self, grad_output: Any) -> Any:
        (a,) = self.saved
        return grad_output[..., None, None] * Cofactors.apply(a)


class Cofactors(Function):
    """cof A = det A · A⁻ᵀ, the gradient of the determinant; from the singular values, so that A may be singular.

    With A = U·S·Vᵀ it is det U · det V · U·S'·Vᵀ, where S' has for each singular value the product of the others.
    Its own gradient, for which A must be invertible: det A · (⟨H, A⁻ᵀ⟩·A⁻ᵀ − A⁻ᵀ·Hᵀ·A⁻ᵀ).
    """

    def forward(self, a: Array) -> Array:
        xp = array_module(a)
        self.save(a)
        u, s, vh = xp.linalg.svd(a)
        others = xp.where(xp.eye(a.shape[-1], dtype=bool), 1, s[..., None, :]).prod(axis=-1, dtype=a.dtype)
        sign = xp.linalg.det(u) * xp.linalg.det(vh)
        return (sign[..., None, None] * u * others[..., None, :]) @ vh

    def backward(self, grad_output: Any) -> Any:
        (a,) = self.saved
        inverse = Inv.apply(a)
        determinant = Det.apply(a)[..., None, None]
        turned = transpose(inverse, -1, -2)
        inner = sum_(grad_output * turned, (-2, -1), True)
        chained = Bmm.apply(Bmm.apply(inverse, grad_output), inverse)
        return determinant * (inner * turned - transpose(chained, -1, -2))


class Slogdet(Function):
    """(sign, log|det A|);  ∂ log|det A| / ∂A = A⁻ᵀ, and the sign does not change."""

    backward_name = "LinalgSlogdetBackward0"

    def forward(self, a: Array) -> tuple[Array, Array]:
        self.save(a)
        sign, logabsdet = array_module(a).linalg.slogdet(a)
        return sign, logabsdet

    def backward(self, grad_sign: Any, grad_logabsdet: Any) -> Any:
        (a,) = self.saved
        if grad_logabsdet is None:
            return None
        return grad_logabsdet[..., None, None] * transpose(Inv.apply(a), -1, -2)


class Cholesky(Function):
    """L with A = L·Lᵀ.

    Gradient: L⁻ᵀ·(Φ + Φᵀ)·L⁻¹, where Φ is half the lower triangle of Lᵀ·G, with a quarter of its diagonal.
    """

    backward_name = "LinalgCholeskyExBackward0"

    def forward(self, a: Array) -> Array:
        message = (
            "linalg.cholesky: The factorization could not be completed because the input is not positive-definite."
        )
        factor = lapack(array_module(a).linalg.cholesky, message, a)
        self.save(factor)
        return factor

    def backward(self, grad_output: Any) -> Any:
        (factor,) = self.saved
        xp = array_module(raw(factor))
        n, dtype = raw(factor).shape[-1], raw(factor).dtype
        mask = (xp.tri(n, dtype=dtype) + xp.tri(n, k=-1, dtype=dtype)) / 4
        phi = Bmm.apply(factor, grad_output, left=True) * mask
        middle = phi + transpose(phi, -1, -2)
        half = Solve.apply(factor, middle, transposed=True)  # L⁻ᵀ·M;  (L⁻ᵀ·(L⁻ᵀ·M)ᵀ)ᵀ = L⁻ᵀ·M·L⁻¹
        return transpose(Solve.apply(factor, transpose(half, -1, -2), transposed=True), -1, -2)


def check_square(name: str, argument: Any, kernel: str = "") -> Array:
    """The array of a batch of square matrices of a floating-point dtype; RuntimeError if it is anything else."""
    (a,) = arrays_of(name, ("A",), argument)
    _check_shape(name, a)
    if a.dtype.kind != "f":
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {legacy_name(a)}")
    if a.dtype.char == "e":
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {legacy_name(a)}")
    return a


def _check_shape(name: str, a: Array) -> None:
    if a.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if a.shape[-1] != a.shape[-2]:
        sizes = f"{a.shape[-2]} by {a.shape[-1]}"
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are {sizes} matrices")


@autocasts
def inv(A: Any, *, out: Any = None) -> Any:
    """The inverse: A⁻¹·A = A·A⁻¹ = 1.

    Shapes: (…, n, n) → (…, n, n)
    Gradient: −A⁻ᵀ · G · A⁻ᵀ
    Raises: LinAlgError (a RuntimeError) for a singular matrix; RuntimeError if ``A`` is not square or not of a
    floating-point dtype.
    Numerics: to apply A⁻¹ to something use ``solve``, which is faster and more accurate.

    >>> import minitorch as torch
    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_square("linalg.inv", A)
    return write_out(Inv.apply(A), out)


def inverse(input: Any, *, out: Any = None) -> Any:
    """See ``linalg.inv``."""
    return inv(input, out=out)


@autocasts
def solve(A: Any, B: Any, *, left: bool = True, out: Any = None) -> Any:
    """X with A·X = B, or X·A = B if not ``left``.

    Shapes: A (…, n, n), B (…, n, k) → (…, n, k), the batch dimensions broadcast; or a vector for each matrix:
    B (n), or B (…, n) where … are exactly A's batch dimensions → (…, n).
    Gradient: A⁻ᵀ · G for ``B``, −(A⁻ᵀ · G) · Xᵀ for ``A``.
    Raises: LinAlgError for a singular matrix; RuntimeError if sizes or dtypes do not fit.

    >>> import minitorch as torch
    >>> torch.linalg.solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([1.0, 2.0]))
    tensor([0.5000, 0.5000])
    """
    a = check_square("linalg.solve", A)
    _, b = arrays_of("linalg.solve", ("A", "B"), A, B)
    if a.dtype != b.dtype:
        names = f"A of type {legacy_name(a)} and B of type {legacy_name(b)}"
        raise RuntimeError(f"linalg.solve: Expected A and B to have the same dtype, but found {names} instead")
    is_vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    right_side = unsqueeze(B, -1) if is_vector else B
    rows, columns = raw(right_side).shape[-2:]
    if (rows if left else columns) != a.shape[-1]:
        sizes = f"({a.shape[-1]}x{a.shape[-1]} and {rows}x{columns})"
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(f"linalg.solve: Incompatible shapes of A and B for the equation {equation} {sizes}")
    check_broadcastable(a.shape[:-2], raw(right_side).shape[:-2])
    if left:
        result = Solve.apply(A, right_side)
    else:  # Aᵀ · Xᵀ = Bᵀ
        result = transpose(Solve.apply(A, transpose(right_side, -1, -2), transposed=True), -1, -2)
    return write_out(squeeze(result, -1) if is_vector else result, out)


def det(A: Any, *, out: Any = None) -> Any:
    """The determinant.

    Shapes: (…, n, n) → (…)
    Gradient: G · cof A, the matrix of cofactors; also for singular matrices (torch gives 0 for all of these).
    Raises: RuntimeError as ``inv``.

    >>> import minitorch as torch
    >>> torch.linalg.det(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(-2.)
    """
    check_square("linalg.det", A)
    return write_out(Det.apply(A), out)


def slogdet(A: Any, *, out: Any = None) -> Any:
    """Sign and logarithm of the absolute value of the determinant, which itself may over- or underflow.

    Shapes: (…, n, n) → (…), (…)
    Gradient: G · A⁻ᵀ of the logarithm; none of the sign.
    Raises: RuntimeError as ``inv``; LinAlgError in the gradient of a singular matrix.

    >>> import minitorch as torch
    >>> torch.linalg.slogdet(torch.tensor([[-1.0, 0.0], [0.0, 1.0]]))
    torch.return_types.linalg_slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(0.))
    """
    check_square("linalg.slogdet", A)
    return return_types.linalg_slogdet(*write_out(Slogdet.apply(A), out))


def slogdet_of_tensor(input: Any) -> Any:
    """``torch.slogdet``: as ``linalg.slogdet``, in a named tuple of its own name."""
    return return_types.slogdet(*slogdet(input))


def logdet(input: Any) -> Any:
    """The logarithm of the determinant: nan where that is negative, -inf where it is 0.

    Shapes: (…, n, n) → (…)
    Raises: RuntimeError as ``linalg.inv``.

    >>> import minitorch as torch
    >>> torch.logdet(torch.eye(3))
    tensor(0.)
    """
    sign, logarithm = slogdet(input)
    xp = array_module(raw(sign))
    return logarithm + xp.where(raw(sign) < 0, xp.nan, 0).astype(raw(sign).dtype)


@autocasts
def cholesky(A: Any, *, upper: bool = False, out: Any = None) -> Any:
    """The lower triangular matrix L with A = L·Lᵀ, for a symmetric positive-definite A.

    Shapes: (…, n, n) → (…, n, n)
    Args: upper: return Lᵀ instead.
    Raises: LinAlgError if ``A`` is not positive-definite; RuntimeError as ``inv``.
    Numerics: only the lower triangle of ``A`` is read; its gradient is symmetric all the same.

    >>> import minitorch as torch
    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 10.0]]))
    tensor([[2., 0.],
            [1., 3.]])
    """
    check_square("linalg.cholesky", A)
    factor = Cholesky.apply(A)
    return write_out(transpose(factor, -1, -2) if upper else factor, out)


def cholesky_of_tensor(input: Any, upper: bool = False, *, out: Any = None) -> Any:
    """``torch.cholesky``: see ``linalg.cholesky``."""
    return cholesky(input, upper=upper, out=out)


def matrix_power(A: Any, n: int, *, out: Any = None) -> Any:
    """A·A·…·A, n times; for a negative n the same of the inverse; for 0 the identity.

    Shapes: (…, n, n) → (…, n, n)
    Raises: RuntimeError if ``A`` is not square; LinAlgError for a negative power of a singular matrix.
    Numerics: by repeated squaring, about 2·log₂ n products.

    >>> import minitorch as torch
    >>> torch.linalg.matrix_power(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), 10)
    tensor([[ 1., 10.],
            [ 0.,  1.]])
    """
    if isinstance(n, float) or not hasattr(n, "__index__"):
        raise TypeError(f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    (a,) = arrays_of("linalg.matrix_power", ("A",), A)
    _check_shape("linalg.matrix_power", a)
    return write_out(_power(A, operator.index(n)), out)


def _power(A: Any, n: int) -> Any:
    if n < 0:
        return _power(inv(A), -n)
    if n == 0:  # the identity, which does not depend on A: its gradient is 0
        a = raw(A)
        xp = array_module(a)
        return keep_where(xp.zeros(a.shape, dtype=bool), A) + xp.eye(a.shape[-1], dtype=a.dtype)
    if n == 1:
        return Clone.apply(A)
    result, square = None, A
    while n:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        square = matmul(square, square) if n else square
    return result
