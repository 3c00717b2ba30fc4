"""``pad``: put a margin around a tensor, constant or taken from the tensor itself.

A margin of constants is a function of its own. The other three modes repeat slices that are already there, so
each is an ``index_select`` along every padded dimension, with its own way of counting beyond the edge:

    reflect    c b | a b c d | c b        the edge itself is not repeated
    replicate  a a | a b c d | d d
    circular   c d | a b c d | a b

A negative width cuts off slices instead; a circular margin then repeats what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, empty_in_order, image_order
from minitorch.ops.autocast import cast_operands
from minitorch.ops.index_along import index_select
from minitorch.ops.operand import require
from minitorch.ops.strided import in_image_order

Width = tuple[int, int]  # slices added before and after, along one dimension


class ConstantPad(Function):
    """The input with ``widths[d]`` slices of ``value`` before and after it along dimension d."""

    backward_name = "ConstantPadNdBackward0"

    def forward(self, input: Array, *, widths: Sequence[Width], value: float) -> Array:
        self.widths = widths
        shape = [size + before + after for size, (before, after) in zip(input.shape, widths)]
        output = empty_in_order(array_module(input), tuple(shape), input.dtype, image_order(input))
        output[...] = value
        inside = tuple(slice(max(b, 0), size - max(a, 0)) for size, (b, a) in zip(shape, widths))
        kept = tuple(slice(max(-b, 0), size - max(-a, 0)) for size, (b, a) in zip(input.shape, widths))
        output[inside] = input[kept]
        return output

    def backward(self, grad_output: Any) -> Any:
        back = tuple((-before, -after) for before, after in self.widths)  # what was added is cut off, and vice versa
        return ConstantPad.apply(grad_output, widths=back, value=0)


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Add slices before and after ``input`` along its last dimensions.

    Shapes: ``pad = (left, right, top, bottom, …)`` in slices, starting with the *last* dimension; each size
    grows by its two numbers, which may be negative.
    Gradient: the inside of the gradient; slices that were repeated add up.
    Args: mode: ``constant`` (with ``value``, 0 unless given; any number of dimensions), ``reflect``,
    ``replicate`` or ``circular`` (the last 1 to 3 dimensions, of an input with one or two more).
    Raises: RuntimeError for an odd or too long ``pad``, a reflection not smaller than the input, a margin that
    wraps around twice, a result of negative size; NotImplementedError for other modes and combinations.

    >>> import minitorch as torch
    >>> x = torch.tensor([[1.0, 2.0, 3.0]])
    >>> torch.nn.functional.pad(x, (2, 1)), torch.nn.functional.pad(x, (2, 1), mode="reflect")
    (tensor([[0., 0., 1., 2., 3., 0.]]), tensor([[3., 2., 1., 2., 3., 2.]]))
    """
    widths = _check_pad(input, pad)
    if mode == "constant":
        return _pad_constant(input, widths, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    _check_repeating(input, len(pad), mode)
    (input,) = cast_operands(_kernel_name(mode, len(pad)), input)
    output = input
    for offset, width in enumerate(widths):
        if width != (0, 0):
            output = _pad_dimension(output, raw(input).ndim - 1 - offset, width, mode)
    return output if mode == "circular" else in_image_order(output, input)


def _check_pad(input: Any, pad: Sequence[int]) -> list[Width]:
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    ndim = raw(input).ndim
    if len(pad) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {ndim}"
        )
    return [(int(before), int(after)) for before, after in zip(pad[::2], pad[1::2])]


def _pad_constant(input: Any, widths: list[Width], value: float) -> Any:
    shape = raw(input).shape
    every = [(0, 0)] * (len(shape) - len(widths)) + widths[::-1]
    for dim, (size, (before, after)) in enumerate(zip(shape, every)):
        if size + before + after < 0 or -before > size or -after > size:
            raise RuntimeError(
                f"narrow(): length must be non-negative: padding ({before}, {after}) at dimension {dim} of input "
                f"{list(shape)}"
            )
    return ConstantPad.apply(input, widths=tuple(every), value=value)


_COMBINATIONS = """
Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""


def _check_repeating(input: Any, length: int, mode: str) -> None:
    array = raw(input)
    if mode not in _PLACES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if length not in (2, 4, 6) or array.ndim - length // 2 not in (1, 2):
        raise NotImplementedError(
            f"Padding size {length} is not supported for {array.ndim}D input tensor.{_COMBINATIONS}"
        )
    if mode != "circular":
        require(input, "fiu", "pad", _kernel_name(mode, length))
        if 0 in array.shape[1:] or (0 in array.shape and array.ndim == length // 2 + 1):
            raise RuntimeError(
                f"Expected {length // 2 + 1}D or {length // 2 + 2}D (batch mode) tensor with possibly 0 batch size "
                f"and other non-zero dimensions for input, but got: {list(array.shape)}"
            )


def _kernel_name(mode: str, length: int) -> str:
    """torch's name for the op that a mode and a number of margins come to."""
    noun = {"reflect": "reflection", "replicate": "replication"}.get(mode, mode)
    return f"{noun}_pad{length // 2}d"


def _pad_dimension(input: Any, dim: int, width: Width, mode: str) -> Any:
    size = raw(input).shape[dim]
    before, after = width
    if mode == "reflect" and max(width) >= size:
        raise RuntimeError(
            "Padding size should be less than the corresponding input dimension, but got: padding "
            f"{width} at dimension {dim} of input {list(raw(input).shape)}"
        )
    if mode == "circular" and max(width) > size + min(before, 0) + min(after, 0):
        raise RuntimeError("Padding value causes wrapping around more than once.")
    if size + before + after < (1 if mode == "circular" else 0):
        raise RuntimeError(
            f"Negative padding value is resulting in an empty dimension: padding {width} at dimension {dim} of input "
            f"{list(raw(input).shape)}"
        )
    first, last = (max(-before, 0), size - max(-after, 0)) if mode == "circular" else (0, size)
    position = array_module(raw(input)).arange(-before, size + after) - first
    return index_select(input, dim, _PLACES[mode](position, last - first) + first)


def _reflected(position: Array, size: int) -> Array:
    last = size - 1
    return last - abs(last - abs(position))


def _replicated(position: Array, size: int) -> Array:
    return position.clip(0, size - 1)


def _wrapped(position: Array, size: int) -> Array:
    return position % size


_PLACES: dict[str, Callable[[Array, int], Array]] = {
    "reflect": _reflected,
    "replicate": _replicated,
    "circular": _wrapped,
}
