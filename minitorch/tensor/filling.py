"""Tensor's ways of getting new values in place: constants, copies, random numbers."""

from __future__ import annotations

from typing import Any, TypeVar

from minitorch.autograd.function import check_broadcastable
from minitorch.autograd.grad_mode import state
from minitorch.autograd.inplace import apply_inplace, check_may_change
from minitorch.autograd.primitive import is_broadcastable_to
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import (
    array_module,
    copy_to_host,
    device_of,
    fill_if_wanted,
    host,
    is_on_cpu,
    module_of,
    to_device,
)
from minitorch.backend.cuda_generator import numbers_for
from minitorch.device import CPU
from minitorch.dtypes import chosen_dtype, from_numpy_dtype
from minitorch.memory_format import contiguous_format, preserve_format
from minitorch.ops.filling import Copy, Fill
from minitorch.ops.strided import made_like
from minitorch.ops.transfer import move
from minitorch.tensor.data import array_from_data, as_size, pinned, resolve_device

T = TypeVar("T", bound="FillingMethods")


def _is_download(source: Variable, target: Variable) -> bool:
    """Whether values of a GPU shall go to host memory, and nobody records it."""
    if is_on_cpu(source.array) or not is_on_cpu(target.array):
        return False
    base = target.base
    check_may_change(target)
    return not (state.enabled and (source.needs_grad or target.needs_grad or (base is not None and base.needs_grad)))


def _check_shapes(target: tuple[int, ...], source: tuple[int, ...]) -> None:
    """Raise torch's error unless the source can be repeated to the target's shape (more dimensions never can)."""
    check_broadcastable(target, source)
    if not is_broadcastable_to(source, target):
        shape = list(host.broadcast_shapes(target, source))
        raise RuntimeError(f"output with shape {list(target)} doesn't match the broadcast shape {shape}")


class FillingMethods(Variable):
    """``x.fill_(…)`` and its relatives."""

    def fill_(self: T, value: Any) -> T:
        """Set every element to ``value``, a number or a 0-d tensor."""
        if isinstance(value, Variable):
            if value.array.ndim:
                raise RuntimeError(
                    f"fill_ only supports 0-dimension value tensor but got tensor with {value.array.ndim} dimensions."
                )
            return apply_inplace(self, lambda old: Copy.apply(old, value), may_overlap=True)
        return apply_inplace(self, lambda old: Fill.apply(old, new=value), may_overlap=True)

    def zero_(self: T) -> T:
        """Set every element to zero."""
        return apply_inplace(self, lambda old: Fill.apply(old, new=0), may_overlap=True)

    def copy_(self: T, src: Any, non_blocking: bool = False) -> T:
        """Copy the values of ``src``, a number or a tensor (broadcast, cast, from any device); it gets the gradient.

        ``non_blocking``: between pinned memory and a GPU the host goes on while the GPU copies; see ``to``.
        """
        if isinstance(src, (bool, int, float)):
            return self.fill_(src)
        if not isinstance(src, Variable):
            raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
        if src.array.shape != self.array.shape:
            _check_shapes(self.array.shape, src.array.shape)
        if _is_download(src, self) and copy_to_host(src.array, self.array, non_blocking):
            self.bump_version()
            return self
        source = move(src, device_of(self.array), non_blocking and is_on_cpu(src.array))
        return apply_inplace(self, lambda old: Copy.apply(old, source), may_overlap=True)

    # ------------------------------------------------------------------------------------- random numbers

    def _draw(self: T, distribution: str, parameters: dict[str, Any], generator: Any) -> T:
        """Fill with numbers of the device's generator."""
        numbers = numbers_for(generator, device_of(self.array))

        def draw(old: Variable) -> Any:
            options = {**parameters, "dtype": old.array.dtype}
            drawn = made_like(
                old.array, preserve_format, lambda shape: getattr(numbers, distribution)(shape=shape, **options)
            )
            return Fill.apply(old, new=to_device(drawn, device_of(old.array)))

        return apply_inplace(self, draw)

    def uniform_(self: T, from_: float = 0, to: float = 1, *, generator: Any = None, **bounds: float) -> T:
        """Numbers from the uniform distribution on [from, to)."""
        low = bounds.pop("from", from_)
        if bounds:
            raise TypeError(f"uniform_() got an unexpected keyword argument '{next(iter(bounds))}'")
        return self._draw("uniform", {"low": low, "high": to}, generator)

    def normal_(self: T, mean: float = 0, std: float = 1, *, generator: Any = None) -> T:
        """Numbers from the normal distribution."""
        if std < 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
        return self._draw("normal", {"mean": mean, "std": std, "in_blocks": self.array.flags.c_contiguous}, generator)

    def random_(self: T, from_: int | None = None, to: int | None = None, *, generator: Any = None) -> T:
        """Integers from ``from`` (0) up to ``to`` − 1; without bounds, all that the dtype holds exactly."""
        if from_ is None:
            return self._draw("random", {}, generator)
        low, high = (0, from_) if to is None else (from_, to)
        return self._draw("integers", {"low": low, "high": high}, generator)

    def bernoulli_(self: T, p: Any = 0.5, *, generator: Any = None) -> T:
        """Ones with probability ``p`` (a number, or a tensor that broadcasts), else zeros."""
        if isinstance(p, Variable):
            return self._bernoulli_from(p, generator)
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        return self._draw("bernoulli", {"probability": p}, generator)

    def exponential_(self: T, lambd: float = 1, *, generator: Any = None) -> T:
        """Numbers from the exponential distribution with rate ``lambd``."""
        return self._draw("exponential", {"rate": lambd}, generator)

    def geometric_(self: T, p: float, *, generator: Any = None) -> T:
        """Numbers of trials up to the first success, each with probability ``p``."""
        return self._draw("geometric", {"probability": p}, generator)

    def log_normal_(self: T, mean: float = 1, std: float = 2, *, generator: Any = None) -> T:
        """Exponentials of normal numbers."""
        return self._draw("log_normal", {"mean": mean, "std": std}, generator)

    def cauchy_(self: T, median: float = 0, sigma: float = 1, *, generator: Any = None) -> T:
        """Numbers from the Cauchy distribution."""
        return self._draw("cauchy", {"median": median, "sigma": sigma}, generator)

    def bernoulli(self: T, p: float | None = None, *, generator: Any = None) -> T:
        """See ``minitorch.bernoulli``."""
        result: T = self.detach().clone(memory_format=contiguous_format)  # type: ignore[attr-defined]
        return result.bernoulli_(self if p is None else p, generator=generator)

    def _bernoulli_from(self: T, p: Variable, generator: Any) -> T:
        numbers = numbers_for(generator, device_of(self.array))
        array = to_device(p.array, device_of(self.array) if numbers.device_type == "cuda" else CPU)
        probabilities = array_module(array).broadcast_to(array, self.array.shape)
        drawn = numbers.bernoulli_from(probabilities, self.array.dtype)
        return apply_inplace(self, lambda old: Fill.apply(old, new=to_device(drawn, device_of(old.array))))

    # ------------------------------------------------------------------- new tensors of this dtype and device

    def _new(
        self: T, kind: str, sizes: tuple[int, ...], dtype: Any, device: Any, requires_grad: bool, pin: bool, *value: Any
    ) -> T:
        target = device_of(self.array) if device is None else resolve_device(device)
        numpy_dtype = self.array.dtype if dtype is None else chosen_dtype(dtype, None).numpy
        array = getattr(module_of(target), kind)(sizes, *value, dtype=numpy_dtype)
        made: T = wrap(pinned(array) if pin else array, self.result_class)
        made.needs_grad = requires_grad
        return made

    def new_zeros(
        self: T,
        *size: Any,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> T:
        """Zeros with this tensor's dtype and device."""
        return self._new("zeros", as_size("new_zeros", size), dtype, device, requires_grad, pin_memory)

    def new_ones(
        self: T,
        *size: Any,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> T:
        """Ones with this tensor's dtype and device."""
        return self._new("ones", as_size("new_ones", size), dtype, device, requires_grad, pin_memory)

    def new_empty(
        self: T,
        *size: Any,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> T:
        """Uninitialised memory with this tensor's dtype and device."""
        made = self._new("empty", as_size("new_empty", size), dtype, device, requires_grad, pin_memory)
        fill_if_wanted(made.array)
        return made

    def new_full(
        self: T,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> T:
        """One value with this tensor's dtype and device."""
        return self._new("full", as_size("new_full", (size,)), dtype, device, requires_grad, pin_memory, fill_value)

    def new_tensor(self: T, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> T:
        """A tensor of ``data`` with this one's dtype and device."""
        target = device_of(self.array) if device is None else resolve_device(device)
        array = array_from_data(data, from_numpy_dtype(self.array.dtype) if dtype is None else dtype)
        made: T = wrap(to_device(array, target), self.result_class)
        made.needs_grad = requires_grad
        return made
