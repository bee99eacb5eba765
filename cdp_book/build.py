"""Build the site: executed chapters + prose -> one stage -> Jupyter Book, execution off.

    python -m cdp_book.build --executed _build/executed

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

from cdp_book.inputs import digest, files
from cdp_book.notebook import tags
from cdp_lib.chapter import RECORD
from cdp_lib.claims import runs
from cdp_lib.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
SHOWN = {"text/html", "text/markdown", "text/latex", "text/plain", "application/javascript"}
EMPTY_HEADING = re.compile(r"<th\b[^>]*>\s*(?:&nbsp;)?\s*</th>")  # the corners of pandas' tables
SIGNATURE = "book/_static/signature.svg"  # drawn by the build, from the ledger and the records
INPUTS = ("_config.yml", "_toc.yml", "notebooks", "cdp_lib", "cdp_book")


class BuildError(Exception):
    """One sentence: what is wrong, where, and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the site into OUT/html.")
    parser.add_argument(
        "--executed",
        type=Path,
        default=ROOT / "_build/executed",
        help="folder of executed notebooks, as `cdp run all --out` writes it",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "_build", help="default: _build")
    arguments = parser.parse_args()
    try:
        site = build(ROOT, arguments.executed.resolve(), arguments.out.resolve())
    except BuildError as error:
        print(f"book: {error}", file=sys.stderr)
        return 1
    print(f"The book: {site}/index.html")
    return 0


def build(root: Path, executed: Path, out: Path) -> Path:
    """Make `out`/html from `root` and the executed notebooks; return the folder."""
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


def fingerprint(root: Path, executed: Path) -> str:
    """A digest of everything a page is made from, but for the figure that the build draws."""
    signature = root / SIGNATURE
    book = [path for path in files(root / "book") if path != signature]
    others = [root / name for name in INPUTS]
    return digest([*book, *others, *sorted(executed.glob("*.ipynb"))])


def fill_stage(root: Path, executed: Path, stage: Path) -> None:
    """Prose as it is, chapters as they were executed, configuration with execution off."""
    shutil.copytree(root / "book", stage / "book")
    shutil.copy2(root / "_toc.yml", stage)
    config = yaml.safe_load((root / "_config.yml").read_text())
    config["execute"] = {"execute_notebooks": "off"}
    (stage / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    for source in chapters(root):
        target = stage / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        notebook = page(source, executed / source.name)
        target.write_text(json.dumps(notebook, indent=1, ensure_ascii=False))


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
    notebook["cells"] = [cell for cell in notebook["cells"] if not repeats(cell, notebook)]
    for number, cell in enumerate(notebook["cells"]):
        dress(cell)
        cell["outputs"] = list(shown(cell, f"{source.name}, cell {number + 1}"))
        if cell["cell_type"] != "code":
            del cell["outputs"]
    return notebook


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


def dress(cell: dict) -> None:
    """Fold set-up code and solutions away, under a label that says what is there."""
    folds = {
        "solution": ("hide-cell", "Show the solution", "Hide the solution"),
        "setup": ("hide-input", "Show the set-up code", "Hide the set-up code"),
        "injected-parameters": (
            "hide-input",
            "Show the parameters of this run",
            "Hide the parameters of this run",
        ),
    }
    for tag in folds.keys() & set(tags(cell)):
        fold, show, hide = folds[tag]
        cell["metadata"]["tags"] = sorted({*tags(cell), fold})
        words = {"code_prompt_show": show, "code_prompt_hide": hide}
        cell["metadata"].setdefault("mystnb", {}).update(words)


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


def render(stage: Path, out: Path) -> None:
    """Jupyter Book over the stage; a warning is an error."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [
        jupyter_book,
        "build",
        ".",
        "--path-output",
        stage / "_out",
        "-W",
        "-n",
        "--keep-going",
        "--quiet",
    ]
    done = subprocess.run(command, cwd=stage, env=os.environ | {"MPLBACKEND": "agg"})
    if done.returncode:
        raise BuildError("Jupyter Book found what is listed above; each warning names its page.")
    shutil.move(stage / "_out/_build/html", out / "html")


if __name__ == "__main__":
    sys.exit(main())
