"""The filters of the scoreboard, chosen by a reader in a real browser."""

import re

import pytest

FIELDS = ("paper", "verdict", "edition")
ROWS = """rows => rows.map(row => ({
    claim: row.dataset.claim, verdict: row.dataset.verdict, edition: row.dataset.edition,
    paper: row.closest("section").dataset.paper, seen: row.offsetParent !== null,
}))"""


class Board:
    def __init__(self, visitor) -> None:
        visitor.open("book/scoreboard.html")
        self.tab = visitor.tab

    def choose(self, **choice: str) -> list[dict]:
        """The rows that are in sight with these filters and no others."""
        for field in FIELDS:
            self.tab.select_option(f"#scoreboard-{field}", choice.get(field, ""))
        return [row for row in self.rows() if row["seen"]]

    def rows(self) -> list[dict]:
        return self.tab.locator("tr[data-claim]").evaluate_all(ROWS)

    def options(self, field: str) -> list[str]:
        options = self.tab.locator(f"#scoreboard-{field} option")
        values = options.evaluate_all("options => options.map(option => option.value)")
        return [value for value in values if value]

    def said(self) -> str:
        return self.tab.inner_text("#scoreboard-count")


@pytest.fixture
def board(visit) -> Board:
    return Board(visit())


def claims(rows: list[dict]) -> set[str]:
    return {row["claim"] for row in rows}


def test_each_choice_shows_its_rows_and_no_others(board):
    every = board.rows()
    assert board.choose() == every and all(row["seen"] for row in every)
    for field in FIELDS:
        for value in board.options(field):
            shown = board.choose(**{field: value})
            assert shown == [row for row in every if row[field] == value]
            assert f"Showing {len(claims(shown))} of {len(claims(every))} claims, " in board.said()
            assert re.search(rf"\b{len(shown)} rows?\.", board.said())


def test_choices_narrow_each_other_and_an_empty_section_goes(board):
    every = board.rows()
    wanted = {"paper": "wang2022", "verdict": "not comparable", "edition": "pocket"}
    shown = board.choose(**wanted)
    assert shown and shown == [row for row in every if wanted.items() <= row.items()]
    assert board.tab.locator("section[data-paper]:visible").count() == 1
    assert board.choose() == every
    assert board.tab.locator("section[data-paper]:visible").count() == 5


def test_a_claim_without_a_record_is_found_whatever_the_edition(board):
    """Every row has an edition, "by arithmetic" or "no record yet" to be found by."""
    every = claims(board.rows())
    found = {value: claims(board.choose(edition=value)) for value in board.options("edition")}
    assert set().union(*found.values()) == every
    unrecorded = found.get("unrecorded", set())
    assert found["pocket"] and unrecorded.isdisjoint(found["pocket"])
    hint = 'more have no record in any edition: choose "no record yet"'
    board.choose(edition="pocket")
    assert (f"{len(unrecorded)} {hint}" in board.said()) == bool(unrecorded)
    for choice in ({}, {"verdict": "not run"}, {"edition": "pocket", "verdict": "reproduced"}):
        board.choose(**choice)
        assert hint not in board.said()


def test_without_javascript_every_row_is_in_sight_and_no_filter(browser, address):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{address}/book/scoreboard.html")
    assert not tab.locator("#scoreboard-filters").is_visible()
    rows = tab.locator("tr[data-claim]")
    assert rows.count() >= 310 and rows.last.is_visible() and rows.first.is_visible()
    context.close()
