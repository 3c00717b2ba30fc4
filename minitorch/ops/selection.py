"""Reductions that *choose* elements along a dimension: the base of max, sort, median, topk and their relatives.

Each of them finds positions (``choose``); values and gradients then follow from the positions alone: a value
is read there, and its gradient is put back there (``Deposit``).
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, add_at, array_module, row_major
from minitorch.ops.scatter import full_index
from minitorch.ops.shape import reshape


class Take(Function):
    """The elements at fixed positions along ``dim``; those taken twice get the sum of both gradients."""

    def forward(self, input: Array, *, indices: Array, dim: int) -> Array:
        self.indices, self.dim, self.input_shape = indices, dim, input.shape
        return array_module(input).take_along_axis(input, indices, axis=dim)

    def backward(self, grad_output: Any) -> Any:
        options = {"indices": self.indices, "shape": self.input_shape, "dim": self.dim}
        return Deposit.apply(grad_output, repeats=True, **options)


class Deposit(Function):
    """Zeros of ``shape`` with each value put at its place along ``dim``: the gradient of ``Take``.

    ``repeats``: several values may go to one place, where they add up.
    """

    def forward(
        self, value: Array, *, indices: Array, shape: tuple[int, ...], dim: int, repeats: bool = False
    ) -> Array:
        self.indices, self.dim = indices, dim
        xp = array_module(indices)
        result = xp.zeros(shape, value.dtype)
        if repeats:
            add_at(result, full_index(indices, dim), value)
        else:
            xp.put_along_axis(result, indices, value, axis=dim)
        return result

    def backward(self, grad_output: Any) -> Any:
        return Take.apply(grad_output, indices=self.indices, dim=self.dim)


class Choice(Function):
    """(values, indices) of elements chosen along ``dim``. Subclasses say how, in ``choose``.

    ``repeats``: an element may be chosen more than once, so that gradients must be added, not written.
    """

    repeats = False

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        """The positions along ``dim``, which stays as a dimension of size 1 in a reduction."""
        raise NotImplementedError

    def forward(self, input: Array, *, dim: int, keepdim: bool = True, **options: Any) -> Any:
        self.dim, self.input_shape = dim, input.shape
        line = input if input.ndim else input.reshape(1)  # a 0-d tensor is a line of one element
        indices = row_major(self.choose(line, dim, **options))
        self.chosen_shape = indices.shape
        values = row_major(array_module(input).take_along_axis(line, indices, axis=dim))
        if input.ndim == 0:
            values, indices = values.reshape(()), indices.reshape(())
        elif not keepdim:
            values, indices = values.squeeze(dim), indices.squeeze(dim)
        self.save(indices)
        return values, indices

    def backward(self, grad_values: Any, grad_indices: Any) -> Any:
        indices = raw(self.saved[0]).reshape(self.chosen_shape)
        grad_values = reshape(grad_values, self.chosen_shape)
        shape = self.input_shape or (1,)
        grad = Deposit.apply(grad_values, indices=indices, shape=shape, dim=self.dim, repeats=self.repeats)
        return reshape(grad, self.input_shape)


def size_along(input: Any, dim: int) -> int:
    """The size of ``dim``; 1 for a 0-d tensor."""
    array = raw(input)
    return int(array.shape[dim]) if array.ndim else 1


def along(positions: Array, dim: int, ndim: int) -> Array:
    """A 1-d array laid along ``dim`` of ``ndim`` dimensions, so that it broadcasts over the others."""
    shape = [1] * ndim
    shape[dim] = -1
    return positions.reshape(shape)


def stable_order(input: Array, dim: int, descending: bool = False) -> Array:
    """The positions that sort ``input`` along ``dim``; equals keep their order, nan counts as the largest.

    Descending is not ascending read backwards, as that would turn equals round: the input is turned round too.
    """
    xp = array_module(input)
    if not descending:
        return xp.argsort(input, axis=dim, kind="stable")
    order = xp.argsort(xp.flip(input, dim), axis=dim, kind="stable")
    return input.shape[dim] - 1 - xp.flip(order, dim)
