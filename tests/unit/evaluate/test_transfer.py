"""From one study to another: what is matched, what is removed, and whose numbers come out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cdp_lib import metrics
from cdp_lib.data.cohort import Cohort
from cdp_lib.errors import InputError
from cdp_lib.evaluate import Predictions, transfer
from cdp_lib.models.linear import Ridge

ASPIRIN, CAFFEINE, NEITHER = "CC(=O)Oc1ccccc1C(=O)O", "Cn1cnc2c1c(=O)n(C)c(=O)n2C", "CCO"
MODELS = {"ridge": Ridge(alphas=(1.0,))}


def study(name, lines, features, drugs, seed=0, scale=1.0, **about):
    """Lines whose response is the same function of the same genes in every study."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(len(lines), 6)), lines, [f"g{i}" for i in range(6)])
    weights = np.random.default_rng(99).normal(size=(6, 9))  # (genes, drugs)
    Y = X.to_numpy() @ weights[:, : len(drugs)] + 0.1 * rng.normal(size=(len(lines), len(drugs)))
    return Cohort.from_tables(
        pd.DataFrame(scale * Y, lines, list(drugs)),
        {"expression": X[features]},
        pd.DataFrame({"tissue": "lung", "donor": [f"d {line}" for line in lines]}, lines),
        pd.DataFrame({"name": list(drugs.values())}, list(drugs)),
        name=name,
        **about,
    )


@pytest.fixture
def train():
    drugs = {"t1": "Aspirin", "t2": "caffeine", "t3": "Other"}
    return study(
        "first", [f"a{i}" for i in range(30)] + ["b0", "b1"], [f"g{i}" for i in range(6)], drugs
    )


@pytest.fixture
def test():
    drugs = {"u1": "ASPIRIN", "u2": "Caf-feine", "u3": "Unknown"}
    return study(
        "second",
        [f"b{i}" for i in range(20)],
        ["g3", "g2", "g1", "g0", "g5", "new"][:5],
        drugs,
        seed=1,
    )


def test_predictions_are_those_of_a_fit_on_the_training_cohort_alone(train, test):
    P = transfer(MODELS, train, test, tune=0)
    genes = ["g0", "g1", "g2", "g3", "g5"]
    rows = [f"a{i}" for i in range(30)]
    model = Ridge(alphas=(1.0,)).fit(
        train.X("expression").loc[rows, genes], train.Y.loc[rows, ["t1", "t2"]]
    )
    by_hand = model.predict(test.X("expression")[genes]).set_axis(["u1", "u2"], axis=1)
    cells = P.cells().query("model == 'ridge'")
    table = cells.pivot(index="line", columns="perturbation", values="prediction")
    np.testing.assert_allclose(table.loc[by_hand.index, ["u1", "u2"]], by_hand, rtol=1e-5)
    truth = cells.pivot(index="line", columns="perturbation", values="truth")
    np.testing.assert_array_equal(truth.loc[test.Y.index], test.Y[["u1", "u2"]])
    expected = metrics.pearson(test.Y[["u1", "u2"]], table.loc[test.Y.index].to_numpy())
    np.testing.assert_allclose(P.scores("pearson").query("model == 'ridge'")["score"], expected)
    naive = P.cells().query("model == 'perturbation mean' and perturbation == 'u2'")
    np.testing.assert_allclose(naive["prediction"], train.Y.loc[rows, "t2"].mean(), rtol=1e-5)


def test_the_sentence_counts_what_was_matched_and_removed(train, test):
    text = repr(transfer(MODELS, train, test))
    for fact in (
        "first (own) (30 lines)",
        "second (own) (20 lines)",
        "2 of 3 and 3 are matched",
        "2 training lines are in both",
        "5 features of expression are in both, of 6 and 5",
        "r2 mean nothing",
    ):
        assert fact in text
    kept = transfer(MODELS, train, test, shared="keep")
    assert "(32 lines)" in repr(kept) and "2 more" not in repr(kept)
    assert len(kept.cells()) == len(transfer(MODELS, train, test).cells())


def test_lines_of_a_shared_donor_are_removed(train, test):
    about = train.lines.assign(donor=train.lines["donor"].replace({"d a4": "d b7", "d a5": None}))
    kin = Cohort.from_tables(
        train.Y, {"expression": train.X("expression")}, about, train.perturbations, name="first"
    )
    seen = []

    class Watch(Ridge):
        def fit(self, X, Y):
            seen.extend(X.index)
            return super().fit(X, Y)

    P = transfer({"watch": Watch(alphas=(1.0,))}, kin, test, tune=0)
    assert set(seen) == set(train.Y.index) - {"a4", "b0", "b1"} and "1 more share" in repr(P)


def test_a_shared_line_that_is_kept_is_known_to_the_line_mean(train, test):
    P = transfer({}, train, test, shared="keep", tune=0)
    cells = P.cells().query("model == 'line mean' and line == 'b1'")
    np.testing.assert_allclose(
        cells["prediction"], train.Y.loc["b1", ["t1", "t2"]].mean(), rtol=1e-5
    )


def test_structures_match_whatever_the_names(train, test):
    def with_smiles(cohort, smiles):
        table = cohort.perturbations.assign(smiles=smiles)
        return Cohort.from_tables(
            cohort.Y, {"expression": cohort.X("expression")}, cohort.lines, table, name=cohort.name
        )

    a = with_smiles(train, [ASPIRIN, CAFFEINE, None])
    b = with_smiles(test, [CAFFEINE, NEITHER, ASPIRIN + ".[Na]"])
    P = transfer(MODELS, a, b, match="structure", tune=0)
    assert set(P.cells()["perturbation"]) == {"u1", "u3"}
    naive = P.cells().query("model == 'perturbation mean' and perturbation == 'u3'")
    rows = [f"a{i}" for i in range(30)]
    np.testing.assert_allclose(naive["prediction"], train.Y.loc[rows, "t1"].mean(), rtol=1e-5)
    with pytest.raises(InputError, match="'smiles'"):
        transfer(MODELS, train, b, match="structure")


def test_of_several_columns_of_one_drug_the_most_measured_stands(train, test):
    names = train.perturbations.assign(name=["Aspirin", "aspirin", "Caffeine"])
    Y = train.Y.copy()
    Y.iloc[:10, 0] = np.nan
    twice = Cohort.from_tables(
        Y, {"expression": train.X("expression")}, train.lines, names, name="first"
    )
    P = transfer({}, twice, test, tune=0)
    naive = P.cells().query("model == 'perturbation mean' and perturbation == 'u1'")
    rows = [f"a{i}" for i in range(30)]
    np.testing.assert_allclose(naive["prediction"], train.Y.loc[rows, "t2"].mean(), rtol=1e-5)
    assert "1 that repeat a name" in repr(P)


def test_a_common_scale_makes_errors_comparable(train):
    drugs = {"u1": "ASPIRIN", "u2": "Caf-feine"}
    genes = [f"g{i}" for i in range(6)]
    other = study("second", [f"b{i}" for i in range(40)], genes, drugs, seed=1, scale=100.0)
    plain = transfer(MODELS, train, other, tune=0).summary("r2").set_index("model")["mean"]
    assert plain["ridge"] < 0.1
    for scale in ("z", "rank"):
        P = transfer(MODELS, train, other, scale=scale, tune=0)
        assert P.summary("r2").set_index("model")["mean"]["ridge"] > 0.7
        cells = P.cells().query("model == 'ridge'")
        truth = cells.groupby("perturbation", observed=True)["truth"]
        if scale == "z":
            np.testing.assert_allclose(truth.std(ddof=0), 1, rtol=1e-4)
        else:
            np.testing.assert_allclose(truth.agg(["min", "max"]), [[1 / 80, 79 / 80]] * 2)
        assert "r2 mean nothing" not in repr(P)
    high = study(
        "third",
        [f"b{i}" for i in range(40)],
        genes,
        drugs,
        seed=1,
        scale=-1.0,
        lower_is_sensitive=False,
    )
    with pytest.raises(InputError, match="scale='z'"):
        transfer(MODELS, train, high)
    turned = transfer(MODELS, train, high, scale="z", tune=0)
    assert turned.summary("pearson").set_index("model")["mean"]["ridge"] > 0.9
    assert "turned round" in repr(turned)


def test_a_model_that_stops_early_has_validation_lines_of_the_training_cohort(train, test):
    seen = {}

    class Watch(Ridge):
        asks_for_validation = True

        def fit(self, X, Y, validation=None):
            seen.update(train=set(X.index), tune=set(validation[0].index))
            return super().fit(X, Y)

    transfer({"stops": Watch(alphas=(1.0,))}, train, test, tune=0.2)
    assert len(seen["tune"]) == 6 and not seen["tune"] & seen["train"]
    assert seen["tune"] | seen["train"] == {f"a{i}" for i in range(30)}


def test_transfers_are_compared_stored_and_never_mixed(train, test, tmp_path):
    P = transfer(MODELS, train, test)
    table = P.against("global mean", "pearson")
    ridge = table.set_index("model").loc["ridge"]
    assert np.isnan(ridge["p"]) and ridge["low"] <= ridge["gain"] <= ridge["high"]
    both = (
        P | transfer(MODELS, train, test, scale="z") | transfer(MODELS, train, test, shared="keep")
    )
    assert len(both.summary()) == 3 * len(P.summary())
    both.write(tmp_path / "t.npz")
    assert Predictions.read(tmp_path / "t.npz").summary().equals(both.summary())


def test_what_cannot_be_transferred_is_one_sentence(train, test):
    genes = [f"g{i}" for i in range(6)]
    strange = study("second", ["b0"], genes, {"u1": "Zzz"})
    renamed = Cohort.from_tables(
        test.Y,
        {"expression": test.X("expression").add_prefix("x")},
        test.lines,
        test.perturbations,
        name="second",
    )
    for call, fact in (
        (lambda: transfer(MODELS, train, strange), "'second'"),
        (lambda: transfer(MODELS, train, renamed), "'xg3'"),
        (lambda: transfer(MODELS, train, train), "0 training lines"),
        (lambda: transfer(MODELS, train, test, match="smell"), "'smell'"),
        (lambda: transfer(MODELS, train, test, shared="maybe"), "'maybe'"),
        (lambda: transfer(MODELS, train, test, scale="log"), "'log'"),
    ):
        with pytest.raises(InputError, match=fact):
            call()


def test_on_its_own_scale_a_shift_of_the_other_study_is_gone(train, test):
    shifted = replace(test, omics={"expression": 3 * test.X("expression") + 100})
    same, moved = (
        transfer(MODELS, train, other, own_scale=True, tune=0).cells().query("model == 'ridge'")
        for other in (test, shifted)
    )
    np.testing.assert_allclose(same["prediction"], moved["prediction"], atol=1e-3)
    P = transfer(MODELS, train, shifted, own_scale=True, tune=0)
    assert "in its own cohort" in repr(P) and P.held[0].split.endswith("own scale")
    assert P.summary("pearson").set_index("model").loc["ridge", "mean"] > 0.7
