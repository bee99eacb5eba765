"""Molecules out of latent vectors, many at once and within limits.

The tree's half of z gives a tree (walking.py).  Then the molecule grows along it, depth first
(growing.py), and wherever chemistry leaves a choice, the graph's half of z scores the ways
(vae.Scorer).  At every step the choices of all molecules of a batch are scored together; how a way
looks to the network depends on the node and its neighbours alone, so it is worked out once.

A vector from far outside the prior gives a tree that never wants to end, or a node with thousands
of ways.  `Limits` bound what one molecule may cost, and each limit that is hit is counted.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number
from cdp_lib.models.junction_tree.choosing import Chooser
from cdp_lib.models.junction_tree.growing import Growth
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE
from cdp_lib.models.junction_tree.walking import COUNT, Limits, Walker, walk_trees

SEED = Number(whole=True)
LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Decoded:
    """Molecules, what each of them cost, and how often it hit each limit."""

    latents: np.ndarray  # (molecules, latent)
    smiles: tuple[str | None, ...]  # canonical; None where RDKit refuses the molecule
    molecules: pd.DataFrame  # molecules x (nodes, atoms, steps, candidates, left off)
    limits: pd.DataFrame  # molecules x the limits: how often each was hit

    @property
    def hit(self) -> pd.Series:
        """How many molecules hit each limit."""
        return (self.limits > 0).sum()


@torch.no_grad()
def decode(
    module: JunctionTreeVAE,
    z: np.ndarray | Tensor,
    limits: Limits = LIMITS,
    batch: int = 128,
    seed: int | None = None,
) -> Decoded:
    """The most likely molecule of each row of z; with a seed, one drawn at random.

    A row gives the same molecule in every batch.
    """
    z = checked(z, module)
    if not COUNT.allows(batch) or not (seed is None or SEED.allows(seed)):
        raise InputError(f"batch={batch!r}, seed={seed!r}: give whole numbers, batch 1 or more.")
    if next(module.parameters()).device.type != "cpu":  # many small steps: no work for a GPU
        module = copy.deepcopy(module).cpu()
    training = module.training
    module.eval()
    found = []
    for start in range(0, len(z), batch):
        rows = range(start, min(start + batch, len(z)))
        random = [None if seed is None else np.random.default_rng([seed, row]) for row in rows]
        found += decoded(module, z[rows.start : rows.stop], limits, random)
    module.train(training)
    smiles, costs, hits = zip(*found, strict=True) if found else ((), (), ())
    return Decoded(
        z.double().numpy(),
        smiles,
        pd.DataFrame(costs, columns=["nodes", "atoms", "steps", "candidates", "left off"]),
        pd.DataFrame(hits, columns=list(vars(limits))).fillna(0).astype(int),
    )


def checked(z: np.ndarray | Tensor, module: JunctionTreeVAE) -> Tensor:
    if isinstance(z, Tensor):
        z = z.detach().cpu()
    try:
        z = torch.as_tensor(np.asarray(z, dtype=np.float32))
    except (TypeError, ValueError):
        raise InputError(
            f"Latent vectors are numbers (molecules, {module.latent}), not {type(z).__name__} of "
            "something else: encode molecules with transform first."
        ) from None
    if z.ndim != 2 or z.shape[1] != module.latent:
        raise InputError(
            f"Latent vectors have the shape {tuple(z.shape)}, this model reads "
            f"(molecules, {module.latent}): give one row a molecule."
        )
    bad = ~torch.isfinite(z).all(dim=1)
    if bad.any():
        raise InputError(
            f"{int(bad.sum())} of {len(z)} latent vectors hold NaN or infinity, the first is "
            f"row {int(bad.nonzero()[0, 0])}: leave them out."
        )
    return z


def decoded(
    module: JunctionTreeVAE,
    z: Tensor,
    limits: Limits,
    random: Sequence[np.random.Generator | None],
) -> list[tuple[str | None, tuple[int, ...], dict[str, int]]]:
    """(SMILES, costs, limits hit) of each molecule of one batch."""
    z_tree, z_graph = z.chunk(2, dim=1)
    walkers = walk_trees(module.tree_decoder, module.vocabulary, z_tree, limits, random)
    growths = [Growth(each.words, each.parents, limits.candidates) for each in walkers]
    chooser = Chooser(module, walkers, z_graph)
    questions = {row: asked for row, each in enumerate(growths) if (asked := each.question())}
    while questions:
        choices = [(row, growths[row], question) for row, question in questions.items()]
        for (row, growth, question), way in zip(choices, chooser.choose(choices), strict=True):
            growth.answer(question.node, question.ways[way])
            questions[row] = growth.question()
        questions = {row: question for row, question in questions.items() if question}
    return [result(*each) for each in zip(walkers, growths, strict=True)]


def result(walker: Walker, growth: Growth) -> tuple[str | None, tuple[int, ...], dict[str, int]]:
    costs = (
        len(walker.words),
        len(growth.kinds),
        walker.steps,
        growth.candidates,
        growth.left_off,
    )
    return growth.smiles(), costs, walker.hit | {"candidates": growth.cut}
