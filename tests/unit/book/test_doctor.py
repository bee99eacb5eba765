"""doctor.py: odd settings are a line that says what to do, and no password is shown."""

import pytest

from cdp_book import doctor


def lines() -> dict[str, doctor.Line]:
    return {line.what: line for line in doctor.examine()}


@pytest.mark.parametrize("mirror", ["http://[::1", "ftp://x", "~nosuchuser/x", "/nowhere"])
def test_a_mirror_that_is_none_is_to_be_corrected(monkeypatch, mirror):
    monkeypatch.setenv("CDP_MIRROR", mirror)
    assert lines()["mirror"].found == mirror and "CDP_MIRROR" in lines()["mirror"].todo


@pytest.mark.parametrize("mirror", ["http://reader:s3cr@t@h/x", "ftp://reader:s3cr@t@h/x"])
def test_the_password_of_a_mirror_is_not_shown(monkeypatch, mirror):
    monkeypatch.setenv("CDP_MIRROR", mirror)
    assert lines()["mirror"].found.endswith("://h/x")


def test_a_mirror_in_a_home_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv("CDP_MIRROR", "~/mirror")
    assert lines()["mirror"].todo == ""


def test_a_cache_in_the_home_of_nobody_is_to_be_corrected(monkeypatch):
    monkeypatch.setenv("CDP_CACHE", "~nosuchuser/x")
    assert "CDP_CACHE" in lines()["cache"].todo
