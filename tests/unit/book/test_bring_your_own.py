"""The page "Bring your own data and model": its code runs, block after block."""

import re
from pathlib import Path

import pandas as pd
import pytest

from cdp_book.cli import cdp as commands
from cdp_lib import load


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "book" / "bring_your_own.md").read_text()


def test_the_page_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    teaching = {"lines": 90, "genes": 200, "perturbed": 81, "drugs": 60}
    cohort = load("drug-response", omics=["expression"], **teaching)
    spelled = cohort.lines["name"]
    response = cohort.Y.rename(spelled)
    pd.concat([response, response.iloc[:3]]).to_csv("response.csv")
    cohort.X("expression").rename(spelled).to_csv("expression.csv")
    sizes = ", ".join(f"{name}={size}" for name, size in teaching.items())
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.S):
        exec(block.replace('line_names("pocket")', f'line_names("teaching", {sizes})'), names)
    out = capsys.readouterr().out
    assert names["cohort"].Y.shape == cohort.Y.shape
    for words in ("lines have a DepMap id", "Leave lines out", "top gene", "share"):
        assert words in out
    assert Path("predictions.npz").stat().st_size < 1e6


def test_its_commands_exist(page):
    for command in re.findall(r"^cdp (\w+)", page, flags=re.M):
        assert command in commands.commands
