"""`cdp run --dry-run`: what would be read, fitted and awaited."""

import json

import pytest

from cdp_book import notebook
from cdp_book.plan import plan
from cdp_lib.data.files.download import cache_dir


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "cache"))  # what other tests fetched is not here
    path = tmp_path / "90_own.ipynb"
    about = {
        "tables": {"pocket": ["graph", "pathways"], "official": ["expression 19Q4"]},
        "fits": "ridge under one split",
        "minutes": {"quick": 0.4, "teach": 7.2},
    }
    path.write_text(json.dumps({"cells": [], "metadata": {"cdp": about}}))
    return path


def words(chapter, **values) -> str:
    return "\n".join(plan(chapter, values))


def test_it_names_what_is_read_fitted_and_awaited(chapter):
    text = words(chapter, data="pocket", profile="teach")
    for fact in ("3 files", "to be fetched: ", "ridge under one split", "7 minutes"):
        assert fact in text
    assert "nothing that must be fetched" in words(chapter)
    assert "nobody has measured" in words(chapter, data="official", profile="full")


def test_what_is_here_need_not_be_fetched(chapter):
    for name in ("hint-hi2012/hint+hi2012_edge_list", "hint-hi2012/hint+hi2012_index_gene"):
        (cache_dir() / name).parent.mkdir(parents=True, exist_ok=True)
        (cache_dir() / name).write_bytes(b"")
    few = words(chapter, data="pocket")
    (cache_dir() / "msigdb-hallmark").mkdir(exist_ok=True)
    (cache_dir() / "msigdb-hallmark" / "h.all.v5.1.symbols.gmt").write_bytes(b"")
    assert "to be fetched" in few and "all of it here" in words(chapter, data="pocket")


def test_every_chapter_says_what_it_fits(repository):
    for path in sorted((repository / "notebooks").glob("*.ipynb")):
        assert len(notebook.read(path)["metadata"]["cdp"]["fits"]) > 20, path.stem
