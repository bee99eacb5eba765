"""What exists upstream: data sets, their files, licences, citations and addresses.

The catalogue is the only place that knows an address.  It is read from ``catalogue.toml`` and never
changes while the library runs.  ``download.py`` turns a ``File`` into a verified file on this disk;
a reader, named by ``File.reader``, turns that into a table.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from cdp_lib.errors import InputError, nearest


@dataclass(frozen=True)
class File:
    """One upstream file: where it lies, how it is checked, and what reads it."""

    dataset: str
    name: str
    what: str
    urls: tuple[str, ...]
    editions: tuple[str, ...]
    bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None
    reader: str = ""
    paper_shape: str = ""
    upstream: str = ""
    licence: str = ""
    also: str = ""

    @property
    def key(self) -> str:
        return f"{self.dataset}/{self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which a mirror may keep the file."""
        return (self.name, self.also) if self.also else (self.name,)

    @property
    def checked(self) -> bool:
        """Whether a checksum was known before the first download."""
        return bool(self.sha256 or self.md5)


@dataclass(frozen=True)
class Dataset:
    """A data set: what it is, who made it, under which licence, and its files."""

    id: str
    title: str
    what: str
    licence: str
    citation: str
    homepage: str
    papers: tuple[str, ...]
    files: tuple[File, ...]
    note: str = ""

    def file(self, name: str) -> File:
        for file in self.files:
            if name in file.names:
                return file
        names = [known for file in self.files for known in file.names]
        raise InputError(
            f"The data set {self.id} has no file {name!r}; {nearest(name, names)}"
            f" `cdp data show {self.id}` lists its files."
        )

    def edition(self, edition: str) -> tuple[File, ...]:
        return tuple(file for file in self.files if edition in file.editions)


@cache
def datasets() -> dict[str, Dataset]:
    """Every data set by its id, in the order of the catalogue."""
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {name: _dataset(name, dict(entry)) for name, entry in tomllib.loads(text).items()}


def dataset(id: str) -> Dataset:
    """One data set; an unknown id is an error that names the nearest ones."""
    if id not in datasets():
        raise InputError(
            f"There is no data set {id!r} in the catalogue; {nearest(id, list(datasets()))}"
            " `cdp data list` shows all."
        )
    return datasets()[id]


def size_text(size: int | None) -> str:
    """A number of bytes as people read it, in powers of ten."""
    if size is None:
        return "size unknown"
    number = float(size)
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.2f} GB"


def _dataset(id: str, entry: dict) -> Dataset:
    files = tuple(
        File(dataset=id, urls=tuple(row.pop("urls")), editions=tuple(row.pop("editions")), **row)
        for row in entry.pop("files")
    )
    return Dataset(id=id, papers=tuple(entry.pop("papers")), files=files, **entry)
