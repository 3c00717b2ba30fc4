"""``LRScheduler``: what all schedules share, and the warnings about calling things in the wrong order."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from minitorch.autograd.variable import Variable
from minitorch.optim.optimizer import Optimizer, number

_WRONG_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should "
    "call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will "
    "result in PyTorch skipping the first value of the learning rate schedule. See more details at "
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)
_EPOCH_IS_DEPRECATED = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please "
    "use `scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the "
    "closed form is used instead of the new chainable form, where available."
)
_NOT_RESUMABLE = (
    "param 'initial_lr' is not specified in param_groups[{}] when resuming scheduler with last_epoch >= 0.\n"
    "This typically happens when:\n"
    "1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n"
    "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
)


class LRScheduler:
    """The base of all schedules: sets the learning rate of every group, at once and after every ``step()``.

    A subclass says in ``get_lr`` which rates follow, given ``last_epoch`` (the number of steps so far), the
    groups' present rates and ``base_lrs``, those at the beginning. Most compute the next rate from the present
    one, so that several schedules can work on the same optimizer; ``_get_closed_form_lr``, where there is one,
    computes it from ``base_lrs`` for any ``last_epoch``.

    Args: optimizer; last_epoch: −1 to begin, or where an interrupted run is to go on.
    Raises: TypeError if ``optimizer`` is none; KeyError if the groups lack the "initial_lr" to go on from.
    """

    _get_closed_form_lr: Callable[[], list[Any]] | None = None

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = require_optimizer(optimizer)
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copy_of_rate(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(_NOT_RESUMABLE.format(index))
        self.base_lrs = [copy_of_rate(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch: Any = last_epoch
        watch_steps(optimizer)
        self._step_count = 0
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the first rates."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def step(self, epoch: Any = None) -> None:
        """Set the next rates; call it after ``optimizer.step()``, as a rule once an epoch."""
        if self._step_count == 1:
            warn_of_order(self.optimizer)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(_EPOCH_IS_DEPRECATED, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: Any = None) -> None:
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                rates = self.get_lr() if self._get_closed_form_lr is None else self._get_closed_form_lr()
        finally:
            self._get_lr_called_within_step = False
        self._set_rates(rates)

    def _set_rates(self, rates: list[Any]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates):
            set_rate(group, rate)
        self._last_lr = self._present_rates()

    def get_lr(self) -> list[Any]:
        """The rates of the groups for ``last_epoch``; a subclass says which."""
        raise NotImplementedError

    def get_last_lr(self) -> list[Any]:
        """The rates that were set last, one a group."""
        return self._last_lr

    def _present_rates(self) -> list[Any]:
        return [copy_of_rate(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[Any]:
        """The groups' present rates, times ``factor``."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.__dict__.update(state_dict)


def require_optimizer(optimizer: Any) -> Any:
    """Raise torch's TypeError for anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def copy_of_rate(rate: Any) -> Any:
    """A rate that may be a tensor, which is then copied, for it will be changed in place."""
    return rate.clone() if isinstance(rate, Variable) and hasattr(rate, "clone") else rate


def set_rate(group: dict[str, Any], rate: Any) -> None:
    """Set a group's rate; a rate that is a tensor stays the tensor it is."""
    if isinstance(group["lr"], Variable):
        group["lr"].array[...] = number(rate)
    else:
        group["lr"] = rate


def watch_steps(optimizer: Any) -> None:
    """Let the optimizer note that ``step`` was called, whatever class it is of."""
    if hasattr(optimizer.step, "_is_watched"):
        return
    step = optimizer.step

    @functools.wraps(step)
    def watched(*args: Any, **kwargs: Any) -> Any:
        optimizer._opt_called = True
        return step(*args, **kwargs)

    watched._is_watched = True  # type: ignore[attr-defined]
    optimizer.step = watched


def warn_of_order(optimizer: Any) -> None:
    """Warn, as torch does, if the schedule is stepped before the optimizer."""
    if not hasattr(optimizer.step, "_is_watched"):
        warnings.warn(
            "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. Please, "
            "make sure to call `optimizer.step()` before `lr_scheduler.step()`.",
            UserWarning,
            stacklevel=3,
        )
    elif not getattr(optimizer, "_opt_called", False):
        warnings.warn(_WRONG_ORDER, UserWarning, stacklevel=3)


def per_group(name: str, value: Any, optimizer: Any) -> list[Any]:
    """One value a group, from a list of them or one for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {count}."
        )
    return list(value)


def state_of_function(function: Any) -> dict[str, Any] | None:
    """What is saved of a user's function: nothing of a plain one, the attributes of a callable object."""
    is_plain = isinstance(function, type(state_of_function))
    return None if function is None or is_plain else dict(function.__dict__)
