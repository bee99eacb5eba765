"""Bring one file here from one address: resumed, retried, never trusted.

Bytes are collected in a part file, ``<name>.part``, that survives a broken connection and a killed
process.  A note beside it says which address and which version (ETag or date) the bytes came from,
so that the next attempt asks only for what is missing:

    Range: bytes=<have>-    If-Range: <version>

A server that ignores the range or holds a newer version answers with the whole file, and the part
starts again from nothing.  Whether the result is the right file, the caller's checksum has to say.

An address is given up, with a few words for the reader, when it answers with something else, fails
too often, sends too slowly or does not end.  Passwords in addresses are neither shown nor written.
"""

import errno
import http.client
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm

from cdp_lib import __version__
from cdp_lib.data.files import answers
from cdp_lib.data.files.answers import LONGEST_PAUSE, Broken, NotHere
from cdp_lib.data.files.catalogue import size_text

ATTEMPTS = 5  # failures in a row, without a new megabyte between them
PAUSE = 1.0  # seconds before the second attempt, doubled before each further one
SILENT = 5.0  # seconds of waiting that need no word
TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds between two blocks
LOWEST = 1000  # bytes a second
PATIENCE = 60.0  # seconds over which this speed is measured
LARGEST = 20 * 10**9  # bytes of a file whose size the catalogue does not know
SPARE = 10**8  # bytes of the disk that a file without a stated size leaves free
BLOCK = 1 << 20
DROPPED = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError)


def transfer(
    address: str, part: Path, size: int | None, resumable: bool, tick: Callable[[int], None]
) -> bool:
    """Fill `part` from a folder's file or an HTTP address; say whether old bytes were kept.

    `size` is the expected size where it is known.  `resumable` says that a checksum will catch a
    wrong mixture, so bytes of an earlier attempt may be kept even if the server names no version.
    `tick` is told of every byte kept or written, and of bytes given up as a negative number.
    """
    for path in (part, _note(part)):
        if path.is_symlink():  # a part file of ours is never one
            path.unlink()
    if not is_http(address):
        _copy(Path(address), part, size, tick)
        return False
    failures, kept = 0, False
    while True:
        before = length(part)
        try:
            kept = _get(address, part, size, resumable, tick) or kept
            return kept
        except Broken as error:
            failures = 1 if length(part) - before >= BLOCK else failures + 1
            if failures >= ATTEMPTS:
                raise NotHere(f"{error}, {failures} times in a row") from error
            wait = max(error.wait, min(PAUSE * 2 ** (failures - 1), LONGEST_PAUSE))
            if wait >= SILENT:
                where = urlsplit(address).hostname
                tqdm.write(f"{where}: {error}; asking again in {wait:.0f} seconds.", sys.stderr)
            time.sleep(wait)


def is_http(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def without_password(address: str) -> str:
    """The address as it may be shown and written down."""
    return re.sub(r"://[^/?#]*@", "://", address)


def discard(part: Path) -> None:
    """Forget the bytes collected so far."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _copy(source: Path, part: Path, size: int | None, tick: Callable[[int], None]) -> None:
    """Copy from a mirror folder, always from the start."""
    try:
        if not source.is_file():
            raise NotHere("not there")
        _check_size(source.stat().st_size, size)
    except OSError as error:
        raise NotHere(f"not readable, {error.strerror or error}") from error
    discard(part)
    with _open(part, "ab") as file:
        for block in _blocks_of(source):
            file.write(block)
            tick(len(block))


def _blocks_of(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
    except OSError as error:
        raise NotHere(f"not readable, {error.strerror or error}") from error


def _open(path: Path, mode: str) -> IO:
    """Open a file of our own for writing; a link in its place is an error, not a way out."""
    no_follow = getattr(os, "O_NOFOLLOW", 0)
    return open(path, mode, opener=lambda name, flags: os.open(name, flags | no_follow, 0o666))


def _get(
    url: str, part: Path, size: int | None, resumable: bool, tick: Callable[[int], None]
) -> bool:
    """One request; True where bytes of an earlier attempt were kept."""
    have, version = length(part), _version(part, url)
    if have and have == size and resumable:
        tick(have)
        return True
    if have and not (version or resumable):
        discard(part)
        have = 0
    headers = {"Accept-Encoding": "identity", "User-Agent": f"cdp-lib/{__version__}"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if version:
            headers["If-Range"] = version
    try:
        session = requests.Session()
        session.trust_env = urlsplit(url).hostname not in {"localhost", "127.0.0.1", "::1"}
        with session, session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as reply:
            answers.refuse_what_is_no_file(reply, part.stem)
            other = version and answers.named_version(reply) not in {"", version}
            if reply.status_code == 206 and other:
                discard(part)
                raise Broken("the file changed meanwhile")
            ends = size is not None or resumable  # else only the server can say where it ends
            return _receive(reply, url, part, have, size, ends, tick)
    except DROPPED as error:
        if _unreachable(error):
            raise NotHere("no connection") from error
        raise Broken("the connection broke") from error
    except (requests.RequestException, http.client.HTTPException, ValueError) as error:
        raise NotHere(f"no usable address or answer, {type(error).__name__}") from error


def _receive(
    reply: requests.Response,
    url: str,
    part: Path,
    have: int,
    size: int | None,
    ends: bool,
    tick: Callable[[int], None],
) -> bool:
    if reply.status_code == 416:  # nothing after `have`: complete, or longer than the file
        if have == answers.total(reply):
            tick(have)
            return True
        discard(part)
        raise Broken("the server refused the rest of the file")
    if reply.status_code == 206 and answers.start(reply) != have:
        discard(part)
        raise Broken("the server sent another range than the one asked for")
    kept = have if reply.status_code == 206 else 0
    total = answers.total(reply)
    _check_size(total, size)
    says_where = total is not None or (answers.chunked(reply) and not kept)
    if not kept or not (ends or says_where):
        discard(part)
    if not (ends or says_where):
        raise NotHere("does not say where the file ends")
    limit = _limit(part, total, size)
    with _open(_note(part), "w") as note:
        json.dump({"url": without_password(url), "version": answers.named_version(reply)}, note)
    written, whole = kept, total if size is None else size
    tick(kept)
    with _open(part, "ab") as file:
        try:
            for block in _blocks(reply):
                file.write(block)
                written += len(block)
                tick(len(block))
                if written > limit:
                    raise NotHere(f"sent more than the {limit:,} bytes {_of(whole)}")
        except NotHere:
            if written > limit:
                discard(part)
            raise
        finally:
            if written != whole:
                tick(-written)
    if written < (whole or 0):
        raise Broken("the connection broke")
    return kept > 0


def _limit(part: Path, total: int | None, size: int | None) -> int:
    """The most bytes that the file may have, by the catalogue, the server, or the disk's room."""
    if size is not None:
        return size
    room = shutil.disk_usage(part.parent).free + length(part)
    if total is None:
        return max(0, min(LARGEST, room - SPARE))
    if total > LARGEST:
        raise NotHere(f"has {total:,} bytes, more than any file of the catalogue")
    if total > room:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return total


def _of(whole: int | None) -> str:
    return "of the file" if whole is not None else "that there is room for, without an end"


def _blocks(reply: requests.Response) -> Iterator[bytes]:
    """The bytes as they come, however few at a time; a server that only drips is left."""
    since, got = time.monotonic(), 0
    while block := reply.raw.read1(1 << 16, decode_content=False):
        yield block
        got += len(block)
        seconds = time.monotonic() - since
        if seconds >= PATIENCE:
            if got < LOWEST * seconds:
                raise NotHere(f"sent only {size_text(got)} in {seconds:.0f} seconds")
            since, got = time.monotonic(), 0


def _check_size(total: int | None, size: int | None) -> None:
    if total is not None and size is not None and total != size:
        raise NotHere(f"has {total:,} bytes where the catalogue says {size:,}")


def _version(part: Path, url: str) -> str:
    """The version of the bytes in the part file, if they came from this address."""
    try:
        note = json.loads(_note(part).read_text())
        known = note["url"] == without_password(url) and note["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # none, or damaged
        return ""
    return known if isinstance(known, str) and known.isascii() and known.isprintable() else ""


def _unreachable(error: Exception) -> bool:
    """Whether no connection came about at all: no network, no such host, nobody listening."""
    problems = requests.exceptions
    if isinstance(error, (problems.ConnectTimeout, problems.ProxyError, problems.SSLError)):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def length(part: Path) -> int:
    """Bytes collected so far."""
    return part.stat().st_size if part.exists() else 0
