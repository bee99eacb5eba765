"""A notebook as a file: its cells and tags, its parameters, the results and figures in it."""

import ast
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdp_lib.chapter import FALLBACK, RECORD
from cdp_lib.errors import InputError

PICTURE = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


def read(path: Path) -> dict[str, Any]:
    """The notebook's JSON."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} is not a notebook (line {error.lineno} is no JSON): "
            "restore the file, or save it again from Jupyter."
        ) from None
    if not isinstance(notebook, dict) or "cells" not in notebook:
        raise InputError(f"{path} is not a notebook: it has no cells; restore the file.")
    return notebook


def write(path: Path, notebook: dict[str, Any]) -> None:
    """Write the notebook; it takes its name only when it is whole."""
    part = path.with_suffix(".part")
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, path)


def tags(cell: dict[str, Any]) -> list[str]:
    return cell["metadata"].get("tags", [])


def source(cell: dict[str, Any]) -> str:
    """A cell's text; the file may hold it as one string or as lines."""
    return "".join(cell["source"])


def about(path: Path) -> dict[str, Any]:
    """What the chapter says of itself in its metadata: tables, minutes, what it fits."""
    return read(path)["metadata"].get("cdp", {})


def parameters(path: Path) -> dict[str, Any]:
    """name -> default, from the cell tagged `parameters`."""
    cells = [cell for cell in read(path)["cells"] if "parameters" in tags(cell)]
    try:
        lines = [line for cell in cells for line in ast.parse(source(cell)).body]
        return {line.targets[0].id: ast.literal_eval(line.value) for line in lines}
    except (AttributeError, SyntaxError, ValueError):
        raise InputError(
            f"the parameters cell of {path.name} must hold only lines like `seed = 0`: "
            "move anything else to the next cell."
        ) from None


@dataclass(frozen=True)
class HandedOver:
    """What an executed chapter handed to the outside, read once."""

    records: list[dict[str, Any]]  # the results for the scoreboard
    data: dict[str, str]  # file -> checksum, of the data that it loaded
    figures: list[dict[str, str]]  # name, caption, alt and svg
    simulated: bool  # it found no real data, and said so


def handed_over(page: Path) -> HandedOver:
    """The results, data and figures in the outputs of an executed chapter."""
    records, data, figures, simulated = [], {}, [], False
    for bundle, metadata in _displays(page):
        record = dict(bundle.get(RECORD, {}))
        data |= record.pop("data", {})
        if "key" in record:
            records.append(record)
        if "cdp" in metadata:
            figures.append({**metadata["cdp"], "svg": picture("".join(bundle["text/html"]))})
        simulated |= "".join(bundle.get("text/plain", "")).startswith(FALLBACK)
    return HandedOver(records, data, figures, simulated)


def picture(html: str) -> str:
    """The first SVG in a figure's HTML."""
    return PICTURE.search(html)[0]


def _displays(page: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(data, metadata) of everything that the cells displayed."""
    for cell in read(page)["cells"]:
        for output in cell.get("outputs", []):
            if "data" in output:
                yield output["data"], output.get("metadata", {})
