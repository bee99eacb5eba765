"""What the site shows is a recorded run of the notebooks of today, on real measurements."""

import json
from pathlib import Path

import pytest

from cdp_book import notebook, pages
from cdp_lib.claims import runs

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def folder(chapter: Path) -> Path:
    return ROOT / "book" / "results" / chapter.stem / pages.EDITION


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_cell_of_a_chapter_is_recorded(chapter):
    page = pages.recall(chapter, folder(chapter))
    text = json.dumps(page)
    assert "runs on real measurements" in text and "SIMULATED DATA" not in text
    assert "\\u001b[" not in text, "a page shows the colour codes of a terminal"
    assert str(ROOT) not in text, "a page shows a folder of the machine that made it"
    solved = [cell for cell in page["cells"] if "solution" in notebook.tags(cell)]
    assert all("correct." in json.dumps(cell["outputs"]) for cell in solved)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_record_is_no_larger_than_a_reader_waits_for(chapter):
    size = sum(path.stat().st_size for path in folder(chapter).iterdir())
    assert size <= pages.LARGEST


def test_the_runs_that_are_shown_have_the_profile_of_the_site():
    shown = {run.chapter: run for run in runs() if run.edition == pages.EDITION}
    assert set(shown) == {chapter.stem for chapter in CHAPTERS}
    assert {run.provenance["profile"] for run in shown.values()} == {pages.PROFILE}
