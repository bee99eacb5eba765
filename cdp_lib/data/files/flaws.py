"""Why bytes cannot be the file that they are called, where no checksum can say it.

A server that has lost a file, wants a login or is out of order often answers with a page, a
message or a pointer instead, and says that all is well.  Archives are read to their end, so that
their own checksums speak; nothing of them is written to the disk.
"""

import gzip
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

BLOCK = 1 << 20
RATIO = 500  # how many times its size a file may unpack to; text reaches about 150
SMALL = 10**7  # bytes that any file may unpack to
TEXTS = (".csv", ".tsv", ".txt", ".gmt", ".gct", ".sdf")
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
PACKED = (GZIP, ZIP, b"BZh", b"\xfd7zXZ")
STARTS = {
    ".gz": (GZIP,),
    ".zip": (ZIP,),
    ".xlsx": (ZIP,),
    ".rds": (GZIP, b"BZh", b"\xfd7zXZ", b"X\n", b"A\n", b"B\n"),
}


def flaw(path: Path, name: str) -> str:
    """Why these bytes cannot be the file of that name, whatever it should hold; or nothing."""
    with path.open("rb") as file:
        start = file.read(1024)
    found = _at_the_start(start, name)
    if found:
        return found
    try:
        if start.startswith(GZIP):
            return _in_gzip(path, name)
        if start.startswith(ZIP):
            return _in_zip(path, name)
    except Exception:  # gzip, zipfile and what they call have no common error
        return "it is damaged or cut short"
    return ""


def _at_the_start(start: bytes, name: str) -> str:
    """What the first bytes give away."""
    suffix = Path(name).suffix.lower()
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t\0")
    if not text:
        return "it is empty"
    if text.startswith(b"<"):
        return "it is a web page"
    if text.startswith(b"version https://git-lfs"):
        return "it is a pointer of git-LFS, not the file"
    if suffix in TEXTS:
        if text.startswith((b"{", b"[{", b'["')):
            return "it is JSON, most likely a message of the server"
        if start.startswith(PACKED) or b"\0" in start:
            return "it is no text"
    if not start.startswith(STARTS.get(suffix, b"")):
        return f"it is no {suffix} file"
    return ""


def _in_gzip(path: Path, name: str) -> str:
    with gzip.open(path) as file:
        start = file.read(1024)
        if start.startswith(GZIP):
            return "it is packed twice"
        return _at_the_start(start, Path(name).stem) or _too_large([file], path)


def _in_zip(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as box:
        if name.lower().endswith(".xlsx") and "xl/workbook.xml" not in box.namelist():
            return "it is no workbook"
        return _too_large(_members(box), path)


def _members(box: zipfile.ZipFile) -> Iterator[IO[bytes]]:
    for member in box.infolist():
        with box.open(member) as file:
            yield file


def _too_large(files: list[IO[bytes]] | Iterator[IO[bytes]], path: Path) -> str:
    """Read everything to its end, and stop where there is no end in sight."""
    limit, read = max(SMALL, RATIO * path.stat().st_size), 0
    for file in files:
        while block := file.read(BLOCK):
            read += len(block)
            if read > limit:
                return f"it unpacks to more than {RATIO} times its size"
    return ""
