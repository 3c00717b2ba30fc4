"""``Parameter``: a tensor that a module counts among what it learns."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from minitorch.autograd.variable import wrap
from minitorch.tensor.creation import empty
from minitorch.tensor.tensor import Tensor


class Parameter(Tensor):
    """A tensor that joins ``module.parameters()`` when it becomes an attribute of a module.

    Nothing else sets it apart: results of operations on it are plain tensors.

    Args:
        data: the tensor whose memory the parameter shows (an empty one if None).
        requires_grad: whether it is to receive gradients; True unless told otherwise.
    Raises: RuntimeError for a gradient on a tensor of integers or booleans.

    >>> import minitorch as torch
    >>> torch.nn.Parameter(torch.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        detached = empty(0) if data is None else data.detach()
        if requires_grad and detached.array.dtype.kind != "f":
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        parameter: Parameter = wrap(detached.array, cls)
        parameter.counter = detached.counter
        parameter.needs_grad = bool(requires_grad)
        return parameter

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        """``__new__`` has done everything."""

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A parameter of the same class on a copy of the memory; like torch's it leaves ``grad`` behind."""
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        copied: Parameter = memo[id(self)]
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _rebuild_parameter, (self.data, self.requires_grad, OrderedDict())


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any) -> Parameter:
    """The inverse of ``Parameter.__reduce_ex__``; torch's files name a function of this signature."""
    return Parameter(data, requires_grad)
