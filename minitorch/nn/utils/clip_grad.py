"""Limits for gradients, against the one step that is far too long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch.autograd.variable import wrap
from minitorch.backend import Array, array_module, as_array, joined
from minitorch.backend.multi_tensor import multi_tensor_norm, multi_tensor_scale
from minitorch.tensor.creation import tensor
from minitorch.tensor.tensor import Tensor


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients by one factor so that their norm, taken together, is at most ``max_norm``.

    Args: parameters: a tensor or several; norm_type: 2, 1, inf, …; error_if_nonfinite: raise RuntimeError
    for a norm that is infinite or NaN; foreach: accepted, changes nothing.
    Returns: the norm before scaling.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grad_norm_(weight, 1.0)
    tensor(5.)
    >>> weight.grad
    tensor([0.6000, 0.8000])
    """
    parameters = _as_list(parameters)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    total_norm = get_total_norm(gradients, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total_norm, foreach)
    return total_norm


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of several tensors, taken together as one vector.

    Raises: RuntimeError, with ``error_if_nonfinite``, for a norm that is infinite or NaN.
    """
    arrays = [each.array for each in _as_list(tensors)]
    if not arrays:
        return tensor(0.0)
    total = _norm_of_all(arrays, norm_type)
    if error_if_nonfinite and not bool(array_module(total).isfinite(total)):
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is non-finite, so it "
            "cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, "
            "set `error_if_nonfinite=False`"
        )
    result: Tensor = wrap(total, Tensor)
    return result


def _norm_of_all(arrays: list[Array], norm_type: float) -> Array:
    total = multi_tensor_norm(arrays) if norm_type == 2 else None
    if total is not None:
        return total
    norms = [_norm(array, norm_type) for array in arrays]
    return _norm(joined([norm.reshape(1) for norm in norms], 0), norm_type)


def _norm(array: Array, norm_type: float) -> Array:
    return as_array(array_module(array).linalg.norm(array.reshape(-1), ord=float(norm_type)))


def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Tensor, foreach: bool | None = None) -> None:
    """Scale all gradients by max_norm / (total_norm + 1e-6), if that is less than 1."""
    xp = array_module(total_norm.array)
    # Multiplying always, by 1 if need be, spares a GPU from waiting for the comparison.
    factor = xp.minimum(max_norm / (total_norm.array + 1e-6), 1.0)
    gradients = [parameter.grad for parameter in _as_list(parameters) if parameter.grad is not None]
    multi_tensor_scale([gradient.array for gradient in gradients], factor)
    for gradient in gradients:
        gradient.bump_version()


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Limit every element of all gradients to ±clip_value.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> weight.grad = torch.tensor([3.0, -0.5])
    >>> torch.nn.utils.clip_grad_value_(weight, 1.0)
    >>> weight.grad
    tensor([ 1.0000, -0.5000])
    """
    clip_value = float(clip_value)
    for parameter in _as_list(parameters):
        if parameter.grad is not None:
            gradient = parameter.grad.array
            array_module(gradient).clip(gradient, -clip_value, clip_value, out=gradient)
            parameter.grad.bump_version()


def _as_list(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, Tensor) or not isinstance(tensors, Iterable) else list(tensors)
