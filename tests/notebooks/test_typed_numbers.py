"""A number typed in prose agrees with the record that its comment names: `0.13<!--= key -->`."""

import json
from functools import cache
from pathlib import Path

import pytest

from cdp_book import notebook
from cdp_book.pages import EDITION
from cdp_book.typed import problems

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROSE = sorted((ROOT / "book").glob("*.md"))


@cache
def record(chapter: str) -> dict[str, object]:
    """key -> value and key.sd -> sd, of the record that the site shows."""
    path = ROOT / "book" / "results" / chapter / EDITION / "results.json"
    if not path.exists():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))["results"]
    deviations = {f"{row['key']}.sd": row["sd"] for row in rows}
    return {row["key"]: row["value"] for row in rows} | deviations


def text_of(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = notebook.read(path)["cells"]
    return "\n\n".join(notebook.source(cell) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("path", [*CHAPTERS, *PROSE], ids=lambda path: path.name)
def test_every_typed_number_is_the_recorded_one(path):
    found = problems(text_of(path), lambda chapter, key: record(chapter or path.stem).get(key))
    assert list(found) == [], f"{path.name}: write what the record holds, or record the run again"
