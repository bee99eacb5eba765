"""pages.py: recorded outputs come back into the notebook of today, or it is said why not."""

import json

import pytest

from cdp_book import notebook, pages, recording
from cdp_lib.chapter import RECORD
from cdp_lib.errors import InputError

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><title>A line</title></svg>'


def cell(code: str, *outputs: dict, tags: tuple[str, ...] = ()) -> dict:
    return {
        "cell_type": "code",
        "id": f"c{abs(hash(code)) % 10**6}",
        "metadata": {"tags": list(tags)},
        "execution_count": None,
        "source": code,
        "outputs": list(outputs),
    }


def prints(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shows(html: str, **metadata: dict) -> dict:
    data = {"text/html": html, "text/plain": "plain"}
    return {"output_type": "display_data", "data": data, "metadata": metadata}


@pytest.fixture
def record(tmp_path):
    """record(cells) writes a run of 80_own; recall(cells) gives the page of today's notebook."""
    folder = tmp_path / "book" / "results" / "80_own" / "pocket"

    def write(*cells: dict, figures=()) -> None:
        executed = {"cells": list(cells), "metadata": {}}
        recording.write_record(folder, [], figures, {}, executed)

    def recall(*cells: dict) -> list[dict]:
        path = tmp_path / "80_own.ipynb"
        notebook.write(path, {"cells": list(cells), "metadata": {}})
        return pages.recall(path, folder)["cells"]

    write.recall, write.folder = recall, folder
    return write


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a = 1", "# why\na   =  1  # because", True),
        ("f(a, b)", "f(\n    a,\n    b,\n)", True),
        ("a = 'x'", 'a = "x"', True),
        ("a = 1", "a = 2", False),
        ("f(a)", "f(b)", False),
        ("f()", "f(*())", False),
        ("x = None", "x = ...", False),
        ("f()", "f();", False),
        ("f();", "f() ;  # silent", True),
        ("f('a;')", "f('a;')  # b;", True),
        ("%time f()", "%time f()", True),
        ("%time f()", "%time g()", False),
    ],
)
def test_the_key_is_the_meaning_of_the_code(one, other, same):
    assert (pages.key(one) == pages.key(other)) == same


def test_the_key_does_not_depend_on_what_a_version_of_python_adds():
    """Python 3.12 gives each function an empty list of type parameters."""
    code = "def f(x):\n    return {**x, 'a': [x for x in y]}"
    assert pages.key(code) == "35e4be3b786f6b24"


def test_a_cell_finds_its_output_whatever_its_comments_and_its_place(record):
    record(cell("a = 1", prints("one")), cell("b = 2", prints("two")))
    found = record.recall(cell("b  =  2  # why", tags=("exercise",)), cell("a = 1"))
    assert [each["outputs"][0]["text"] for each in found] == ["two", "one"]
    assert found[0]["metadata"]["tags"] == ["exercise"]


def test_cells_of_equal_code_keep_their_order(record):
    record(cell("f()", prints("first")), cell("f()", prints("second")))
    found = record.recall(cell("f()"), cell("f()"))
    assert [each["outputs"][0]["text"] for each in found] == ["first", "second"]
    with pytest.raises(InputError, match="cell 3 of 80_own"):
        record.recall(cell("f()"), cell("f()"), cell("f()"))


def test_a_changed_cell_is_an_error_with_its_place_and_the_command(record):
    record(cell("a = 1"), cell("b = 2"))
    with pytest.raises(InputError) as stale:
        record.recall(cell("a = 1"), cell("# why\nb = 3"), cell("c = 4"))
    said = str(stale.value)
    assert "cell 2 (and 1 more) of 80_own.ipynb" in said and "`b = 3`" in said
    assert "cdp run 80_own --profile teach --data pocket --record" in said


def test_a_chapter_that_was_never_recorded_is_an_error_with_the_command(record):
    with pytest.raises(InputError, match="cdp run 80_own"):
        record.recall(cell("a = 1"))


def test_the_set_up_code_is_not_part_of_the_record(record):
    record(cell("a = 1"))
    assert record.recall(cell("install()", tags=("setup",)), cell("a = 1"))


def test_the_parameters_of_the_run_stand_below_the_chapters_own(record):
    given = cell('profile = "teach"', tags=("injected-parameters",))
    record(cell("seed = 0", tags=("parameters",)), given, cell("f()"))
    found = record.recall(cell("seed = 0", tags=("parameters",)), cell("f()"))
    assert [each["source"] for each in found] == ["seed = 0", 'profile = "teach"', "f()"]
    assert found[1]["metadata"]["tags"] == ["injected-parameters"]


def test_a_figure_is_kept_once_and_comes_back_as_it_was(record):
    html = f"<figure><div>{SVG}</div><figcaption>It rises.</figcaption></figure>"
    told = {"name": "line", "caption": "It rises.", "alt": "A line"}
    record(cell("f()", shows(html, cdp=told)), figures=[{**told, "svg": SVG}])
    kept = (record.folder / "page.json").read_text()
    assert "<svg" not in kept
    assert (record.folder / "line.svg").read_text() == SVG
    ((output,),) = (each["outputs"] for each in record.recall(cell("f()")))
    assert output["data"] == {"text/html": html}


def test_results_and_complaints_are_no_part_of_a_page(record):
    complaint = {"output_type": "stream", "name": "stderr", "text": "careful"}
    result = {"output_type": "display_data", "data": {RECORD: {"key": "a"}}, "metadata": {}}
    record(cell("f()", complaint, result, prints("said")))
    (found,) = record.recall(cell("f()"))
    assert found["outputs"] == [prints("said")]


def test_a_page_that_is_too_large_names_its_largest_cell(record):
    with pytest.raises(InputError) as refused:
        record(cell("a = 1", prints("x")), cell("\nb = 2", prints("x" * 1_600_000)))
    said = str(refused.value)
    assert "80_own" in said and "1.60 MB" in said and "`b = 2`" in said
    assert not record.folder.exists()


def test_what_a_reader_waits_for_is_counted_with_its_figures(record):
    svg = "<svg>" + "x" * 1_600_000 + "</svg>"
    told = {"name": "line", "caption": "It rises.", "alt": "A line"}
    with pytest.raises(InputError, match="1.60 MB"):
        record(cell("f()", shows(svg, cdp=told)), figures=[{**told, "svg": svg}])


def test_every_kept_page_is_plain_json(record):
    record(cell("f()", shows(["<p>", "a</p>"])))
    (kept,) = json.loads((record.folder / "page.json").read_text())["cells"]
    assert kept["outputs"][0]["data"] == {"text/html": "<p>a</p>"}
