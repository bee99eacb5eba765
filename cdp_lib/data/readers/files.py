"""Opening an upstream file: plain, gzipped or zipped, with one clear sentence when it is broken."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cdp_lib.data.checks import few
from cdp_lib.errors import DataUnavailable, InputError

AGAIN = "delete it and fetch it again with `cdp data fetch`"
ENDS_OF_DOS = "\x1a"  # Ctrl-Z: old systems end a text with it
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile)


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked when it is a gzip, bzip2, xz or a zip of one table."""
    path = Path(path)
    if not path.is_file():
        raise DataUnavailable(f"There is no file {path}: fetch it with `cdp data fetch`.")
    if not path.stat().st_size:
        raise InputError(f"{path.name} is empty: {AGAIN}.")
    try:
        with open(path, "rb") as plain:
            start = plain.read(6)
            plain.seek(0)
            if start[:2] == b"\x1f\x8b":
                with gzip.open(plain) as file:
                    yield file
            elif start[:3] == b"BZh":
                with bz2.open(plain) as file:
                    yield file
            elif start == b"\xfd7zXZ\0":
                with lzma.open(plain) as file:
                    yield file
            elif start[:4] == b"PK\x03\x04" and path.suffix.lower() != ".xlsx":
                with zipped(path, plain) as file:
                    yield file
            else:
                yield plain
    except PermissionError as error:
        raise InputError(f"{path} may not be read by you: change its permissions.") from error
    except (*DAMAGED, OSError) as error:
        raise InputError(f"{path.name} ends too early or is damaged: {AGAIN}.") from error


@contextmanager
def zipped(path: Path, plain: BinaryIO) -> Iterator[BinaryIO]:
    """The one table in a zip file."""
    try:
        archive = zipfile.ZipFile(plain)
        file = archive.open(only_table(archive, path.name))
    except InputError:
        raise
    except (RuntimeError, NotImplementedError) as error:
        raise InputError(
            f"{path.name} is encrypted or packed in a way that Python cannot unpack ({error}): "
            f"unpack it by hand."
        ) from error
    except Exception as error:  # a damaged directory fails in many ways: struct, unicode, overflow
        raise InputError(f"{path.name} is not a whole zip file: {AGAIN}.") from error
    with archive, file:
        yield file


def only_table(archive: zipfile.ZipFile, name: str) -> str:
    """The one table in a zip file; web pages, documentation and folders beside it do not count."""
    names = [
        n
        for n in archive.namelist()
        if not n.endswith(("/", ".html", ".pdf"))
        and not n.startswith("__MACOSX")
        and "documentation/" not in n  # CellMiner puts a table of the lines there
    ]
    if len(names) != 1:
        raise InputError(
            f"{name} holds {len(names)} files ({few(names)}) where one table was expected: {AGAIN}."
        )
    return names[0]


def refuse_html(path: str | Path) -> None:
    """Downloads that went wrong are often a web page under the name of a table."""
    with opened(path) as file:
        start = file.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t\0").lower()
    if not start:
        raise InputError(f"{Path(path).name} is empty: {AGAIN}.")
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise InputError(f"{Path(path).name} is a web page, not a table: {AGAIN}.")


def text_lines(path: str | Path, open_end: bool = False) -> Iterator[tuple[int, str]]:
    """(number, text with its line end) of each line of an UTF-8 text with any line ends.

    A text that is cut short has a last line without a line end; `open_end` allows it where
    upstream writes its files so.
    """
    refuse_html(path)
    name, number = Path(path).name, 0
    try:
        with opened(path) as file:
            for number, line in enumerate(io.TextIOWrapper(file, "utf-8-sig"), start=1):
                if "\0" in line:
                    raise InputError(f"{name}, line {number}, holds empty bytes: {AGAIN}.")
                if line[-1] != "\n":
                    line = line.removesuffix(ENDS_OF_DOS)
                    if not line:
                        return
                    if not open_end:
                        raise InputError(
                            f"{name} ends in the middle of line {number}, without a line end: "
                            f"{AGAIN}, or end its last line."
                        )
                    line += "\n"
                yield number, line
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is no UTF-8 text after line {number}: check its name, or {AGAIN}."
        ) from error


def refuse_unprintable(name: str, number: int, line: str, control: str = "") -> None:
    """Refuse characters that nobody sees, and that make two names of one."""
    plain = line.replace("\t", " ").removesuffix("\n")
    odd = next((c for c in plain if not c.isprintable() and c not in control), None)
    if odd is not None:
        raise InputError(
            f"{name}, line {number}, holds the unprintable character {odd!r}: remove it, or "
            f"{AGAIN}."
        )
