"""The build script and the pages it puts together, without a browser."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from cdp_book import build, findings, recording
from cdp_book.sphinx import docstrings
from cdp_lib.chapter import RECORD
from cdp_lib.figures.style import COLOURS, INK

BOOK = Path(__file__).resolve().parents[3] / "book"
PROSE = sorted(BOOK.glob("*.md"))


def cell(source: str, *tags: str, outputs: list | None = None) -> dict:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": outputs or []}


def shows(**data: str) -> dict:
    bundle = {name.replace("_", "/", 1): text for name, text in data.items()}
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


def write(path: Path, *cells: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4}))
    return path


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A repository with one chapter, executed."""
    root = tmp_path / "repository"
    (root / "book" / "_static").mkdir(parents=True)
    (root / "cdp_lib").mkdir()
    (root / "book" / "welcome.md").write_text("# Welcome\n")
    (root / "_config.yml").write_text("title: A book\nexecute: {execute_notebooks: cache}\n")
    toc = {"format": "jb-book", "root": "book/welcome"}
    toc |= {"parts": [{"chapters": [{"file": "notebooks/00_quickstart"}]}]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    for folder in ("notebooks", "_build/executed"):
        write(root / folder / "00_quickstart.ipynb", cell("seed = 0", "parameters"), cell("1 + 1"))
    return root


def test_the_stage_has_the_paths_of_the_repository_and_does_not_execute(book):
    stage = book / "_build" / "stage"
    build.fill_stage(book, book / "_build" / "executed", stage)
    assert (stage / "book" / "welcome.md").read_text() == "# Welcome\n"
    assert (stage / "notebooks" / "00_quickstart.ipynb").exists()
    config = yaml.safe_load((stage / "_config.yml").read_text())
    assert config == {"title": "A book", "execute": {"execute_notebooks": "off"}}


def test_a_chapter_that_was_not_executed_is_one_sentence(book):
    with pytest.raises(build.BuildError, match=r"00_quickstart.*cdp run"):
        build.fill_stage(book, book / "nowhere", book / "stage")


def test_a_chapter_executed_from_an_older_notebook_is_refused(book):
    write(book / "notebooks" / "00_quickstart.ipynb", cell("seed = 0", "parameters"), cell("2"))
    with pytest.raises(build.BuildError, match="older 00_quickstart"):
        build.fill_stage(book, book / "_build" / "executed", book / "stage")


def test_every_chapter_that_must_be_recorded_anew_is_named_with_its_command(book):
    toc = yaml.safe_load((book / "_toc.yml").read_text())
    toc["parts"][0]["chapters"].append({"file": "notebooks/01_screens"})
    (book / "_toc.yml").write_text(yaml.safe_dump(toc))
    write(book / "notebooks" / "01_screens.ipynb", cell("2"))
    with pytest.raises(build.BuildError) as refused:
        build.fill_stage(book, None, book / "stage")
    for name in ("00_quickstart", "01_screens"):
        assert f"cdp run {name} --profile teach --data pocket --record" in str(refused.value)


def test_a_site_from_records_has_todays_prose_and_the_recorded_outputs(book):
    source = book / "notebooks" / "00_quickstart.ipynb"
    said = {"output_type": "stream", "name": "stdout", "text": "the real number"}
    about = {"date": "2026-03-04", "python": "3.11", "versions": {}, "profile": "teach", "seed": 0}
    recorded = {"cells": [cell("seed = 0", "parameters"), cell("1 + 1", outputs=[said])]}
    folder = book / "book" / "results" / "00_quickstart" / "pocket"
    recording.write_record(folder, [], [], about, recorded)
    prose = {"cell_type": "markdown", "metadata": {}, "source": "Today: 2<!--= two -->."}
    write(source, cell("seed = 0", "parameters"), prose, cell("1 + 1  # two"))
    build.fill_stage(book, None, book / "stage")
    page = json.loads((book / "stage" / "notebooks" / "00_quickstart.ipynb").read_text())
    assert [each["source"] for each in page["cells"][1:-1]] == ["Today: 2.", "1 + 1  # two"]
    assert page["cells"][2]["outputs"] == [said]
    assert "recorded on 4 March 2026 from real" in page["cells"][-1]["source"]
    assert not (book / "stage" / "book" / "results").exists()


def test_a_chapter_that_failed_is_refused(tmp_path):
    error = {"output_type": "error", "ename": "InputError", "evalue": "no such study"}
    source = write(tmp_path / "a.ipynb", cell("load()"))
    executed = write(tmp_path / "run" / "a.ipynb", cell("load()", outputs=[error]))
    with pytest.raises(build.BuildError, match="cell 1 .*InputError"):
        build.page(source, executed)


@pytest.mark.parametrize(
    "changed",
    ["book/welcome.md", "_toc.yml", "_build/executed/00_quickstart.ipynb", "cdp_lib/a.py"],
)
def test_any_changed_input_makes_the_site_stale(book, changed):
    executed = book / "_build" / "executed"
    before = build.fingerprint(book, executed)
    assert build.fingerprint(book, executed) == before
    path = book / changed
    path.write_text((path.read_text() if path.exists() else "") + "\n")
    assert build.fingerprint(book, executed) != before


def test_generated_and_cached_files_do_not_make_it_stale(book):
    executed = book / "_build" / "executed"
    before = build.fingerprint(book, executed)
    (book / "book" / "_static" / "signature.svg").write_text("<svg/>")
    (book / "cdp_lib" / "__pycache__").mkdir()
    (book / "cdp_lib" / "__pycache__" / "a.pyc").write_bytes(b"0")
    assert build.fingerprint(book, executed) == before


def test_records_leave_the_page_and_pictures_stay():
    record = {"output_type": "display_data", "data": {RECORD: {"key": "a"}, "text/html": ""}}
    picture = shows(text_html='<img alt="A line that rises">')
    text = {"output_type": "stream", "name": "stdout", "text": "hello"}
    kept = list(build.shown(cell("", outputs=[record, picture, text]), "a, cell 1"))
    assert kept == [picture, text]


def test_an_output_that_no_page_can_show_is_refused():
    widget = {"output_type": "display_data", "data": {"application/vnd.plotly.v1+json": {}}}
    with pytest.raises(build.BuildError, match="a, cell 3"):
        list(build.shown(cell("", outputs=[widget]), "a, cell 3"))


def test_the_empty_corner_of_a_table_is_no_heading():
    styled = '<th class="blank level0" >&nbsp;</th>'  # as pandas' Styler writes it
    table = shows(text_html=f"<table><tr>{styled}<th>a</th></tr></table>")
    (kept,) = build.shown(cell("", outputs=[table]), "a, cell 1")
    assert kept["data"]["text/html"] == "<table><tr><td></td><th>a</th></tr></table>"


def test_injected_parameters_are_shown_only_where_they_differ(tmp_path):
    defaults = cell("profile = 'quick'  # or teach\nseed = 0", "parameters")
    source = write(tmp_path / "a.ipynb", defaults)

    def shown(injected: str) -> list[str]:
        extra = cell(injected, "injected-parameters")
        executed = write(tmp_path / "run" / "a.ipynb", copy.deepcopy(defaults), extra)
        return [each["source"] for each in build.page(source, executed)["cells"][:-1]]

    assert shown('# Parameters\nprofile = "quick"\n') == [defaults["source"]]
    assert shown('# Parameters\nprofile = "teach"\n')[1:] == ['# Parameters\nprofile = "teach"\n']


def test_a_warning_stops_the_build(book, capfd):
    (book / "book" / "welcome.md").write_text("# Welcome\n\n[nowhere](nowhere.md)\n")
    with pytest.raises(build.BuildError, match="Jupyter Book"):
        build.build(book, book / "_build" / "executed", book / "_build")
    assert "nowhere.md" in capfd.readouterr().err
    assert not (book / "_build" / "html").exists()


def test_docstrings_with_bars_stars_and_equations_are_plain_text():
    text = (
        "Mean |y - p| of *all* rows, see `mae`.\n\n    r2 = 1 - a / b\n\n"
        "- one `x`\n  goes on\n- two"
    )
    assert docstrings.rst(text) == (
        "Mean \\|y - p\\| of *all* rows, see ``mae``.\n\n"
        ".. code-block:: text\n\n    r2 = 1 - a / b\n\n"
        "- one ``x``\n  goes on\n- two\n"
    )


def test_the_papers_own_numbers_come_from_the_ledger():
    text = findings.arithmetic()
    assert "MSE of 0.28 over all drugs" in text and "22 single drugs have a mean of 2.63" in text
    assert "0.2804 and 0.2635" in text
    for paper in ("itzhacky2021", "wang2022", "dong2020", "xia2018", "bodinier2025"):
        assert f"{{cite:t}}`{paper}`" in text


def test_the_address_of_the_repository_stands_in_one_place():
    repository = BOOK.parent
    address = yaml.safe_load((repository / "_config.yml").read_text())["repository"]["url"]
    assert [path.name for path in PROSE if address in path.read_text()] == []
    assert (repository / "_config.yml").read_text().count(address) == 1


def test_the_glossary_is_sorted_and_short():
    text = (BOOK / "glossary.md").read_text().partition("```{glossary}")[2].partition("```")[0]
    entries = [entry.split("\n") for entry in text.strip().split("\n\n")]
    terms = [entry[0] for entry in entries]
    assert len(terms) >= 50
    assert terms == sorted(terms, key=str.casefold)
    assert all(2 <= len(entry) <= 4 for entry in entries)


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_prose_has_one_sentence_a_line(path):
    prose = re.sub(r"```.*?```|^\|.*?$|^:alt:.*?$|<.*?>", "", path.read_text(), flags=re.S | re.M)
    assert re.findall(r"^.*[a-z)]\. [A-Z].*$", prose, re.MULTILINE) == []


def test_the_site_has_the_colours_of_the_figures():
    css = (BOOK / "_static" / "cdp.css").read_text()
    found = dict(re.findall(r"--cdp-(\w+): (#\w{6}|currentColor);", css))
    ours = {role: "currentColor" if colour == INK else colour for role, colour in COLOURS.items()}
    assert {role: found[role].upper() for role in COLOURS} == {
        role: colour.upper() for role, colour in ours.items()
    }
