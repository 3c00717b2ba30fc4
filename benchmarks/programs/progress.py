"""A progress bar with the loss and the learning rate, where tqdm is installed and someone is watching."""

from __future__ import annotations

import sys
from typing import Any


class ProgressBar:
    """``with ProgressBar(total, title) as bar:`` then ``bar.advance(...)`` after each step."""

    def __init__(self, total: int, title: str, done: int = 0) -> None:
        self._bar: Any = None
        try:
            from tqdm import tqdm
        except ImportError:
            return
        hidden = not sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=done, desc=title, unit="batch", leave=False, disable=hidden)

    def __enter__(self) -> ProgressBar:
        return self

    def advance(self, losses: dict[str, float], rate: float) -> None:
        """One batch further; the bar itself tells how many there are a second."""
        if self._bar is not None:
            figures = " ".join(f"{loss:.4f}" for loss in losses.values())
            self._bar.set_postfix_str(f"loss {figures}, learning rate {rate:g}", refresh=False)
            self._bar.update()

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()
