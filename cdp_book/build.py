"""Build the site: chapters with their outputs + prose -> one stage -> Jupyter Book, execution off.

    python -m cdp_book.build                            outputs from the recorded runs
    python -m cdp_book.build --executed FOLDER          outputs from executed copies
    python -m cdp_book.build --executed FOLDER --only CHAPTER    that chapter alone, in _build/page

The stage (`_build/stage`) has the repository's own paths, so that every page knows its
notebook on Colab. It is made from clean whenever an input changed, and not at all otherwise:
no page is older than what it was made from. Warnings are errors. The site: `_build/html`.
"""

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from cdp_book.dressing import dress, executed_foot, prose, recorded_foot, with_folds
from cdp_book.inputs import digest, files
from cdp_book.notebook import handed_over, tags
from cdp_book.pages import EDITION, command, recall
from cdp_book.runner import find_chapters
from cdp_book.typed import without_comments
from cdp_lib.chapter import RECORD
from cdp_lib.claims import runs
from cdp_lib.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
SHOWN = {"text/html", "text/markdown", "text/latex", "text/plain", "application/javascript"}
EMPTY_HEADING = re.compile(r"<th\b[^>]*>\s*(?:&nbsp;)?\s*</th>")  # the corners of pandas' tables
SIGNATURE = "book/_static/signature.svg"  # drawn by the build, from the ledger and the records
BESIDE = ("book/glossary", "book/references")  # what the page of a chapter needs beside it
INPUTS = ("_config.yml", "_toc.yml", "notebooks", "cdp_lib", "cdp_book")


class BuildError(Exception):
    """One sentence: what is wrong, where, and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the site into OUT/html.")
    parser.add_argument(
        "--executed",
        type=Path,
        help="folder of executed notebooks, as `cdp run all --out` writes it; "
        "default: the recorded runs",
    )
    parser.add_argument("--only", metavar="CHAPTER", help="one chapter, to look at it")
    parser.add_argument("--out", type=Path, help="default: _build, for one chapter _build/page")
    given = parser.parse_args()
    executed = given.executed and given.executed.resolve()
    out = (given.out or ROOT / ("_build/page" if given.only else "_build")).resolve()
    try:
        if given.only:
            print(f"The chapter: {preview(ROOT, executed, out, given.only)}")
        else:
            print(f"The book: {build(ROOT, executed, out)}/index.html")
    except (BuildError, InputError) as error:
        print(f"book: {error}", file=sys.stderr)
        return 1
    return 0


def build(root: Path, executed: Path | None, out: Path) -> Path:
    """Make `out`/html from `root` and the executed notebooks, or the records; return the folder."""
    site, stage = out / "html", out / "stage"
    mark = site / ".inputs"
    now = fingerprint(root, executed)
    if mark.exists() and mark.read_text() == now:
        print("book: nothing changed since the last build")
        return site
    for folder in (site, stage):
        shutil.rmtree(folder, ignore_errors=True)
    fill_stage(root, executed, stage)
    refuse_bad_records()
    render(stage, out)
    shutil.copy2(stage / SIGNATURE, root / SIGNATURE)  # the README shows it too
    mark.write_text(now)
    return site


def preview(root: Path, executed: Path | None, out: Path, chapter: str) -> Path:
    """Make the page of one chapter, with what it cites; return the page.

    Links to other pages lead nowhere, and a warning is no error.
    """
    stage = out / "stage"
    for folder in (out / "html", stage):
        shutil.rmtree(folder, ignore_errors=True)
    (source,) = find_chapters([chapter], root)
    fill_stage(root, executed, stage, [source])
    beside = [{"file": name} for name in BESIDE if (stage / f"{name}.md").exists()]
    toc = {"format": "jb-book", "root": f"notebooks/{source.stem}"}
    toc |= {"chapters": beside} if beside else {}
    (stage / "_toc.yml").write_text(yaml.safe_dump(toc))
    render(stage, out, strict=False)
    return out / "html" / "notebooks" / f"{source.stem}.html"


def fingerprint(root: Path, executed: Path | None) -> str:
    """A digest of everything a page is made from, but for the figure that the build draws."""
    signature = root / SIGNATURE
    book = [path for path in files(root / "book") if path != signature]
    others = [root / name for name in INPUTS]
    pages = sorted(executed.glob("*.ipynb")) if executed else []
    return digest([*book, *others, *pages], "executed" if executed else "recorded")


def fill_stage(
    root: Path, executed: Path | None, stage: Path, only: list[Path] | None = None
) -> None:
    """Prose without its comments, chapters with their outputs, configuration without execution."""
    shutil.copytree(root / "book", stage / "book", ignore=shutil.ignore_patterns("results"))
    for path in (stage / "book").glob("*.md"):
        path.write_text(without_comments(path.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copy2(root / "_toc.yml", stage)
    config = yaml.safe_load((root / "_config.yml").read_text())
    config["execute"] = {"execute_notebooks": "off"}
    (stage / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    problems = []
    for source in only or chapters(root):
        target = stage / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            notebook = page(source, executed / source.name) if executed else recorded(root, source)
            target.write_text(json.dumps(notebook, indent=1, ensure_ascii=False))
        except BuildError as problem:  # of one chapter; the others may have theirs
            problems.append(str(problem))
    if problems:
        raise BuildError("\nbook: ".join(problems))


def refuse_bad_records() -> None:
    """A page is never made from a part of the records."""
    try:
        runs(strict=True)
    except InputError as problem:
        raise BuildError(str(problem)) from None


def chapters(root: Path) -> list[Path]:
    """The notebooks named in _toc.yml."""
    toc = yaml.safe_load((root / "_toc.yml").read_text())

    def walk(node) -> Iterator[str]:
        if isinstance(node, dict):
            if "file" in node:
                yield node["file"]
            for child in node.values():
                yield from walk(child)
        elif isinstance(node, list):
            for child in node:
                yield from walk(child)

    return [root / f"{file}.ipynb" for file in walk(toc) if file.startswith("notebooks/")]


def recorded(root: Path, source: Path) -> dict:
    """Today's notebook with the outputs of its recorded run, made ready to be read."""
    folder = root / "book" / "results" / source.stem / EDITION
    try:
        notebook = recall(source, folder)
        about = json.loads((folder / "results.json").read_text(encoding="utf-8"))["provenance"]
    except InputError as problem:
        raise BuildError(str(problem)) from None
    return dressed(notebook, source, recorded_foot(about, EDITION, command(source.stem)))


def page(source: Path, executed: Path) -> dict:
    """An executed notebook, made ready to be read."""
    if not executed.exists():
        raise BuildError(
            f"{source.name} has not been executed into {executed.parent}: "
            f"run `cdp run {source.stem} --out {executed.parent}`."
        )
    notebook = json.loads(executed.read_text())
    if own_code(json.loads(source.read_text())) != own_code(notebook):
        raise BuildError(
            f"{executed} was executed from an older {source.name}: "
            f"run `cdp run {source.stem} --out {executed.parent}`."
        )
    values = parameters_of(notebook)
    if handed_over(executed).simulated:
        values["data"] = "teaching"
    again = f"cdp run {source.stem} --profile {values.get('profile')} --data {values.get('data')}"
    return dressed(notebook, source, executed_foot(values, again))


def dressed(notebook: dict, source: Path, foot: str) -> dict:
    """The notebook as its page shows it: folds, labels, the foot, and only what a page can show."""
    cells = [cell for cell in notebook["cells"] if not repeats(cell, notebook)]
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            cell["outputs"] = list(shown(cell, f"{source.name}, cell {number + 1}"))
            dress(cell)
        else:
            cell["source"] = without_comments("".join(cell["source"]))
    try:
        cells = with_folds(cells, source.stem)
    except InputError as problem:
        raise BuildError(str(problem)) from None
    return {**notebook, "cells": [*cells, prose(foot, "provenance")]}


def parameters_of(notebook: dict) -> dict[str, object]:
    """The parameters that an executed notebook ran with."""
    marked = ("parameters", "injected-parameters")
    texts = [assigned(cell) for cell in notebook["cells"] if set(marked) & set(tags(cell))]
    return {name: ast.literal_eval(text) for found in texts for name, text in found.items()}


def own_code(notebook: dict) -> list[str]:
    """The sources a notebook was written with: without the parameters papermill injects."""
    return [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if "injected-parameters" not in tags(cell)
    ]


def repeats(cell: dict, notebook: dict) -> bool:
    """True for injected parameters which only repeat the defaults that stand above them."""
    if "injected-parameters" not in tags(cell):
        return False
    defaults = [assigned(other) for other in notebook["cells"] if "parameters" in tags(other)]
    return any(assigned(cell).items() <= values.items() for values in defaults)


def assigned(cell: dict) -> dict[str, str]:
    """name -> value, as source text, of the assignments in a cell."""
    return {
        ast.unparse(line.targets[0]): ast.unparse(line.value)
        for line in ast.parse("".join(cell["source"])).body
        if isinstance(line, ast.Assign)
    }


def shown(cell: dict, where: str) -> Iterator[dict]:
    """The outputs for the page: no records, and nothing that a page cannot show.

    The empty corner of a table is no heading: a screen reader would announce one.
    """
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            raise BuildError(f"{where} ended in {output['ename']}: {output['evalue']}.")
        if "data" in output:
            if RECORD in output["data"]:
                continue
            if not any(mime in SHOWN or mime.startswith("image/") for mime in output["data"]):
                raise BuildError(
                    f"{where} has an output that a page cannot show "
                    f"({', '.join(output['data'])}): display it as HTML or an image."
                )
            if "text/html" in output["data"]:
                page = "".join(output["data"]["text/html"])
                output["data"]["text/html"] = EMPTY_HEADING.sub("<td></td>", page)
        yield output


def render(stage: Path, out: Path, strict: bool = True) -> None:
    """Jupyter Book over the stage; where it is strict, a warning is an error."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [
        jupyter_book,
        "build",
        ".",
        "--path-output",
        stage / "_out",
        "--quiet",
    ] + ["-W", "-n", "--keep-going"] * strict
    done = subprocess.run(command, cwd=stage, env=os.environ | {"MPLBACKEND": "agg"})
    if done.returncode:
        raise BuildError("Jupyter Book found what is listed above; each warning names its page.")
    shutil.move(stage / "_out/_build/html", out / "html")


if __name__ == "__main__":
    sys.exit(main())
