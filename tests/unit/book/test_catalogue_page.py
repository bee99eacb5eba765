"""The catalogue as a page: every file, in tables that fit."""

from cdp_book.catalogue_page import page
from cdp_lib.data.files import catalogue

FILES = [file for data in catalogue.datasets().values() for file in data.files]


def test_the_page_lists_every_file_in_tables_of_at_most_seven_columns():
    text = page()
    rows = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") - 1 for row in rows} == {4, 7}
    for file in FILES:
        assert text.count(f"| `{file.name}` |") >= len(file.editions)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == len(set(headings))
