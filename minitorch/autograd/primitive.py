"""The few operations that autograd itself needs: broadcasting and its adjoint, cast, copy, write into a view.

A value that was repeated to a larger shape receives the *sum* of the gradients of its copies. The engine
applies this rule wherever a gradient comes back larger than its input, so that ``Add.backward`` can say
``return grad_output, grad_output`` whatever the shapes were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.autograd.views import follow
from minitorch.backend import Array, array_module, copy_in_order, is_dense, is_on_cpu, order_of
from minitorch.backend.reduction import sum_axes


def broadcast_axes(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of ``shape`` along which a value of shape ``target`` was repeated."""
    leading = len(shape) - len(target)
    repeated = [leading + i for i, size in enumerate(target) if size == 1 and shape[leading + i] != 1]
    return (*range(leading), *repeated)


def is_broadcastable_to(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a value of shape ``shape`` can be repeated to ``target``.

    >>> is_broadcastable_to((3, 1), (2, 3, 4)), is_broadcastable_to((3,), (2,))
    (True, False)
    """
    if len(shape) > len(target):
        return False
    return all(size in (1, wanted) for size, wanted in zip(reversed(shape), reversed(target)))


def sum_array_to_shape(array: Array, shape: tuple[int, ...]) -> Array:
    """The raw computation of ``SumToShape``; float16 is added up in float32."""
    axes = broadcast_axes(array.shape, shape)
    if not is_on_cpu(array) and (total := sum_axes(array, axes)) is not None:
        return total.reshape(shape)
    dtype = "float32" if array.dtype == "float16" else array.dtype
    return array.sum(axis=axes, keepdims=True, dtype=dtype).reshape(shape).astype(array.dtype, copy=False)


class SumToShape(Function):
    """Sum over the axes along which a value of ``shape`` was broadcast."""

    def forward(self, value: Array, *, shape: tuple[int, ...]) -> Array:
        self.input_shape = value.shape
        return sum_array_to_shape(value, shape)

    def backward(self, grad_output: Any) -> Any:
        return BroadcastTo.apply(grad_output, shape=self.input_shape)


class BroadcastTo(Function):
    """Repeat a value along new or size-1 axes, without copying: a view of stride 0."""

    backward_name = "ExpandBackward0"
    is_view = True

    def forward(self, value: Array, *, shape: tuple[int, ...]) -> Array:
        self.input_shape = value.shape
        # Not broadcast_to: NumPy's result is read-only, and torch lets one write into an expanded tensor.
        strides = [0] * (len(shape) - value.ndim)
        for size, wanted, stride in zip(value.shape, shape[len(strides) :], value.strides):
            strides.append(stride if size == wanted else 0)
        return array_module(value).lib.stride_tricks.as_strided(value, shape, strides)

    def backward(self, grad_output: Any) -> Any:
        return SumToShape.apply(grad_output, shape=self.input_shape)


class Cast(Function):
    """The value in another dtype; its gradient goes back to the value's own."""

    backward_name = "ToCopyBackward0"

    def forward(self, value: Array, *, dtype: Any) -> Array:
        self.input_dtype = value.dtype
        if is_dense(value):
            return value.astype(dtype)
        return copy_in_order(value, order_of(value.shape, value.strides), dtype)

    def backward(self, grad_output: Any) -> Any:
        return Cast.apply(grad_output, dtype=self.input_dtype)


class Clone(Function):
    """A copy in memory of its own."""

    def forward(self, value: Array) -> Array:
        if 0 in value.strides:  # "K" would put repeated dimensions last
            return copy_in_order(value, order_of(value.shape, value.strides))
        return value.copy(order="K")

    def backward(self, grad_output: Any) -> Any:
        return grad_output


class AssignView(Function):
    """A base after ``follow(replay, base)[...] = value``: what an in-place change of a view does to the base.

    Gradient: the base gets the output's gradient with the view's part set to zero, the value gets that part.
    ``strides`` are the base's: whether a step gives a view at all depends on the memory layout.
    """

    backward_name = "CopySlices"

    def forward(
        self, base: Array, value: Array, *, replay: tuple[Callable[[Any], Any], ...], strides: tuple[int, ...]
    ) -> Array:
        self.replay, self.strides = replay, strides
        result = copy_with_strides(base, strides)
        follow(replay, result)[...] = value
        return result

    @classmethod
    def record(cls, base: Any, value: Any, replay: tuple[Callable[[Any], Any], ...]) -> None:
        """Give ``base``, whose memory has been changed already, the history that the change means."""
        node = cls()
        node.replay, node.strides = (*base.undo, *replay), base.array.strides
        node._connect((base, value))
        node._record((base,), base.result_class)

    def backward(self, grad_output: Any) -> Any:
        needs_base, needs_value = self.needs_input_grad[:2]
        part = follow(self.replay, grad_output)
        grad_base = None
        if needs_base:
            zero = array_module(raw(part)).zeros_like(raw(part))
            grad_base = AssignView.apply(grad_output, zero, replay=self.replay, strides=self.strides)
        return grad_base, (Clone.apply(part) if needs_value else None)


def copy_with_strides(array: Array, strides: tuple[int, ...]) -> Array:
    """A copy of ``array`` that is laid out in memory as ``strides`` say."""
    copy = array.copy()
    if copy.strides == strides or copy.size == 0:
        return copy
    xp = array_module(array)
    extent = 1 + sum([(size - 1) * stride for size, stride in zip(array.shape, strides)]) // array.dtype.itemsize
    result = xp.lib.stride_tricks.as_strided(xp.zeros(extent, array.dtype), array.shape, strides)
    result[...] = array
    return result
