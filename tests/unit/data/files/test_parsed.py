"""The cache of parsed tables: same table, memory-mapped, read anew when a file changes."""

import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import readers
from cdp_lib.data.files.parsed import cached
from cdp_lib.errors import DataUnavailable

UPSTREAM = Path(__file__).parents[3] / "data" / "upstream"
CALLS = []


def counting(path, scale=1.0):
    CALLS.append(path)
    table = readers.depmap_wide(path)
    notes = table.attrs
    table = table * np.float32(scale)
    table.attrs = notes
    return table


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "cache"))
    CALLS.clear()
    path = tmp_path / "Achilles_gene_dependency.csv"
    path.write_bytes((UPSTREAM / path.name).read_bytes())
    return path


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        (readers.depmap_wide, "Achilles_gene_dependency.csv"),
        (readers.sample_info, "Model.csv"),
        (readers.gdsc_fitted, "GDSC2_fitted_dose_response.csv"),
        (readers.gdsc_drugs, "screened_compounds_rel_8.5.csv"),
        (readers.almanac_growth, "ComboDrugGrowth_Nov2017.csv"),
        (readers.cellminer, "SWATH.txt"),
    ],
)
def test_the_second_load_is_the_same_table(reader, name, file):
    first = reader(UPSTREAM / name)
    for _ in range(2):
        table = cached(reader, UPSTREAM / name)
        pd.testing.assert_frame_equal(table, first, check_dtype=False)
        assert table.attrs == first.attrs
        numeric = first.select_dtypes("number").columns
        assert (table[numeric].dtypes == first[numeric].dtypes).all()


def test_a_file_is_read_once_and_mapped(file):
    cached(counting, file)
    table = cached(counting, file)
    assert len(CALLS) == 1
    owner = table.to_numpy()
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    assert isinstance(owner, np.memmap) and not owner.flags.writeable


def test_a_changed_file_is_read_again(file):
    cached(counting, file)
    file.write_text(file.read_text().replace("0.913", "0.5"))
    assert cached(counting, file).loc["ACH-000005", "SOX10"] == 0.5
    os.utime(file, (1, 1))
    cached(counting, file)
    assert len(CALLS) == 3


def test_other_options_are_another_table(file):
    one = cached(counting, file)
    two = cached(counting, file, scale=2.0)
    np.testing.assert_allclose(two, one * 2)
    assert len(CALLS) == 2


@pytest.mark.parametrize("part", ["values.npy", "table.json"])
def test_a_damaged_cache_is_made_again(file, part):
    first = cached(counting, file).copy()
    (path,) = (Path(os.environ["CDP_CACHE"]) / "parsed").glob(f"*/{part}")
    path.write_bytes(path.read_bytes()[:40])
    pd.testing.assert_frame_equal(cached(counting, file), first)
    assert len(CALLS) == 2
    cached(counting, file)
    assert len(CALLS) == 2


def test_nothing_half_written_stays(file):
    cached(counting, file)
    folder = Path(os.environ["CDP_CACHE"]) / "parsed"
    assert [p for p in folder.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_cache_that_cannot_be_written_costs_only_time(file, monkeypatch, number):
    def refused(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(np, "save", refused)
    for _ in range(2):
        assert cached(counting, file).equals(readers.depmap_wide(file))
    assert len(CALLS) == 2
    assert list((Path(os.environ["CDP_CACHE"]) / "parsed").iterdir()) == []


def test_what_is_no_plain_table_is_read_each_time(file):
    assert cached(readers.gmt, write_gmt(file.parent)) == {"A": ["KRAS"]}


def write_gmt(folder):
    (folder / "x.gmt").write_text("A\thttp\tKRAS\n")
    return folder / "x.gmt"


def test_a_missing_file_has_the_readers_sentence(file):
    with pytest.raises(DataUnavailable, match="cdp data fetch"):
        cached(readers.depmap_wide, file.parent / "nowhere.csv")
