"""``datasets/utils.py``: downloads from a server on this machine, and archives good and bad."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import socket
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from minitorch.vision.datasets import utils
from minitorch.vision.datasets.utils import (
    calculate_md5,
    check_integrity,
    check_md5,
    download_and_extract_archive,
    download_url,
    extract_archive,
)
from tests.vision.server import Site

_DATA = bytes(range(256)) * 1000
_MD5 = hashlib.md5(_DATA).hexdigest()


def test_checksums(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(_DATA)
    assert calculate_md5(path) == calculate_md5(path, chunk_size=7) == _MD5
    assert check_md5(path, _MD5)
    assert check_integrity(path)
    assert check_integrity(path, _MD5)
    assert not check_integrity(path, "0" * 32)
    assert not check_integrity(tmp_path / "missing")


def test_download(tmp_path: Path, site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    site.files["folder/data.bin"] = _DATA
    download_url(f"{site.url}folder/data.bin", tmp_path / "new" / "folder", md5=_MD5)
    assert (tmp_path / "new" / "folder" / "data.bin").read_bytes() == _DATA
    assert [each.name for each in (tmp_path / "new" / "folder").iterdir()] == ["data.bin"]
    assert "100%" in capfd.readouterr().err  # the progress bar
    download_url(f"{site.url}folder/data.bin", tmp_path, "other.bin")
    assert (tmp_path / "other.bin").read_bytes() == _DATA


def test_no_progress_bar_without_tqdm(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utils, "tqdm", None)
    site.files["data.bin"] = _DATA
    download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert check_md5(tmp_path / "data.bin", _MD5)


def test_what_is_there_is_not_fetched_again(tmp_path: Path, site: Site) -> None:
    (tmp_path / "data.bin").write_bytes(_DATA)
    download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert site.requests == []
    (tmp_path / "data.bin").write_bytes(b"damaged")
    site.files["data.bin"] = _DATA
    download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert check_md5(tmp_path / "data.bin", _MD5)


@pytest.mark.parametrize("md5", [_MD5, None])
def test_a_broken_off_transfer_resumes(tmp_path: Path, site: Site, md5: str | None) -> None:
    site.files["data.bin"] = _DATA
    site.break_off = 2
    download_url(f"{site.url}data.bin", tmp_path, md5=md5)
    assert (tmp_path / "data.bin").read_bytes() == _DATA
    half = len(_DATA) // 2
    assert [asked for _, asked in site.requests] == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]


def test_a_server_that_cannot_resume_starts_again(tmp_path: Path, site: Site) -> None:
    site.files["data.bin"] = _DATA
    site.break_off, site.can_resume = 1, False
    download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert (tmp_path / "data.bin").read_bytes() == _DATA
    assert len(site.requests) == 2


def test_a_server_that_continues_elsewhere_is_asked_again(tmp_path: Path, site: Site) -> None:
    site.files["data.bin"] = _DATA
    site.break_off, site.shift = 1, 3
    download_url(f"{site.url}data.bin", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == _DATA
    assert [asked is None for _, asked in site.requests] == [True, False, True]


def test_a_later_call_continues_what_an_earlier_one_left(tmp_path: Path, site: Site) -> None:
    site.files["data.bin"] = _DATA
    site.break_off = 100
    with pytest.raises(RuntimeError, match=r"the connection broke off after \d+ of 256000 bytes"):
        download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert not (tmp_path / "data.bin").exists()  # no incomplete file under the real name
    left = (tmp_path / "data.bin.part").stat().st_size
    assert 0 < left < len(_DATA)
    site.break_off, site.requests = 0, []
    download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert site.requests == [("data.bin", f"bytes={left}-")]
    assert (tmp_path / "data.bin").read_bytes() == _DATA


def test_a_part_that_is_complete_needs_no_request(tmp_path: Path, site: Site) -> None:
    (tmp_path / "data.bin.part").write_bytes(_DATA)
    download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert site.requests == []
    assert (tmp_path / "data.bin").read_bytes() == _DATA


@pytest.mark.parametrize("part", [b"something else", b"x" * (len(_DATA) + 5)], ids=["shorter", "longer"])
def test_a_part_of_another_file_is_thrown_away(tmp_path: Path, site: Site, part: bytes) -> None:
    site.files["data.bin"] = _DATA
    (tmp_path / "data.bin.part").write_bytes(part)
    download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert (tmp_path / "data.bin").read_bytes() == _DATA


def test_a_wrong_checksum_leaves_nothing(tmp_path: Path, site: Site) -> None:
    site.files["data.bin"] = b"not what was asked for"
    with pytest.raises(RuntimeError, match=r"File not found or corrupted.*data\.bin.* has md5 [0-9a-f]{32}, expected"):
        download_url(f"{site.url}data.bin", tmp_path, md5=_MD5)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_connection_names_url_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: nobody answers here
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/data.bin"
        with pytest.raises(RuntimeError) as caught:
            download_url(url, tmp_path, md5=_MD5)
    assert url in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "Connection refused" in str(caught.value)


def test_a_missing_file(tmp_path: Path, site: Site) -> None:
    with pytest.raises(RuntimeError, match=r"Could not download http.*missing\.bin.*404"):
        download_url(f"{site.url}missing.bin", tmp_path)
    assert len(site.requests) == 1  # asking again would not help


def test_redirects(tmp_path: Path, site: Site) -> None:
    site.files["data.bin"] = _DATA
    site.redirects = {"a": "/b", "b": "/data.bin", "circle": "/circle"}
    download_url(f"{site.url}a", tmp_path, "data.bin", md5=_MD5)
    assert check_md5(tmp_path / "data.bin", _MD5)
    with pytest.raises(RuntimeError, match="Could not download"):
        download_url(f"{site.url}a", tmp_path, "again.bin", max_redirect_hops=1)
    with pytest.raises(RuntimeError, match="Could not download"):
        download_url(f"{site.url}circle", tmp_path)


# ------------------------------------------------------------------------------------------------- archives


def _tar(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")],
)
def test_tar(tmp_path: Path, name: str, mode: str) -> None:
    archive = _tar(tmp_path / name, {"folder/one": b"1", "two": b"22"}, mode)
    assert extract_archive(archive, tmp_path / "out") == tmp_path / "out"
    assert (tmp_path / "out" / "folder" / "one").read_bytes() == b"1"
    assert (tmp_path / "out" / "two").read_bytes() == b"22"
    extract_archive(archive, remove_finished=True)
    assert (tmp_path / "two").read_bytes() == b"22"
    assert not archive.exists()


def test_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/one", "1")
        archive.mkdir("empty") if hasattr(archive, "mkdir") else archive.writestr("empty/", "")
    extract_archive(tmp_path / "a.zip", tmp_path / "out")
    assert (tmp_path / "out" / "folder" / "one").read_bytes() == b"1"
    assert (tmp_path / "out" / "empty").is_dir()


@pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip), ("bz2", bz2), ("xz", lzma)])
def test_single_files(tmp_path: Path, suffix: str, compress: Any) -> None:
    path = tmp_path / f"data.bin.{suffix}"
    path.write_bytes(compress.compress(_DATA))
    assert extract_archive(path) == tmp_path / "data.bin"
    assert (tmp_path / "data.bin").read_bytes() == _DATA


def test_a_damaged_single_file_leaves_no_result(tmp_path: Path) -> None:
    (tmp_path / "data.bin.gz").write_bytes(gzip.compress(_DATA)[:100])
    with pytest.raises(EOFError):
        extract_archive(tmp_path / "data.bin.gz")
    assert not (tmp_path / "data.bin").exists()


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped_absolute", "folder/../../escaped"])
def test_members_that_would_escape(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    with pytest.raises(RuntimeError, match="would be written outside"):
        extract_archive(_tar(tmp_path / "bad.tar.gz", {"good": b"1", name: b"2"}), out)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(name, "2")
    with pytest.raises(RuntimeError, match="would be written outside"):
        extract_archive(tmp_path / "bad.zip", out)
    assert not (tmp_path / "escaped").exists()
    assert not Path("/tmp/escaped_absolute").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(info)
    with pytest.raises(RuntimeError, match="link is neither a file nor a folder"):
        extract_archive(tmp_path / "bad.tar", tmp_path / "out")


def test_unknown_archives(tmp_path: Path) -> None:
    (tmp_path / "data.rar").write_bytes(b"")
    with pytest.raises(RuntimeError, match=r"Unknown compression or archive type: 'data\.rar'"):
        extract_archive(tmp_path / "data.rar")


def test_download_and_extract(tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    archive = _tar(tmp_path / "a.tar.gz", {"folder/one": b"1"})
    site.files["a.tar.gz"] = archive.read_bytes()
    download_and_extract_archive(f"{site.url}a.tar.gz", tmp_path / "root", md5=calculate_md5(archive))
    assert (tmp_path / "root" / "folder" / "one").read_bytes() == b"1"
    assert (tmp_path / "root" / "a.tar.gz").exists()
    assert "Extracting" in capsys.readouterr().out
    site.files["data.bin.gz"] = gzip.compress(_DATA)
    download_and_extract_archive(f"{site.url}data.bin.gz", tmp_path / "root", tmp_path / "there", remove_finished=True)
    assert (tmp_path / "there" / "data.bin").read_bytes() == _DATA
    assert not (tmp_path / "root" / "data.bin.gz").exists()
