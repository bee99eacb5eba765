"""Fixtures that every test may use."""

import importlib.util
import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_make_parametrize_id(config, val, argname):
    """Name a test by "body", not by its bytes: gzip writes the time into them."""
    return argname if isinstance(val, bytes) else None


THREADS = 1  # of each test worker, whatever the machine has: results are the same on all
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(THREADS)  # before numpy is imported, and for every process started here


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    import torch

    torch.set_num_threads(THREADS)


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


@pytest.fixture(scope="session")
def assert_blind_to_test_labels():
    """The check of tests/leaks.py: a fit never sees a test label."""
    path = Path(__file__).with_name("leaks.py")
    spec = importlib.util.spec_from_file_location("leaks", path)
    leaks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(leaks)
    return leaks.assert_blind_to_test_labels
