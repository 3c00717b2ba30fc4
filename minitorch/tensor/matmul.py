"""Tensor's matrix products; the mathematics is in ``ops/matmul.py`` and its siblings."""

from __future__ import annotations

from typing import Any, TypeVar

from minitorch.autograd.inplace import apply_inplace
from minitorch.autograd.variable import Variable
from minitorch.ops import addmm as added
from minitorch.ops import linear_algebra
from minitorch.ops import matmul as ops
from minitorch.ops.einsum import kron
from minitorch.ops.vector_products import cross

T = TypeVar("T", bound="MatrixMethods")


class MatrixMethods(Variable):
    """``a @ b`` and its relatives."""

    def __matmul__(self: T, other: Any) -> T:
        return ops.matmul(self, other) if isinstance(other, Variable) else NotImplemented

    def __rmatmul__(self: T, other: Any) -> T:
        return ops.matmul(other, self) if isinstance(other, Variable) else NotImplemented

    def matmul(self: T, tensor2: Any) -> T:
        """See ``minitorch.matmul``."""
        return ops.matmul(self, tensor2)

    def mm(self: T, mat2: Any) -> T:
        """See ``minitorch.mm``."""
        return ops.mm(self, mat2)

    def bmm(self: T, batch2: Any) -> T:
        """See ``minitorch.bmm``."""
        return ops.bmm(self, batch2)

    def mv(self: T, vec: Any) -> T:
        """See ``minitorch.mv``."""
        return ops.mv(self, vec)

    def dot(self: T, tensor2: Any) -> T:
        """See ``minitorch.dot``."""
        return ops.dot(self, tensor2)

    def vdot(self: T, other: Any) -> T:
        """See ``minitorch.vdot``."""
        return ops.vdot(self, other)

    def inner(self: T, other: Any) -> T:
        """See ``minitorch.inner``."""
        return ops.inner(self, other)

    def outer(self: T, vec2: Any) -> T:
        """See ``minitorch.outer``."""
        return ops.outer(self, vec2)

    def ger(self: T, vec2: Any) -> T:
        """See ``minitorch.outer``."""
        return ops.outer(self, vec2)

    def addmm(self: T, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """See ``minitorch.addmm``."""
        return added.addmm(self, mat1, mat2, beta=beta, alpha=alpha)

    def addmm_(self: T, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """``addmm`` in place."""
        return apply_inplace(self, lambda old: added.addmm(old, mat1, mat2, beta=beta, alpha=alpha))

    def addmv(self: T, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """See ``minitorch.addmv``."""
        return added.addmv(self, mat, vec, beta=beta, alpha=alpha)

    def addmv_(self: T, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """``addmv`` in place."""
        return apply_inplace(self, lambda old: added.addmv(old, mat, vec, beta=beta, alpha=alpha))

    def addr(self: T, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """See ``minitorch.addr``."""
        return added.addr(self, vec1, vec2, beta=beta, alpha=alpha)

    def addr_(self: T, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """``addr`` in place."""
        return apply_inplace(self, lambda old: added.addr(old, vec1, vec2, beta=beta, alpha=alpha))

    def baddbmm(self: T, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """See ``minitorch.baddbmm``."""
        return added.baddbmm(self, batch1, batch2, beta=beta, alpha=alpha)

    def baddbmm_(self: T, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """``baddbmm`` in place."""
        return apply_inplace(self, lambda old: added.baddbmm(old, batch1, batch2, beta=beta, alpha=alpha))

    def addbmm(self: T, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """See ``minitorch.addbmm``."""
        return added.addbmm(self, batch1, batch2, beta=beta, alpha=alpha)

    def addbmm_(self: T, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> T:
        """``addbmm`` in place."""
        return apply_inplace(self, lambda old: added.addbmm(old, batch1, batch2, beta=beta, alpha=alpha))

    def kron(self: T, other: Any) -> T:
        """See ``minitorch.kron``."""
        return kron(self, other)

    def cross(self: T, other: Any, dim: int | None = None) -> T:
        """See ``minitorch.cross``."""
        return cross(self, other, dim)

    def det(self: T) -> T:
        """See ``minitorch.linalg.det``."""
        return linear_algebra.det(self)

    def slogdet(self) -> Any:
        """See ``minitorch.linalg.slogdet``."""
        return linear_algebra.slogdet_of_tensor(self)

    def logdet(self: T) -> T:
        """See ``minitorch.logdet``."""
        return linear_algebra.logdet(self)

    def inverse(self: T) -> T:
        """See ``minitorch.linalg.inv``."""
        return linear_algebra.inv(self)

    def cholesky(self: T, upper: bool = False) -> T:
        """See ``minitorch.linalg.cholesky``."""
        return linear_algebra.cholesky(self, upper=upper)

    def matrix_power(self: T, n: int) -> T:
        """See ``minitorch.linalg.matrix_power``."""
        return linear_algebra.matrix_power(self, n)
