"""``Module``: the base of every layer and network.

A module is an object whose attributes are sorted as they are assigned: parameters, buffers and submodules go
into dictionaries of their own. All else follows from that: listing them (traversal.py), saving and loading
(state_dict.py), moving them to another dtype or device, and printing. Hooks are in hooks.py.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import minitorch.dtypes as dtypes
from minitorch.autograd.grad_mode import no_grad
from minitorch.device import device
from minitorch.nn.hooks import ModuleHooks
from minitorch.nn.parameter import Parameter
from minitorch.nn.state_dict import ModuleState
from minitorch.nn.traversal import ModuleTree
from minitorch.tensor.tensor import Tensor

M = TypeVar("M", bound="Module")


def _forward_is_missing(self: Any, *inputs: Any) -> Any:
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


def _refuse_arguments(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """``Module`` takes no arguments; the error names the subclass that passed them on."""
    if kwargs:
        raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
    if args:
        raise TypeError(f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given")


class Module(ModuleTree, ModuleState, ModuleHooks):
    """The base of all layers and networks: subclass it, make layers in ``__init__``, use them in ``forward``.

    >>> import minitorch as torch
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = torch.nn.Linear(4, 8)
    ...     def forward(self, x):
    ...         return self.hidden(x).relu()
    >>> Net()
    Net(
      (hidden): Linear(in_features=4, out_features=8, bias=True)
    )
    """

    training: bool
    forward: Callable[..., Any] = _forward_is_missing

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_arguments(type(self).__name__, args, kwargs)
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers_set=set(),
            _forward_pre_hooks=OrderedDict(),
            _forward_hooks=OrderedDict(),
            _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
            _state_dict_pre_hooks=OrderedDict(),
            _state_dict_hooks=OrderedDict(),
            _load_state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_post_hooks=OrderedDict(),
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``forward``, with the hooks around it."""
        if self._forward_pre_hooks or self._forward_hooks or self._backward_pre_hooks or self._backward_hooks:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    # --------------------------------------------------------------------------------------- attributes

    def __setattr__(self, name: str, value: Any) -> None:
        """Put parameters, modules and buffers into their dictionaries, anything else into ``__dict__``."""
        if isinstance(value, Parameter):
            self._require_init("parameters")
            self._forget(name)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._require_init("module")
            self._forget(name, but="_modules")
            self._modules[name] = value
        elif name in self.__dict__.get("_parameters", ()):
            self._set_none(name, value, "_parameters", "parameter '{}' (torch.nn.Parameter or None expected)")
        elif name in self.__dict__.get("_modules", ()):
            self._set_none(name, value, "_modules", "child module '{}' (torch.nn.Module or None expected)")
        elif name in self.__dict__.get("_buffers", ()) and isinstance(value, Tensor):
            self._buffers[name] = value
        elif name in self.__dict__.get("_buffers", ()):
            expected = "buffer '{}' (torch.nn.Buffer, torch.Tensor or None expected)"
            self._set_none(name, value, "_buffers", expected)
        else:
            object.__setattr__(self, name, value)

    def _require_init(self, kind: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")

    def _forget(self, name: str, but: str | None = None) -> None:
        """Remove ``name`` from wherever it was: an attribute is of one kind only."""
        self.__dict__.pop(name, None)
        for kind in ("_parameters", "_buffers", "_modules"):
            if kind != but:
                self.__dict__[kind].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _set_none(self, name: str, value: Any, kind: str, expected: str) -> None:
        """A name that is taken by a parameter, module or buffer can be set to None, and to nothing else."""
        if value is not None:
            raise TypeError(f"cannot assign '{_typename(value)}' as {expected.format(name)}")
        self.__dict__[kind][name] = None

    def __getattr__(self, name: str) -> Any:
        # Python calls this only for what is not in __dict__ nor in the class.
        for kind in ("_parameters", "_buffers", "_modules"):
            members = self.__dict__.get(kind)
            if members is not None and name in members:
                return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        own = [*self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in {*dir(type(self)), *own} if not name[0].isdigit())

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter (or the place for one, with None) under ``name``.

        Raises: AttributeError before ``__init__``; TypeError or KeyError for a name or value that cannot be.
        """
        self._require_init("parameter")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state but not learned; ``persistent=False`` keeps it out of files.

        Raises: AttributeError before ``__init__``; TypeError or KeyError for a name or value that cannot be.
        """
        self._require_init("buffer")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule (or the place for one, with None) under ``name``.

        Raises: AttributeError before ``__init__``; TypeError or KeyError for a name or value that cannot be.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        self._require_init("module")
        self._check_name("module", name, self._modules)
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name for ``add_module``."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: str, members: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if hasattr(self, name) and name not in members:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')

    # ----------------------------------------------------------------------------- changing all at once

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call ``fn`` on every module below this one, children first, and then on this one.

        >>> import minitorch as torch
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        >>> _ = net.apply(lambda module: print(type(module).__name__))
        Linear
        ReLU
        Sequential
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all below it into training mode (dropout on, batch statistics in use)."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: M) -> M:
        """Leave training mode: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set ``requires_grad`` of every parameter: False freezes the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradients of all parameters, or fill them with zeros where ``set_to_none`` is false."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach()
                parameter.grad.zero_()

    def _apply(self: M, fn: Callable[[Any], Any], recurse: bool = True) -> M:
        """Replace each tensor by ``fn`` of it; a parameter stays the object it is and gets new memory."""
        for module in self.children() if recurse else ():
            module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    parameter.data = fn(parameter.data)
                    if parameter.grad is not None:
                        parameter.grad = fn(parameter.grad.detach())
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Move all parameters and buffers, in place.

        As for tensors: ``to(device)``, ``to(dtype)``, ``to(device, dtype)`` or ``to(tensor)``. Only
        floating-point tensors change their dtype. ``memory_format`` is for those with four or five dimensions.
        With ``non_blocking`` the host goes on while a GPU copies from pinned memory.
        Raises: TypeError for a dtype that is not floating-point.
        """
        memory_format = kwargs.pop("memory_format", None)
        target_device, target_dtype, non_blocking = _parse_to(*args, **kwargs)
        if target_dtype is not None and not target_dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={target_dtype}"
            )

        def move(tensor: Any) -> Any:
            if target_device is not None:
                tensor = tensor.to(target_device, non_blocking=non_blocking)
            if target_dtype is not None and tensor.dtype.is_floating_point:
                tensor = tensor.to(target_dtype)
            return tensor.to(memory_format=memory_format) if tensor.ndim in (4, 5) else tensor

        return self._apply(move)

    def cpu(self: M) -> M:
        """Move all parameters and buffers to host memory."""
        return self._apply(lambda tensor: tensor.to(device("cpu")))

    def cuda(self: M, device: Any = None) -> M:  # torch's name of the argument hides the class here
        """Move all parameters and buffers to a GPU."""
        target = "cuda" if device is None else device
        return self._apply(lambda tensor: tensor.to(target))

    def type(self: M, dst_type: Any) -> M:
        """Turn all parameters and buffers into ``dst_type``."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self: M) -> M:
        """Turn floating-point parameters and buffers into float32."""
        return self.to(dtypes.float32)

    def double(self: M) -> M:
        """Turn floating-point parameters and buffers into float64."""
        return self.to(dtypes.float64)

    def half(self: M) -> M:
        """Turn floating-point parameters and buffers into float16."""
        return self.to(dtypes.float16)

    # ----------------------------------------------------------------------------------------- printing

    def _get_name(self) -> str:
        return self.__class__.__name__

    def extra_repr(self) -> str:
        """What a layer shows between its brackets, such as ``in_features=2, out_features=1``."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        return self._get_name() + bracketed(extra.split("\n") if extra else [], lines)


def bracketed(extra: list[str], lines: list[str]) -> str:
    """A module's text after its name: extra information alone on one line, or everything below one another."""
    if not lines and len(extra) <= 1:
        return f"({''.join(extra)})"
    return "(\n  " + "\n  ".join(extra + lines) + "\n)"


def indented(text: str) -> str:
    """Every line but the first, two spaces further in."""
    return text.replace("\n", "\n  ")


def _typename(value: Any) -> str:
    """The type as torch's messages name it: ``torch.FloatTensor`` for a tensor."""
    if not isinstance(value, Tensor):
        return type(value).__name__
    return f"torch.{'cuda.' if value.is_cuda else ''}{value.dtype.legacy_name}Tensor"


def _parse_to(*args: Any, **kwargs: Any) -> tuple[device | None, dtypes.dtype | None, bool]:
    """The device and the dtype that the arguments of ``to`` name, and whether it is non-blocking."""
    target_device, target_dtype = kwargs.get("device"), kwargs.get("dtype")
    tensor, non_blocking = kwargs.get("tensor"), bool(kwargs.get("non_blocking", False))
    for value in args:
        if isinstance(value, Tensor):
            tensor = value
        elif isinstance(value, dtypes.dtype):
            target_dtype = value
        elif isinstance(value, (str, int, device)) and not isinstance(value, bool):
            target_device = value
        elif isinstance(value, bool):
            non_blocking = value
        elif value is not None:
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(value).__name__})")
    if tensor is not None:
        return tensor.device, tensor.dtype, non_blocking
    return (None if target_device is None else device(target_device)), target_dtype, non_blocking
