"""How the cells of a chapter are laid out on its page: folds under labels, and the foot.

setup, parameters, check, solution, hide-input    folded, under a label that says what is there
deeper                                a run of cells in one fold, "Deeper: <title>"
a long table below a picture of its cell          folded, under its own caption
at the end                            where the outputs come from, and how to repeat the run
"""

import re
from collections.abc import Iterator
from datetime import date
from html import escape
from itertools import groupby
from typing import Any

from cdp_book.notebook import source, tags
from cdp_lib.data.editions import EDITIONS
from cdp_lib.errors import InputError

FOLDS = {  # tag: (what Jupyter Book calls the fold, what is folded)
    "injected-parameters": ("hide-input", "the parameters of this run"),
    "setup": ("hide-input", "the set-up code"),
    "parameters": ("hide-input", "the parameters"),
    "solution": ("hide-cell", "the solution"),
    "check": ("hide-input", "the check"),
}
DEEPER = re.compile(r"\*\*Deeper: (.+?)\.?\*\*\s*")
HEADING = re.compile(r"^#+ ", re.MULTILINE)
PICTURE = re.compile(r"<(figure|svg|img)\b")
CAPTION = re.compile(r"<caption[^>]*>(.*?)</caption>", re.DOTALL)
LONG = 5  # rows; a shorter table is read at a glance
NAMED = ("cdp-lib", "numpy", "pandas", "scikit-learn", "torch")  # versions at the foot


def dress(cell: dict[str, Any]) -> None:
    """Fold what is folded under a label that says what is there."""
    mine = tags(cell)
    for tag, (fold, what) in FOLDS.items():
        if tag in mine:
            cell["metadata"]["tags"] = sorted({*mine, fold})
            return _label(cell, f"Show {what}", f"Hide {what}")
    if "hide-input" in mine:
        words = "how it is drawn" if draws(cell) else "the code"
        _label(cell, f"Show {words}", f"Hide {words}")
        _fold_tables(cell)


def _label(cell: dict[str, Any], show: str, hide: str) -> None:
    words = {"code_prompt_show": show, "code_prompt_hide": hide}
    cell["metadata"].setdefault("mystnb", {}).update(words)


def draws(cell: dict[str, Any]) -> bool:
    """Whether a cell shows a picture."""
    return any(
        kind.startswith("image/") or (kind == "text/html" and PICTURE.search("".join(text)))
        for output in cell.get("outputs", [])
        for kind, text in output.get("data", {}).items()
    )


def _fold_tables(cell: dict[str, Any]) -> None:
    """Below a picture, a long table gives the numbers to those who ask for them."""
    drawn = False
    for output in cell.get("outputs", []):
        page = "".join(output.get("data", {}).get("text/html", ""))
        caption = CAPTION.search(page)
        if drawn and caption and page.count("<tr") > LONG and "<figure" not in page:
            opening = f'<details class="numbers"><summary>In numbers: {caption[1]}</summary>'
            output["data"]["text/html"] = f"{opening}\n{page}\n</details>"
        drawn = drawn or draws({"outputs": [output]})


def with_folds(cells: list[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    """The cells, each run of those tagged `deeper` between an opening and a closing tag."""
    told = []
    for deeper, run in groupby(cells, lambda cell: "deeper" in tags(cell)):
        run = list(run)
        told += _folded(run, f"{where}-deeper-{len(told)}") if deeper else run
    return told


def _folded(run: list[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    first = source(run[0])
    title = DEEPER.match(first)
    if run[0]["cell_type"] != "markdown" or title is None:
        raise InputError(
            f"{name.partition('-deeper-')[0]}: the cells tagged deeper from `{first[:60]}` on need "
            "a Markdown cell at their head whose first line is **Deeper: title.**"
        )
    run = [{**run[0], "source": first[title.end() :]}, *run[1:]]
    for cell in run:
        if cell["cell_type"] == "markdown" and HEADING.search(source(cell)):
            raise InputError(
                f"{name.partition('-deeper-')[0]}: a cell tagged deeper holds the heading "
                f"`{HEADING.split(source(cell))[1].splitlines()[0]}`: write it in bold instead."
            )
    opening = f'<details class="deeper"><summary>Deeper: {escape(title[1])}</summary>'
    yield prose(opening, f"{name}-opens")
    yield from (cell for cell in run if source(cell).strip())
    yield prose("</details>", f"{name}-ends")


def prose(text: str, name: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "id": name[-64:], "metadata": {}, "source": text}


def recorded_foot(provenance: dict[str, Any], edition: str, command: str) -> str:
    """Where the outputs of a recorded page come from."""
    day = date.fromisoformat(provenance["date"][:10])
    versions = [f"Python {provenance['python']}"]
    versions += [f"{name} {provenance['versions'].get(name)}" for name in NAMED]
    return _foot(
        f"The outputs on this page were recorded on {day.day} {day:%B %Y} from "
        f"{EDITIONS[edition]}, with profile {provenance['profile']} and seed "
        f"{provenance['seed']}, by {', '.join(versions)}.",
        command,
    )


def executed_foot(values: dict[str, Any], command: str) -> str:
    """Where the outputs of a page come from that this very build executed."""
    edition = EDITIONS.get(values.get("data"), "no data")
    return _foot(
        f"This page was executed by this build on {edition}, with profile "
        f"{values.get('profile')} and seed {values.get('seed')}.",
        command,
    )


def _foot(words: str, command: str) -> str:
    again = f"To repeat the run, type <code>{escape(command)}</code>."
    return f'<p class="provenance">{escape(words)} {again}</p>'
