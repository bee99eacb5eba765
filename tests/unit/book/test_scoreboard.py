"""The scoreboard page: complete, accessible without JavaScript, the same for the same input."""

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cdp_book import claims_text, findings, recording, scoreboard
from cdp_lib import claims
from cdp_lib.claims import conclusions

BOOK = Path(__file__).resolve().parents[3] / "book"
CHAPTER = "04_multi_omics_attention"


class Page(HTMLParser):
    """Tags with their attributes, and which of them were closed wrongly."""

    VOID = ("link", "br", "input", "rect", "line", "circle", "polygon")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.wrong, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def html_of(text):
    return Page("".join(re.findall(r"(?s)`{3,}\{raw\} html\n(.*?)\n`{3,}\n", text)))


@pytest.fixture(scope="module")
def text():
    return scoreboard.page(BOOK)


@pytest.fixture(scope="module")
def html(text):
    return html_of(text)


def test_every_claim_and_every_conclusion_has_one_row_with_its_anchor(html):
    rows = [row for row in html.all("tr") if "id" in row]
    found = [row["id"] for row in rows]
    wanted = [claim.id for claim in claims.claims(folder=BOOK)]
    wanted += [each.id for each in conclusions.conclusions(folder=BOOK)]
    assert sorted(found) == sorted(wanted) and len(wanted) == 338
    targets = {link.get("href") for link in html.all("a")}
    assert {f"#{id}" for id in wanted} <= targets


def test_conclusions_come_before_scores_and_scores_before_counts(text):
    first = [text.index(id) for id in ('id="wang2022-K1"', 'id="wang2022-C020"')]
    assert [*first, text.index('id="wang2022-C137"')] == sorted(
        [*first, text.index('id="wang2022-C137"')]
    )


def test_the_tables_are_well_formed_and_labelled(html):
    assert not html.wrong and not html.open
    assert all("scope" in head for head in html.all("th"))
    labels = {label["for"] for label in html.all("label")}
    fields = [*html.all("select"), *html.all("input")]
    assert labels == {field["id"] for field in fields} and len(labels) == 6
    ids = [attributes["id"] for _, attributes in html.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all("data-label" in cell for cell in html.all("td")), "a card names its lines"


def test_without_javascript_the_choices_are_hidden_and_the_rows_are_not(html):
    (form,) = html.all("form")
    assert "hidden" in form
    assert not [row for row in html.all("tr") if "hidden" in row]
    (count,) = [tag for _, tag in html.tags if "aria-live" in tag]
    assert count["aria-live"] == "polite"


def test_a_verdict_is_a_word_and_a_shape_of_its_own(html):
    for shapes in (scoreboard.SHAPES, conclusions.MARKS):
        assert len(set(shapes.values())) == len(shapes)
    shown = [tag for tag in html.all("span") if "verdict" in tag.get("class", "").split()]
    assert len(shown) >= 338


def test_papers_have_names_and_those_without_a_run_are_folded_into_one_line(html):
    words = " ".join(html.words)
    assert "Wang et al. 2022" in words and "wang2022" not in words
    ran = {row.split("-")[0] for row in _ran()}
    folded = sum("open" not in tag for tag in html.all("details"))
    assert folded >= 2 * (5 - len(ran))


def _ran():
    return set(claims.standing(BOOK).query("verdict != 'not run'")["claim"])


def count(html, **wanted):
    rows = [row for row in html.all("tr") if "data-claim" in row]
    return sum(
        all(value in row[f"data-{k}"].split("|") for k, value in wanted.items()) for row in rows
    )


def test_every_page_counts_the_same(html):
    """The table of counts, the filters, the welcome page and the terminal."""
    counts = claims.summary(BOOK).sum()
    for verdict, number in counts.items():
        assert count(html, verdict=verdict) == number
    sums = claims.summary(BOOK, arithmetic=True).sum()
    for verdict, number in sums.items():
        assert count(html, arithmetic=verdict) == number
    rows = [row for row in html.all("tr") if "data-claim" in row]
    by = [row["data-checked"].split() for row in rows]
    run = sum("none" not in ways for ways in by)
    assert run == counts.sum() - counts["not run"]
    assert sum("arithmetic" in ways for ways in by) == sums.sum() > 0
    told = findings.state()
    assert f"{counts.sum()} numbers, of which {run} have been run" in told
    printed = claims_text.text(folder=BOOK)
    assert f"{counts['not comparable']} not comparable, {counts['not run']} not run" in printed


def test_conclusions_are_counted_alike_everywhere(html):
    statuses = conclusions.decided(folder=BOOK)["status"].value_counts()
    rows = [row["data-status"] for row in html.all("tr") if "data-status" in row]
    printed = claims_text.conclusions_text(folder=BOOK).splitlines()[-1]
    for status, number in statuses.items():
        assert rows.count(status) == number and f"{number} {status}" in printed


def test_nothing_is_printed_where_nothing_is_known(html):
    assert not [words for words in html.words if words.strip() in ("nan", "None", "NaN")]


def test_every_choice_stands_in_some_row(html):
    values = {option["value"] for option in html.all("option")} - {""}
    rows = [row for row in html.all("tr") if "data-claim" in row or "data-conclusion" in row]
    present = set(scoreboard.SORTS) | set(claims.papers(BOOK))
    for row in rows:
        present |= {row.get(f"data-{name}") for name in ("verdict", "arithmetic", "status")}
        present |= set(row.get("data-checked", "").split())
    assert values <= present and {"arithmetic", "pocket", "none"} <= values


@pytest.fixture
def shelf(tmp_path):
    """A book with one paper and no records."""
    book = tmp_path / "book"
    (book / "claims").mkdir(parents=True)
    shutil.copy(BOOK / "claims/wang2022.toml", book / "claims")
    return book


def row_of(page, id):
    return page[page.index(f'<tr id="{id}"') :].partition("</tr>")[0]


def test_a_row_has_all_that_a_researcher_asks_for(shelf):
    same = {"metric": "r2", "axis": "perturbation", "split": "leave lines out", "edition": "pocket"}
    why = {"reason": "274 lines, not 522; <another> release", "comparable": False}
    claim = {"claim": "wang2022-C020"}
    given = [
        claim | why | {"key": "a/x", "value": 0.114, "sd": 0.03, "protocol": "repaired"}
        | {"floor": 0.06, "ceiling": 0.68, "share": 0.087},
        {"key": "a/mean", "value": 0.06, "baseline": True},
        claim | why | {"key": "a/leak", "value": 0.909, "protocol": "as_published"},
    ]  # fmt: skip
    recording.write_record(shelf / f"results/{CHAPTER}/pocket", [same | r for r in given], [], {})
    page = scoreboard.page(shelf)
    row = row_of(page, "wang2022-C020")
    assert 'data-label="Reported">0.90<small>±&nbsp;0.01</small><' in row
    assert 'data-label="Our reading">0.909<' in row
    free = "0.114<small>±&nbsp;0.030</small><small>9 % of the range</small>"
    assert f'data-label="Leak-free">{free}' in row
    assert 'data-label="Floor to ceiling">0.06 to 0.68<' in row
    assert 'data-verdict="not comparable"' in row and "&lt;another&gt; release" in row
    assert '<svg class="marks strip"' in row and "as published" not in row
    assert page == scoreboard.page(shelf)
    assert 'href="../notebooks' not in page, "there is no such chapter here"
    (shelf.parent / "notebooks").mkdir()
    (shelf.parent / f"notebooks/{CHAPTER}.ipynb").write_text("{}")
    page = scoreboard.page(shelf)
    assert f'<a href="../notebooks/{CHAPTER}.html">chapter 04</a>' in page
    assert f"cdp run {CHAPTER} --profile full --data official --record" in page


def test_floor_and_ceiling_come_from_the_same_run_in_another_table(shelf):
    about = {"metric": "r2", "axis": "perturbation", "split": "leave lines out", "n": 3}
    about |= {"edition": "pocket", "protocol": "repaired", "sd": 0.03}
    rows = [
        about | {"key": "Table 2/five", "value": 0.1137, "claim": "wang2022-C020"},
        about | {"key": "rivals/five", "value": 0.1137, "floor": 0.06, "ceiling": 0.45},
        about | {"key": "rivals/other", "value": 0.1138, "floor": 0.02, "ceiling": 0.99},
    ]
    recording.write_record(shelf / f"results/{CHAPTER}/pocket", rows, [], {})
    row = row_of(scoreboard.page(shelf), "wang2022-C020")
    assert 'data-label="Floor to ceiling">0.06 to 0.45<' in row


def test_a_reason_that_a_whole_table_shares_is_said_once(shelf):
    rows = [
        {"key": id, "value": 0.5, "claim": f"wang2022-{id}", "edition": "pocket",
         "comparable": False, "reason": f"other lines; only {id}"}
        for id in ("C017", "C018", "C019", "C020")
    ]  # fmt: skip
    recording.write_record(shelf / f"results/{CHAPTER}/pocket", rows, [], {})
    page = scoreboard.page(shelf)
    assert page.count("other lines") == 1
    assert "only C020" in row_of(page, "wang2022-C020")


def test_a_check_by_arithmetic_has_a_verdict_of_its_own(shelf):
    row = row_of(scoreboard.page(shelf), "wang2022-C019")
    assert 'data-verdict="not run" data-arithmetic="not reproduced"' in row
    assert 'data-checked="none arithmetic"' in row and "2.63, the mean over" in row


def test_a_decided_conclusion_shows_its_mark_its_numbers_and_its_leak(shelf):
    rule = conclusions.conclusion("wang2022-K4", shelf)
    numbers = {"gain": -0.01, "low": -0.03, "high": 0.01, "unit": "drugs", "n": 55, "p": 0.4}
    found = [
        numbers | {"comparison": rule.comparisons[0], "leaky": False},
        numbers | {"comparison": rule.comparisons[0], "leaky": True, "gain": 0.5},
    ]
    record = {"key": "k", "value": "holds only with the leak", "edition": "pocket"}
    record |= {"conclusion": rule.id, "evidence": found, "reason": "Both are means."}
    recording.write_record(shelf / f"results/{CHAPTER}/pocket", [record], [], {})
    page = scoreboard.page(shelf)
    row = row_of(page, "wang2022-K4")
    assert 'data-status="holds only with the leak"' in row and "Both are means." in row
    assert "−0.010 (−0.030 to 0.010) over 55 drugs, corrected p 0.40" in row
    assert "<small>leak-free alone: undecided</small>" in row
    assert "With the leak: " in row and '<svg class="marks interval"' in row
    picture = page.partition('class="scoreboard-picture"')[2].partition("</ol>")[0]
    assert picture.count("<li>") == 7 and rule.short in picture
    assert '<span class="slot-4">◐</span>' in picture


def test_the_page_states_every_tolerance(text):
    for metric, (size, _) in scoreboard.TOLERANCES.items():
        assert not size or scoreboard.METRICS.get(metric, metric) in text


def test_nothing_is_fetched_from_elsewhere(html):
    for tag, name in (("script", "src"), ("link", "href")):
        for found in html.all(tag):
            assert found[name].startswith("../_static/scoreboard.")
            assert (BOOK / "_static" / Path(found[name]).name).exists()


def test_the_downloads_hold_every_row(tmp_path, html):
    scoreboard.write_downloads(tmp_path, BOOK)
    linked = {a["href"].rpartition("/")[2] for a in html.all("a") if "download" in a}
    assert linked == {path.name for path in tmp_path.iterdir()} and len(linked) == 4
    for name, number in (("claims", 310), ("conclusions", 28)):
        rows = json.loads((tmp_path / f"scoreboard_{name}.json").read_text())
        with (tmp_path / f"scoreboard_{name}.csv").open() as file:
            flat = list(csv.DictReader(file))
        assert len(rows) == len(flat) == number and set(rows[0]) == set(flat[0])
    first = next(row for row in flat if row["id"] == "wang2022-K1")
    assert first["status"] in conclusions.STATUSES
