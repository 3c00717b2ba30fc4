"""Anomaly detection: when backward fails or makes a NaN, show the forward call that is to blame."""

from __future__ import annotations

from minitorch.autograd.function import AnomalyMode


class set_detect_anomaly:  # noqa: N801 (torch's name)
    """Turn anomaly detection on or off: at once as a function, until the end of a ``with`` block otherwise.

    Every op then records where it was called (slow: for debugging only), and every backward is checked for
    NaN: RuntimeError ``Function 'SqrtBackward0' returned nan values in its 0th output.``
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.previous = (AnomalyMode.enabled, AnomalyMode.check_nan)
        AnomalyMode.enabled, AnomalyMode.check_nan = mode, check_nan

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        AnomalyMode.enabled, AnomalyMode.check_nan = self.previous


class detect_anomaly(set_detect_anomaly):  # noqa: N801 (torch's name)
    """``set_detect_anomaly(True)`` for a ``with`` block."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)
        AnomalyMode.enabled, AnomalyMode.check_nan = self.previous
        self.check_nan = check_nan

    def __enter__(self) -> None:
        AnomalyMode.enabled, AnomalyMode.check_nan = True, self.check_nan
