"""The verdict: for each op, how many cases were compared with torch and how far off the worst was."""

from __future__ import annotations

from collections import defaultdict

KINDS = ("value", "gradient", "second gradient")

cases: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
worst: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(KINDS, 0.0))


def record(name: str, kind: str, error: float) -> None:
    """Count one compared case of ``name`` and keep its error (in ulp) if it is the worst so far."""
    cases[name][kind] += 1
    worst[name][kind] = max(worst[name][kind], error)


def as_plain() -> list[tuple[str, str, int, float]]:
    """What was recorded, for another process: of each op and kind, how many cases and the worst error."""
    return [(name, kind, count, worst[name][kind]) for name in cases for kind, count in cases[name].items()]


def add(recorded: list[tuple[str, str, int, float]]) -> None:
    """Count what another process recorded."""
    for name, kind, count, error in recorded:
        cases[name][kind] += count
        worst[name][kind] = max(worst[name][kind], error)


def table() -> list[str]:
    """The lines of the table, empty if nothing was compared."""
    if not cases:
        return []
    width = max(len(name) for name in cases)
    lines = [
        f"{'op':<{width}}  {'cases':>6}  {'worst':>9}  {'gradients':>9}  {'worst':>9}  {'second':>7}  {'worst':>9}"
    ]
    for name in sorted(cases):
        cells = []
        for kind, size in zip(KINDS, (6, 9, 7)):
            count = cases[name][kind]
            cells.append(f"{count if count else '-':>{size}}  {_ulp(worst[name][kind]) if count else '-':>9}")
        lines.append(f"{name:<{width}}  {'  '.join(cells)}")
    return lines


def _ulp(error: float) -> str:
    return "exact" if error == 0 else f"{error:.2g} ulp"
