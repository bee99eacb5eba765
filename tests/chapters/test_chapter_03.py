"""The computations of chapter 03, each against an independent one (numpy, scipy, scikit-learn)."""

import ast
import hashlib
import json
import re
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.sparse.csgraph import connected_components
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from cdp_book import notebook
from cdp_lib import audit, claims, evaluate, metrics, splits
from cdp_lib.chapter import Chapter
from cdp_lib.errors import InputError
from cdp_lib.evaluate.search import best_epoch
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import Ridge, ridge_path
from cdp_lib.models.linear.cca import CCA
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.splits import published

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "notebooks" / "03_gene_dependency.ipynb"
RESULTS = ROOT / "book" / "results" / "03_gene_dependency" / "pocket" / "results.json"


class Settings:
    """What the functions of the notebook ask of the chapter."""

    seed = 0
    unfinished = None


@pytest.fixture(scope="module")
def chapter():
    """Every function that the notebook defines, in a namespace with the names that they use."""
    space = {
        "np": np,
        "pd": pd,
        "stats": stats,
        "metrics": metrics,
        "evaluate": evaluate,
        "best_epoch": best_epoch,
        "clone": clone,
        "re": re,
        "claims": claims,
        "c": Settings(),
        "ridge_path": ridge_path,
        "CCA": CCA,
        "connected_components": connected_components,
        "hashlib": hashlib,
        "audit": audit,
        "tracemalloc": tracemalloc,
    }
    for cell in notebook.read(CHAPTER)["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse(notebook.source(cell))
            tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
            exec(compile(tree, CHAPTER.name, "exec"), space)
    return space


@pytest.fixture(scope="module")
def tables():
    """Expression and dependency of 24 lines and 40 genes; some genes need their own expression."""
    rng = np.random.default_rng(5)
    lines, genes = [f"line {i}" for i in range(24)], [f"gene {i}" for i in range(40)]
    X = pd.DataFrame(rng.normal(4, 1, (24, 40)), lines, genes)
    Y = pd.DataFrame(rng.normal(0, 0.3, X.shape), lines, genes)
    Y.iloc[:, :10] += X.iloc[:, :10] - 4
    return X, Y + 0.5 * X.mean()


@pytest.mark.parametrize(("held", "axis"), [("line", 0), ("perturbation", 1)])
def test_file_order_is_what_kfold_does_without_shuffling(tables, held, axis):
    Y = tables[1]
    split = published.file_order(Y, 5, held)
    for fold, (learn, test) in zip(split, KFold(5).split(np.arange(Y.shape[axis])), strict=True):
        tested = fold.test.all(axis=1 - axis)
        assert np.flatnonzero(tested).tolist() == test.tolist()
        assert np.flatnonzero(fold.fit.all(axis=1 - axis)).tolist() == learn.tolist()


def test_file_order_knows_its_lines(tables):
    fold = published.file_order(tables[1], 5).folds[0]
    fold.match(tables[1])
    with pytest.raises(InputError):
        fold.match(tables[1].rename(index={"line 0": "another"}))


def test_file_order_says_what_is_wrong(tables):
    with pytest.raises(InputError, match="not 'gene'"):
        published.file_order(tables[1], 5, "gene")
    with pytest.raises(InputError, match="24 .* 25 folds"):
        published.file_order(tables[1], 25)


def test_new_genes_are_predicted_from_their_own_column(chapter, tables):
    X, Y = tables
    split = published.file_order(Y, 4, "perturbation")
    P = chapter["new_columns"]([Ridge((50.0,), standardize=False)], X, Y, split, "repaired")
    for learn, test in KFold(4).split(X.T):
        plain = PlainRidge(alpha=50.0).fit(X.T.iloc[learn], Y.T.iloc[learn])
        assert np.allclose(P.iloc[:, test].T, plain.predict(X.T.iloc[test]), atol=1e-8)


def test_acc_is_a_correlation_along_the_tested_genes_of_a_line(chapter, tables):
    X, Y = tables
    split = published.file_order(Y, 4, "perturbation")
    ours = chapter["along_line"](Y, X, split)
    for place, line in enumerate(Y.index):
        by_fold = [
            stats.pearsonr(Y.loc[line].iloc[test], X.loc[line].iloc[test]).statistic
            for _, test in KFold(4).split(X.T)
        ]
        assert ours[place] == pytest.approx(np.mean(by_fold))


def test_the_line_agnostic_model_says_one_number_a_gene(chapter, tables):
    X, Y = tables
    P = chapter["line_agnostic"](X, Y, published.file_order(Y, 4, "perturbation"))
    assert (P.nunique() == 1).all()
    learn, test = next(KFold(4).split(X.T))
    x, y = X.mean().to_numpy(), Y.mean().to_numpy()
    cubic = np.polyfit(x[learn], y[learn], 3)
    inside = np.clip(x[test], x[learn].min(), x[learn].max())
    assert np.allclose(P.iloc[0, test], np.polyval(cubic, inside))


def other_test_labels(Y):
    """One fold of genes in file order, its test genes, and Y with other labels of these."""
    split = published.file_order(Y, 2, "perturbation")
    split = splits.Split(split.name, split.sentence, split.folds[:1])
    test = split.folds[0].test.any(axis=0)
    other = Y.copy()
    other.loc[:, test] = -10 * Y.loc[:, test].to_numpy()[::-1]
    return split, test, other


NETWORK = FeedForward(
    (6,), "tanh", training=Training(lr=0.02, epochs=8, batch_size=8, device="cpu")
)


@pytest.mark.parametrize(("protocol", "blind"), [("repaired", True), ("as_published", False)])
def test_only_the_published_protocol_sees_test_genes(chapter, tables, protocol, blind):
    X, Y = tables
    split, test, other = other_test_labels(Y)
    first, second = (
        chapter["new_columns"]([NETWORK], X, labels, split, protocol).loc[:, test]
        for labels in (Y, other)
    )
    assert np.array_equal(first, second) == blind


def test_the_first_fifth_is_published_and_a_random_one_repaired(chapter):
    assert np.flatnonzero(chapter["inner_fifth"]("as_published").mask(20)).tolist() == [0, 1, 2, 3]
    drawn = np.flatnonzero(chapter["inner_fifth"]("repaired").mask(20))
    assert len(drawn) == 4 and drawn.tolist() != [0, 1, 2, 3]


def test_as_published_the_tested_genes_choose_the_epoch_once_more(chapter, tables):
    X, Y = tables
    split, test, _ = other_test_labels(Y)
    P = chapter["new_columns"]([NETWORK], X, Y, split, "as_published")
    learn = ~test
    by_hand = clone(NETWORK).fit_as_published(X.T[learn], Y.T[learn], X.T[test], Y.T[test])
    assert np.array_equal(P.loc[:, test].T, by_hand.predict(X.T[test]))


@pytest.mark.parametrize("protocol", ["as_published", "repaired"])
def test_nested_ridge_is_scikit_learn_refitted(chapter, tables, protocol):
    X, Y = tables
    split, alphas = published.file_order(Y, 4, "perturbation"), (1.0, 30.0, 1000.0)
    P = chapter["nested_ridge"](X, Y, split, protocol, alphas)
    chosen = set()
    for learn, test in KFold(4).split(X.T):
        scaler = StandardScaler().fit(X.T.iloc[learn])
        shrink = np.sqrt(1 - 1 / len(learn))  # pandas' sd counts n - 1
        z = scaler.transform(X.T) * shrink if protocol == "as_published" else X.T.to_numpy()
        x, y = z[learn], Y.T.iloc[learn]
        held = chapter["inner_fifth"](protocol).mask(len(x))
        acc = [
            np.mean(
                [
                    stats.pearsonr(y.loc[held, line], p).statistic
                    for line, p in zip(
                        y,
                        PlainRidge(alpha=a).fit(x[~held], y[~held]).predict(x[held]).T,
                        strict=True,
                    )
                ]
            )
            for a in alphas
        ]
        chosen.add(best := alphas[int(np.argmax(acc))])
        plain = PlainRidge(alpha=best).fit(x, y)
        assert np.allclose(P.iloc[:, test].T, plain.predict(z[test]), atol=1e-8)
    assert chosen <= set(alphas)


def test_nested_ridge_never_sees_the_tested_genes(chapter, tables):
    X, Y = tables
    split, test, other = other_test_labels(Y)
    first, second = (
        chapter["nested_ridge"](X, labels, split, "repaired", (1.0, 100.0)) for labels in (Y, other)
    )
    assert np.array_equal(first.loc[:, test], second.loc[:, test])


def test_drugs_with_equal_features_move_together(chapter, tables):
    X, _ = tables
    names = [f"drug {i}" for i in range(6)]
    one = pd.DataFrame(X.iloc[:, [0, 1, 0, 2, 3, 4]].to_numpy(), X.index, names)
    two = pd.DataFrame(X.iloc[:, [5, 6, 7, 6, 8, 9]].to_numpy(), X.index, names)
    groups = chapter["twins"]([one, two])
    assert groups["drug 0"] == groups["drug 2"] and groups["drug 1"] == groups["drug 3"]
    assert groups.nunique() == 4
    chained = chapter["twins"]([one, two.assign(**{"drug 2": two["drug 1"]})])
    assert chained[names[:4]].nunique() == 1  # 0 = 2 in one table, 2 = 1 = 3 in the other


def test_sisters_share_the_name_but_for_its_end(chapter):
    features = np.array(["ROCK1", "ROCK2", "STK17A", "STK17B", "C6", "C7", "C1orf2", "C1orf3"])
    found = chapter["sisters"](features[:, None], features)
    pairs = {tuple(sorted(features[list(pair)])) for pair in zip(*np.nonzero(found), strict=True)}
    assert pairs == {("ROCK1", "ROCK2"), ("STK17A", "STK17B")}
    drawn = chapter["strangers"](features[:, None], features)
    assert (drawn.sum(axis=0) == found.sum(axis=0)).all()
    assert not (drawn & found).any() and not np.diag(drawn).any()


def test_a_single_gene_predicts_by_its_own_slope(chapter, tables):
    X, Y = tables
    split = published.file_order(Y, 3)
    P, picked = chapter["single_gene"](X, Y, split, np.equal)
    learn, test = next(KFold(3).split(X))
    for gene in Y.columns[:12]:
        line = stats.linregress(X[gene].iloc[learn], Y[gene].iloc[learn])
        shrunk = (len(learn) - 1) / len(learn)  # sd counts n - 1, the slope n
        centred = X[gene].iloc[test] - X[gene].iloc[learn].mean()
        expected = Y[gene].iloc[learn].mean() + shrunk * line.slope * centred
        assert np.allclose(P[gene].iloc[test], expected)
    assert (picked == Y.columns).all()


def test_the_other_gene_is_found_and_is_another(chapter, tables):
    X, Y = tables
    swapped = Y.copy()
    swapped["gene 30"] = 3 * X["gene 31"]
    _, picked = chapter["single_gene"](X, swapped, published.file_order(Y, 3), np.not_equal)
    assert picked["gene 30"] == "gene 31"
    assert (picked != Y.columns).all()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.45, 0.7])
def test_theory_of_noise_meets_simulation(chapter, share):
    rng = np.random.default_rng(2)
    n = 2000
    p = int(share * n)
    a, b = (np.linalg.qr(rng.normal(size=(n, p)))[0] for _ in range(2))
    first = np.linalg.svd(a.T @ b, compute_uv=False)[0]
    assert float(chapter["noise_theory"](share)) == pytest.approx(first, abs=0.06)


class Asked(Settings):
    """A chapter whose `check` keeps the rules of an exercise instead of using them."""

    def check(self, name, answer, *rules):
        self.rules = rules


@pytest.fixture
def verdict(chapter, tables):
    """Hold an answer to the rules of an exercise: None when it passes, else the hint."""
    asked, (X, Y) = Asked(), tables
    known = {
        "X": X,
        "Y": Y,
        "c": asked,
        "X_wide": np.random.default_rng(0).normal(size=(30, 400)),
        "Y_wide": np.random.default_rng(1).normal(size=(30, 2)),
        "script": chain_in_small,
        "cohort": SimpleNamespace(X=lambda omics: X, Y=Y),
        "lines_out": {"repaired": published.file_order(Y, 4)},
    }

    def verdict(name, answer):
        space = (
            chapter
            | known
            | dict.fromkeys(
                (
                    "dual_weights",
                    "acc_of_nothing",
                    "rows_needed",
                    "honest_script",
                    "lucky_and_share",
                    "price_in_sd",
                )
            )
        )
        for cell in notebook.read(CHAPTER)["cells"]:
            if "check" in notebook.tags(cell) and f'"{name}"' in notebook.source(cell):
                exec(notebook.source(cell), space)
        try:
            Chapter("03", "quick", "teaching", 0, "cpu").check(
                name, answer, *asked.rules, must_pass=True
            )
        except InputError as error:
            return str(error)
        return None

    return verdict


def dual(X, Y, alpha):
    return X.T @ np.linalg.solve(X @ X.T + alpha * np.eye(len(X)), Y)


def dual_by_svd(X, Y, alpha):
    U, d, Vt = np.linalg.svd(X, full_matrices=False)
    return Vt.T @ ((d / (d**2 + alpha))[:, None] * (U.T @ Y))


def primal(X, Y, alpha):
    return np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ Y)


def test_the_dual_form_passes_in_any_spelling_and_nothing_else(verdict):
    assert verdict("03-1", dual) is None and verdict("03-1", dual_by_svd) is None
    assert "primal" in verdict("03-1", primal)
    assert "alpha = 7 only" in verdict("03-1", lambda X, Y, alpha: dual(X, Y, 7.0))
    assert "do not minimise" in verdict("03-1", lambda X, Y, alpha: dual(X, Y, alpha) / 2)


def test_the_acc_of_nothing_is_along_genes_and_linear(verdict):
    def along(X, Y, corr=lambda a, b: np.corrcoef(a, b)[0, 1]):
        return np.mean([corr(X.mean(), row) for row in Y.to_numpy()])

    assert verdict("03-2", along) is None
    assert verdict("03-2", lambda X, Y: Y.corrwith(X.mean(), axis=1).mean()) is None

    def of_ranks(X, Y):
        return along(X, Y, lambda a, b: stats.spearmanr(a, b).statistic)

    assert "not that of ranks" in verdict("03-2", of_ranks)
    for wrong in (lambda X, Y: X.corrwith(Y, axis=1).mean(), lambda X, Y: X.corrwith(Y).mean()):
        assert "1/3" in verdict("03-2", wrong)


def test_the_rows_that_halve_a_noise_correlation_are_simulated(verdict):
    assert verdict("03-3", 193) is None and verdict("03-3", 188) is None
    assert "Too many" in verdict("03-3", 224) and "Too few" in verdict("03-3", 175)


def chain_in_small(X, Y, fold, scale=True, summary=5, features=None):
    """The script of exercise 03-4; `features` are the lines that its scales come from."""
    learn = fold.fit.any(axis=1)
    known = X[learn if features is None else features]
    Z = (X - known.mean()) / (known.std() if scale else 1.0)
    found = PCA(summary, svd_solver="full").fit(Y[learn])
    latent = pd.DataFrame(found.transform(Y[learn]), Y.index[learn])
    model = Ridge((10.0,), standardize=scale).fit(Z[learn], latent)
    return pd.DataFrame(found.inverse_transform(np.asarray(model.predict(Z))), Y.index, Y.columns)


def test_the_honest_script_keeps_the_steps_and_loses_the_leaks(verdict, tables):
    assert verdict("03-4", chain_in_small) is None
    assert verdict("03-4", lambda *of: chain_in_small(*of).to_numpy()) is None
    for words, wrong in {
        "test lines": lambda *of: chain_in_small(*of, features=slice(None)),
        "5 numbers": lambda *of: chain_in_small(*of, summary=9),
        "unit": lambda *of: chain_in_small(*of, scale=False),
        "every line": lambda X, Y, fold: chain_in_small(X, Y, fold)[fold.test.any(axis=1)],
        "test labels": lambda X, Y, fold: Y,
    }.items():
        assert words in verdict("03-4", wrong)


def test_luck_and_price_are_known_by_their_seals(verdict):
    luck, share = audit.null_fraction(0.2, 126, folds=5) * 4902, 1639 / 4902
    assert verdict("03-5", (luck, share)) is None and verdict("03-5", [0.00143, 0.334]) is None
    assert "five folds" in verdict("03-5", (audit.null_fraction(0.2, 126) * 4902, share))
    assert "not of those that go in" in verdict("03-5", (luck, 1639 / 17040))
    draws = np.random.default_rng(0).normal(size=(3000, 150)).max(axis=1)
    assert verdict("03-6", draws.mean()) is None
    assert verdict("03-6", np.median(draws) - 0.1) and verdict("03-6", np.sqrt(2 * np.log(150)))


@pytest.fixture(scope="module")
def recorded():
    return {row["key"]: row for row in json.loads(RESULTS.read_text())["results"]}


def test_every_claim_has_a_record_and_every_reason_is_given(recorded):
    named = {row["claim"] for row in recorded.values() if row["claim"]}
    assert named == {claim.id for claim in claims.claims("itzhacky2021")}
    for row in recorded.values():
        assert row["reason"] or row["comparable"]
    headline = claims.papers()["itzhacky2021"].headline
    for end in ("published", "repaired", "baseline"):
        assert -1 <= recorded[headline[end]]["value"] <= 1


def test_other_data_and_smaller_searches_judge_no_claim(recorded):
    for key, row in recorded.items():
        if row["claim"]:
            assert row["value"] is None or not row["comparable"], key
        if key.startswith(("new drugs/", "shapes/PRISM", "shapes/drugs")) and row["value"]:
            assert row["claim"] is None or "secondary screen" in row["reason"]
        if row["claim"] in ("itzhacky2021-C004", "itzhacky2021-C027"):
            assert "20Q2" in row["reason"] and "profile teach" in row["reason"]


def test_the_arithmetic_is_the_papers_own(recorded):
    value = {n: claims.claim(f"itzhacky2021-C{n:03}").value for n in (10, 13, 14, 15, 28)}
    for what, expected in {
        "weights of a linear map, all shared genes in": value[13] * value[10],
        "weights of a linear map, expressed genes in": value[14] * value[10],
        "data points for it": value[15] * value[10],
        "genes with r below 0.2": value[10] - value[28],
    }.items():
        row = recorded[f"arithmetic of the paper's own counts/{what}"]
        assert row["value"] == expected and row["claim"] is None


def test_the_chain_as_published_sees_test_lines_and_the_repaired_one_does_not(recorded):
    for what in ("labels", "features"):
        assert recorded[f"the chain sees test {what}/as published"]["value"] is True
        assert recorded[f"the chain sees test {what}/repaired"]["value"] is False


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
    counts = {"variable": 0, "near 0": 0, "near 1": 0}
    for gene in effect.columns:
        values = effect[gene].to_numpy()
        flat = "near 1" if values.mean() < -0.5 else "near 0"
        counts["variable" if values.std(ddof=1) > 0.1 else flat] += 1
    for group, count in counts.items():
        assert recorded[f"groups of genes/{group}"]["value"] == count
    assert recorded["shapes/lines with complete dependency"]["value"] == len(effect)


def test_line_agnostic_acc_by_hand(recorded, files):
    """Other folds than the chapter's, so the same within the noise of five folds."""
    X, Y = files
    x, y = X.mean().to_numpy(), Y.mean().to_numpy()
    by_fold = []
    for learn, test in KFold(5, shuffle=True, random_state=0).split(x):
        curve = np.polyfit(x[learn], y[learn], 3)
        p = np.polyval(curve, np.clip(x[test], x[learn].min(), x[learn].max()))
        by_fold.append([stats.pearsonr(p, row[test]).statistic for row in Y.to_numpy()])
    ours = recorded["new genes, pearson/line-agnostic mean, repaired"]["value"]
    assert ours == pytest.approx(np.mean(by_fold), abs=0.04)


@pytest.mark.parametrize("name", ["expression", "dependency"])
def test_the_mean_of_the_other_lines_by_hand(recorded, files, name):
    X, Y = files
    X, Y = X.loc[:, (X == 0).mean() <= 0.8], Y.loc[:, Y.std() > 0.1]
    table = (X if name == "expression" else Y).to_numpy()
    others = (table.sum(axis=0) - table) / (len(table) - 1)
    r = [stats.pearsonr(row, mean).statistic for row, mean in zip(table, others, strict=True)]
    ours = recorded[f"rebuilding {name}/mean of the other lines, repaired"]["value"]
    assert ours == pytest.approx(np.mean(r), abs=0.005)
