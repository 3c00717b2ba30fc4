"""Launching ``cross_entropy.cu``."""

from __future__ import annotations

from pathlib import Path

from minitorch.backend import Array, array_module, host, row_major
from minitorch.backend.channels import View
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import INTEGERS, name_of, pointer, wide_dtype
from minitorch.backend.reduction import sum_over
from minitorch.ops.lines_cuda import lines_along
from minitorch.ops.nll_loss import class_dim

_SUMMING = 1024  # threads of the block that adds up losses, as in the kernel
_PLACES = 4  # losses in 16 bytes
_MANY = 1 << 17  # places, whose losses one block is still enough for: it reads 1 MB in about 10 µs
_kernels = KernelFile(Path(__file__).with_name("cross_entropy.cu"))
_SETTINGS = {host.dtype(name).char: (("TARGET", INTEGERS[name]),) for name in INTEGERS}


def cross_entropy(
    input: Array, target: Array, weight: Array | None, *, ignore_index: int, reduction: str, smoothing: float
) -> tuple[Array, tuple[Array, Array | None]]:
    """The loss, and what ``cross_entropy_gradient`` needs: a line's logarithms, and the sum of the weights."""
    xp, wide = array_module(input), wide_dtype(input)
    input, target = row_major(input), row_major(target)
    lines = lines_along(input.shape, class_dim(input.shape))
    places, is_mean = lines.lines, reduction == "mean"
    weights_at = -(-places // _PLACES) * _PLACES if is_mean else 0  # each place's weight, behind all losses
    losses = xp.empty(target.shape if reduction == "none" else weights_at + places, wide)
    logarithms = xp.empty((places, 2), wide)
    arguments = (
        input,
        pointer(target),
        pointer(weight),
        logarithms,
        losses,
        weights_at,
        float(smoothing),
        ignore_index,
    )
    lines.launch(_kernels, "forward", input, arguments, _settings(target))
    if reduction == "none":
        return losses.astype(input.dtype, copy=False), (logarithms, None)
    if places > _MANY:  # too many for one block
        total = _sum(losses[weights_at:]) if is_mean else None
        loss = _sum(losses[:places]) / total if is_mean else _sum(losses)
        return loss.astype(input.dtype, copy=False), (logarithms, total)
    loss, total = xp.empty((), input.dtype), xp.empty((), wide) if is_mean else None
    settings = lines.settings(input, _settings(target))  # those of `forward`: then they are in one program
    _kernels.launch("sum_losses", (1,), (_SUMMING,), (losses, weights_at, loss, total, places), settings)
    return loss, (logarithms, total)


def cross_entropy_gradient(
    grad_output: Array,
    input: Array,
    target: Array,
    weight: Array | None,
    kept: tuple[Array, Array | None],
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Array:
    """The gradient of the scores; ``kept`` is what ``cross_entropy`` returned beside the loss."""
    input, target, grad_output = row_major(input), row_major(target), row_major(grad_output)
    logarithms, total = kept
    grad_input = array_module(input).empty(input.shape, input.dtype)
    arguments = [input, pointer(target), pointer(weight), logarithms, grad_output]
    arguments += [int(reduction == "none"), total, grad_input, float(smoothing), ignore_index]
    lines = lines_along(input.shape, class_dim(input.shape))
    lines.launch(_kernels, "backward", input, arguments, _settings(target))
    return grad_input


def _sum(values: Array) -> Array:
    """The sum of all, in two stages."""
    return sum_over(values, View(values.size, 1, 1), name_of(values)).reshape(())


def _settings(target: Array) -> tuple[tuple[str, str], ...]:
    return _SETTINGS[target.dtype.char]
