"""Sums of products of two tensors whose dimensions have names: the core of ``einsum`` and ``tensordot``.

With the dimensions of A, B and the result C named by letters, each letter is of one of four kinds:

    batch       in A, in B and in C       'b' in  bij,bjk->bik
    contracted  in A and in B, not in C   'j'
    left        in A and in C             'i'
    right       in B and in C             'k'

Brought into the order A (batch, left, contracted), B (batch, contracted, right) the sum is a batch of matrix
products, and runs at their speed. The four kinds are symmetric in A, B and C: so the gradient of A is again such
a contraction, of G and B, and the Function below is closed under differentiation.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.backend import Array
from minitorch.ops.matmul import multiply

Labels = tuple[Any, ...]  # the names of the dimensions of one tensor, all different


class Contract(Function):
    """C[result] = Σ A[left labels] · B[right labels] over the labels that ``result`` lacks.

    Every label occurs in exactly two or three of the three tuples, and has one size.
    """

    backward_name = "ViewBackward0"  # torch reshapes the result of its bmm last

    def forward(self, a: Array, b: Array, *, labels: tuple[Labels, Labels, Labels]) -> Array:
        needs_a, needs_b = self.needs_input_grad[:2]
        self.save(a if needs_b else None, b if needs_a else None)
        self.labels = labels
        return contract(a, b, *labels)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        of_a, of_b, of_result = self.labels
        grad_a = None if b is None else Contract.apply(grad_output, b, labels=(of_result, of_b, of_a))
        grad_b = None if a is None else Contract.apply(a, grad_output, labels=(of_a, of_result, of_b))
        return grad_a, grad_b


def contract(a: Array, b: Array, of_a: Labels, of_b: Labels, of_result: Labels) -> Array:
    """The raw contraction."""
    in_b, in_result = set(of_b), set(of_result)
    batch = [label for label in of_a if label in in_b and label in in_result]
    contracted = [label for label in of_a if label not in in_result]
    left = [label for label in of_a if label not in in_b]
    right = [label for label in of_b if label not in set(of_a)]
    sizes = {**dict(zip(of_a, a.shape)), **dict(zip(of_b, b.shape))}
    B, N, K, M = [math.prod([sizes[label] for label in group]) for group in (batch, left, contracted, right)]
    a = in_order(a, of_a, [*batch, *left, *contracted]).reshape(B, N, K)
    b = in_order(b, of_b, [*batch, *contracted, *right]).reshape(B, K, M)
    found = [*batch, *left, *right]
    result = _products(a, b).reshape([sizes[label] for label in found])
    return in_order(result, found, of_result)


def in_order(array: Array, found: Any, wanted: Any) -> Array:
    """A view of ``array``, whose dimensions are named ``found``, with its dimensions in the order ``wanted``."""
    return array.transpose([found.index(label) for label in wanted]) if found else array


def _products(a: Array, b: Array) -> Array:
    """(B, N, K) times (B, K, M), with a way around the loop over many tiny products that BLAS would be called for."""
    if a.shape[0] == 1:
        return multiply(a[0], b[0])
    if a.shape[2] == 1:
        return a * b
    if a.shape[1] == b.shape[2] == 1:
        return _row_sums(a[:, 0] * b[:, :, 0])
    return multiply(a, b)


def _row_sums(products: Array) -> Array:
    if products.dtype.char == "e":
        return products.sum(axis=1, dtype="float32").astype("float16")
    return products.sum(axis=1, dtype=products.dtype)
