"""The book on paper."""

import re

import pytest

from cdp_book import pdf
from cdp_lib.errors import InputError


def test_no_page_is_wider_than_the_paper(browser, site, repository):
    tab = pdf.paper(browser)
    wide = {}
    for name in pdf.contents(repository):
        pdf.load(tab, site / f"{name}.html")
        if found := pdf.too_wide(tab):
            wide[name] = found[:3]
    tab.context.close()
    assert wide == {}


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<p style='width: 900px'>far</p>", "p"),
        ("<pre>" + "x" * 300 + "</pre>", "pre"),
        ("<p style='width: 600px'>near</p>", None),
        (
            "<svg width='600' viewBox='0 0 9 9'><g><rect x='0' width='99' height='9'/></g></svg>",
            None,
        ),
        ("<details><summary>more</summary><p style='width: 900px'>far</p></details>", None),
    ],
)
def test_what_is_wider_than_the_paper_is_named(browser, inside, found):
    tab = pdf.paper(browser)
    tab.set_content(f"<body style='margin: 0'><article><div>{inside}</div></article>")
    named = pdf.too_wide(tab)
    tab.context.close()
    assert [one.partition(".")[0] for one in named] == ([found] if found else [])


def test_chapters_and_the_book_are_printed(browser, site, tmp_path):
    names = ["book/how_to_read", "notebooks/00_quickstart"]
    chapter, book = pdf.write(browser, site, tmp_path, names)
    assert (chapter.name, book.name) == ("00_quickstart.pdf", "cdp.pdf")
    pages = [len(re.findall(rb"/Type\s*/Page\b", path.read_bytes())) for path in (chapter, book)]
    assert 3 < pages[0] < pages[1]


def test_without_a_site_there_is_nothing_to_print(browser, tmp_path):
    with pytest.raises(InputError, match="make book"):
        list(pdf.write(browser, tmp_path, tmp_path / "out", ["book/welcome"]))
