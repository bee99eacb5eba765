"""A server that misbehaves, a catalogue of toy files, and a cache of each test's own."""

import importlib.util
import sys
from types import SimpleNamespace

import pytest

from cdp_lib.data.files import catalogue, download, transfer
from cdp_lib.data.files.catalogue import Dataset, File


@pytest.fixture
def server(repository):
    """tests/data/server.py, running."""
    spec = importlib.util.spec_from_file_location("server", repository / "tests/data/server.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["server"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    with module.running() as server:
        yield server


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """A catalogue with one data set, `toy`; pauses too short to notice.

    `toy.lists(file, ...)` sets its files, `toy.get(name)` fetches one, `toy.at(name)` is its place.
    """
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(transfer, "PAUSE", 0.001)

    def lists(*files: File) -> None:
        data = Dataset("toy", "Toy", "a toy", "CC0", "Nobody (2024).", "https://toy", (), files)
        monkeypatch.setattr(catalogue, "datasets", lambda: {"toy": data})

    def at(name: str = "a.bin"):
        return tmp_path / "cache" / "toy" / name

    return SimpleNamespace(
        lists=lists,
        at=at,
        get=lambda name="a.bin": download.path("toy", name).read_bytes(),
        bad=lambda: [path.name for path in at().parent.glob("*.bad-*")],
    )
