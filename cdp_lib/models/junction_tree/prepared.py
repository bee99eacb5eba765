"""Molecules as whole numbers: worked out once, so that a batch is put together without a loop.

What RDKit and Python loops tell of a molecule (its tree, the order of its messages, the walk of the
decoder, its atoms and bonds, the true way at each node) does not change in training.  It is
worked out here once a molecule; a batch is then cut out of long arrays.  Ways in which neighbours
hang on a node belong to an *environment*, the word of the node and those of its neighbours, and
molecules share them: each is worked out once for all of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress

import numpy as np
from joblib import Parallel, delayed
from rdkit import Chem, rdBase

from cdp_lib.models.junction_tree.assembly import MOST, Way, true_way, ways
from cdp_lib.models.junction_tree.decoder import walked
from cdp_lib.models.junction_tree.graphs import ATOM_SIZES, atom_kind, bond_kind
from cdp_lib.models.junction_tree.messages import all_messages, levels, needed_by, ranges
from cdp_lib.models.junction_tree.trees import tree as tree_of

Environment = tuple[str, tuple[str, ...]]  # the word of a node and those of its neighbours
Arrays = dict[str, np.ndarray]


class Pool:
    """Arrays of many things, end to end; `take` cuts out those of some of them."""

    def __init__(self, things: Sequence[Mapping[str, np.ndarray]]):
        self.values, self.starts = {}, {}
        for name in things[0] if things else ():
            parts = [thing[name] for thing in things]
            self.values[name] = np.concatenate(parts)
            self.starts[name] = np.cumsum([0, *map(len, parts)])

    def take(self, name: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(values, thing): what the chosen things have of `name`, and for each, whose it is."""
        first, size = self.starts[name][rows], self.size(name, rows)
        return self.values[name][ranges(first, size)], np.repeat(np.arange(len(rows)), size)

    def size(self, name: str, rows: np.ndarray) -> np.ndarray:
        return self.starts[name][rows + 1] - self.starts[name][rows]


def rows_of(values: Iterable, width: int) -> np.ndarray:
    return np.array(list(values), dtype=np.int32).reshape(-1, width)


def tree_arrays(neighbours: Sequence[Sequence[int]]) -> Arrays:
    """The messages of a tree, in both directions, and the walk of its decoder."""
    ends, needs = all_messages(neighbours)
    walk = walked(neighbours)
    return {
        "ends": rows_of(ends, 2),
        "pairs": rows_of(needed_by(needs), 2),
        "level": levels(needs).astype(np.int32),
        "walk ends": rows_of(walk.ends, 2),
        "walk pairs": rows_of(needed_by(walk.needs), 2),
        "walk level": levels(walk.needs).astype(np.int32),
        "decisions": rows_of(walk.decisions, 2),
        "heard": rows_of(walk.heard, 2),
        "reached": np.array(walk.reached, dtype=np.int32),
    }


def graph_arrays(mol: Chem.Mol) -> Arrays:
    """Atoms (as `atom_kind` has them) and bonds (one end, the other, type, in a ring)."""
    return {
        "atoms": rows_of((atom_kind(atom) for atom in mol.GetAtoms()), len(ATOM_SIZES)),
        "bonds": rows_of(
            (
                (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), *bond_kind(bond))
                for bond in mol.GetBonds()
            ),
            4,
        ),
    }


def aromatic(mol: Chem.Mol) -> Chem.Mol:
    """With aromatic rings marked, so that it does not matter which Kekule form it has."""
    mol = Chem.Mol(mol)
    with rdBase.BlockLogs():
        Chem.SanitizeMol(mol)
    return mol


def environments(
    words: Sequence[str], neighbours: Sequence[Sequence[int]]
) -> list[tuple[list[int], Environment]]:
    """For each node, its neighbours in the order of its environment, and the environment.

    Large neighbours come first, because they leave the fewest ways for the others.
    """
    found = []
    for node, near in enumerate(neighbours):
        near = sorted(near, key=lambda number: (-len(words[number]), words[number]))
        found.append((near, (words[node], tuple(words[number] for number in near))))
    return found


@dataclass(frozen=True, eq=False)
class Described:
    """All that is asked of a molecule."""

    words: tuple[str, ...]
    arrays: Arrays
    choices: tuple[tuple[list[int], Environment, str], ...]  # neighbours' messages, ..., true look


def described(smiles: str, choose: bool = True) -> Described:
    """A molecule before its words and its environments have numbers."""
    tree = tree_of(smiles)
    neighbours = tree.neighbours()
    arrays = tree_arrays(neighbours) | graph_arrays(tree.mol)
    message = {tuple(ends): number for number, ends in enumerate(arrays["ends"].tolist())}
    choices = tuple(
        ([message[other, node] for other in near], environment, true_way(tree, node, near))
        for node, (near, environment) in enumerate(environments(tree.words, neighbours))
        if choose and near and len(tree.cliques[node]) > 1  # all hang alike on a single atom
    )
    return Described(tree.words, arrays, choices)


def environment_arrays(found: Sequence[Way]) -> Arrays:
    """The ways of an environment as one graph, and where each neighbour hangs in each way.

    hangs: (way, neighbour, atom), for every atom that the neighbour shares with the node.
    """
    atoms, bonds, way_of, hangs, start = [], [], [], [], 0
    for number, way in enumerate(found):
        own = set(way.atoms[0])
        graph = graph_arrays(aromatic(way.mol))
        flag = [[int(atom in own)] for atom in range(way.mol.GetNumAtoms())]
        atoms.append(np.hstack([graph["atoms"], np.array(flag, dtype=np.int32)]))
        bonds.append(graph["bonds"] + np.array([start, start, 0, 0], dtype=np.int32))
        way_of += [number] * len(flag)
        hangs += [
            (number, place, start + atom)
            for place, part in enumerate(way.atoms[1:])
            for atom in sorted(own & set(part))
        ]
        start += len(flag)
    return {
        "atoms": np.concatenate(atoms),
        "bonds": np.concatenate(bonds),
        "way": np.array(way_of, dtype=np.int32),
        "hangs": rows_of(hangs, 3),
        "size": rows_of([(len(found), len(found[0].atoms) - 1)], 2),  # ways, neighbours
    }


@dataclass(frozen=True, eq=False)
class Prepared:
    """Molecules, and the environments of their nodes, as numbers."""

    smiles: tuple[str, ...]
    molecules: Pool
    environments: Pool
    names: tuple[Environment, ...]  # of the environments
    lost: int  # choices whose true way is not among the ways, because too many were cut off
    unknown: dict[str, tuple[str, ...]]  # molecules left out -> their words outside the vocabulary


def prepare(
    smiles: Iterable[str],
    vocabulary: Sequence[str],
    n_jobs: int = 1,
    most: int = MOST,
    choose: bool = True,
) -> Prepared:
    """Molecules whose words all stand in the vocabulary; the others are named in `unknown`.

    An encoder needs no choices, and they take most of the time: choose=False leaves them out.
    """
    smiles = list(smiles)
    number = {word: place for place, word in enumerate(vocabulary)}
    parts = in_parts(partial(described, choose=choose), smiles, n_jobs)
    known = [all(word in number for word in part.words) for part in parts]
    unknown = {
        text: tuple(word for word in part.words if word not in number)
        for text, part, fine in zip(smiles, parts, known, strict=True)
        if not fine
    }
    smiles, parts = list(compress(smiles, known)), list(compress(parts, known))
    names = list(dict.fromkeys(name for part in parts for _, name, _ in part.choices))
    found = in_parts(partial(environment_of, most=most), names, n_jobs)
    several = [place for place, (looks, _) in enumerate(found) if len(looks) > 1]
    names, found = [names[place] for place in several], [found[place] for place in several]
    looks = {
        name: (place, {look: way for way, look in enumerate(looks)})
        for place, (name, (looks, _)) in enumerate(zip(names, found, strict=True))
    }
    lost, things = 0, []
    for part in parts:
        rows, near = [], []
        for messages, name, look in part.choices:
            if name not in looks:
                continue
            place, ways_of = looks[name]
            if look not in ways_of:
                lost += 1
                continue
            near += [(len(rows), message) for message in messages]
            rows.append((place, ways_of[look]))
        words = np.array([number[word] for word in part.words], dtype=np.int32)
        things.append(
            part.arrays | {"words": words, "choices": rows_of(rows, 2), "near": rows_of(near, 2)}
        )
    pool = Pool([arrays for _, arrays in found] or [environment_arrays(ways("CC", ["CC"]).found)])
    return Prepared(tuple(smiles), Pool(things), pool, tuple(names), lost, unknown)


def environment_of(name: Environment, most: int) -> tuple[tuple[str, ...], Arrays | None]:
    """(looks, arrays) of the ways of an environment; no arrays where there is only one way."""
    found = ways(*name, most=most).found
    return tuple(way.look for way in found), environment_arrays(found) if len(found) > 1 else None


def in_parts(work: Callable, values: Sequence, n_jobs: int) -> list:
    """[work(value) for value in values], by several processes if asked."""
    if n_jobs == 1:
        return [work(value) for value in values]
    pieces = [values[start : start + 200] for start in range(0, len(values), 200)]
    found = Parallel(n_jobs)(delayed(_each)(work, piece) for piece in pieces)
    return [value for piece in found for value in piece]


def _each(work: Callable, piece: Sequence) -> list:
    return [work(value) for value in piece]
