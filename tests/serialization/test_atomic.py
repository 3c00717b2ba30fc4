"""Saving to a path leaves the old file or the new one, whatever happens."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import minitorch
from minitorch.serialization import atomic

KILLED_SAVERS = """
import os, random, signal, sys, time
import minitorch

path, chance = sys.argv[1], random.Random(0)
folder = os.path.dirname(path)
value, outcomes, litter = -1, [0, 0], 0

def state(number):
    return {"number": number, "weight": minitorch.full((300, 100), float(number))}

minitorch.save(state(value), path)
for attempt in range(100):
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(go, b"x")
        for step in range(1000):
            minitorch.save(state(1000 * attempt + step), path)
        os._exit(0)
    os.read(ready, 1)
    time.sleep(chance.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready), os.close(go)
    found = minitorch.load(path)
    assert found["weight"].shape == (300, 100)
    assert bool((found["weight"] == float(found["number"])).all()), "half of a file"
    assert found["number"] == value or found["number"] >= 1000 * attempt, "an older file came back"
    value = found["number"]
    others = [name for name in os.listdir(folder) if name != os.path.basename(path)]
    assert len(others) <= 1 and all(name.endswith(".minitorch-partial") for name in others), others
    litter += len(others)
minitorch.save(state(0), path)
assert os.listdir(folder) == [os.path.basename(path)], os.listdir(folder)
print(litter)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_a_hundred_killed_savers(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_SAVERS, str(tmp_path / "model.pt")]
    root = Path(minitorch.__file__).parent.parent
    result = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=100, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 10  # many were killed in the middle of a save


def test_a_failing_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    minitorch.save(1, path)
    with pytest.raises(TypeError, match="pickle"):
        minitorch.save({"a": minitorch.ones(2), "b": (each for each in "x")}, path)
    with pytest.raises(MemoryError):
        write_half(str(path))
    assert minitorch.load(path) == 1
    assert os.listdir(tmp_path) == ["a.pt"]


def write_half(path: str) -> None:
    with atomic.replacing(path) as file:
        file.write(b"half")
        raise MemoryError


def test_partial_files_of_the_living_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with atomic.replacing(str(path)) as file:
        file.write(b"first")
        minitorch.save("second", path)  # as another process would, meanwhile
        assert len(os.listdir(tmp_path)) == 2
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a.pt"]


def test_links_and_permissions_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "a.pt", tmp_path / "link.pt"
    minitorch.save(1, path)
    path.chmod(0o640)
    link.symlink_to(path)
    minitorch.save(2, link)
    assert link.is_symlink()
    assert minitorch.load(path) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_new_files_have_the_permissions_of_any_other(tmp_path: Path) -> None:
    minitorch.save(1, tmp_path / "a.pt")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "a.pt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_devices_are_written_to_directly() -> None:
    minitorch.save(1, os.devnull)
    assert not os.path.isfile(os.devnull)


def test_relative_paths(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    minitorch.save(1, "a.pt")
    assert minitorch.load("a.pt") == 1
    with pytest.raises(IsADirectoryError):
        minitorch.save(1, tmp_path)
