"""The catalogue: complete, well-formed, pinned, and readable as a page."""

import re
from urllib.parse import unquote, urlsplit

import pytest

from cdp_lib.data import readers
from cdp_lib.data.editions import DOWNLOADED
from cdp_lib.data.files import catalogue
from cdp_lib.errors import InputError

FILES = [file for data in catalogue.datasets().values() for file in data.files]
PAPERS = {"wang2022", "xia2018", "dong2020", "itzhacky2021", "bodinier2025"}
OFFICIAL = {
    "depmap-19q3",
    "depmap-19q4",
    "depmap-23q4",
    "prism-19q4",
    "ccle-2019",
    "gdsc",
    "nci-almanac",
    "cellminer",
    "hint",
    "msigdb-hallmark",
    "zinc",
    "pubchem",
}


def test_every_paper_is_served_in_both_editions():
    for edition in DOWNLOADED:
        served = {
            paper
            for data in catalogue.datasets().values()
            if data.edition(edition)
            for paper in data.papers
        }
        assert served == PAPERS


def test_the_official_data_sets_are_there():
    official = {id for id, data in catalogue.datasets().items() if data.edition("official")}
    assert official >= OFFICIAL


@pytest.mark.parametrize("data", catalogue.datasets().values(), ids=lambda data: data.id)
def test_a_data_set_says_what_a_reader_needs(data):
    for field in (data.title, data.what, data.licence, data.citation, data.note):
        assert field and "  " not in field
    assert data.homepage.startswith("https://")
    assert data.files and data.note.endswith(".") and data.citation.endswith(".")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.key)
def test_a_file_is_well_formed(file):
    assert file.urls and all(url.startswith("https://") for url in file.urls)
    assert set(file.editions) <= set(DOWNLOADED) and file.editions
    assert "/" not in file.name and "/" not in file.also
    assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert file.md5 is None or re.fullmatch("[0-9a-f]{32}", file.md5)
    assert file.bytes is None or file.bytes > 0
    assert all(" " not in url for url in file.urls)


@pytest.mark.parametrize(
    "file", [file for file in FILES if "pocket" in file.editions], ids=lambda file: file.key
)
def test_a_pocket_file_is_pinned_by_commit_size_and_sha256(file):
    assert file.bytes and file.sha256 and file.licence
    address = urlsplit(file.urls[0])
    assert address.hostname == "raw.githubusercontent.com"
    _, _, _, commit, *folders = address.path.split("/")
    assert re.fullmatch("[0-9a-f]{40}", commit)
    assert unquote(folders[-1]) in file.names


def test_no_two_files_share_a_name():
    for data in catalogue.datasets().values():
        names = [name for file in data.files for name in file.names]
        assert len(names) == len(set(names))


def test_a_file_that_both_editions_share_lists_both_addresses():
    for id, name in [("depmap-19q4", "sample_info.csv"), ("ccle-2019", "CCLE_RPPA_20181003.csv")]:
        file = catalogue.dataset(id).file(name)
        assert file.editions == ("official", "pocket") and len(file.urls) == 2


def test_a_file_is_found_under_either_name():
    data = catalogue.dataset("depmap-19q4")
    assert data.file("avana_ceres_celllines_2019q4.csv") is data.file("sample_info.csv")


def test_every_reader_exists():
    named = {file.reader for file in FILES if file.reader}
    assert {name for name in named if not callable(getattr(readers, name, None))} == set()


def test_the_pocket_files_are_those_of_the_mirror(mirror):
    there = {f"{path.parent.name}/{path.name}" for path in mirror.glob("*/*")}
    pocket = [file for file in FILES if "pocket" in file.editions]
    listed = {
        next(key for name in file.names if (key := f"{file.dataset}/{name}") in there)
        for file in pocket
    }
    assert listed == there - {"README.md"}


def test_an_unknown_data_set_is_one_sentence_with_near_names():
    with pytest.raises(InputError, match="poket'.*gdsc-pocket"):
        catalogue.dataset("gdsc-poket")
    with pytest.raises(InputError, match="cdp data list"):
        catalogue.dataset("zzzzzz")


def test_an_unknown_file_is_one_sentence_with_near_names():
    with pytest.raises(InputError, match="IC50_v17.csv.gz"):
        catalogue.dataset("gdsc-pocket").file("IC50_v17.csv")


def test_sizes_read_like_sizes():
    assert [catalogue.size_text(n) for n in (None, 7, 1500, 41_002_170, 3_950_000_000)] == [
        "size unknown",
        "7 bytes",
        "1.5 kB",
        "41.0 MB",
        "3.95 GB",
    ]
