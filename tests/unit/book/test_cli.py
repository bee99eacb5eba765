"""cli.py, cli_data.py, doctor.py: one sentence on bad input, help that teaches, exit codes."""

import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pandas as pd
import pytest

import cdp_lib
from cdp_book import cli, doctor, notebook
from cdp_lib.data.files import download
from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_predict
from cdp_lib.splits import leave_pairs_out

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "notebooks"


@pytest.fixture
def cdp(capsys):
    """Run `cdp`; return exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(list(arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def book(tmp_path, monkeypatch) -> Path:
    shutil.copytree(FIXTURES, tmp_path / "notebooks")
    (tmp_path / "library").mkdir()  # for the key of a page: one that nobody edits meanwhile
    monkeypatch.setattr(cdp_lib, "__file__", str(tmp_path / "library" / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group, as the words that call it."""
    found = [path]
    for name, command in group.commands.items():
        inner = (*path, name)
        found += commands(command, inner) if isinstance(command, click.Group) else [inner]
    return found


@pytest.mark.parametrize("path", commands(cli.cdp), ids=" ".join)
def test_every_help_ends_in_lines_that_can_be_typed(cdp, path):
    code, out, _ = cdp(*path, "--help")
    assert code == 0
    assert "  cdp " + " ".join(path) in out.partition("Usage")[2].partition("\n")[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "90_sum"], "there is no chapter '90_sum': did you mean 90_sums"),
        (["run", "90_sums", "--set", "epochss=2"], "no parameter 'epochss': did you mean epochs?"),
        (["run", "90_sums", "--set", "epochs"], "--set 'epochs' is not NAME=VALUE"),
        (["run", "90_sums", "--profile", "fast"], "'fast' is not one of"),
        (["run"], "Missing argument"),
        (["run", "90_sums", "--record", "--if-changed"], "--if-changed"),
        (["edition", "student", "--out", "notebooks"], "--out"),
        (["edition", "pupil", "--out", "x"], "'pupil' is not one of 'student', 'teacher'"),
        (["data", "show", "gdsc-poket"], "gdsc-pocket"),
        (["data", "fetch", "gdsc-poket"], "gdsc-pocket"),
        (["data", "show", "nope"], "nothing is spelt like it"),
        (["data", "fetch"], "cdp data list"),
        (["claims", "nobody2021"], "nobody2021"),
        (["nope"], "No such command 'nope'"),
    ],
)
def test_bad_input_is_one_sentence_on_stderr_and_exit_code_2(cdp, book, arguments, words):
    code, out, err = cdp(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("cdp: ") and words in err
    assert err.count("\n") == 1 and "Traceback" not in err


def test_outside_of_the_book_running_says_where_to_go(cdp, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = cdp("run", "all")
    assert code == 2 and "no folder 'notebooks'" in err and "clone" in err


def test_a_folder_that_cannot_be_written_is_one_sentence(cdp, book):
    (book / "taken").write_text("a file")
    code, _, err = cdp("edition", "student", "--out", "taken/course")
    assert code == 2 and err.startswith("cdp: ") and "taken" in err and err.count("\n") == 1
    assert "name a place that may be written" in err


def test_running_ends_in_a_table_and_exit_code_1_when_a_chapter_fails(cdp, book):
    both = ("run", "90_sums", "91_breaks", "--seed", "3", "--out", "o")
    code, out, _ = cdp(*both, "--set", "rate=1")
    assert code == 2 and out == ""  # 91_breaks has no rate: nothing ran
    code, out, _ = cdp(*both)
    assert code == 1
    assert "[1/2] 90_sums ok" in out and "Cell 3 of 91_breaks.ipynb failed" in out
    last = out.rstrip().splitlines()[-3:]
    assert [line.split()[0] for line in last] == ["chapter", "90_sums", "91_breaks"]
    assert last[1].split()[1] == "ok" and last[1].endswith("o/90_sums.ipynb")
    assert last[2].split()[1] == "failed"
    code, out, _ = cdp("run", "90_sums", "--seed", "3", "--out", "o", "--if-changed")
    assert code == 0 and "90_sums  unchanged" in out


def test_settings_reach_the_notebook(cdp, book):
    code, _, err = cdp("run", "90_sums", "--set", "tissues=[lung, skin]", "--set", "epochs=7")
    assert (code, err) == (0, "")
    page = book / "_build" / "executed" / "teaching-quick" / "90_sums.ipynb"
    assert "7 0.1 ['lung', 'skin']" in page.read_text()


def test_an_edition_is_written(cdp, book):
    code, out, _ = cdp("edition", "student", "--out", "course")
    assert code == 0 and "3 notebooks, student edition, are in course" in out
    assert notebook.read(book / "course" / "92_specimen.ipynb")["cells"]


def test_the_catalogue_is_listed_for_people_and_programs(cdp):
    _, out, _ = cdp("data", "list")
    assert out.splitlines()[0].split() == ["dataset", "editions", "size", "title"]
    _, text, _ = cdp("data", "list", "--json")
    ids = [entry["id"] for entry in json.loads(text)]
    assert "gdsc-pocket" in ids and [row.split()[0] for row in out.splitlines()[1:]] == ids


def test_one_data_set_is_shown(cdp):
    _, out, _ = cdp("data", "show", "gdsc-pocket")
    assert "licence" in out and "IC50_v17.csv.gz" in out and "sha256" in out
    assert max(len(line) for line in out.splitlines() if "http" not in line) <= 100
    assert "shape 223 rows, 222 drugs" in out and "licence MIT" in out
    _, text, _ = cdp("data", "show", "depmap-19q4")
    assert "  md5 " in text
    assert "no published checksum" in cdp("data", "show", "hint")[1]
    _, text, _ = cdp("data", "show", "gdsc-pocket", "--json")
    assert json.loads(text)["files"][0]["urls"]


def test_data_are_fetched_and_verified_through_download(cdp, monkeypatch, tmp_path):
    asked = []

    def fetch(ids, edition, unpin):
        asked.append((ids, edition, unpin))
        print("Licence: CC0")
        return [tmp_path / "a", tmp_path / "b"]

    states = [
        download.Verified("gdsc-pocket", "GDSC_IC50.csv", "ok"),
        download.Verified("hint-hi2012", "hint+hi2012_edge_list", "corrupt"),
    ]
    monkeypatch.setattr(download, "fetch", fetch)
    monkeypatch.setattr(download, "verify", lambda ids: states)
    assert cdp("data", "fetch", "hint", "--edition", "pocket")[:2] == (
        0,
        "Licence: CC0\n2 files are here and verified.\n",
    )
    assert cdp("data", "fetch", "--edition", "official", "--unpin")[0] == 0
    assert asked == [(["hint"], "pocket", False), (None, "official", True)]
    _, text, told = cdp("data", "fetch", "hint", "--json")
    assert json.loads(text)["files"] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert told == "Licence: CC0\n"
    code, out, _ = cdp("data", "verify")
    assert code == 1 and "corrupt" in out and "cdp data fetch hint-hi2012 --edition pocket" in out
    code, text, _ = cdp("data", "verify", "--json")
    assert code == 1 and json.loads(text)[1]["state"] == "corrupt"
    states.pop()
    assert cdp("data", "verify", "gdsc-pocket")[0] == 0


def test_the_teaching_cohort_is_written_where_asked(cdp, tmp_path, monkeypatch):
    from cdp_lib.data import teaching

    asked = []
    monkeypatch.setattr(teaching, "write", lambda folder, **sizes: asked.append(sizes) or folder)
    monkeypatch.setattr(teaching, "root", lambda **sizes: asked.append(sizes) or "the cache")
    _, out, _ = cdp("data", "teach", "--out", str(tmp_path / "exam"), "--lines", "100")
    assert str(tmp_path / "exam") in out and "simulated" in out
    assert "the cache" in cdp("data", "teach")[1]
    defaults = {"lines": 240, "genes": 600, "perturbed": 300, "drugs": 60, "seed": 0}
    _, text, _ = cdp("data", "teach", "--seed", "7", "--json")
    assert json.loads(text) == defaults | {"seed": 7, "folder": "the cache"}
    assert asked == [defaults | {"lines": 100}, defaults, defaults | {"seed": 7}]


def test_every_data_command_speaks_json():
    for name, command in cli.cdp.commands["data"].commands.items():
        assert "--json" in [flag for option in command.params for flag in option.opts], name


def test_the_settings_of_the_help_work(book, repository):
    from cdp_book.runner import effective

    words = inspect.getdoc(cli.run.callback).split("--set ")
    for text in [part.split()[0] for part in words[1:]]:
        name, value = cli._setting(text)
        for chapter in (repository / "notebooks").glob("*.ipynb"):
            assert effective(chapter, {name: value})[name] == value


def test_claims_are_printed_for_people_and_programs(cdp):
    _, out, _ = cdp("claims", "xia2018")
    assert out.startswith("xia2018-C001  Table 1: ") and "None" not in out
    _, text, _ = cdp("claims", "xia2018", "--json")
    assert json.loads(text)[0]["claim"] == "xia2018-C001"


def test_conclusions_are_printed_for_people_and_programs(cdp):
    _, out, _ = cdp("claims", "--conclusions", "wang2022")
    assert out.startswith("wang2022-K1  ") and "\n7 conclusions: " in out
    _, text, _ = cdp("claims", "--conclusions", "--json")
    rows = json.loads(text)
    assert len(rows) == 28 and {"id", "status", "rule", "evidence"} <= set(rows[0])
    code, _, error = cdp("claims", "--conclusions", "nobody2021")
    assert code == 2 and "nobody2021" in error


def test_predictions_are_scored_anew_from_their_file_alone(cdp, tmp_path):
    rng = np.random.default_rng(0)
    Y = pd.DataFrame(rng.normal(size=(12, 4))).add_prefix("drug ")
    cohort = SimpleNamespace(Y=Y, name="drawn", edition="own")
    P = cross_predict({}, cohort, leave_pairs_out(cohort, 3))
    P.write(tmp_path / "p.npz")
    arguments = ("rescore", str(tmp_path / "p.npz"), "--metric", "rmse", "--axis", "line")
    code, out, _ = cdp(*arguments)
    expected = P.summary("rmse", "line").set_index("model")["mean"]
    assert code == 0 and "drawn (own)" in out
    assert f"line mean          none   {expected['line mean']:.4g}" in out
    code, out, _ = cdp(*arguments, "--json")
    rows = {row["model"]: row["mean"] for row in json.loads(out)}
    assert code == 0 and rows == pytest.approx(expected.to_dict(), rel=1e-12)
    (tmp_path / "p.npz").write_text("Dear reader")
    code, _, err = cdp(*arguments)
    assert code == 2 and err.startswith("cdp: ") and "p.npz" in err
    code, _, err = cdp("rescore", str(tmp_path / "none.npz"))
    assert code == 2 and "none.npz" in err and err.count("\n") == 1


def test_the_doctor_says_what_to_do(cdp, monkeypatch, tmp_path):
    monkeypatch.setenv("CDP_MIRROR", str(tmp_path / "gone"))
    code, out, _ = cdp("doctor")
    assert code == 1
    assert "-> no such folder: correct or unset CDP_MIRROR" in out
    for word in ("python", "torch", "device", "threads", "memory", "disk", "cache"):
        assert word in out
    assert "network" not in out


def test_the_doctor_finds_a_cache_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "file" / "cache"))
    lines = {line.what: line for line in doctor.examine()}
    assert "set CDP_CACHE" in lines["cache"].todo


def test_the_doctor_asks_each_host_once_and_only_when_told(monkeypatch):
    import requests

    asked = []

    def head(address, timeout):
        asked.append(address)
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "head", head)
    doctor.examine()
    assert asked == []
    lines = [line for line in doctor.examine(network=True) if line.what == "network"]
    assert len(asked) == len(set(asked)) == len(lines) > 0
    assert all("set CDP_MIRROR" in line.todo for line in lines)


def test_an_input_error_from_anywhere_is_told_without_a_traceback(cdp, monkeypatch):
    def broken(network):
        raise InputError("the sky fell: look up.")

    monkeypatch.setattr(doctor, "examine", broken)
    assert cdp("doctor") == (2, "", "cdp: the sky fell: look up.\n")
    monkeypatch.setattr(doctor, "examine", lambda network: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cdp("doctor")[::2] == (130, "\ncdp: stopped.\n")


def test_a_reader_that_leaves_early_is_no_error():
    command = f"set -o pipefail; {sys.executable} -m cdp_book.cli %s | head -1"
    for words in ("data list --json", "data list", "claims"):
        bash = ["bash", "-c", command % words]
        done = subprocess.run(bash, capture_output=True, text=True)
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)


@pytest.mark.parametrize(("to", "code"), [(">&-", 0), ("> /dev/full", 2)])
def test_an_output_that_takes_nothing_is_no_traceback(to, code):
    command = f"{sys.executable} -m cdp_book.cli data list {to}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr == "" if code == 0 else done.stderr.startswith("cdp: ")


def test_any_other_exit_keeps_its_status(cdp, monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda network: sys.exit(3))
    with pytest.raises(SystemExit, match="3"):
        cdp("doctor")


def test_help_does_not_wait_for_torch():
    heavy = "{'torch', 'pandas', 'rdkit'}"
    command = f"import cdp_book.cli, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
