"""Six numbers of a molecule that a chemist asks for first.

    logP      how much it prefers oil to water (Crippen)
    QED       how much it looks like a drug taken by mouth, 0 to 1 (Bickerton et al. 2012)
    SA        how hard it would be to make, 1 (easy) to 10 (Ertl and Schuffenhauer 2009)
    weight    molecular weight
    rings     how many rings it has
    largest ring    atoms in the largest of them, 0 where there is none

A table is computed once, by two processes where that pays, and kept in the cache.
"""

import hashlib
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

import pandas as pd
import rdkit
from joblib import Parallel, delayed
from rdkit import Chem, RDConfig
from rdkit.Chem import QED, Crippen, Descriptors

from cdp_lib.data.files.parsed import code, remembered
from cdp_lib.data.molecules import molecule
from cdp_lib.errors import InputError

PROPERTIES = ("logP", "QED", "SA", "weight", "rings", "largest ring")
WORTH_KEEPING = 200  # molecules for which a file in the cache pays
WORTH_TWO = 2_000  # molecules for which a second process is worth its start


def properties(smiles: Iterable[str]) -> pd.DataFrame:
    """(molecules, PROPERTIES), one row a molecule, named as the column is where it is one."""
    if isinstance(smiles, str | pd.DataFrame):
        raise InputError(f"The molecules are one {type(smiles).__name__}: give a list of SMILES.")
    texts = list(smiles)
    names = list(smiles.index) if isinstance(smiles, pd.Series) else list(range(1, len(texts) + 1))
    if not texts:
        raise InputError("There are no molecules to describe: the list of SMILES is empty.")
    index = smiles.index if isinstance(smiles, pd.Series) else pd.RangeIndex(len(texts))
    if len(texts) < WORTH_KEEPING:
        return _table(texts, names).set_axis(index)
    digest = hashlib.sha256("\n".join(map(str, texts)).encode()).hexdigest()
    made_of = [rdkit.__version__, code(__file__)]
    table = remembered(lambda: _in_two(texts, names), ["properties", digest], made_of)
    return table.set_axis(index)


def _in_two(texts: list, names: list) -> pd.DataFrame:
    if len(texts) < WORTH_TWO:
        return _table(texts, names)
    half = len(texts) // 2
    parts = [(texts[:half], names[:half]), (texts[half:], names[half:])]
    tables = Parallel(n_jobs=2)(delayed(_table)(*part) for part in parts)
    return pd.concat(tables, ignore_index=True)


def _table(texts: list, names: list) -> pd.DataFrame:
    rows = [_of(molecule(text, row=name)) for text, name in zip(texts, names)]
    return pd.DataFrame(rows, columns=list(PROPERTIES)).astype(float)


def _of(mol: Chem.Mol) -> tuple:
    rings = mol.GetRingInfo().AtomRings()
    return (
        Crippen.MolLogP(mol),
        QED.qed(mol),
        _scorer().calculateScore(mol),
        Descriptors.MolWt(mol),
        len(rings),
        max(map(len, rings), default=0),
    )


@cache
def _scorer() -> ModuleType:
    """Ertl's program, which RDKit brings along beside its library."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    if not path.is_file():
        raise InputError(
            f"This RDKit brings no SA score ({path} is missing): `pip install rdkit` does."
        )
    spec = importlib.util.spec_from_file_location("sascorer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
