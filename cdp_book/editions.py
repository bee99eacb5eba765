"""The two editions for a course, made from the same notebooks that the website shows.

student   the solution cells are not there; the checks are, and say what is wrong
teacher   the solution cells are there, and open
"""

from pathlib import Path
from typing import Any

from cdp_book import notebook
from cdp_lib.errors import InputError

NAMES = ("student", "teacher")
CLOSED = {"hide-cell", "hide-input", "hide-output"}


def edition(which: str, chapter: dict[str, Any]) -> dict[str, Any]:
    """One notebook in one edition, outputs stripped."""
    if which == "student":
        kept = [cell for cell in chapter["cells"] if "solution" not in notebook.tags(cell)]
    else:
        kept = [_opened(cell) for cell in chapter["cells"]]
    return {**chapter, "cells": [_stripped(cell) for cell in kept]}


def write_editions(which: str, repository: Path, out: Path) -> list[Path]:
    """Write every notebook of the book into `out`; return what was written."""
    source, out = (repository / "notebooks").resolve(), out.resolve()
    if out == source or source in out.parents:
        raise InputError(
            f"{out} lies in the folder of the chapters themselves: give --out another folder."
        )
    chapters = sorted(source.glob("*.ipynb"))
    if not chapters:
        raise InputError(f"{source} holds no notebook: clone the book again.")
    out.mkdir(parents=True, exist_ok=True)
    for chapter in chapters:
        notebook.write(out / chapter.name, edition(which, notebook.read(chapter)))
    return [out / chapter.name for chapter in chapters]


def _opened(cell: dict[str, Any]) -> dict[str, Any]:
    """A solution cell that nothing hides; any other cell as it is."""
    if "solution" not in notebook.tags(cell):
        return cell
    left = [tag for tag in notebook.tags(cell) if tag not in CLOSED]
    return {**cell, "metadata": {**cell["metadata"], "tags": left}}


def _stripped(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell as it is before it ever ran."""
    if cell["cell_type"] != "code":
        return cell
    return {**cell, "outputs": [], "execution_count": None}
