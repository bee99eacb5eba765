"""Unpack an archive from elsewhere without trusting it.

Nothing leaves the folder: a member with an absolute path, with "..", a link or a device is refused
before anything is written.  Nothing fills the disk: the bytes are counted as they are written, not
as the archive claims them.
"""

import gzip
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from cdp_lib.data.files.catalogue import size_text
from cdp_lib.errors import InputError

LIMIT = 20 * 10**9  # bytes
MEMBERS = 10_000
BLOCK = 1 << 20
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz")
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


def unpack(archive: Path, folder: Path, limit: int = LIMIT) -> list[Path]:
    """Unpack a zip, tar (plain, gz, bz2, xz) or gz file; return the files written.

    The folder receives all members or none of them.
    """
    archive, folder = Path(archive), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpack-") as scratch:
        names, written = [], 0
        try:
            for name, source in _members(archive):
                written = _write(source, Path(scratch) / name, archive, written, limit)
                names.append(name)
        except DAMAGED as error:
            raise InputError(
                f"The archive {archive} is damaged or cut short; delete it and fetch it again."
            ) from error
        except OSError as error:
            raise InputError(
                f"The archive {archive} cannot be unpacked in {folder} ({error.strerror or error});"
                " choose a folder with room on its disk."
            ) from error
        return [_move(Path(scratch) / name, folder / name) for name in names]


def flaw(path: Path, name: str) -> str:
    """Why these bytes cannot be the file of that name, whatever it should hold; or nothing."""
    with path.open("rb") as file:
        start = file.read(1024)
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t\0").lower()
    if not text:
        return "it is empty"
    if text.startswith((b"<!doctype", b"<html")):
        return "it is a web page"
    packed = {".gz": (b"\x1f\x8b",), ".zip": (b"PK\x03\x04",), ".xlsx": (b"PK\x03\x04",)}
    if not start.startswith(packed.get(Path(name).suffix, b"")):
        return f"it is no {Path(name).suffix} file"
    try:
        if start.startswith(b"\x1f\x8b"):
            with gzip.open(path) as file:
                while file.read(BLOCK):
                    pass
        elif start.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(path) as box:
                return "it is damaged" if box.testzip() else ""
    except DAMAGED:
        return "it is damaged or cut short"
    return ""


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """(name, open file) of each regular member, after every name has been checked."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as box:
            members = [member for member in box.infolist() if not member.is_dir()]
            links = [each.filename for each in members if each.external_attr >> 28 == 0o12]
            _check([member.filename for member in members], links, archive)
            for member in members:
                with box.open(member) as source:
                    yield member.filename, source
    elif archive.suffix == ".gz" and ".tar" not in archive.suffixes:
        with gzip.open(archive) as source:
            yield archive.stem, source
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as box:
            members = [member for member in box.getmembers() if not member.isdir()]
            links = [member.name for member in members if not member.isreg()]
            _check([member.name for member in members], links, archive)
            for member in members:
                with box.extractfile(member) as source:
                    yield member.name, source
    else:
        raise InputError(f"The file {archive} is no zip, tar or gz archive, or it is cut short.")


def _check(names: list[str], links: list[str], archive: Path) -> None:
    if len(names) > MEMBERS:
        raise InputError(
            f"The archive {archive} has {len(names):,} members, more than the {MEMBERS:,} that are"
            " unpacked; take the files you need from it by hand."
        )
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not parts or parts[0] == "/" or ".." in parts or PureWindowsPath(name).drive:
            raise InputError(
                f"The archive {archive} has a member {name!r} that would leave its folder;"
                " nothing was unpacked."
            )
    if links:
        raise InputError(
            f"The archive {archive} has a member {links[0]!r} that is a link or a device, not a"
            " file; nothing was unpacked."
        )


def _write(source: IO[bytes], target: Path, archive: Path, written: int, limit: int) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while block := source.read(BLOCK):
            written += len(block)
            if written > limit:
                raise InputError(
                    f"The archive {archive} unpacks to more than {size_text(limit)}; nothing was"
                    " unpacked."
                )
            file.write(block)
    return written


def _move(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)
    return target
