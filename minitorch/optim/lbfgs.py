"""L-BFGS: a quasi-Newton method, whose idea of the curvature comes from the last few steps.

Source: Nocedal and Wright, "Numerical optimization", 2nd edition, 2006, algorithms 7.4 and 7.5; its line search
is in line_search.py.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.grad_mode import enable_grad
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import Array, array_module
from minitorch.optim.line_search import Point, strong_wolfe
from minitorch.optim.optimizer import Optimizer, check_learning_rate, number
from minitorch.tensor.tensor import Tensor


class LBFGS(Optimizer):
    """L-BFGS on all parameters as one vector; ``step`` takes a closure and calls it as often as it needs.

    Args: lr: the step length, or with a line search the first one tried; max_iter: iterations a step;
    max_eval: calls of the closure a step (max_iter · 5/4 if None); tolerance_grad: stop when no element of the
    gradient is larger; tolerance_change: stop when parameters or loss change less; history_size: how many
    steps are remembered; line_search_fn: None or "strong_wolfe".
    Raises: ValueError for a negative lr or several groups; RuntimeError in ``step`` for another line_search_fn.

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.tensor([3.0, -4.0]))
    >>> optimizer = torch.optim.LBFGS([weight], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (weight * weight).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(25., grad_fn=<SumBackward0>)
    >>> bool((weight.detach().abs() < 1e-6).all())
    True
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_learning_rate(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # ------------------------------------------------------------------------- the parameters as a vector

    @property
    def _parameters(self) -> list[Any]:
        parameters: list[Any] = self.param_groups[0]["params"]
        return parameters

    def _flat_gradient(self) -> Array:
        """All gradients as one vector; zeros for a parameter without one."""
        parts = []
        for parameter in self._parameters:
            xp = array_module(parameter.array)
            gradient = xp.zeros_like(parameter.array) if parameter.grad is None else parameter.grad.array
            parts.append(gradient.reshape(-1))
        return array_module(parts[0]).concatenate(parts)

    def _move(self, length: float, direction: Array) -> None:
        """parameters ← parameters + length · direction."""
        start = 0
        for parameter in self._parameters:
            array = parameter.array
            array += length * direction[start : start + array.size].reshape(array.shape)
            parameter.bump_version()
            start += array.size

    def _evaluate_at(self, closure: Any, origin: list[Array], length: float, direction: Array) -> tuple[float, Array]:
        """Loss and gradient ``length`` away from ``origin``, where the parameters are put back afterwards."""
        self._move(length, direction)
        loss = float(closure())
        gradient = self._flat_gradient()
        for parameter, values in zip(self._parameters, origin):
            parameter.array[...] = values
            parameter.bump_version()
        return loss, gradient

    # ---------------------------------------------------------------------------------------------- steps

    def step(self, closure: Any) -> Any:  # type: ignore[override]
        """Iterate; ``closure`` clears the gradients, computes the loss and the gradients, and returns the loss."""

        def recorded_closure() -> Any:
            with enable_grad():
                return closure()

        for hook in tuple(self._step_pre_hooks.values()):
            hook(self, (self,), {})
        first_loss = self._iterate(recorded_closure)
        for hook in tuple(self._step_post_hooks.values()):
            hook(self, (self,), {})
        return first_loss

    def _iterate(self, closure: Any) -> Any:
        group, state = self.param_groups[0], self.state[self._parameters[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss = float(first_loss)
        evaluations = 1
        state["func_evals"] += 1
        gradient = self._flat_gradient()
        if _largest(gradient) <= group["tolerance_grad"]:
            return first_loss
        direction, length = _array(state.get("d")), state.get("t")
        history = _History(state, group["history_size"])
        previous_gradient, previous_loss = _array(state.get("prev_flat_grad")), state.get("prev_loss")
        iterations = 0
        while iterations < group["max_iter"]:
            iterations += 1
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction = -gradient
                history.forget()
            else:
                history.remember(gradient - previous_gradient, direction * length)
                direction = history.newton_direction(gradient)
            previous_gradient, previous_loss = gradient.copy(), loss
            length = number(group["lr"])
            if state["n_iter"] == 1:
                length *= min(1.0, 1.0 / float(abs(gradient).sum()))
            slope = float(gradient @ direction)
            if slope > -group["tolerance_change"]:
                break
            used = 0
            if group["line_search_fn"] is not None:
                remaining = group["max_eval"] - evaluations
                start = Point(0.0, loss, gradient.copy(), slope)
                loss, gradient, length, used = self._search(closure, length, direction, start, remaining)
            else:
                self._move(length, direction)
                if iterations != group["max_iter"]:
                    loss = float(closure())
                    gradient = self._flat_gradient()
                    used = 1
            evaluations += used
            state["func_evals"] += used
            if _is_finished(group, iterations, evaluations, gradient, direction * length, loss - previous_loss):
                break
        state["d"], state["t"] = _tensor(direction), length
        history.save()
        state["prev_flat_grad"], state["prev_loss"] = _tensor(previous_gradient), previous_loss
        return first_loss

    def _search(
        self, closure: Any, length: float, direction: Array, start: Point, max_iterations: int
    ) -> tuple[float, Array, float, int]:
        """Choose the step's length by line search, and go there: loss, gradient, length, calls of the closure."""
        if self.param_groups[0]["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        origin = [parameter.array.copy() for parameter in self._parameters]

        def evaluate(tried: float) -> tuple[float, Array]:
            return self._evaluate_at(closure, origin, tried, direction)

        best, used = strong_wolfe(evaluate, length, direction, start, max_iterations=max_iterations)
        self._move(best.length, direction)
        return best.loss, best.gradient, best.length, used


class _History:
    """The last steps s and changes of the gradient y, from which −H⁻¹·gradient is computed without the matrix."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.state = state
        self.size = size
        self.changes = [_array(change) for change in state.get("old_dirs") or []]
        self.steps = [_array(step) for step in state.get("old_stps") or []]
        self.inverses = [_array(inverse) for inverse in state.get("ro") or []]
        self.scale = _array(state.get("H_diag", 1))

    def forget(self) -> None:
        """Begin anew: the first step goes along the gradient."""
        self.changes, self.steps, self.inverses, self.scale = [], [], [], 1

    def remember(self, change: Array, step: Array) -> None:
        """Add a pair, unless the curvature along it is not positive."""
        curvature = change @ step
        if not float(curvature) > 1e-10:
            return
        if len(self.changes) == self.size:
            for values in (self.changes, self.steps, self.inverses):
                values.pop(0)
        self.changes.append(change)
        self.steps.append(step)
        self.inverses.append(1.0 / curvature)
        self.scale = curvature / (change @ change)

    def newton_direction(self, gradient: Array) -> Array:
        """The two-loop recursion."""
        direction = -gradient
        weights = []
        for change, step, inverse in zip(self.changes[::-1], self.steps[::-1], self.inverses[::-1]):
            weights.append((step @ direction) * inverse)
            direction = direction - weights[-1] * change
        self.weights = weights[::-1]
        direction = direction * self.scale
        for change, step, inverse, weight in zip(self.changes, self.steps, self.inverses, self.weights):
            direction = direction + (weight - (change @ direction) * inverse) * step
        return direction

    def save(self) -> None:
        """Put everything where ``state_dict`` finds it, as tensors."""
        self.state["old_dirs"] = [_tensor(change) for change in self.changes]
        self.state["old_stps"] = [_tensor(step) for step in self.steps]
        self.state["ro"] = [_tensor(inverse) for inverse in self.inverses]
        self.state["H_diag"] = _tensor(self.scale)


def _is_finished(
    group: dict[str, Any], iterations: int, evaluations: int, gradient: Array, change: Array, loss_change: float
) -> bool:
    return (
        iterations == group["max_iter"]
        or evaluations >= group["max_eval"]
        or _largest(gradient) <= group["tolerance_grad"]
        or _largest(change) <= group["tolerance_change"]
        or abs(loss_change) < group["tolerance_change"]
    )


def _largest(vector: Array) -> float:
    return float(abs(vector).max())


def _array(value: Any) -> Any:
    return value.array if isinstance(value, Variable) else value


def _tensor(value: Any) -> Any:
    """An array as a tensor of its own; a number as it is."""
    return wrap(array_module(value).asarray(value), Tensor) if hasattr(value, "dtype") else value
