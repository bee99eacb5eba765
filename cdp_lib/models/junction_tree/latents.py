"""What can be done with the latent vectors of a fitted `JunctionTree`.

sample        z ~ N(0, scale^2), decoded; the prior is scale 1
interpolate   z = (1 - t) mean(a) + t mean(b), decoded for several t
optimise      z <- z + rate * d score / d z, decoded after every step
reconstruct   decode(mean(molecule)) beside the molecule
"""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import torch
from rdkit import Chem
from torch import Tensor

from cdp_lib.data.molecules import molecule
from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number
from cdp_lib.models.base.tables import NotFitted
from cdp_lib.models.junction_tree.decoding import LIMITS, Decoded, decode
from cdp_lib.models.junction_tree.fitting import JunctionTree, texts
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE
from cdp_lib.models.junction_tree.walking import Limits


def sample(
    model: JunctionTree, n: int, scale: float = 1.0, seed: int = 0, limits: Limits = LIMITS
) -> Decoded:
    """n molecules from vectors with standard deviation `scale`; 7 is the N(0, 49) of dong2020."""
    module = module_of(model)
    if not (Number(whole=True).allows(n) and Number().allows(scale) and np.isfinite(scale)):
        raise InputError(
            f"{n!r} molecules with a scale of {scale!r}: n is a whole number, neither may be below "
            "0 or NaN."
        )
    z = np.random.default_rng(seed).normal(size=(n, module.latent))
    return decode(module, scale * z, limits)


def interpolate(model: JunctionTree, a: str, b: str, steps: int = 10) -> pd.Series:
    """Molecules on the straight line between two, by the share of the way: 0 is a, 1 is b."""
    if not Number(least=2, whole=True).allows(steps):
        raise InputError(f"A line between two molecules has at least 2 points, not {steps!r}.")
    ends = model.transform([a, b]).to_numpy()
    share = np.linspace(0, 1, steps)
    found = decode(model.module_, (1 - share)[:, None] * ends[0] + share[:, None] * ends[1])
    return pd.Series(found.smiles, pd.Index(share, name="share"), name="smiles")


def optimise(
    model: JunctionTree,
    start: str,
    score: Callable[[Tensor], Tensor],
    steps: int = 20,
    rate: float = 1.0,
) -> pd.DataFrame:
    """Climb a score of latent vectors from a molecule: steps x (score, distance, smiles).

    `score` takes z (rows, latent) and gives a number a row, by operations of torch.
    """
    if not Number(whole=True).allows(steps):
        raise InputError(f"steps is {steps!r}: give a whole number, 0 or more.")
    first = torch.tensor(model.transform([start]).to_numpy(), dtype=torch.float32)
    z, path, scores = first, [], []
    for step in range(steps + 1):
        z = z.detach().requires_grad_()
        value = score(z)
        if not isinstance(value, Tensor):
            raise InputError(f"The score is {value!r}, and no tensor: compute it from z by torch.")
        if value.shape != (1,) or not value.requires_grad:
            raise InputError(
                f"The score of one latent vector has the shape {tuple(value.shape)}"
                f"{'' if value.requires_grad else ' and no gradient'}: compute one number a row, "
                "by operations of torch."
            )
        path.append(z.detach())
        scores.append(float(value.detach()))
        z = z + rate * torch.autograd.grad(value.sum(), z)[0]
    path = torch.cat(path)
    found = {
        "score": scores,
        "distance": torch.linalg.vector_norm(path - first, dim=1).tolist(),
        "smiles": decode(model.module_, path).smiles,
    }
    return pd.DataFrame(found).rename_axis("step")


def reconstruct(
    model: JunctionTree, smiles: Iterable[str], limits: Limits = LIMITS
) -> pd.DataFrame:
    """Molecules x (decoded, exact): what is decoded from the mean, and whether it is the molecule.

    The tree knows no stereochemistry, so it is left out on both sides.
    """
    smiles = texts(smiles)
    found = decode(module_of(model), model.transform(smiles).to_numpy(), limits)
    exact = [flat(text) == each for text, each in zip(smiles, found.smiles, strict=True)]
    index = pd.Index(smiles, name="smiles")
    return pd.DataFrame({"decoded": list(found.smiles), "exact": exact}, index)


def flat(smiles: str) -> str:
    """Canonical SMILES without stereochemistry."""
    mol = molecule(smiles)
    Chem.RemoveStereochemistry(mol)
    return Chem.CanonSmiles(Chem.MolToSmiles(mol))


def module_of(model: JunctionTree) -> JunctionTreeVAE:
    if not hasattr(model, "module_"):
        raise NotFitted(f"This {type(model).__name__} is not fitted yet: call fit first.")
    return model.module_
