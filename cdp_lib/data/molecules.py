"""Molecules: one spelling, one key, groups that must not be split, and numbers for a model.

Drugs are often written as salts ("....Cl"); what acts is the largest fragment. Two spellings,
salts or stereoisomers of one compound share the first block of the InChIKey, which is the group
that a leak-free split of drugs keeps together; the Murcko scaffold is a wider group.
"""

from collections.abc import Iterable
from typing import BinaryIO

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors, rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from cdp_lib.errors import InputError


def molecule(smiles: str, row: object = None) -> Chem.Mol:
    """The molecule of a SMILES; one that cannot be read is named with its row."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles) if isinstance(smiles, str) else None
    if mol is None or not mol.GetNumAtoms():
        where = "" if row is None else f" (row {row})"
        raise InputError(f"{smiles!r}{where} is not a valid SMILES: correct it or drop its row.")
    return mol


def canonical(smiles: str) -> str:
    """The one spelling that RDKit gives this molecule."""
    return Chem.MolToSmiles(molecule(smiles))


def largest_fragment(smiles: str) -> str:
    """The fragment with most heavy atoms, in canonical spelling: a salt without its counterion."""
    fragments = Chem.GetMolFrags(molecule(smiles), asMols=True)
    spelled = sorted(Chem.MolToSmiles(fragment) for fragment in fragments)
    return max(spelled, key=lambda text: Chem.MolFromSmiles(text).GetNumHeavyAtoms())


def inchikey(smiles: str) -> str:
    """InChIKey of the largest fragment; its first 14 letters leave stereochemistry out."""
    with rdBase.BlockLogs():
        key = Chem.MolToInchiKey(Chem.MolFromSmiles(largest_fragment(smiles)))
    if not key:
        raise InputError(f"{smiles!r} has no InChIKey: correct it or drop its row.")
    return key


def scaffold(smiles: str) -> str:
    """Murcko scaffold of the largest fragment; a molecule without rings is its own scaffold."""
    fragment = largest_fragment(smiles)
    return MurckoScaffold.MurckoScaffoldSmiles(fragment) or fragment


def describe_drugs(drugs: pd.DataFrame) -> pd.DataFrame:
    """The table with `inchikey`, `group` (its first block) and `scaffold` beside `smiles`.

    A drug without SMILES keeps None there.
    """
    if "smiles" not in drugs.columns:
        raise InputError("The table of drugs has no column 'smiles': add it.")
    rows = []
    for name, smiles in drugs["smiles"].items():
        if pd.isna(smiles):
            rows.append((None, None, None))
            continue
        molecule(smiles, row=name)
        key = inchikey(smiles)
        rows.append((key, key.split("-")[0], scaffold(smiles)))
    columns = ["inchikey", "group", "scaffold"]
    known = pd.DataFrame(rows, index=drugs.index, columns=columns, dtype=object)
    return drugs.drop(columns=columns, errors="ignore").join(known)


def fingerprints(smiles: Iterable[str], bits: int = 2048, radius: int = 2) -> np.ndarray:
    """Morgan fingerprints, 0/1, one row a molecule."""
    make = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    rows = [make.GetFingerprintAsNumPy(mol) for mol in molecules(smiles)]
    return np.array(rows, dtype=np.float32).reshape(-1, bits)  # (molecules, bits)


def descriptors(smiles: Iterable[str]) -> pd.DataFrame:
    """RDKit's two-dimensional descriptors, one row a molecule; NaN where one is not defined."""
    with rdBase.BlockLogs():
        rows = [Descriptors.CalcMolDescriptors(mol) for mol in molecules(smiles)]
    table = pd.DataFrame(rows, index=smiles.index if isinstance(smiles, pd.Series) else None)
    return table.astype(np.float64).replace([np.inf, -np.inf], np.nan)  # (molecules, descriptors)


def molecules(smiles: Iterable[str]) -> list[Chem.Mol]:
    """The molecules of a list, or of a column, whose row names then stand in the message."""
    rows = smiles.items() if isinstance(smiles, pd.Series) else enumerate(smiles, start=1)
    return [molecule(text, row=row) for row, text in rows]


def read_sdf(file: BinaryIO, id_field: str, name: str) -> list[tuple[str, str | None]]:
    """(id, SMILES) of each molecule in an SDF file; None where its valences make no sense."""
    records = []
    with rdBase.BlockLogs():
        for number, mol in enumerate(Chem.ForwardSDMolSupplier(file, sanitize=False), start=1):
            if mol is None or not mol.HasProp(id_field):
                raise InputError(
                    f"{name}, molecule {number}, cannot be read or has no field {id_field}: "
                    f"correct it or drop it."
                )
            broken = Chem.SanitizeMol(mol, catchErrors=True)
            smiles = None if broken else Chem.MolToSmiles(Chem.RemoveHs(mol))
            records.append((mol.GetProp(id_field).strip(), smiles))
    return records
