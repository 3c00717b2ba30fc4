"""Start values of parameters: how large they are decides whether signals survive many layers.

Every function fills its tensor in place, without recording, and returns it. Fan-in is the number of inputs that
one output depends on, fan-out the number of outputs that one input reaches. Each takes a ``generator``, and
draws the numbers that torch would draw; for a tensor on a GPU they are drawn there, and are others.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, TypeVar

from minitorch.autograd.grad_mode import no_grad
from minitorch.backend import array_module
from minitorch.tensor.random import randperm
from minitorch.tensor.tensor import Tensor

T = TypeVar("T", bound=Tensor)

_LINEAR = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
_GAINS = {**dict.fromkeys((*_LINEAR, "sigmoid"), 1), "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
_NO_ELEMENTS = "Initializing zero-element tensors is a no-op"


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The factor by which weights in front of a nonlinearity are larger, so that its outputs keep their variance.

    Args: nonlinearity: torch's name of the function; param: for "leaky_relu" its negative slope (0.01).
    Raises: ValueError for an unknown name or a slope that is no number.

    >>> import minitorch as torch
    >>> torch.nn.init.calculate_gain("relu") ** 2
    2.0000000000000004
    """
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return _GAINS[nonlinearity]


# -------------------------------------------------------------------------------------- without structure


@no_grad()
def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Any = None) -> T:
    """Numbers from the uniform distribution on [a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> T:
    """Numbers from the normal distribution."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def constant_(tensor: T, val: float) -> T:
    """The same number everywhere."""
    return tensor.fill_(val)


def ones_(tensor: T) -> T:
    """Ones everywhere."""
    return constant_(tensor, 1.0)


@no_grad()
def zeros_(tensor: T) -> T:
    """Zeros everywhere."""
    return tensor.zero_()


# ----------------------------------------------------------------------------------- the identity mapping


@no_grad()
def eye_(tensor: T) -> T:
    """The identity matrix: a linear layer that passes its inputs on. ValueError unless there are 2 dimensions.

    >>> import minitorch as torch
    >>> torch.nn.init.eye_(torch.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    _require_matrix(tensor)
    tensor.zero_()
    for index in range(min(tensor.shape)):
        tensor[index, index] = 1
    return tensor


@no_grad()
def dirac_(tensor: T, groups: int = 1) -> T:
    """A convolution kernel that passes its inputs on: output channel i of each group shows input channel i.

    Raises: ValueError unless there are 3, 4 or 5 dimensions, and ``groups`` divides the first.

    >>> import minitorch as torch
    >>> torch.nn.init.dirac_(torch.empty(2, 2, 3))
    tensor([[[0., 1., 0.],
             [0., 0., 0.]],
    <BLANKLINE>
            [[0., 0., 0.],
             [0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    C_out, C_in, *kernel = tensor.shape
    if C_out % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    channels = C_out // groups
    centre = [size // 2 for size in kernel]
    tensor.zero_()
    for group in range(groups):
        for channel in range(min(channels, C_in)):
            index = (group * channels + channel, channel, *centre)
            tensor[index] = 1
    return tensor


# --------------------------------------------------------------------------- scaled to the layer's size


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Any = None) -> T:
    """Uniform on ±gain · √(6 / (fan_in + fan_out)): keeps the variance forward and backward, on average.

    Raises: ValueError for fewer than 2 dimensions.
    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward networks", 2010.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    # this product of roots, not the root of a product: torch rounds so, and equal weights are wanted to the bit
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(fan_in + fan_out)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Any = None) -> T:
    """Normal with standard deviation gain · √(2 / (fan_in + fan_out)); see ``xavier_uniform_``."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: T, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> T:
    """Uniform on ±gain · √(3 / fan): keeps the variance through ReLUs.

    Args: a: the negative slope of a leaky ReLU; mode: "fan_in" keeps it forward, "fan_out" backward;
    nonlinearity: what ``calculate_gain`` is asked for.
    Raises: ValueError for an unknown mode or nonlinearity, or fewer than 2 dimensions.
    Source: He et al., "Delving deep into rectifiers", 2015.
    """
    if 0 in tensor.shape:
        warnings.warn(_NO_ELEMENTS, stacklevel=2)
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> T:
    """Normal with standard deviation gain / √fan; see ``kaiming_uniform_``."""
    if 0 in tensor.shape:
        warnings.warn(_NO_ELEMENTS, stacklevel=2)
        return tensor
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    mode = mode.lower()
    modes = ["fan_in", "fan_out"]
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    fan = _calculate_fan_in_and_fan_out(tensor)[modes.index(mode)]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Fan-in and fan-out of a weight (outputs, inputs, *kernel)."""
    if tensor.ndim < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    outputs, inputs, *kernel = tensor.shape
    window = math.prod(kernel)
    return inputs * window, outputs * window


# -------------------------------------------------------------------------------------- special matrices


@no_grad()
def orthogonal_(tensor: T, gain: float = 1, generator: Any = None) -> T:
    """A random matrix with orthonormal rows or columns (whichever are fewer), times ``gain``.

    Dimensions beyond the first are taken together. Raises: ValueError for fewer than 2 dimensions.
    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    2014. The sign of each column follows Mezzadri, "How to generate random matrices from the classical compact
    groups", 2007: without it Q would not be uniformly distributed.
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    normal = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator).array
    xp = array_module(normal)
    q, r = xp.linalg.qr(normal.T if rows < columns else normal)
    q *= xp.sign(xp.diagonal(r))
    tensor.array[...] = (q.T if rows < columns else q).reshape(tensor.shape)
    return tensor.mul_(gain)


@no_grad()
def sparse_(tensor: T, sparsity: float, std: float = 0.01, generator: Any = None) -> T:
    """Normal numbers, of which a part ``sparsity`` of each column (rounded up) is set to zero.

    Raises: ValueError unless there are 2 dimensions.
    Source: Martens, "Deep learning via Hessian-free optimization", 2010.
    """
    _require_matrix(tensor)
    rows, columns = tensor.shape
    zero_count = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[randperm(rows, device=tensor.device)[:zero_count], column] = 0
    return tensor


def _require_matrix(tensor: Tensor) -> None:
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
