"""Where a teaching cohort is written: once in the cache, never over other files, or a sentence."""

import errno

import pytest

from cdp_lib.data import teaching
from cdp_lib.errors import DataUnavailable, InputError

SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 8}


def test_the_cohort_in_the_cache_is_written_once(tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    first = teaching.root(**SMALL)
    stamp = (first / "README.md").stat().st_mtime_ns
    assert teaching.root(**SMALL) == first and (first / "README.md").stat().st_mtime_ns == stamp
    assert teaching.root(**{**SMALL, "lines": 61}) != first
    assert not list(tmp_path.glob("teaching/unfinished-*"))


@pytest.mark.parametrize(
    "sizes, sentence",
    [
        ({"lines": 10}, "10 lines.* 60"),
        ({"genes": 20}, "asked for 20 genes"),
        ({"perturbed": 5}, "perturb 5 of 600 genes"),
        ({"perturbed": 601}, "perturb 601 of 600 genes"),
        ({"drugs": 61}, "asked for 61 drugs"),
        ({"lines": 100.5}, "lines=100.5"),
        ({"lines": 99_999_999_999}, "99,999,999,999 lines"),
        ({"lines": 0, "genes": 99_999_999_999}, "at most 100,000,000"),
        ({"drugs": 99_999_999_999}, "at most 100,000,000"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_odd_sizes_are_refused_and_leave_nothing(tmp_path, sizes, sentence):
    with pytest.raises(InputError, match=sentence):
        teaching.write(tmp_path / "new", **sizes)
    assert not (tmp_path / "new").exists()


def test_a_folder_of_other_files_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("# My thesis")
    with pytest.raises(InputError, match="other files"):
        teaching.write(tmp_path, **SMALL)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["# My thesis"]


def test_an_earlier_cohort_is_written_anew(tmp_path):
    teaching.write(tmp_path, **SMALL, seed=1)
    teaching.write(tmp_path, **SMALL)
    assert "seed 0" in (tmp_path / "README.md").read_text()


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    monkeypatch.setattr(teaching.cohort, "write_files", full)
    with pytest.raises(InputError, match="space.*CDP_CACHE"):
        teaching.root(**SMALL)
    assert not list(tmp_path.glob("teaching/*/"))
    with pytest.raises(InputError, match="exam .*No space left"):
        teaching.write(tmp_path / "exam", **SMALL)


def test_a_cache_that_cannot_be_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="CDP_CACHE"):
        teaching.root(**SMALL)


def test_a_folder_without_truth_says_how_to_make_one(tmp_path):
    with pytest.raises(DataUnavailable, match="truth.json"):
        teaching.truth(tmp_path)
