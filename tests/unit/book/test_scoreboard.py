"""The scoreboard page: complete, accessible without JavaScript, the same for the same input."""

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cdp_book import recording, scoreboard
from cdp_lib import claims

BOOK = Path(__file__).resolve().parents[3] / "book"


class Page(HTMLParser):
    """Tags with their attributes, and which of them were closed wrongly."""

    VOID = ("link", "br", "input")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.wrong, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def text():
    return scoreboard.page(BOOK)


@pytest.fixture(scope="module")
def html(text):
    return Page(text.partition("```{raw} html\n")[2].rpartition("```")[0])


def test_every_claim_has_its_row(html):
    rows = [row["data-claim"] for row in html.all("tr") if "data-claim" in row]
    assert {*rows} == {claim.id for claim in claims.claims(folder=BOOK)}


def test_the_tables_are_well_formed_and_labelled(html):
    assert not html.wrong and not html.open
    assert len(html.all("table")) == len(html.all("caption")) == 6
    assert all("scope" in head for head in html.all("th"))
    assert len(scoreboard.HEADS) <= 7
    for box in html.all("div"):
        if box.get("role") == "region":
            assert box["tabindex"] == "0" and box["aria-label"]
    labels = {label["for"] for label in html.all("label")}
    assert labels == {select["id"] for select in html.all("select")}
    ids = [attributes["id"] for _, attributes in html.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_without_javascript_the_filters_are_hidden_and_the_rows_are_not(html):
    (form,) = html.all("form")
    assert "hidden" in form
    assert not [row for row in html.all("tr") if "hidden" in row]
    (count,) = [tag for tag in html.all("p") if "aria-live" in tag]
    assert count["aria-live"] == "polite"


def test_a_verdict_is_a_word_and_a_shape_of_its_own(html):
    assert len(set(scoreboard.SHAPES.values())) == len(claims.VERDICTS)
    shown = [tag for tag in html.all("span") if "verdict" in tag.get("class", "").split()]
    assert len(shown) >= 310 + len(claims.VERDICTS)


def test_every_row_can_be_found_by_the_filter_of_editions(html):
    """A claim that no run has met, or that needs no data, has an option of its own."""
    rows = [row for row in html.all("tr") if "data-claim" in row]
    options = {option["value"] for option in html.all("option")}
    assert {row["data-edition"] for row in rows} <= options - {""}
    unrecorded = {row["data-claim"] for row in rows if row["data-edition"] == "unrecorded"}
    known = {record.claim for record in claims.records(BOOK)}
    assert unrecorded == {claim.id for claim in claims.claims(folder=BOOK)} - known


@pytest.fixture
def shelf(tmp_path):
    """A book with one paper and no records."""
    book = tmp_path / "book"
    (book / "claims").mkdir(parents=True)
    shutil.copy(BOOK / "claims/wang2022.toml", book / "claims")
    return book


def test_arithmetic_is_counted_in_a_row_of_its_own(shelf):
    assert "By arithmetic" not in scoreboard.page(shelf)
    sums = {"key": "a", "value": 1, "claim": "wang2022-C145", "protocol": "arithmetic"}
    recording.write_record(shelf / "results/04_a/pocket", [sums | {"edition": "pocket"}], [], {})
    page = scoreboard.page(shelf)
    assert (
        '<tr><th scope="row">By arithmetic, without data</th>'
        "<td>1</td><td>0</td><td>0</td><td>1</td><td>0</td><td>0</td></tr>"
    ) in page
    row = next(line for line in page.splitlines() if 'data-claim="wang2022-C145"' in line)
    assert 'data-edition="arithmetic"' in row and "<small>by arithmetic, no data</small>" in row
    assert '<option value="arithmetic">by arithmetic, no data</option>' in page
    assert "<td>149</td><td>0</td><td>0</td><td>0</td><td>0</td><td>149</td></tr>" in page


def test_the_page_states_every_tolerance(text):
    rules = text.partition("```")[0]
    for metric, (size, _) in scoreboard.TOLERANCES.items():
        assert not size or scoreboard.METRICS.get(metric, metric) in rules


def test_nothing_is_fetched_from_elsewhere(html):
    for tag, name in (("script", "src"), ("link", "href")):
        assert all(found[name].startswith("../_static/scoreboard.") for found in html.all(tag))
        for found in html.all(tag):
            assert (BOOK / "_static" / Path(found[name]).name).exists()


def test_ours_stand_beside_the_reported_with_edition_protocol_and_baseline(tmp_path):
    book = tmp_path / "book"
    (book / "claims").mkdir(parents=True)
    for path in (BOOK / "claims").glob("wang2022.toml"):
        (book / "claims" / path.name).write_bytes(path.read_bytes())
    same = {"metric": "r2", "axis": "perturbation", "split": "leave lines out", "edition": "pocket"}
    given = [
        {"key": "a", "value": 0.21, "sd": 0.04, "claim": "wang2022-C020", "protocol": "repaired"},
        {"key": "b", "value": 0.05, "baseline": True},
        {"key": "<c>", "value": 0.89, "claim": "wang2022-C020", "protocol": "as_published"},
    ]
    folder = book / "results/04_multi_omics_attention/pocket"
    recording.write_record(folder, [same | row for row in given], [], {})
    (tmp_path / "notebooks").mkdir()
    page = scoreboard.page(book)
    assert "<td>7.69&nbsp;±&nbsp;4.05</td>" in page
    assert 'href="../notebooks' not in page
    assert page == scoreboard.page(book)
    (tmp_path / "notebooks/04_multi_omics_attention.ipynb").write_text("{}")
    page = scoreboard.page(book)
    assert '<a href="../notebooks/04_multi_omics_attention.html">chapter 04</a>' in page
    published, repaired = [row for row in page.splitlines() if 'data-claim="wang2022-C020"' in row]
    assert "<td>0.90&nbsp;±&nbsp;0.01</td>" in published and "<td>0.05</td>" in published
    assert "0.89<small>pocket, as published</small>" in published
    assert 'data-verdict="reproduced"' in published
    assert "0.21&nbsp;±&nbsp;0.04<small>pocket, repaired</small>" in repaired
    assert 'data-verdict="not reproduced"' in repaired
    assert '<option value="pocket">pocket</option>' in page
    row = next(line for line in page.splitlines() if line.startswith('<tr><th scope="row"><a'))
    assert row.endswith("<td>149</td><td>1</td><td>0</td><td>0</td><td>0</td><td>148</td></tr>")
