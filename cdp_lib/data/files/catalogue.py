"""What exists upstream: data sets, their files, licences, citations and addresses.

The catalogue is the only place that knows an address.  It is read from ``catalogue.toml`` and never
changes while the library runs.  ``download.py`` turns a ``File`` into a verified file on this disk;
a reader, named by ``File.reader``, turns that into a table.
"""

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from cdp_lib.data.editions import DOWNLOADED
from cdp_lib.errors import InputError


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
            f"The data set {self.id} has no file {name!r}; {_nearest(name, names)}"
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
            f"There is no data set {id!r} in the catalogue; {_nearest(id, list(datasets()))}"
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


def page() -> str:
    """The whole catalogue as a page in MyST Markdown: one table an edition and data set."""
    lines = [
        "# The data",
        "",
        "Everything the five papers stand on, in two editions.",
        "The *pocket* edition is real measurements in small, public, hash-verified files.",
        "The *official* edition is the full releases that the papers used.",
        "A file is checked against its checksum before it is used; where nobody publishes one, the"
        " first download is pinned on your machine (`cdp data fetch ID --unpin` forgets that).",
        "The *teaching* edition is simulated, needs no download and is not listed here.",
        "",
        "| edition | data sets | files | size |",
        "|---|---|---|---|",
    ]
    lines += [_edition_row(edition) for edition in DOWNLOADED]
    for edition in DOWNLOADED:
        lines += ["", f"## The {edition} edition"]
        for data in datasets().values():
            if data.edition(edition):
                lines += _section(data, edition)
    return "\n".join(lines) + "\n"


def _edition_row(edition: str) -> str:
    files = [file for data in datasets().values() for file in data.edition(edition)]
    known = sum(file.bytes or 0 for file in files)
    unknown = sum(file.bytes is None for file in files)
    size = size_text(known) + (f", and {unknown} files of unknown size" if unknown else "")
    return f"| {edition} | {len({file.dataset for file in files})} | {len(files)} | {size} |"


def _section(data: Dataset, edition: str) -> list[str]:
    rows = [
        "",
        f"### {data.title} ({edition})",
        "",
        f"`{data.id}`: {data.what}.",
        f"Serves {', '.join(data.papers)}; see its [home page]({data.homepage}).",
        "",
        f"- Licence: {data.licence}.",
        f"- Cite: {data.citation}",
    ]
    rows += [f"- Limits: {data.note}"] if data.note else []
    rows += ["", "| file | what | size | checked by | shape | reader | copy |", "|" + "---|" * 7]
    return rows + [_file_row(file) for file in data.edition(edition)]


def _file_row(file: File) -> str:
    check = "sha256" if file.sha256 else "md5" if file.md5 else "first download"
    copy = f"[from]({_escape(file.urls[0])})" + (f", {file.licence}" if file.licence else "")
    reader = f"`{file.reader}`" if file.reader else "none"
    cells = (
        f"`{file.name}`",
        file.what,
        size_text(file.bytes),
        check,
        file.paper_shape or "not stated",
        reader,
        copy,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _escape(url: str) -> str:
    """Parentheses would end a Markdown link early."""
    return url.replace("(", "%28").replace(")", "%29")


def _dataset(id: str, entry: dict) -> Dataset:
    files = tuple(
        File(dataset=id, urls=tuple(row.pop("urls")), editions=tuple(row.pop("editions")), **row)
        for row in entry.pop("files")
    )
    return Dataset(id=id, papers=tuple(entry.pop("papers")), files=files, **entry)


def _nearest(word: str, words: list[str]) -> str:
    near = difflib.get_close_matches(word, words, n=3)
    return f"did you mean {' or '.join(near)}?" if near else "nothing is spelt like it."
