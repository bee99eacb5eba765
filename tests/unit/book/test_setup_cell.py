"""setup_cell.py: installs the library where it is missing, and nothing anywhere else."""

import importlib.util
import subprocess
import sys

import pytest

from cdp_book.setup_cell import setup_cell

CELL = setup_cell("https://github.com/someone/book/")


@pytest.fixture
def pip(monkeypatch) -> list[list[str]]:
    """The commands that the cell would run; the last one's exit code is 0."""
    commands = []

    def run(command, *, capture_output, text):
        assert capture_output and text  # what pip says is no part of a page
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "a warning")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.delenv("CDP_INSTALL", raising=False)
    return commands


@pytest.fixture
def without_library(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_where_the_library_is_the_cell_does_nothing(pip):
    exec(CELL, {})
    assert pip == []


def test_where_it_is_missing_one_quiet_pip_install_runs(pip, without_library, capfd):
    exec(CELL, {})
    source = "cdp-lib @ git+https://github.com/someone/book@main"
    assert pip == [[sys.executable, "-m", "pip", "install", "--quiet", "--no-color", source]]
    assert capfd.readouterr() == ("", "")


def test_another_source_may_be_named(pip, without_library, monkeypatch):
    monkeypatch.setenv("CDP_INSTALL", "/some/folder")
    exec(CELL, {})
    assert pip[0][-1] == "/some/folder"


def test_a_failing_pip_is_one_sentence_with_the_way_out(without_library, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "progress " * 100 + "no such host")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match="^pip .*no such host$"):
        exec(CELL, {})
