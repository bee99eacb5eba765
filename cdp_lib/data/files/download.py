"""Verified files: from a mirror or upstream into the cache, and only then under their own names.

    CDP_MIRROR, then the addresses of the catalogue, in order
        -> <cache>/<data set>/<file>.part      (transfer.py: resumed and retried)
        -> checksum                            (pins.py: published, or pinned at first download)
        -> <cache>/<data set>/<file>           (one atomic step)

A file with a wrong checksum, or that cannot be what it is called, is kept aside and never used:
``<file>.bad-<sum>``.  A lock makes sure that two processes never write one file.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import platformdirs
from filelock import FileLock
from tqdm import tqdm

from cdp_lib.data.editions import DOWNLOADED
from cdp_lib.data.files import catalogue
from cdp_lib.data.files.archives import flaw
from cdp_lib.data.files.catalogue import File, size_text
from cdp_lib.data.files.pins import Pins, locks
from cdp_lib.data.files.transfer import NotHere, discard, is_http, length, transfer
from cdp_lib.errors import DataUnavailable, InputError

_given: dict[str, str] = {}


class Verified(NamedTuple):
    """One line of `verify`: state is "ok", "missing", "corrupt" or "unpinned"."""

    dataset: str
    file: str
    state: str


def cache_dir() -> Path:
    """Where data lie: CDP_CACHE, or the place this system keeps caches in."""
    named = os.environ.get("CDP_CACHE") or platformdirs.user_cache_dir("cdp")
    return Path(named).expanduser().absolute()


def path(dataset: str, name: str) -> Path:
    """One verified file; it is fetched where it is missing."""
    file = catalogue.dataset(dataset).file(name)
    (target,) = _bring([file], progress=True)
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
    return _bring(files, progress)


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
    if target.is_file() and not file.checked:
        os.replace(target, target.with_name(f"{target.name}.old"))


def _bring(files: list[File], progress: bool) -> list[Path]:
    """Fetch what is missing among the files, under one progress bar."""
    missing, failures = _missing(files), []
    with _bar(missing, progress) as bar:
        for file in missing:
            bar.set_description(file.name[:32], refresh=False)
            try:
                _obtain(file, bar)
            except DataUnavailable as error:
                failures.append((file, str(error)))
    failed = [file.key for file, _ in failures]
    for file in missing:
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
        with FileLock(locks(pins.cache) / f"{file.dataset}--{file.name}.lock"):
            if not target.is_file():
                return _download(pins, file, target, [], bar)
            wrong = _settle(pins, file, target, target, "the cache")
            if wrong:
                _download(pins, file, target, [f"the cache ({wrong})"], bar)
                print(f"Fetched {file.key} again; its copy in the cache was wrong: {wrong}.")
    except OSError as error:
        if target.is_file() and _state(pins, file, target) == "ok":
            return  # a cache that may only be read is a cache
        raise InputError(_disk_sentence(error, file, target)) from error


def _download(pins: Pins, file: File, target: Path, looked: list[str], bar: tqdm) -> None:
    """Try every address in order until one gives the right bytes."""
    part = target.with_name(target.name + ".part")
    for place, address in _addresses(file):
        for _ in range(2):  # once more from the start, where old bytes may have spoilt it
            try:
                resumable = pins.expected(file) is not None
                kept = transfer(address, part, file.bytes, resumable, bar.update)
            except NotHere as error:
                looked.append(f"{place} ({error})")
                break
            wrong = _settle(pins, file, part, target, place)
            if wrong is None:
                return
            discard(part)
            if not kept:
                looked.append(f"{place} ({wrong})")
                break
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
        os.replace(found_at, bad)
        return f"{wrong}, kept aside as {bad.name}"
    if expected is None:
        pins.pin(file, found, found_at.stat().st_size, place)
    os.replace(found_at, target)
    discard(target.with_name(target.name + ".part"))
    pins.remember(file, target, found)
    return None


def _addresses(file: File) -> Iterator[tuple[str, str]]:
    """(where, address) in the order in which they are tried; CDP_MIRROR comes first."""
    mirror = os.environ.get("CDP_MIRROR", "")
    if "://" in mirror and not is_http(mirror):
        raise InputError(f"CDP_MIRROR is {mirror!r}: give a folder or an http(s):// address.")
    for name in file.names if mirror else ():
        if is_http(mirror):
            address = f"{mirror.rstrip('/')}/{file.dataset}/{quote(name)}"
        else:
            address = str(Path(mirror).expanduser() / file.dataset / name)
        yield f"the mirror {address}", address
    for url in file.urls:
        yield urlsplit(url).hostname or url, url


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


def _missing(files: list[File]) -> list[File]:
    pins = Pins(cache_dir())
    return [file for file in files if not pins.remembers(file, _target(file))]


def _check_disk(files: list[File]) -> None:
    """Refuse before the first byte what cannot fit."""
    needed = sum((file.bytes or 0) - _collected(file) for file in _missing(files))
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


def _disk_sentence(error: OSError, file: File, target: Path) -> str:
    """What to do when the cache cannot be written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        need = size_text(file.bytes - _collected(file)) + " more" if file.bytes else "more space"
        return (
            f"The disk is full: {file.key} needs {need} in {target.parent}; free some space, or"
            " point CDP_CACHE at a folder on a larger disk."
        )
    return (
        f"The cache folder {target.parent} cannot be used ({error.strerror or error}); point"
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
        disable=not (progress and files),
    )


def _collected(file: File) -> int:
    return min(length(_target(file).with_name(file.name + ".part")), file.bytes or 0)


def _target(file: File) -> Path:
    return cache_dir() / file.dataset / file.name
