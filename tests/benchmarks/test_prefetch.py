"""``benchmarks/prefetch.py``, as far as that goes without a GPU: everything but the times is real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SMALL = ["--seconds", "0", "--batch", "2", "--steps", "2"]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_table(device: str, monkeypatch: Any, capsys: Any, request: Any, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    if device == "cuda":
        request.getfixturevalue("emulated")
    import prefetch

    if device == "cuda":  # a network that the emulator is through with soon
        monkeypatch.setattr(prefetch, "batch_norm_net", lambda nn: nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)))
    file = tmp_path / "rows.json"
    rows = prefetch.main(["--device", device, "--ways", *prefetch.WAYS, "--json", str(file), *SMALL])
    assert [row.name for row in rows] == [f"{way} ({device})" for way in prefetch.WAYS]
    assert all(row.milliseconds["minitorch"] > 0 for row in rows)
    assert ("torch" in rows[0].milliseconds) is (device == "cpu")
    printed = capsys.readouterr().out
    assert "ours above no loader" in printed
    assert "prefetcher, pinned (" in printed
    assert file.read_text().count('"name"') == len(prefetch.WAYS)


def test_batches_come_as_the_row_says(emulated: Any, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import argparse

    import prefetch

    import minitorch

    options = argparse.Namespace(workers=0, batch=2, steps=3)
    for way in prefetch.WAYS:
        batches = list(prefetch.batches_for(way, minitorch, "cuda", options))
        assert len(batches) == 3
        x, y = batches[1]
        assert x.is_cuda == y.is_cuda == (way == "no loader" or "prefetcher" in way)
        assert x.is_pinned() == y.is_pinned() == (not x.is_cuda and "pinned" in way)
        assert y.tolist() == [2, 3]
