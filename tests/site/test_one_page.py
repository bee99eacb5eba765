"""One small chapter, rendered alone: folds hold what they should, and comments are gone."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cdp_book import build, notebook


def markdown(text: str, *tags: str) -> dict:
    name = f"m{len(text)}"
    return {"cell_type": "markdown", "id": name, "metadata": {"tags": [*tags]}, "source": text}


def code(text: str, printed: str, *tags: str) -> dict:
    output = {"output_type": "stream", "name": "stdout", "text": printed}
    return {
        "cell_type": "code",
        "id": f"c{len(text)}{len(printed)}",
        "metadata": {"tags": [*tags]},
        "execution_count": 1,
        "source": text,
        "outputs": [output],
    }


CELLS = [
    markdown("# A small chapter\n\nOf 0.14<!--= r2 --> there is no comment."),
    code('profile = "quick"\ndata = "teaching"\nseed = 0', "", "parameters"),
    markdown("## A section\n\nBefore the fold."),
    markdown("**Deeper: why it is so.**\n\nFirst *words* in the fold.", "deeper"),
    code("deep_code()", "deep output", "deeper"),
    markdown("- last words in the fold\n- and $x^2$", "deeper"),
    markdown("After the fold."),
    code("check_1(answer)", "not attempted yet", "check"),
    code("solve()", "the solution's output", "solution"),
]


class Folds(HTMLParser):
    """The text inside of each `details`, and outside of all."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.inside, self.outside = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "details":
            self.open.append([dict(attributes).get("class") or "", ""])

    def handle_endtag(self, tag):
        if tag == "details":
            self.inside.append(self.open.pop())

    def handle_data(self, data):
        for fold in self.open:
            fold[1] += data
        if not self.open:
            self.outside += data


@pytest.fixture(scope="module")
def page(repository: Path, tmp_path_factory) -> str:
    root = tmp_path_factory.mktemp("one")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(repository / name, root)
    for name in ("_static", "_templates", "_extra"):
        shutil.copytree(repository / "book" / name, root / "book" / name)
    shutil.copy(repository / "book" / "references.bib", root / "book")
    chapter = {"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for folder in ("notebooks", "executed"):
        (root / folder).mkdir()
        notebook.write(root / folder / "80_own.ipynb", json.loads(json.dumps(chapter)))
    path = build.preview(root, root / "executed", root / "out", "80_own")
    return path.read_text(encoding="utf-8")


def test_a_deeper_fold_holds_its_words_its_code_and_its_outputs(page):
    folds = Folds(page)
    (deeper,) = [text for kind, text in folds.inside if kind == "deeper"]
    assert deeper.lstrip().startswith("Deeper: why it is so")
    for inside in ("First words in the fold.", "deep_code", "deep output", "last words"):
        assert inside in deeper, inside
    for outside in ("Before the fold.", "After the fold."):
        assert outside in folds.outside and outside not in deeper, outside
    assert "**Deeper" not in page and not folds.open


def test_the_check_is_folded_and_what_it_says_is_not(page):
    folds = Folds(page)
    assert "not attempted yet" in folds.outside and "check_1" not in folds.outside
    assert "Show the check" in page and "Show the solution" in page
    assert "the solution's output" not in folds.outside


def test_comments_are_gone_and_the_foot_is_there(page):
    assert "Of 0.14 there is" in page and "<!--=" not in page
    assert "executed by this build on simulated data" in Folds(page).outside
