"""Numbers of drugs for a model: descriptors or fingerprints of their structures.

    rdkit          RDKit's two-dimensional descriptors, about 200 (weight, rings, charges, ...)
    mordred        Mordred's, 1,613: the open package nearest to the commercial Dragon 7
    fingerprints   Morgan bits: which neighbourhoods of atoms a molecule holds

The structure is the largest fragment, because a salt's counterion does not act.  A number is a
molecule's own; only which columns stay depends on the drugs that are asked for: a column goes where
a drug has no finite number (a ring descriptor of a molecule without rings) or where all drugs are
alike, and `attrs["notes"]` counts them.  Nothing is filled in and nothing is scaled.  A table is
computed once, by two processes, and kept in the cache under its SMILES and the packages' versions.
"""

import contextlib
import hashlib
import importlib
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd
import rdkit
from joblib import Parallel, delayed

from cdp_lib.data.checks import few
from cdp_lib.data.files.parsed import code, remembered
from cdp_lib.data.molecules import descriptors, fingerprints, largest_fragment, molecule
from cdp_lib.errors import InputError, nearest

LARGEST = 1e18  # a number whose square is no float32 is none that a network can use
PLATINUM = 78
WORTH_TWO = 20  # molecules for which a second process is worth its start


def drug_features(
    drugs: pd.DataFrame | pd.Series, kind: str = "rdkit", bits: int = 1024
) -> pd.DataFrame:
    """(drugs, features), one row a drug; `bits` is the width of the fingerprints.

    `drugs` is a table with a column `smiles`, such as `screen.drugs`, or that column.
    """
    if kind not in KINDS:
        raise InputError(f"There are no drug features of the kind {kind!r}; {nearest(kind, KINDS)}")
    smiles = _structures(drugs)
    if kind == "mordred":
        _mordred()  # its sentence where the package is missing
    fragments = smiles.map(largest_fragment)
    table = _computed(sorted(set(fragments)), kind, bits).loc[fragments].set_axis(smiles.index)
    usable = _usable(table)
    bare = [name for name, part in fragments.items() if _platinum(smiles[name]) > _platinum(part)]
    if bare:
        said = f"{len(bare)} drug(s) are described without their platinum ({few(bare)})"
        usable.attrs["notes"].append(said)
    return usable


def _platinum(smiles: str) -> int:
    """How many atoms of platinum a SMILES holds: it may stand apart, as an ion of its own."""
    return sum(atom.GetAtomicNum() == PLATINUM for atom in molecule(smiles).GetAtoms())


def _structures(drugs: pd.DataFrame | pd.Series) -> pd.Series:
    """The SMILES by drug, each of which can be read."""
    if isinstance(drugs, pd.DataFrame):
        if "smiles" not in drugs:
            raise InputError("The table of drugs has no column 'smiles': add the structures.")
        drugs = drugs["smiles"]
    if not drugs.index.is_unique:
        again = drugs.index[drugs.index.duplicated()]
        raise InputError(f"The table of drugs names {again[0]!r} twice: give each drug one row.")
    bare = drugs.index[drugs.isna()]
    if len(bare):
        raise InputError(
            f"{len(bare)} drug(s) have no SMILES ({few(bare)}): leave them out, for instance with "
            "load(..., structures=True), or describe drugs by their names."
        )
    for name, text in drugs.items():
        molecule(text, row=name)
    return drugs


def _computed(fragments: list[str], kind: str, bits: int) -> pd.DataFrame:
    """All features of these molecules, NaN where one is not defined; from the cache if it can."""
    digest = hashlib.sha256("\n".join(fragments).encode()).hexdigest()
    made_of = [rdkit.__version__, code(__file__)]
    made_of += [_version_of_mordred()] if kind == "mordred" else []
    what = ["drug features", kind, bits, digest]
    return remembered(lambda: _in_two(fragments, kind, bits), what, made_of)


def _in_two(fragments: list[str], kind: str, bits: int) -> pd.DataFrame:
    n = 2 if len(fragments) > WORTH_TWO and kind != "fingerprints" else 1
    parts = [fragments[start::n] for start in range(n)]
    tables = Parallel(n_jobs=n)(delayed(KINDS[kind])(part, bits) for part in parts)
    return pd.concat(tables).loc[fragments]


def _rdkit(fragments: list[str], bits: int) -> pd.DataFrame:
    return descriptors(fragments).set_axis(fragments)


def _fingerprints(fragments: list[str], bits: int) -> pd.DataFrame:
    names = [f"bit {number}" for number in range(bits)]
    return pd.DataFrame(fingerprints(fragments, bits), fragments, names, np.float64)


def _all_of_mordred(fragments: list[str], bits: int) -> pd.DataFrame:
    mordred = _mordred()
    calculator = mordred.Calculator(mordred.descriptors, ignore_3D=True)
    rows = [
        [np.nan if isinstance(value, mordred.error.Missing) else float(value) for value in result]
        for result in map(calculator, map(molecule, fragments))
    ]
    names = [str(each) for each in calculator.descriptors]
    return pd.DataFrame(rows, fragments, names, np.float64)


def _mordred():
    try:
        mordred = importlib.import_module("mordred")
        importlib.import_module("mordred.descriptors")
        importlib.import_module("mordred.error")
    except ImportError:
        raise InputError(
            "Mordred's descriptors need a package that is not installed: run "
            "`pip install mordredcommunity`, or ask for the kind 'rdkit'."
        ) from None
    return mordred


def _version_of_mordred() -> str:
    for name in ("mordredcommunity", "mordred"):  # two packages give one module
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "unknown"


def _usable(table: pd.DataFrame) -> pd.DataFrame:
    """The columns defined for every drug and not alike in all; the notes count the rest."""
    values = table.to_numpy()
    defined = (np.abs(values) < LARGEST).all(axis=0)  # False where it is NaN, too
    varies = defined & (values != values[:1]).any(axis=0)
    kept = table.loc[:, varies].copy()
    same = kept.index[kept.duplicated(keep=False)]
    kept.attrs["notes"] = [
        f"{kept.shape[1]:,} of {table.shape[1]:,} features kept",
        f"{int((~defined).sum()):,} left out that some drug has no usable number for",
        f"{int((defined & ~varies).sum()):,} left out that are alike in all drugs",
    ]
    if len(same):
        kept.attrs["notes"].append(f"{len(same)} drugs have all features of another ({few(same)})")
    if not kept.shape[1]:
        raise InputError(
            f"No feature tells these {len(table)} drug(s) apart: give drugs that differ."
        )
    return kept


KINDS = {"rdkit": _rdkit, "mordred": _all_of_mordred, "fingerprints": _fingerprints}
