"""Attention over networks: stages, protocols, and who may see which label."""

import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from cdp_lib.audit import sees_test_features, sees_test_labels
from cdp_lib.data import Cohort
from cdp_lib.errors import InputError
from cdp_lib.models.fusion.attention import STEPS
from cdp_lib.models.fusion.omics_networks import paper_networks
from cdp_lib.models.fusion.stages import (
    AttentionFusion,
    StageOne,
    fuse,
    out_of_fold,
    stage_one,
)
from cdp_lib.models.linear import Ridge
from cdp_lib.splits import (
    leave_both_out,
    leave_lines_out,
    leave_pairs_out,
    leave_perturbations_out,
    leave_tissues_out,
)

OMICS = ["expression", "mutation", "rppa"]
GENES = list("ABCDEF")
GRAPH = pd.DataFrame({"gene_a": ["A", "A", "C"], "gene_b": ["B", "D", "E"]})


def cohort(lines=45, drugs=4, missing=0.1, seed=0):
    """Expression decides the response; mutation and rppa are noise."""
    rng = np.random.default_rng(seed)
    names = pd.Index([f"line {i}" for i in range(lines)])
    expression = pd.DataFrame(rng.normal(3, 2, size=(lines, 6)), names, GENES)
    omics = {
        "expression": expression,
        "mutation": pd.DataFrame(rng.integers(0, 2, size=(lines, 6)), names, GENES),
        "rppa": pd.DataFrame(rng.normal(size=(lines, 5)), names).add_prefix("protein "),
    }
    Y = expression.to_numpy() @ rng.normal(size=(6, drugs)) + 0.5 * rng.normal(size=(lines, drugs))
    Y[rng.random(Y.shape) < missing] = np.nan
    about = pd.DataFrame(
        {"tissue": np.arange(lines) // 2 % 5, "donor": np.arange(lines) // 2},
        names,
    )
    return Cohort.from_tables(pd.DataFrame(Y, names).add_prefix("drug "), omics, about)


COHORT = cohort()
X, Y = COHORT.X(OMICS), COHORT.Y
LEFT_OUT = leave_lines_out(COHORT, n_folds=3, tune=0)
FOLD = LEFT_OUT.folds[0]
RIDGES = {name: Ridge(alphas=(1.0,)) for name in OMICS}
STAGE = stage_one(RIDGES, X, Y, FOLD)
STRANGE = COHORT.lines["donor"].rename("another {}".format)  # groups of other lines
NETWORKS = paper_networks(OMICS, GRAPH, epochs=2)


def steps(epochs):
    return replace(STEPS, epochs=epochs)


def twice(*tables):
    return [table.rename({"line 1": "line 0"}) for table in tables]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


HONEST = {
    "out of fold": AttentionFusion(RIDGES, training=steps(5), groups=COHORT.lines["donor"]),
    "in sample": AttentionFusion(RIDGES, "in_sample", training=steps(5)),
    "by line": AttentionFusion(RIDGES, attention="line", training=steps(5)),
    "mean": AttentionFusion(RIDGES, attention="mean"),
    "networks": AttentionFusion(NETWORKS, training=steps(5)),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_models_never_see_a_test_label(name, assert_blind_to_test_labels):
    split = leave_lines_out(COHORT, n_folds=2)
    assert_blind_to_test_labels(lambda: HONEST[name], COHORT, split, OMICS)


@pytest.mark.parametrize(
    "split",
    [leave_pairs_out, leave_tissues_out, leave_perturbations_out, leave_both_out],
    ids=lambda s: s.__name__,
)
def test_stacking_is_blind_under_every_split(split, assert_blind_to_test_labels):
    assert_blind_to_test_labels(
        lambda: AttentionFusion(RIDGES, training=steps(5), groups=COHORT.lines["donor"]),
        COHORT,
        split(COHORT, n_folds=2),
        OMICS,
    )


@pytest.mark.parametrize(
    "seen, leaks",
    [("out_of_fold", False), ("in_sample", False), ("redrawn", True), ("saw_all", True)],
)
def test_leaky_protocols_are_caught_and_honest_ones_pass(seen, leaks):
    def procedure(X, Y, fold):
        return fuse(stage_one(RIDGES, X, Y, fold, seen), training=steps(5)).prediction

    assert sees_test_labels(procedure, X, Y, FOLD) is leaks
    assert sees_test_features(procedure, X, Y, FOLD) is leaks


def test_stage_one_and_fuse_equal_the_model():
    stage = stage_one(RIDGES, X, Y, FOLD, groups=COHORT.lines["donor"])
    labels = Y.where(FOLD.fit)
    rows = labels.notna().any(axis=1)
    model = AttentionFusion(RIDGES, groups=COHORT.lines["donor"]).fit(X[rows], labels[rows])
    for fused, fitted in (
        (stage, model),
        (
            stage.in_sample(),
            clone(model).set_params(seen="in_sample").fit(X[rows], labels[rows]),
        ),
    ):
        result = fuse(fused)
        pd.testing.assert_frame_equal(result.prediction, fitted.predict(X), check_names=False)
    direct = stage_one(RIDGES, X, Y, FOLD, "in_sample")
    pd.testing.assert_frame_equal(fuse(direct).weights, fuse(stage.in_sample()).weights)


def test_all_subsets_reuse_the_stored_predictions():
    stage = stage_one(RIDGES, X, Y, FOLD)
    for size in (1, 2, 3):
        for subset in combinations(OMICS, size):
            fused = fuse(stage, subset, training=steps(20))
            assert list(fused.weights.columns) == list(subset)
            np.testing.assert_allclose(fused.weights.sum(axis=1), 1, rtol=1e-5)
            assert fused.prediction.shape == Y.shape
    one = fuse(stage, ["rppa"], training=steps(20)).prediction
    np.testing.assert_allclose(one, stage.final["rppa"], rtol=1e-4, atol=1e-4)


def test_out_of_fold_predictions_come_from_models_that_did_not_see_the_line():
    donors = COHORT.lines["donor"]
    P = out_of_fold(RIDGES["expression"], X["expression"], Y, 3, donors)
    line = Y.index[Y.notna().all(axis=1)][0]
    changed = Y.copy()
    changed.loc[donors == donors[line]] *= 100
    Q = out_of_fold(RIDGES["expression"], X["expression"], changed, 3, donors)
    pd.testing.assert_series_equal(P.loc[line], Q.loc[line])
    assert not P.equals(Q) and P.notna().all(axis=None)


def test_groups_of_more_lines_are_matched_by_name():
    donors = COHORT.lines["donor"]
    more = pd.concat([STRANGE, donors.iloc[::-1]])
    whole, part = (
        stage_one(RIDGES, X, Y, FOLD, groups=groups).learning["rppa"] for groups in (donors, more)
    )
    pd.testing.assert_frame_equal(whole, part)
    assert not whole.equals(STAGE.learning["rppa"])


def test_one_omics_may_be_named_alone():
    pd.testing.assert_frame_equal(fuse(STAGE, "rppa").prediction, fuse(STAGE, ["rppa"]).prediction)


def test_unknown_labels_are_not_scored():
    scores = cross_val_score(AttentionFusion(RIDGES, training=steps(3)), X, Y, cv=3)
    assert Y.isna().any(axis=None) and np.isfinite(scores).all()


def test_honest_attention_finds_the_omics_that_decides():
    fused = fuse(stage_one(RIDGES, X, Y, FOLD))
    assert (fused.weights["expression"] > 0.9).all()


def test_in_sample_attention_prefers_the_network_that_remembers():
    rng = np.random.default_rng(0)
    names = Y.index
    noise = pd.DataFrame(rng.normal(size=(len(names), 200)), names)
    tables = pd.concat({"expression": X["expression"].iloc[:, :2], "noise": noise}, axis=1)
    models = {"expression": Ridge(alphas=(1.0,)), "noise": Ridge(alphas=(1e-3,))}
    stage = stage_one(models, tables, Y, FOLD)
    assert fuse(stage.in_sample()).weights["noise"].min() > 0.9
    assert fuse(stage).weights["noise"].mean() < 0.4


def test_the_mean_is_the_mean():
    stage = stage_one(RIDGES, X, Y, FOLD)
    fused = fuse(stage, attention="mean")
    np.testing.assert_allclose(
        fused.prediction, sum(stage.final.values()) / len(OMICS), rtol=1e-4, atol=1e-4
    )


def test_a_drug_without_labels_gets_the_mean_of_all():
    labels = Y.copy()
    labels["drug 1"] = np.nan
    P = AttentionFusion(RIDGES, training=steps(3)).fit(X, labels).predict(X)
    np.testing.assert_allclose(P["drug 1"], np.nanmean(labels), rtol=0.1)
    assert np.isfinite(P).all(axis=None)


def test_a_line_without_labels_teaches_nothing():
    labels = Y.copy()
    labels.iloc[7] = np.nan
    other = X.copy()
    other.iloc[7] += 50
    first, second = (
        AttentionFusion(RIDGES, training=steps(3)).fit(table, labels) for table in (X, other)
    )
    pd.testing.assert_frame_equal(first.predict(X), second.predict(X))


def test_redrawn_folds_are_other_folds_whatever_the_seed():
    for seed in range(4):
        outer = leave_lines_out(COHORT, n_folds=3, tune=0, seed=seed).folds[1]
        stage = stage_one(RIDGES, X, Y, outer, "redrawn", seed=0)
        honest = stage_one(RIDGES, X, Y, outer, "in_sample")
        assert not stage.final["rppa"].equals(honest.final["rppa"])


@pytest.mark.parametrize("seed", [0, 1])
def test_redrawn_folds_are_other_folds_with_the_donors_and_seed_of_the_split(seed):
    """The leak of chapter 04: with the folds of the split itself there would be none."""
    donors = COHORT.lines["donor"]
    for outer in leave_lines_out(COHORT, n_folds=3, tune=0, seed=seed):
        stage = stage_one(RIDGES, X, Y, outer, "redrawn", 3, donors, seed)
        honest = stage_one(RIDGES, X, Y, outer, "in_sample", 3, donors, seed)
        assert not stage.final["rppa"].equals(honest.final["rppa"])


def test_a_network_that_predicts_a_constant_is_named():
    constant = X.copy()
    constant["mutation"] = 1.0
    with pytest.warns(UserWarning, match="'mutation'"):
        AttentionFusion(RIDGES, training=steps(2)).fit(constant, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AttentionFusion(RIDGES, training=steps(2)).fit(X, Y)


def test_two_fits_are_identical():
    other = paper_networks(OMICS, GRAPH, epochs=2, seed=1)
    first, second = (
        AttentionFusion(NETWORKS, training=steps(3)).fit(X, Y).predict(X) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not first.equals(AttentionFusion(other, training=steps(3)).fit(X, Y).predict(X))


def test_a_stage_is_plain_tables():
    stage = stage_one(RIDGES, X, Y, FOLD)
    assert isinstance(stage, StageOne) and stage.seen == "out_of_fold"
    assert stage.labels.notna().equals(Y.where(FOLD.fit).notna())
    assert all(table.index.equals(Y.index) for table in stage.final.values())


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: AttentionFusion(RIDGES, "saw_all").fit(X, Y), "seen is .saw_all."),
        (lambda: AttentionFusion(RIDGES).fit(X, Y.to_numpy()), "DataFrame"),
        (lambda: AttentionFusion(RIDGES).fit(X.iloc[:9], Y), "9 and 45 rows"),
        (lambda: AttentionFusion(RIDGES).fit(X.iloc[::-1], Y), "different order"),
        (lambda: AttentionFusion(RIDGES).fit(X["rppa"], Y), "two-level columns"),
        (lambda: AttentionFusion(RIDGES).fit(COHORT.X(["rppa"]), Y), "no omics 'expression'"),
        (lambda: AttentionFusion(RIDGES).predict(X), "not fitted yet"),
        (lambda: AttentionFusion(RIDGES, attention="sum").fit(X, Y), "attention is 'sum'"),
        (lambda: stage_one(RIDGES, X.iloc[::-1], Y, FOLD), "different order"),
        (lambda: stage_one(RIDGES, X, Y, FOLD, "fair"), "seen is 'fair'"),
        (lambda: fuse(STAGE, ["cnv"]), "'cnv': .* expression, mutation, rppa"),
        (lambda: fuse(STAGE, "cnv"), "no omics 'cnv'"),
        (lambda: fuse(STAGE, []), "omics names none"),
        (lambda: AttentionFusion(None).fit(X, Y), "networks is of NoneType"),
        (lambda: AttentionFusion({"rppa": 1}).fit(X, Y), "'rppa' is 1"),
        (lambda: AttentionFusion({"rppa": Ridge}).fit(X, Y), "'rppa' is <class"),
        (lambda: stage_one({}, X, Y, FOLD), "networks is empty"),
        (lambda: stage_one(RIDGES, X.iloc[:, :0], Y, FOLD), "two-level columns"),
        (lambda: stage_one(RIDGES, X, Y.iloc[:, :2], FOLD), "fold does not fit the response"),
        (lambda: stage_one(RIDGES, X, Y, LEFT_OUT), "fold is a Split"),
        (lambda: stage_one(RIDGES, X, Y, FOLD, groups=STRANGE), "groups lack .*'line 0'"),
        (lambda: stage_one(RIDGES, X, Y, FOLD, "redrawn", groups=STRANGE), "groups lack 45"),
        (lambda: stage_one(RIDGES, X, Y, FOLD, groups="auto"), "a Series"),
        (lambda: AttentionFusion(RIDGES, groups=STRANGE).fit(X, Y), "groups lack 45"),
        (lambda: AttentionFusion(RIDGES).fit(*twice(X, Y)), "the line 'line 0' twice"),
        (lambda: out_of_fold(RIDGES["rppa"], *twice(X["rppa"], Y)), "the line 'line 0' twice"),
        (lambda: stage_one(RIDGES, X, Y, FOLD, "saw_all").in_sample(), "seen test labels"),
    ],
)
def test_bad_input_is_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call()
