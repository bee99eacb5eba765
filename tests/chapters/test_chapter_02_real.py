"""The recorded baselines of chapter 02, computed again from the real GDSC file by pandas and scipy.

Only the folds, which hold no number, come from the library; every mean, fit and score is made here.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from cdp_lib import claims, splits
from cdp_lib.data import load

MODELS = ("global mean", "perturbation mean", "line mean", "mean effects", "tissue mean")
SCORES = (
    ("global", "r2"),
    ("global", "pearson"),
    ("perturbation", "r2"),
    ("perturbation", "pearson"),
)


@pytest.fixture(scope="module")
def recorded():
    here = ("02_honest_evaluation", "pocket")
    return {r.key: r for r in claims.records() if (r.chapter, r.edition) == here}


@pytest.fixture(scope="module")
def screen(mirror):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDP_MIRROR", str(mirror))
        return load("drug-response", data="pocket", omics=())


@pytest.fixture(scope="module")
def table(mirror, screen):
    """The file as it is, a row a line; the library's table holds the same numbers."""
    file = pd.read_csv(mirror / "gdsc-pocket" / "GDSC_IC50.csv", index_col=0)
    file = file.T.loc[screen.Y.index].to_numpy()
    np.testing.assert_allclose(screen.Y.to_numpy(dtype=float), file, atol=1e-5)
    return file


@pytest.fixture(scope="module")
def long(table, screen):
    """One row a measured cell."""
    line, drug = np.nonzero(~np.isnan(table))
    tissue = screen.lines["tissue"].to_numpy()[line]
    return pd.DataFrame({"line": line, "drug": drug, "tissue": tissue, "y": table[line, drug]})


def folds(name, screen):
    maker = {
        "leave pairs out": splits.leave_pairs_out,
        "leave lines out": splits.leave_lines_out,
        "leave perturbations out": splits.leave_perturbations_out,
    }[name]
    return maker(screen, n_folds=5, tune=0, seed=0)


def effects(train, rows):
    """Drug effect + line effect by sparse least squares; NaN where either has no training cell."""

    def incidence(cells):
        each = np.arange(len(cells))
        columns = np.concatenate([cells["drug"], 1000 + cells["line"]])
        return sparse.csr_array(
            (np.ones(2 * len(cells)), (np.tile(each, 2), columns)), shape=(len(cells), 2000)
        )

    centre = train["y"].mean()
    weights = sparse.linalg.lsqr(incidence(train), train["y"] - centre, atol=1e-10, btol=1e-10)[0]
    known = rows["line"].isin(train["line"]) & rows["drug"].isin(train["drug"])
    return pd.Series(centre + incidence(rows) @ weights, rows.index).where(known)


def predicted(model, train, rows):
    """Means of the training cells for these rows; where there is none, the next coarser one."""

    def means(*keys):
        found = train.groupby(list(keys))["y"].mean().rename("p").reset_index()
        return rows.merge(found, on=list(keys), how="left")["p"].set_axis(rows.index)

    steps = {
        "global mean": [],
        "perturbation mean": [lambda: means("drug")],
        "line mean": [lambda: means("line")],
        "mean effects": [
            lambda: effects(train, rows),
            lambda: means("drug"),
            lambda: means("line"),
        ],
        "tissue mean": [lambda: means("tissue", "drug"), lambda: means("drug")],
    }[model]
    p = pd.Series(np.nan, rows.index)
    for step in steps:
        p = p.fillna(step())
    return p.fillna(train["y"].mean())


def scores(rows, p):
    y = rows["y"]
    error = np.square(y - p)
    constant = np.ptp(p) < 1e-9
    of_drug = pd.DataFrame({"y": y, "p": p, "yy": y * y, "pp": p * p, "yp": y * p, "error": error})
    m = of_drug.groupby(rows["drug"]).mean()  # moments of each drug
    spread_y, spread_p = m["yy"] - m["y"] ** 2, m["pp"] - m["p"] ** 2
    r = (m["yp"] - m["y"] * m["p"]) / np.sqrt(spread_y * spread_p.clip(1e-12))
    return {
        ("global", "r2"): 1 - error.mean() / np.var(y),
        ("global", "rmse"): np.sqrt(error.mean()),
        ("global", "pearson"): 0.0 if constant else stats.pearsonr(y, p)[0],
        ("perturbation", "r2"): (1 - m["error"] / spread_y).mean(),
        ("perturbation", "pearson"): r.where(spread_p > 1e-9, 0.0).mean(),
    }


def test_the_real_screen_has_its_known_shape(long):
    """266 drugs x 969 lines, 208,734 pairs, variance 7.23."""
    assert (long["drug"].nunique(), long["line"].nunique(), len(long)) == (266, 969, 208_734)
    assert np.var(long["y"]) == pytest.approx(7.23, abs=0.005)


@pytest.mark.parametrize("name", ["leave pairs out", "leave lines out", "leave perturbations out"])
def test_every_recorded_baseline_is_what_pandas_computes(name, screen, long, recorded):
    found = {model: [] for model in MODELS}
    for fold in folds(name, screen):
        cells = long["line"].to_numpy(), long["drug"].to_numpy()
        train, rows = long[fold.fit[cells]], long[fold.test[cells]]
        for model in MODELS:
            found[model].append(scores(rows, predicted(model, train, rows)))
    for model in MODELS:
        for axis, metric in SCORES:
            record = recorded[f"naive {name} {axis} {metric}/{model}"]
            each = [fold[axis, metric] for fold in found[model]]
            assert record.value == pytest.approx(np.mean(each), abs=1e-4), record.key
            assert record.sd == pytest.approx(np.std(each, ddof=1), abs=1e-4), record.key


def test_the_many_draws_are_what_numpy_computes(table, recorded):
    """R2 of the line mean on a random fifth of the drugs; 400 draws of our own."""
    rng = np.random.default_rng(1)
    each = []
    for _ in range(400):
        tested = np.zeros(table.shape[1], bool)
        tested[rng.permutation(table.shape[1])[: round(0.2 * table.shape[1])]] = True
        train = pd.DataFrame(table[:, ~tested])
        line_mean = train.mean(axis=1).fillna(np.nanmean(train)).to_numpy()
        error = table[:, tested] - line_mean[:, None]
        each.append(1 - np.nanmean(error**2) / np.nanvar(table[:, tested]))
    record = recorded["draws leave perturbations out/line mean"]
    assert record.value == pytest.approx(np.mean(each), abs=4 * np.std(each) / 20)
    assert record.sd == pytest.approx(np.std(each), rel=0.35)
