"""The computations of chapter 02, each against an independent one (pandas, scipy, scikit-learn)."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge as PlainRidge

from cdp_book import notebook
from cdp_lib import audit, claims, evaluate, metrics, splits
from cdp_lib.chapter import begin
from cdp_lib.data import load
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.feedforward import FeedForward

CHAPTER = Path(__file__).resolve().parents[2] / "notebooks" / "02_honest_evaluation.ipynb"
UNGROUPED = {"line_groups": None, "perturbation_groups": None}


class Settings:
    """What the functions of the notebook ask of the chapter."""

    seed = 0

    def pick(self, quick, teach, full):
        return quick


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDP_CACHE", str(tmp_path_factory.mktemp("cache")))
        return load(
            "drug-response", omics=["expression"], lines=60, genes=170, perturbed=90, drugs=8
        )


@pytest.fixture(scope="module")
def chapter(cohort):
    """Every function that the notebook defines, in a namespace with the names that they use."""
    space = {
        "np": np,
        "pd": pd,
        "stats": stats,
        "audit": audit,
        "claims": claims,
        "metrics": metrics,
        "splits": splits,
        "evaluate": evaluate,
        "Ridge": Ridge,
        "FeedForward": FeedForward,
        "Training": Training,
        "c": Settings(),
        "few": cohort,
        "Y": cohort.Y,
        "drawn_again": splits.leave_lines_out(cohort, n_folds=3, tune=0, seed=1),
    }
    for cell in notebook.read(CHAPTER)["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse(notebook.source(cell))
            tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
            exec(compile(tree, CHAPTER.name, "exec"), space)
    return space


@pytest.fixture(scope="module")
def fold(cohort):
    return splits.leave_lines_out(cohort, n_folds=3, tune=0.15).folds[0]


def by_pandas(long, model):
    """The naive predictions for the rows of a long table, by groupby and least squares alone."""
    train = long[long["fit"]]
    overall = train["y"].mean()

    def means(*keys):
        table = train.groupby(list(keys))["y"].mean().rename("p").reset_index()
        return long.merge(table, on=list(keys), how="left")["p"].to_numpy()

    def first(*predictions):
        return pd.DataFrame(predictions).bfill().iloc[0].fillna(overall).to_numpy()

    if model == "global mean":
        return np.full(len(long), overall)
    if model == "perturbation mean":
        return first(means("drug"))
    if model == "line mean":
        return first(means("line"))
    if model == "tissue mean":
        return first(means("tissue", "drug"), means("drug"))
    dummies = pd.get_dummies(long[["line", "drug"]].astype(str), dtype=float).to_numpy()
    weights = np.linalg.lstsq(dummies[long["fit"]], train["y"] - overall, rcond=None)[0]
    both = overall + dummies @ weights
    known = long["line"].isin(train["line"]) & long["drug"].isin(train["drug"])
    return first(np.where(known, both, np.nan), means("drug"), means("line"))


@pytest.mark.parametrize(
    "model", ["global mean", "perturbation mean", "line mean", "mean effects", "tissue mean"]
)
@pytest.mark.parametrize("held", ["pairs", "lines", "perturbations"])
def test_each_baseline_of_the_table_is_what_pandas_computes(model, held, cohort):
    split = {
        "pairs": lambda: splits.leave_pairs_out(cohort, 10, tune=0, **UNGROUPED),
        "lines": lambda: splits.leave_lines_out(cohort, 5, tune=0, groups=None),
        "perturbations": lambda: splits.leave_perturbations_out(cohort, 4, tune=0, groups=None),
    }[held]()
    split = splits.Split(split.name, split.sentence, split.folds[:1])
    frame = evaluate.cross_validate(
        {},
        cohort,
        split,
        omics=None,
        metrics=("r2", "rmse", "pearson"),
        axis=("global", "perturbation"),
    )
    ours = frame[frame["model"] == model].groupby(["axis", "metric"])["score"].mean()

    rows, columns = np.nonzero(cohort.Y.notna().to_numpy())
    long = pd.DataFrame(
        {
            "line": cohort.Y.index[rows],
            "drug": cohort.Y.columns[columns],
            "y": cohort.Y.to_numpy(dtype=float)[rows, columns],
            "fit": split.folds[0].fit[rows, columns],
            "test": split.folds[0].test[rows, columns],
            "tissue": cohort.lines["tissue"].to_numpy()[rows],
        }
    )
    long["p"] = by_pandas(long, model)
    tested = long[long["test"]]
    error = np.square(tested["y"] - tested["p"])
    spread = np.square(tested["y"] - tested["y"].mean())
    assert ours["global", "rmse"] == pytest.approx(np.sqrt(error.mean()), abs=1e-5)
    assert ours["global", "r2"] == pytest.approx(1 - error.sum() / spread.sum(), abs=1e-5)

    def of_drug(part):
        y, p = part["y"].to_numpy(), part["p"].to_numpy()
        r2 = 1 - np.square(y - p).sum() / np.square(y - y.mean()).sum()
        return pd.Series({"r2": r2, "r": 0.0 if np.ptp(p) < 1e-9 else stats.pearsonr(y, p)[0]})

    each = tested.groupby("drug")[["y", "p"]].apply(of_drug)
    assert ours["perturbation", "r2"] == pytest.approx(each["r2"].mean(), abs=1e-5)
    assert ours["perturbation", "pearson"] == pytest.approx(each["r"].mean(), abs=1e-5)


def test_three_axes_are_what_scipy_computes(chapter, cohort):
    truth = cohort.Y.fillna(0).to_numpy(dtype=float)
    guess = truth + np.random.default_rng(0).normal(size=truth.shape)
    ours = chapter["three_axes"](truth, guess)
    assert ours["global"] == pytest.approx(stats.pearsonr(truth.ravel(), guess.ravel())[0])
    pairs = {"line": zip(truth, guess), "perturbation": zip(truth.T, guess.T)}
    for axis, units in pairs.items():
        assert ours[axis] == pytest.approx(np.mean([stats.pearsonr(*unit)[0] for unit in units]))


@pytest.mark.parametrize(
    ("leaking", "repaired", "labels", "features"),
    [
        ("scaled_on_all", "scaled_on_fit", False, True),
        ("epoch_by_test", "epoch_by_tune", True, True),
        ("autoencoder_on_all", "autoencoder_on_fit", True, False),
        ("folds_drawn_again", "one_outer_fold", True, True),
        ("filtered_on_all", "filtered_solution", True, None),
    ],
)
def test_each_leak_is_caught_as_the_chapter_says(
    leaking, repaired, labels, features, chapter, cohort, fold
):
    X, Y = cohort.X("expression"), cohort.Y
    tests = {audit.sees_test_labels: labels, audit.sees_test_features: features}
    for test, expected in tests.items():
        assert not test(chapter[repaired], X, Y, fold)
        if expected is not None:
            assert test(chapter[leaking], X, Y, fold) is expected


def test_z_scores_are_those_of_scipy(chapter, cohort, fold):
    X, rows = cohort.X("expression").astype(float), fold.fit.any(axis=1)
    expected = stats.zscore(X[rows].to_numpy(), ddof=1)
    varies = X[rows].std().to_numpy() > 0
    ours = chapter["z_scores"](X, rows)[rows].to_numpy()
    np.testing.assert_allclose(ours[:, varies], expected[:, varies], atol=1e-9)


def test_the_linear_autoencoder_is_a_projection_on_principal_directions(chapter, cohort, fold):
    X, Y, rows = cohort.X("expression"), cohort.Y, fold.fit.any(axis=1)
    ours = chapter["by_codes"](X, Y, fold, fold.fit, n_codes=3)
    means = Y[rows].mean()
    centred = (Y[rows] - means).fillna(0).to_numpy(dtype=float)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, -3:]
    Z = chapter["z_scores"](X, rows)
    plain = PlainRidge(alpha=1000.0).fit(Z[rows], centred).predict(Z)
    expected = plain @ directions @ directions.T + means.to_numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_p_values_are_those_of_scipy_and_of_the_library(chapter, cohort):
    gains = np.random.default_rng(1).normal(0.1, 0.3, 12)
    assert chapter["p_value"](gains) == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)
    split = splits.leave_lines_out(cohort, n_folds=4, tune=0)
    frame = evaluate.cross_validate(
        {"ridge": Ridge(alphas=(1000.0,))}, cohort, split, metrics="pearson"
    )
    by_library = evaluate.summary(frame, "tissue mean").set_index("model")["p"]["ridge"]
    scores = frame.groupby(["fold", "model"])["score"].mean().unstack()
    share = (frame["n_test"] / frame["n_train"]).groupby(frame["fold"]).first().mean()
    ours = chapter["p_value"](scores["ridge"] - scores["tissue mean"], share)
    assert ours == pytest.approx(by_library)


def test_equal_models_are_equal_and_the_corrected_test_is_calibrated(chapter):
    rng = np.random.default_rng(0)
    worlds = [chapter["equal_models"](rng) for _ in range(300)]
    means = [np.mean(gains) for gains in worlds]
    assert stats.ttest_1samp(means, 0).pvalue > 0.001
    plain = np.mean([chapter["p_value"](gains) < 0.05 for gains in worlds])
    corrected = np.mean([chapter["p_value"](gains, 0.25) < 0.05 for gains in worlds])
    assert corrected < 0.1 < plain


def test_the_variances_of_a_table_come_from_its_own_digits(chapter):
    ours = chapter["variances"]("xia2018", ("Table 1",)).set_index("row")
    printed = {claim.id: claim for claim in claims.claims("xia2018")}
    mse, r2 = printed["xia2018-C004"], printed["xia2018-C006"]
    row = ours.loc[mse.description]
    assert row["value"] == pytest.approx(mse.value / (1 - r2.value))
    assert row["low"] < row["value"] < row["high"]
    assert row["high"] - row["low"] == pytest.approx(
        2 * (mse.rounding + row["value"] * r2.rounding) / (1 - r2.value), rel=1e-3
    )


def test_rows_lie_beyond_the_widest_gap_only_where_rounding_leaves_one(chapter):
    rows = pd.DataFrame({"low": [5.0, 1.0, 1.5, 9.0], "high": [6.5, 2.0, 2.6, 9.5]})
    assert list(chapter["beyond"](rows)) == [False, False, False, True]
    joined = pd.DataFrame({"low": [1.0, 2.0], "high": [3.0, 4.0]})
    assert not chapter["beyond"](joined).any()


def test_the_constant_ranker_finds_what_a_sorted_list_finds(cohort, fold):
    means = cohort.Y.where(fold.fit).mean()
    tests = cohort.Y[fold.test.any(axis=1)]
    constant = pd.DataFrame(np.tile(means, (len(tests), 1)), tests.index, tests.columns)
    for k in (1, 3):
        recommended, truly = [], []
        for _, row in tests.iterrows():
            known = row.dropna()
            if len(known) > k:
                first = means[known.index].sort_values().index[:k]
                recommended.append(known.idxmin() in first)
                truly.append(first[0] in known.nsmallest(k).index)
        assert np.nanmean(metrics.top_k(tests, constant, k)) == pytest.approx(np.mean(recommended))
        assert np.nanmean(metrics.top_k(tests, constant, k, "predicted_best_in_true")) == (
            pytest.approx(np.mean(truly))
        )


def test_out_of_fold_predictions_never_come_from_a_model_that_saw_the_line(chapter, cohort):
    split = splits.leave_lines_out(cohort, n_folds=3, tune=0)

    class Remembers:
        """Predicts 1 for lines that it was fitted on and 0 for others."""

        def get_params(self, deep=True):
            return {}

        def fit(self, X, Y):
            self.lines_, self.columns_ = X.index, Y.columns
            return self

        def predict(self, X):
            seen = X.index.isin(self.lines_).astype(float)
            return pd.DataFrame(np.outer(seen, np.ones(len(self.columns_))), X.index, self.columns_)

    P = chapter["out_of_fold"](Remembers(), cohort, split)
    assert (P == 0).all().all()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((7.318, 7.511), "correct"),
        ([7.51, 7.32], "correct"),
        (pd.Series([7.3, 7.5]), "correct"),
        ((4.63, 6.65), "Square the RMSE"),
        ((14.72, 3.73), "same row"),
        ((7.32, 7.32), "MSE / (1 - R2)"),
        (7.32, "two numbers"),
        (..., "not attempted"),
    ],
)
def test_exercise_02_2_takes_rounded_answers_and_names_what_is_wrong(answer, words, capsys):
    (check,) = (
        notebook.source(cell)
        for cell in notebook.read(CHAPTER)["cells"]
        if "check" in notebook.tags(cell) and '"02-2"' in notebook.source(cell)
    )
    c = begin("02_honest_evaluation")
    capsys.readouterr()
    exec(check, {"np": np, "claims": claims, "c": c, "two_variances": answer})
    assert words in capsys.readouterr().out


def test_the_checklist_keeps_its_address_and_its_twelve_questions():
    cells = [c for c in notebook.read(CHAPTER)["cells"] if c["cell_type"] == "markdown"]
    checklist = "".join(map(notebook.source, cells)).partition("\n## The checklist\n")[2]
    rows = [line for line in checklist.partition("</div>")[0].splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows[1:]] == [str(n) for n in range(1, 13)]
    kit = (CHAPTER.parents[1] / "book" / "teaching_kit.md").read_text()
    assert "../notebooks/02_honest_evaluation.ipynb#the-checklist" in kit
