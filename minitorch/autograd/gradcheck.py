"""``gradcheck``: compare the gradients of a function with finite differences.

For every element xᵢ of every input, ``(f(x + εeᵢ) − f(x − εeᵢ)) / 2ε`` gives one column of the Jacobian
without any derivative formula; ``backward`` with a unit cotangent gives one row. The two tables must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from minitorch.autograd import entrance
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import array_module


class GradcheckError(RuntimeError):
    """A gradient does not agree with finite differences."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether ``func``'s gradients at ``inputs`` (float64 tensors) agree with finite differences.

    Raises GradcheckError with both Jacobians where they differ (``raise_exception=False``: returns False),
    ValueError if no input requires grad.

    >>> import minitorch as torch
    >>> x = torch.rand(3, dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, x)
    True
    """
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    if not any(_is_checked(value) for value in inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    outputs = [output for output in _as_tuple(func(*inputs)) if output.needs_grad]
    try:
        for output_index in range(len(outputs)):
            _check_output(func, inputs, output_index, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the gradients of ``func``'s *gradients* agree with finite differences.

    Checks ``(inputs, cotangents) ↦ Jacobianᵀ · cotangents``. Cotangents are random unless given.
    """
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    outputs = [output for output in _as_tuple(func(*inputs)) if output.needs_grad]
    if grad_outputs is None:
        cotangents = tuple(_random_like(output) for output in outputs)
    else:
        cotangents = _as_tuple(grad_outputs)
    checked = [index for index, value in enumerate(inputs) if _is_checked(value)]

    def gradient_function(*arguments: Any) -> tuple[Any, ...]:
        values, grads = arguments[: len(inputs)], arguments[len(inputs) :]
        results = tuple(output for output in _as_tuple(func(*values)) if output.needs_grad)
        sources = [values[index] for index in checked]
        found = entrance.grad(results, sources, grads, create_graph=True, allow_unused=True)
        return tuple(each for each in found if each is not None and each.needs_grad)

    return (
        gradcheck(
            gradient_function, (*inputs, *cotangents), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception
        )
        if gradient_function(*inputs, *cotangents)
        else True
    )


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _is_checked(value: Any) -> bool:
    return isinstance(value, Variable) and value.needs_grad


def _random_like(output: Variable) -> Any:
    # A fixed irregular sequence, not the user's generator: checking must not change what they draw next.
    xp = array_module(output.array)
    values = xp.sin(xp.arange(1, output.array.size + 1) * 1.7).reshape(output.array.shape)
    cotangent = wrap(values.astype(output.array.dtype), output.result_class)
    cotangent.needs_grad = True
    return cotangent


def _check_output(
    func: Callable[..., Any], inputs: tuple[Any, ...], output_index: int, eps: float, atol: float, rtol: float
) -> None:
    def run() -> Any:
        return [output for output in _as_tuple(func(*inputs)) if output.needs_grad][output_index]

    sources = [value for value in inputs if _is_checked(value)]
    analytical: list[Any] = list(zip(*_backward_rows(run(), sources))) or [[]] * len(sources)
    for position, source in enumerate(sources):
        xp = array_module(source.array)
        numerical = _difference_columns(func, inputs, output_index, source, eps)
        if not numerical or not analytical[position]:
            continue
        rows, columns = xp.stack(analytical[position]), xp.stack(numerical, axis=1)
        if not bool(xp.allclose(rows, columns, rtol, atol)):
            raise GradcheckError(
                f"Jacobian mismatch for output {output_index} with respect to input {position},\n"
                f"numerical:{columns}\nanalytical:{rows}\n"
            )


def _backward_rows(output: Variable, sources: list[Any]) -> Iterator[list[Any]]:
    """One row of the Jacobian an output element: backward with a unit cotangent."""
    xp = array_module(output.array)
    for position in range(output.array.size):
        unit = xp.zeros(output.array.size, output.array.dtype)
        unit[position] = 1
        cotangent = wrap(unit.reshape(output.array.shape), output.result_class)
        found = entrance.grad(output, sources, cotangent, retain_graph=True, allow_unused=True)
        yield [
            xp.zeros(source.array.size) if each is None else each.array.reshape(-1)
            for source, each in zip(sources, found)
        ]


def _difference_columns(
    func: Callable[..., Any], inputs: tuple[Any, ...], output_index: int, source: Variable, eps: float
) -> list[Any]:
    """One column of the Jacobian an input element: a central difference."""
    columns = []
    array = source.array
    for index in range(array.size):
        place = array_module(array).unravel_index(index, array.shape)
        sides = []
        for step in (eps, -eps):
            changed = wrap(array.copy(), source.result_class)
            changed.array[place] += step
            changed.needs_grad = True
            arguments = tuple(changed if value is source else value for value in inputs)
            outputs = [output for output in _as_tuple(func(*arguments)) if output.needs_grad]
            sides.append(outputs[output_index].array.reshape(-1))
        columns.append((sides[0] - sides[1]) / (2 * eps))
    return columns
