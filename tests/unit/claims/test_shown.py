"""How a recorded run is shown: a table for each question, whatever was measured."""

import re

from cdp_lib import chapter
from cdp_lib.claims import shown as recorded
from cdp_lib.claims.recorded import Record, Run
from cdp_lib.data.files import download


def run(*results):
    records = tuple(Record(edition="pocket", chapter="01_specimen", **r) for r in results)
    return Run("01_specimen", "pocket", {"profile": "teach", "seed": 0}, records, ())


def tables(text):
    return {
        re.search("<caption>(.*?)</caption>", table)[1]: [
            tuple(re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row))
            for row in re.findall("<tr>(.*?)</tr>", table)
        ]
        for table in re.findall("<table.*?</table>", text)
    }


SCORES = {"metric": "r2", "axis": "global", "split": "leave pairs out", "n": 505}


def test_scores_stand_best_first_with_the_baselines_below():
    found = run(
        {"key": "easy/mean", "value": 0.9, "sd": 0.01, "baseline": True, **SCORES},
        {"key": "easy/ridge", "value": 0.5, "sd": 0.02, **SCORES},
        {"key": "easy/network", "value": 0.7, **SCORES},
    )
    assert tables(recorded.page(found, "Recorded")) == {
        "r2, axis global, leave pairs out": [
            ("model", "score", "sd", "n"),
            ("network", "0.700", "", "505"),
            ("ridge", "0.500", "0.020", "505"),
            ("mean (baseline)", "0.900", "0.010", "505"),
        ]
    }


def test_counts_shapes_and_words_need_no_split():
    found = run(
        {"key": "names/plain equality", "value": 1226, "metric": "lines", "n": 1300},
        {"key": "names/hyphens taken out", "value": 903, "metric": "lines"},
        {"key": "shape/drugs", "value": [505, 266]},
        {"key": "shape/held", "value": True},
        {"key": "alone", "value": "a < b"},
        {"key": "not run", "value": None, "reason": "no data"},
    )
    assert tables(recorded.page(found, "Recorded")) == {
        "names": [
            ("what", "value", "measure", "n"),
            ("plain equality", "1,226", "lines", "1,300"),
            ("hyphens taken out", "903", "lines", ""),
        ],
        "shape": [("what", "value"), ("drugs", "505 x 266"), ("held", "yes")],
        "alone": [("what", "value"), ("alone", "a &lt; b")],
    }


def test_a_run_without_numbers_has_no_table():
    assert tables(recorded.page(run(), "Recorded")) == {}


def test_the_plain_text_names_only_what_is_known():
    found = run(
        {"key": "easy/ridge", "value": 0.5, "sd": 0.02, **SCORES},
        {"key": "names/found", "value": 903, "metric": "lines"},
    )
    assert recorded.text(found).splitlines() == [
        "easy/ridge: r2 0.500 (sd 0.020, leave pairs out)",
        "names/found: lines 903",
    ]


def test_files_that_a_chapter_read_by_itself_reach_its_record(monkeypatch):
    shown = []
    monkeypatch.setattr(chapter, "_show", lambda bundle, metadata=None: shown.append(bundle))
    monkeypatch.setattr(download, "given", lambda: {"gdsc-pocket/a.csv": "sha256:1"})
    chapter.Chapter("01_specimen", "quick", "teaching", 0, "cpu").recorded("pocket")
    assert shown[0][chapter.RECORD] == {"data": {"gdsc-pocket/a.csv": "sha256:1"}}


def test_a_record_keeps_no_figure_of_another_edition(monkeypatch):
    from matplotlib.figure import Figure

    kept = {}
    monkeypatch.setattr(chapter, "_show", lambda bundle, metadata=None: kept.update(metadata or {}))
    c = chapter.Chapter("01_specimen", "quick", "pocket", 0, "cpu")
    c.figure(Figure(), "drawn", "Drawn from a simulation.", data="teaching")
    assert kept == {}
    c.figure(Figure(), "measured", "Measured.")
    assert kept["cdp"] == {"name": "measured", "caption": "Measured.", "alt": "Measured."}


def test_many_tables_are_folded_away_below_the_figures():
    few, many = (run(*[{"key": f"t{i}/a", "value": i} for i in range(n)]) for n in (3, 4))
    assert "<details>" not in recorded.page(few, "Recorded")
    page = recorded.page(many, "Recorded")
    assert "All 4 recorded numbers, in 4 tables" in page
    assert page.index("<details>") < page.index("<table") and page.endswith("</details>")
