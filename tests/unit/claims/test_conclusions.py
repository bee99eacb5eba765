"""conclusions.py: the papers' conclusions, their rules, and what decides them."""

import shutil

import numpy as np
import pandas as pd
import pytest

from cdp_book import claims_text, recording
from cdp_lib.claims import conclusions as ledger
from cdp_lib.claims import papers, root, runs
from cdp_lib.errors import InputError

BETTER, WORSE, OPEN = (0.05, 0.02, 0.08), (-0.05, -0.08, -0.02), (0.01, -0.02, 0.04)


def rows(*gains, p=None, names=None):
    frame = pd.DataFrame(gains, columns=["gain", "low", "high"])
    names = names or [f"comparison {i}" for i in range(len(gains))]
    frame = frame.assign(comparison=names, unit="drugs", n=22)
    return frame if p is None else frame.assign(p=p)


@pytest.mark.parametrize(
    ("honest", "leaky", "status"),
    [
        (rows(BETTER, BETTER), None, "holds"),
        (rows(BETTER, OPEN), None, "undecided"),
        (rows(BETTER, WORSE), None, "does not hold"),
        (rows(OPEN, WORSE), None, "does not hold"),
        (rows(OPEN), rows(BETTER), "holds only with the leak"),
        (rows(WORSE), rows(BETTER), "holds only with the leak"),
        (rows(WORSE), rows(OPEN), "does not hold"),
        (rows(BETTER, p=[0.2]), rows(BETTER), "holds only with the leak"),
        (rows(BETTER), rows(WORSE), "holds"),
        (rows((0.0, 0.0, 0.0)), None, "does not hold"),
        (rows(BETTER, p=[0.2]), None, "undecided"),
        (rows(WORSE, p=[0.2]), None, "undecided"),
        (rows(BETTER, p=[0.01]), None, "holds"),
        (rows(WORSE, p=[np.nan]), None, "does not hold"),
    ],
)
def test_the_rule_decides(honest, leaky, status):
    assert ledger.status(honest, leaky) == status


def test_the_ledger_has_28_conclusions_each_with_a_rule_of_named_comparisons():
    found = ledger.conclusions()
    counts = pd.Series([each.paper for each in found]).value_counts().to_dict()
    assert counts == {
        "itzhacky2021": 6, "wang2022": 7, "dong2020": 6, "xia2018": 5, "bodinier2025": 4,
    }  # fmt: skip
    assert set(counts) == set(papers())
    for each in found:
        assert each.id == f"{each.paper}-K{each.id.rpartition('K')[2]}"
        assert each.comparisons and all(name in each.rule for name in each.comparisons)
        assert each.conclusion.endswith(".") and each.location


@pytest.fixture
def shelf(tmp_path):
    """A book with one paper and no records."""
    (tmp_path / "claims").mkdir()
    shutil.copy(root() / "claims/wang2022.toml", tmp_path / "claims")
    return tmp_path


def write(shelf, edition, *statuses):
    names = ledger.conclusion("wang2022-K4").comparisons
    rows_ = ledger.plain(rows(OPEN, names=names))
    found = [
        {"key": id, "value": status, "edition": edition, "conclusion": id, "evidence": rows_}
        for id, status in statuses
    ]
    recording.write_record(shelf / f"results/04_a/{edition}", found, [], {})


def test_recorded_runs_decide_and_official_data_count_first(shelf):
    frame = ledger.decided(folder=shelf)
    assert len(frame) == 7 and set(frame["status"]) == {"not run"}
    write(shelf, "pocket", ("wang2022-K4", "undecided"), ("wang2022-K6", "holds"))
    write(shelf, "official", ("wang2022-K4", "does not hold"))
    write(shelf, "teaching", ("wang2022-K5", "holds"))
    frame = ledger.decided(folder=shelf).set_index("id")
    found = frame.loc[["wang2022-K4", "wang2022-K5", "wang2022-K6"], "status"].tolist()
    assert found == ["does not hold", "not run", "holds"]
    assert frame.loc["wang2022-K4", "evidence"][0]["n"] == 22
    text = claims_text.conclusions_text(folder=shelf)
    assert "wang2022-K4  ✕ does not hold: " in text and "over 22 drugs" in text
    assert frame["without_leak"].dropna().unique().tolist() == ["undecided"]
    assert "7 conclusions: 1 holds, 1 does not hold, 5 not run." in text
    assert max(map(len, text.splitlines())) <= 100


def test_every_recorded_status_follows_from_its_evidence():
    frame = ledger.decided()
    frame = frame[frame["evidence"].notna()]
    assert len(frame)
    for row in frame.itertuples():
        every = pd.DataFrame([{"p": np.nan} | each for each in row.evidence]).astype({"p": float})
        honest, leaky = every[~every["leaky"]], every[every["leaky"]]
        ledger.check(ledger.conclusion(row.id), honest)
        assert row.status == ledger.status(honest, leaky if len(leaky) else None), row.id


def test_a_record_of_an_unknown_conclusion_or_status_is_refused(shelf):
    write(shelf, "pocket", ("wang2022-K40", "holds"))
    with pytest.raises(InputError, match="wang2022-K40"):
        runs(shelf, strict=True)
    with pytest.raises(InputError, match="it holds"):
        write(shelf, "pocket", ("wang2022-K4", "it holds"))


def test_an_unknown_conclusion_is_named():
    with pytest.raises(InputError, match="wang2022-K1"):
        ledger.conclusion("wang2022-K10")


def test_evidence_must_be_what_the_rule_names():
    rule = ledger.conclusion("wang2022-K6")
    names = list(rule.comparisons)
    ledger.check(rule, rows(BETTER, OPEN, names=names))
    ledger.check(rule, rows(BETTER, names=names[:1]), whole=False)
    with pytest.raises(InputError, match=names[1]):
        ledger.check(rule, rows(BETTER, names=names[:1]))
    with pytest.raises(InputError, match="attention minus ridge"):
        ledger.check(rule, rows(BETTER, names=["attention minus ridge"]))
    with pytest.raises(InputError, match="twice"):
        ledger.check(rule, rows(BETTER, BETTER, OPEN, names=[*names, names[0]]))
    with pytest.raises(InputError, match="interval"):
        ledger.check(rule, rows(BETTER, (0.1, np.nan, np.nan), names=names))
    with pytest.raises(InputError, match="lacks the columns low"):
        ledger.check(rule, rows(BETTER).drop(columns="low"))


def against():
    return pd.DataFrame(
        {
            "model": ["ridge", "lasso", "tissue mean"],
            "reference": "tissue mean", "axis": "perturbation",
            "gain": [0.05, 0.01, 0.0], "low": [0.02, -0.02, np.nan], "high": [0.08, 0.04, np.nan],
            "p": [0.01, 0.4, np.nan], "distinct": [22, 22, 0],
        }
    )  # fmt: skip


def test_evidence_is_picked_from_a_comparison():
    found = ledger.evidence(against(), ["ridge"])
    assert found.to_dict("records") == [
        {"comparison": "ridge minus tissue mean", "gain": 0.05, "low": 0.02, "high": 0.08,
         "p": 0.01, "unit": "perturbations", "n": 22},
    ]  # fmt: skip
    named = ledger.evidence(against(), {"lasso": "linear minus naive"}, unit="drugs")
    assert named[["comparison", "unit"]].iloc[0].tolist() == ["linear minus naive", "drugs"]
    with pytest.raises(InputError, match="did you mean lasso"):
        ledger.evidence(against(), ["laso"])
    with pytest.raises(InputError, match="distinct"):
        ledger.evidence(against().drop(columns="distinct"), ["ridge"])


def test_the_sentence_gives_rule_numbers_unit_and_p():
    rule = ledger.conclusion("wang2022-K4")
    honest = rows(OPEN, p=[0.51], names=rule.comparisons)
    page, words = ledger.told(rule, "undecided", honest, honest, "Both are means.")
    assert "Wang et al. 2022" in words and rule.conclusion in words and rule.rule in words
    assert "◇ undecided" in words and "Both are means." in words
    assert "+0.010 (−0.020 to 0.040) over 22 drugs, corrected p 0.51" in words
    assert f'id="{rule.id}"' in page and 'data-status="undecided"' in page


def test_a_record_keeps_plain_numbers_of_both():
    honest, leaky = rows(OPEN, p=[np.nan]), rows(BETTER)
    kept = ledger.plain(honest, leaky)
    assert [row["leaky"] for row in kept] == [False, True]
    assert kept[0]["p"] is None and type(kept[0]["gain"]) is float and type(kept[0]["n"]) is int
