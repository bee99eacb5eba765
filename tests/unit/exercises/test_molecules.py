"""The checks of the chapter on molecules pass right answers in any form, and name each mistake."""

import numpy as np
import pandas as pd
import pytest
import torch

from cdp_lib.chapter import Chapter
from cdp_lib.errors import InputError
from cdp_lib.exercises import molecules as exercises

C = Chapter("05_variational_autoencoders", "quick", "teaching", 0, "cpu")
CORE = "O=C(c1ccccc1)c1c[nH]c2ncccc12"  # of PLX-4720


def verdict(check, *given, **more):
    """None when an answer passes, else the hint."""
    try:
        check(C, *given, must_pass=True, **more)
    except InputError as error:
        return str(error)
    return None


def kl(m, v):
    return 0.5 * (m**2 + np.exp(v) - 1 - v).sum(axis=1)


def kl_by_drawing(m, v):
    """The mean of ln q(z) - ln p(z) over many z of q, to the digits that a draw allows."""
    s = np.exp(v / 2)
    u = np.linspace(-9, 9, 20001)[:, None, None]
    z, weight = m + s * u, np.exp(-(u**2) / 2)
    ratio = -(u**2) / 2 - np.log(s) + z**2 / 2
    return ((weight * ratio).sum(axis=0) / weight.sum(axis=0)).sum(axis=1)


def kl_of_tensors(m, v):
    m, v = torch.tensor(m), torch.tensor(v)
    return (m.square() + v.exp() - 1 - v).sum(dim=1) / 2


def test_the_divergence_passes_in_any_form():
    for right in (kl, kl_by_drawing, kl_of_tensors):
        assert verdict(exercises.check_1, right) is None, right.__name__


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda m, v: -kl(m, v), "sign is turned"),
        (lambda m, v: 0.5 * (1 + v - m**2 - np.exp(v)).sum(axis=1), "sign is turned"),
        (lambda m, v: kl(m, v) / m.shape[1], "take their sum"),
        (lambda m, v: kl(m, v).mean(), "one number a row"),
        (lambda m, v: kl(m, v).sum(), "one number a row"),
        (lambda m, v: 0.5 * (m**2 + np.exp(v) - 1 - v), "one number a unit"),
        (lambda m, v: kl(m, v)[:, None], "one number a row"),
        (lambda m, v: 2 * kl(m, v), "twice too large"),
        (lambda m, v: kl(m, v) / np.log(2), "natural logarithm"),
        (lambda m, v: kl(m, v) / np.log(10), "natural logarithm"),
        (lambda m, v: kl(m, 2 * v), "as that of the sd"),
        (lambda m, v: kl(m, v) + 0.5 * (np.exp(v / 2) - np.exp(v)).sum(axis=1), "sd where the var"),
        (lambda m, v: 0.5 * (m**2 + np.exp(v) - v).sum(axis=1), "divergence is 0"),
        (lambda m, v: 0.5 * ((1 + m**2) / np.exp(v) - 1 + v).sum(axis=1), "divergence of N(0, 1)"),
        (lambda m, v: kl(np.sqrt(np.abs(m)), v), "squared and halved"),
        (lambda m, v: kl(m, v) + 0.3 * np.square(v).sum(axis=1), "part with the variance"),
        (lambda m: m, "one number a unit"),
        (0.5, "Write a function"),
    ],
)
def test_each_mistake_in_the_divergence_is_named(answer, hint):
    assert hint in verdict(exercises.check_1, answer)


BROKEN = {
    "a": "grows without end",
    "b": "nothing fixes it",
    "c": "falls to 0",
    "d": "falls to 0",
}


def test_what_beta_breaks_is_predicted():
    assert verdict(exercises.check_2, BROKEN) is None
    assert verdict(exercises.check_2, {k: f" {v.upper()} " for k, v in BROKEN.items()}) is None
    for wrong, hint in [
        (dict.fromkeys("abcd", "..."), "Fill in"),
        (dict.fromkeys("abcd", ...), "Fill in"),
        ({"a": "falls to 0"}, "each once"),
        (BROKEN | {"c": "explodes"}, "Choose each"),
        (BROKEN | {"a": "falls to 0"}, "Question a"),
        (BROKEN | {"b": "is that of the rows"}, "Question b"),
        (BROKEN | {"c": "grows without end"}, "Question c"),
        (BROKEN | {"d": "is that of the rows"}, "Question d"),
        (["falls to 0"] * 4, "Fill in"),
    ]:
        assert hint in verdict(exercises.check_2, wrong)


VARIANCES = [16.0, 4.0, 0.5, 0.1]


@pytest.mark.parametrize("beta", [1.0, 10.0])
def test_the_formula_of_the_linear_autoencoder_is_what_training_finds(beta):
    trained = exercises.with_beta(beta, VARIANCES)
    kls = trained["divergence of a unit"].to_numpy()
    expected = [max(0.0, 0.5 * np.log(v / beta)) for v in VARIANCES]
    np.testing.assert_allclose(kls, expected, atol=0.005)
    assert verdict(exercises.check_3, kls, VARIANCES, beta) is None
    assert verdict(exercises.check_3, [round(e, 2) for e in expected], VARIANCES, beta) is None
    left = [max(0.0, v - beta) for v in VARIANCES]
    np.testing.assert_allclose(trained["variance of samples"], left, atol=0.05)


def test_without_beta_codes_grow_and_with_a_huge_one_they_say_nothing():
    free, held = exercises.with_beta(0.0), exercises.with_beta(1000.0)
    assert (free["divergence of a unit"] > 3).all()
    assert not np.isclose(free["variance of samples"], VARIANCES, rtol=0.3).any()
    assert held[["divergence of a unit", "variance of samples"]].to_numpy().max() < 1e-3


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ([0.5 * np.log(v / 2) for v in VARIANCES], "never below 0"),
        ([np.log(8), np.log(2), 0, 0], "a half in front"),
        ([1.5, 0.5, 0, 0], "bits"),
        ([np.log(4), np.log(2), 0, 0], "for beta = 1"),
        ([1.04, 0.35, 0.1, 0], "tells nothing"),
        ([1.04, 0, 0, 0], "worth its price"),
        ([8, 2, 0, 0], "two digits"),
        ([1.04, 0.35], "4 numbers"),
        (1.04, "4 numbers"),
    ],
)
def test_each_mistake_about_units_is_named(answer, hint):
    assert hint in verdict(exercises.check_3, answer, VARIANCES, 2.0)


NODES = ["C=O", "CC", "CC", "C", "C1=CC=CC=C1", "C1=CNC=C1", "C1=CC=NC=C1"]


def but(*without, add=()):
    kept = list(NODES)
    for each in without:
        kept.remove(each)
    return kept + list(add)


def test_a_molecule_is_decomposed_in_any_spelling():
    assert verdict(exercises.check_4, NODES, CORE) is None
    aromatic = but(*NODES[-3:], add=["c1ccccc1", "[nH]1cccc1", "n1ccccc1"])
    assert verdict(exercises.check_4, aromatic[::-1], CORE) is None
    aspirin = ["CC", "C=O", "CO", "CO", "C", "c1ccccc1", "CC", "C", "O=C", "OC"]
    assert verdict(exercises.check_4, aspirin, "CC(=O)Oc1ccccc1C(=O)O") is None
    assert verdict(exercises.check_4, ["CC"], "CC") is None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (but("CC"), "Each word stands there once"),
        (set(NODES), "Each word stands there once"),
        (but(*NODES[-2:], add=["c1ccc2[nH]ccc2n1"]), "stay two"),
        (but("CC", "CC", "C=O", "C", add=["CC(=O)C"]), "outside the rings is a node"),
        (but("C=O", "CC", add=["CC=O"]), "outside the rings is a node"),
        (but(add=["CN"]), "inside a ring"),
        (but("C=O"), "A bond is missing"),
        (but("C"), "a circle and no tree"),
        (but(add=["C"]), "An atom is a node only"),
        (but("C=O", add=["CO"]), "a double bond"),
        (but("C1=CC=NC=C1", add=["c1ccccc1"]), "an element"),
        (CORE, "list of SMILES"),
        (["my node"], "list of SMILES"),
        (7, "list of SMILES"),
    ],
)
def test_each_wrong_tree_is_named(answer, hint):
    assert hint in verdict(exercises.check_4, answer, CORE)


@pytest.fixture
def predicted():
    """Simulated: an effect of the latent, one of the line, and a little of both."""
    rng = np.random.default_rng(3)
    table = 2 * rng.normal(size=(400, 1)) + rng.normal(size=(1, 9)) + rng.normal(size=(400, 9))
    return pd.DataFrame(table, columns=[f"line {n}" for n in range(9)])


def shared(predicted, chosen):
    works = predicted < -1
    return works.drop(columns=chosen)[works[chosen]].mean(axis=1).mean()


def test_the_share_that_other_lines_would_choose(predicted):
    right = shared(predicted, "line 3")
    assert verdict(exercises.check_5, right, predicted, "line 3") is None
    assert verdict(exercises.check_5, np.array([right]), predicted, "line 3") is None
    lower = float((predicted < -2).drop(columns="line 3")[predicted["line 3"] < -2].stack().mean())
    assert verdict(exercises.check_5, lower, predicted, "line 3", below=-2.0) is None
    works = predicted < -1
    chosen = works["line 3"]
    for wrong, hint in [
        (works.stack().mean(), "share of all latents"),
        (works.drop(columns="line 3").stack().mean(), "share of all latents"),
        (works[chosen].stack().mean(), "agrees with itself"),
        (works.drop(columns="line 3")[chosen].all(axis=1).mean(), "every other line"),
        (shared(-predicted - 2, "line 3"), "Low means sensitive"),
        (100 * right, "between 0 and 1"),
        (works.drop(columns="line 3")[chosen].mean(), "one number"),
        (right + 0.02, "ask of each"),
    ]:
        assert hint in verdict(exercises.check_5, wrong, predicted, "line 3"), hint


@pytest.fixture
def screen():
    """Simulated: drugs that differ much and lines that differ little; a third is tested."""
    rng = np.random.default_rng(4)
    Y = 2.5 * rng.normal(size=(1, 30)) + 0.6 * rng.normal(size=(20, 1))
    Y = pd.DataFrame(Y + rng.normal(size=(20, 30))).mask(rng.random((20, 30)) < 0.1)
    out = rng.random((20, 30)) < 0.3
    return Y.mask(out), Y.where(out)


def r2(tested, means, centre=None):
    y = tested.stack().dropna()
    p = pd.DataFrame([means] * len(tested), tested.index).stack().loc[y.index]
    return 1 - np.square(y - p).sum() / np.square(y - y.mean()).sum()


def test_what_a_reported_r2_is_worth_beside_drug_means(screen):
    learned, tested = screen
    table = r2(tested, learned.mean())
    right = (table, (0.83 - table) / (1 - table))
    assert verdict(exercises.check_6, right, learned, tested, 0.83) is None
    assert verdict(exercises.check_6, np.round(right, 3), learned, tested, 0.83) is None
    y = tested.stack().dropna()
    means = pd.DataFrame([learned.mean()] * len(tested), tested.index).stack().loc[y.index]
    for wrong, hint in [
        ((r2(tested, learned.fillna(tested).mean()), right[1]), "have seen the tested"),
        ((r2(tested, learned.mean() * 0 + learned.stack().mean()), right[1]), "one mean for all"),
        ((np.corrcoef(y, means)[0, 1] ** 2, right[1]), "square of a correlation"),
        ((table - 0.1, right[1]), "by the mean of its drug"),
        ((table, 0.83 - table), "difference of two"),
        ((table, (0.83 - table) / 0.83), "not by the reported"),
        ((table, 0.83), "in addition"),
        (table, "two numbers"),
    ]:
        assert hint in verdict(exercises.check_6, wrong, learned, tested, 0.83), hint


BITS = [{1, 2, 3, 4}, {3, 4, 5, 6}, {6, 7, 8, 9}]


def test_the_diversity_of_three_molecules_by_hand():
    first = 1 - (3 + 2 * (1 / 3 + 1 / 7)) / 9
    second = 1 - np.sqrt((3 + 2 * (1 / 9 + 1 / 49)) / 9)
    for right in ((first, second), np.round([first, second], 2), [first, second]):
        assert verdict(exercises.check_7, right, BITS) is None
    for wrong, hint in [
        ((1 - first, second), "the mean similarity"),
        ((1 - (1 / 3 + 1 / 7) / 3, second), "with itself"),
        ((1 - (3 + 2 * (1 / 2 + 1 / 4)) / 9, second), "Dice"),
        ((0.8, second), "nine similarities"),
        ((first, 1 - (1 - second) ** 2), "root is missing"),
        ((first, np.sqrt(((2 / 3) ** 2 + (6 / 7) ** 2 + 1) * 2 / 9)), "not the distances"),
        ((first, first), "squared similarities"),
        (first, "two numbers"),
    ]:
        assert hint in verdict(exercises.check_7, wrong, BITS), hint


def test_a_stub_is_not_attempted_and_breaks_nothing(capsys, predicted, screen):
    exercises.check_1(C, ...)
    exercises.check_2(C, None)
    exercises.check_3(C, ..., VARIANCES, 1.0)
    exercises.check_4(C, ..., CORE)
    exercises.check_5(C, ..., predicted, "line 3")
    exercises.check_6(C, ..., *screen, 0.83)
    exercises.check_7(C, ..., BITS)
    assert capsys.readouterr().out.count("not attempted") == 7
