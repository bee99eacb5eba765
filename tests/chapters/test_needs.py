"""What each chapter says that it needs: the tables it reads, and the minutes it takes."""

import json
from pathlib import Path

import pytest

from cdp_lib.data.studies.tables import files_of

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def needs(request):
    metadata = json.loads(request.param.read_text(encoding="utf-8"))["metadata"]
    return request.param.stem, metadata["cdp"]


def test_the_files_are_those_that_the_recorded_run_read(needs):
    chapter, said = needs
    recorded = ROOT / "book" / "results" / chapter / "pocket" / "results.json"
    read = json.loads(recorded.read_text(encoding="utf-8"))["provenance"]["data"]
    assert {file.key for file in files_of("pocket", said["tables"]["pocket"])} == set(read)


def test_the_official_files_are_in_the_catalogue_and_quick_is_a_minute(needs):
    _, said = needs
    files = files_of("official", said["tables"]["official"])
    assert len(files) > 5 and all("official" in file.editions for file in files)
    assert files_of("teaching", said["tables"]["official"]) == []
    minutes = said["minutes"]  # only what was measured
    assert 0 < minutes["quick"] <= 1 and minutes["quick"] < minutes.get("teach", 1.5)
