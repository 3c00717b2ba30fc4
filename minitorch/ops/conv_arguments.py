"""What a convolution is asked for: its arguments checked, in torch's words, and turned into ``Windows``.

Two-dimensional and one-dimensional, plain and transposed convolutions share these rules. A one-dimensional
convolution is a two-dimensional one over images of a single row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minitorch.autograd.variable import raw
from minitorch.backend import Array
from minitorch.ops.matmul_checks import C_NAMES, arrays_of
from minitorch.ops.windows import Pair, Windows, integers, window_count


class ConvolutionCall(NamedTuple):
    """The arguments of one convolution, as its errors name them: ``op``, and how many ``dims`` its images have."""

    op: str
    dims: int
    input: Array
    weight: Array
    bias: Array | None
    groups: int
    transposed: bool = False


def check_arrays(
    op: str, dims: int, input: Any, weight: Any, bias: Any, groups: int, transposed: bool = False
) -> ConvolutionCall:
    """The call's arrays, after checking that their ranks, dtypes and channels fit."""
    x, w = arrays_of(op, ("input", "weight"), input, weight)
    b = None if bias is None else arrays_of(op, ("bias",), bias)[0]
    call = ConvolutionCall(op, dims, x, w, b, groups, transposed)
    _check_ranks(call)
    _check_dtypes(call)
    _check_groups(call)
    _check_channels(call)
    return call


def _check_ranks(call: ConvolutionCall) -> None:
    op, dims, x, w = call.op, call.dims, call.input, call.weight
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {op}, but got input of size: "
            f"{list(x.shape)}"
        )
    if w.ndim != dims + 2:
        raise RuntimeError(f"{op}: expected a {dims + 2}-dimensional weight, but got weight of size {list(w.shape)}")


def _check_dtypes(call: ConvolutionCall) -> None:
    x = call.input
    for name, array in (("weight", call.weight), ("bias", call.bias)):
        if array is not None and array.dtype != x.dtype:
            names = f"Input type ({C_NAMES[x.dtype.name]}) and {name} type ({C_NAMES[array.dtype.name]})"
            raise RuntimeError(f"{call.op}: {names} should be the same")
    if x.dtype.kind == "b":
        raise NotImplementedError("\"slow_conv2d_cpu\" not implemented for 'Bool'")


def _check_groups(call: ConvolutionCall) -> None:
    groups, shape = call.groups, list(call.weight.shape)
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{shape} instead"
        )
    if shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{shape}] instead"
        )


def _check_channels(call: ConvolutionCall) -> None:
    x, w, b = call.input, call.weight, call.bias
    found = x.shape[-call.dims - 1]
    expected = w.shape[0] if call.transposed else w.shape[1] * call.groups
    if found != expected:
        groups = f" in {call.groups} groups" if call.groups > 1 else ""
        raise RuntimeError(
            f"{call.op}: weight expects {expected} input channels{groups}, input has {found} "
            f"(input {tuple(x.shape)}, weight {tuple(w.shape)})"
        )
    channels = w.shape[1] * call.groups if call.transposed else w.shape[0]
    if b is not None and b.shape != (channels,):
        kind = "transposed=1" if call.transposed else f"groups={call.groups}"
        raise RuntimeError(
            f"{call.op}: Given {kind}, weight of size {list(w.shape)}, expected bias to be 1-dimensional with "
            f"{channels} elements, but got bias of size {list(b.shape)} instead"
        )


def numbers_along(call: ConvolutionCall, name: str, value: Any, least: int) -> tuple[int, ...]:
    """An argument as one number for each dimension of an image, none below ``least``."""
    numbers = integers(call.op, name, value)
    if len(numbers) not in (1, call.dims):
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {call.dims} values to match the "
            f"convolution dimensions, but got {name}={list(numbers)}"
        )
    if min(numbers) < least:
        raise RuntimeError(f"{'negative' if least == 0 else 'non-positive'} {name} is not supported")
    return numbers if len(numbers) == call.dims else numbers * call.dims


def convolution_windows(call: ConvolutionCall, stride: Any, padding: Any, dilation: Any) -> Windows:
    """The windows of a plain convolution; ``padding`` may be ``"same"`` or ``"valid"``."""
    size, kernel_size = call.input.shape[-call.dims :], call.weight.shape[2:]
    strides = numbers_along(call, "stride", stride, 1)
    dilations = numbers_along(call, "dilation", dilation, 1)
    if isinstance(padding, str):
        paddings, counts = _named_padding(padding, size, kernel_size, strides, dilations)
    else:
        paddings = numbers_along(call, "padding", padding, 0)
        counts = tuple(map(window_count, size, kernel_size, strides, paddings, dilations))
    if min(counts) < 1 or 0 in kernel_size:
        _refuse_kernel(size, kernel_size, paddings, dilations)
    if 0 in size:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {list(call.input.shape)}"
        )
    return windows_of_planes(size, kernel_size, strides, paddings, dilations, counts)


def _named_padding(
    padding: str, size: Any, kernel_size: Any, strides: Any, dilations: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """("same" or "valid") → what lies before each axis, and the number of windows along it."""
    if padding == "valid":
        nothing = (0,) * len(size)
        return nothing, tuple(map(window_count, size, kernel_size, strides, nothing, dilations))
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if set(strides) != {1}:
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    # An even kernel needs an odd number of zeros: the one too many goes behind, as in torch.
    return tuple(d * (k - 1) // 2 for d, k in zip(dilations, kernel_size)), tuple(size)


def _refuse_kernel(size: Any, kernel_size: Any, paddings: Any, dilations: Any) -> None:
    if 0 in kernel_size:
        raise RuntimeError(f"kernel size should be greater than zero, but got {_times(kernel_size)}")
    padded = [s + 2 * p for s, p in zip(size, paddings)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel_size)]
    raise RuntimeError(
        f"Calculated padded input size per channel: {_times(padded)}. Kernel size: {_times(reach)}. Kernel size "
        "can't be greater than actual input size"
    )


def _times(sizes: Any) -> str:
    return f"({' x '.join(str(size) for size in sizes)})"


def transposed_windows(call: ConvolutionCall, stride: Any, padding: Any, output_padding: Any, dilation: Any) -> Windows:
    """The windows of the convolution whose transpose is asked for: *its* input is our output."""
    counts, kernel_size = call.input.shape[-call.dims :], call.weight.shape[2:]
    if isinstance(padding, str):
        raise TypeError(f"{call.op}(): argument 'padding' must be tuple of ints, not str")
    strides = numbers_along(call, "stride", stride, 1)
    paddings = numbers_along(call, "padding", padding, 0)
    dilations = numbers_along(call, "dilation", dilation, 1)
    extra = numbers_along(call, "output_padding", output_padding, 0)
    for e, s, d in zip(extra, strides, dilations):
        if e >= s and e >= d:
            raise RuntimeError(
                "output padding must be smaller than either stride or dilation, but got "
                f"output_padding: {extra} stride: {strides} dilation: {dilations}"
            )
    size = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + e
        for n, s, p, d, k, e in zip(counts, strides, paddings, dilations, kernel_size, extra)
    ]
    if 0 in counts or min(size) < 0:
        raise RuntimeError(
            f"{call.op}: calculated output size {_times(size)} for input of size {list(call.input.shape)} is too small"
        )
    return windows_of_planes(size, kernel_size, strides, paddings, dilations, counts)


def windows_of_planes(size: Any, kernel_size: Any, strides: Any, paddings: Any, dilations: Any, counts: Any) -> Windows:
    """``Windows`` over planes; for a one-dimensional convolution over planes of one row."""
    pairs = [
        tuple(size), tuple(kernel_size), tuple(strides), tuple(paddings), tuple(dilations), tuple(counts)
    ]  # fmt: skip
    if len(pairs[0]) == 1:
        ones = (1, 1, 1, 0, 1, 1)
        pairs = [(one, pair[0]) for one, pair in zip(ones, pairs)]
    return Windows(*pairs)


def is_unbatched(input: Any, dims: int) -> bool:
    """Whether ``input`` is a single image (C, …) rather than a batch of them."""
    return bool(raw(input).ndim == dims + 1)


__all__ = [
    "ConvolutionCall",
    "Pair",
    "check_arrays",
    "convolution_windows",
    "is_unbatched",
    "transposed_windows",
]
