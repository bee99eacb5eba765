"""Whatever is given instead of a drug-like molecule gets a defined answer."""

import numpy as np
import pytest
import torch

from cdp_lib.errors import InputError
from cdp_lib.models.junction_tree import JunctionTree, load
from cdp_lib.models.junction_tree.decoding import decode
from cdp_lib.models.junction_tree.latents import reconstruct
from cdp_lib.models.junction_tree.trees import tree
from cdp_lib.models.junction_tree.walking import Limits, Walker


@pytest.fixture(scope="module")
def trained():
    return load()


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


REFUSED = {
    "no SMILES": ("C1CC", "C1CC"),
    "empty": ("", "''"),
    "not text": (None, "None"),
    "a salt": ("CCN.Cl", "mixture or a salt"),
    "a mixture": ("CCO.CCN", "mixture or a salt"),
    "10,000 atoms": ("C" * 10_000, "10000"),
    "a metal complex": ("[NH3][Pt](Cl)(Cl)[NH3]", "Pt"),
    "a placeholder": ("*CC", "*CC"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_molecule_is_refused_in_one_sentence(trained, kind):
    smiles, fact = REFUSED[kind]
    for ask in (lambda: trained.transform(["CCO", smiles]), lambda: JunctionTree().fit([smiles])):
        with pytest.raises(InputError) as refused:
            ask()
        assert fact in str(refused.value) and len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("smiles", "word"),
    [
        ("O=C1CCCCCCCCCCCN1", "C1CCCCCCNCCCCC1"),  # a macrocycle
        ("[Na]C", "[CH3][Na]"),
        ("CC[Se]CC", "C[SeH]"),
    ],
)
def test_a_word_that_the_model_has_never_seen_is_named(trained, smiles, word):
    assert word in tree(smiles).words
    with pytest.raises(InputError) as refused:
        trained.transform(["CCO", smiles])
    assert smiles in str(refused.value) and word in str(refused.value)


def test_charges_are_read_and_written(trained):
    charged = ["C[NH+]1CCN(c2ccccc2)CC1", "O=C([O-])c1ccccc1", "O=[N+]([O-])c1ccccc1"]
    found = reconstruct(trained, charged)
    assert list(found.index) == charged and found["decoded"].notna().all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_latents_that_are_no_numbers_are_named_by_their_row(trained, value):
    z = np.zeros((4, 56))
    z[2, 5] = value
    with pytest.raises(InputError, match="row 2"):
        decode(trained.module_, z)


@pytest.mark.parametrize("shape", [(3, 55), (56,), (2, 28, 2), (2, 0)])
def test_latents_of_another_width_are_refused(trained, shape):
    with pytest.raises(InputError, match="56"):
        decode(trained.module_, np.zeros(shape))


def test_text_instead_of_latents_is_refused(trained):
    with pytest.raises(InputError, match="numbers"):
        decode(trained.module_, ["CCO"])


@pytest.mark.parametrize(
    ("changes", "fact"), [({"batch": 0}, "batch=0"), ({"seed": -1}, "seed=-1")]
)
def test_a_batch_of_nothing_and_a_seed_below_zero_are_refused(trained, changes, fact):
    with pytest.raises(InputError, match=fact):
        decode(trained.module_, np.zeros((1, 56)), **changes)


@pytest.mark.parametrize("limit", list(vars(Limits())))
def test_a_limit_leaves_room_for_one(limit):
    with pytest.raises(InputError, match=f"limit {limit} is 0"):
        Limits(**{limit: 0})


def test_a_node_without_room_says_nothing_of_the_node_above():
    walker = Walker.at("CC", None)
    walker.go(["CC"], Limits())
    walker.go(["CC"], Limits(atoms=3))  # the molecule is full
    assert walker.stuck and walker.hit == {"atoms": 1, "tries": 1}
    walker.back()
    assert walker.here == 0 and walker.may_go(Limits())
