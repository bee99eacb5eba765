"""The computations of chapter 03, each against an independent one (numpy, scipy, scikit-learn)."""

import ast
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.model_selection import KFold

from cdp_lib import claims, metrics, notebook, published, splits
from cdp_lib.errors import InputError
from cdp_lib.models.feedforward import FeedForward
from cdp_lib.models.linear import LinearRegression, Ridge

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "notebooks" / "03_gene_dependency.ipynb"
RESULTS = ROOT / "book" / "results" / "03_gene_dependency" / "pocket" / "results.json"


class Settings:
    """What the functions of the notebook ask of the chapter."""

    seed = 0


@pytest.fixture(scope="module")
def chapter():
    """Every function that the notebook defines, in a namespace with the names that they use."""
    space = {"np": np, "pd": pd, "stats": stats, "metrics": metrics, "clone": clone,
             "claims": claims, "c": Settings()}
    for cell in notebook.read(CHAPTER)["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse(notebook.source(cell))
            tree.body = [
                node for node in tree.body
                if isinstance(node, ast.FunctionDef) and node.name != "noise_correlation"
            ]
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


def test_file_order_says_what_is_wrong(tables):
    with pytest.raises(InputError, match="'line' or a 'perturbation', not 'gene'"):
        published.file_order(tables[1], 5, "gene")
    with pytest.raises(InputError, match="24 lines cannot be cut into 25 folds"):
        published.file_order(tables[1], 25)


def test_new_genes_are_predicted_from_their_own_column(chapter, tables):
    X, Y = tables
    split = published.file_order(Y, 4, "perturbation")
    P = chapter["new_columns"]([(None, Ridge((50.0,), standardize=False))], X, Y, split, "repaired")
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


NETWORK = FeedForward((6,), "tanh", lr=0.02, epochs=8, batch_size=8, device="cpu")


@pytest.mark.parametrize(("protocol", "blind"), [("repaired", True), ("as_published", False)])
def test_only_the_published_protocol_sees_test_genes(chapter, tables, protocol, blind):
    X, Y = tables
    split = published.file_order(Y, 2, "perturbation")
    split = splits.Split(split.name, split.sentence, split.folds[:1])
    test = split.folds[0].test.any(axis=0)
    other = Y.copy()
    other.loc[:, test] = -10 * Y.loc[:, test].to_numpy()[::-1]
    pairs = [(None, NETWORK), (None, LinearRegression())]
    first, second = (
        chapter["new_columns"](pairs[:1], X, labels, split, protocol).loc[:, test]
        for labels in (Y, other)
    )
    assert np.array_equal(first, second) == blind


def test_the_search_prefers_what_predicts(chapter, tables):
    X, Y = tables
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=X.shape), X.index, X.columns)
    void, useful = (None, Ridge((1e9,))), (None, Ridge((1.0,)))
    for as_published in (False, True):
        picked = chapter["chosen"]([void, useful], X, X + 0.1 * noise, as_published)
        assert picked is useful


def test_a_single_gene_predicts_by_its_own_slope(chapter, tables):
    X, Y = tables
    split = published.file_order(Y, 3)
    P, picked = chapter["single_gene"](X, Y, split, own=True)
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
    _, picked = chapter["single_gene"](X, swapped, published.file_order(Y, 3), own=False)
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


def test_only_arithmetic_is_compared_with_the_paper(recorded):
    compared = [
        key for key, row in recorded.items()
        if row["claim"] and row["comparable"] and row["value"] is not None
    ]
    assert compared and all(key.startswith("arithmetic/") for key in compared)
    value = {n: claims.claim(f"itzhacky2021-C{n:03}").value for n in (10, 13, 15, 28)}
    assert recorded["arithmetic/weights of a linear map"]["value"] == value[13] * value[10]
    assert recorded["arithmetic/data points for it"]["value"] == value[15] * value[10]
    assert recorded["arithmetic/genes with r below 0.2"]["value"] == value[10] - value[28]


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
    ours = recorded["new genes, pearson/line-agnostic mean"]["value"]
    assert ours == pytest.approx(np.mean(by_fold), abs=0.04)


@pytest.mark.parametrize("name", ["expression", "dependency"])
def test_the_mean_of_the_other_lines_by_hand(recorded, files, name):
    X, Y = files
    X, Y = X.loc[:, (X == 0).mean() <= 0.8], Y.loc[:, Y.std() > 0.1]
    table = (X if name == "expression" else Y).to_numpy()
    others = (table.sum(axis=0) - table) / (len(table) - 1)
    r = [stats.pearsonr(row, mean).statistic for row, mean in zip(table, others, strict=True)]
    ours = recorded[f"rebuilding {name}/mean of the other lines"]["value"]
    assert ours == pytest.approx(np.mean(r), abs=0.005)
