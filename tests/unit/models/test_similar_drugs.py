"""New drugs by similar drugs: against RDKit's similarities, by name, without a test label."""

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from sklearn.base import clone

from cdp_lib import splits
from cdp_lib.data import load
from cdp_lib.data.cohort import Cohort
from cdp_lib.data.pairs import PairScreen
from cdp_lib.errors import InputError
from cdp_lib.evaluate import fitted
from cdp_lib.metrics import pearson
from cdp_lib.models.baselines import LineMean, MeanEffects
from cdp_lib.models.linear import Ridge
from cdp_lib.models.similar_drugs import SimilarDrugs

SMILES = {
    "ethanol": "CCO",
    "propanol": "CCCO",
    "acetate": "CC(=O)[O-].[Na+]",
    "acetic acid": "CC(=O)[O-]",
    "benzene": "c1ccccc1",
    "toluene": "Cc1ccccc1",
    "phenol": "Oc1ccccc1",
    "secret": None,
}
NAMES = pd.Index(SMILES, name="perturbation")
LINES = pd.Index([f"line {i}" for i in range(10)], name="line")
DRUGS = pd.DataFrame({"smiles": pd.Series(SMILES, dtype=object)}, NAMES)
X = pd.DataFrame(np.random.default_rng(1).normal(size=(10, 3)), LINES).add_prefix("gene ")


def response(seed=0, missing=0.2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(10, 8)) + 3 * rng.normal(size=8)
    return pd.DataFrame(values, LINES, NAMES).where(rng.random((10, 8)) >= missing)


def without(Y: pd.DataFrame, *names: str) -> pd.DataFrame:
    return Y.assign(**dict.fromkeys(names, np.nan))


def by_rdkit(first: str, second: str) -> float:
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    fragments = [SMILES[name].split(".")[0] for name in (first, second)]
    prints = [make.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in fragments]
    return DataStructs.TanimotoSimilarity(*prints)


@pytest.mark.parametrize("power", [1.0, 4.0])
def test_a_new_drug_is_the_weighted_mean_of_the_drugs_with_labels(power):
    Y = without(response(missing=0.0), "toluene", "acetate")
    P = SimilarDrugs(power=power).fit(X, Y, DRUGS).predict(X)
    others = ["ethanol", "propanol", "benzene", "phenol"]
    weights = np.array([by_rdkit("toluene", name) ** power for name in [*others, "acetic acid"]])
    expected = Y[[*others, "acetic acid"]].to_numpy() @ weights / weights.sum()
    np.testing.assert_allclose(P["toluene"], expected, rtol=1e-6)
    assert list(P.columns) == list(Y.columns) and P.index.equals(LINES)


def test_a_salt_is_similar_to_its_acid_and_counts_most():
    Y = without(response(missing=0.0), "acetate")
    P = SimilarDrugs(power=40.0).fit(X, Y, DRUGS).predict(X)
    np.testing.assert_allclose(P["acetate"], Y["acetic acid"], rtol=1e-6)


@pytest.mark.parametrize("model", [MeanEffects(), Ridge(alphas=(1.0,))], ids=["means", "ridge"])
def test_the_inner_model_predicts_drugs_with_labels_and_fills_what_is_unknown(model):
    Y = without(response(), "toluene")
    P = SimilarDrugs(model).fit(X, Y, DRUGS).predict(X)
    known = Y.drop(columns="toluene")
    inner = clone(model).fit(X, known).predict(X)
    pd.testing.assert_frame_equal(P[known.columns], inner, check_freq=False)
    filled = known.where(known.notna(), inner)
    weights = np.array([0 if n == "secret" else by_rdkit("toluene", n) ** 4 for n in filled])
    np.testing.assert_allclose(P["toluene"], filled @ weights / weights.sum(), rtol=1e-6)


def test_a_new_line_is_predicted_through_the_inner_model():
    Y = without(response(missing=0.0), "toluene")
    model = SimilarDrugs(Ridge(alphas=(1.0,))).fit(X.iloc[:8], Y.iloc[:8], DRUGS)
    known = Y.columns.drop("toluene")
    inner = Ridge(alphas=(1.0,)).fit(X.iloc[:8], Y.iloc[:8][known]).predict(X.iloc[8:])
    weights = np.array([0 if n == "secret" else by_rdkit("toluene", n) ** 4 for n in known])
    P = model.predict(X.iloc[8:])
    np.testing.assert_allclose(P["toluene"], inner @ weights / weights.sum(), rtol=1e-6)
    assert P["toluene"].nunique() == 2


def test_a_drug_of_unknown_structure_gets_the_mean_of_its_line():
    Y = without(response(missing=0.0), "secret", "toluene")
    model = SimilarDrugs().fit(X, Y, DRUGS)
    assert model.without_similar_ == ["secret"]
    P = model.predict(X)
    np.testing.assert_allclose(P["secret"], LineMean().fit(X, Y).predict(X)["secret"])


def test_order_changes_nothing():
    Y = without(response(), "toluene", "secret", "phenol")
    expected = SimilarDrugs().fit(X, Y, DRUGS).predict(X)
    mixed = Y.sample(frac=1, random_state=0).sample(frac=1, axis=1, random_state=0)
    table = DRUGS.sample(frac=1, random_state=1)
    P = SimilarDrugs().fit(X.loc[mixed.index], mixed, table).predict(X)
    pd.testing.assert_frame_equal(P[Y.columns], expected, rtol=0, atol=1e-12)


def test_drugs_of_another_cohort():
    Y = response()
    model = SimilarDrugs().fit(X, Y, DRUGS)
    others = pd.DataFrame({"smiles": ["Cc1ccccc1", "OCC"]}, ["methylbenzene", "phenol"])
    P = model.predict(X, perturbations=others)
    assert list(P.columns) == ["methylbenzene", "phenol"]
    np.testing.assert_allclose(P["phenol"], model.predict(X)["phenol"])  # known by its name
    new = without(Y.assign(methylbenzene=np.nan))
    table = pd.concat([DRUGS, others.iloc[:1]])
    again = SimilarDrugs().fit(X, new, table).predict(X)
    np.testing.assert_allclose(P["methylbenzene"], again["methylbenzene"])


def pairs_of(names) -> tuple[pd.DataFrame, pd.DataFrame]:
    ends = [(a, b) for a in names for b in names if a <= b]
    table = pd.DataFrame(ends, [f"{a} + {b}" for a, b in ends], ["drug_a", "drug_b"])
    values = np.random.default_rng(0).normal(size=(10, len(ends)))
    return table, pd.DataFrame(values, LINES, table.index)


def test_pairs_by_the_better_of_two_ways_to_match_their_drugs():
    pairs, Y = pairs_of(sorted(["ethanol", "propanol", "phenol", "toluene"]))
    Y = without(Y, "phenol + propanol", "ethanol + toluene")
    P = SimilarDrugs().fit(X, Y, pairs, drugs=DRUGS).predict(X)

    def alike(new, known):
        (a, b), (c, d) = pairs.loc[new], pairs.loc[known]
        straight = by_rdkit(a, c) * by_rdkit(b, d)
        return np.sqrt(max(straight, by_rdkit(a, d) * by_rdkit(b, c)))

    known = Y.dropna(axis=1)
    weights = np.array([alike("phenol + propanol", name) ** 4 for name in known])
    np.testing.assert_allclose(P["phenol + propanol"], known @ weights / weights.sum(), rtol=1e-6)
    turned = pairs.copy()
    turned.iloc[::2] = pairs.iloc[::2, ::-1].to_numpy()
    again = SimilarDrugs().fit(X, Y, turned, drugs=DRUGS).predict(X)
    pd.testing.assert_frame_equal(again, P, rtol=0, atol=1e-12)


def test_a_single_drug_is_the_pair_of_a_drug_with_itself():
    Y = without(response(), "toluene")
    twice = pd.DataFrame({"drug_a": NAMES, "drug_b": NAMES}, NAMES)
    P = SimilarDrugs().fit(X, Y, twice, drugs=DRUGS).predict(X)
    pd.testing.assert_frame_equal(P, SimilarDrugs().fit(X, Y, DRUGS).predict(X))


def test_a_drug_of_unknown_structure_is_known_by_its_name_in_other_pairs():
    pairs, Y = pairs_of(sorted(["ethanol", "propanol", "phenol", "secret"]))
    Y = without(Y, "ethanol + secret", "secret + secret")
    P = SimilarDrugs().fit(X, Y, pairs, drugs=DRUGS).predict(X)
    partners = ["phenol", "propanol"]
    weights = np.array([by_rdkit("ethanol", name) ** 2 for name in partners])
    known = Y[[f"{name} + secret" for name in partners]]
    np.testing.assert_allclose(P["ethanol + secret"], known @ weights / weights.sum(), rtol=1e-6)


def test_a_prediction_is_a_row_s_own():
    model = SimilarDrugs(Ridge(alphas=(1.0,))).fit(X, without(response(), "toluene"), DRUGS)
    expected = model.predict(X)
    copies = X.iloc[[3, 3, 0, 9, 3]]
    pd.testing.assert_frame_equal(model.predict(copies), expected.iloc[[3, 3, 0, 9, 3]])
    pd.testing.assert_frame_equal(model.predict(X.iloc[[4]]), expected.iloc[[4]])


@pytest.mark.parametrize(
    "table, fact",
    [
        (None, "perturbations=table"),
        (DRUGS.drop(columns="smiles"), "'smiles'"),
        (DRUGS.assign(smiles="C1CC"), "'C1CC'.*ethanol"),
        (DRUGS.iloc[:5], "3 columns.*'toluene'"),
    ],
)
def test_bad_tables_are_one_sentence(table, fact):
    with pytest.raises(InputError, match=fact) as error:
        SimilarDrugs().fit(X, response(), table)
    assert "\n" not in str(error.value)


def test_bad_calls_are_one_sentence():
    with pytest.raises(InputError, match="DataFrames"):
        SimilarDrugs().fit(X.to_numpy(), response(), DRUGS)
    with pytest.raises(InputError, match="power"):
        SimilarDrugs(power=0).fit(X, response(), DRUGS)
    with pytest.raises(InputError, match="'means'"):
        SimilarDrugs("means").fit(X, response(), DRUGS)
    with pytest.raises(InputError, match="fit first"):
        SimilarDrugs().predict(X)


@pytest.fixture(scope="module")
def cohort():
    lines = pd.DataFrame({"tissue": "unknown"}, LINES)
    return Cohort.from_tables(response(), {"expression": X}, lines, DRUGS)


@pytest.mark.parametrize(
    "split",
    [splits.leave_pairs_out, splits.leave_perturbations_out, splits.leave_both_out],
    ids=lambda split: split.__name__,
)
def test_no_test_label_is_seen(cohort, split, assert_blind_to_test_labels):
    for model in (SimilarDrugs(), SimilarDrugs(Ridge(alphas=(1.0,)))):
        assert_blind_to_test_labels(
            lambda model=model: clone(model), cohort, split(cohort, 3, tune=0)
        )


def test_a_screen_of_pairs_hands_over_its_drugs(assert_blind_to_test_labels):
    pairs, Y = pairs_of(sorted(["ethanol", "propanol", "phenol", "toluene", "secret"]))
    cells = Y.rename_axis("line").rename_axis("pair", axis=1).stack().rename("value").reset_index()
    lines = pd.DataFrame({"tissue": "unknown"}, LINES)
    screen = PairScreen.from_tables(cells.join(pairs, on="pair"), {"expression": X}, lines, DRUGS)
    split = splits.leave_drugs_out(screen, 2, held="one", tune=0)
    assert_blind_to_test_labels(SimilarDrugs, screen, split)
    assert fitted(SimilarDrugs(), screen, split.folds[0]).fingerprints_.shape == (4, 2048)


def test_real_new_drugs_are_told_apart(mirror, monkeypatch):
    """On ln IC50 of 969 lines, two folds of new drugs: mean r per drug and per line."""
    monkeypatch.setenv("CDP_MIRROR", str(mirror))
    cohort = load("drug-response", data="pocket", structures=True, omics=())
    r = {"line mean": [], "similar drugs": []}
    for fold in splits.leave_perturbations_out(cohort, 5, tune=0).folds[:2]:
        truth = cohort.Y.where(fold.test)
        for name, model in zip(r, (LineMean(), SimilarDrugs()), strict=True):
            P = fitted(model, cohort, fold, omics=None).predict(cohort.Y)
            r[name].append(
                [np.nanmean(pearson(truth, P, axis)) for axis in ("perturbation", "line")]
            )
    line_mean, similar = (np.mean(scores, axis=0) for scores in r.values())
    print("r per drug, per line: line mean", line_mean, "similar drugs", similar)
    assert line_mean == pytest.approx([0.5, 0.0], abs=0.05)
    assert similar[0] > line_mean[0] + 0.01 and similar[1] > 0.25
