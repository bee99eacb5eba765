"""Measures of generated molecules: small ones by hand, large ones against what others published."""

import sys

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data.studies.molecules import PUBLISHED, published_samples
from cdp_lib.errors import InputError
from cdp_lib.evaluate import generation

BENZENE, BIPHENYL, ASPIRIN = "c1ccccc1", "c1ccc(-c2ccccc2)cc1", "CC(=O)Oc1ccccc1C(=O)O"


def bits(*rows):
    return np.array(rows, dtype=np.uint8)


def test_tanimoto_is_shared_bits_over_all_bits():
    T = generation.tanimoto(bits([1, 1, 0, 0], [0, 0, 0, 0]), bits([1, 0, 1, 0], [0, 0, 0, 0]))
    np.testing.assert_allclose(T, [[1 / 3, 0], [0, 1]])


def test_internal_diversity_of_two_molecules_by_hand():
    found = generation.internal_diversity(bits([1, 1, 0, 0], [1, 0, 1, 0]))  # T = 1/3
    assert found[1] == pytest.approx(1 - (1 + 1 / 3) / 2)
    assert found[2] == pytest.approx(1 - np.sqrt((1 + 1 / 9) / 2))


def test_the_root_is_taken_for_each_molecule():
    """Three rows whose means of T^2 differ: one root of the whole mean would be another number."""
    rows = bits([1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1])
    found = generation.internal_diversity(rows)
    assert found[2] == pytest.approx(1 - (2 * np.sqrt(2 / 3) + np.sqrt(1 / 3)) / 3)
    assert found[2] != pytest.approx(1 - np.sqrt(5 / 9), abs=1e-3)


@pytest.mark.parametrize("block", [1, 3, 7, 100])
def test_blocks_count_every_pair_once(block, monkeypatch):
    rng = np.random.default_rng(0)
    rows = (rng.random((20, 64)) < 0.3).astype(np.uint8)
    T = generation.tanimoto(rows, rows)
    monkeypatch.setattr(generation, "BLOCK", block)
    found = generation.internal_diversity(rows)
    assert found[1] == pytest.approx(1 - T.mean(), abs=1e-6)
    assert found[2] == pytest.approx(1 - np.sqrt((T**2).mean(axis=1)).mean(), abs=1e-6)
    others = (rng.random((9, 64)) < 0.3).astype(np.uint8)
    best = generation.similarity_to_nearest(rows, others)
    np.testing.assert_allclose(best, generation.tanimoto(rows, others).max(axis=1), rtol=1e-6)


def test_quality_of_a_few_molecules_by_hand():
    written = ["C1=CC=CC=C1", BENZENE, None, "C1CC", BIPHENYL, ASPIRIN]
    found = generation.quality(written, training=[BENZENE, "CCO"])
    assert found["molecules"] == 6 and found["valid"] == pytest.approx(4 / 6)
    assert found["unique"] == pytest.approx(3 / 4)  # benzene is there twice, in two spellings
    assert found["novel"] == pytest.approx(2 / 3)
    assert found["scaffolds"] == 1  # only biphenyl has two rings
    assert np.isnan(found["scaffold similarity"])  # the training set has no scaffold
    assert "unique of 1,000" not in found
    assert 0 < found["internal diversity, p = 2"] < found["internal diversity"] < 1


def test_molecules_of_the_training_set_are_not_novel():
    train = [BENZENE, BIPHENYL, "c1ccc2ccccc2c1"]
    found = generation.quality(train, training=train)
    assert found["novel"] == 0 and found["nearest"] == 1
    assert found["scaffold similarity"] == pytest.approx(1)
    assert found["fragment similarity"] == pytest.approx(1)


def test_unique_of_k_counts_the_first_k(monkeypatch):
    monkeypatch.setattr(generation, "FIRST", (3,))
    found = generation.quality(["CCO", None, "OCC", "CC", "CCC", "CCCC"])
    assert found["unique of 3"] == pytest.approx(2 / 3) and found["unique"] == pytest.approx(4 / 5)


def test_scaffolds_fragments_and_how_alike_they_are():
    assert generation.scaffold("Cc1ccc(-c2ccccc2O)cc1") == BIPHENYL
    assert generation.scaffold(ASPIRIN) is None
    assert sorted(generation.fragments("CCOc1ccccc1")) == ["[16*]c1ccccc1", "[3*]O[3*]", "[4*]CC"]
    assert generation.alike("aab", "abb") == pytest.approx(4 / 5)
    assert generation.alike("a", "b") == 0 and np.isnan(generation.alike([], "b"))


def test_distance_of_a_shifted_property_is_the_shift():
    table = generation.properties([BENZENE, BIPHENYL, ASPIRIN])
    moved = table.assign(logP=table["logP"] + 0.7)
    found = generation.distances(table, moved)
    assert found["logP"] == pytest.approx(0.7) and found.drop("logP").eq(0).all()


def test_reconstruction_tells_apart_what_came_back():
    asked = pd.Series({"a": "C[C@H](N)C(=O)O", "b": BENZENE, "c": BIPHENYL, "d": "CCO"})
    found = generation.reconstruction(asked, ["C[C@@H](N)C(=O)O", "C1=CC=CC=C1", None, "CCN"])
    assert found["same"].to_dict() == {"a": False, "b": True, "c": False, "d": False}
    assert found["same without stereo"].tolist() == [True, True, False, False]
    assert found["valid"].tolist() == [True, True, False, True]
    assert found.loc["b", "tanimoto"] == 1 and found.loc["c", "tanimoto"] == 0
    assert 0 < found.loc["d", "tanimoto"] < 1


def test_the_nearest_molecule_has_its_name():
    drugs = pd.Series({"aspirin": ASPIRIN, "benzene": BENZENE})
    found = generation.nearest(pd.Series({"x": "COc1ccccc1C(=O)O", "y": BENZENE}), drugs)
    assert found["name"].to_dict() == {"x": "aspirin", "y": "benzene"}
    assert found.loc["y", "tanimoto"] == 1 and 0.3 < found.loc["x", "tanimoto"] < 1


def test_pairs_in_latent_space_come_nearest_first():
    latents = pd.DataFrame({"z1": [0.0, 3, 0], "z2": [0.0, 4, 1]}, ["benzene", "biphenyl", "drug"])
    smiles = pd.Series({"drug": ASPIRIN, "biphenyl": BIPHENYL, "benzene": BENZENE, "more": "C"})
    found = generation.latent_pairs(latents, smiles)
    assert found[["a", "b"]].agg(" ".join, axis=1).tolist() == [
        "benzene drug",
        "biphenyl drug",
        "benzene biphenyl",
    ]
    np.testing.assert_allclose(found["euclid"], [1, np.sqrt(18), 5])
    rows = generation.fingerprints([BENZENE, BIPHENYL])
    assert found["tanimoto"].iloc[2] == pytest.approx(generation.tanimoto(rows, rows)[0, 1])


@pytest.mark.parametrize(
    "call, fact",
    [
        (lambda: generation.quality([]), "empty"),
        (lambda: generation.quality([None, float("nan"), "C1CC"]), "None of the 3"),
        (lambda: generation.quality("CCO"), "one str"),
        (lambda: generation.quality(pd.DataFrame({"smiles": ["CCO"]})), "one DataFrame"),
        (lambda: generation.quality(pd.Series([pd.NA, None])), "None of the 2"),
        (lambda: generation.nearest(["CCO"], ["CC"]), "a Series of SMILES"),
        (
            lambda: generation.distances(
                pd.DataFrame({"logP": [1.0], "QED": [0.5]}), pd.DataFrame({"logP": [1.0]})
            ),
            "has QED",
        ),
        (lambda: generation.quality(["CCO", 7]), "hold 7"),
        (lambda: generation.quality(["CCO"], training=["C1CC"]), "'C1CC'"),
        (lambda: generation.reconstruction(["CCO", "CC"], ["CCO"]), "1 decoded"),
        (lambda: generation.reconstruction(["CCO", None], ["CCO", "C"]), "asked"),
        (
            lambda: generation.latent_pairs(
                pd.DataFrame({"z": [0, 1]}, ["x", "y"]), pd.Series({"x": "CCO"})
            ),
            "1 of the latents",
        ),
        (lambda: generation.distances(pd.DataFrame(), pd.DataFrame()), "first set"),
        (
            lambda: generation.distances(
                pd.DataFrame({"logP": [1.0]}), pd.DataFrame({"logP": [np.nan]})
            ),
            "second table",
        ),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(call, fact):
    with pytest.raises(InputError, match=fact) as error:
        call()
    assert "\n" not in str(error.value)


def test_distance_of_two_gaussians_by_hand():
    """Apart by (3, 4) and twice as wide: 3^2 + 4^2 + trace(A) (1 - 2)^2."""
    rows = np.random.default_rng(0).standard_normal((50, 2))
    trace = np.trace(np.cov(rows.T))
    assert generation.gaussian_distance(rows, rows) == pytest.approx(0, abs=1e-9)
    assert generation.gaussian_distance(rows, rows + [3, 4]) == pytest.approx(25)
    centred = rows - rows.mean(axis=0)
    wider = generation.gaussian_distance(centred, 2 * centred + [3, 4])
    assert wider == pytest.approx(25 + trace)


def test_without_its_package_the_chemnet_distance_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "fcd", None)
    with pytest.raises(InputError, match="pip install fcd"):
        generation.frechet([BENZENE], [BIPHENYL])


@pytest.fixture
def samples(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))
    return published_samples()


def test_the_samples_of_the_authors_have_their_published_numbers(samples):
    """Uniqueness to the last digit; diversity of every fifth molecule, which is that of all."""
    spelled = generation.canonical(samples[:10_000])
    assert None not in spelled
    for k in (1_000, 10_000):
        assert len(set(spelled[:k])) / k == PUBLISHED[f"unique of {k:,}"]
    found = generation.internal_diversity(generation.fingerprints(samples[::5].tolist()))
    assert found[1] == pytest.approx(PUBLISHED["internal diversity"], abs=5e-4)
    assert found[2] == pytest.approx(PUBLISHED["internal diversity, p = 2"], abs=5e-4)


@pytest.mark.slow
def test_all_samples_of_the_authors_have_all_their_published_numbers(samples):
    found = generation.quality(samples)
    for name, value in PUBLISHED.items():
        assert round(found[name], 4) == value
