"""Tensor's side of autograd: requires_grad, grad, backward, detach, hooks."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from minitorch.autograd import entrance
from minitorch.autograd.function import Function
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import device_of
from minitorch.dtypes import from_numpy_dtype

T = TypeVar("T", bound="DifferentiationMethods")

_NO_LEAF = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
    "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, "
    "use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access "
    "the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information."
)


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook away; so does the end of a ``with`` block."""

    _next_key = 0

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self.key = RemovableHandle._next_key
        RemovableHandle._next_key += 1
        hooks[self.key] = hook
        self._hooks = hooks

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self.key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class DifferentiationMethods(Variable):
    """What a tensor knows of gradients."""

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted for this tensor; settable on leaves of floating-point dtype."""
        if self.base is not None:
            self.refresh_view()
        return self.needs_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not value and self.node is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if value and self.array.dtype.kind != "f":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        self.needs_grad = bool(value)

    @property
    def grad(self) -> Any:
        """What ``backward`` has added up for this leaf, None before; settable to a tensor that fits."""
        grad = self.__dict__.get("grad")
        if grad is None and self.node is not None and not self.retains_grad:
            warnings.warn(_NO_LEAF, UserWarning, stacklevel=2)
        return grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            self._check_grad(value)
        self.__dict__["grad"] = value

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, Variable):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value.array.dtype != self.array.dtype:
            found, wanted = [from_numpy_dtype(each.array.dtype).legacy_name for each in (value, self)]
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{found}' to a tensor with dtype '{wanted}'. Please "
                "ensure that the gradient and the tensor are of the same dtype"
            )
        if value.array.shape != self.array.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{list(value.array.shape)}' to a tensor of size "
                f"'{list(self.array.shape)}'. Please ensure that the gradient and the tensor are the same size"
            )
        if device_of(value.array) != device_of(self.array):
            raise RuntimeError(
                f"attempting to assign a gradient with device type '{device_of(value.array).type}' to a tensor with "
                f"device type '{device_of(self.array).type}'. Please ensure that the gradient and the tensor are on "
                "the same device"
            )

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        """Set ``requires_grad`` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user rather than by a recorded op."""
        return not self.requires_grad or self.node is None

    @property
    def grad_fn(self) -> Function | None:
        """The node of the op that made this tensor, None for a leaf."""
        if self.base is not None:
            self.refresh_view()
        return self.node

    @property
    def _version(self) -> int:
        return self.version

    @property
    def _base(self) -> Any:
        return self.base

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add the gradient of this tensor to the ``grad`` of every leaf it depends on; see ``autograd.backward``."""
        entrance.backward(self, None if gradient is None else (gradient,), retain_graph, create_graph, inputs=inputs)

    def detach(self: T) -> T:
        """The same memory outside the graph: the result requires no gradient."""
        twin: T = wrap(self.array, self.result_class)
        twin.counter = self.version_counter()
        return twin

    def detach_(self: T) -> T:
        """Take this tensor out of the graph, in place."""
        if self.base is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) "
                "for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and "
                "hence detach_() cannot be called on these gradients. To fix this error, please refer to the "
                "Optimizer.zero_grad() function in torch/optim/optimizer.py as a solution."
            )
        self.node, self.needs_grad = None, False
        return self

    @property
    def data(self: T) -> T:
        """The same memory without any history; changes through it are not seen by backward's checks."""
        return wrap(self.array, self.result_class)

    @data.setter
    def data(self, value: Variable) -> None:
        if not isinstance(value, Variable):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self.array = value.array

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in ``grad`` although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.node is None or self.retains_grad:
            return
        self._retains_grad = True
        reference = weakref.ref(self)

        def keep(gradient: Any) -> None:
            tensor = reference()
            if tensor is not None:
                gradient = wrap(gradient.array.copy(), gradient.result_class) if gradient.node is None else gradient
                tensor.grad = gradient if tensor.grad is None else tensor.grad + gradient

        self.register_hook(keep)

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was called on this non-leaf."""
        return getattr(self, "_retains_grad", False)

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call ``hook(gradient)`` when this tensor's gradient is computed; what it returns replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node = self.node
        if node is None:
            self.hooks = {} if self.hooks is None else self.hooks
            return RemovableHandle(self.hooks, hook)
        node.hooks = {} if node.hooks is None else node.hooks
        return RemovableHandle(node.hooks.setdefault(self.output_index, {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call ``hook(tensor)`` after a gradient was added to this leaf's ``grad``."""
        if self.node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        self.post_accumulate_hooks = {} if self.post_accumulate_hooks is None else self.post_accumulate_hooks
        return RemovableHandle(self.post_accumulate_hooks, hook)
