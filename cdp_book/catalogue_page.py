"""The data catalogue as a page: what there is, then a section for each data set.

A file is an entry of a list, not a row of a wide table, so that the page reads alike on a phone.
"""

import re
from functools import cache

from cdp_lib.claims import papers
from cdp_lib.data.editions import DOWNLOADED
from cdp_lib.data.files.catalogue import Dataset, File, datasets, size_text


def page() -> str:
    """The whole catalogue in MyST Markdown."""
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
        "|---|--:|--:|---|",
    ]
    lines += [_edition_row(edition) for edition in DOWNLOADED]
    lines += ["", "## What there is", "", "| data set | " + " | ".join(DOWNLOADED) + " |"]
    lines += ["|---|" + "--:|" * len(DOWNLOADED)]
    lines += [_dataset_row(data) for data in datasets().values()]
    for data in datasets().values():
        lines += _section(data)
    return "\n".join(lines) + "\n"


def _edition_row(edition: str) -> str:
    files = [file for data in datasets().values() for file in data.edition(edition)]
    sets = len({file.dataset for file in files})
    return f"| {edition} | {sets} | {len(files)} | {_size(files)} |"


def _dataset_row(data: Dataset) -> str:
    sizes = [_size(data.edition(edition)) or "none" for edition in DOWNLOADED]
    return f"| {{ref}}`{data.title} <{_label(data)}>` | " + " | ".join(sizes) + " |"


def _size(files: tuple[File, ...] | list[File]) -> str:
    """What is known of their size together, and how many say nothing."""
    known = [file.bytes for file in files if file.bytes is not None]
    silent = len(files) - len(known)
    words = [size_text(sum(known))] if known else []
    words += [f"{silent} of unknown size"] if silent else []
    return ", and ".join(words)


def _label(data: Dataset) -> str:
    return f"data-{data.id}"


def _section(data: Dataset) -> list[str]:
    serves = ", ".join(f"{{cite:t}}`{paper}`" for paper in data.papers)
    lines = [
        "",
        f"({_label(data)})=",
        "",
        f"## {data.title}",
        "",
        f"{_named(_capital(data.what))}.",
        f"Serves {serves}.",
        f"See its [home page]({data.homepage}); on the command line it is called `{data.id}`.",
        "",
        f"- **Licence**: {data.licence}.",
        f"- **Cite**: {data.citation}",
    ]
    lines += [f"- **Limits**: {_named(data.note)}"] if data.note else []
    for edition in DOWNLOADED:
        if files := data.edition(edition):
            lines += _files(edition, files)
    return lines


def _files(edition: str, files: tuple[File, ...]) -> list[str]:
    """The files of one edition, folded."""
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    summary = f"{edition.capitalize()} edition: {count}, {_size(files)}"
    lines = ["", f'<details class="files"><summary>{summary}</summary>', ""]
    for file in files:
        lines += [f"`{file.name}`", f": {_about(file)}", ""]
    return [*lines, "</details>"]


def _about(file: File) -> str:
    """What a file is, its size, its shape, how it is checked, and where it comes from."""
    check = "sha256" if file.sha256 else "md5" if file.md5 else "its first download"
    copy = f"[Copy]({_escape(file.urls[0])})" + (f", {file.licence}" if file.licence else "")
    size = _capital(size_text(file.bytes))
    parts = [_named(_capital(file.what)), f"{size}, checked by {check}"]
    parts += [f"Shape: {_named(file.paper_shape)}"] if file.paper_shape else []
    parts += [f"Read by `{file.reader}`"] if file.reader else []
    return ". ".join([*parts, copy]) + "."


def _capital(text: str) -> str:
    """A sentence begins with a capital, unless it begins with a symbol such as log2."""
    first = re.match(r"[a-z]+(?![\w(])", text)
    return text[0].upper() + text[1:] if first else text


@cache
def _keys() -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(papers())})\b")


def _named(text: str) -> str:
    """A paper's name where the catalogue has its key."""
    return _keys().sub(r"{cite:t}`\1`", text)


def _escape(url: str) -> str:
    """Parentheses would end a Markdown link early."""
    return url.replace("(", "%28").replace(")", "%29")
