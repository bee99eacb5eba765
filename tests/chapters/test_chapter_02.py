"""The computations of chapter 02, each against an independent one (pandas, scipy, scikit-learn)."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cdp_book import notebook
from cdp_lib import audit, evaluate, metrics, splits
from cdp_lib.data import load
from cdp_lib.evaluate import procedures
from cdp_lib.exercises.evaluation import best_genes
from cdp_lib.models.linear import Ridge

CHAPTER = Path(__file__).resolve().parents[2] / "notebooks" / "02_honest_evaluation.ipynb"
UNGROUPED = {"line_groups": None, "perturbation_groups": None}


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
        "audit": audit,
        "metrics": metrics,
        "splits": splits,
        "procedures": procedures,
        "best_genes": best_genes,
        "epochs": 40,
        "n_folds": 3,
        "few": cohort,
    }
    for cell in notebook.read(CHAPTER)["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse(notebook.source(cell))
            tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
            exec(compile(tree, CHAPTER.name, "exec"), space)
    space["folds_drawn_again"] = space["drawn_again"](1)
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
        ("codes_of_all", "codes_of_fit", True, False),
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


def test_a_line_that_is_scaled_again_for_each_drug_is_caught(chapter, cohort, fold):
    X, Y = cohort.X("expression"), cohort.Y
    train, test = fold.fit.any(axis=1), fold.test.any(axis=1)
    low, size = X[train].min(), X[train].max() - X[train].min()
    wide = X.columns[size > 1]
    model = Ridge(alphas=(10.0,)).fit((X[train][wide] - low[wide]) / size[wide], Y[train])
    chapter |= {"X": X, "wide": wide, "low": low[wide], "size": size[wide], "model": model}
    pairs = pd.MultiIndex.from_product([Y.index[test][:4], Y.columns[:2]], names=["line", "drug"])
    rows = pairs.to_frame(index=False)
    once = chapter["answers"](rows, False)
    P = model.predict((X[test][wide] - low[wide]) / size[wide])
    assert once == pytest.approx([P.at[line, drug] for line, drug in pairs])
    assert not audit.depends_on_company(lambda asked: chapter["answers"](asked, False), rows)
    assert audit.depends_on_company(lambda asked: chapter["answers"](asked, True), rows)


def test_the_checklist_keeps_its_address_and_its_twelve_questions():
    cells = [c for c in notebook.read(CHAPTER)["cells"] if c["cell_type"] == "markdown"]
    checklist = "".join(map(notebook.source, cells)).partition("\n## The checklist\n")[2]
    rows = [line for line in checklist.partition("</div>")[0].splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows[1:]] == [str(n) for n in range(1, 13)]
    kit = (CHAPTER.parents[1] / "book" / "teaching_kit.md").read_text()
    assert "../notebooks/02_honest_evaluation.ipynb#the-checklist" in kit
