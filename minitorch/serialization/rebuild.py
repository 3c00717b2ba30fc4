"""The functions that a file names to have its tensors made again: ours under torch's names.

They are called with arguments that a file supplies, so each of them checks every argument.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import wrap
from minitorch.nn.parameter import Parameter
from minitorch.serialization.storage import Storage
from minitorch.tensor.tensor import Tensor


def rebuild_tensor(storage: Any, storage_offset: Any, size: Any, stride: Any) -> Tensor:
    """A tensor that shows ``storage``; offset, sizes and strides count elements.

    Raises: TypeError if ``storage`` is none, ValueError if the tensor would reach beyond it.
    """
    if not isinstance(storage, Storage):
        raise TypeError(f"a tensor needs a storage, got {type(storage).__name__}")
    tensor: Tensor = wrap(storage.show(storage_offset, _plain(size), _plain(stride)), Tensor)
    return tensor


def _plain(sizes: Any) -> Any:
    """A ``Size`` or a list (of very old files) as a tuple; anything else is judged by whoever reads it."""
    return tuple(sizes) if isinstance(sizes, (tuple, list)) else sizes


def rebuild_tensor_v2(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    metadata: Any = None,
) -> Tensor:
    """As ``rebuild_tensor``, with what autograd must know; files hold no hooks, so ``backward_hooks`` is empty."""
    _check_flags(requires_grad, backward_hooks)
    if metadata:
        raise ValueError("a tensor with metadata (conjugate or negative bit) cannot be loaded")
    return rebuild_tensor(storage, storage_offset, size, stride).requires_grad_(requires_grad)


def rebuild_tensor_v3(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    element_type: Any,
    metadata: Any = None,
) -> Tensor:
    """As ``rebuild_tensor_v2`` for newer dtypes: the storage is plain bytes, the type stands beside it."""
    if not isinstance(storage, Storage) or not isinstance(element_type, dtypes.dtype):
        raise TypeError(f"a tensor needs a storage and a dtype, got {type(storage)} and {type(element_type)}")
    typed = Storage(storage.array.view(element_type.numpy))
    return rebuild_tensor_v2(typed, storage_offset, size, stride, requires_grad, backward_hooks, metadata)


def rebuild_parameter(data: Any, requires_grad: Any, backward_hooks: Any) -> Parameter:
    """A parameter that shows the memory of ``data``."""
    _check_flags(requires_grad, backward_hooks)
    if not isinstance(data, Tensor):
        raise TypeError(f"a parameter needs a tensor, got {type(data).__name__}")
    return Parameter(data, requires_grad)


def rebuild_parameter_with_state(data: Any, requires_grad: Any, backward_hooks: Any, state: Any) -> Parameter:
    """A parameter with attributes of its own."""
    parameter = rebuild_parameter(data, requires_grad, backward_hooks)
    set_attributes(parameter, state)
    return parameter


def rebuild_from_type_v2(function: Any, new_type: Any, args: Any, state: Any) -> Any:
    """A tensor of a subclass, or with attributes of its own: ``function(*args)`` says what it holds."""
    if not any(function is each for each in REBUILD_FUNCTIONS) or type(args) is not tuple:
        raise TypeError("a tensor's type can be restored only around a function that rebuilds tensors")
    if not isinstance(new_type, type) or not issubclass(new_type, Tensor):
        raise TypeError(f"a tensor cannot become a {new_type}")
    tensor = function(*args)
    if type(tensor) is not new_type:
        needs_grad = tensor.needs_grad
        tensor = wrap(tensor.array, new_type)
        tensor.needs_grad = needs_grad
    set_attributes(tensor, state)
    return tensor


def _check_flags(requires_grad: Any, backward_hooks: Any) -> None:
    if type(requires_grad) is not bool:
        raise TypeError(f"requires_grad must be a bool, got {type(requires_grad).__name__}")
    if type(backward_hooks) is not OrderedDict or backward_hooks:
        raise TypeError("a tensor's backward hooks must be an empty OrderedDict")


def set_attributes(target: Any, state: Any) -> None:
    """Give ``target`` the attributes that a file says it had; none may hide what its class defines.

    Raises: TypeError for a state of another form, ValueError for a name that is taken.
    """
    attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
    for part in (attributes, slots):
        if part is not None and type(part) is not dict:
            raise TypeError(f"the state of a {type(target).__name__} must be a dict, got {type(part).__name__}")
        for name, value in (part or {}).items():
            if type(name) is not str or hasattr(target, name):
                raise ValueError(f"a file may not set the attribute {name!r} of a {type(target).__name__}")
            setattr(target, name, value)


REBUILD_FUNCTIONS = (
    rebuild_tensor,
    rebuild_tensor_v2,
    rebuild_tensor_v3,
    rebuild_parameter,
    rebuild_parameter_with_state,
)

BY_NAME = {
    "torch._utils._rebuild_tensor": rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": rebuild_tensor_v2,
    "torch._utils._rebuild_tensor_v3": rebuild_tensor_v3,
    "torch._utils._rebuild_parameter": rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": rebuild_parameter_with_state,
    "torch._tensor._rebuild_from_type_v2": rebuild_from_type_v2,
}
