"""Fetching files: downloads that resume and are checked, archives that cannot write outside their folder.

A download is written to ``<file>.part`` and renamed when it is complete and its MD5 is right, so a file that
exists is a whole one. What was broken off is continued where it stopped, if the server can do that.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlparse
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

try:
    from tqdm import tqdm
except ImportError:  # downloads then show no progress bar
    tqdm = None

_CHUNK = 1 << 16
_ATTEMPTS = 5
_TIMEOUT = 30  # seconds without an answer


class _BrokenOffError(Exception):
    """A transfer that ended before all bytes had come."""


# ---------------------------------------------------------------------------------------------- checksums


def calculate_md5(fpath: Any, chunk_size: int = 1024 * 1024) -> str:
    """The MD5 of a file, in hexadecimal: a check against damage, not against forgery."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def check_md5(fpath: Any, md5: str) -> bool:
    """Whether the file has this MD5."""
    return calculate_md5(fpath) == md5


def check_integrity(fpath: Any, md5: str | None = None) -> bool:
    """Whether the file is there and, if ``md5`` is given, has it."""
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))


# ----------------------------------------------------------------------------------------------- download


def download_url(url: str, root: Any, filename: Any = None, md5: str | None = None, max_redirect_hops: int = 3) -> None:
    """Put the file at ``url`` into the folder ``root``, unless it is there already.

    Args: filename: its name there, by default the last part of the url; md5: what it must have.
    Raises: RuntimeError that names the url and the folder, if there is no connection, the server refuses, or the
    checksum is wrong. What came before a connection broke off stays as ``<file>.part`` and is continued next time.
    """
    folder = Path(os.path.expanduser(root))
    target = folder / (filename or unquote(os.path.basename(urlparse(url).path)))
    if check_integrity(target, md5):
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    if md5 is None:
        part.unlink(missing_ok=True)  # nothing would tell whether it belongs to the same version of the file
    had_part = part.exists()
    if not (had_part and check_integrity(part, md5)):
        _fetch(url, part, target, max_redirect_hops)
    if had_part and not check_integrity(part, md5):  # it was the beginning of another file: once more, from the start
        part.unlink(missing_ok=True)
        _fetch(url, part, target, max_redirect_hops)
    if not check_integrity(part, md5):
        found = calculate_md5(part)
        part.unlink()
        raise RuntimeError(
            f"File not found or corrupted. {url} for {target} has md5 {found}, expected {md5}; it was not kept."
        )
    os.replace(part, target)


def _fetch(url: str, part: Path, target: Path, max_redirect_hops: int) -> None:
    """Download into ``part``, continuing what is there; RuntimeError if that is impossible."""
    redirects = type("Redirects", (HTTPRedirectHandler,), {"max_redirections": max_redirect_hops})
    opener = build_opener(redirects)
    attempt = 0
    while attempt < _ATTEMPTS:
        attempt += 1
        try:
            return _transfer(url, part, opener)
        except (_BrokenOffError, ConnectionError, TimeoutError, HTTPException) as error:
            reason: Exception = error
        except HTTPError as error:
            reason = error
            if error.code != 416:  # "range not satisfiable": what we have is not the beginning of this file
                break
            part.unlink(missing_ok=True)
        except (URLError, OSError) as error:
            reason = error
            break
    raise RuntimeError(
        f"Could not download {url} to {target} (attempts: {attempt}): {reason}. Check the network connection, "
        f"or put the file into {target.parent} yourself."
    ) from reason


def _transfer(url: str, part: Path, opener: OpenerDirector) -> None:
    """One attempt. Raises ``_BrokenOffError`` if it delivered less than it promised."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "minitorch"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with opener.open(Request(url, headers=headers), timeout=_TIMEOUT) as response:
        start = have if response.status == 206 else 0
        if start and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            part.unlink()
            raise _BrokenOffError("the server continued at another place than it was asked to")
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        with open(part, "ab" if start else "wb") as file:
            _copy(response, file, start, total)
    if total is not None and part.stat().st_size < total:
        raise _BrokenOffError(f"the connection broke off after {part.stat().st_size} of {total} bytes")


def _copy(source: Any, file: IO[bytes], start: int, total: int | None) -> None:
    bar = None if tqdm is None else tqdm(total=total, initial=start, unit="B", unit_scale=True)
    try:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            if bar is not None:
                bar.update(len(chunk))
    finally:
        if bar is not None:
            bar.close()


# --------------------------------------------------------------------------------------------- extraction

_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")
_DECOMPRESSORS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def extract_archive(from_path: Any, to_path: Any = None, remove_finished: bool = False) -> Any:
    """Unpack a tar or zip archive into a folder, or decompress a single .gz, .bz2 or .xz file.

    Args: to_path: the folder (or for a single file, the file), by default beside the archive; remove_finished:
    delete the archive afterwards.
    Returns: ``to_path``.
    Raises: RuntimeError for other suffixes, and for archives whose members would lie outside the folder or are
    neither files nor folders.
    """
    source = Path(from_path)
    name = source.name.lower()
    if name.endswith(_TAR_SUFFIXES):
        result = source.parent if to_path is None else to_path
        _extract_tar(source, Path(result))
    elif name.endswith(".zip"):
        result = source.parent if to_path is None else to_path
        _extract_zip(source, Path(result))
    elif source.suffix.lower() in _DECOMPRESSORS:
        result = source.with_suffix("") if to_path is None else to_path
        with _DECOMPRESSORS[source.suffix.lower()](source, "rb") as stream:
            _write(stream, Path(result))
    else:
        known = ", ".join((*_TAR_SUFFIXES, ".zip", *_DECOMPRESSORS))
        raise RuntimeError(f"Unknown compression or archive type: '{source.name}'. Known are {known}.")
    if remove_finished:
        source.unlink()
    return result


def _extract_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            target = _inside(folder, member.name, archive)
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif member.isfile():
                _write(tar.extractfile(member), target)
            else:
                raise RuntimeError(f"{archive}: {member.name} is neither a file nor a folder; links are not extracted")


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as contents:
        for member in contents.infolist():
            target = _inside(folder, member.filename, archive)
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                with contents.open(member) as stream:
                    _write(stream, target)


def _inside(folder: Path, name: str, archive: Path) -> Path:
    """Where the member goes; RuntimeError if that is not below ``folder``."""
    base = folder.resolve()
    target = (base / name).resolve()
    if not target.is_relative_to(base):
        raise RuntimeError(f"{archive}: the member {name!r} would be written outside {base}")
    return target


def _write(stream: Any, target: Path) -> None:
    """Copy to a file that appears under its name only when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    with open(part, "wb") as file:
        shutil.copyfileobj(stream, file)
    os.replace(part, target)


def download_and_extract_archive(
    url: str,
    download_root: Any,
    extract_root: Any = None,
    filename: Any = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """``download_url`` into ``download_root``, then ``extract_archive`` into ``extract_root`` (by default the same)."""
    folder = Path(os.path.expanduser(download_root))
    archive = folder / (filename or unquote(os.path.basename(urlparse(url).path)))
    download_url(url, folder, archive.name, md5)
    is_single_file = archive.suffix in _DECOMPRESSORS and not archive.name.endswith(_TAR_SUFFIXES)
    to_path = folder if extract_root is None else Path(os.path.expanduser(extract_root))
    print(f"Extracting {archive} to {to_path}")
    extract_archive(archive, to_path / archive.stem if is_single_file else to_path, remove_finished)
