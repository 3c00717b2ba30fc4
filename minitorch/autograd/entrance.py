"""The public entrances to the engine: ``backward`` and ``grad``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from minitorch.autograd.engine import run_backward
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import array_module


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add to every leaf's ``grad`` the gradient of ``Σ (tensor · grad_tensor)`` with respect to it.

    Args:
        tensors: one tensor or several; grad_tensors: the gradient of a scalar with respect to each (None for
        a tensor of one element means 1). retain_graph: keep saved values for another pass (default:
        ``create_graph``). create_graph: record the pass itself, for higher derivatives. inputs: only these
        leaves accumulate. grad_variables: an old name of grad_tensors.
    Raises:
        RuntimeError: a tensor needs no gradient; a gradient has another shape than its tensor; none is given
        for a tensor of several elements; the graph's saved values were freed, or changed in place.

    >>> import minitorch as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).backward(torch.tensor([1.0, 10.0]))
    >>> x.grad
    tensor([ 2., 40.])
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        grad_tensors = grad_variables
    tensors = _as_tuple(tensors)
    gradients = _as_tuple(grad_tensors) if grad_tensors is not None else (None,) * len(tensors)
    roots = _make_roots(tensors, gradients, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        run_backward(roots, keep, create_graph)
        return
    inputs = _as_tuple(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    for leaf, gradient in zip(inputs, grad(tensors, inputs, gradients, keep, create_graph, allow_unused=True)):
        if gradient is not None:
            leaf.grad = gradient if leaf.grad is None else leaf.grad + gradient


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradient of ``Σ (output · grad_output)`` with respect to each input, returned instead of accumulated.

    Args: as ``backward``; allow_unused: give None for an input the outputs do not depend on instead of
    raising; materialize_grads: give zeros instead of None. only_inputs is ignored, with a warning if false.
    Raises: RuntimeError as ``backward``, and for unused inputs; NotImplementedError for is_grads_batched.

    >>> import minitorch as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (dx,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(dx, x)  # d²(x³)/dx² = 6x
    (tensor(18.),)
    """
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
            "other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    if is_grads_batched:
        raise NotImplementedError("autograd.grad: is_grads_batched=True needs vmap, which minitorch does not have")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    outputs, inputs = _as_tuple(outputs), _as_tuple(inputs)
    gradients = _as_tuple(grad_outputs) if grad_outputs is not None else (None,) * len(outputs)
    roots = _make_roots(outputs, gradients, create_graph)
    targets = [_target(value) for value in inputs]
    keep = create_graph if retain_graph is None else retain_graph
    captured = run_backward(roots, keep, create_graph, targets)
    return tuple(
        _collect(index, captured.get(target), value, allow_unused, materialize_grads)
        for index, (target, value) in enumerate(zip(targets, inputs))
    )


def _as_tuple(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, Sequence) else (values,)


def _target(value: Variable) -> tuple[Any, int]:
    value.refresh_view()
    edge = value.edge()
    if edge is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edge


def _collect(index: int, gradient: Any, value: Variable, allow_unused: bool | None, materialize: bool) -> Any:
    if gradient is None and materialize:
        gradient = array_module(value.array).zeros_like(value.array)
    if gradient is None:
        if allow_unused:
            return None
        raise RuntimeError(
            f"The differentiated Tensor at index {index} appears to not have been used in the graph. "
            "Set allow_unused=True if this is the desired behavior."
        )
    return gradient if isinstance(gradient, Variable) else wrap(gradient, value.result_class)


def _make_roots(tensors: tuple[Any, ...], gradients: tuple[Any, ...], create_graph: bool) -> list[Any]:
    if len(tensors) != len(gradients):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(gradients)} gradients")
    roots = []
    for index, (tensor, gradient) in enumerate(zip(tensors, gradients)):
        tensor.refresh_view()
        edge = tensor.edge()
        if edge is None:
            raise RuntimeError(f"element {index} of tensors does not require grad and does not have a grad_fn")
        gradient = _root_gradient(index, tensor, gradient)
        if create_graph:
            roots.append((edge, gradient if isinstance(gradient, Variable) else wrap(gradient, tensor.result_class)))
        else:
            roots.append((edge, gradient.array if isinstance(gradient, Variable) else gradient))
    return roots


def _root_gradient(index: int, tensor: Variable, gradient: Variable | None) -> Any:
    if gradient is None:
        if tensor.array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        return array_module(tensor.array).ones_like(tensor.array)
    if not isinstance(gradient, Variable):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    if gradient.array.shape != tensor.array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {_size(gradient)} and "
            f"output[{index}] has a shape of {_size(tensor)}."
        )
    return gradient


def _size(value: Variable) -> str:
    return f"torch.Size({list(value.array.shape)})"
