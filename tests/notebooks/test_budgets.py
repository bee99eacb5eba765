"""A chapter can be read in one sitting: `cdp_book.budgets` says what each of them holds."""

from pathlib import Path

import pytest

from cdp_book import budgets

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# Chapters that are still too long; whoever shortens one takes its line away.
OVER_BUDGET: list[str] = []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_keeps_to_its_budget(chapter):
    page = budgets.measure(chapter)
    if page.name in OVER_BUDGET:
        assert page.faults, f"{page.name} keeps to its budget: take it off the list OVER_BUDGET"
    else:
        assert page.faults == []


def test_every_name_on_the_list_is_a_chapter():
    assert set(OVER_BUDGET) <= {path.stem for path in CHAPTERS}


def cell(source, *tags, kind="code"):
    return {"cell_type": kind, "id": "x", "source": source, "metadata": {"tags": list(tags)}}


QUIZ = (
    '<div class="quiz" role="group" aria-label="Predict">\n<p><strong>Predict.</strong> Why?</p>\n'
    "<details><summary>r &lt; 0</summary><p>No. It is above.</p></details>\n"
    "<details><summary>r above 0</summary><p>Yes. It is.</p></details>\n</div>"
)


def test_a_well_formed_quiz_has_no_fault():
    assert list(budgets.faults_of_quiz(QUIZ)) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("Yes. It is.", "No. It is not.", '"Yes"'),
        ("No. It is above.", "Yes. It is above.", '"Yes"'),
        ("No. It is above.", "It is above.", '"No"'),
        ("\n<details>", "\n\n<details>", "blank line"),
        ("r &lt; 0", "r < 0", "bare <"),
        ("r &lt; 0", "R & D", "bare <"),
        ("</details>\n</div>", "</div>", "not closed"),
        ('role="group" ', "", "lacks role"),
    ],
)
def test_each_damage_of_a_quiz_is_named(good, bad, fault):
    assert good in QUIZ
    assert any(fault in said for said in budgets.faults_of_quiz(QUIZ.replace(good, bad)))


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("x = 1\n" * 20, "21 visible lines"),
        ("x = " + "1" * 77, "81 columns"),
        ("assert x", "assert"),
        ("c.record('a', 1)", "c.record"),
        ("if x:\n    c.figure(y, 'a', 'b')", "c.figure"),
    ],
)
def test_visible_code_that_a_reader_need_not_see_is_named(source, fault):
    assert any(fault in said for said in budgets.faults_of_code(cell(source)))


def test_what_counts_as_words_and_figures():
    prose = "Two **words** <!-- not these --> {cite:p}`dong2020`.\n```python\nnor = these\n```\n"
    assert budgets.words(cell(prose, kind="markdown")) == 2
    assert budgets.words(cell('c.say(f"the score is {x:.2f} here")')) == 4
    assert budgets.figures(cell("c.figure(a, 'b', 'c')\nc.figure(d, 'e', 'f')")) == 2
    assert budgets.figures(cell("![a drawing](x.svg)", kind="markdown")) == 1


def test_an_exercise_without_code_only_names_an_answer():
    assert budgets.without_code(cell('answer = "?"  # a, b or c', "exercise"))
    assert not budgets.without_code(cell("answer = ...", "exercise"))
    assert budgets.without_code(cell(f"### Exercise\n\n{QUIZ}", "exercise", kind="markdown"))
    assert not budgets.without_code(cell(QUIZ, "quiz", kind="markdown"))


def test_folded_cells_are_not_seen(tmp_path):
    from cdp_book import notebook

    long = "x = 1\n" * 300
    folded = [cell(long, tag) for tag in ("hide-input", "deeper", "check", "solution")]
    notebook.write(tmp_path / "05_x.ipynb", {"cells": [*folded, cell("x = 1"), cell("", "quiz")]})
    counts = budgets.measure(tmp_path / "05_x.ipynb").counts
    assert (counts["visible lines"], counts["lines"]) == (1, 1205)
