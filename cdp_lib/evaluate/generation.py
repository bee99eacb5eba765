r"""What are generated molecules worth?  The usual measures, and what each one leaves open.

With G the valid molecules among N that a model wrote, T(x, y) the Tanimoto similarity of their
Morgan fingerprints (radius 2, 1,024 bits) and R a set of reference:

    valid                 |G| / N, where G is what RDKit can read
    unique of k           distinct molecules among the first k of G, divided by k
    novel                 share of the distinct molecules of G that are not in the training set
    internal diversity    1 - mean over x of ( mean over y of T(x, y)^p )^(1/p), x and y in G
    nearest               mean over x in G of the largest T(x, y), y in R
    scaffold similarity   cosine of how often each Murcko scaffold is in G and in R
    fragment similarity   the same with the parts between BRICS bonds

They are those of MOSES (Polykovskiy et al. 2020) in its words.  Where its text and its program
differ, this is the program: for p = 2 the text takes one root of the mean over all pairs, and the
program takes a root for each molecule and then the mean.  A scaffold counts with two rings or more.

A model that writes one more carbon than it has read is valid, unique and novel: these three say
that the program of a decoder works, not that its molecules are good.  So properties stand beside
the training set's, and novelty beside the similarity to the nearest training molecule.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold
from scipy.spatial.distance import pdist
from scipy.stats import wasserstein_distance
from torch.utils.data import DataLoader

from cdp_lib.data.checks import few
from cdp_lib.data.properties import PROPERTIES, properties
from cdp_lib.errors import InputError

BITS, RADIUS = 1024, 2
BLOCK = 2048  # molecules of a block of pairs: 17 MB of similarities
FIRST = (1_000, 10_000)  # how many molecules uniqueness is counted among
LEAST_RINGS = 2  # of a scaffold that counts
MOST_PAIRED = 3_000  # molecules whose pairs still make a table, of four and a half million rows

Smiles = Iterable[str | None]


def quality(generated: Smiles, training: Smiles | None = None) -> pd.Series:
    """Every measure of a list of molecules, in which None stands for nothing that was decoded.

    A molecule that RDKit cannot read counts as not valid.  "unique of 1,000" and "of 10,000" are
    there where so many are valid.  With `training` come novelty and the likeness to that set.
    """
    texts = _list(generated, "generated")
    spelled = canonical(texts)
    good = [text for text in spelled if text is not None]
    if not good:
        raise InputError(
            f"None of the {len(texts):,} generated molecules is valid: there is nothing to measure."
        )
    distinct = list(dict.fromkeys(good))
    bits = fingerprints(good)
    found = {
        "molecules": len(texts),
        "valid": len(good) / len(texts),
        "unique": len(distinct) / len(good),
    }
    for k in FIRST:
        if k <= len(good):
            found[f"unique of {k:,}"] = len(set(good[:k])) / k
    diversity = internal_diversity(bits)
    found["internal diversity"] = diversity[1]
    found["internal diversity, p = 2"] = diversity[2]
    scaffolds = Counter(filter(None, map(scaffold, distinct)))
    found["scaffolds"] = len(scaffolds)
    if training is not None:
        known = _readable(training, "training")
        found["novel"] = len(set(distinct) - set(known)) / len(distinct)
        found["nearest"] = float(similarity_to_nearest(bits, fingerprints(known)).mean())
        found["scaffold similarity"] = alike(map(scaffold, good), map(scaffold, known))
        found["fragment similarity"] = alike(
            (part for text in good for part in fragments(text)),
            (part for text in known for part in fragments(text)),
        )
    return pd.Series(found, dtype=float)


def canonical(smiles: Smiles) -> list[str | None]:
    """RDKit's spelling of each molecule, None where there is none that it can read."""
    with rdBase.BlockLogs():
        mols = [_molecule(text) for text in smiles]
        return [None if mol is None else Chem.MolToSmiles(mol) for mol in mols]


def fingerprints(smiles: Sequence[str]) -> np.ndarray:
    """Morgan bits as 0 and 1, (molecules, BITS)."""
    make = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    rows = [make.GetFingerprintAsNumPy(Chem.MolFromSmiles(text)) for text in smiles]
    return np.array(rows, dtype=np.uint8).reshape(-1, BITS)


def tanimoto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """T[i, j] = |a_i and b_j| / |a_i or b_j|, (rows of a, rows of b); 1 for two without a bit."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    both = a @ b.T
    either = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :] - both
    return np.divide(both, either, out=np.ones_like(both), where=either > 0)


def internal_diversity(bits: np.ndarray) -> dict[int, float]:
    """{p: internal diversity} for p = 1 and 2, every pair counted, in blocks of bounded size."""
    n = len(bits)
    sums = np.zeros((2, n))  # of T and of T^2 over y, for every x
    for i, j in _blocks(n):
        T = tanimoto(bits[i : i + BLOCK], bits[j : j + BLOCK]).astype(np.float64)
        for sum_of, part in zip(sums, (T, T * T)):
            sum_of[i : i + BLOCK] += part.sum(axis=1)
            if j > i:  # T is symmetric: a block beside the diagonal stands for two
                sum_of[j : j + BLOCK] += part.sum(axis=0)
    return {p: float(1 - ((sums[p - 1] / n) ** (1 / p)).mean()) for p in (1, 2)}


def similarity_to_nearest(bits: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The largest Tanimoto similarity of each row to a row of the reference, (rows,)."""
    best = np.zeros(len(bits))
    for i in range(0, len(bits), BLOCK):
        for j in range(0, len(reference), BLOCK):
            T = tanimoto(bits[i : i + BLOCK], reference[j : j + BLOCK])
            best[i : i + BLOCK] = np.maximum(best[i : i + BLOCK], T.max(axis=1))
    return best


def nearest(smiles: Smiles, reference: pd.Series) -> pd.DataFrame:
    """The molecule of the reference most like each: [name, smiles, tanimoto], a row a molecule.

    `reference` is a column of SMILES whose row names are those of its molecules.
    """
    if not isinstance(reference, pd.Series):
        raise InputError("The reference must be a Series of SMILES, named as its molecules are.")
    names = smiles.index if isinstance(smiles, pd.Series) else None
    asked, known = _readable(smiles, "asked"), _readable(reference, "reference")
    a, b = fingerprints(asked), fingerprints(known)
    rows = []
    for start in range(0, len(a), BLOCK):
        T = np.hstack(
            [tanimoto(a[start : start + BLOCK], b[j : j + BLOCK]) for j in range(0, len(b), BLOCK)]
        )
        at = T.argmax(axis=1)
        rows += [(reference.index[k], known[k], T[i, k]) for i, k in enumerate(at)]
    return pd.DataFrame(rows, index=names, columns=["name", "smiles", "tanimoto"])


def latent_pairs(latents: pd.DataFrame, smiles: pd.Series) -> pd.DataFrame:
    """Every pair of molecules: [a, b, euclid, tanimoto], the nearest in latent space first.

    `latents` is (molecules, latents); `smiles` holds the structures by the same names.
    """
    absent = latents.index.difference(smiles.index)
    if len(absent):
        raise InputError(f"{len(absent)} of the latents have no structure ({few(absent)}).")
    if not 2 <= len(latents) <= MOST_PAIRED:
        raise InputError(
            f"{len(latents):,} molecules make no table of pairs: give 2 to {MOST_PAIRED:,}."
        )
    values = latents.to_numpy(float)
    if not np.isfinite(values).all():
        raise InputError("The latents hold a missing or infinite number: leave that molecule out.")
    bits = fingerprints(_readable(smiles[latents.index], "paired"))
    a, b = np.triu_indices(len(latents), k=1)
    table = pd.DataFrame(
        {
            "a": latents.index[a],
            "b": latents.index[b],
            "euclid": pdist(values),
            "tanimoto": tanimoto(bits, bits)[a, b],
        }
    )
    return table.sort_values("euclid", ignore_index=True, kind="stable")


def scaffold(smiles: str) -> str | None:
    """The Murcko scaffold: rings and what joins them; None with fewer than two rings."""
    core = MurckoScaffold.GetScaffoldForMol(Chem.MolFromSmiles(smiles))
    if core.GetRingInfo().NumRings() < LEAST_RINGS:
        return None
    return Chem.MolToSmiles(core)


def fragments(smiles: str) -> list[str]:
    """What a molecule falls into when all its BRICS bonds are cut."""
    return Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(Chem.MolFromSmiles(smiles))).split(".")


def alike(one: Iterable[str | None], other: Iterable[str | None]) -> float:
    """Cosine of how often each word stands in either list; NaN where a list holds none."""
    a, b = (Counter(filter(None, words)) for words in (one, other))
    lengths = [np.sqrt(sum(n * n for n in counts.values())) for counts in (a, b)]
    if not all(lengths):
        return float("nan")
    return float(sum(n * b[word] for word, n in a.items()) / np.prod(lengths))


def distances(one: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """Wasserstein distance of each property between two sets, in the property's own unit.

    It is how far, on average, a molecule of one set has to move along the property to make the
    other set.  Both tables are those of `properties`.
    """
    for name, table in (("first", one), ("second", other)):
        if not isinstance(table, pd.DataFrame) or not len(table):
            raise InputError(f"The {name} set holds no properties: give a table of `properties`.")
        columns = [column for column in PROPERTIES if column in table]
        if not columns or not np.isfinite(table[columns].to_numpy(float)).all():
            raise InputError(
                f"The {name} table of properties has a missing or infinite number: describe valid "
                "molecules only."
            )
    shared = [column for column in PROPERTIES if column in one and column in other]
    alone = [column for column in PROPERTIES if (column in one) != (column in other)]
    if alone:
        raise InputError(f"Only one of the two tables has {few(alone)}: describe both sets alike.")
    return pd.Series({name: wasserstein_distance(one[name], other[name]) for name in shared})


def reconstruction(smiles: Smiles, decoded: Smiles) -> pd.DataFrame:
    """How a molecule comes back from its latent numbers, a row a molecule.

    Columns: smiles, decoded, valid, same (the same molecule), same without stereo, tanimoto (0
    where nothing came back); their means are shares.
    """
    names = smiles.index if isinstance(smiles, pd.Series) else None
    asked, came = _readable(smiles, "asked"), canonical(_list(decoded, "decoded"))
    if len(asked) != len(came):
        raise InputError(
            f"{len(asked):,} molecules were encoded and {len(came):,} decoded: give one for each, "
            "None where nothing was decoded."
        )
    rows = []
    for text, back in zip(asked, came):
        T = 0.0 if back is None else tanimoto(*(fingerprints([part]) for part in (text, back)))
        rows.append(
            {
                "smiles": text,
                "decoded": back,
                "valid": back is not None,
                "same": text == back,
                "same without stereo": back is not None and flat(text) == flat(back),
                "tanimoto": float(np.squeeze(T)),
            }
        )
    return pd.DataFrame(rows, index=names)


def flat(smiles: str) -> str:
    """The spelling without stereochemistry."""
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)


def frechet(generated: Smiles, reference: Smiles) -> float:
    """Fréchet ChemNet distance: how far apart two sets lie in what a network read of assays.

    It needs the package fcd, and a few thousand molecules in each set, because it compares
    covariances of 512 numbers.
    """
    try:
        import fcd
        from fcd.utils import SmilesDataset
    except ImportError:
        raise InputError(
            "The Fréchet ChemNet distance needs a package that is not installed: run "
            "`pip install fcd`, or compare properties with `distances`."
        ) from None
    network, seen = fcd.load_ref_model(), []
    for part, name in ((generated, "generated"), (reference, "reference")):
        good = [text for text in canonical(_list(part, name)) if text]
        if len(good) < 2:
            raise InputError(f"Fewer than 2 of the {name} molecules are valid: give more.")
        batches = DataLoader(SmilesDataset(good), batch_size=128)
        with torch.no_grad():
            rows = [network(batch.transpose(1, 2).float()).numpy() for batch in batches]
        seen.append(np.vstack(rows))  # (molecules, 512)
    return gaussian_distance(*seen)


def gaussian_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|mean_a - mean_b|^2 + trace(A + B - 2 (A B)^(1/2)), with the covariances A and B.

    The eigenvalues of A B are those of A^(1/2) B A^(1/2), which is symmetric.
    """
    A, B = (np.cov(rows.T) for rows in (a, b))
    values, vectors = np.linalg.eigh(A)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ B @ root), 0, None)).sum()
    shift = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return float(shift + np.trace(A) + np.trace(B) - 2 * cross)


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    """Where the blocks of pairs begin, on and above the diagonal."""
    starts = range(0, n, BLOCK)
    return ((i, j) for i in starts for j in starts if j >= i)


def _molecule(text: object) -> Chem.Mol | None:
    mol = Chem.MolFromSmiles(text) if isinstance(text, str) else None
    return mol if mol is not None and mol.GetNumAtoms() else None


def _list(smiles: Smiles, what: str) -> list[str | None]:
    """The texts, None for what is missing; no list, or one with something else, is refused."""
    if isinstance(smiles, str | pd.DataFrame) or not isinstance(smiles, Iterable):
        raise InputError(f"The {what} molecules are one {type(smiles).__name__}: give a list.")
    texts = [None if text is None or text is pd.NA or text != text else text for text in smiles]
    if not texts:
        raise InputError(f"There are no {what} molecules: the list is empty.")
    other = [text for text in texts if not (text is None or isinstance(text, str))]
    if other:
        raise InputError(
            f"The {what} molecules hold {other[0]!r}: give SMILES, and None where there is none."
        )
    return texts


def _readable(smiles: Smiles, what: str) -> list[str]:
    """Canonical SMILES of molecules that all must be readable."""
    texts = _list(smiles, what)
    spelled = canonical(texts)
    broken = [repr(text) for text, good in zip(texts, spelled) if good is None]
    if broken:
        raise InputError(
            f"{len(broken)} of the {what} molecules cannot be read ({few(broken)}): correct or "
            "drop them."
        )
    return spelled


__all__ = [
    "PROPERTIES", "alike", "canonical", "distances", "fingerprints", "fragments", "frechet",
    "internal_diversity", "latent_pairs", "nearest", "properties", "quality", "reconstruction",
    "scaffold", "similarity_to_nearest", "tanimoto",
]  # fmt: skip
