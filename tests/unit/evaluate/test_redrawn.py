"""Held-out units are drawn again, whatever the axis of the score."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import evaluate, metrics
from cdp_lib.errors import InputError
from cdp_lib.models.linear import Ridge
from cdp_lib.models.turned import OneNumber, Turned
from cdp_lib.splits import leave_lines_out, leave_perturbations_out


class Cohort:
    rng = np.random.default_rng(1)
    names = pd.Index([f"line {i}" for i in range(30)])
    genes = [f"gene {i}" for i in range(50)]
    expression = pd.DataFrame(rng.normal(4, 1, (30, 50)), names, genes)
    Y = expression * 0.4 + expression.mean() + pd.DataFrame(rng.normal(size=(30, 50)), names, genes)

    def X(self, omics):
        return self.expression


@pytest.fixture(scope="module")
def P():
    cohort = Cohort()
    models = {"ridge": Turned(Ridge((10.0,), standardize=False))}
    split = leave_perturbations_out(cohort.Y, 5, tune=0)
    return evaluate.cross_predict(models, cohort, split, baselines={"one number": OneNumber()})


def test_the_first_draw_is_the_summary(P):
    found = evaluate.redrawn(P, "one number", draws=20).set_index("model")
    known = P.summary("pearson", axis="line", reference="one number").set_index("model")
    for what in ("mean", "sd", "gain"):
        assert np.allclose(found[what], known.loc[found.index, what], atol=1e-6)
    assert found.loc["ridge", "p"] == pytest.approx(known.loc["ridge", "p"], rel=1e-4)
    assert found.loc["ridge", "distinct"] == 50
    few = evaluate.redrawn(P, "one number", draws=20, models=["ridge"])
    assert list(few["model"]) == ["ridge", "one number"]


def test_draws_are_correlations_over_drawn_genes(P):
    (held,) = P.held
    row, part = next(held.parts())
    truth = held.table(part, held.truth).dropna(axis=1)
    p = held.table(part, held.values["ridge", "expression"])[truth.columns]
    drawn = np.random.default_rng(0).integers(0, truth.shape[1], truth.shape[1])
    times = np.bincount(drawn, minlength=truth.shape[1])[:, None]
    from cdp_lib.evaluate.redrawn import _weighted

    mine = _weighted(truth.to_numpy(float), p.to_numpy(float), times)[:, 0]
    known = metrics.pearson(truth.to_numpy()[:, drawn], p.to_numpy()[:, drawn], axis="line")
    assert np.allclose(mine, known, atol=1e-6)


def test_the_interval_over_genes_is_wider_than_that_over_lines(P):
    genes = evaluate.redrawn(P, "one number", draws=200).set_index("model").loc["ridge"]
    lines = P.against("one number", axis="line", draws=200).set_index("model").loc["ridge"]
    assert genes["low"] < genes["gain"] < genes["high"]
    assert lines["low"] < lines["gain"] < lines["high"]


def test_without_line_means_one_number_a_gene_says_nothing(P):
    scores = evaluate.without_line_means(P).summary("pearson").set_index("model")["mean"]
    assert scores["one number"] == 0 and scores["ridge"] > 0.05
    cells = evaluate.without_line_means(P).cells()
    ridge = cells[cells["model"] == "ridge"]
    for what in ("truth", "prediction"):
        means = ridge.groupby(["fold", "line"], observed=True)[what].mean()
        assert np.allclose(means, 0, atol=1e-6)


def test_lines_are_drawn_where_the_score_runs_along_them():
    cohort = Cohort()
    split = leave_lines_out(cohort.Y, 3, tune=0)
    P = evaluate.cross_predict({"ridge": Ridge((10.0,))}, cohort, split)
    found = evaluate.redrawn(P, "perturbation mean", axis="perturbation", draws=50)
    known = P.summary("pearson", reference="perturbation mean").set_index("model")
    ridge = found.set_index("model").loc["ridge"]
    assert ridge["gain"] == pytest.approx(known.loc["ridge", "gain"], abs=1e-6)
    assert ridge["distinct"] == 30


def test_shares_above_a_threshold_are_compared_gene_by_gene():
    cohort = Cohort()
    P = evaluate.cross_predict({"ridge": Ridge()}, cohort, leave_lines_out(cohort.Y, 3, tune=0))
    found = evaluate.share_above(
        P, "ridge", {"luck": 0.01, "mean": "perturbation mean"}, 0.1, draws=200
    ).set_index("comparison")
    r = P.scores("pearson").groupby(["model", "unit"])["score"].mean()["ridge"]
    share = (r > 0.1).mean()
    assert found.loc["luck", "gain"] == pytest.approx(share - 0.01)
    assert found.loc["mean", "gain"] == pytest.approx(share)
    half = 1.96 * np.sqrt(share * (1 - share) / 50)
    assert found.loc["mean", "high"] - found.loc["mean", "low"] == pytest.approx(2 * half, rel=0.3)


def test_an_unknown_reference_is_named(P):
    with pytest.raises(InputError, match="'mean'"):
        evaluate.redrawn(P, "mean")
