"""Max unpooling: put the maxima back where they were, with zeros everywhere else."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, is_on_cpu
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.adaptive_max_pool2d import flat_planes, put_in_planes
from minitorch.ops.autocast import autocasts, cast_operands
from minitorch.ops.selection import Take
from minitorch.ops.shape import reshape, squeeze, unsqueeze
from minitorch.ops.windows import Pair, integers, pooling_pair


class MaxUnpool2D(Function):
    """Zeros with each value at its flat index in its plane;  its gradient is read there."""

    def forward(self, input: Array, *, indices: Array, output_size: Pair) -> Array:
        self.indices = indices
        return put_in_planes(input, indices, (*input.shape[:-2], *output_size), repeats=False)

    def backward(self, grad_output: Any) -> Any:
        *leading, H, W = grad_output.shape
        flat = reshape(grad_output, (*leading, H * W))
        taken = Take.apply(flat, indices=flat_planes(self.indices), dim=len(leading))
        return reshape(taken, self.indices.shape)


def unpooled_size(
    op: str, input_size: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> tuple[int, ...]:
    """``output_size``, checked, or the smallest size whose pooling gives ``input_size``."""
    default = tuple((n - 1) * s + k - 2 * p for n, k, s, p in zip(input_size, kernel_size, stride, padding))
    if output_size is None:
        return default
    size = integers(op, "output_size", output_size)
    if len(size) == len(default) + 2:
        size = size[2:]
    if len(size) != len(default):
        raise ValueError(
            f"output_size should be a sequence containing {len(default)} or {len(default) + 2} elements, but it has a "
            f"length of '{len(size)}'"
        )
    for dim, (wanted, least, step) in enumerate(zip(size, default, stride)):
        if not least - step < wanted < least + step:
            raise ValueError(
                f'invalid output_size "{size}" (dim {dim} must be between {least - step} and {least + step})'
            )
    return size


def _check_indices(input: Array, indices: Array, output_size: Pair) -> None:
    if indices.dtype != "int64":
        found = from_numpy_dtype(indices.dtype).legacy_name
        raise RuntimeError(f"elements in indices should be type int64 but got: {found}")
    if indices.shape != input.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices "
            f"tensor with shape: {list(indices.shape)}"
        )
    H, W = output_size
    if is_on_cpu(indices) and indices.size:  # on a GPU, looking would make the host wait for the device
        for index in (indices.min(), indices.max()):
            if not 0 <= index < H * W:
                raise RuntimeError(f"Found an invalid max index: {index} (output volumes are of size {H}x{W})")


@autocasts
def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The partial inverse of ``max_pool2d``: each value at the place that ``indices`` names, zeros elsewhere.

    Shapes: input and indices (N, C, H, W) or (C, H, W) → (N, C, H_out, W_out), H_out = (H − 1)·s_h − 2 p_h + K_h.
    Gradient: each value's is that of the place where it was put.
    Args: indices: from ``max_pool2d(..., return_indices=True)``; output_size: the size before pooling, where it is not
      the smallest one that fits.
    Raises: RuntimeError if indices have another shape or dtype or lie outside; ValueError for an impossible size.
    Numerics: which of several values with one index stays is not defined, as in torch.

    >>> import minitorch as torch
    >>> torch.nn.functional.max_unpool2d(torch.tensor([[[5.0]]]), torch.tensor([[[2]]]), 2)
    tensor([[[0., 0.],
             [5., 0.]]])
    """
    kernel = pooling_pair("max_unpool2d", "kernel_size", kernel_size)
    strides = pooling_pair("max_unpool2d", "stride", stride, default=kernel)
    paddings = pooling_pair("max_unpool2d", "padding", padding)
    x, places = raw(input), raw(indices)
    if x.ndim not in (3, 4):
        raise RuntimeError(
            f"Input to max_unpooling2d should be a 3d or 4d Tensor, but got a tensor with {x.ndim} dims."
        )
    H, W = unpooled_size("max_unpool2d", x.shape[-2:], kernel, strides, paddings, output_size)
    _check_indices(x, places, (H, W))
    return MaxUnpool2D.apply(input, indices=places, output_size=(H, W))


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The partial inverse of ``max_pool1d``; see ``max_unpool2d``.

    >>> import minitorch as torch
    >>> torch.nn.functional.max_unpool1d(torch.tensor([[5.0]]), torch.tensor([[1]]), 2)
    tensor([[0., 5.]])
    """
    (kernel,) = integers("max_unpool1d", "kernel_size", kernel_size)
    (step,) = (kernel,) if stride is None else integers("max_unpool1d", "stride", stride)
    (pad,) = integers("max_unpool1d", "padding", padding)
    (input,) = cast_operands("max_unpool2d", input)
    size = unpooled_size("max_unpool1d", raw(input).shape[-1:], (kernel,), (step,), (pad,), output_size)
    x, places = unsqueeze(input, -2), raw(indices)[..., None, :]
    _check_indices(raw(x), places, (1, size[0]))
    return squeeze(MaxUnpool2D.apply(x, indices=places, output_size=(1, size[0])), -2)
