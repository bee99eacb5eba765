"""What the exercises of the chapter on variational autoencoders demand."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from rdkit import Chem
from torch.distributions import Normal, kl_divergence

from cdp_lib import metrics
from cdp_lib.data.molecules import molecule
from cdp_lib.exercises.leap import one
from cdp_lib.exercises.quickstart import sealed
from cdp_lib.models.junction_tree.trees import tree

EFFECTIVE = -1.0  # the paper calls a compound effective below this ln IC50
OUTCOMES = ("grows without end", "falls to 0", "is that of the rows", "nothing fixes it")
SEALS = {
    "a": "a170fcaf7d266524",
    "b": "e4e510da4385adae",
    "c": "6285ed4263c2da8b",
    "d": "284d1a7f2442fbb2",
}
ASKS = {
    "a": "being exact pays and costs nothing; where does ln(variance) go as the variance shrinks?",
    "b": "did anything ask the codes to lie where N(0, 1) puts its points?",
    "c": "what does a unit cost now, and which code costs nothing?",
    "d": "if the codes say nothing, which answer of the decoder is best for every row?",
}


def check_1(c, answer: Any, must_pass: bool = False) -> None:
    """The divergence of N(mean, variance) from N(0, 1), given the logarithm of the variance."""
    rng = np.random.default_rng(51)
    mean, log_variance = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
    right = divergences(mean, log_variance)  # (rows,)
    zero = np.zeros_like(mean)
    of_sd = divergences(mean, 2 * log_variance)  # as if it were the logarithm of the sd
    variance = np.exp(log_variance)
    root = (mean**2 + np.sqrt(variance) - 1 - log_variance).sum(axis=1) / 2
    turned = ((1 + mean**2) / variance - 1 + log_variance).sum(axis=1) / 2

    def near(f, numbers) -> bool:
        return np.allclose(rows(f, mean, log_variance), numbers, atol=1e-4)

    rules = [
        (callable, "Write a function of mean and log_variance."),
        (
            lambda f: np.shape(f(mean, log_variance)) != (6, 4),
            "This is one number a unit: the units are independent, so their divergences add up.",
        ),
        (
            lambda f: np.shape(f(mean, log_variance)) == (6,),
            "Give one number a row: here (6, 4) goes in, and (6,) comes out.",
        ),
        (lambda f: not near(f, -right), "The sign is turned: a divergence is never below 0."),
        (
            lambda f: np.allclose(rows(f, zero, zero), 0, atol=1e-6),
            "At mean 0 and variance 1 both are the same distribution, and the divergence is 0.",
        ),
        (lambda f: not near(f, right / 4), "This is the mean over the units; take their sum."),
        (lambda f: not near(f, 2 * right), "It is twice too large: the density of a normal has "
         "a half in its exponent, and ln of a standard deviation is half the ln of a variance."),
        (
            lambda f: not near(f, right / np.log(2)) and not near(f, right / np.log(10)),
            "Use the natural logarithm: the loss counts nats, not bits.",
        ),
        (
            lambda f: not near(f, of_sd),
            "The network gives the logarithm of the variance, and you read it as that of the sd.",
        ),
        (
            lambda f: not near(f, root),
            "There stands an sd where the variance belongs: the mean of z squared is "
            "mean^2 + sd^2.",
        ),
        (
            lambda f: not near(f, turned),
            "This is the divergence of N(0, 1) from N(mean, variance): average over the code, "
            "N(mean, variance), because that is where the z come from.",
        ),
        (
            lambda f: np.allclose(rows(f, mean, zero), (mean**2).sum(axis=1) / 2, atol=1e-4),
            "With variance 1 only the means are left, squared and halved.",
        ),
        (
            lambda f: near(f, right),
            "The means are right; look at the part with the variance: with mean 0 it is lowest, "
            "and 0, at variance 1.",
        ),
    ]  # fmt: skip
    c.check("05-1", answer, *rules, must_pass=must_pass)


def rows(f, mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    return np.asarray(f(mean, log_variance), float)


def divergences(mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """(rows,), in nats, summed over units: from PyTorch, so that no formula stands here."""
    codes = Normal(torch.as_tensor(mean), torch.as_tensor(log_variance).div(2).exp())
    return kl_divergence(codes, Normal(0.0, 1.0)).sum(dim=1).numpy()


def check_2(c, answer: Any, must_pass: bool = False) -> None:
    """Predict what becomes of codes and of samples at beta = 0 and at a huge beta."""

    def filled(answers) -> bool:
        return isinstance(answers, dict) and not any(
            value in (None, ...) or str(value).strip(". ") == "" for value in answers.values()
        )

    rules: list = [
        (filled, "Fill in an outcome for each of the letters a to d."),
        (lambda answers: set(answers) == set(SEALS), "Answer for the letters a to d, each once."),
        (
            lambda answers: {word(value) for value in answers.values()} <= set(OUTCOMES),
            f"Choose each answer from: {', '.join(OUTCOMES)}.",
        ),
    ]
    for letter, seal in SEALS.items():
        rules.append(
            (
                lambda answers, letter=letter, seal=seal: (
                    sealed(f"05-2{letter}", word(answers[letter])) == seal
                ),
                f"Question {letter}: {ASKS[letter]}",
            )
        )
    c.check("05-2", answer, *rules, must_pass=must_pass)


def word(answer: Any) -> str:
    return " ".join(str(answer).lower().split())


def check_3(
    c, answer: Any, variances: Sequence[float], beta: float, must_pass: bool = False
) -> None:
    """Predict the divergence of each unit of a linear autoencoder, by the variance it describes."""
    variances = np.asarray(variances, float)
    ratio = variances / beta
    right = np.maximum(np.log(ratio), 0) / 2

    def near(numbers, others) -> bool:
        return np.allclose(np.asarray(numbers, float), others, rtol=0, atol=0.006)

    rules = [
        (
            lambda kl: np.shape(np.asarray(kl, float)) == variances.shape,
            f"Give {len(variances)} numbers in a list, one a unit.",
        ),
        (
            lambda kl: not near(kl, np.log(ratio) / 2),
            "A divergence is never below 0. Where a unit would gain less than it costs, it is "
            "left unused: code and prior are the same.",
        ),
        (lambda kl: not near(kl, 2 * right), "This is twice too much: there is a half in front."),
        (
            lambda kl: not near(kl, right / np.log(2)),
            "These are bits; the loss counts nats, by the natural logarithm.",
        ),
        (
            lambda kl: beta == 1 or not near(kl, np.maximum(np.log(variances), 0) / 2),
            "These are the numbers for beta = 1.",
        ),
        (
            lambda kl: not (np.asarray(kl, float)[ratio <= 1] > 0.006).any(),
            "A unit whose direction has a variance of beta or less tells nothing: 0.",
        ),
        (
            lambda kl: (np.asarray(kl, float)[ratio > 1.1] > 0.006).all(),
            "A unit whose direction has a variance above beta is worth its price: it is used.",
        ),
        (lambda kl: near(kl, right), "Put each variance and beta into the formula, to two digits."),
    ]
    c.check("05-3", answer, *rules, must_pass=must_pass)


def with_beta(
    beta: float, variances: Sequence[float] = (16.0, 4.0, 0.5, 0.1), steps: int = 600
) -> pd.DataFrame:
    """Simulated: a linear variational autoencoder of rows whose directions have these variances.

        loss = mean over rows of |x - W m|^2 / 2 + sum_j s_j^2 |w_j|^2 / 2 + beta KL,    m = V x

    which is the mean over z of |x - W z|^2 / 2 + beta KL, written out, so that no z is drawn.
    A row a direction: the variances of the rows and of samples decoded from z ~ N(0, 1), and the
    divergence of a unit, the largest first.
    """
    S = torch.diag(torch.tensor(variances, dtype=torch.float64))  # covariance of the rows
    draw = torch.Generator().manual_seed(53)
    V, W = torch.randn(2, len(S), len(S), generator=draw, dtype=torch.float64).mul(0.3).unbind()
    log_variance = torch.zeros(len(S), dtype=torch.float64)
    open_numbers = [each.requires_grad_() for each in (V, W, log_variance)]
    optimiser = torch.optim.Adam(open_numbers, lr=0.05)
    for _ in range(steps):
        left = torch.eye(len(S), dtype=torch.float64) - W @ V
        s2 = log_variance.exp()
        kl = ((V @ S @ V.T).diagonal() + s2 - 1 - log_variance) / 2  # (units,)
        error = ((left @ S @ left.T).trace() + s2 @ W.square().sum(dim=0)) / 2
        loss = error + beta * kl.sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return pd.DataFrame(
        {
            "variance of the rows": variances,
            "variance of samples": W.square().sum(dim=1).detach().numpy(),
            "divergence of a unit": kl.detach().sort(descending=True).values.numpy(),
        },
        pd.RangeIndex(1, len(S) + 1, name="direction"),
    )


def check_4(c, answer: Any, smiles: str, must_pass: bool = False) -> None:
    """The words of a molecule's tree, written by hand."""
    truth = tree(smiles)
    right = Counter(map(spelled, truth.words))
    atoms, hubs = truth.mol.GetNumAtoms(), sum(len(clique) == 1 for clique in truth.cliques)
    rings = sum(len(clique) > 2 for clique in truth.cliques)
    bonds = len(truth.cliques) - rings - hubs

    def count(words, few: int, many: int) -> int:
        """How many of the words have so many atoms."""
        return sum(few <= molecule(text).GetNumAtoms() <= many for text in words)

    rules = [
        (
            lambda words: not isinstance(words, str) and [molecule(text) for text in words],
            'Give a list of SMILES, such as ["CC", "C=O"], one a node.',
        ),
        (
            lambda words: (
                Counter(map(spelled, words)) != Counter(set(right)) or max(right.values()) < 2
            ),
            "Each word stands there once. A node is a place in the molecule: a word that occurs "
            "at two places is two nodes.",
        ),
        (
            lambda words: count(words, 3, atoms) >= rings,
            f"There are {rings} rings. Rings that share one bond, and so two atoms, stay two "
            "nodes; they become one only where they share more than two.",
        ),
        (
            lambda words: count(words, 3, atoms) == rings,
            f"There are {rings} rings and as many nodes of more than two atoms: each bond outside "
            "the rings is a node by itself.",
        ),
        (
            lambda words: count(words, 2, 2) <= bonds,
            "There are too many bonds: one inside a ring is no node, because the ring holds it.",
        ),
        (
            lambda words: count(words, 2, 2) >= bonds,
            "A bond is missing: each bond outside the rings is a node, also one that leads from a "
            "ring to what hangs on it.",
        ),
        (
            lambda words: count(words, 1, 1) >= hubs,
            "Three bonds outside rings that meet at one atom are all neighbours of each other, "
            "which is a circle and no tree: their atom becomes a node of its own.",
        ),
        (
            lambda words: count(words, 1, 1) <= hubs,
            "An atom is a node only where three bonds outside rings meet, or two bonds and a ring.",
        ),
        (
            lambda words: Counter(map(spelled, words)) == right,
            "The sizes are right, and an element or a double bond is not.",
        ),
    ]
    c.check("05-4", answer, *rules, must_pass=must_pass)


def spelled(text: str) -> str:
    """The canonical spelling; the double bonds of a ring are left open, as Kekule forms differ."""
    mol = molecule(text)
    if mol.GetNumAtoms() > 2:
        for part in [*mol.GetAtoms(), *mol.GetBonds()]:
            part.SetIsAromatic(False)
        for bond in mol.GetBonds():
            bond.SetBondType(Chem.BondType.SINGLE)
        for atom in mol.GetAtoms():
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)
    return Chem.MolToSmiles(mol)


def check_5(
    c, answer: Any, predicted: pd.DataFrame, chosen: str, below=EFFECTIVE, must_pass: bool = False
) -> None:
    """Which share of the compounds chosen for one line another line would have chosen, too.

    `predicted` is the predicted ln IC50, latents x lines; `below` is where the paper calls it
    effective.
    """
    works = predicted < below
    others = works.drop(columns=chosen)
    right = others[works[chosen]].to_numpy().mean()
    overall = works.to_numpy().mean()
    among_others = others.to_numpy().mean()
    with_itself = works[works[chosen]].to_numpy().mean()
    everywhere = others[works[chosen]].all(axis=1).mean()
    above = (predicted > below).drop(columns=chosen)[predicted[chosen] > below]
    turned = above.to_numpy().mean()

    def takes(share, wrong) -> bool:
        """Is it a known wrong number, and not the right one?"""
        share = one(share)
        return abs(share - wrong) < 1e-3 and abs(share - wrong) < abs(share - right)

    rules = [
        (lambda share: np.size(share) == 1, "Give one number."),
        (lambda share: 0 <= one(share) <= 1, "A share lies between 0 and 1."),
        (
            lambda share: not takes(share, overall) and not takes(share, among_others),
            f"This is the share of all latents. Take only those that are chosen for {chosen}, as "
            "the ten of the paper are.",
        ),
        (
            lambda share: not takes(share, with_itself),
            f"{chosen} itself is among the lines that you ask; it agrees with itself.",
        ),
        (
            lambda share: not takes(share, everywhere),
            "This counts a compound only if it works on every other line; take the share of the "
            "lines for each compound, and the mean over compounds.",
        ),
        (
            lambda share: not takes(share, turned),
            "Low means sensitive: a compound is called effective where ln IC50 is below "
            f"{below:g}.",
        ),
        (
            lambda share: abs(one(share) - right) < 2e-3,
            f"Take the latents with predicted ln IC50 below {below:g} on {chosen}, and ask "
            "of each in which share of the other lines it is below as well.",
        ),
    ]
    c.check("05-5", answer, *rules, must_pass=must_pass)


def check_6(
    c,
    answer: Any,
    learned: pd.DataFrame,
    tested: pd.DataFrame,
    reported: float,
    must_pass: bool = False,
) -> None:
    """The R2 of drug means on random rows, and what share of the rest a reported R2 explains."""
    y = tested.to_numpy(float)  # (lines, drugs), NaN where nothing is tested
    means = learned.mean().fillna(learned.stack().mean())
    table = metrics.r2(y, np.broadcast_to(means, y.shape), axis="global")
    seen = learned.where(learned.notna(), tested).mean()
    peeked = metrics.r2(y, np.broadcast_to(seen, y.shape), axis="global")
    per_drug = metrics.r2(y, np.broadcast_to(learned.stack().mean(), y.shape), axis="global")
    squared = metrics.pearson(y, np.broadcast_to(means, y.shape), axis="global") ** 2
    worth = (reported - table) / (1 - table)

    def near(number, truth) -> bool:
        return abs(float(number) - truth) < 2e-3

    def wrong(pair, known) -> bool:
        """Nearer to a known wrong R2 than to the right one."""
        given = float(pair[0])
        return near(given, known) and abs(given - known) < abs(given - table)

    rules = [
        (lambda pair: np.size(pair) == 2, "Give two numbers: (R2 of the drug means, worth)."),
        (
            lambda pair: not wrong(pair, peeked),
            "These means have seen the tested cells: take them from `learned` alone.",
        ),
        (
            lambda pair: not wrong(pair, per_drug),
            "This is one mean for all: take a mean for each drug.",
        ),
        (
            lambda pair: not wrong(pair, squared),
            "This is the square of a correlation: R2 is 1 minus the errors over the variance.",
        ),
        (
            lambda pair: near(pair[0], table),
            "R2 of the drug means: predict each tested cell by the mean of its drug in `learned`, "
            "and take all tested cells together.",
        ),
        (
            lambda pair: not near(pair[1], reported - table) or near(worth, reported - table),
            "This is the difference of two R2. What part is it of what the drug means leave?",
        ),
        (
            lambda pair: not near(pair[1], (reported - table) / reported),
            "Divide by what the drug means leave, 1 less their R2, and not by the reported one.",
        ),
        (
            lambda pair: near(pair[1], worth),
            "Worth: the drug means leave 1 - R2 of the variance; which share of that does the "
            "reported R2 explain in addition?",
        ),
    ]
    c.check("05-6", answer, *rules, must_pass=must_pass)


def check_7(c, answer: Any, fingerprints: Sequence[set], must_pass: bool = False) -> None:
    """The internal diversity of three molecules, p = 1 and p = 2, from the bits of each."""
    sets = [set(bits) for bits in fingerprints]
    T = np.array([[len(a & b) / len(a | b) for b in sets] for a in sets])  # Tanimoto
    dice = np.array([[2 * len(a & b) / (len(a) + len(b)) for b in sets] for a in sets])
    pairs = T[np.triu_indices(len(sets), 1)]
    right = 1 - T.mean(), 1 - np.sqrt(np.square(T).mean())

    def near(number, truth) -> bool:
        return abs(float(number) - truth) < 0.006

    rules = [
        (lambda pair: np.size(pair) == 2, "Give two numbers, for p = 1 and p = 2."),
        (
            lambda pair: not near(pair[0], T.mean()),
            "This is the mean similarity; the diversity is 1 less it.",
        ),
        (
            lambda pair: not near(pair[0], 1 - pairs.mean()),
            "The mean is over all ordered pairs, and each molecule with itself is one of them, "
            "with similarity 1. Therefore even a set without any likeness stays below 1.",
        ),
        (
            lambda pair: not near(pair[0], 1 - dice.mean()),
            "This is Dice's similarity; Tanimoto's divides the shared bits by the bits that are "
            "set in either of the two.",
        ),
        (
            lambda pair: near(pair[0], right[0]),
            "p = 1: write the table of the nine similarities, shared bits over bits in either, "
            "and take 1 less its mean.",
        ),
        (
            lambda pair: not near(pair[1], 1 - np.square(T).mean()),
            "p = 2: the root is missing, which brings a mean of squares back to a similarity.",
        ),
        (
            lambda pair: not near(pair[1], np.sqrt(np.square(1 - T).mean())),
            "p = 2: square the similarities, not the distances.",
        ),
        (
            lambda pair: near(pair[1], right[1]),
            "p = 2: take 1 less the root of the mean of the nine squared similarities.",
        ),
    ]
    c.check("05-7", answer, *rules, must_pass=must_pass)
