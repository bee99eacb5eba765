"""The page of a recorded run: what its cells showed, and how that comes back into today's notebook.

    page.json    the code cells in their order, each with its key and its outputs
    key          a digest of the syntax tree of the cell: comments and layout do not count

A page is made of today's prose and the recorded outputs: a cell finds its own by the key, and
cells of equal code by their order.  A figure that lies beside as `<name>.svg` is in `page.json` by
its name only.
"""

import ast
import hashlib
import json
from pathlib import Path
from typing import Any

from cdp_book import notebook
from cdp_lib.chapter import RECORD
from cdp_lib.errors import InputError

LARGEST = 1_500_000  # bytes of the whole record of a chapter
EDITION, PROFILE = "pocket", "teach"  # of the runs that the site shows


def command(chapter: str) -> str:
    """What a reader types to record a chapter anew."""
    return f"cdp run {chapter} --profile {PROFILE} --data {EDITION} --record"


def key(code: str) -> str:
    """The same for two cells that do the same, whatever their comments and layout.

    The tree is written without what is empty, because Python's versions differ in that.  IPython
    shows nothing of a cell that ends in a semicolon, so that is a part of its meaning.
    """
    try:
        meaning = f"{_written(ast.parse(code))}{';' if _is_silent(code) else ''}"
    except SyntaxError:  # a magic of IPython
        meaning = code.strip()
    return hashlib.sha256(meaning.encode()).hexdigest()[:16]


def _written(node: Any) -> str:
    if isinstance(node, list):
        return f"[{', '.join(map(_written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
    return f"{type(node).__name__}({', '.join(f'{name}={_written(v)}' for name, v in fields)})"


def _is_silent(code: str) -> bool:
    """True if the code ends in a semicolon, not counting a comment."""
    tree = ast.parse(code)
    if not tree.body:
        return False
    rest = code.splitlines()[tree.body[-1].end_lineno - 1].encode()[tree.body[-1].end_col_offset :]
    return rest.decode().strip().startswith(";")


def keep(executed: dict[str, Any]) -> list[dict[str, Any]]:
    """The code cells of an executed notebook with what a page needs of their outputs."""
    cells = []
    for cell in _code(executed):
        code = notebook.source(cell)
        kept = {
            "key": key(code),
            "outputs": [_small(out) for out in cell["outputs"] if _tells(out)],
        }
        if "injected-parameters" in notebook.tags(cell):
            kept["injected"] = code
        cells.append(kept)
    return cells


def refuse_too_large(chapter: str, total: int, executed: dict[str, Any]) -> None:
    """A page that a reader must wait for is not recorded."""
    if total <= LARGEST:
        return
    sizes = [(len(json.dumps(cell["outputs"])), notebook.source(cell)) for cell in _code(executed)]
    size, code = max(sizes)
    raise InputError(
        f"the record of {chapter} takes {total / 1e6:.2f} MB, more than {LARGEST / 1e6} MB; "
        f"the largest part, {size / 1e6:.2f} MB, comes from the cell `{_first_line(code)}`: "
        "draw fewer points, or as pixels (rasterized=True)."
    )


def recall(chapter: Path, folder: Path) -> dict[str, Any]:
    """Today's notebook with the outputs of the recorded run in `folder`."""
    path = folder / "page.json"
    if not path.exists():
        raise InputError(
            f"no run of {chapter.stem} on the {folder.name} edition is recorded with its page: "
            f"run `{command(chapter.stem)}`."
        )
    recorded: dict[str, list[dict]] = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        recorded.setdefault(cell["key"], []).append(cell)
    page, stale = notebook.read(chapter), []
    for number, cell in enumerate(page["cells"], start=1):
        if cell["cell_type"] != "code" or "setup" in notebook.tags(cell):
            continue
        known = recorded.get(key(notebook.source(cell)))
        if known:
            cell["outputs"] = [_whole(output, folder) for output in known.pop(0)["outputs"]]
        else:
            stale.append((number, _first_line(notebook.source(cell))))
    if stale:
        (number, line), more = stale[0], len(stale) - 1
        others = f" (and {more} more)" if more else ""
        raise InputError(
            f"cell {number}{others} of {chapter.name} is not what was recorded; it begins "
            f"`{line}`: run `{command(chapter.stem)}`."
        )
    injected = [
        cell["injected"] for cells in recorded.values() for cell in cells if "injected" in cell
    ]
    return _with_parameters(page, injected)


def _with_parameters(page: dict[str, Any], injected: list[str]) -> dict[str, Any]:
    """The page with the parameters of the run below the chapter's own, as papermill puts them."""
    cells = []
    for cell in page["cells"]:
        cells.append(cell)
        if "parameters" in notebook.tags(cell):
            cells += [
                {
                    "cell_type": "code",
                    "id": f"injected-{number}",
                    "metadata": {"tags": ["injected-parameters"]},
                    "execution_count": None,
                    "outputs": [],
                    "source": code,
                }
                for number, code in enumerate(injected)
            ]
    return {**page, "cells": cells}


def _code(executed: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        cell
        for cell in executed["cells"]
        if cell["cell_type"] == "code" and "setup" not in notebook.tags(cell)
    ]


def _first_line(code: str) -> str:
    """Of the code, not of its comments."""
    lines = (line.strip() for line in code.splitlines())
    return next((line[:60] for line in lines if line and not line.startswith("#")), "")


def _tells(output: dict[str, Any]) -> bool:
    """False for what is no part of a page: results for the scoreboard, complaints of libraries."""
    return RECORD not in output.get("data", {}) and output.get("name") != "stderr"


def _small(output: dict[str, Any]) -> dict[str, Any]:
    """An output as it is kept: without plain text where a page shows more; a figure lies beside."""
    if "data" not in output:
        return {**output, "text": "".join(output["text"])} if "text" in output else output
    data = {
        kind: text if isinstance(text, dict) else "".join(text)
        for kind, text in output["data"].items()
    }
    if data.get("text/html") or data.get("text/markdown"):
        data.pop("text/plain", None)
    told = output["metadata"].get("cdp")
    if told:
        svg, place = notebook.picture(data["text/html"]), _place(told["name"])
        data["text/html"] = data["text/html"].replace(svg, place, 1)
    count = {"execution_count": None} if output["output_type"] == "execute_result" else {}
    return {**output, "data": data, **count}


def _whole(output: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A kept output with its figure in it."""
    told = output.get("metadata", {}).get("cdp")
    if not told:
        return output
    svg = (folder / f"{told['name']}.svg").read_text(encoding="utf-8")
    html = output["data"]["text/html"].replace(_place(told["name"]), svg, 1)
    return {**output, "data": {**output["data"], "text/html": html}}


def _place(name: str) -> str:
    return f"{{{{figure {name}}}}}"
