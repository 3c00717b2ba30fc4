"""All parameters as one vector, and back: for algorithms that see a network as a point in space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch.ops.joining import cat
from minitorch.tensor.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """The elements of all parameters, one parameter after another; gradients flow through.

    Raises: TypeError if the parameters are on different devices.

    >>> import minitorch as torch
    >>> torch.nn.utils.parameters_to_vector([torch.ones(2), torch.zeros(1, 2)])
    tensor([1., 1., 0., 0.])
    """
    parameters = list(parameters)
    _check_one_device(parameters)
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Give each parameter its part of ``vec``: the inverse of ``parameters_to_vector``. They share its memory.

    Raises: TypeError if ``vec`` is no tensor, or the parameters are on different devices.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {vec.type() if hasattr(vec, 'type') else type(vec)}")
    parameters = list(parameters)
    _check_one_device(parameters)
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = vec[start:end].reshape(parameter.shape).data
        start = end


def _check_one_device(parameters: list[Any]) -> None:
    if len({str(parameter.device) for parameter in parameters}) > 1:
        raise TypeError("Found two parameters on different devices, this is currently not supported.")
