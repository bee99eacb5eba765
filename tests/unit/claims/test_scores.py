"""scores.py: a summary as a table and as records."""

import pandas as pd
import pytest

from cdp_lib.claims import claim, scores
from cdp_lib.claims.recorded import Record
from cdp_lib.errors import InputError


def summary(**more):
    rows = [("tissue mean", "baseline", 0.06, 0.02), ("ridge", "model", 0.13, 0.03)]
    frame = pd.DataFrame(rows, columns=["model", "kind", "mean", "sd"])
    frame = frame.assign(
        cohort="gdsc", split="leave lines out", axis="perturbation", metric="r2", omics="none",
        sd_over="folds of lines", folds=5, units=55, reference="tissue mean",
        gain=[0.0, 0.07], p=[float("nan"), 0.0004],
    )  # fmt: skip
    return frame.assign(**more)


def one(frame):
    ((key, words, part),) = scores.parts("headline", frame)
    return key, words, part


def test_a_table_says_what_the_spread_is_over_and_what_the_gain_compares_with():
    table = scores.shown(one(summary(low=0.04, high=0.1))[2], {}, per="drug")
    assert table.columns.tolist() == [
        "Model",
        "R² per drug, mean ± sd over folds of lines",
        "Gain over tissue mean (95 % interval)",
        "Corrected p",
    ]
    assert table.iloc[0].tolist() == [
        "ridge", "0.130 ± 0.030", "+0.070 (0.040 to 0.100)", "< 0.001",
    ]  # fmt: skip
    assert table.iloc[1].tolist() == ["tissue mean (naive)", "0.060 ± 0.020", "", ""]


def test_the_best_is_on_top_whichever_way_the_metric_points():
    table = scores.shown(one(summary(metric="mse"))[2], {})
    assert table["Model"].tolist() == ["tissue mean (naive)", "ridge"]


def test_floor_ceiling_and_share_are_shown_and_recorded_where_they_are_known():
    part = one(summary(floor=0.06, ceiling=0.56, share=[0.0, 0.14]))[2]
    assert scores.shown(part, {})["Share of the range"].tolist() == ["14 %", "0 %"]
    rows = list(scores.recorded("headline", part, {}, {"protocol": "repaired"}))
    ridge = Record(**rows[1], edition="pocket", chapter="04_x")
    assert (ridge.key, ridge.value, ridge.sd, ridge.n) == ("headline/ridge", 0.13, 0.03, 5)
    assert (ridge.floor, ridge.ceiling, ridge.share) == (0.06, 0.56, 0.14)
    assert (ridge.gain, ridge.p, ridge.reference) == (0.07, 0.0004, "tissue mean")
    assert (ridge.protocol, rows[0]["protocol"], rows[0]["baseline"]) == ("repaired", None, True)
    assert "comparable" not in rows[1], "without a claim there is nothing to compare"


def test_two_metrics_become_two_tables_with_keys_of_their_own():
    both = pd.concat([summary(), summary(metric="pearson")])
    found = [(key, words, len(part)) for key, words, part in scores.parts("headline", both)]
    assert found == [("headline, r2", "R²", 2), ("headline, pearson", "Pearson r", 2)]


def test_a_model_on_two_omics_has_two_names():
    twice = pd.concat([summary(), summary(omics="mutation").iloc[1:]])
    assert set(one(twice)[2]["name"]) == {"ridge, none", "ridge, mutation", "tissue mean"}


def test_a_claim_goes_to_the_row_of_its_metric_and_axis():
    headline = claim("wang2022-C020")
    part = one(summary())[2]
    assert scores.of_part({"ridge": headline}, part) == {"ridge": headline}
    assert scores.shown(part, {"ridge": headline})["Reported"].tolist() == ["0.90 ± 0.01", ""]
    assert scores.of_part({"ridge": headline}, part.assign(axis="global")) == {}
    about = {"protocol": None, "comparable": False, "reason": "another release"}
    row = list(scores.recorded("headline", part, {"ridge": headline}, about))[1]
    assert (row["claim"], row["reason"]) == ("wang2022-C020", "another release")


def test_a_claim_without_a_row_is_refused():
    headline, part = claim("wang2022-C020"), one(summary())[2]
    with pytest.raises(InputError, match="ridge"):
        scores.check_placed("headline", {"rigde": headline}, set(), [part])
    with pytest.raises(InputError, match="wang2022-C020"):
        scores.check_placed("headline", {"ridge": headline}, set(), [part])


def test_a_frame_that_is_no_summary_is_refused():
    with pytest.raises(InputError, match="kind, metric"):
        list(scores.parts("headline", summary().drop(columns=["metric", "kind"])))


@pytest.mark.parametrize(
    ("p", "words"), [(0.0004, "< 0.001"), (0.0234, "0.023"), (0.345, "0.34"), (float("nan"), "")]
)
def test_p_has_two_digits_that_count(p, words):
    assert scores.p_words(p) == words
