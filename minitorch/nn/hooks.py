"""Hooks of a module: user functions that see, and may replace, what goes through it in either direction.

A backward hook wants all gradients of a module at once: those of its outputs as they enter and those of its
inputs as they leave. So a hooked module stands between two *gates*, operations that pass their tensors on
unchanged: the gradients of the outputs meet in the outer gate's backward, those of the inputs in the inner's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.grad_mode import is_grad_enabled
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.tensor.creation import zeros_like
from minitorch.tensor.differentiation import RemovableHandle
from minitorch.tensor.tensor import Tensor


@dataclass(frozen=True)
class ForwardHook:
    """A user's function and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


class ModuleHooks:
    """The part of ``Module`` that registers hooks and calls them."""

    forward: Callable[..., Any]
    _forward_pre_hooks: OrderedDict[int, Any]
    _forward_hooks: OrderedDict[int, Any]
    _backward_pre_hooks: OrderedDict[int, Any]
    _backward_hooks: OrderedDict[int, Any]

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        With ``with_kwargs`` it is called as ``hook(module, args, kwargs)`` and returns None or both.
        """
        return _register(self._forward_pre_hooks, ForwardHook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns replaces the output.

        Args: prepend: call it before the hooks that are there; with_kwargs: call it as ``hook(module, args,
        kwargs, output)``; always_call: also, with an output of None, where ``forward`` raised.

        >>> import minitorch as torch
        >>> net = torch.nn.Identity()
        >>> handle = net.register_forward_hook(lambda module, args, output: output * 2)
        >>> net(torch.ones(2))
        tensor([2., 2.])
        """
        return _register(self._forward_hooks, ForwardHook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the gradients enter the module; its result replaces them."""
        return _register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients have passed the module.

        Both are tuples, one entry a positional argument or output. What the hook returns replaces the
        gradients of the inputs. Inputs and outputs of a hooked module cannot be changed in place.
        """
        return _register(self._backward_hooks, hook, prepend)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``forward`` with everything that was registered around it."""
        try:
            return self._run_hooked(args, kwargs)
        except Exception:
            for hook in tuple(self._forward_hooks.values()):
                if hook.always_call:
                    _call_forward_hook(hook, self, args, kwargs, None)
            raise

    def _run_hooked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for hook in tuple(self._forward_pre_hooks.values()):
            args, kwargs = _call_pre_hook(hook, self, args, kwargs)
        gates = None
        if self._backward_hooks or self._backward_pre_hooks:
            gates = _GatePair(self)
            args = gates.enter(args)
        output = self.forward(*args, **kwargs)
        for hook in tuple(self._forward_hooks.values()):
            replacement = _call_forward_hook(hook, self, args, kwargs, output)
            output = output if replacement is None else replacement
        return output if gates is None else gates.leave(output)


def _register(hooks: OrderedDict[int, Any], hook: Any, prepend: bool) -> RemovableHandle:
    handle = RemovableHandle(hooks, hook)
    if prepend:
        hooks.move_to_end(handle.key, last=False)
    return handle


def _call_pre_hook(hook: ForwardHook, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if hook.with_kwargs:
        replacement = hook.function(module, args, kwargs)
        if replacement is None:
            return args, kwargs
        if not isinstance(replacement, tuple) or len(replacement) != 2:
            raise RuntimeError(
                f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {replacement}."
            )
        return replacement
    replacement = hook.function(module, args)
    if replacement is None:
        return args, kwargs
    return (replacement if isinstance(replacement, tuple) else (replacement,)), kwargs


def _call_forward_hook(
    hook: ForwardHook, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
) -> Any:
    if hook.with_kwargs:
        return hook.function(module, args, kwargs, output)
    return hook.function(module, args, output)


# ---------------------------------------------------------------------------------------- backward hooks


class Gate(Function):
    """Pass several tensors on unchanged; in backward, show all their gradients to ``on_backward`` at once."""

    backward_name = "BackwardHookFunctionBackward"
    is_view = True
    may_return_kept_arrays = True  # a hook may keep what it returns

    def forward(self, *arrays: Any, sources: list[Variable], on_backward: Callable[..., Any]) -> Any:
        self.on_backward = on_backward
        return arrays

    def backward(self, *grad_outputs: Any) -> Any:
        shown = tuple([_show(gradient, self.result_class) for gradient in grad_outputs])
        passed = self.on_backward(shown)
        is_raw = not any(isinstance(gradient, Variable) for gradient in grad_outputs)
        return tuple([raw(gradient) for gradient in passed]) if is_raw else passed

    def _track_views(self, results: tuple[Any, ...], first: Variable, options: Any) -> None:
        """Every result shows the memory of *its* input; as in torch, none may be changed in place."""
        for result, source in zip(results, options["sources"]):
            result.base = source if source.base is None else source.base
            result.replay = source.replay
            result.counter = source.counter = result.base.version_counter()
            result.view_version = result.counter[0]
            result.is_multi_view = True

    @classmethod
    def through(cls, values: tuple[Any, ...], places: list[int], on_backward: Callable[..., Any]) -> tuple[Any, ...]:
        """Send the tensors at ``places`` through a gate, and leave everything else where it is."""
        tensors = [values[index] for index in places]
        passed = list(values)
        for index, tensor in zip(places, cls.apply(*tensors, sources=tensors, on_backward=on_backward)):
            passed[index] = tensor
        return tuple(passed)


def _show(gradient: Any, result_class: type[Variable]) -> Any:
    return gradient if gradient is None or isinstance(gradient, Variable) else wrap(gradient, result_class)


def _places_with_gradient(values: tuple[Any, ...]) -> list[int]:
    return [index for index, value in enumerate(values) if isinstance(value, Variable) and value.needs_grad]


class _GatePair:
    """The two gates around one call of a module, and the gradients they have seen."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.grad_outputs: tuple[Any, ...] | None = None  # None unless a backward pass is between the gates
        self.args: tuple[Any, ...] = ()
        self.input_places: list[int] = []
        self.output_places: list[int] = []
        self.output_count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments; those that want a gradient behind the inner gate."""
        self.args = args
        self.input_places = _places_with_gradient(args) if is_grad_enabled() else []
        return Gate.through(args, self.input_places, self._inputs_reached) if self.input_places else args

    def leave(self, output: Any) -> Any:
        """The output; what of it has a gradient behind the outer gate."""
        outputs = output if isinstance(output, tuple) else (output,)
        self.output_count = len(outputs)
        self.output_places = _places_with_gradient(outputs)
        if not self.output_places:
            return output
        gated = Gate.through(outputs, self.output_places, self._outputs_reached)
        return gated if isinstance(output, tuple) else gated[0]

    def _outputs_reached(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        shown: list[Any] = [None] * self.output_count
        for index, gradient in zip(self.output_places, gradients):
            shown[index] = gradient
        grad_outputs = tuple(shown)
        for hook in tuple(self.module._backward_pre_hooks.values()):
            replacement = hook(self.module, grad_outputs)
            if replacement is not None:
                grad_outputs = _checked(replacement, self.output_count, "grad_output")
        if self.input_places:
            self.grad_outputs = grad_outputs
        else:
            for hook in tuple(self.module._backward_hooks.values()):
                hook(self.module, (None,) * len(self.args), grad_outputs)
        return tuple([grad_outputs[index] for index in self.output_places])

    def _inputs_reached(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.grad_outputs is None:  # a second derivative that came in between the gates: as in torch, no hooks
            return gradients
        # torch shows zeros for a tensor that wants no gradient, None for what is no tensor
        shown = [zeros_like(value) if isinstance(value, Tensor) else None for value in self.args]
        for index, gradient in zip(self.input_places, gradients):
            shown[index] = gradient
        grad_inputs = tuple(shown)
        for hook in tuple(self.module._backward_hooks.values()):
            replacement = hook(self.module, grad_inputs, self.grad_outputs)
            if replacement is not None:
                grad_inputs = _checked(replacement, len(grad_inputs), "grad_input")
        self.grad_outputs = None
        return tuple([grad_inputs[index] for index in self.input_places])


def _checked(replacement: Any, count: int, what: str) -> tuple[Any, ...]:
    gradients = replacement if isinstance(replacement, tuple) else (replacement,)
    if len(gradients) != count:
        raise RuntimeError(
            f"Backward hook returned an invalid number of {what}, got {len(gradients)}, but expected {count}"
        )
    return gradients
