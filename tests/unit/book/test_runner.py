"""runner.py and notebook.py: chapters run in fresh kernels; pages never older than their inputs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cdp_lib
from cdp_book import build, inputs, notebook, pages, recording, runner
from cdp_lib.chapter import RECORD
from cdp_lib.errors import DataUnavailable, InputError

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "notebooks"


@pytest.fixture
def book(tmp_path, monkeypatch) -> Path:
    """A repository with the specimen notebooks, and the current folder in it."""
    shutil.copytree(FIXTURES, tmp_path / "book" / "notebooks")
    monkeypatch.chdir(tmp_path / "book")
    return tmp_path / "book"


@pytest.fixture
def library(tmp_path, monkeypatch) -> Path:
    """A library folder that nobody else edits, for the key."""
    folder = tmp_path / "library" / "cdp_lib"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    monkeypatch.setattr(cdp_lib, "__file__", str(folder / "__init__.py"))
    return folder


def chapter_of(folder: Path, *sources: str) -> Path:
    """A chapter with these code cells."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    path = folder / "notebooks" / "80_own.ipynb"
    chapter = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(chapter))
    return path


def printed(page: Path) -> str:
    """Everything that a page's cells printed."""
    outputs = [out for cell in notebook.read(page)["cells"] for out in cell.get("outputs", [])]
    return "".join("".join(out.get("text", "")) for out in outputs)


def test_the_repository_is_found_from_any_folder_in_it(book, tmp_path):
    deep = book / "a" / "b"
    deep.mkdir(parents=True)
    assert runner.find_repository(deep) == runner.find_repository() == book
    with pytest.raises(InputError, match="'notebooks'"):
        runner.find_repository(tmp_path)


def test_chapters_are_named_or_all(book):
    every = runner.find_chapters(["all"], book)
    assert [path.stem for path in every] == ["90_sums", "91_breaks", "92_specimen"]
    assert runner.find_chapters(["91_breaks.ipynb", "all"], book)[0].stem == "91_breaks"
    assert len(runner.find_chapters(["91_breaks", "91_breaks"], book)) == 1


def test_an_unknown_chapter_names_the_nearest(book):
    with pytest.raises(InputError, match="'90_sum'.*90_sums"):
        runner.find_chapters(["90_sum"], book)


def test_parameters_are_read_from_their_cell(book):
    assert notebook.parameters(book / "notebooks" / "90_sums.ipynb") == {
        "profile": "quick",
        "data": "teaching",
        "seed": 0,
        "epochs": 2,
        "rate": 0.1,
        "tissues": ["lung"],
    }


def test_text_from_a_command_line_takes_the_kind_of_the_default(book):
    given = {"epochs": "5", "rate": "1e-3", "tissues": "[lung, skin]", "data": "pocket"}
    values = runner.effective(book / "notebooks" / "90_sums.ipynb", given)
    assert (values["epochs"], values["rate"], values["data"]) == (5, 0.001, "pocket")
    assert values["tissues"] == ["lung", "skin"] and values["seed"] == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"epochss": 2}, "chapter 90_sums has no parameter 'epochss': did you mean epochs?"),
        ({"epochs": "many"}, "parameter epochs of chapter 90_sums is 'many'"),
        ({"epochs": 2.5}, "the same kind as its default, 2"),
        ({"epochs": True}, "the same kind as its default, 2"),
        ({"profile": "fast"}, "'quick', 'teach', 'full'"),
    ],
)
def test_a_wrong_parameter_stops_everything_before_anything_runs(book, given, sentence):
    chapters = runner.find_chapters(["91_breaks", "90_sums"], book)
    known_to_the_first = {"seed": 9} if "profile" in given else {}
    with pytest.raises(InputError) as refused:
        runner.run_all(chapters[1:] + chapters[:1], book / "out", given | known_to_the_first)
    assert sentence in str(refused.value)
    assert not (book / "out").exists()


def test_a_page_is_written_with_its_key_and_nothing_of_this_machine(book):
    source = book / "notebooks" / "90_sums.ipynb"
    done = runner.run(source, book / "out", {"seed": 3})
    assert (done.status, done.failure) == ("ok", "")
    assert printed(done.page) == "quick teaching 3 2 0.1 ['lung']\n"
    assert (book / "out" / "90_sums.key").exists() and not (book / "out" / "failed").exists()
    assert str(book) not in done.page.read_text()
    assert "papermill" not in notebook.read(done.page)["metadata"]
    (injected,) = [
        c for c in notebook.read(done.page)["cells"] if "injected-parameters" in notebook.tags(c)
    ]
    assert notebook.source(injected).splitlines()[1:] == ["seed = 3"]


def test_a_fresh_page_is_kept_and_an_old_one_is_made_again(book, library):
    source, out = book / "notebooks" / "90_sums.ipynb", book / "out"
    assert runner.run(source, out).status == "ok"
    stamp = (out / source.name).stat().st_mtime_ns
    assert runner.run(source, out, if_changed=True).status == "unchanged"
    assert (out / source.name).stat().st_mtime_ns == stamp
    assert runner.run(source, out, {"seed": 1}, if_changed=True).status == "ok"
    (out / source.name).unlink()
    assert runner.run(source, out, {"seed": 1}, if_changed=True).status == "ok"


def test_the_key_follows_every_input(book, library, monkeypatch):
    source = book / "notebooks" / "90_sums.ipynb"
    values = notebook.parameters(source)
    keys = [runner.key(source, values), runner.key(source, values)]
    assert keys[0] == keys[1]
    keys.append(runner.key(source, values | {"seed": 1}))
    for path in (
        library / "data" / "catalogue.toml",
        book / "book" / "claims" / "paper.toml",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("new")
        keys.append(runner.key(source, values))
    source.write_text(source.read_text() + "\n")
    keys.append(runner.key(source, values))
    monkeypatch.setattr(inputs, "distributions", list)
    keys.append(runner.key(source, values))
    assert len(set(keys)) == len(keys) - 1


@pytest.mark.parametrize("place", ["", "pages"])
def test_a_chapter_is_never_written_over_itself(book, place):
    chapter = book / "notebooks" / "90_sums.ipynb"
    before = chapter.read_bytes()
    with pytest.raises(InputError, match="chapters"):
        runner.run(chapter, book / "notebooks" / place)
    assert chapter.read_bytes() == before


def test_a_failing_cell_is_shown_and_leaves_neither_page_nor_key(book):
    source, out = book / "notebooks" / "91_breaks.ipynb", book / "out"
    assert runner.run(source, out, {"seed": 9}).status == "ok"
    said = []
    (done,) = runner.run_all([source], out, {"seed": 1}, say=said.append)
    assert done.status == "failed"
    assert done.failure.startswith("Cell 3 of 91_breaks.ipynb failed:\n\n    from cdp_lib.errors")
    assert done.failure.endswith("\n\nInputError: seed is too small: give 5 or more.")
    assert any(done.failure in line for line in said)
    assert not (out / "91_breaks.ipynb").exists() and not (out / "91_breaks.key").exists()
    assert done.page == out / "failed" / "91_breaks.ipynb" and done.page.exists()
    assert runner.run(source, out, {"seed": 9}, if_changed=True).status == "ok"
    assert not done.page.exists()


def test_a_notebook_shows_an_input_error_as_one_sentence_without_a_traceback(book):
    done = runner.run(book / "notebooks" / "91_breaks.ipynb", book / "out")
    (error,) = [
        out
        for cell in notebook.read(done.page)["cells"]
        for out in cell.get("outputs", [])
        if out["output_type"] == "error"
    ]
    assert error["traceback"] == ["InputError: seed is too small: give 5 or more."]
    assert "never reached" not in printed(done.page)


def test_two_runs_into_one_folder_leave_each_other_alone(book, monkeypatch):
    """While one chapter runs, another starts and ends in the same folder."""
    execute, out = runner._execute, book / "out"
    first, second = (book / "notebooks" / name for name in ("90_sums.ipynb", "91_breaks.ipynb"))

    def meanwhile(chapter, target, values):
        if chapter == first:
            assert runner.run(second, out, {"seed": 9}).status == "ok"
        return execute(chapter, target, values)

    monkeypatch.setattr(runner, "_execute", meanwhile)
    assert runner.run(first, out).status == "ok"
    names = ["90_sums.ipynb", "90_sums.key", "91_breaks.ipynb", "91_breaks.key"]
    assert sorted(path.name for path in out.iterdir()) == names


@pytest.mark.parametrize(
    "text", ["9" * 5000, "[" * 100_000, "-" * 100_000, "!!python/name:os.system"]
)
def test_an_absurd_setting_is_one_short_sentence(book, text):
    with pytest.raises(InputError, match="seed") as problem:
        runner.effective(book / "notebooks" / "90_sums.ipynb", {"seed": text})
    assert len(str(problem.value)) < 300


def test_a_failure_above_the_parameters_is_counted_right(book):
    source = book / "notebooks" / "90_sums.ipynb"
    cells = notebook.read(source)
    first = {**cells["cells"][2], "id": "first", "source": "1 / 0"}
    notebook.write(source, {**cells, "cells": [first, *cells["cells"]]})
    done = runner.run(source, book / "out", {"seed": 1})
    assert done.failure.startswith("Cell 1 of 90_sums.ipynb")
    assert "ZeroDivisionError" in done.failure


def test_the_kernel_is_this_python_whatever_is_installed(book, tmp_path, monkeypatch):
    other = tmp_path / "jupyter" / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text(
        json.dumps({"argv": ["no-such-python"], "display_name": "other", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    done = runner.run(chapter_of(book, "import sys; print(sys.executable)"), book / "out")
    assert (done.status, printed(done.page)) == ("ok", f"{sys.executable}\n")


def test_a_kernel_that_dies_is_a_failure_with_a_way_out(book):
    done = runner.run(chapter_of(book, "import os; os._exit(1)"), book / "out")
    assert done.status == "failed" and "kernel died" in done.failure


def test_a_notebook_that_is_none_is_one_sentence(book):
    source = book / "notebooks" / "90_sums.ipynb"
    for text in ('{"cells": [', "[1, 2]"):
        source.write_text(text)
        with pytest.raises(InputError, match="90_sums.ipynb"):
            runner.run_all([source], book / "out", {})


def test_a_parameters_cell_with_code_in_it_is_refused(book):
    source = book / "notebooks" / "90_sums.ipynb"
    for code in ("seed = int(0)", "print()", "seed ="):
        cells = notebook.read(source)
        cells["cells"][1]["source"] = code
        notebook.write(source, cells)
        with pytest.raises(InputError, match="seed = 0"):
            runner.effective(source, {})


def test_what_is_missing_from_the_extra_is_named():
    with pytest.raises(InputError, match="no_such_tool"):
        runner.book_tool("no_such_tool")


def test_a_recorded_run_hands_over_results_figures_and_provenance(book):
    source, out = book / "notebooks" / "92_specimen.ipynb", book / "out"
    given = {"profile": "teach", "data": "teaching"}
    (done,) = runner.run_all([source], out, given, record=True)
    assert (done.status, done.failure) == ("ok", "")
    folder = book / "book" / "results" / "92_specimen" / "teaching"
    kept = json.loads((folder / "results.json").read_text())
    assert {row["key"]: row["value"] for row in kept["results"]} == {"mean": 2.0, "shape": [5, 1]}
    assert kept["provenance"]["profile"] == "teach" and kept["provenance"]["seed"] == 0
    assert kept["provenance"]["wall_seconds"] > 0
    assert kept["figures"][0]["alt"] == "A straight rising line."
    assert kept["figures"][0]["caption"] == "Simulated data: The numbers rise by one."
    assert "<svg" in (folder / "line.svg").read_text()
    page = printed(done.page)
    assert "simulated data" in page and page.count("not attempted yet") == 3
    assert page.count("correct.") == 3


def test_a_record_holds_its_page_and_says_what_moved(book):
    source, out, said = book / "notebooks" / "92_specimen.ipynb", book / "out", []
    runner.run_all([source], out, {"profile": "teach", "data": "teaching"}, record=True)
    folder = book / "book" / "results" / "92_specimen" / "teaching"
    page = pages.recall(source, folder)
    assert "<svg" in json.dumps(page)
    assert any('profile = "teach"' in notebook.source(cell) for cell in page["cells"])
    kept = json.loads((folder / "results.json").read_text())
    kept["results"][0] |= {"value": 1.5, "sd": 0.1}
    kept["results"][1]["key"] = "old"
    (folder / "results.json").write_text(json.dumps(kept))
    given = {"profile": "teach", "data": "teaching"}
    runner.run_all([source], out, given, record=True, say=said.append)
    moved = [line for line in said if "moved" in line]
    assert len(moved) == 3
    assert "mean: 1.5 -> 2 (sd 0.1)" in moved[2]
    assert "1 gone: old" in moved[0] and "1 new: shape" in moved[1]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"value": 0.5, "sd": 0.1}, {"value": 0.59}, False),
        ({"value": 0.5, "sd": 0.1}, {"value": 0.61}, True),
        ({"value": 0.5}, {"value": 0.61, "sd": 0.2}, False),
        ({"value": 0.5}, {"value": 0.5001}, False),
        ({"value": 0.5}, {"value": 0.501}, True),
        ({"value": 100}, {"value": 101}, True),
        ({"value": True}, {"value": False}, True),
        ({"value": "PAX8"}, {"value": "IRF4"}, True),
        ({"value": [3, 4]}, {"value": [3, 4]}, False),
        ({"value": None}, {"value": 0.5}, True),
    ],
)
def test_a_number_moved_when_it_left_its_sd(old, new, told):
    assert bool(recording.moved({"a": old}, {"a": new})) == told


def test_several_chapters_at_a_time_have_one_thread_each(book):
    own = chapter_of(book, "import os", "print(os.environ['OMP_NUM_THREADS'])")
    sources = [book / "notebooks" / name for name in ("90_sums.ipynb", "91_breaks.ipynb")]
    said = []
    runs = runner.run_all([own, *sources], book / "out", {}, jobs=2, say=said.append)
    assert [done.chapter for done in runs] == ["80_own", "90_sums", "91_breaks"]
    assert [done.status for done in runs] == ["ok", "ok", "failed"]
    assert printed(runs[0].page) == "1\n"
    lines = [line for line in said if line.startswith("[")]
    assert [line[:5] for line in lines] == ["[1/3]", "[2/3]", "[3/3]"]
    assert "91_breaks failed" in "".join(lines)


@pytest.mark.parametrize("asked", [{"given": {"data": "pocket"}}, {"given": {}, "record": True}])
def test_who_asks_for_real_data_by_name_gets_nothing_else(book, monkeypatch, asked):
    source = book / "notebooks" / "90_sums.ipynb"
    cells = notebook.read(source)
    cells["metadata"]["cdp"] = {"tables": {"pocket": ["lines"]}}
    text = json.dumps(cells).replace('data = \\"teaching\\"', 'data = \\"pocket\\"')
    source.write_text(text)
    asked_for = []

    def nothing(files):
        asked_for.extend(file.key for file in files)
        raise DataUnavailable("nobody answers")

    monkeypatch.setattr(runner, "fetch", nothing)
    with pytest.raises(DataUnavailable):
        runner.run_all([source], book / "out", **asked)
    assert asked_for and not (book / "out").exists()
    assert runner.run_all([source], book / "out", {})[0].status == "ok"


def test_a_page_that_had_to_be_simulated_is_not_recorded_and_says_so_at_its_foot(book, monkeypatch):
    """The kernel finds no data: an empty cache, and a network that ends at this machine."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    source, out = book / "notebooks" / "92_specimen.ipynb", book / "out"
    (done,) = runner.run_all([source], out, {}, record=True)
    assert done.status == "not recorded" and "simulated" in done.failure
    assert not (book / "book").exists()
    text = json.dumps(build.page(source, out / source.name)["cells"][-1])
    assert "executed by this build on simulated data" in text and "--data teaching" in text


def test_the_data_of_a_page_are_those_of_all_its_loads(book):
    source = chapter_of(book, "c.load('a')")
    page = notebook.read(source)
    page["cells"][0]["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {RECORD: handed}}
        for handed in ({"data": {"a": "1"}}, {"key": "k", "value": 1, "data": {"b": "2"}})
    ]
    notebook.write(source, page)
    page = notebook.handed_over(source)
    assert page.data == {"a": "1", "b": "2"}
    assert page.records == [{"key": "k", "value": 1}]


def test_recording_an_old_page_is_refused(book):
    with pytest.raises(InputError, match="--record or --if-changed"):
        runner.run_all([], book / "out", {}, record=True, if_changed=True)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("more", [[], ["90_sums", "--jobs", "2"]], ids=["one", "two"])
def test_control_c_ends_in_one_line_and_leaves_no_kernel(book, more):
    chapter_of(
        book,
        "import os, pathlib, time\n"
        "pathlib.Path('../pid').write_text(str(os.getpid()))\ntime.sleep(60)",
    )
    cdp = subprocess.Popen(
        [sys.executable, "-m", "cdp_book.cli", "run", "80_own", *more],
        cwd=book,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may ignore it
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    waited = 0
    while not (book / "pid").exists() or not (book / "pid").read_text():
        assert waited < 600, cdp.communicate()
        waited += 1
        time.sleep(0.1)
    cdp.send_signal(signal.SIGINT)
    _, told = cdp.communicate(timeout=60)
    assert (cdp.returncode, told.strip()) == (130, "cdp: stopped.")
    with pytest.raises(ProcessLookupError):
        for _ in range(600):  # a kernel looks once a second whether its parent is still there
            os.kill(int((book / "pid").read_text()), 0)
            time.sleep(0.1)
    assert list((book / "_build").rglob("80_own.key")) == []
