"""Rows of a table by number (``embedding``) and numbers as rows of zeros and a one (``one_hot``).

The two belong together: embedding(i, W) = one_hot(i) · W, computed by looking the rows up.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.backend import Array, add_at, array_module, device_of, is_on_cpu, row_major, to_device
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.index_along import index_outside
from minitorch.ops.indexing import AddPicked


class Embedding(Function):
    """The rows ``indices`` of the table;  each row of the table gets the sum of the gradients of its uses."""

    def forward(
        self, weight: Array, *, indices: Array, padding_idx: int | None = None, scale_grad_by_freq: bool = False
    ) -> Array:
        self.indices, self.weight_shape = indices, weight.shape
        self.padding_idx, self.scale_grad_by_freq = padding_idx, scale_grad_by_freq
        return weight[indices]

    def backward(self, grad_output: Any) -> Any:
        if self.padding_idx is not None or self.scale_grad_by_freq:
            grad_output = grad_output * self._factors(raw(grad_output))
        return AddPicked.apply(grad_output, index=(self.indices,), shape=self.weight_shape)

    def _factors(self, like: Array) -> Array:
        """For each looked-up row what its gradient is multiplied by."""
        xp, rows = array_module(like), self.indices
        factors = xp.ones(rows.shape, like.dtype)
        if self.scale_grad_by_freq:
            uses = xp.zeros(self.weight_shape[0], like.dtype)
            add_at(uses, rows.reshape(-1), xp.ones(rows.size, like.dtype))
            factors = factors / uses[rows]
        if self.padding_idx is not None:
            factors = xp.where(rows == self.padding_idx, xp.zeros_like(factors), factors)
        return factors.reshape((*rows.shape, 1))


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Rows of ``weight`` by number: result[…, :] = weight[input[…], :].

    Shapes: input (…), of int64 or int32; weight (V, D); result (…, D).
    Gradient: row v of the table gets the sum of the gradients of its uses (their mean with
    ``scale_grad_by_freq``); row ``padding_idx`` gets none.
    Args: max_norm: rows that are used and have a larger ``norm_type``-norm are first scaled down to it, in place
    and without being recorded.
    Raises: IndexError for a number out of range; RuntimeError for an input that is not of integers or a weight
    that is not a matrix; AssertionError, as torch, for ``padding_idx`` out of range; NotImplementedError for
    ``sparse=True``.

    >>> import minitorch as torch
    >>> table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.nn.functional.embedding(torch.tensor([1, 0, 1]), table)
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    if sparse:
        raise NotImplementedError("embedding: sparse=True needs sparse tensors, which minitorch does not have")
    table, numbers = raw(weight), raw(input)
    if table.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if numbers.dtype not in ("int64", "int32"):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
            f"got torch.{from_numpy_dtype(numbers.dtype).legacy_name}Tensor instead (while checking arguments for "
            "embedding)"
        )
    padding_idx = _padding_row(padding_idx, table.shape[0])
    if index_outside(numbers, table.shape[0]) is not None:
        raise IndexError("index out of range in self")
    indices = to_device(numbers, device_of(table))
    if max_norm is not None:
        _shorten_rows(weight, indices, max_norm, norm_type)
    return Embedding.apply(weight, indices=indices, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq)


def _padding_row(padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def _shorten_rows(weight: Any, indices: Array, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are used and longer than ``max_norm`` down to it, in place."""
    table = raw(weight)
    xp = array_module(table)
    rows = xp.unique(indices)
    used = xp.abs(table[rows])
    norms = used.max(1) if norm_type == float("inf") else (used**norm_type).sum(1) ** (1 / norm_type)
    scale = xp.where(norms > max_norm, max_norm / (norms + 1e-7), xp.ones_like(norms))
    table[rows] = table[rows] * scale.reshape(-1, 1).astype(table.dtype)
    if isinstance(weight, Variable):
        weight.bump_version()


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """For each class number a row of zeros with a one at that place; int64.

    ``num_classes`` −1 means one more than the largest number.
    Raises: RuntimeError for numbers that are negative or not below ``num_classes``, for other dtypes than int64,
    and where the number of classes cannot be inferred. On a GPU, which would have to be waited for, such numbers get
    rows of zeros.

    >>> import minitorch as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    numbers = raw(tensor)
    if numbers.dtype != "int64":
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if numbers.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    may_look = numbers.size > 0 and is_on_cpu(numbers)
    if may_look and numbers.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(numbers.max()) + 1
    elif may_look and num_classes <= numbers.max():
        raise RuntimeError("Class values must be smaller than num_classes.")
    rows = row_major((numbers[..., None] == array_module(numbers).arange(num_classes)).astype("int64"))
    return wrap(rows, tensor.result_class) if isinstance(tensor, Variable) else rows
