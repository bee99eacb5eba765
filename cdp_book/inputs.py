"""A digest of everything that something was made from, so that nothing older is ever shown."""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path

SKIPPED = {"__pycache__", ".ipynb_checkpoints"}


def digest(places: Iterable[Path], *words: str) -> str:
    """Of these files and folders, these words, this Python and every installed package."""
    found = hashlib.sha256(sys.version.encode())
    packages = {f"{d.name}=={d.version}" for d in distributions()}
    for word in (*sorted(packages), *words):
        found.update(word.encode() + b"\0")
    for place in places:
        for path in files(place):
            name = path.relative_to(place.parent).as_posix()
            found.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def files(place: Path) -> Iterator[Path]:
    """The file itself, or every file below the folder, in order."""
    if place.is_file():
        yield place
    for path in sorted(place.rglob("*")):
        if path.is_file() and not SKIPPED & set(path.parts):
            yield path
