"""What the README shows is true: its code runs, its figure is the current one, its files exist."""

import re
from pathlib import Path

import pytest

from cdp_book.cli import cdp
from cdp_book.signature import signature


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text()


def test_the_code_runs(readme, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", readme, flags=re.S)
    exec(code.replace('data="pocket"', 'data="teaching"'), {})
    assert "mean effects" in capsys.readouterr().out


def test_the_figure_is_drawn_from_the_ledger_and_the_records(repository, tmp_path):
    committed = repository / "book" / "_static" / "signature.svg"
    assert words(committed) == words(signature(tmp_path / "signature.svg")), (
        "the records changed: draw it again with cdp_book.signature.signature"
    )


def words(figure: Path) -> list[str]:
    """What the figure says; lines and points differ with matplotlib's version."""
    return re.findall(r"<text[^>]*>(.*?)</text>", figure.read_text(), flags=re.S)


def test_links_and_commands_exist(readme, repository):
    for target in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (repository / target).exists(), target
    for command in re.findall(r"`cdp (\w+)", readme):
        assert command in cdp.commands, command
    targets = re.findall(r"^(\w+):", (repository / "Makefile").read_text(), flags=re.M)
    assert set(re.findall(r"^make (\w+)", readme, flags=re.M)) <= set(targets)


def test_it_fits_one_screen(readme):
    assert len(readme.splitlines()) < 60
