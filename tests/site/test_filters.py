"""The scoreboard as a reader uses it: search, filters, sorting, addresses, a phone, no script."""

import pytest

PAGE = "book/scoreboard.html"
ROWS = """rows => rows.map(row => ({
    id: row.id, verdict: row.dataset.verdict, arithmetic: row.dataset.arithmetic,
    checked: row.dataset.checked, status: row.dataset.status, free: row.dataset.free,
    reported: row.dataset.reported,
    paper: row.closest("section").dataset.paper, seen: !row.hidden,
}))"""


class Board:
    def __init__(self, visitor, at: str = "") -> None:
        visitor.open(PAGE + at)
        self.tab = visitor.tab

    def choose(self, **choice: str) -> list[str]:
        """The rows that are left with these choices and no others."""
        self.tab.click("button[type=reset]")
        for field, value in choice.items():
            if field == "q":
                self.tab.fill("#scoreboard-q", value)
            else:
                self.tab.select_option(f"#scoreboard-{field}", value)
        return self.seen()

    def seen(self) -> list[str]:
        return [row["id"] for row in self.rows() if row["seen"]]

    def rows(self) -> list[dict]:
        return self.tab.locator(".scoreboard-part tbody tr").evaluate_all(ROWS)

    def options(self, field: str) -> list[str]:
        options = self.tab.locator(f"#scoreboard-{field} option")
        values = options.evaluate_all("options => options.map(option => option.value)")
        return [value for value in values if value]

    def said(self) -> str:
        return self.tab.inner_text("#scoreboard-count")


@pytest.fixture
def board(visit) -> Board:
    return Board(visit())


def kinds(ids: list[str]) -> tuple[int, int]:
    """How many conclusions and how many claims."""
    conclusions = sum("-K" in id for id in ids)
    return conclusions, len(ids) - conclusions


def test_each_choice_leaves_its_rows_and_no_others(board):
    every = board.rows()
    ids = [row["id"] for row in every]
    assert board.seen() == ids and kinds(ids) == (28, 310)
    for paper in board.options("paper"):
        assert board.choose(paper=paper) == [r["id"] for r in every if r["paper"] == paper]
    for status in board.options("status"):
        found = board.choose(status=status)
        assert found == [r["id"] for r in every if r["status"] == status]
        assert f"{len(found)} of 28 conclusions and 0 of 310 claims" in board.said()
    for verdict in board.options("verdict"):
        found = board.choose(verdict=verdict)
        assert found == [r["id"] for r in every if r["verdict"] == verdict]
        assert f"0 of 28 conclusions and {len(found)} of 310 claims" in board.said()
    for way in board.options("checked"):
        found = board.choose(checked=way)
        assert found == [r["id"] for r in every if way in (r["checked"] or "").split()]


def test_verdicts_by_arithmetic_have_a_filter_of_their_own(board):
    every = board.rows()
    found = board.choose(checked="arithmetic", verdict="not reproduced")
    wanted = [row["id"] for row in every if row["arithmetic"] == "not reproduced"]
    assert found == wanted and wanted


def test_a_search_finds_words_and_numbers_and_unfolds_what_it_found(board):
    found = board.choose(q="lapatinib")
    assert found == board.choose(q="LAPATINIB")
    (one,) = board.choose(q="wang2022-C084")
    assert board.tab.locator(f"#{one}").is_visible()
    assert board.choose(q="no such thing") == []
    assert "0 of 28 conclusions and 0 of 310 claims" in board.said()
    assert kinds(board.choose()) == (28, 310)


def test_the_address_keeps_what_was_chosen(visit, board):
    found = board.choose(paper="wang2022", verdict="not comparable", q="mutation")
    assert found
    address = board.tab.url.partition(PAGE)[2]
    assert "paper=wang2022" in address and "q=mutation" in address
    again = Board(visit(), address)
    assert again.seen() == found
    assert again.tab.input_value("#scoreboard-q") == "mutation"
    again.tab.click("button[type=reset]")
    again.tab.wait_for_function("() => !location.hash")


def test_each_row_has_an_address_even_where_it_was_folded(visit):
    board = Board(visit(), "#wang2022-C137")
    row = board.tab.locator("#wang2022-C137")
    row.wait_for(state="visible")
    board.tab.wait_for_function("""() => {
        const top = document.getElementById("wang2022-C137").getBoundingClientRect().top;
        return top >= 0 && top < innerHeight;
    }""")  # the page scrolls smoothly
    assert kinds(board.seen()) == (28, 310)


def test_scores_are_sorted_within_their_table(board):
    board.choose(sort="free")
    ids = board.tab.locator("#wang2022-C020").evaluate(
        "row => [...row.parentElement.rows].map(row => row.dataset.free)"
    )
    numbers = [float(value) if value else float("-inf") for value in ids]
    assert len(numbers) > 1 and numbers == sorted(numbers, reverse=True)
    board.choose()
    first = board.tab.locator("#wang2022-C020").evaluate(
        "row => [...row.parentElement.rows].map(row => row.id)"
    )
    assert first == sorted(first)


def test_the_keyboard_reaches_search_and_fold(board):
    board.tab.focus("#scoreboard-q")
    board.tab.keyboard.type("C020")
    assert "wang2022-C020" in board.seen()
    fold = board.tab.locator(".scoreboard-part details:not(.rule) > summary:visible").first
    fold.focus()
    before = fold.evaluate("summary => summary.parentElement.open")
    board.tab.keyboard.press("Enter")
    assert fold.evaluate("summary => summary.parentElement.open") != before


@pytest.mark.parametrize(("width", "screens"), [(1440, 15), (390, 22)])
def test_the_page_is_short_and_never_wider_than_the_screen(visit, width, screens):
    board = Board(visit(width=width))
    size = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    wide, high = board.tab.evaluate(size)
    assert wide <= width and high < 1000 * screens
    board.tab.click("#scoreboard-unfold")
    assert board.tab.evaluate(size)[0] <= width
    boxes = board.tab.locator("table.scoreboard:visible").evaluate_all(
        "tables => tables.filter(t => t.scrollWidth > t.parentElement.clientWidth + 1).length"
    )
    assert boxes == 0


def test_the_heads_of_a_table_stay_in_sight(board):
    board.choose(q="wang2022-C0")
    row = board.tab.locator("#wang2022-C060")
    row.evaluate("row => row.scrollIntoView({block: 'center', behavior: 'instant'})")
    tops = row.evaluate(
        """row => [row, row.closest("table"), row.closest("table").tHead.rows[0].cells[0]]
            .map(part => part.getBoundingClientRect().top)"""
    )
    assert tops[1] < 0 <= tops[2] < tops[0], "the table began above, its heads are still here"


def test_the_downloads_are_there(visit, board, address):
    for name in ("scoreboard_claims.csv", "scoreboard_conclusions.json"):
        answer = board.tab.request.get(f"{address}/_static/{name}")
        assert answer.ok and "wang2022-" in answer.text()


def test_without_javascript_every_row_is_there_and_no_choice(browser, address):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{address}/{PAGE}")
    assert not tab.locator("#scoreboard-filters").is_visible()
    assert tab.locator(".scoreboard-part tbody tr").count() == 338
    assert tab.locator("#wang2022-C020").is_visible()
    folded = tab.locator("#wang2022-C137")
    assert not folded.is_visible()
    folded.locator("xpath=ancestor::details").locator("> summary").click()
    assert folded.is_visible()
    context.close()
