"""The recorded run of chapter 03, against computations by hand and against its own rules."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.model_selection import KFold

from cdp_lib import claims
from cdp_lib.claims.conclusions import conclusions

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "book" / "results" / "03_gene_dependency" / "pocket" / "results.json"


@pytest.fixture(scope="module")
def recorded():
    return {row["key"]: row for row in json.loads(RESULTS.read_text())["results"]}


def test_every_claim_has_a_record_and_every_reason_is_given(recorded):
    named = {row["claim"] for row in recorded.values() if row["claim"]}
    assert named == {claim.id for claim in claims.claims("itzhacky2021")}
    assert all(row["reason"] for row in recorded.values() if row["claim"])
    headline = claims.papers()["itzhacky2021"].headline
    for end in ("published", "repaired", "baseline"):
        assert -1 <= recorded[headline[end]]["value"] <= 1


def test_other_data_judge_no_claim_and_the_reason_is_true_of_the_model(recorded):
    for key, row in recorded.items():
        if row["claim"]:
            assert row["value"] is None or not row["comparable"], key
            drugs = key.startswith("new drugs") or row["claim"] >= "itzhacky2021-C030"
            assert ("secondary screen" if drugs else "20Q2") in row["reason"] or not row["value"]
            assert "profile" not in row["reason"]  # least squares knows no profile


def test_each_conclusion_is_decided_by_what_its_rule_names(recorded):
    for rule in conclusions("itzhacky2021"):
        row = recorded[f"conclusion/{rule.id}"]
        honest = [each for each in row["evidence"] if not each["leaky"]]
        assert [each["comparison"] for each in honest] == list(rule.comparisons)
        assert all(each["low"] <= each["gain"] <= each["high"] for each in honest)
        sure = [each["p"] is None or each["p"] < 0.05 for each in map({"p": None}.__or__, honest)]
        shown = all(each["low"] > 0 and known for each, known in zip(honest, sure, strict=True))
        assert (row["value"] == "holds") == shown


def test_what_is_held_out_is_what_an_interval_is_over(recorded):
    for number, unit in ((3, "genes"), (4, "genes"), (6, "drugs")):
        evidence = recorded[f"conclusion/itzhacky2021-K{number}"]["evidence"]
        assert {each["unit"] for each in evidence} == {unit}


def test_the_chain_as_published_sees_test_lines_and_the_repaired_one_does_not(recorded):
    for what in ("labels", "features"):
        assert recorded[f"the chain sees test {what}/as published"]["value"] is True
        assert recorded[f"the chain sees test {what}/repaired"]["value"] is False


def test_the_control_of_the_leak_gains_less_than_the_leak(recorded):
    of = {key.partition("/")[2]: row for key, row in recorded.items() if key.startswith("leaks")}
    shuffled, seen = of["the same, tested rows shuffled"], of["dependency autoencoder saw them"]
    assert shuffled["high"] < seen["low"]


@pytest.fixture(scope="module")
def files(mirror):
    """Expression and gene effect of the lines without a gap, straight from the mirrored files."""
    import pyreadr

    effect, expression = (
        next(iter(pyreadr.read_r(str(mirror / "depmap-20q2-pocket" / name)).values()))
        for name in ("20Q2_achilles.Rds", "20Q2_expression.Rds")
    )
    effect, expression = (
        table.set_index("X1" if "X1" in table else table.columns[0])
        for table in (effect, expression)
    )
    effect = effect[effect.notna().all(axis=1) & effect.index.isin(expression.index)]
    return expression.loc[effect.index, effect.columns].astype(float), effect.astype(float)


def test_counts_by_hand(recorded, files):
    effect = files[1]
    counts = {10: 0, 11: 0, 12: 0}  # variable, near 0, near 1
    for gene in effect.columns:
        values = effect[gene].to_numpy()
        flat = 12 if values.mean() < -0.5 else 11
        counts[10 if values.std(ddof=1) > 0.1 else flat] += 1
    for number, count in counts.items():
        name = claims.claim(f"itzhacky2021-C{number:03}").description
        assert recorded[f"shapes/{name}"]["value"] == count
    assert recorded["shapes/lines with complete dependency"]["value"] == len(effect)


def test_one_number_a_gene_by_hand(recorded, files):
    """Other folds than the chapter's, so the same within the noise of five folds."""
    X, Y = files
    x, y = X.mean().to_numpy(), Y.mean().to_numpy()
    for degree, name in ((1, "one number a gene"), (3, "one number a gene, cubic")):
        by_fold = []
        for learn, test in KFold(5, shuffle=True, random_state=0).split(x):
            curve = np.polyfit(x[learn], y[learn], degree)
            p = np.polyval(curve, np.clip(x[test], x[learn].min(), x[learn].max()))
            by_fold.append([stats.pearsonr(p, row[test]).statistic for row in Y.to_numpy()])
        assert recorded[f"new genes/{name}"]["value"] == pytest.approx(np.mean(by_fold), abs=0.04)


@pytest.mark.parametrize("name", ["expression", "dependency"])
def test_the_mean_of_the_other_lines_by_hand(recorded, files, name):
    X, Y = files
    X, Y = X.loc[:, (X == 0).mean() <= 0.8], Y.loc[:, Y.std() > 0.1]
    table = (X if name == "expression" else Y).to_numpy()
    others = (table.sum(axis=0) - table) / (len(table) - 1)
    r = [stats.pearsonr(row, mean).statistic for row, mean in zip(table, others, strict=True)]
    ours = recorded[f"rebuilding {name}/perturbation mean"]["value"]
    assert ours == pytest.approx(np.mean(r), abs=0.005)
