"""``torch.linalg``: linear algebra under torch's names; the mathematics is in ``ops/``."""

# norms
from minitorch.ops.matrix_norm import matrix_norm
from minitorch.ops.norm import linalg_norm as norm
from minitorch.ops.vector_norm import vector_norm

# products
from minitorch.ops.matmul import matmul
from minitorch.ops.multi_dot import multi_dot
from minitorch.ops.vector_products import linalg_cross as cross
from minitorch.ops.vector_products import vecdot

# inverses, determinants, factors
from minitorch.ops.linear_algebra import LinAlgError, cholesky, det, inv, matrix_power, slogdet, solve

__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "multi_dot",
    "norm",
    "slogdet",
    "solve",
    "vecdot",
    "vector_norm",
]
