"""A transformer of molecules: it learns, names what it cannot read, and keeps the rules."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from cdp_lib.errors import InputError
from cdp_lib.models.junction_tree import JunctionTree
from cdp_lib.models.junction_tree.fitting import ONCE_THROUGH, rising

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CC(=O)Nc1ccc(O)cc1",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "CN1CCCC1c1cccnc1",
    "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1",
    "CCO",
]
SHORT = replace(ONCE_THROUGH, epochs=80, batch_size=6, lr=1e-2, device="cpu")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fitted():
    return JunctionTree(width=24, latent=8, training=SHORT).fit(MOLECULES)


def test_it_learns(fitted):
    terms = fitted.history_.train
    for name in ("words", "topology", "assembly"):
        assert terms[name][-1] < 0.5 * terms[name][0]
    assert {"kl", "words right", "topology right", "assembly right"} < set(terms)
    assert fitted.losses(MOLECULES)["words right"] > 0.8


def test_a_row_a_molecule_named_as_it_was_given(fitted):
    latent = fitted.transform(MOLECULES)
    assert latent.shape == (6, 8) and list(latent.index) == MOLECULES
    assert list(latent.columns[[0, 4]]) == ["tree 1", "graph 1"]
    named = fitted.transform(pd.Series(MOLECULES[::-1], list("abcdef")))
    assert list(named.index) == list("abcdef")
    np.testing.assert_allclose(named.to_numpy(), latent.to_numpy()[::-1], atol=1e-5)
    assert fitted.transform([]).shape == (0, 8)


def test_the_seed_decides_and_the_global_generator_stays(fitted):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    again = clone(fitted).fit(MOLECULES)
    assert torch.equal(torch.rand(1), expected)
    pd.testing.assert_frame_equal(again.transform(MOLECULES), fitted.transform(MOLECULES))
    other = clone(fitted).set_params(training__seed=1).fit(MOLECULES)
    assert not np.allclose(other.transform(MOLECULES), fitted.transform(MOLECULES))


def test_how_a_molecule_is_written_changes_nothing(fitted):
    a, b = fitted.transform(["CC(=O)Nc1ccc(O)cc1", "Oc1ccc(NC(C)=O)cc1"]).to_numpy()
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_molecules_of_other_words_are_left_out_by_name_in_fit():
    short = replace(SHORT, epochs=1)
    model = JunctionTree(width=8, latent=4, vocabulary=["CC", "CO"], training=short)
    with pytest.warns(UserWarning, match="2 of 3 molecules"):  # one of them twice
        model.fit(["CCO", "CCBr", "CCBr"])
    assert model.left_out_ == {"CCBr": ("CBr",)}
    with pytest.raises(InputError, match="None of the 1 molecules"):
        model.fit(["CCBr"])


def test_molecules_of_other_words_are_refused_afterwards(fitted):
    with pytest.raises(InputError, match="'CCBr' with CBr"):
        fitted.transform(["CCO", "CCBr"])
    with pytest.raises(InputError, match="no molecule"):
        fitted.losses([])


@pytest.mark.parametrize(
    ("smiles", "fact"),
    [
        ("CCO", "no list of SMILES"),
        (None, "no list of SMILES"),
        (["CC.Cl"], "a mixture"),
        (["C1CC"], "not a valid"),
        ([None], "not a valid"),
        ([], "0 molecules"),
    ],
)
def test_bad_input_of_fit(smiles, fact):
    with pytest.raises(InputError, match=fact):
        JunctionTree(training=replace(SHORT, epochs=1)).fit(smiles)


def test_bad_settings_and_no_fit():
    with pytest.raises(InputError, match="width"):
        JunctionTree(width=1).fit(MOLECULES)
    with pytest.raises(InputError, match="two numbers"):
        JunctionTree(beta=(0.1, 0.2, 0.3)).fit(MOLECULES)
    with pytest.raises(InputError, match="latent=7"):
        JunctionTree(latent=7).fit(MOLECULES)
    with pytest.raises(InputError, match="not fitted"):
        JunctionTree().transform(MOLECULES)


def test_beta_rises():
    assert rising(0.0, 0.01, 0.1) == rising(0.1, 0.01, 0.1) == 0.01
    assert rising(0.3, 0.01, 0.1) == pytest.approx(0.055)
    assert rising(0.5, 0.01, 0.1) == rising(1.0, 0.01, 0.1) == pytest.approx(0.1)
