"""dressing.py: folds, labels and the foot of a page."""

import pytest

from cdp_book import dressing
from cdp_lib.errors import InputError


def code(text: str, *tags: str, html: str = "") -> dict:
    shown = {"output_type": "display_data", "data": {"text/html": html}, "metadata": {}}
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)} if tags else {},
        "source": text,
        "outputs": [shown] * bool(html),
    }


def words(text: str, *tags: str) -> dict:
    return {
        "cell_type": "markdown",
        "id": text[:8],
        "metadata": {"tags": list(tags)},
        "source": text,
    }


@pytest.mark.parametrize(
    ("cell", "fold", "label"),
    [
        (code("3", "solution"), "hide-cell", "Show the solution"),
        (code("import os", "setup"), "hide-input", "Show the set-up code"),
        (code("check(1)", "check"), "hide-input", "Show the check"),
        (code("p = 1", "parameters"), "hide-input", "Show the parameters"),
        (code("p = 1", "injected-parameters"), "hide-input", "Show the parameters of this run"),
        (code("f()", "hide-input", html="<figure></figure>"), "hide-input", "Show how it is drawn"),
        (code("f()", "hide-input", html="<table></table>"), "hide-input", "Show the code"),
    ],
)
def test_what_is_folded_says_what_it_is(cell, fold, label):
    dressing.dress(cell)
    assert fold in cell["metadata"]["tags"]
    assert cell["metadata"]["mystnb"]["code_prompt_show"] == label


def test_a_plain_cell_is_left_alone():
    cell = code("1", html="<figure></figure>")
    dressing.dress(cell)
    assert cell["metadata"] == {}


def test_a_run_of_deeper_cells_becomes_one_fold():
    cells = [
        words("before"),
        words("**Deeper: why <r> is 0.**\n\nBecause.", "deeper"),
        code("f()", "deeper"),
        words("So.", "deeper"),
        words("after"),
        words("**Deeper: more**", "deeper"),
    ]
    told = [cell["source"] for cell in dressing.with_folds(cells, "80_own")]
    assert told == [
        "before",
        '<details class="deeper"><summary>Deeper: why &lt;r&gt; is 0</summary>',
        "Because.",
        "f()",
        "So.",
        "</details>",
        "after",
        '<details class="deeper"><summary>Deeper: more</summary>',
        "</details>",
    ]
    names = [cell["id"] for cell in dressing.with_folds(cells, "80_own") if "id" in cell]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "cells",
    [
        [words("No title.", "deeper")],
        [code("f()", "deeper")],
        [words("**Deeper: more.**", "deeper"), words("### A heading", "deeper")],
    ],
)
def test_a_fold_without_a_title_or_with_a_heading_is_refused(cells):
    with pytest.raises(InputError, match="80_own"):
        dressing.with_folds(cells, "80_own")


def test_the_foot_says_when_from_what_and_how_to_repeat_it():
    provenance = {
        "date": "2026-03-04T05:06:07+00:00",
        "python": "3.11.2",
        "versions": {"torch": "2.6.0", "numpy": "2.0.1"},
        "profile": "teach",
        "seed": 7,
    }
    foot = dressing.recorded_foot(provenance, "pocket", "cdp run a --record")
    for fact in ("4 March 2026", "real measurements", "teach", "seed 7", "3.11.2", "torch 2.6.0"):
        assert fact in foot
    assert "<code>cdp run a --record</code>" in foot


def test_the_foot_of_an_executed_page_calls_simulated_data_simulated():
    foot = dressing.executed_foot({"data": "teaching", "profile": "quick", "seed": 0}, "cdp run a")
    assert "simulated data" in foot and "quick" in foot and "<code>cdp run a</code>" in foot


FIGURE = "<figure><svg></svg></figure>"


def table(rows, caption="Scores"):
    return f"<table><caption>{caption}</caption>{'<tr><td>1</td></tr>' * rows}</table>"


@pytest.mark.parametrize(
    ("outputs", "folded"),
    [
        ([FIGURE, table(9)], [False, True]),
        ([table(9), FIGURE], [False, False]),  # what comes first is what the cell is about
        ([FIGURE, table(4)], [False, False]),
        ([table(9)], [False]),
        ([FIGURE, table(9), table(9)], [False, True, True]),
    ],
)
def test_a_long_table_below_a_figure_is_folded_under_its_caption(outputs, folded):
    shown = [{"output_type": "display_data", "data": {"text/html": html}} for html in outputs]
    cell = {"cell_type": "code", "metadata": {"tags": ["hide-input"]}, "outputs": shown}
    dressing.dress(cell)
    pages = [output["data"]["text/html"] for output in cell["outputs"]]
    assert [page.startswith("<details") for page in pages] == folded
    for page, html in zip(pages, outputs, strict=True):
        assert html in page and ("<summary>In numbers: Scores" in page) == (page != html)
