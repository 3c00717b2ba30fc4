"""Saving and restoring a module: ``state_dict`` and ``load_state_dict``.

The state is a flat dictionary from paths (``features.0.weight``) to tensors: every parameter, and every buffer
that is persistent. Loading copies values into the tensors that are there, so whoever holds them (an
optimizer, another module) sees the change.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minitorch.autograd.grad_mode import no_grad
from minitorch.nn.parameter import Parameter
from minitorch.tensor.differentiation import RemovableHandle
from minitorch.tensor.tensor import Tensor

_EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` returns: paths the dictionary lacks, and paths the module lacks."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class ModuleState:
    """The part of ``Module`` that saves and restores its tensors."""

    _version: int = 1  # written into the metadata; a layer whose layout changed counts up
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _state_dict_hooks: dict[int, Callable[..., Any]]
    _load_state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _load_state_dict_post_hooks: dict[int, Callable[..., Any]]

    # ------------------------------------------------------------------------------------------- saving

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """All parameters and persistent buffers by their paths; the tensors share the module's memory.

        Args: destination: a dictionary to add to; prefix: put before each path; keep_vars: give the
        parameters themselves instead of detached tensors.

        >>> import minitorch as torch
        >>> list(torch.nn.Linear(2, 1).state_dict(prefix="fc."))
        ['fc.weight', 'fc.bias']
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            hook(self, destination, prefix, metadata)
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Add this module's own state, without that of the modules below it."""
        for name, value in self._own_state():
            destination[prefix + name] = value if keep_vars else value.detach()
        if self._has_extra_state("get_extra_state"):
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def _own_state(self) -> list[tuple[str, Any]]:
        persistent = [each for each in self._buffers.items() if each[0] not in self._non_persistent_buffers_set]
        return [(name, value) for name, value in [*self._parameters.items(), *persistent] if value is not None]

    def get_extra_state(self) -> Any:
        """What else a subclass wants saved; it must be picklable, and needs a ``set_extra_state``."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called. Please file an issue."
        )

    def set_extra_state(self, state: Any) -> None:
        """Restore what ``get_extra_state`` gave."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called. Please file an issue."
        )

    def _has_extra_state(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(ModuleState, method)

    # ------------------------------------------------------------------------------------------ loading

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the values in ``state_dict`` into this module.

        Args: strict: whether missing or unexpected paths are an error; assign: put the dictionary's own
        tensors in the place of the module's instead of copying their values.
        Returns: the missing and the unexpected paths.
        Raises: TypeError if ``state_dict`` is no mapping; RuntimeError that lists every path at fault.

        >>> import minitorch as torch
        >>> net = torch.nn.Linear(2, 1)
        >>> net.load_state_dict(torch.nn.Linear(2, 1).state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        copied = OrderedDict(state_dict)  # hooks may change it
        self._load_tree(copied, "", metadata, assign, strict, missing, unexpected, errors)
        if strict:
            _insert_key_errors(errors, missing, unexpected)
        if errors:
            raise RuntimeError(
                "Error(s) in loading state_dict for {}:\n\t{}".format(type(self).__name__, "\n\t".join(errors))
            )
        return _IncompatibleKeys(missing, unexpected)

    def _load_tree(
        self,
        state_dict: Any,
        prefix: str,
        metadata: Any,
        assign: bool,
        strict: bool,
        missing: list[str],
        unexpected: list[str],
        errors: list[str],
    ) -> None:
        local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
        if assign:
            local_metadata = {**local_metadata, "assign_to_params_buffers": True}
        self._load_from_state_dict(state_dict, prefix, local_metadata, True, missing, unexpected, errors)
        for name, module in self._modules.items():
            if module is not None:
                below = f"{prefix}{name}."
                part = {path: value for path, value in state_dict.items() if path.startswith(below)}
                module._load_tree(part, below, metadata, assign, strict, missing, unexpected, errors)
        for hook in self._load_state_dict_post_hooks.values():
            hook(self, _IncompatibleKeys(missing, unexpected))

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own state; a layer overrides this to read an older layout.

        Problems are added to the three lists, not raised, so that all of them can be shown at once.
        """
        for hook in self._load_state_dict_pre_hooks.values():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, current in self._own_state():
            path = prefix + name
            if path not in state_dict:
                missing_keys.append(path)
            elif (problem := _load_tensor(self, name, current, path, state_dict[path], assign)) is not None:
                error_msgs.append(problem)
        self._load_extra_state(state_dict, prefix, missing_keys, unexpected_keys)
        unexpected_keys.extend(self._unknown_keys(state_dict, prefix))

    def _load_extra_state(self, state_dict: Any, prefix: str, missing: list[str], unexpected: list[str]) -> None:
        path = prefix + _EXTRA_STATE
        if self._has_extra_state("set_extra_state"):
            if path in state_dict:
                self.set_extra_state(state_dict[path])
            else:
                missing.append(path)
        elif path in state_dict:
            unexpected.append(path)

    def _unknown_keys(self, state_dict: Any, prefix: str) -> list[str]:
        """The paths under ``prefix`` that lead neither to a tensor of this module nor into a submodule."""
        own = {name for name, _ in self._own_state()}
        unknown = []
        for path in state_dict:
            if path.startswith(prefix) and path != prefix + _EXTRA_STATE:
                name, dot, _ = path[len(prefix) :].partition(".")
                if name not in (self._modules if dot else own):
                    unknown.append(path)
        return unknown

    # -------------------------------------------------------------------------------------------- hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before the state is collected."""
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after the state was collected."""
        return RemovableHandle(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`` first."""
        return RemovableHandle(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may change the two lists of keys."""
        return RemovableHandle(self._load_state_dict_post_hooks, hook)


def _insert_key_errors(errors: list[str], missing: list[str], unexpected: list[str]) -> None:
    """Put the two lists of keys, if they are not empty, in front of the other errors."""
    for kind, keys in (("Unexpected", unexpected), ("Missing", missing)):
        if keys:
            listed = ", ".join(f'"{key}"' for key in keys)
            errors.insert(0, f"{kind} key(s) in state_dict: {listed}. ")


def _load_tensor(module: Any, name: str, current: Tensor, path: str, value: Any, assign: bool) -> str | None:
    """Copy one value into the module, or say why it cannot be done."""
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{path}", expected torch.Tensor or Tensor-like object from '
            f"checkpoint but received {type(value)}"
        )
    if current.ndim == 0 and value.ndim == 1 and len(value) == 1:
        value = value[0]  # very old files keep a scalar as a vector of one element
    if value.shape != current.shape:
        return (
            f"size mismatch for {path}: copying a param with shape {value.shape} from checkpoint, "
            f"the shape in current model is {current.shape}."
        )
    if assign:
        setattr(module, name, _as_kind_of(current, value))
        return None
    with no_grad():
        current.copy_(value)
    return None


def _as_kind_of(current: Tensor, value: Tensor) -> Tensor:
    """``value`` as a parameter if ``current`` is one, with its ``requires_grad``."""
    if not isinstance(current, Parameter):
        return value
    if isinstance(value, Parameter):
        return value.requires_grad_(current.requires_grad)
    return Parameter(value, current.requires_grad)
