"""The catalogue as a page: every file, on a desk and on a phone."""

import re

from cdp_book.catalogue_page import page
from cdp_lib.claims import papers
from cdp_lib.data.files import catalogue

FILES = [file for data in catalogue.datasets().values() for file in data.files]


def test_every_data_set_has_one_section_and_every_file_an_entry_in_each_of_its_editions():
    text = page()
    headings = re.findall(r"^#+ .+$", text, flags=re.M)
    assert len(headings) == len(set(headings)) == len(catalogue.datasets()) + 2
    sections = re.split(r"^\(data-(.+)\)=$", text, flags=re.M)
    for name, section in zip(sections[1::2], sections[2::2]):
        for file in catalogue.datasets()[name].files:
            entry = f"\n`{file.name}`\n: {file.what[:2]}".lower()
            assert section.lower().count(entry) >= len(file.editions), file.key
            assert file.urls[0].partition("(")[0] in section


def test_no_table_is_wider_than_a_phone():
    text = re.sub(r"\{ref\}`(.+?) <.+?>`", r"\1", page())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") - 1 for row in rows} == {3, 4}


def test_papers_are_named_and_not_by_their_keys():
    text = re.sub(r"\{cite:t\}`\w+`", "", page())
    assert [key for key in papers() if re.search(rf"\b{key}\b", text)] == []
