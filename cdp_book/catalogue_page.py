"""The data catalogue as a page: one table for each edition and data set."""

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
