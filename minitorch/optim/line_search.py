"""A line search that ends where the strong Wolfe conditions hold.

Along a direction with slope φ′(0) < 0, a length t is good enough if the loss has fallen enough, and the slope has
become flat enough:
    φ(t) ≤ φ(0) + c₁ · t · φ′(0)        and        |φ′(t)| ≤ −c₂ · φ′(0)

First the length grows until a good one lies in between (a bracket); then the bracket shrinks around it.

Source: Nocedal and Wright, "Numerical optimization", 2nd edition, 2006, algorithms 3.5 and 3.6, and equation
3.59 for the cubic; the safeguards against brackets that hardly shrink follow torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from minitorch.backend import Array


class Point(NamedTuple):
    """A length with the loss, the gradient and the slope there."""

    length: float
    loss: float
    gradient: Any
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], tuple[float, Array]],
    length: float,
    direction: Array,
    start: Point,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_iterations: int = 25,
) -> tuple[Point, int]:
    """The best point found, and how often ``evaluate`` was called.

    Args: evaluate: loss and gradient for a length; length: the first one tried; start: the point of length 0;
    tolerance_change: give up where the bracket is narrower.
    """
    search = _Search(evaluate, direction, start, c1, c2, tolerance_change, max_iterations)
    return search.run(length), search.evaluations


class _Search:
    """The state of one line search."""

    def __init__(
        self,
        evaluate: Callable[[float], tuple[float, Array]],
        direction: Array,
        start: Point,
        c1: float,
        c2: float,
        tolerance_change: float,
        max_iterations: int,
    ) -> None:
        self.evaluate = evaluate
        self.direction = direction
        self.start = start
        self.c1, self.c2 = c1, c2
        self.tolerance = tolerance_change
        self.max_iterations = max_iterations
        self.iterations = 0
        self.evaluations = 0
        self.largest_step = float(abs(direction).max())

    def run(self, length: float) -> Point:
        """The best point found."""
        bracket, found = self._find_bracket(length)
        if found:
            return bracket[0]
        return self._shrink(bracket)

    def _at(self, length: float) -> Point:
        loss, gradient = self.evaluate(length)
        self.evaluations += 1
        return Point(length, loss, gradient.copy(), float(gradient @ self.direction))

    def _falls_too_little(self, point: Point) -> bool:
        return point.loss > self.start.loss + self.c1 * point.length * self.start.slope

    def _is_flat(self, point: Point) -> bool:
        return abs(point.slope) <= -self.c2 * self.start.slope

    def _find_bracket(self, length: float) -> tuple[list[Point], bool]:
        """Two points with a good length in between; or one point, and True, that is good itself."""
        before, point = self.start, self._at(length)
        while self.iterations < self.max_iterations:
            if self._falls_too_little(point) or (self.iterations > 1 and point.loss >= before.loss):
                return [before, point], False
            if self._is_flat(point):
                return [point], True
            if point.slope >= 0:
                return [before, point], False
            lowest = point.length + 0.01 * (point.length - before.length)
            highest = point.length * 10
            length = cubic_minimum(before, point, (lowest, highest))
            before, point = point, self._at(length)
            self.iterations += 1
        return [self.start, point], False

    def _shrink(self, bracket: list[Point]) -> Point:
        """Shrink the bracket around a good length; the lower end of the last bracket."""
        stalled = False
        low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        while self.iterations < self.max_iterations:
            width = abs(bracket[1].length - bracket[0].length)
            if width * self.largest_step < self.tolerance:
                break
            length, stalled = _kept_inside(cubic_minimum(bracket[0], bracket[1]), bracket, stalled)
            point = self._at(length)
            self.iterations += 1
            if self._falls_too_little(point) or point.loss >= bracket[low].loss:
                bracket[high] = point
                low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
                continue
            is_good = self._is_flat(point)
            if not is_good and point.slope * (bracket[high].length - bracket[low].length) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = point
            if is_good:
                break
        return bracket[low]


def _kept_inside(length: float, bracket: list[Point], stalled: bool) -> tuple[float, bool]:
    """Keep a new length away from the bracket's ends, if it comes close twice running or leaves the bracket."""
    lowest, highest = sorted((bracket[0].length, bracket[1].length))
    margin = 0.1 * (highest - lowest)
    if min(highest - length, length - lowest) >= margin:
        return length, False
    if not (stalled or length >= highest or length <= lowest):
        return length, True
    nearer_to_highest = abs(length - highest) < abs(length - lowest)
    return (highest - margin if nearer_to_highest else lowest + margin), False


def cubic_minimum(first: Point, second: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points, with their slopes, has its minimum; the middle if it has none."""
    if bounds is None:
        bounds = min(first.length, second.length), max(first.length, second.length)
    d1 = first.slope + second.slope - 3 * (first.loss - second.loss) / (first.length - second.length)
    square = d1**2 - first.slope * second.slope
    if not square >= 0:
        return (bounds[0] + bounds[1]) / 2.0
    d2 = math.sqrt(square)
    left, right = (first, second) if first.length <= second.length else (second, first)
    span = right.length - left.length
    minimum = right.length - span * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2))
    return min(max(minimum, bounds[0]), bounds[1])
