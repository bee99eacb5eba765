"""Cross-validation hands each model its training cells only, and the summary compares honestly."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import Lasso, LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cdp_lib import splits
from cdp_lib.errors import InputError
from cdp_lib.evaluate import Search, cross_validate, fitted, naive_baselines, summary
from cdp_lib.metrics import pearson, rmse
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.models.per_perturbation import PerPerturbation

NAIVE = ["global mean", "perturbation mean", "line mean", "mean effects", "tissue mean"]


def make_cohort(lines=40, genes=12, drugs=6, missing=0.1, seed=0):
    rng = np.random.default_rng(seed)
    names = pd.Index([f"line {i:02}" for i in range(lines)], name="line")
    X = pd.DataFrame(rng.normal(size=(lines, genes)), names).add_prefix("gene ")
    Y = X.to_numpy() @ rng.normal(size=(genes, drugs)) + rng.normal(size=(lines, drugs))
    Y += 5 * np.arange(drugs)
    Y[rng.random(Y.shape) < missing] = np.nan
    Y = pd.DataFrame(Y, names).add_prefix("drug ").astype("float32")
    about = pd.DataFrame({"tissue": [f"tissue {i % 4}" for i in range(lines)]}, names)
    double = pd.concat({"expression": X, "mutation": X > 0}, axis=1)
    return SimpleNamespace(
        Y=Y,
        lines=about,
        perturbations=pd.DataFrame(index=Y.columns),
        X=lambda omics: X if omics == "expression" else double,
    )


@pytest.fixture(scope="module")
def cohort():
    return make_cohort()


SPLITS = {
    "pairs": splits.leave_pairs_out,
    "lines": splits.leave_lines_out,
    "tissues": splits.leave_tissues_out,
    "perturbations": splits.leave_perturbations_out,
    "both": splits.leave_both_out,
}
MODELS = {
    "ridge": lambda: Ridge(alphas=(1.0, 100.0)),
    "lasso": lambda: PerPerturbation(Lasso(), min_labels=5),
    "network": lambda: FeedForward(hidden=(4,), training=Training(epochs=3, device="cpu")),
    "search": lambda: Search(Ridge(alphas=(1.0,)), {"alphas": [(1.0,), (9.0,)]}, inner=2),
}


class Spy(BaseEstimator):
    """Keeps what it was shown, and predicts the number of rows it was fitted on."""

    def fit(self, X, Y):
        self.X_, self.Y_ = X, Y
        return self

    def predict(self, X):
        return pd.DataFrame(float(len(self.X_)), X.index, self.Y_.columns)


class StoppingSpy(Spy):
    def fit(self, X, Y, validation=None):
        self.validation_ = validation
        return super().fit(X, Y)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", MODELS)
def test_no_model_sees_a_test_label(name, split, cohort, assert_blind_to_test_labels):
    folds = SPLITS[split](cohort, 2)
    assert_blind_to_test_labels(MODELS[name], cohort, folds, omics="expression")


@pytest.mark.parametrize("split", SPLITS)
def test_a_model_is_shown_the_training_cells_and_nothing_else(split, cohort):
    for fold in SPLITS[split](cohort, 3, tune=0.3):
        seen = fitted(Spy(), cohort, fold)
        shown = seen.Y_.reindex(cohort.Y.index)
        pd.testing.assert_frame_equal(shown, cohort.Y.where(fold.fit))
        assert seen.Y_.notna().any(axis=1).all(), "no line without a label"
        pd.testing.assert_frame_equal(seen.X_, cohort.X("expression").loc[seen.Y_.index])


@pytest.mark.parametrize("split", SPLITS)
def test_a_model_that_stops_early_learns_from_train_and_stops_by_tune(split, cohort):
    for fold in SPLITS[split](cohort, 3, tune=0.3):
        seen = fitted(StoppingSpy(), cohort, fold)
        X, Y = seen.validation_
        pd.testing.assert_frame_equal(seen.Y_.reindex(cohort.Y.index), cohort.Y.where(fold.train))
        pd.testing.assert_frame_equal(Y.reindex(cohort.Y.index), cohort.Y.where(fold.tune))
        assert X.index.equals(Y.index)


def test_a_model_that_can_do_without_validation_learns_from_the_tune_cells(cohort):
    class ContentSpy(StoppingSpy):
        asks_for_validation = False

    fold = splits.leave_lines_out(cohort, 3, tune=0.3).folds[0]
    seen = fitted(ContentSpy(), cohort, fold)
    assert seen.validation_ is None
    pd.testing.assert_frame_equal(seen.Y_.reindex(cohort.Y.index), cohort.Y.where(fold.fit))


def test_without_tune_cells_there_is_no_validation(cohort):
    fold = splits.leave_lines_out(cohort, 3, tune=0.0).folds[0]
    seen = fitted(StoppingSpy(), cohort, fold)
    assert seen.validation_ is None
    pd.testing.assert_frame_equal(seen.Y_.reindex(cohort.Y.index), cohort.Y.where(fold.fit))


def test_fitted_leaves_the_given_model_unfitted(cohort):
    model = Spy()
    assert fitted(model, cohort, splits.leave_lines_out(cohort, 3).folds[0]) is not model
    assert not hasattr(model, "X_")


def test_scores_equal_those_computed_by_hand(cohort):
    split = splits.leave_pairs_out(cohort, 3, repeats=2)
    model = Ridge(alphas=(10.0,))
    frame = cross_validate(
        {"ridge": model},
        cohort,
        split,
        metrics=("pearson", "rmse"),
        axis=("perturbation", "line", "global"),
    )
    for fold in split:
        Y = cohort.Y.where(fold.fit)
        P = clone(model).fit(cohort.X("expression"), Y).predict(cohort.X("expression"))
        truth = cohort.Y.where(fold.test)
        here = frame.query("model == 'ridge' and fold == @fold.number and repeat == @fold.repeat")
        assert set(here["n_train"]) == {Y.notna().to_numpy().sum()}
        assert set(here["n_test"]) == {truth.notna().to_numpy().sum()}
        for name, score in (("pearson", pearson), ("rmse", rmse)):
            drugs = here.query("metric == @name and axis == 'perturbation'").set_index("unit")
            np.testing.assert_allclose(
                drugs["score"].reindex(truth.columns), score(truth, P), rtol=1e-6
            )
            assert (drugs["n"] == truth.notna().sum()).all()
            lines = here.query("metric == @name and axis == 'line'").set_index("unit")
            expected = pd.Series(score(truth, P, axis="line"), truth.index)
            tested = truth.notna().any(axis=1)
            assert set(lines.index) == set(truth.index[tested]), "no row for what was not tested"
            np.testing.assert_allclose(lines["score"], expected.reindex(lines.index), rtol=1e-6)
            whole = here.query("metric == @name and axis == 'global'")["score"].item()
            assert whole == pytest.approx(score(truth, P, axis="global"))


def test_all_baselines_stand_beside_the_models(cohort):
    split = splits.leave_lines_out(cohort, 4, repeats=2)
    frame = cross_validate({"ridge": Ridge()}, cohort, split, axis=("perturbation", "global"))
    assert list(frame.columns) == [
        "model",
        "kind",
        "split",
        "axis",
        "metric",
        "repeat",
        "fold",
        "unit",
        "n",
        "score",
        "constant",
        "n_train",
        "n_test",
        "cohort",
        "omics",
    ]
    assert list(frame["model"].unique()) == ["ridge", *NAIVE]
    assert (frame["kind"] == np.where(frame["model"] == "ridge", "model", "baseline")).all()
    assert set(frame["split"]) == {"leave lines out"}
    assert frame.attrs["sentence"] == split.sentence
    assert len(frame) == 6 * 8 * 3 * (6 + 1)  # models x folds x metrics x (drugs + global)
    means = frame.query("model == 'perturbation mean' and axis == 'perturbation'")
    assert means["constant"].all()
    assert (means.query("metric == 'pearson'")["score"] == 0).all()


def test_a_perturbation_that_is_not_tested_has_no_row(cohort):
    split = splits.leave_perturbations_out(cohort, 3)
    frame = cross_validate({"spy": Spy()}, cohort, split, metrics="rmse")
    for fold in split:
        tested = set(cohort.Y.columns[fold.test.any(axis=0)])
        assert set(frame.query("fold == @fold.number")["unit"]) == tested


def test_baselines_can_be_left_out_and_tissue_needs_a_tissue(cohort):
    split = splits.leave_lines_out(cohort, 2)
    frame = cross_validate({"spy": Spy()}, cohort, split, baselines=False)
    assert set(frame["kind"]) == {"model"}
    assert summary(frame)["p"].isna().all() and summary(frame)["mean"].notna().any()
    bare = SimpleNamespace(Y=cohort.Y, X=cohort.X)
    assert list(naive_baselines(bare)) == NAIVE[:-1]


def test_plain_scikit_learn_and_several_omics(cohort):
    full = SimpleNamespace(**vars(make_cohort(missing=0.0)))
    split = splits.leave_lines_out(full, 3)
    frame = cross_validate(
        {"ols": LinearRegression(), "ridge": Ridge(alphas=(1e-9,))}, full, split, metrics="rmse"
    )
    scores = frame.pivot_table(index=["fold", "unit"], columns="model", values="score")
    np.testing.assert_allclose(scores["ols"], scores["ridge"], rtol=1e-5)
    both = cross_validate(
        {"ridge": Ridge()},
        cohort,
        splits.leave_lines_out(cohort, 2),
        omics=["expression", "mutation"],
        metrics="rmse",
    )
    assert both["score"].notna().all()


def test_two_processes_give_the_same_as_one(cohort):
    split = splits.leave_lines_out(cohort, 2)
    models = {"ridge": MODELS["ridge"](), "lasso": MODELS["lasso"]()}
    one = cross_validate(models, cohort, split)
    two = cross_validate(models, cohort, split, n_jobs=2)
    pd.testing.assert_frame_equal(one, two, rtol=1e-9)  # threads may differ, and so last bits


def test_a_failure_keeps_its_error_and_names_model_fold_and_remedy(cohort):
    split = splits.leave_lines_out(cohort, 2)
    with pytest.raises(ValueError, match="Input y contains NaN") as error:
        cross_validate({"ols": LinearRegression()}, cohort, split)
    assert error.value.__notes__[0] == "in model 'ols', fold 0 of repeat 0"
    assert "PerPerturbation(LinearRegression(...))" in error.value.__notes__[1]
    frames = [entry.name for entry in error.traceback]
    assert "_assert_all_finite" in frames, "where scikit-learn raised it"

    class Narrow(Spy):
        def predict(self, X):
            return super().predict(X).iloc[:, 1:]

    class Lost(Spy):
        def predict(self, X):
            return super().predict(X) * np.nan

    class Shuffled(Spy):
        def predict(self, X):
            return super().predict(X).iloc[::-1]

    class Killed(Spy):
        def fit(self, X, Y):
            raise MemoryError

    for model, kind, reason in (
        (Narrow(), InputError, r"\(20, 5\) where \(20, 6\)"),
        (Lost(), InputError, "NaN or infinity in 105 of 105"),
        (Shuffled(), InputError, "other lines"),
        (Killed(), MemoryError, None),
    ):
        with pytest.raises(kind, match=reason) as error:
            cross_validate({"odd": model}, cohort, split)
        assert error.value.__notes__ == ["in model 'odd', fold 0 of repeat 0"]


def test_a_notebook_shows_the_notes_of_an_input_error():
    error = InputError("What is wrong.")
    error.add_note("in model 'ridge'")
    assert error._render_traceback_() == ["InputError: What is wrong.", "in model 'ridge'"]


def test_arrays_and_numbered_rows_are_taken_by_position(cohort):
    full = make_cohort(missing=0.0)
    split = splits.leave_lines_out(full, 3)
    plain = cross_validate({"m": Ridge(alphas=(1.0,))}, full, split)

    class Numbered(Ridge):
        def predict(self, X):
            return super().predict(X).reset_index(drop=True)

    class Array(Ridge):
        def fit(self, X, Y):
            super().fit(X, Y)  # and returns nothing

        def predict(self, X):
            return super().predict(X).to_numpy()

    for model in (Numbered(alphas=(1.0,)), Array(alphas=(1.0,))):
        pd.testing.assert_frame_equal(cross_validate({"m": model}, full, split), plain)
    pipeline = make_pipeline(StandardScaler(), Ridge())
    assert cross_validate({"pipe": pipeline}, cohort, split)["score"].notna().all()


def test_misspelt_names_are_found_before_anything_is_fitted(cohort):
    split = splits.leave_lines_out(cohort, 2)
    for change, message in (
        ({"metrics": "persson"}, "Unknown metric 'persson': use one of mse"),
        ({"axis": "gene"}, "Unknown axis 'gene'"),
    ):
        with pytest.raises(InputError, match=message):
            cross_validate({"never": None}, cohort, split, **change)
    with pytest.raises(InputError, match="'line mean'"):
        cross_validate({"line mean": Spy()}, cohort, split)
    other = SimpleNamespace(**vars(cohort) | {"X": lambda omics: cohort.X(omics).iloc[::-1]})
    with pytest.raises(InputError, match="name different lines"):
        cross_validate({"ridge": Ridge()}, other, split)


def scores_of(**models):
    """A frame as cross_validate makes it, with one unit a fold and given scores."""
    return pd.DataFrame(
        [
            dict(
                model=name.replace("_", " "),
                kind="baseline" if "_" in name else "model",
                split="leave lines out",
                axis="global",
                metric=metric,
                repeat=0,
                fold=fold,
                unit="all",
                n=9,
                score=score,
                constant=False,
                n_train=80,
                n_test=20,
            )
            for name, scores in models.items()
            for metric in ("pearson", "rmse")
            for fold, score in enumerate(scores)
        ]
    )


def test_summary_uses_the_corrected_resampled_t_test():
    a, b = np.array([0.5, 0.6, 0.8, 0.7]), np.array([0.45, 0.5, 0.6, 0.65])
    table = summary(scores_of(good=a, naive_one=b, naive_two=b - 0.1)).set_index(
        ["metric", "model"]
    )
    row = table.loc[("pearson", "good")]
    gain = a - b
    t = gain.mean() / np.sqrt((1 / 4 + 20 / 80) * gain.var(ddof=1))
    assert row["reference"] == "naive one"
    assert row["p"] == pytest.approx(2 * stats.t.sf(t, 3))
    assert row["p"] > stats.ttest_rel(a, b).pvalue, "the plain test is too sure of itself"
    assert row["mean"] == pytest.approx(a.mean()) and row["sd"] == pytest.approx(a.std(ddof=1))
    assert (row["folds"], row["units"], row["empty"]) == (4, 4, 0)
    assert row["gain"] == pytest.approx(gain.mean())


def test_summary_knows_that_an_error_should_be_small():
    small, large = np.array([0.1, 0.2, 0.3]), np.array([0.2, 0.3, 0.5])
    table = summary(scores_of(good=small, naive_one=large, naive_two=large + 1)).set_index(
        ["metric", "model"]
    )
    assert table.loc[("rmse", "good"), "reference"] == "naive one"
    assert table.loc[("rmse", "good"), "gain"] == pytest.approx((large - small).mean())
    assert table.loc[("pearson", "good"), "reference"] == "naive two"
    assert table.loc[("pearson", "good"), "gain"] < 0


def test_summary_counts_constants_and_empty_units_and_takes_a_reference():
    frame = scores_of(good=[0.1, 0.2], other=[0.1, 0.2], naive_one=[0.1, 0.1])
    good = (frame["model"] == "good") & (frame["metric"] == "pearson")
    frame.loc[good & (frame["fold"] == 0), "constant"] = True
    frame.loc[good & (frame["fold"] == 1), "score"] = np.nan
    table = summary(frame, reference="other").query("metric == 'pearson'").set_index("model")
    assert table.loc["good", ["constant", "empty"]].tolist() == [1, 1]
    assert table.loc["good", "mean"] == 0.1 and np.isnan(table.loc["good", "p"])
    assert set(table["reference"]) == {"other"} and np.isnan(table.loc["other", "p"])
    assert table.loc["naive one", "gain"] == pytest.approx(-0.05)
    with pytest.raises(InputError, match="'nobody'"):
        summary(frame, reference="nobody")


def test_summary_of_equal_models_and_of_several_splits():
    same = scores_of(good=[0.1, 0.2, 0.3], naive_one=[0.1, 0.2, 0.3])
    other = same.assign(split="leave pairs out", score=same["score"] + (same["model"] == "good"))
    table = summary(pd.concat([same, other])).query("model == 'good' and metric == 'pearson'")
    assert table["split"].tolist() == ["leave lines out", "leave pairs out"]
    assert table["gain"].tolist() == pytest.approx([0.0, 1.0])
    assert table["p"].iloc[0] == 1.0 and table["p"].iloc[1] < 1e-6


def test_a_split_of_other_lines_is_refused(cohort):
    """By position, donors would stand on both sides."""
    split = splits.leave_lines_out(cohort, 3)
    turned = SimpleNamespace(Y=cohort.Y[::-1], lines=cohort.lines[::-1], X=cohort.X)
    turned.X = lambda omics: cohort.X(omics)[::-1]
    with pytest.raises(InputError, match="lines in another order"):
        cross_validate({"ridge": Ridge()}, turned, split)
    with pytest.raises(InputError, match="lines in another order"):
        fitted(Ridge(), turned, split.folds[0])
    fewer = SimpleNamespace(Y=cohort.Y[1:], X=lambda omics: cohort.X(omics)[1:])
    with pytest.raises(InputError, match="39 .*x 6"):
        cross_validate({"ridge": Ridge()}, fewer, split)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda c, s: cross_validate([Ridge()], c, s), "not a list"),
        (lambda c, s: cross_validate(Ridge(), c, s), "not a Ridge"),
        (lambda c, s: cross_validate({}, c, s, baselines=False), "no model and no baseline"),
        (lambda c, s: cross_validate({"r": Ridge()}, c, s.folds[0]), "split is a Fold"),
        (lambda c, s: cross_validate({"r": Ridge()}, c, []), "split is a list"),
        (lambda c, s: cross_validate({"r": Ridge()}, c, [7]), "Fold 0 is a int"),
        (
            lambda c, s: cross_validate({"r": Ridge()}, c, [*s.folds, s.folds[1]]),
            "fold 1 of repeat 0",
        ),
        (lambda c, s: cross_validate({"r": Ridge()}, c, [(["no"], ["line 01"])]), "'no'"),
        (lambda c, s: cross_validate({"r": Ridge()}, c, [(c.Y.index, ["line 01"])]), "'line 01'"),
        (lambda c, s: cross_validate({"r": Ridge()}, c, [(c.Y.index, [])]), "Fold 0 of repeat 0"),
        (lambda c, s: cross_validate({"r": Ridge()}, c, s, {"q": None}), "'q'"),
    ],
)
def test_what_cannot_be_cross_validated_is_one_sentence(call, words, cohort):
    with pytest.raises(InputError, match=words) as error:
        call(cohort, splits.leave_lines_out(cohort, 3))
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
