"""``make_graphed_step``: a whole training step as one CUDA graph."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from minitorch.amp.grad_scaler import GradScaler
from minitorch.backend import array_module, graphs, is_on_cpu, to_device
from minitorch.backend.generator import default_cpu_generator
from minitorch.backend.multi_tensor import multi_tensor_copy, multi_tensor_zero
from minitorch.cuda.graphs import CUDAGraph, graph
from minitorch.nn.module import Module
from minitorch.optim.optimizer import Optimizer
from minitorch.tensor.tensor import Tensor

Step = Callable[..., Any]
Kind = TypeVar("Kind")


def make_graphed_step(
    step: Step,
    *static_inputs: Any,
    warmup: int = 3,
    restore: Sequence[Tensor] = (),
    pool: graphs.Handle | None = None,
) -> Step:
    """A function that does what ``step`` does, in one launch: forward, loss, backward and the optimizer's step.

    The function is called like ``step``. It copies its arguments into tensors of its own (one launch), replays what
    ``step`` did when it was captured, and returns what ``step`` returned.

    - **Arguments** have the shapes and dtypes of ``static_inputs``, on any device; what is no tensor must be equal to
      what was given here. Without arguments, the ones of the last call are used again.
    - **Results** are detached tensors in the graph's memory: the next call overwrites them, so ``clone()`` what is to
      stay. Numbers and the like are those of the capture. Parameters' ``grad`` lies in the graph's memory, too.
    - **The work on the GPU is repeated, not the Python code** of ``step``, which runs ``warmup`` + 1 times, here.
      A learning rate that changes must be a tensor on the GPU (``lr=torch.tensor(0.1, device="cuda")``); schedulers,
      ``item()`` and printing belong outside of ``step``. Adam and its kind need ``capturable=True``.
    - **Nothing is changed here.** Before the warm-up, a copy is made of all parameters, gradients and buffers of all
      modules on the GPU, of the parameters and states of all optimizers of such, of gradient scalers, of ``restore``,
      and of the random generators' states; and afterwards everything is as it was. States that an optimizer makes at
      its first step stay, as the graph needs them, but full of zeros, which to the optimizers that can be captured is
      the same as none. So the first call is the first step.
    - Products of matrices are those of our own kernel, as cuBLAS cannot be captured with CuPy. Sums of many products
      then differ in the last digits from steps without a graph; everything else is the same bit by bit.

    On the CPU there are no graphs, and the function calls ``step`` each time.

    Args: step: the function; static_inputs: a batch for it, of which copies are made; warmup: how often it is called
    before the capture, at least once; restore: tensors on the GPU that ``step`` changes in place, and that belong to no
    module and no optimizer; pool: a memory pool to share (``graph_pool_handle``).
    Raises: ValueError for no tensors or tensors of several devices, and in a call for arguments that do not fit;
    RuntimeError that names an operation which cannot be captured.

    >>> import minitorch as torch
    >>> model = torch.nn.Linear(2, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> def step(x, y):
    ...     optimizer.zero_grad()
    ...     loss = torch.nn.functional.mse_loss(model(x), y)
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> train = torch.cuda.make_graphed_step(step, torch.ones(4, 2), torch.ones(4, 1))
    >>> before = train(torch.ones(4, 2), torch.ones(4, 1)).item()
    >>> train(torch.ones(4, 2), torch.ones(4, 1)).item() < before
    True
    """
    if warmup < 1:
        raise ValueError(f"make_graphed_step: warmup must be at least 1, not {warmup}")
    devices = {each.device for each in static_inputs if isinstance(each, Tensor)}
    if len(devices) != 1:
        found = ", ".join(sorted(map(str, devices))) or "no tensors"
        raise ValueError(f"make_graphed_step: the inputs must be tensors of one device, not {found}")
    if devices.pop().type == "cpu":
        return lambda *inputs: _detached(step(*(inputs or static_inputs)))
    return GraphedStep(step, static_inputs, warmup, restore, pool)


class GraphedStep:
    """What ``make_graphed_step`` returns for a GPU. The graph reads ``inputs`` and writes ``outputs``."""

    def __init__(
        self, step: Step, inputs: Sequence[Any], warmup: int, restore: Sequence[Tensor], pool: graphs.Handle | None
    ) -> None:
        self.inputs = [_own(each) for each in inputs]
        self.graph = CUDAGraph()
        array = next(each.array for each in self.inputs if isinstance(each, Tensor))
        with array.device:
            drawn = default_cpu_generator.get_state()
            before = Before([*restore, *filter(_is_on_gpu, self.inputs)])
            try:
                with graphs.side_stream(), graphs.own_products():
                    for _ in range(warmup):
                        step(*self.inputs)
            finally:
                before.restore()
            try:
                with graph(self.graph, pool):
                    self.outputs = _detached(step(*self.inputs))
            except BaseException:
                before.restore()  # gradients, that is: they lie in memory which no graph fills
                raise
            default_cpu_generator.set_state(drawn)
        self._step, self._used = step, before.arrays()  # as long as the graph lives, so does what it reads and writes

    def __call__(self, *inputs: Any) -> Any:
        """Do the step on new inputs, or on what is in ``inputs``."""
        if inputs:
            copy_inputs(self.inputs, inputs)
        self.graph.replay()
        return self.outputs


def copy_inputs(static_inputs: Sequence[Any], inputs: Sequence[Any]) -> None:
    """Copy new inputs to where a graph reads them. Raises ValueError for what does not fit."""
    if len(inputs) != len(static_inputs):
        raise ValueError(f"the graph takes {len(static_inputs)} inputs, not {len(inputs)}")
    pairs = []
    for number, (static, value) in enumerate(zip(static_inputs, inputs)):
        _check_input(number, static, value)
        if isinstance(static, Tensor) and value.array is not static.array:
            pairs.append((static.array, to_device(value.array, static.device)))
    multi_tensor_copy([target for target, _ in pairs], [source for _, source in pairs])


def _own(value: Any) -> Any:
    """A copy of a tensor, as a leaf; anything else as it is."""
    return value.detach().clone().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


def _check_input(number: int, static: Any, value: Any) -> None:
    if isinstance(static, Tensor) and isinstance(value, Tensor):
        if (value.shape, value.dtype) != (static.shape, static.dtype):
            raise ValueError(
                f"the graph was captured with an input {number} of shape {tuple(static.shape)}, {static.dtype}, "
                f"not {tuple(value.shape)}, {value.dtype}"
            )
    elif isinstance(static, Tensor) or isinstance(value, Tensor) or value != static:
        raise ValueError(f"the graph was captured with {static!r} as input {number}, not {value!r}")


def _detached(outputs: Any) -> Any:
    """The tensors in what a step returned, without their history."""
    if isinstance(outputs, Tensor):
        return outputs.detach()
    if isinstance(outputs, dict):
        return {name: _detached(each) for name, each in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        items = [_detached(each) for each in outputs]
        return type(outputs)(*items) if hasattr(outputs, "_fields") else type(outputs)(items)
    return outputs


# --------------------------------------------------------------------------------------- what steps change


class Before:
    """What a step may change, as it is now: tensors on the GPU, gradients, optimizers' states, generators."""

    def __init__(self, more: Sequence[Tensor]) -> None:
        self._optimizers = [each for each in _living(Optimizer) if any(map(_is_on_gpu, _parameters(each)))]
        self._states = [
            {parameter: dict(state) for parameter, state in each.state.items()} for each in self._optimizers
        ]
        tensors = {id(each): each for each in [*self._changeable(), *more]}
        self._tensors = [(each, _copy(each.array)) for each in tensors.values()]
        self._grads = [(each, each.grad) for each in tensors.values() if each.is_leaf]
        self._grad_values = [None if grad is None else _copy(grad.array) for _, grad in self._grads]
        self._scalers = [(each, each.state_dict()) for each in _living(GradScaler) if each.is_enabled()]
        drawing: list[Any] = [default_cpu_generator, *graphs.default_generators]
        self._generators = [(each, each.get_state()) for each in drawing if hasattr(each, "get_state")]

    def _changeable(self) -> list[Tensor]:
        """The tensors of modules and optimizers: any that there are, as nobody says which ones the step uses."""
        found: list[Any] = []
        for module in _living(Module):
            found += [*module._parameters.values(), *module._buffers.values()]
        for optimizer, states in zip(self._optimizers, self._states):
            found += _parameters(optimizer)
            found += [value for state in states.values() for value in state.values()]
        return [each for each in found if _is_on_gpu(each)]

    def arrays(self) -> list[Any]:
        """The memory of all these tensors."""
        return [each.array for each, _ in self._tensors] + [grad.array for _, grad in self._grads if grad is not None]

    def restore(self) -> None:
        """Make everything as it was."""
        pairs = [(each.array, value) for each, value in self._tensors]
        for (tensor, grad), value in zip(self._grads, self._grad_values):
            tensor.grad = grad
            if grad is not None:
                pairs.append((grad.array, value))
        multi_tensor_copy([target for target, _ in pairs], [source for _, source in pairs])
        for tensor, _ in self._tensors:
            tensor.bump_version()
        for optimizer, states in zip(self._optimizers, self._states):
            _restore_states(optimizer, states)
        for scaler, state in self._scalers:
            scaler.load_state_dict(state)
        for generator, state in self._generators:
            generator.set_state(state)


def _living(kind: type[Kind]) -> list[Kind]:
    """All objects of a class that there are."""
    return [each for each in gc.get_objects() if issubclass(type(each), kind)]


def _parameters(optimizer: Optimizer) -> list[Any]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _is_on_gpu(value: Any) -> bool:
    return isinstance(value, Tensor) and not is_on_cpu(value.array)


def _copy(array: Any) -> Any:
    """The values, in memory of the same order."""
    return array_module(array).array(array, order="K")


def _restore_states(optimizer: Optimizer, before: dict[Any, dict[str, Any]]) -> None:
    """States that are new become zeros, numbers what they were; tensors that were there have their values already."""
    zeros = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            old = before.get(parameter, {})
            for name, value in optimizer.state.get(parameter, {}).items():
                if not _is_on_gpu(value):
                    if name in old:
                        optimizer.state[parameter][name] = old[name]
                elif name not in old:
                    _check_zero_is_none(optimizer, group, name)
                    zeros.append(value.array)
                elif old[name] is not value:  # a step count that went from the host to the GPU
                    value.array[...] = to_device(old[name].array, value.device)
    multi_tensor_zero(zeros)


def _check_zero_is_none(optimizer: Optimizer, group: dict[str, Any], name: str) -> None:
    """A first step with dampening takes the whole gradient; no other does."""
    if name == "momentum_buffer" and group.get("dampening"):
        raise RuntimeError(
            f"make_graphed_step: the first step of {type(optimizer).__name__} with dampening is not like the others. "
            "Take it before, without a graph"
        )
