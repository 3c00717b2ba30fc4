"""``GradScaler``: a factor on the loss that keeps small gradients above float16's smallest number.

A gradient below 6·10⁻⁸ is 0 in float16. So the loss is multiplied by a large scale S before backward, which multiplies
every gradient by S, and each optimizer's gradients are divided by S before its step. If S is too large, gradients
overflow to ∞ or nan: that step is left out and S shrinks. After a long time without an overflow, S grows.

Scale, growth tracker and what was found live on the device as tensors of one element, so that nothing waits for the
device but ``step``, which asks once whether to step, and not even that for an optimizer with ``fused=True``.
"""

from __future__ import annotations

import inspect
import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.grad_mode import no_grad
from minitorch.autograd.variable import wrap
from minitorch.backend import accelerator, array_module
from minitorch.backend.multi_tensor import multi_tensor_unscale
from minitorch.device import device
from minitorch.tensor.creation import full
from minitorch.tensor.tensor import Tensor

__all__ = ["GradScaler", "OptState"]


class _Copies:
    """Copies of a tensor on the devices that ask for one, each made once."""

    def __init__(self, original: Tensor) -> None:
        self.original = original
        self.by_device: dict[device, Tensor] = {}

    def get(self, where: device) -> Tensor:
        if where not in self.by_device:
            self.by_device[where] = self.original.to(device=where, copy=True)
        return self.by_device[where]


class OptState(Enum):
    """What has happened to an optimizer since the last ``update``."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _fresh_state() -> dict[str, Any]:
    return {"stage": OptState.READY, "found_inf_per_device": {}}


class GradScaler:
    """Scales losses, unscales gradients, leaves out steps with infinite or nan gradients, and adapts the scale.

    Formula: scale ← scale · backoff_factor after an iteration with an ∞ or nan in a gradient; scale ← scale ·
    growth_factor after growth_interval iterations without one in a row.
    Args: device: "cuda" or "cpu"; enabled: False makes every method do nothing, and ``step`` the optimizer's.
    Raises: AssertionError for a growth_factor ≤ 1 or a backoff_factor ≥ 1. Warns, and is disabled, without a GPU.
    Source: Micikevicius et al., "Mixed precision training", 2018 (https://arxiv.org/abs/1710.03740).

    >>> import minitorch as torch
    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> optimizer = torch.optim.SGD([weight], lr=0.5)
    >>> scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    >>> scaler.scale(weight.sum()).backward()
    >>> weight.grad
    tensor([4., 4.])
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> weight.detach(), scaler.get_scale()
    (tensor([0.5000, 0.5000]), 4.0)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda" and not accelerator.is_available():
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = init_scale
        self._scale: Tensor | None = None  # made on the device of the first loss
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._init_growth_tracker = 0
        self._growth_tracker: Tensor | None = None
        self._per_optimizer_states: defaultdict[int, dict[str, Any]] = defaultdict(_fresh_state)

    # ------------------------------------------------------------------------------------------- the scale

    def _check_scale_growth_tracker(self, name: str) -> tuple[Tensor, Tensor]:
        if self._scale is None or self._growth_tracker is None:
            missing = "_scale" if self._scale is None else "_growth_tracker"
            raise AssertionError(
                f"Attempted {name} but {missing} is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )
        return self._scale, self._growth_tracker

    def _scale_for(self, output: Tensor) -> Tensor:
        """The scale, made on this tensor's device if there is none yet."""
        if self._scale is None:
            if self._growth_tracker is not None:
                raise AssertionError("_growth_tracker initialized before _scale")
            self._scale = full((), self._init_scale, dtype=dtypes.float32, device=output.device)
            self._growth_tracker = full((), self._init_growth_tracker, dtype=dtypes.int32, device=output.device)
        return self._scale

    def scale(self, outputs: Any) -> Any:
        """A tensor times the scale, or a list, tuple or other iterable of such.

        Raises: ValueError for anything else.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale_for(outputs).to(device=outputs.device)
        copies: list[_Copies] = []  # of the scale, once a first tensor tells where that is

        def scaled(value: Any) -> Any:
            if isinstance(value, Tensor):
                if not copies:
                    copies.append(_Copies(self._scale_for(value)))
                return value * copies[0].get(value.device)
            if isinstance(value, Iterable):
                each = map(scaled, value)
                return type(value)(each) if isinstance(value, (list, tuple)) else each
            raise ValueError("outputs must be a Tensor or an iterable of Tensors")

        return scaled(outputs)

    # -------------------------------------------------------------------------------------------- gradients

    def _unscale_grads_(
        self, optimizer: Any, inv_scale: Tensor, found_inf: Tensor, allow_fp16: bool
    ) -> dict[device, Tensor]:
        """Multiply an optimizer's gradients by ``inv_scale``; returns what was found, for each device."""
        inverse, found = _Copies(inv_scale), _Copies(found_inf)
        grads: defaultdict[device, list[Tensor]] = defaultdict(list)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if not isinstance(parameter, Tensor):
                    raise AssertionError(f"expected param to be torch.Tensor, got {type(parameter).__name__}")
                if parameter.grad is None:
                    continue
                if not allow_fp16 and parameter.grad.dtype is dtypes.float16:
                    raise ValueError("Attempting to unscale FP16 gradients.")
                grads[parameter.grad.device].append(parameter.grad)
        for where, several in grads.items():
            multi_tensor_unscale([grad.array for grad in several], inverse.get(where).array, found.get(where).array)
            for grad in several:
                grad.bump_version()
        return found.by_device

    def unscale_(self, optimizer: Any) -> None:
        """Divide this optimizer's gradients by the scale, for instance to clip them before ``step``.

        Raises: RuntimeError if it was called already since the last ``update``, or after ``step``; ValueError for
        float16 gradients: parameters in mixed precision are float32; AssertionError before any ``scale``.
        """
        if not self._enabled:
            return
        scale, _ = self._check_scale_growth_tracker("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inv_scale = wrap(_inverse(scale.array), Tensor)
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, inv_scale, _scalar_like(scale, 0.0), False)
        state["stage"] = OptState.UNSCALED

    def _check_inf_per_device(self, optimizer: Any) -> dict[device, Tensor]:
        """Look for infinite gradients, and leave them scaled."""
        scale, _ = self._check_scale_growth_tracker("_check_inf_per_device")
        found = self._unscale_grads_(optimizer, _scalar_like(scale, 1.0), _scalar_like(scale, 0.0), True)
        self._per_optimizer_states[id(optimizer)]["found_inf_per_device"] = found
        return found

    def _found_inf_per_device(self, optimizer: Any) -> dict[device, Tensor]:
        found: dict[device, Tensor] = self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]
        return found

    # ------------------------------------------------------------------------------------------------ steps

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``unscale_``, unless that was called, and ``optimizer.step``, unless a gradient is infinite or nan.

        An optimizer with ``fused=True`` is always called, and does both on the device: the host waits for nothing.
        Raises: RuntimeError for a closure, and if it was called already since the last ``update``; AssertionError
        before any ``scale``, and if no parameter has a gradient.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_scale_growth_tracker("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            result = self._scaled_step(optimizer, state, args, kwargs)
        else:
            if state["stage"] is OptState.READY:
                self.unscale_(optimizer)
            if not state["found_inf_per_device"]:
                raise AssertionError("No inf checks were recorded for this optimizer.")
            result = self._maybe_opt_step(optimizer, state, *args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def _maybe_opt_step(self, optimizer: Any, optimizer_state: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if sum(found.item() for found in optimizer_state["found_inf_per_device"].values()):
            return None
        return optimizer.step(*args, **kwargs)

    def _scaled_step(self, optimizer: Any, state: dict[str, Any], args: Any, kwargs: dict[str, Any]) -> Any:
        """The step of an optimizer that unscales and skips itself: told by two attributes, or, of old, this scaler."""
        if "grad_scaler" in inspect.signature(optimizer.step).parameters:
            warnings.warn(
                "GradScaler is going to stop passing itself as a keyword argument to the passed optimizer. In the near "
                "future GradScaler registers `grad_scale: Tensor` and `found_inf: Tensor` to the passed optimizer and "
                "let the optimizer use them directly.",
                FutureWarning,
                stacklevel=3,
            )
            return optimizer.step(*args, **kwargs, grad_scaler=self)
        if state["stage"] is OptState.READY:
            self._check_inf_per_device(optimizer)
        scale, _ = self._check_scale_growth_tracker("step")
        own = getattr(optimizer, "grad_scale", None)
        if state["stage"] is OptState.READY:
            own = scale if own is None else scale * own
        found = [each.to(device=scale.device) for each in state["found_inf_per_device"].values()]
        optimizer.grad_scale, optimizer.found_inf = own, sum(found[1:], found[0]) if found else None
        try:
            return optimizer.step(*args, **kwargs)
        finally:
            del optimizer.grad_scale, optimizer.found_inf

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapt the scale to what the steps since the last ``update`` found, or set it to ``new_scale``.

        Raises: AssertionError before any ``scale``, if there was no step or ``unscale_``, or for a ``new_scale`` that
        is neither a float nor a tensor of one element on the scaler's kind of device without a gradient.
        """
        if not self._enabled:
            return
        scale, tracker = self._check_scale_growth_tracker("update")
        if new_scale is None:
            self._adapt(scale, tracker)
        elif isinstance(new_scale, float):
            scale.fill_(new_scale)
        else:
            if new_scale.device.type != self._device or new_scale.numel() != 1 or new_scale.requires_grad:
                raise AssertionError(
                    "new_scale should be a float or a 1-element torch.cuda.FloatTensor or torch.FloatTensor with "
                    "requires_grad=False."
                )
            with no_grad():
                scale.copy_(new_scale)
        self._per_optimizer_states = defaultdict(_fresh_state)

    def _adapt(self, scale: Tensor, tracker: Tensor) -> None:
        """One step of the rule, on the device."""
        states = self._per_optimizer_states.values()
        found = [each.to(device=scale.device) for state in states for each in state["found_inf_per_device"].values()]
        if not found:
            raise AssertionError("No inf checks were recorded prior to update.")
        xp, value, count = array_module(scale.array), scale.array, tracker.array + 1
        is_found = sum(found[1:], found[0]).array != 0
        larger = value * self._growth_factor
        is_time = count == self._growth_interval
        grown = xp.where(is_time & xp.isfinite(larger), larger, value)
        tracker.array[...] = xp.where(is_found | is_time, 0, count)
        scale.array[...] = xp.where(is_found, value * self._backoff_factor, grown)

    # ------------------------------------------------------------------------------------------- its options

    def _get_scale_async(self) -> Tensor | None:
        return self._scale

    def get_scale(self) -> float:
        """The scale as a number, 1.0 if disabled. It waits for the device."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def get_growth_factor(self) -> float:
        """What the scale grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Change what the scale grows by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by after an overflow."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Change what the scale is multiplied by after an overflow."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many iterations without an overflow the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Change after how many iterations without an overflow the scale grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else int(self._growth_tracker.item())

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    # ------------------------------------------------------------------------------------------------ saving

    def state_dict(self) -> dict[str, Any]:
        """What to save beside the model, best after ``update``; empty if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state. Raises RuntimeError for that of a disabled scaler."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._growth_tracker is not None:
            self._growth_tracker.fill_(state_dict["_growth_tracker"])

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError(
                    "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                    "scaler.update()."
                )
            state |= {
                "_init_scale": self.get_scale(),
                "_init_growth_tracker": self._get_growth_tracker(),
                "_scale": None,
                "_growth_tracker": None,
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def _inverse(scale: Any) -> Any:
    """1 / scale, rounded once."""
    return (1 / scale.astype("float64")).astype("float32")


def _scalar_like(tensor: Tensor, value: float) -> Tensor:
    """A float32 number on a tensor's device."""
    return full((), value, dtype=dtypes.float32, device=tensor.device)
