"""``autograd.Function`` for users: an operation written with Tensors, forward and backward side by side.

Unlike the internal ``Function`` (raw arrays, see ``function.py``) this one hands Tensors to both methods, as
torch does. ``apply`` runs ``forward`` without recording and leaves one node, which calls ``backward``.
"""

from __future__ import annotations

import warnings
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.grad_mode import no_grad, state
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.backend import array_module


class FunctionContext:
    """The ``ctx`` of a user's Function: what forward leaves for backward."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self.dirty: tuple[Any, ...] = ()
        self.non_differentiable: tuple[Any, ...] = ()
        self.to_save: tuple[Any, ...] = ()
        self._node: _UserNode | None = None

    def save_for_backward(self, *tensors: Variable | None) -> None:
        """Keep inputs or outputs for backward, where they are ``ctx.saved_tensors``."""
        self.to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved; RuntimeError once freed, or if it was changed in place."""
        if self._node is None:
            return self.to_save
        self._node.check_saved()
        return self._node.saved_tensors()

    def mark_dirty(self, *tensors: Variable) -> None:
        """Declare inputs that forward changed in place (and returns)."""
        self.dirty = tensors

    def mark_non_differentiable(self, *tensors: Variable) -> None:
        """Declare outputs that have no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (True, the default) or None for an output nobody used."""
        self.materialize_grads = value


class _UserNode(Function):
    """The node of a user's Function."""

    may_return_kept_arrays = True  # we cannot know what a user's backward returns
    context: FunctionContext
    user_class: type[CustomFunction]
    module: Any

    def name(self) -> str:
        return f"{self.user_class.__name__}Backward"

    def saved_tensors(self) -> tuple[Any, ...]:
        unpacked = iter(self.saved_as_variables() if self.saved else ())
        restored = []
        for original in self.context.to_save:
            value = next(unpacked) if isinstance(original, Variable) else original
            is_raw = isinstance(original, Variable) and not isinstance(value, Variable)
            restored.append(wrap(value, self.result_class) if is_raw else value)
        return tuple(restored)

    def backward(self, *grad_outputs: Any) -> Any:
        """Call the user's backward on Tensors; give the engine what it expects."""
        is_recorded = any(isinstance(grad, Variable) for grad in grad_outputs)
        grads = self.user_class.backward(self.context, *[self._present(i, g) for i, g in enumerate(grad_outputs)])
        if not isinstance(grads, tuple):
            grads = (grads,)
        self._check_count(grads)
        if is_recorded:
            return grads
        return tuple([grad.array if isinstance(grad, Variable) else grad for grad in grads])

    def _present(self, index: int, grad: Any) -> Any:
        if isinstance(grad, Variable):
            return grad
        if grad is None:
            if not self.context.materialize_grads:
                return None
            shape, dtype = self.output_shapes[index], self.output_dtypes[index]
            grad = self.module.zeros(shape, dtype)
        return wrap(grad, self.result_class)

    def _check_count(self, grads: tuple[Any, ...]) -> None:
        expected = len(self.edges)
        is_too_long = len(grads) > expected and any(extra is not None for extra in grads[expected:])
        if is_too_long or len(grads) < expected:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {expected}, "
                f"got {len(grads)})"
            )


class CustomFunction:
    """Base class for operations with a derivative of your own; subclass it as ``torch.autograd.Function``.

    ``forward(ctx, *args)`` (or ``forward(*args)`` with ``setup_context(ctx, inputs, output)``) and
    ``backward(ctx, *grad_outputs)`` are static methods; ``apply`` runs the operation.

    >>> import minitorch as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         (x,) = ctx.saved_tensors
    ...         return grad_output * 3 * x**2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    def __init__(self) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself. Instantiating an autograd function will raise an error in a future "
            "version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    @staticmethod
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the result from Tensors."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradient of each argument of forward, None for those that have none."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it "
            "with backward mode AD."
        )

    setup_context: Any = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run ``forward`` and record one node for it."""
        needs = tuple(isinstance(value, Variable) and value.needs_grad for value in args)
        context = FunctionContext(needs)
        with no_grad():
            output = cls._run_forward(context, args)
        results = output if isinstance(output, tuple) else (output,)
        results = tuple(cls._fresh(result, args, context) for result in results)
        tensors = [value for value in args if isinstance(value, Variable)]
        if tensors and any(needs) and state.enabled:
            cls._record(context, args, results)
        return results if isinstance(output, tuple) else results[0]

    @classmethod
    def _run_forward(cls, context: FunctionContext, args: tuple[Any, ...]) -> Any:
        if cls.setup_context is None:
            return cls.forward(context, *args)
        output = cls.forward(*args)
        cls.setup_context(context, args, output)
        return output

    @staticmethod
    def _fresh(result: Any, args: tuple[Any, ...], context: FunctionContext) -> Any:
        """An input returned as it is must become a tensor of its own, unless it was changed in place."""
        if any(result is dirty for dirty in context.dirty):
            result.bump_version()
            return result
        if isinstance(result, Variable) and any(result is value for value in args):
            return wrap(result.array, result.result_class)
        return result

    @classmethod
    def _record(cls, context: FunctionContext, args: tuple[Any, ...], results: tuple[Any, ...]) -> None:
        node = _UserNode()
        node.user_class, node.context = cls, context
        node._connect(args)
        node.needs_input_grad = context.needs_input_grad
        outputs = tuple(result for result in results if isinstance(result, Variable))
        node.module = array_module(outputs[0].array)
        node.saved = tuple(value.array for value in context.to_save if isinstance(value, Variable))
        node._record(outputs, outputs[0].result_class)
        if node.saved:
            node._identify_saved(tuple(each.array for each in outputs), outputs, args, [raw(value) for value in args])
        context._node = node
        for result in context.non_differentiable:
            result.needs_grad, result.node = False, None
