"""Matrix product: of two matrices first, then of vectors and of whole batches of matrices."""

import numpy as np

from reference.elementwise import broadcast_index, broadcast_shape


def mm(input, mat2):
    """Product of two matrices.

    Formula: output[n, m] = Σ_k input[n, k] · mat2[k, m]
    Shapes: input (N, K), mat2 (K, M) → (N, M)
    """
    N, K = input.shape
    _, M = mat2.shape
    output = np.zeros((N, M))
    for n in range(N):
        for m in range(M):
            for k in range(K):
                output[n, m] += input[n, k] * mat2[k, m]
    return output


def matmul(input, other):
    """Matrix product of vectors, matrices or batches of matrices.

    Formula: output[…, n, m] = Σ_k input[…, n, k] · other[…, k, m]
    Shapes: input (…, N, K), other (…, K, M) → (…, N, M); the leading sizes broadcast. A vector on
    the left is a matrix of one row, on the right of one column, and that row or column is dropped
    from the result.
    """
    left, right = as_matrices(input, other)
    output = np.zeros(product_shape(left.shape, right.shape))
    for place, left_place, right_place in multiplications(left.shape, right.shape):
        output[place] += left[left_place] * right[right_place]
    return output.reshape(result_shape(input, other))


def matmul_gradient(grad_output, input, other):
    """Return (grad_input, grad_other).

    Gradient: grad_input[…, n, k] = Σ_m grad_output[…, n, m] · other[…, k, m], that is G · otherᵀ;
    grad_other[…, k, m] = Σ_n input[…, n, k] · grad_output[…, n, m], that is inputᵀ · G;
    a matrix that was broadcast collects the gradient of every product it took part in.
    """
    left, right = as_matrices(input, other)
    grad_output = np.reshape(grad_output, product_shape(left.shape, right.shape))
    grad_left, grad_right = np.zeros(left.shape), np.zeros(right.shape)
    for place, left_place, right_place in multiplications(left.shape, right.shape):
        grad_left[left_place] += grad_output[place] * right[right_place]
        grad_right[right_place] += grad_output[place] * left[left_place]
    return grad_left.reshape(input.shape), grad_right.reshape(other.shape)


def multiplications(left_shape, right_shape):
    """Yield, for every single multiplication, its place in (output, left, right)."""
    N, K = left_shape[-2:]
    _, M = right_shape[-2:]
    for batch in np.ndindex(*broadcast_shape(left_shape[:-2], right_shape[:-2])):
        left_batch = broadcast_index(batch, left_shape[:-2])
        right_batch = broadcast_index(batch, right_shape[:-2])
        for n, m, k in np.ndindex(N, M, K):
            yield (*batch, n, m), (*left_batch, n, k), (*right_batch, k, m)


def as_matrices(input, other):
    """Return the inputs with a left vector as one row and a right vector as one column."""
    left = input.reshape(1, -1) if input.ndim == 1 else input
    right = other.reshape(-1, 1) if other.ndim == 1 else other
    return left, right


def product_shape(left_shape, right_shape):
    """Return the shape (…, N, M) of the product of (…, N, K) and (…, K, M)."""
    return (*broadcast_shape(left_shape[:-2], right_shape[:-2]), left_shape[-2], right_shape[-1])


def result_shape(input, other):
    """Return the shape of matmul(input, other): vectors leave no row or column behind."""
    rows = () if input.ndim == 1 else (input.shape[-2],)
    columns = () if other.ndim == 1 else (other.shape[-1],)
    return (*broadcast_shape(input.shape[:-2], other.shape[:-2]), *rows, *columns)
