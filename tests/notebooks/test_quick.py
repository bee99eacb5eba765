"""Every chapter runs from top to bottom in `quick`, on simulated data, in a fresh kernel."""

from pathlib import Path

import pytest

from cdp_book import notebook, runner

ROOT = Path(__file__).resolve().parents[2]
SPECIMEN = ROOT / "tests" / "data" / "notebooks" / "92_specimen.ipynb"
CHAPTERS = [SPECIMEN, *sorted((ROOT / "notebooks").glob("*.ipynb"))]


def place(chapter, given, tmp_path):
    """Where `make book` has executed this very chapter with this very library, or a new folder."""
    built = ROOT / "_build" / "executed" / "teaching-quick"
    mark = built / f"{chapter.stem}.key"
    now = runner.key(chapter, runner.effective(chapter, given))
    return built if mark.exists() and mark.read_text() == now else tmp_path


def warned(page):
    """What the cells of a page wrote to the stream of errors and warnings."""
    outputs = [
        output for cell in notebook.read(page)["cells"] for output in cell.get("outputs", [])
    ]
    return ["".join(output["text"]) for output in outputs if output.get("name") == "stderr"]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_in_quick(chapter, tmp_path):
    given = {"profile": "quick", "data": "teaching"}
    done = runner.run(chapter, place(chapter, given, tmp_path), given, if_changed=True)
    assert done.status in ("ok", "unchanged"), done.failure
    text = done.page.read_text()
    assert "simulated data" in text
    assert str(ROOT) not in text, "a page shows a folder of the machine that made it"
    assert warned(done.page) == [], "a page shows what a library complains about"
    assert "\\u001b[" not in text, "a page shows the colour codes of a terminal"
    figures = notebook.handed_over(done.page).figures
    assert all("simulated" in figure["caption"].lower() for figure in figures)
