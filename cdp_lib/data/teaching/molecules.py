"""Made-up molecules: the left part of one teaching drug on the right part of another.

A drug is cut at one bond that a chemist could make (a BRICS bond, of a kind a-b), which leaves a
part whose open end is of kind a and one whose end is of kind b.  Any part of kind a is then joined
to any part of kind b.  Nobody has made or measured the molecules that come out; they serve to show
how a model of molecules works where no data can be fetched.
"""

from functools import cache

import numpy as np
import pandas as pd
from rdkit import Chem
from rdkit.Chem import BRICS, Crippen

from cdp_lib.data.teaching.omics import drug_facts

MOLECULES = 600
SIZES = range(12, 36)  # heavy atoms, as in ZINC's drug-like molecules
LARGEST_RING = 8


@cache
def recombined(seed: int, n: int = MOLECULES) -> pd.DataFrame:
    """n molecules [smiles, logP], each once and none of them a teaching drug."""
    rng = np.random.default_rng([seed, 12])
    drugs = [Chem.MolFromSmiles(text) for text in drug_facts()["smiles"]]
    known = {Chem.MolToSmiles(mol) for mol in drugs}
    ends = {}  # (kind, kind of the other end) -> parts
    for mol in drugs:
        for kind, other, part in halves(mol):
            found = (Chem.MolToSmiles(part), part.GetNumHeavyAtoms())
            ends.setdefault((kind, other), set()).add(found)
    pairs = [
        (left, right)
        for (a, b), parts in sorted(ends.items())
        if a <= b
        for left, of_left in sorted(parts)
        for right, of_right in sorted(ends[b, a])
        if of_left + of_right in SIZES
    ]
    made = {}
    for number in rng.permutation(len(pairs)):
        mol = joined(*pairs[number])
        smiles = Chem.MolToSmiles(mol)
        if smiles not in known and smiles not in made and no_large_ring(mol):
            made[smiles] = Crippen.MolLogP(mol)
        if len(made) == n:
            break
    return pd.DataFrame({"smiles": list(made), "logP": list(made.values())})


def halves(mol: Chem.Mol) -> list[tuple[str, str, Chem.Mol]]:
    """(kind of its end, kind of the end that it fits, part) of both parts of every single cut."""
    found = []
    for (first, second), kinds in BRICS.FindBRICSBonds(mol):
        kind_of = dict(zip((first, second), (kind.rstrip("ab") for kind in kinds), strict=True))
        bond = mol.GetBondBetweenAtoms(first, second)
        if bond.GetBondType() != Chem.BondType.SINGLE:
            continue
        cut = Chem.FragmentOnBonds(mol, [bond.GetIdx()], dummyLabels=[(1, 2)])
        parts = Chem.GetMolFrags(cut, asMols=True)
        if len(parts) != 2:
            continue
        # The open end with label 1 stands where the first atom of the bond was, and fits its kind.
        fits = {1: kind_of[bond.GetBeginAtomIdx()], 2: kind_of[bond.GetEndAtomIdx()]}
        for part in parts:
            (end,) = [atom for atom in part.GetAtoms() if atom.GetAtomicNum() == 0]
            label = end.GetIsotope()
            end.SetIsotope(0)
            found.append((fits[3 - label], fits[label], part))
    return found


def joined(left: str, right: str) -> Chem.Mol:
    """The molecule of two parts, each with one open end."""
    whole = Chem.RWMol(Chem.CombineMols(Chem.MolFromSmiles(left), Chem.MolFromSmiles(right)))
    ends = [atom.GetIdx() for atom in whole.GetAtoms() if atom.GetAtomicNum() == 0]
    beside = [whole.GetAtomWithIdx(end).GetNeighbors()[0].GetIdx() for end in ends]
    whole.AddBond(*beside, Chem.BondType.SINGLE)
    for end in sorted(ends, reverse=True):
        whole.RemoveAtom(end)
    mol = whole.GetMol()
    Chem.SanitizeMol(mol)
    return mol


def no_large_ring(mol: Chem.Mol) -> bool:
    return all(len(ring) <= LARGEST_RING for ring in mol.GetRingInfo().AtomRings())
