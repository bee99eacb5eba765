"""Molecules as data: those that a model learns from, and those that another model wrote.

    pocket     dong2020       11,903 of ZINC, as the repository of dong2020 holds them
               zinc 86k       86,334 drug-like ones of ZINC
               zinc test      5,000, and zinc valid, 24,445, of the junction-tree paper
    official   zinc 250k      of which the last two are parts
    teaching   recombined     made by code from the drugs of the teaching cohort

Every molecule comes once, in the spelling of the installed RDKit, because two spellings would count
as two molecules.  What could not be read, and what was there twice, is left out and counted in
`attrs["notes"]`.  Molecules that a model wrote come as they were written, repeats and failures too,
because these are what is measured.
"""

import hashlib
from numbers import Integral

import numpy as np
import pandas as pd
import rdkit
from joblib import Parallel, delayed
from rdkit import Chem, rdBase

from cdp_lib.data.checks import few
from cdp_lib.data.files.parsed import remembered
from cdp_lib.data.studies.sources import source_of
from cdp_lib.errors import InputError

WORTH_TWO = 20_000  # molecules for which a second process is worth its start
PUBLISHED = {  # of the samples of the faster model, in the words of `evaluate.generation.quality`
    "valid": 1.0,
    "unique of 1,000": 1.0,
    "unique of 10,000": 0.9992,
    "internal diversity": 0.8512,
    "internal diversity, p = 2": 0.8453,
}


def molecules(
    data: str = "teaching", which: str | None = None, at_most: int | None = None, draw: int = 0
) -> pd.Series:
    """SMILES by ZINC id, or by number of row where the file has no ids.

    `which` is one of the names above that this edition has; its first one where none is named.
    `at_most` molecules are drawn by the seed `draw`.
    """
    if at_most is not None and (
        isinstance(at_most, bool) or not isinstance(at_most, Integral) or at_most < 1
    ):
        raise InputError(f"at_most is {at_most!r}: give a whole number of molecules, 1 or more.")
    if not isinstance(draw, Integral) or draw < 0:
        raise InputError(f"draw is {draw!r}: give a whole number, 0 or more.")
    source = source_of(data)
    kept = once_each(source.read("molecules", source.choice("molecules", "which", which)))
    if at_most is not None and at_most < len(kept):
        places = np.random.default_rng(draw).choice(len(kept), at_most, replace=False)
        notes = [*kept.attrs["notes"], f"{at_most:,} of them drawn (seed {draw})"]
        kept = kept.iloc[np.sort(places)]
        kept.attrs["notes"] = notes
    return kept


def once_each(table: pd.DataFrame) -> pd.Series:
    """The molecules of a file [smiles, perhaps zinc_id], each once, in RDKit's spelling."""
    names = table["zinc_id"] if "zinc_id" in table else range(1, len(table) + 1)
    written = pd.Series(table["smiles"].to_numpy(object), pd.Index(names, name="molecule"))
    spelled = respelled(written)
    broken = spelled.isna()
    twice = spelled.duplicated() & ~broken
    kept = spelled[~broken & ~twice].rename("smiles")
    anew = int((kept != written[kept.index]).sum())
    counts = (
        (int(broken.sum()), f"cannot be read ({few(written[broken])}), left out"),
        (int(twice.sum()), "are there a second time, left out"),
        (anew, "spelled anew by RDKit"),
    )
    kept.attrs["notes"] = [f"{len(table):,} molecules read"]
    kept.attrs["notes"] += [f"{n:,} {words}" for n, words in counts if n]
    return kept


def cliques(data: str = "pocket") -> list[str]:
    """The 780 words of the junction-tree paper's vocabulary, as its authors write them."""
    return source_of(data).read("cliques")["smiles"].tolist()


def published_samples(model: str = "faster", data: str = "pocket") -> pd.Series:
    """30,000 molecules drawn from a model that the junction-tree authors trained.

    `model` is "faster" (their second program) or "first"; both have 56 latent variables.  A
    molecule that the authors' decoder did not finish is None.  `PUBLISHED` has their own metrics of
    the samples of the faster model.
    """
    source = source_of(data)
    model = source.choice("published_samples", "model", model)
    return source.read("samples", model)["smiles"].rename_axis("sample")


def respelled(smiles: pd.Series) -> pd.Series:
    """Canonical SMILES, None where RDKit cannot read one; computed once and kept in the cache."""
    texts = smiles.tolist()
    digest = hashlib.sha256("\n".join(map(str, texts)).encode()).hexdigest()
    table = remembered(
        lambda: pd.DataFrame({"smiles": _in_two(texts)}, dtype=object),
        ["canonical", digest],
        [rdkit.__version__],
    )
    return pd.Series(table["smiles"].to_numpy(object), smiles.index, dtype=object)


def _in_two(texts: list[str]) -> list[str | None]:
    if len(texts) < WORTH_TWO:
        return _canonical(texts)
    half = len(texts) // 2
    parts = Parallel(n_jobs=2)(delayed(_canonical)(part) for part in (texts[:half], texts[half:]))
    return [text for part in parts for text in part]


def _canonical(texts: list[str]) -> list[str | None]:
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text) if isinstance(text, str) else None for text in texts]
        return [Chem.MolToSmiles(mol) if mol is not None else None for mol in mols]
