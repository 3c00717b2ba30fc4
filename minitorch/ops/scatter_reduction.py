"""``scatter_reduce``: many values for one place become one, by sum, product, mean, largest or smallest.

No array library scatters with every operation on every device. So the values are sorted by the place they go
to, and each is combined with the one 1, 2, 4, … further on if that goes to the same place: ⌈log₂ n⌉ rounds for n values
of one place, each of them plain vector arithmetic. Then the first value of a place holds the result of all.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, as_array_of, is_on_cpu
from minitorch.ops.assignment import IndexPut
from minitorch.ops.indexing import AddPicked, Index

_COMBINE = {"sum": "add", "mean": "add", "prod": "multiply", "amax": "maximum", "amin": "minimum"}


class ScatterReduce(Function):
    """The input with ``src`` reduced into the places that ``index`` picks.

    Gradient: sum g, mean g / n, prod g · (product of the others), amax and amin g / (number of equal largest or
    smallest values) where the value is the largest or smallest.
    """

    def forward(
        self,
        input: Array,
        src: Any,
        *,
        index: tuple[Array, ...],
        reduce: str,
        include_self: bool = True,
        has_gradient: bool = True,
    ) -> Array:
        self.index, self.reduce, self.include_self, self.has_gradient = index, reduce, include_self, has_gradient
        xp = array_module(input)
        result = input.copy()
        positions = xp.arange(input.size).reshape(input.shape)[index]
        values = xp.broadcast_to(as_array_of(xp, src), positions.shape).reshape(-1)
        _reduce_into(result.reshape(-1), positions.reshape(-1), values, reduce, include_self)
        if has_gradient:
            self.save(input, src, result)
        return result

    def backward(self, grad_output: Any) -> Any:
        if not self.has_gradient:
            raise RuntimeError("derivative for aten::scatter is not implemented")
        input, src, result = self.saved
        grad_input, grad_src = getattr(self, f"_backward_{self.reduce}")(grad_output, input, src, result)
        if not self.include_self:
            grad_input = IndexPut.apply(grad_input, 0, index=self.index)
        needs_input, needs_src = self.needs_input_grad[:2]
        return (grad_input if needs_input else None), (grad_src if needs_src else None)

    def _pick(self, value: Any) -> Any:
        return Index.apply(value, index=self.index)

    def _add(self, value: Any) -> Any:
        return AddPicked.apply(value, index=self.index, shape=self.output_shapes[0])

    def _backward_sum(self, grad_output: Any, input: Any, src: Any, result: Any) -> tuple[Any, Any]:
        return grad_output, self._pick(grad_output)

    def _backward_mean(self, grad_output: Any, input: Any, src: Any, result: Any) -> tuple[Any, Any]:
        xp = array_module(raw(src))
        count = self._add(xp.ones_like(raw(src))) + int(self.include_self)
        shared = grad_output / xp.where(count == 0, xp.ones_like(count), count)
        return shared, self._pick(shared)

    def _backward_amax(self, grad_output: Any, input: Any, src: Any, result: Any) -> tuple[Any, Any]:
        dtype = raw(src).dtype
        input_is_it = (raw(input) == raw(result)).astype(dtype)
        src_is_it = (raw(src) == self._pick(raw(result))).astype(dtype)
        shared = grad_output / (input_is_it + self._add(src_is_it))
        return shared * input_is_it, self._pick(shared) * src_is_it

    _backward_amin = _backward_amax

    def _backward_prod(self, grad_output: Any, input: Any, src: Any, result: Any) -> tuple[Any, Any]:
        """The product of the others is result / value; where a value is zero, that is computed anew without it."""
        xp, array = array_module(raw(src)), raw(src)
        is_zero = raw(input) == 0
        filled = input + is_zero.astype(array.dtype)  # zeros of the input become ones
        grad_input = grad_output * self._again(filled, src) / filled
        src_is_zero = (array == 0).astype(array.dtype)
        is_only_zero = src_is_zero * (self._pick(self._add(src_is_zero)) == 1)
        without = self._again(input, src + is_only_zero)
        ratio = self._pick(grad_output * result) / (src + src_is_zero)
        only = is_only_zero.astype(array.dtype)
        others = xp.ones_like(only) - only
        return grad_input, self._pick(grad_output * without) * only + ratio * others

    def _again(self, input: Any, src: Any) -> Any:
        return ScatterReduce.apply(input, src, index=self.index, reduce="prod", include_self=self.include_self)


def _reduce_into(target: Array, positions: Array, values: Array, reduce: str, include_self: bool) -> None:
    """Reduce each value into target[position], one-dimensional all of them."""
    if positions.size == 0:
        return
    xp, combine = array_module(target), getattr(array_module(target), _COMBINE[reduce])
    order = xp.argsort(positions, kind="stable")
    positions, values = positions[order], values[order]
    values, counts = _combine_runs(positions, values, combine)
    places = xp.arange(target.size)
    first = xp.minimum(xp.searchsorted(positions, places), positions.size - 1)
    values, counts, is_reached = values[first], counts[first], positions[first] == places
    if include_self:
        values, counts = combine(target, values), counts + 1
    if reduce == "mean":
        values = values // counts if target.dtype.kind in "iu" else values / counts
    target[...] = xp.where(is_reached, values.astype(target.dtype), target)


def _combine_runs(positions: Array, values: Array, combine: Any) -> tuple[Array, Array]:
    """For each value: all from it to the last of its position combined, and how many these are."""
    xp = array_module(values)
    counts, step = xp.ones(positions.shape, "int64"), 1
    while step < positions.size:
        is_same = positions[step:] == positions[:-step]
        if is_on_cpu(values) and not is_same.any():  # a GPU is not waited for: it does all rounds
            break
        combined = xp.where(is_same, combine(values[:-step], values[step:]), values[:-step])
        values = xp.concatenate([combined, values[-step:]])
        counts = xp.concatenate([counts[:-step] + xp.where(is_same, counts[step:], 0), counts[-step:]])
        step *= 2
    return values, counts
