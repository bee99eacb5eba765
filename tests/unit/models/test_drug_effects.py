"""Effects of drugs in pairs against the textbook design matrix, and on the real screen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from cdp_lib import splits
from cdp_lib.data.pairs import PairScreen
from cdp_lib.errors import InputError
from cdp_lib.metrics import pearson, rmse
from cdp_lib.models.baselines import GlobalMean, LineMean
from cdp_lib.models.drug_effects import (
    DrugEffects,
    DrugEffectsByLine,
    LineAndDrugEffects,
    PairEffects,
)

MODELS = (DrugEffects, LineAndDrugEffects, DrugEffectsByLine, PairEffects)
CLOSE = {PairEffects: 1e-6}  # found in steps
every_model = pytest.mark.parametrize("Model", MODELS, ids=lambda Model: Model.__name__)
LINES = pd.Index([f"line {i}" for i in range(6)], name="line")
DRUGS = list("abcde")
ENDS = [(d, e) for d in DRUGS for e in DRUGS if d < e] + [("a", "a")]
PAIRS = pd.DataFrame(ENDS, [f"{d} + {e}" for d, e in ENDS], ["drug_a", "drug_b"])
X = pd.DataFrame(index=LINES)


def response(seed=0, missing=0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = 2 + rng.normal(size=(len(LINES), len(PAIRS)))
    return pd.DataFrame(values, LINES, PAIRS.index).where(rng.random(values.shape) >= missing)


def long(Y: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The known cells, one a row: line, drug_a, drug_b, y."""
    cells = Y.rename_axis("line").rename_axis("pair", axis=1).stack().dropna().rename("y")
    return cells.reset_index().join(pairs[["drug_a", "drug_b"]], on="pair")


def design(cells: pd.DataFrame, lines, drugs, Model) -> np.ndarray:
    """The textbook matrix: a column for each line, drug, drug in a line, and pair."""
    line = (cells["line"].to_numpy()[:, None] == np.asarray(lines)).astype(float)
    drug = sum(
        (cells[end].to_numpy()[:, None] == np.asarray(drugs)).astype(float)
        for end in ("drug_a", "drug_b")
    )
    by_line = (line[:, :, None] * drug[:, None]).reshape(len(cells), -1)
    pair = (cells["pair"].to_numpy()[:, None] == PAIRS.index.to_numpy()).astype(float)
    parts = {
        DrugEffects: [drug],
        LineAndDrugEffects: [line, drug],
        DrugEffectsByLine: [line, drug, by_line],
        PairEffects: [line, drug, by_line, pair],
    }
    return np.hstack(parts[Model])


def by_ridge(train: pd.DataFrame, wanted: pd.DataFrame, Model, penalty: float) -> np.ndarray:
    lines = sorted({*train["line"], *wanted["line"]})
    drugs = sorted({*train["drug_a"], *train["drug_b"], *wanted["drug_a"], *wanted["drug_b"]})
    A, mean = design(train, lines, drugs, Model), train["y"].mean()
    normal = A.T @ A + penalty * np.eye(A.shape[1])
    effects = np.linalg.solve(normal, A.T @ (train["y"].to_numpy() - mean))
    return mean + design(wanted, lines, drugs, Model) @ effects


@every_model
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.8), st.sampled_from([0.1, 3.0, 50.0]))
def test_effects_are_the_ridge_of_the_design_matrix(Model, seed, missing, penalty):
    Y = response(seed, missing)
    Y.iloc[0, 0] = 1.0
    predicted = Model(penalty).fit(X, Y, PAIRS).predict(X)
    everywhere = long(Y.fillna(0.0), PAIRS)
    expected = by_ridge(long(Y, PAIRS), everywhere, Model, penalty).reshape(Y.shape)
    np.testing.assert_allclose(predicted, expected, atol=CLOSE.get(Model, 1e-9))


@every_model
def test_a_pair_has_no_order(Model):
    Y = response()
    model = Model().fit(X, Y, PAIRS)
    swapped = PAIRS.rename(columns={"drug_a": "drug_b", "drug_b": "drug_a"})
    half = PAIRS.copy()
    half.iloc[::2] = PAIRS.iloc[::2, ::-1].to_numpy()
    for pairs in (swapped, half):
        turned = Model().fit(X, Y, pairs)
        close = CLOSE.get(Model, 1e-12)
        np.testing.assert_allclose(turned.predict(X), model.predict(X), rtol=0, atol=close)
        np.testing.assert_array_equal(model.predict(X, perturbations=pairs), model.predict(X))


@every_model
def test_lines_pairs_and_rows_of_the_table_are_known_by_name(Model):
    Y = response()
    expected = Model().fit(X, Y, PAIRS).predict(X)
    mixed = Y.sample(frac=1, axis=0, random_state=0).sample(frac=1, axis=1, random_state=0)
    predicted = Model().fit(X.loc[mixed.index], mixed, PAIRS).predict(X)
    assert list(predicted.columns) == list(mixed.columns)
    close = CLOSE.get(Model, 1e-12)
    pd.testing.assert_frame_equal(predicted[Y.columns], expected, rtol=0, atol=close)


def test_a_new_drug_is_predicted_by_its_partner_and_a_new_line_by_the_drugs():
    Y = response()
    Y.loc[:, [name for name in Y if "e" in name]] = np.nan  # e is new
    Y.iloc[5] = np.nan
    model = DrugEffectsByLine().fit(X, Y, PAIRS)
    P, m = model.predict(X), model.global_mean_
    a, b, c = model.line_effects_, model.drug_effects_, model.line_drug_effects_
    assert P.loc["line 1", "a + e"] == pytest.approx(
        m + a["line 1"] + b["a"] + c.loc["line 1", "a"]
    )
    assert P.loc["line 5", "a + b"] == pytest.approx(m + b["a"] + b["b"])
    assert P.loc["line 5", "a + e"] == pytest.approx(m + b["a"])
    strangers = pd.DataFrame({"drug_a": ["x"], "drug_b": ["y"]}, ["x + y"])
    new = model.predict(pd.DataFrame(index=["line 1", "a stranger"]), perturbations=strangers)
    np.testing.assert_allclose(new["x + y"], [m + a["line 1"], m])


def test_a_pair_has_an_effect_of_its_own_in_lines_that_were_not_measured():
    effect = pd.Series(np.linspace(-20, 20, len(PAIRS)), PAIRS.index)
    Y = response(missing=0.0) + effect
    known = Y.where(np.random.default_rng(1).random(Y.shape) < 0.7)
    off = {
        Model: ((Model(1.0).fit(X, known, PAIRS).predict(X) - Y)[known.isna()] ** 2).stack().mean()
        for Model in (DrugEffectsByLine, PairEffects)
    }
    assert off[PairEffects] < off[DrugEffectsByLine] / 2
    twice = pd.concat([PAIRS, PAIRS.set_axis(PAIRS.index + ", again")])
    again = pd.concat([known, known.set_axis(twice.index[len(PAIRS) :], axis=1)], axis=1)
    model = PairEffects(1.0).fit(X, again, twice)
    assert len(model.pair_effects_) == len(PAIRS)
    new = pd.DataFrame({"drug_a": ["b"], "drug_b": ["zz"]}, ["b + zz"])
    P = model.predict(X, perturbations=new)
    b, c = model.drug_effects_["b"], model.line_drug_effects_["b"]
    expected = model.global_mean_ + model.line_effects_ + b + c
    np.testing.assert_allclose(P["b + zz"], expected)


def test_a_single_drug_is_the_pair_of_a_drug_with_itself():
    Y = response().iloc[:, :5].set_axis(DRUGS, axis=1)
    twice = pd.DataFrame({"drug_a": DRUGS, "drug_b": DRUGS}, DRUGS)
    expected = LineAndDrugEffects().fit(X, Y, twice).predict(X)
    singles = pd.DataFrame({"target": 1}, DRUGS)
    pd.testing.assert_frame_equal(LineAndDrugEffects().fit(X, Y, singles).predict(X), expected)


@every_model
def test_a_prediction_is_a_row_s_own(Model):
    model = Model().fit(X, response(), PAIRS)
    expected = model.predict(X)
    pd.testing.assert_frame_equal(model.predict(X.iloc[[3, 3, 0]]), expected.iloc[[3, 3, 0]])


@every_model
def test_scikit_learn_contract(Model):
    model = clone(Model(penalty=7.0))
    assert model.get_params() == {"penalty": 7.0}
    assert model.fit(X, response(), PAIRS) is model
    assert np.isfinite(model.score(X, response()))


@pytest.mark.parametrize(
    "pairs, fact",
    [
        (None, "perturbations=table"),
        (PAIRS.iloc[2:], "2 columns.*'a \\+ b'"),
        (PAIRS.assign(drug_b=None), "11 pairs.*'a \\+ b'"),
        (pd.concat([PAIRS, PAIRS]), "twice"),
    ],
)
def test_bad_tables_of_pairs_are_one_sentence(pairs, fact):
    with pytest.raises(InputError, match=fact) as error:
        DrugEffects().fit(X, response(), pairs)
    assert "\n" not in str(error.value)


def test_a_penalty_is_positive():
    for penalty in (0, -1, "3", np.nan):
        with pytest.raises(InputError, match="penalty"):
            DrugEffects(penalty).fit(X, response(), PAIRS)


def screen_of(cells: pd.DataFrame) -> PairScreen:
    names = sorted({*cells["drug_a"], *cells["drug_b"]})
    lines = pd.DataFrame({"tissue": "unknown"}, pd.unique(cells["line"]))
    omics = {"expression": pd.DataFrame({"gene": 0.0}, lines.index)}
    return PairScreen.from_tables(cells, omics, lines, pd.DataFrame(index=names))


@every_model
@pytest.mark.parametrize(
    "split",
    [splits.leave_pairs_out, splits.leave_lines_out, splits.leave_drugs_out],
    ids=lambda split: split.__name__,
)
def test_no_effect_sees_a_test_label(Model, split, assert_blind_to_test_labels):
    cells = long(response(missing=0.1), PAIRS).rename(columns={"y": "value"})
    screen = screen_of(cells[["line", "drug_a", "drug_b", "value"]])
    assert_blind_to_test_labels(Model, screen, split(screen, n_folds=2, tune=0))


class TestOnSynergyScores:
    """Loewe synergy of 583 pairs of 38 drugs in 39 lines, on the five folds that came with it.

    315 of the 23,052 rows measure a pair in a line a second time.  A screen of pairs keeps their
    mean; here a second measurement stands in a column of its own, so that each row counts.
    The same five scores come out of the design matrix, one row a measurement.
    """

    @pytest.fixture(scope="class")
    @staticmethod
    def rows(mirror):
        table = pd.read_csv(mirror / "oneil-synergy" / "labels.csv", index_col=0)
        table = table.rename(columns={"cell_line": "line", "synergy": "value"})
        ends = np.sort(table[["drug_a_name", "drug_b_name"]].to_numpy(), axis=1)
        table = table.assign(drug_a=ends[:, 0], drug_b=ends[:, 1])
        table["pair"] = table["drug_a"] + " + " + table["drug_b"]
        repeat = table.groupby(["line", "pair"]).cumcount().astype(str)
        return table.assign(column=table["pair"] + ", measurement " + repeat)

    def test_the_rows(self, rows):
        assert (len(rows), rows["pair"].nunique(), rows["line"].nunique()) == (23_052, 583, 39)
        assert rows.duplicated(["line", "pair"]).sum() == 315
        assert rows.groupby("pair")["fold"].nunique().max() == 1
        screen = screen_of(rows)
        assert screen.Y.shape == (39, 583) and screen.Y.count().sum() == 23_052 - 315

    @pytest.mark.parametrize(
        "model, mse, r",
        [
            (GlobalMean(), 525.69, 0),
            (LineMean(), 515.47, 0.1411),
            (DrugEffects(1e-6), 428.66, 0.4249),
            (LineAndDrugEffects(1e-6), 418.39, 0.4478),
            (DrugEffectsByLine(3.0), 280.47, 0.6845),
        ],
        ids=["global mean", "line mean", "drug + drug", "line + drug + drug", "drug x line"],
    )
    def test_scores(self, rows, model, mse, r):
        Y = rows.pivot(index="line", columns="column", values="value")
        pairs = rows.drop_duplicates("column").set_index("column").loc[Y.columns]
        table = {"perturbations": pairs} if isinstance(model, DrugEffects) else {}
        scores = []
        for fold in range(5):
            test = pairs["fold"] == fold
            P = model.fit(Y, Y.where(np.outer(np.ones(len(Y)), ~test) > 0), **table).predict(Y)
            truth = Y.loc[:, test]
            scores.append(
                [rmse(truth, P[truth.columns], "global") ** 2]
                + [pearson(truth, P[truth.columns], "global")]
            )
        assert np.mean(scores, axis=0) == pytest.approx([mse, r], abs=0.006)
        assert np.mean(scores, axis=0)[1] == pytest.approx(r, abs=6e-5)
