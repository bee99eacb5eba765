"""The cache of parsed tables: same table, proven, read anew when a file or a reader changes."""

import ast
import errno
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import readers
from cdp_lib.data.files import parsed, pins
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
    assert len(CALLS) == 2
    os.utime(file, (1, 1))  # the same bytes
    cached(counting, file)
    assert len(CALLS) == 2


def test_a_file_of_the_same_name_size_and_time_is_another_file(file, tmp_path):
    other = tmp_path / "elsewhere" / file.name
    other.parent.mkdir()
    other.write_text(file.read_text().replace("0.913", "0.319"))
    for path in (file, other):
        os.utime(path, (1, 1))
    assert cached(counting, file).loc["ACH-000005", "SOX10"] == np.float32(0.913)
    assert cached(counting, other).loc["ACH-000005", "SOX10"] == np.float32(0.319)


def test_a_file_is_hashed_again_when_it_was_written_again_with_its_old_time(file, monkeypatch):
    monkeypatch.setattr(pins, "SETTLED", -1)
    cached(counting, file)
    before = file.stat()
    file.write_text(file.read_text().replace("0.913", "0.319"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cached(counting, file).loc["ACH-000005", "SOX10"] == np.float32(0.319)


def test_a_mended_reader_reads_again_and_takes_the_place_of_the_older_table(file, monkeypatch):
    cached(counting, file)
    monkeypatch.setattr(parsed, "code", lambda also: "mended")
    cached(counting, file)
    assert len(CALLS) == 2 and len(entries()) == 1
    cached(counting, file)
    assert len(CALLS) == 2


def test_the_checksum_of_the_code_changes_with_any_reader(monkeypatch, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(parsed.DATA, data, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(parsed, "DATA", data)
    code = parsed.code.__wrapped__
    seen = {code(), code(__file__)}
    for name in ("readers/gdsc.py", "readers/files.py", "molecules.py"):
        path = data / name
        path.write_text(path.read_text() + "\n# mended\n")
        seen.add(code())
    assert len(seen) == 5


def test_everything_that_readers_use_belongs_to_their_code():
    """A module of the data room that a reader imports decides what the reader returns."""
    code = {path for pattern in parsed.CODE for path in parsed.DATA.glob(pattern)}
    used = set()
    for path in code:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("cdp_lib.data."):
                used.add(node.module.removeprefix("cdp_lib.data."))
    used = {parsed.DATA / f"{name.replace('.', '/')}.py" for name in used - {"readers"}}
    assert used and used <= code


def test_other_options_are_another_table(file):
    one = cached(counting, file)
    two = cached(counting, file, scale=2.0)
    np.testing.assert_allclose(two, one * 2)
    assert len(CALLS) == 2


def entries() -> list[Path]:
    return list((Path(os.environ["CDP_CACHE"]) / "parsed").iterdir())


def small(path):
    """A table so small that every bit of its cache can be turned."""
    CALLS.append(path)
    table = pd.DataFrame(
        {"a": [1.5, -2.0], "b": ["TP53", None]}, index=["ACH-000001", "ACH-000002"]
    )
    table.attrs["notes"] = ["1 row dropped"]
    return table


def assert_healed(file, reader, expected, entry, before):
    """The damaged copy is not used; it is made again, the same."""
    calls = len(CALLS)
    pd.testing.assert_frame_equal(cached(reader, file), expected)
    assert len(CALLS) == calls + 1
    assert {path.name: path.read_bytes() for path in entry.iterdir()} == before


@pytest.mark.parametrize("part", ["values.npy", "table.json", "sha256"])
def test_any_bit_that_turns_is_noticed_and_healed(file, part, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # slow, and another test's matter
    expected = cached(small, file)
    (entry,) = entries()
    before = {path.name: path.read_bytes() for path in entry.iterdir()}
    bits = np.random.default_rng(0).permutation(8 * len(before[part]))[:120]
    for bit in map(int, bits):
        spoilt = bytearray(before[part])
        spoilt[bit // 8] ^= 1 << bit % 8
        (entry / part).write_bytes(spoilt)
        assert_healed(file, small, expected, entry, before)


def array(entry, change):
    path = entry / "values.npy"
    with np.errstate(invalid="ignore"):  # NaN as an integer
        np.save(path, change(np.load(path)))


DAMAGES = {
    "cut": lambda entry: (entry / "values.npy").write_bytes(
        (entry / "values.npy").read_bytes()[:40]
    ),
    "empty numbers": lambda entry: (entry / "values.npy").write_bytes(b""),
    "empty names": lambda entry: (entry / "table.json").write_bytes(b""),
    "no numbers": lambda entry: (entry / "values.npy").unlink(),
    "no names": lambda entry: (entry / "table.json").unlink(),
    "no sums": lambda entry: (entry / "sha256").unlink(),
    "a folder": lambda entry: [(entry / "sha256").unlink(), (entry / "sha256").mkdir()],
    "zeros": lambda entry: array(entry, np.zeros_like),
    "reversed": lambda entry: array(entry, lambda values: values[::-1]),
    "transposed": lambda entry: array(entry, np.transpose),
    "shuffled names": lambda entry: (entry / "table.json").write_text(
        (entry / "table.json").read_text().replace("ACH-0", "ACH-9")
    ),
    **{
        f"as {kind}": lambda entry, kind=kind: array(entry, lambda values: values.astype(kind))
        for kind in ("int8", "int64", "bool", "complex64", "U20", "datetime64[s]", "float16")
    },
    **{
        f"JSON {shape}": lambda entry, shape=shape: (entry / "table.json").write_text(shape)
        for shape in ("[]", "{}", "3", "null", '{"index": 3}', "[" * 100_000)
    },
}


@pytest.mark.parametrize("reader", [small, counting], ids=["text", "float32"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_copy_is_made_again(file, reader, damage):
    expected = cached(reader, file).copy()
    (entry,) = entries()
    before = {path.name: path.read_bytes() for path in entry.iterdir()}
    damage(entry)
    assert_healed(file, reader, expected, entry, before)


def test_files_that_do_not_belong_together_are_made_again(file):
    """Even where somebody wrote the sums that fit them."""
    expected = cached(small, file)
    (entry,) = entries()
    before = {path.name: path.read_bytes() for path in entry.iterdir()}
    about = json.loads(before["table.json"])
    about["index"]["names"] = ["ACH-000001"]
    (entry / "table.json").write_text(json.dumps(about))
    proof = [f"{pins.digest(entry / part)}  {part}\n" for part in parsed.PARTS]
    (entry / "sha256").write_text("".join(proof))
    assert_healed(file, small, expected, entry, before)


def test_leftovers_of_killed_writers_are_swept_after_an_hour(file):
    cached(counting, file)
    (entry,) = entries()
    old, young = (entry.parent / f".writing-{name}" for name in ("old", "young"))
    earlier = entry.parent / ("0" * 32)  # as another layout had them
    for folder in (old, young, earlier):
        folder.mkdir()
        (folder / "values.npy").write_bytes(b"half")
    hour = time.time() - 3700
    for folder in (old, earlier):
        os.utime(folder, (hour, hour))
    cached(small, file)
    assert not old.exists() and not earlier.exists()
    assert young.exists() and entry.exists()


def test_a_copy_is_on_the_disk_before_it_gets_its_name(file, monkeypatch):
    """Else a loss of power leaves an empty file under a good name."""
    synced, replaced = [], []
    fsync, replace = os.fsync, os.replace

    def note_sync(number):
        synced.append(os.readlink(f"/proc/self/fd/{number}").rpartition("/")[2])
        fsync(number)

    def note_replace(source, target):
        replaced.append(list(synced))
        replace(source, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not name open files")
    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    cached(counting, file)
    assert {"values.npy", "table.json", "sha256"} < set(replaced[0])
    assert any(name.startswith(".writing-") for name in replaced[0]) and synced[-1] == "parsed"


def odd(column):
    def read(path):
        CALLS.append(path)
        return pd.DataFrame({"x": column})

    return read


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, None], dtype="Int64"),
        [2**60 + 1, 3],
        [1 + 2j, 3j],
        [("a", "b"), ("c",)],
        [1, "a"],
        pd.to_datetime(["2020-01-01", "2021-01-01"]),
        pd.Categorical(["a", "b"]),
    ],
    ids=str,
)
def test_what_would_not_come_back_the_same_is_read_each_time(file, column):
    reader = odd(column)
    for _ in range(2):
        pd.testing.assert_frame_equal(cached(reader, file), pd.DataFrame({"x": column}))
    assert len(CALLS) == 2


@pytest.mark.parametrize(
    "index", [[3, 1], pd.RangeIndex(1, 3), pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])]
)
def test_names_that_would_not_come_back_the_same_are_read_each_time(file, index):
    def reader(path):
        return pd.DataFrame({"x": [1.0, 2.0]}, index=index)

    for _ in range(2):
        assert cached(reader, file).index.equals(pd.DataFrame(index=index).index)


def test_a_checked_file_of_the_cache_is_not_hashed_again_to_be_recognised(file, monkeypatch):
    cache = Path(os.environ["CDP_CACHE"])
    inside = cache / "toy" / file.name
    inside.parent.mkdir(parents=True)
    shutil.copy(file, inside)
    note = {"stamp": pins._stamp(inside), "sha256": pins.digest(inside)}
    pins._write(cache / "checked" / "toy" / f"{file.name}.json", note)
    hashed = []
    sums = pins.sums
    monkeypatch.setattr(pins, "sums", lambda path, md5: hashed.append(path) or sums(path, md5))
    cached(counting, inside)
    assert inside not in hashed
    inside.write_text(file.read_text() + "\n")
    cached(counting, inside)
    assert inside in hashed


def test_a_cache_that_moves_keeps_its_tables(file, monkeypatch, tmp_path):
    inside = Path(os.environ["CDP_CACHE"]) / "toy" / file.name
    inside.parent.mkdir(parents=True)
    shutil.copy(file, inside)
    cached(counting, inside)
    shutil.move(os.environ["CDP_CACHE"], tmp_path / "stick")
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "stick"))
    cached(counting, tmp_path / "stick" / "toy" / file.name)
    assert len(CALLS) == 1


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
