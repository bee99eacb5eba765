"""Fixtures that every test may use."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def two_threads():
    """Keep every run on two threads, so that results do not depend on the machine."""
    import torch

    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of real pocket data beside the repository, where there is one."""
    folder = REPOSITORY.parent / "shared" / "mirror"
    if not folder.is_dir():
        pytest.skip("the real pocket data are not beside this checkout")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch, request):
    """Each test session keeps its data away from the user's cache."""
    cache = tmp_path_factory.getbasetemp() / "cdp-cache"
    monkeypatch.setenv("CDP_CACHE", str(cache))
    monkeypatch.delenv("CDP_MIRROR", raising=False)
