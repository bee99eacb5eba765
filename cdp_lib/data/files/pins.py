"""What this machine knows about its files: checksums seen, and checksums pinned.

*Pinned*: where nobody publishes a checksum, that of the first download is written to
``catalogue.lock.json`` in the cache, and every later copy has to agree with it.

*Remembered*: a file that was checked once is taken as checked as long as its size and its time of
change stay the same, so that asking for a large file a second time costs nothing.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

from filelock import FileLock

from cdp_lib.data.files.catalogue import File
from cdp_lib.errors import InputError

BLOCK = 1 << 20


def sums(path: Path, md5: bool) -> dict[str, str]:
    """sha256 of a file, and md5 where the catalogue knows nothing better."""
    hashes = {"sha256": hashlib.sha256()}
    if md5:
        hashes["md5"] = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            for each in hashes.values():
                each.update(block)
    return {name: each.hexdigest() for name, each in hashes.items()}


class Pins:
    """Checksums of the files in one cache folder."""

    def __init__(self, cache: Path):
        self.cache = cache
        self.file = cache / "catalogue.lock.json"

    def expected(self, file: File) -> tuple[str, str] | None:
        """Which sum the file must have: the catalogue's, else the pinned one, else none."""
        if file.sha256:
            return "sha256", file.sha256
        if file.md5:
            return "md5", file.md5
        pin = self._pins().get(file.key)
        return ("sha256", pin["sha256"]) if pin else None

    def examine(self, file: File, path: Path) -> dict[str, str]:
        """Hash `path` as the catalogue entry asks for."""
        return sums(path, md5=bool(file.md5 and not file.sha256))

    def pin(self, file: File, found: dict[str, str], size: int, source: str) -> None:
        """Write down the sum of a first download."""
        with FileLock(locks(self.cache) / "catalogue.lock"):
            pins = self._pins()
            pins[file.key] = {"sha256": found["sha256"], "bytes": size, "from": source}
            _write(self.file, pins)

    def unpin(self, file: File) -> None:
        """Take the next download for the right one, whatever the first one was."""
        with FileLock(locks(self.cache) / "catalogue.lock"):
            _write(self.file, {key: pin for key, pin in self._pins().items() if key != file.key})
        self.forget(file)

    def remember(self, file: File, path: Path, found: dict[str, str]) -> None:
        """Note that `path`, as it stands now, was checked; a cache without room notes nothing."""
        with contextlib.suppress(OSError):
            _write(self._memory(file), {"stamp": _stamp(path), **found})

    def remembers(self, file: File, path: Path) -> bool:
        """Whether `path` was checked before, against the sum expected today, and is unchanged."""
        if not path.is_file():
            return False
        note, expected = _read(self._memory(file)), self.expected(file)
        if not note or note["stamp"] != _stamp(path) or not expected:
            return False
        kind, value = expected
        return note.get(kind) == value

    def forget(self, file: File) -> None:
        with contextlib.suppress(OSError):  # of a file that changed, the note is worthless anyway
            self._memory(file).unlink(missing_ok=True)

    def was_here(self, file: File) -> bool:
        return self._memory(file).exists()

    def _memory(self, file: File) -> Path:
        return self.cache / "checked" / file.dataset / f"{file.name}.json"

    def _pins(self) -> dict[str, dict]:
        pins = _read(self.file)
        if pins is None:
            raise InputError(
                f"The lock file {self.file} is damaged; repair it, or delete it to pin the files"
                " without a published checksum anew."
            )
        return pins


def locks(cache: Path) -> Path:
    folder = cache / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _read(path: Path) -> dict | None:
    """A small JSON file: empty where there is none, None where it cannot be read as JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        return None


def _write(path: Path, content: dict) -> None:
    """Replace a small JSON file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=".", suffix=".json", delete=False, encoding="utf-8"
    ) as file:
        beside = Path(file.name)
    try:
        beside.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
