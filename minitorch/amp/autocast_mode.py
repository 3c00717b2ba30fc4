"""``autocast``: a region in which each op computes in the dtype that suits it; and its like for custom functions."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import minitorch.autograd.autocast_mode as mode
import minitorch.dtypes as dtypes
from minitorch.autograd.autocast_mode import is_autocast_available
from minitorch.backend import accelerator, is_array
from minitorch.ops.promotion import to_dtype
from minitorch.tensor.tensor import Tensor

__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]


def autocast_decorator(autocast_instance: autocast, func: Callable[..., Any]) -> Callable[..., Any]:
    """``func`` run inside the region each time it is called."""

    @functools.wraps(func)
    def decorate_autocast(*args: Any, **kwargs: Any) -> Any:
        with autocast_instance:
            return func(*args, **kwargs)

    return decorate_autocast


class autocast:  # noqa: N801 (torch's name)
    """Mixed precision, as a context manager or a decorator.

    Inside, on tensors of ``device_type``: products (``linear``, ``conv2d``, ``matmul`` …) cast their operands to
    ``dtype``; ops that need digits or range (``exp``, ``softmax``, norms, losses …) cast them to float32, some to the
    widest dtype among them; all others compute in what they are given. ``ops/autocast_policies.py`` has the lists,
    which are torch's. float64, integers, in-place ops and ``out=`` are never cast. Backward computes in the dtypes of
    the forward; gradients come back in their tensor's dtype. Regions nest, and belong to the thread.
    Args: device_type: "cuda" or "cpu"; dtype: None for float16 on CUDA (the CPU has no default: torch's is bfloat16);
    enabled: False to leave mixed precision for a part of a region; cache_enabled: keep each parameter's cast until the
    outermost region ends (None: as around it).
    Raises: RuntimeError for an unknown device type, and for the CPU without a dtype. Warns, and does nothing, where
    there is no GPU, and for the CPU in another dtype than float16.
    Numerics: a parameter that is changed in place inside the region is cast anew; torch goes on with the old cast.
    Source: Micikevicius et al., "Mixed precision training", 2018 (https://arxiv.org/abs/1710.03740).

    >>> import minitorch as torch
    >>> a = torch.ones(2, 2)
    >>> with torch.autocast("cpu", dtype=torch.float16):
    ...     product = a @ a
    ...     loss = torch.nn.functional.mse_loss(product, a)
    >>> product.dtype, loss.dtype
    (torch.float16, torch.float32)
    """

    def __init__(
        self,
        device_type: str,
        dtype: dtypes.dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        _check_device_type(device_type)
        is_autocast_available(device_type)  # raises for a name that is none
        self.device = device_type
        self.fast_dtype = dtype
        if dtype is None and enabled:
            self.fast_dtype = mode.get_autocast_dtype(device_type)
        self._cache_enabled = mode.is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        self._enabled = enabled and self._can_be_enabled()

    def _can_be_enabled(self) -> bool:
        """Whether there is a device, and mixed precision for it in this dtype; warns if not."""
        if self.device == "cuda":
            if not accelerator.is_available():
                warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=3)
                return False
        elif self.fast_dtype is not dtypes.float16:
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"CPU Autocast only supports dtypes of torch.float16 currently, not {self.fast_dtype}.",
                stacklevel=3,
            )
            return False
        return True

    def __enter__(self) -> autocast:
        state = mode.state
        state.regions.append((state.devices, state.dtypes.copy(), state.cache_enabled))
        mode.set_autocast_enabled(self.device, self._enabled)
        if self.fast_dtype is not None:
            mode.set_autocast_dtype(self.device, self.fast_dtype)
        mode.autocast_increment_nesting()
        mode.set_autocast_cache_enabled(self._cache_enabled)
        return self

    def __exit__(self, *exception: object) -> None:
        state = mode.state
        if mode.autocast_decrement_nesting() == 0:
            mode.clear_autocast_cache()
        state.devices, state.dtypes, state.cache_enabled = state.regions.pop()

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean to use autocast as "
                "a context manager? For example:\n"
                "    with torch.autocast(device_type=...):\n"
                "        output = model(input)"
            )
        return autocast_decorator(self, func)


def _check_device_type(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def _cast(value: Any, device_type: str, dtype: dtypes.dtype) -> Any:
    """A tensor in ``dtype``, if it is floating, not float64, and on such a device; containers item by item."""
    if isinstance(value, Tensor):
        is_eligible = (
            value.dtype.is_floating_point and value.dtype is not dtypes.float64 and value.device.type == device_type
        )
        return to_dtype(value, dtype) if is_eligible else value
    if isinstance(value, (str, bytes)) or is_array(value):
        return value
    if isinstance(value, Mapping):
        return {_cast(key, device_type, dtype): _cast(each, device_type, dtype) for key, each in value.items()}
    if isinstance(value, Iterable):
        cast = (_cast(each, device_type, dtype) for each in value)
        return type(value)(cast) if isinstance(value, (list, tuple)) else cast
    return value


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: dtypes.dtype | None = None
) -> Any:
    """A decorator for ``forward`` of a custom ``autograd.Function``, so that it may be used inside ``autocast``.

    Args: cast_inputs: None to run forward in the region around it; a dtype to cast the floating-point tensors among
    its arguments to it and to run with autocast off. Outside a region it changes nothing.
    """
    _check_device_type(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    function = fwd

    @functools.wraps(fwd)
    def decorate_fwd(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        is_enabled = mode.is_autocast_enabled(device_type)
        context._dtype = mode.state.dtypes.get(device_type)
        context._fwd_used_autocast = is_enabled and cast_inputs is None
        if cast_inputs is None or not is_enabled:
            return function(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return function(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return decorate_fwd


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Any:
    """A decorator for ``backward`` of a custom ``autograd.Function``: it runs in the autocast state of forward.

    >>> import minitorch as torch
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     @torch.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, grad_output):
    ...         return grad_output * 2 * ctx.saved_tensors[0]
    >>> with torch.autocast("cpu", dtype=torch.float16):
    ...     y = Square.apply(torch.tensor(300.0, dtype=torch.float16))
    >>> y
    tensor(90000.)
    """
    _check_device_type(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    function = bwd

    @functools.wraps(bwd)
    def decorate_bwd(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        with autocast(device_type, enabled=context._fwd_used_autocast, dtype=context._dtype):
            return function(*args, **kwargs)

    return decorate_bwd
