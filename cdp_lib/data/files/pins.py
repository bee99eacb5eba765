"""What this machine knows about its files: checksums seen, and checksums pinned.

*Pinned*: where nobody publishes a checksum, that of the first download is written to
``catalogue.lock.json`` in the cache, and every later copy has to agree with it.

*Remembered*: a file that was checked once is taken as checked as long as its size and its times of
change stay the same, so that asking for a large file a second time costs nothing.  A note that
cannot be read is no note: the file is hashed again.
"""

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

from cdp_lib.data.files.catalogue import File
from cdp_lib.errors import InputError

BLOCK = 1 << 20
SETTLED = 2 * 10**9  # nanoseconds after which a change is sure to show in a file's times
LONGEST_WAIT = 60.0  # seconds for another process to write down a pin, which takes milliseconds

_hashed: dict[Path, tuple[list[int], str]] = {}


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


def digest(path: Path) -> str:
    """sha256 of a file; one that this process hashed before, unchanged since, is not read again."""
    stamp = _stamp(path)
    known = _hashed.get(path)
    if known and known[0] == stamp:
        return known[1]
    found = sums(path, md5=False)["sha256"]
    if time.time_ns() - max(stamp[1:]) > SETTLED and _stamp(path) == stamp:
        _hashed[path] = stamp, found
    return found


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
        pin = {"sha256": found["sha256"], "bytes": size, "from": source}
        with self._locked():
            _write(self.file, {**self._pins(), file.key: pin})

    def unpin(self, file: File) -> None:
        """Take the next download for the right one, whatever the first one was."""
        with self._locked():
            _write(self.file, {key: pin for key, pin in self._pins().items() if key != file.key})
        self.forget(file)

    def remember(self, file: File, path: Path, found: dict[str, str]) -> None:
        """Note that `path`, as it stands now, was checked; a cache without room notes nothing."""
        with contextlib.suppress(OSError):
            _write(self._memory(file.key), {"stamp": _stamp(path), **found})

    def remembers(self, file: File, path: Path) -> bool:
        """Whether `path` was checked before, against the sum expected today, and is unchanged."""
        expected = self.expected(file)
        if not expected or not path.is_file():
            return False
        kind, value = expected
        return self._note(file.key, path).get(kind) == value

    def digest(self, path: Path) -> str:
        """sha256 of any file; of one in the cache that was checked, without reading it again."""
        if path.is_relative_to(self.cache):
            note = self._note(path.relative_to(self.cache).as_posix(), path)
            if _is_sum(note.get("sha256")):
                return note["sha256"]
        return digest(path)

    def forget(self, file: File) -> None:
        with contextlib.suppress(OSError):  # of a file that changed, the note is worthless anyway
            self._memory(file.key).unlink(missing_ok=True)

    def was_here(self, file: File) -> bool:
        return self._memory(file.key).exists()

    def _memory(self, key: str) -> Path:
        return self.cache / "checked" / f"{key}.json"

    def _note(self, key: str, path: Path) -> dict:
        """What was noted of `path` as it stands now, or nothing."""
        note = _read(self._memory(key)) or {}
        return note if note.get("stamp") == _stamp(path) else {}

    def _pins(self) -> dict[str, dict]:
        pins = _read(self.file)
        whole = pins is not None and all(
            isinstance(pin, dict) and _is_sum(pin.get("sha256")) for pin in pins.values()
        )
        if not whole:
            raise InputError(
                f"The lock file {self.file} is damaged; repair it, or delete it to pin the files"
                " without a published checksum anew."
            )
        return pins

    @contextlib.contextmanager
    def _locked(self):
        lock = FileLock(locks(self.cache) / "catalogue.lock")
        try:
            lock.acquire(timeout=LONGEST_WAIT)
        except Timeout as error:
            raise InputError(
                f"Another process holds {lock.lock_file} and does not go on; end it and try again."
            ) from error
        try:
            yield
        finally:
            lock.release()


def locks(cache: Path) -> Path:
    folder = cache / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _stamp(path: Path) -> list[int]:
    """Size and times; unlike the time of writing, that of change cannot be set by hand."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _is_sum(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _read(path: Path) -> dict | None:
    """A small JSON file: empty where there is none, None where it holds no JSON object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


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
