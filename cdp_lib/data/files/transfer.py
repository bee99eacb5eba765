"""Bring one file here from one address: resumed, retried, never trusted.

Bytes are collected in a part file, ``<name>.part``, that survives a broken connection and a killed
process.  A note beside it says which address and which version (ETag or date) the bytes came from,
so that the next attempt asks only for what is missing:

    Range: bytes=<have>-    If-Range: <version>

A server that ignores the range or holds a newer version answers with the whole file, and the part
starts again from nothing.  Whether the result is the right file, the caller's checksum has to say.
"""

import json
import os
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3

from cdp_lib import __version__

ATTEMPTS = 5  # failures in a row, without a new megabyte between them
PAUSE = 1.0  # seconds before the second attempt, doubled before each further one
LONGEST_PAUSE = 60.0  # a server that asks for more is left for the next address
TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds between two blocks
BLOCK = 1 << 20
RETRIED = (408, 429)  # and every 5xx
DROPPED = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError)


class NotHere(Exception):
    """This address cannot give the file; the message says why, in a few words."""


class Broken(Exception):
    """The transfer failed in a way that another attempt may mend."""

    def __init__(self, why: str, wait: float = 0.0):
        super().__init__(why)
        self.wait = wait


def transfer(
    address: str, part: Path, size: int | None, resumable: bool, tick: Callable[[int], None]
) -> bool:
    """Fill `part` from a folder's file or an HTTP address; say whether old bytes were kept.

    `size` is the expected size where it is known.  `resumable` says that a checksum will catch a
    wrong mixture, so bytes of an earlier attempt may be kept even if the server names no version.
    `tick` is told of every byte kept or written, and of bytes given up as a negative number.
    """
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
            time.sleep(max(error.wait, min(PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)))


def is_http(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def discard(part: Path) -> None:
    """Forget the bytes collected so far."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _copy(source: Path, part: Path, size: int | None, tick: Callable[[int], None]) -> None:
    """Copy from a mirror folder, always from the start."""
    if not source.is_file():
        raise NotHere("not there")
    _check_size(source.stat().st_size, size)
    if not os.access(source, os.R_OK):
        raise NotHere("not readable")
    discard(part)
    with source.open("rb") as blocks, part.open("wb") as file:
        while block := blocks.read(BLOCK):
            file.write(block)
            tick(len(block))


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
    session = requests.Session()
    session.trust_env = urlsplit(url).hostname not in {"localhost", "127.0.0.1", "::1"}
    try:
        with session, session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as reply:
            return _receive(reply, url, part, have, size, tick)
    except DROPPED as error:
        if _unreachable(error):
            raise NotHere("no connection") from error
        raise Broken("the connection broke") from error
    except requests.RequestException as error:
        raise NotHere(f"no usable address, {type(error).__name__}") from error


def _receive(
    reply: requests.Response,
    url: str,
    part: Path,
    have: int,
    size: int | None,
    tick: Callable[[int], None],
) -> bool:
    if reply.status_code == 416:  # nothing after `have`: complete, or longer than the file
        if have == _total(reply):
            tick(have)
            return True
        discard(part)
        raise Broken("the server refused the rest of the file")
    if reply.status_code in RETRIED or reply.status_code >= 500:
        raise Broken(f"answered {reply.status_code}", _retry_after(reply))
    if reply.status_code not in {200, 206}:
        raise NotHere(f"answered {reply.status_code}")
    if reply.headers.get("Content-Type", "").startswith("text/html"):
        raise NotHere("answered with a web page instead of the file")
    kept, total = have, _total(reply)
    if reply.status_code == 200 or _start(reply) != have:
        if reply.status_code == 206:
            discard(part)
            raise Broken("the server sent another range than the one asked for")
        kept = 0
    _check_size(total, size)
    if not kept:
        discard(part)
    _note(part).write_text(json.dumps({"url": url, "version": _named_version(reply)}))
    written, whole = kept, total if size is None else size
    tick(kept)
    with part.open("ab") as file:
        try:
            for block in reply.raw.stream(1 << 16, decode_content=False):
                file.write(block)
                written += len(block)
                tick(len(block))
                if whole is not None and written > whole:
                    raise NotHere(f"sent more than the {whole:,} bytes of the file")
        finally:
            if written != whole:
                tick(-written)
    if total is not None and written < total:
        raise Broken("the connection broke")
    return kept > 0


def _check_size(total: int | None, size: int | None) -> None:
    if total is not None and size is not None and total != size:
        raise NotHere(f"has {total:,} bytes where the catalogue says {size:,}")


def _total(reply: requests.Response) -> int | None:
    """The size of the whole file, as the server states it."""
    if reply.status_code in {206, 416}:
        stated = reply.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        stated = reply.headers.get("Content-Length", "")
    return int(stated) if stated.isdigit() else None


def _start(reply: requests.Response) -> int | None:
    first = reply.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else None


def _retry_after(reply: requests.Response) -> float:
    """Seconds that the server asks us to wait, given as a number or as a date."""
    stated = reply.headers.get("Retry-After", "").strip()
    if stated.isdigit():
        wait = float(stated)
    elif stated:
        try:
            wait = parsedate_to_datetime(stated).timestamp() - time.time()
        except ValueError:
            wait = 0.0
    else:
        wait = 0.0
    if wait > LONGEST_PAUSE:
        raise NotHere(f"answered {reply.status_code} and asks to wait {wait:.0f} seconds")
    return max(wait, 0.0)


def _named_version(reply: requests.Response) -> str:
    """What If-Range may quote: a strong ETag, else the date of the last change."""
    tag = reply.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else reply.headers.get("Last-Modified", "")


def _version(part: Path, url: str) -> str:
    """The version of the bytes in the part file, if they came from this address."""
    try:
        note = json.loads(_note(part).read_text())
    except (FileNotFoundError, ValueError):
        return ""
    return note["version"] if note["url"] == url else ""


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
