"""at_hand.py: the files of a run are brought here, or it is said at once that they cannot be."""

import pytest

from cdp_lib.data.files import at_hand, catalogue, download
from cdp_lib.errors import DataUnavailable

HINT = [catalogue.dataset("hint-hi2012").files[0]]


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """An empty cache, and a network on which no host answers."""
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "cache"))

    def silence(address, **_):
        raise at_hand.requests.ConnectionError("no such host")

    monkeypatch.setattr(at_hand.requests, "head", silence)


def test_what_is_here_needs_nobody(nobody, monkeypatch):
    monkeypatch.setattr(download, "missing", lambda files: [])
    assert at_hand.fetch(HINT) == ""
    assert at_hand.fetch([]) == ""


def test_without_a_network_the_number_of_files_is_said_and_nothing_is_tried(nobody, monkeypatch):
    monkeypatch.setattr(download, "bring", lambda files: pytest.fail("it tried"))
    with pytest.raises(DataUnavailable) as said:
        at_hand.fetch(HINT)
    assert "1 file" in str(said.value) and HINT[0].key in str(said.value)


def test_a_mirror_is_enough_and_the_licence_is_handed_back(nobody, mirror, monkeypatch, capsys):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))
    licences = at_hand.fetch(HINT)
    assert "Licence:" in licences and capsys.readouterr().out == ""
    assert download.missing(HINT) == []
    assert at_hand.fetch(HINT) == ""


def test_a_mirror_that_lacks_the_file_is_none(nobody, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "bring", lambda files: pytest.fail("it tried"))
    monkeypatch.setenv("CDP_MIRROR", str(tmp_path))
    with pytest.raises(DataUnavailable):
        at_hand.fetch(HINT)


def test_a_host_that_refuses_is_a_network(monkeypatch):
    monkeypatch.setattr(at_hand.requests, "head", lambda address, **_: None)
    assert at_hand.answers("https://example.org/a")
