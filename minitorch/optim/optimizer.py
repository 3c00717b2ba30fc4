"""``Optimizer``: what all optimizers share: groups of parameters, state, saving, ``zero_grad``, ``step``.

An optimizer is a class that owns state over a plain function that does the arithmetic: a subclass fills in
``_update``, which looks up what it remembers of each parameter and calls such a function on raw arrays, in place.
"""

from __future__ import annotations

import copy
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.grad_mode import enable_grad
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import Array, array_module, is_on_cpu
from minitorch.backend.graphs import check_capture, is_capturing
from minitorch.backend.multi_tensor import multi_tensor_zero
from minitorch.tensor.creation import tensor
from minitorch.tensor.differentiation import RemovableHandle
from minitorch.tensor.tensor import Tensor

Closure = Callable[[], Any]


class Optimizer:
    """The base of all optimizers.

    Args:
        params: the tensors to change, or pairs of a name and a tensor, or groups: dictionaries with the
        tensors under "params" and, beside them, options for these tensors alone.
        defaults: the options of groups that do not say otherwise.
    Raises: TypeError for params that are no tensors, ValueError for none at all, a tensor that is the result
    of an operation, or one in two groups.

    ``param_groups`` lists the groups; ``state[parameter]`` is what is remembered of a parameter.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {params.type()}"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._make_hook_dictionaries()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def _make_hook_dictionaries(self) -> None:
        self._step_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._step_post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()

    # -------------------------------------------------------------------------------------------- steps

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient.

        Args: closure: a function that computes the loss and its gradients anew; called first, with recording
        on. Returns what it returns, or None.
        Raises: RuntimeError in the capture of a CUDA graph, if the optimizer counts its steps on the host.
        """
        if is_capturing():
            self._check_capture()
        for hook in tuple(self._step_pre_hooks.values()):
            hook(self, (self,), {})
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            self._update(group, parameters)
            for parameter in parameters:
                parameter.bump_version()  # a graph that saved the old value must not use the new one unnoticed
        for hook in tuple(self._step_post_hooks.values()):
            hook(self, (self,), {})
        return loss

    def _check_capture(self) -> None:
        """Raise torch's error if a replay could not do what a step does."""
        if not all(group.get("capturable", True) for group in self.param_groups):
            raise RuntimeError(
                f"Attempting CUDA graph capture of step() for an instance of {type(self).__name__} "
                "but param_groups' capturable is False."
            )

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        """Change these parameters, which all have gradients, by the group's options."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradients of all parameters, or fill them with zeros where ``set_to_none`` is false."""
        on_gpu = []
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if set_to_none:
                    parameter.grad = None
                    continue
                parameter.grad = parameter.grad.detach()
                if is_on_cpu(parameter.grad.array):
                    parameter.grad.zero_()
                else:
                    on_gpu.append(parameter.grad)
        multi_tensor_zero([grad.array for grad in on_gpu])
        for grad in on_gpu:
            grad.bump_version()

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before every step."""
        return RemovableHandle(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after every step."""
        return RemovableHandle(self._step_post_hooks, hook)

    # ------------------------------------------------------------------------------------------- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, for instance layers unfrozen during training."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        parameters, names = _tensors_and_names(param_group["params"])
        for parameter in parameters:
            _check_parameter(parameter)
        group = {**param_group, "params": parameters}
        if names:
            group["param_names"] = names
        if self.param_groups and ("param_names" in self.param_groups[0]) != bool(names):
            raise ValueError(
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {'with' if names else 'without'} names to the optimizer"
            )
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        if len(set(map(id, parameters))) != len(parameters):
            warnings.warn("optimizer contains a parameter group with duplicate parameters", stacklevel=3)
        known = {id(parameter) for other in self.param_groups for parameter in other["params"]}
        if not known.isdisjoint(map(id, parameters)):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(group)

    # ------------------------------------------------------------------------------------------- saving

    def state_dict(self) -> dict[str, Any]:
        """What a file needs: ``state`` by the number of the parameter, and the groups with such numbers.

        >>> import minitorch as torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        >>> optimizer.state_dict()["param_groups"][0]["params"]
        [0]
        """
        numbers = self._numbers()
        groups = []
        for group in self.param_groups:
            packed = {name: value for name, value in group.items() if name != "params"}
            packed["params"] = [numbers[id(parameter)] for parameter in group["params"]]
            groups.append(packed)
        state = {numbers[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def _numbers(self) -> dict[int, int]:
        """The parameters' places in the order of the groups, by identity."""
        numbers: dict[int, int] = {}
        for group in self.param_groups:
            for parameter in group["params"]:
                numbers.setdefault(id(parameter), len(numbers))
        return numbers

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state; tensors in it take the dtype and device of their parameter.

        Raises: ValueError if the groups do not have the sizes of this optimizer's.
        """
        saved_groups = copy.deepcopy(state_dict["param_groups"])
        if len(saved_groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        pairs = list(zip(saved_groups, self.param_groups))
        if any(len(saved["params"]) != len(group["params"]) for saved, group in pairs):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        by_number: dict[Hashable, Any] = {}
        for saved, group in pairs:
            by_number.update(zip(saved["params"], group["params"]))
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, value in state_dict["state"].items():
            parameter = by_number.get(number)
            state[number if parameter is None else parameter] = _adapted(value, parameter)
        self.state = state
        self.param_groups = [_loaded_group(saved, group) for saved, group in pairs]

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_hook_dictionaries()

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
            lines.append("")
        return "\n".join(lines[:-1]) + "\n)"


def _tensors_and_names(params: Any) -> tuple[list[Any], list[str]]:
    """A group's tensors as a list, and their names if the caller gave pairs."""
    if isinstance(params, Tensor):
        return [params], []
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
            "sets will change between runs. Please use a list instead."
        )
    entries = list(params)
    named = [isinstance(entry, tuple) for entry in entries]
    if not any(named):
        return entries, []
    if not all(named):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    return [tensor for _, tensor in entries], [name for name, _ in entries]


def _check_parameter(parameter: Any) -> None:
    if not isinstance(parameter, Variable):
        raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(parameter).__name__}")
    if parameter.node is not None:
        raise ValueError("can't optimize a non-leaf Tensor")


def _adapted(value: Any, parameter: Any, key: str = "") -> Any:
    """A copy of a saved value whose tensors suit the parameter; step counts stay as they are."""
    if isinstance(value, Tensor):
        if parameter is None or key == "step":
            return value.clone()
        return value.to(device=parameter.device, dtype=parameter.dtype, copy=True)
    if isinstance(value, dict):
        return {name: _adapted(each, parameter, name) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_adapted(each, parameter) for each in value])
    return value


def _loaded_group(saved: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
    """The saved options over this optimizer's own parameters and names."""
    saved["params"] = group["params"]
    if "param_names" in group:
        saved["param_names"] = group["param_names"]
    return saved


# -------------------------------------------------------------------------- state that optimizers share


def scalar_state(value: float) -> Tensor:
    """A number that is remembered as a tensor of no dimensions in host memory, as torch's files have it."""
    return tensor(value, dtype=dtypes.get_default_dtype())


def zero_state(parameter: Any) -> Tensor:
    """Zeros in the parameter's shape, dtype and device."""
    zeros: Tensor = wrap(array_module(parameter.array).zeros_like(parameter.array), Tensor)
    return zeros


def check_state_is_made_before() -> None:
    """Raise an error in the capture of a CUDA graph, whose replays would make a new state each time."""
    if is_capturing():
        raise RuntimeError("an optimizer's state must exist before a step is captured: do one before, without a graph")


def prepare_state(state: dict[str, Any], parameter: Any, *names: str) -> None:
    """Before a parameter's first step: a step count of 0, and zeros under each of ``names``."""
    if not state:
        check_state_is_made_before()
        state["step"] = scalar_state(0.0)
        for name in names:
            state[name] = zero_state(parameter)


def count_step(state: dict[str, Any]) -> float:
    """The number of this step, counted from 1."""
    check_capture("the optimizer counts its steps on the host")
    if not isinstance(state["step"], Variable):  # files of old versions keep a plain number
        state["step"] = scalar_state(float(state["step"]))
    state["step"].array[...] += 1
    return float(state["step"].array)


def count_on_device(state: dict[str, Any], parameter: Any) -> Array:
    """The step count as a float32 array on the parameter's device, where a replayed graph finds and raises it."""
    if is_on_cpu(state["step"].array):
        check_state_is_made_before()
        xp = array_module(parameter.array)
        state["step"] = wrap(xp.full((), float(state["step"].array), "float32"), Tensor)
    array: Array = state["step"].array
    return array


def next_step(group: dict[str, Any], state: dict[str, Any], parameter: Any) -> Any:
    """The number of this step, counted from 1: an array on the GPU if the group is ``capturable``.

    Raises: AssertionError if it is, and the parameter is on the CPU.
    """
    if not group["capturable"]:
        return count_step(state)
    if is_on_cpu(parameter.array):
        raise AssertionError("If capturable=True, params and state_steps must be on supported devices: ['cuda'].")
    step = count_on_device(state, parameter)
    step += 1
    return step


def rate_of(group: dict[str, Any]) -> Any:
    """The learning rate: a number, or the array where it lies on the GPU, which a captured step reads anew."""
    rate = group["lr"]
    if group["capturable"] and isinstance(rate, Variable) and not is_on_cpu(rate.array):
        return rate.array.reshape(())
    return number(rate)


# ------------------------------------------------------------------------ options that optimizers share


def number(value: Any) -> float:
    """An option that may be a tensor of one element, as a Python number."""
    found: float = value.item() if isinstance(value, Tensor) else value
    return found


def check_learning_rate(lr: Any) -> None:
    """Raise torch's error for a learning rate that is negative, or a tensor of several elements."""
    if isinstance(lr, Variable) and lr.array.size != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not number(lr) >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_not_negative(**options: Any) -> None:
    """Raise torch's error, which spells out the name, for an option below zero (or NaN)."""
    for name, value in options.items():
        if not number(value) >= 0.0:
            raise ValueError(f"Invalid {name} value: {value}")


def check_betas(betas: Any) -> None:
    """Raise torch's error for a decay rate outside [0, 1)."""
    for index in (0, 1):
        if not 0.0 <= number(betas[index]) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")


def check_implementation(
    foreach: bool | None = None,
    fused: bool | None = None,
    differentiable: bool = False,
    capturable: bool = False,
) -> None:
    """Which of torch's implementations is asked for: here there is one, so only impossible wishes matter."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise NotImplementedError("differentiable=True: minitorch's optimizers do not record their steps")
    if capturable:
        raise NotImplementedError(
            "capturable=True: of minitorch's optimizers, only SGD, Adam, AdamW, Adamax, RMSprop and Adadelta "
            "can be captured in a CUDA graph"
        )
