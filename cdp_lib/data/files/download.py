"""Verified files: from a mirror or upstream into the cache, and only then under their own names.

    CDP_MIRROR, then the addresses of the catalogue, in order
        -> <cache>/<data set>/<file>.part      (transfer.py: resumed and retried)
        -> checksum                            (pins.py: published, or pinned at first download)
        -> <cache>/<data set>/<file>           (one atomic step)

A file with a wrong checksum, or that cannot be what it is called, is kept aside and never used:
``<file>.bad-<sum>``, the latest one.  A lock makes sure that two processes never write one file.
"""

import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import platformdirs
from filelock import FileLock, Timeout
from tqdm import tqdm

from cdp_lib.data.editions import DOWNLOADED
from cdp_lib.data.files import catalogue
from cdp_lib.data.files.catalogue import File, size_text
from cdp_lib.data.files.flaws import flaw
from cdp_lib.data.files.pins import Pins, locks
from cdp_lib.data.files.transfer import (
    NotHere,
    discard,
    is_http,
    length,
    transfer,
    without_password,
)
from cdp_lib.errors import DataUnavailable, InputError

LOOK = 5.0  # seconds between two looks at what another process fetches
STALLED = 600.0  # seconds without a new byte after which nobody waits for it any longer

_given: dict[str, str] = {}


class Verified(NamedTuple):
    """One line of `verify`: state is "ok", "missing", "corrupt" or "unpinned"."""

    dataset: str
    file: str
    state: str


def cache_dir() -> Path:
    """Where data lie: CDP_CACHE, or the place this system keeps caches in."""
    named = os.environ.get("CDP_CACHE") or platformdirs.user_cache_dir("cdp")
    return _folder("CDP_CACHE", named).absolute()


def path(dataset: str, name: str) -> Path:
    """One verified file; it is fetched where it is missing."""
    file = catalogue.dataset(dataset).file(name)
    (target,) = bring([file], progress=True)
    _given[file.key] = ":".join(Pins(cache_dir()).expected(file) or ("unknown",))
    return target


def given() -> dict[str, str]:
    """The checksum of every file that `path` gave to this process: what its results stand on."""
    return dict(_given)


def fetch(
    ids: str | Iterable[str] | None = None,
    edition: str | None = None,
    progress: bool = True,
    unpin: bool = False,
) -> list[Path]:
    """Fetch whole data sets: all files, or those of one edition.

    Without ids, every data set of the edition, by default the pocket one.  A file that cannot be
    had does not stop the others; the error at the end names it.  `unpin` sets files without a
    published checksum aside and takes what is upstream today.
    """
    files = _choose(ids, edition)
    for file in files if unpin else ():
        _set_aside(file)
    _check_disk(files)
    return bring(files, progress)


def verify(ids: str | Iterable[str] | None = None) -> list[Verified]:
    """Hash every file again, of the data sets named or of all that were ever in the cache."""
    pins, report = Pins(cache_dir()), []
    for file in _choose(catalogue.datasets() if ids is None else ids, None):
        target = _target(file)
        if target.is_file():
            report.append(Verified(file.dataset, file.name, _state(pins, file, target)))
        elif ids is not None or pins.was_here(file):
            report.append(Verified(file.dataset, file.name, "missing"))
    return report


def _state(pins: Pins, file: File, target: Path) -> str:
    expected = pins.expected(file)
    if expected is None:
        return "unpinned"
    found = pins.examine(file, target)
    if found[expected[0]] != expected[1]:
        pins.forget(file)
        return "corrupt"
    pins.remember(file, target, found)
    return "ok"


def _set_aside(file: File) -> None:
    target = _target(file)
    Pins(cache_dir()).unpin(file)
    if not file.checked:
        with contextlib.suppress(FileNotFoundError):  # another process was first
            os.replace(target, target.with_name(f"{target.name}.old"))


def bring(files: list[File], progress: bool = True) -> list[Path]:
    """Fetch what is missing among the files, under one progress bar."""
    absent, failures = missing(files), []
    with _bar(absent, progress) as bar:
        for file in absent:
            bar.set_description_str(file.name[:32], refresh=False)  # the bar adds the colon
            try:
                _obtain(file, bar)
            except DataUnavailable as error:
                failures.append((file, str(error)))
    failed = [file.key for file, _ in failures]
    for file in absent:
        if file.key not in failed:
            _announce(file)
    if failures:
        others = ", ".join(failed[1:4]) + (" and others" if len(failed) > 4 else "")
        more = f"; {len(failed) - 1} more could not be had either: {others}." if others else "."
        raise DataUnavailable(failures[0][1].removesuffix(".") + more)
    return [_target(file) for file in files]


def _obtain(file: File, bar: tqdm) -> None:
    """Put the right bytes at the file's place in the cache, while no other process does."""
    pins, target = Pins(cache_dir()), _target(file)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file, target):
            if not target.is_file():
                return _download(pins, file, target, [], bar)
            wrong = _settle(pins, file, target, target, "the cache")
            if wrong:
                _download(pins, file, target, [f"the cache ({wrong})"], bar)
                print(f"Fetched {file.key} again; its copy in the cache was wrong: {wrong}.")
    except (OSError, NotImplementedError) as error:  # the latter where no lock can be had
        if target.is_file() and _state(pins, file, target) == "ok":
            return  # a cache that may only be read is a cache
        raise InputError(_disk_sentence(error, file, target)) from error


@contextlib.contextmanager
def _alone(file: File, target: Path) -> Iterator[None]:
    """Hold the file's lock; say that another process fetches it, and do not wait for one that
    stands still."""
    lock = FileLock(locks(cache_dir()) / f"{file.dataset}--{file.name}.lock")
    part, seen, looks = target.with_name(target.name + ".part"), None, 0
    while True:
        try:
            lock.acquire(timeout=LOOK)
            break
        except Timeout as error:
            if seen is None:
                tqdm.write(f"Waiting for another process that fetches {file.key}.", sys.stderr)
            before, seen = seen, length(part)
            looks = looks + 1 if seen == before else 0
            if looks * LOOK >= STALLED:
                raise DataUnavailable(
                    f"Another process fetches {file.key}, but no byte has come for"
                    f" {STALLED:.0f} seconds; end it (it holds {lock.lock_file}) and try again."
                ) from error
    try:
        yield
    finally:
        lock.release()


def _download(pins: Pins, file: File, target: Path, looked: list[str], bar: tqdm) -> None:
    """Try every address in order until one gives the right bytes."""
    part = target.with_name(target.name + ".part")
    for place, address in addresses(file):
        for _ in range(2):  # once more from the start, where old bytes may have spoilt it
            try:
                resumable = pins.expected(file) is not None
                kept = transfer(address, part, file.bytes, resumable, bar.update)
            except NotHere as error:
                wrong = str(error)
                break
            wrong = _settle(pins, file, part, target, place)
            if wrong is None:
                return
            discard(part)
            if not kept:
                break
        looked.append(f"{place} ({wrong})")
    raise DataUnavailable(
        f"{file.key} ({size_text(file.bytes)}) is not in the cache ({target.parent}) and could not"
        f' be fetched: {"; ".join(looked)}; use data="teaching", which needs no download, or set'
        f" CDP_MIRROR to a folder or address that holds {file.key}."
    )


def _settle(pins: Pins, file: File, found_at: Path, target: Path, place: str) -> str | None:
    """Give right bytes their name, or set wrong ones aside and say what is wrong with them."""
    expected, found = pins.expected(file), pins.examine(file, found_at)
    if expected is None:
        wrong = flaw(found_at, file.name)
    else:
        kind, value = expected
        wrong = f"{kind} is {found[kind]} instead of {value}" if found[kind] != value else ""
        if wrong and not file.checked:
            wrong += f" pinned in {pins.file}, `cdp data fetch {file.dataset} --unpin` forgets it"
    if wrong:
        bad = target.with_name(f"{target.name}.bad-{found['sha256'][:8]}")
        for older in target.parent.iterdir():
            if older.name.startswith(f"{target.name}.bad-"):
                older.unlink(missing_ok=True)
        os.replace(found_at, bad)
        return f"{wrong}, kept aside as {bad.name}"
    if expected is None:
        pins.pin(file, found, found_at.stat().st_size, place)
    os.replace(found_at, target)
    discard(target.with_name(target.name + ".part"))
    pins.remember(file, target, found)
    return None


def addresses(file: File) -> Iterator[tuple[str, str]]:
    """(where, address) in the order in which they are tried; CDP_MIRROR comes first."""
    mirror = mirror_place()
    for name in file.names if mirror else ():
        if isinstance(mirror, Path):
            address = str(mirror / file.dataset / name)
        else:
            address = f"{mirror.rstrip('/')}/{file.dataset}/{quote(name)}"
        yield f"the mirror {without_password(address)}", address
    for url in file.urls:
        yield urlsplit(url).hostname or url, url


def mirror_place() -> str | Path | None:
    """What CDP_MIRROR names: an address, a folder, or nothing."""
    mirror = os.environ.get("CDP_MIRROR", "")
    if not mirror:
        return None
    if "://" not in mirror:
        return _folder("CDP_MIRROR", mirror)
    try:
        parts = urlsplit(mirror)
        usable = is_http(mirror) and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        usable = False
    if not usable:
        shown = without_password(mirror)
        raise InputError(f"CDP_MIRROR is {shown!r}: give a folder or an http(s):// address.")
    return mirror


def _folder(variable: str, text: str) -> Path:
    """A folder that an environment variable names, with ~ as the home of a user."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # no such user
        raise InputError(
            f"{variable} is {text!r}: there is no such home; give a whole path."
        ) from error


def _announce(file: File) -> None:
    """Say once for each data set under which licence it comes and how to cite it."""
    data = catalogue.dataset(file.dataset)
    text = f"{data.title} ({data.id})\n  Licence: {data.licence}\n  Cite: {data.citation}\n"
    try:
        with (_target(file).parent / "LICENCE.txt").open("x", encoding="utf-8") as notice:
            notice.write(text)
    except FileExistsError:
        return
    except OSError:  # no room for the notice: it is printed every time
        pass
    print(text, end="")


def _choose(ids: str | Iterable[str] | None, edition: str | None) -> list[File]:
    if edition == "teaching":
        raise InputError(
            'The teaching edition is simulated and needs no download; load it with data="teaching".'
        )
    if edition not in (None, *DOWNLOADED):
        raise InputError(f"There is no edition {edition!r}; choose {' or '.join(DOWNLOADED)}.")
    if ids is None:
        edition = edition or "pocket"
        chosen = [data for data in catalogue.datasets().values() if data.edition(edition)]
    else:
        chosen = [catalogue.dataset(id) for id in ([ids] if isinstance(ids, str) else ids)]
    for data in chosen:
        if edition and not data.edition(edition):
            raise InputError(
                f"The data set {data.id} has no file in the {edition} edition;"
                f" `cdp data show {data.id}` says what it has."
            )
    return [file for data in chosen for file in (data.edition(edition) if edition else data.files)]


def missing(files: list[File]) -> list[File]:
    """Those of the files that are not in the cache, or not as they were proven."""
    pins = Pins(cache_dir())
    return [file for file in files if not pins.remembers(file, _target(file))]


def _check_disk(files: list[File]) -> None:
    """Refuse before the first byte what cannot fit."""
    absent = [file for file in files if not _target(file).is_file()]
    needed = sum((file.bytes or 0) - _collected(file) for file in absent)
    folder = cache_dir()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"The {len(files)} files need {size_text(needed)} more in {cache_dir()}, but only"
            f" {size_text(free)} are free; free some space, choose fewer data sets, or point"
            " CDP_CACHE at a folder on a larger disk."
        )


def _disk_sentence(error: Exception, file: File, target: Path) -> str:
    """What to do when the cache cannot be written."""
    if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
        need = size_text(file.bytes - _collected(file)) + " more" if file.bytes else "more space"
        return (
            f"The disk is full: {file.key} needs {need} in {target.parent}; free some space, or"
            " point CDP_CACHE at a folder on a larger disk."
        )
    why = getattr(error, "strerror", None) or error
    return (
        f"The cache folder {target.parent} cannot be used ({why}); point"
        " CDP_CACHE at a folder that you may write to."
    )


def _bar(files: list[File], progress: bool) -> tqdm:
    """One bar over all files, with speed and size; it shows only after a second."""
    sizes = [file.bytes for file in files]
    return tqdm(
        total=None if None in sizes else sum(sizes),
        unit="B",
        unit_scale=True,
        delay=1.0,
        leave=False,
        disable=None if progress and files else True,  # None: only a terminal shows it
    )


def _collected(file: File) -> int:
    return min(length(_target(file).with_name(file.name + ".part")), file.bytes or 0)


def _target(file: File) -> Path:
    return cache_dir() / file.dataset / file.name
