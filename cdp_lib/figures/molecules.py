"""Drawn molecules: a grid of them, pairs of them, and one beside its junction tree.

Each is HTML with SVG in the ink of the page, without network or script.  A page that grows narrower
shows fewer molecules beside each other.  RDKit lays a molecule out and draws it; its many strokes
become one path for all bonds and one for all letters, which is a third of the size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path
from sklearn.manifold import smacof

from cdp_lib.data.molecules import molecule
from cdp_lib.errors import InputError
from cdp_lib.figures.answering import Answering
from cdp_lib.figures.histograms import histograms
from cdp_lib.figures.style import HUES, needs, simulated
from cdp_lib.models.junction_tree.trees import Tree
from cdp_lib.models.junction_tree.trees import tree as tree_of

SIZE = (200, 150)  # of a drawn molecule, in units that become pixels on a desk
LARGE = (340, 250)  # of the molecule beside its tree
BOND, LETTERS = 20, 13  # the longest bond and the smallest letters, in the same units
BENT, LONGEST_EDGE, MARGIN = 0.8, 45, 14  # of the tree's picture
MOST = 60  # molecules of one figure
LABELS = {"logP": "logP", "QED": "QED", "SA": "SA score", "weight": "weight (Da)"}
PATH = re.compile(r"<path [^>]*?d='([^']+)'([^>]*)>")
SHORT = re.compile(r"(\d+\.\d)\d+")


def grid(
    smiles: pd.Series | Sequence[str],
    captions: Sequence[str] | None = None,
    *,
    columns: int = 4,
    edition: str = "pocket",
) -> Answering:
    """Molecules side by side, each with its name and below it a caption of a line or two.

    The name is that of the row, or the number where there is no row name.  A table that unfolds
    holds names and SMILES.  A phone shows two beside each other.
    """
    smiles = smiles if isinstance(smiles, pd.Series) else pd.Series(list(smiles), dtype=object)
    if isinstance(smiles.index, pd.RangeIndex) and not smiles.index.name:
        smiles = smiles.set_axis(range(1, len(smiles) + 1))
    _refuse_size(len(smiles))
    captions = [""] * len(smiles) if captions is None else list(captions)
    if len(captions) != len(smiles):
        raise InputError(f"{len(smiles)} molecules have {len(captions)} captions: give one each.")
    cells = [
        {"pictures": [drawn(text, row=name)], "name": str(name), "caption": caption}
        for (name, text), caption in zip(smiles.items(), captions, strict=True)
    ]
    told = "; ".join(f"{cell['name']}: {cell['caption'] or 'no caption'}" for cell in cells)
    return _answer(
        cells,
        list(zip(map(str, smiles.index), smiles)),
        f"{simulated(edition)}{len(cells)} molecules drawn as structures. {told}.",
        columns,
    )


def pairs(
    table: pd.DataFrame, smiles: pd.Series, *, columns: int = 2, edition: str = "pocket"
) -> Answering:
    """The pairs of a table of `generation.latent_pairs`, drawn side by side with both distances.

    `smiles` holds the structures by the names in the columns a and b.
    """
    needs(table, "pairs", ("a", "b", "euclid", "tanimoto"))
    _refuse_size(len(table))
    absent = [name for name in {*table["a"], *table["b"]} if name not in smiles.index]
    if absent:
        raise InputError(f"There is no structure of {absent[0]!r}: give SMILES for every name.")
    cells = [
        {
            "pictures": [drawn(smiles[row.a], row.a), drawn(smiles[row.b], row.b)],
            "name": f"{row.a} and {row.b}",
            "caption": f"Euclid {row.euclid:.2f}, Tanimoto {row.tanimoto:.2f}",
        }
        for row in table.itertuples()
    ]
    names = list(dict.fromkeys([*table["a"], *table["b"]]))
    told = "; ".join(f"{cell['name']}: {cell['caption']}" for cell in cells)
    return _answer(
        cells,
        [(str(name), smiles[name]) for name in names],
        f"{simulated(edition)}{len(cells)} pairs of molecules drawn as structures. {told}.",
        columns,
    )


def junction_tree(molecule_or_tree: str | Tree) -> Answering:
    """A molecule beside its tree: each clique in a hue, and its node in the same.

    Cliques that are neighbours in the tree differ in hue; the numbers say which node is which.  A
    table that unfolds has the word of each node.
    """
    tree = molecule_or_tree if isinstance(molecule_or_tree, Tree) else tree_of(molecule_or_tree)
    hues = _hues(tree)
    mol, drawer = _drawer(tree.mol, LARGE)
    spots = [drawer.GetDrawCoords(atom) for atom in range(mol.GetNumAtoms())]
    atoms = np.array([(spot.x, spot.y) for spot in spots])  # (atoms, 2)
    centres = np.array([atoms[list(clique)].mean(axis=0) for clique in tree.cliques])
    nodes = _laid_out(tree, centres)
    kinds = [_kind(clique, tree) for clique in tree.cliques]
    parts = {
        "size": LARGE,
        "strokes": _strokes(drawer),
        "cliques": [
            (kind, [f"{x:.1f},{y:.1f}" for x, y in _around(tree, clique, atoms)], hue)
            for clique, kind, hue in zip(tree.cliques, kinds, hues, strict=True)
        ],
        "rings": [
            (number, *np.round(centre, 1))
            for number, (centre, kind) in enumerate(zip(centres, kinds, strict=True), start=1)
            if kind == "ring"
        ],
        "edges": [(*np.round(nodes[a], 1), *np.round(nodes[b], 1)) for a, b in tree.edges],
        "nodes": [
            (number, *np.round(spot, 1), hue, kind, word)
            for number, (spot, hue, kind, word) in enumerate(
                zip(nodes, hues, kinds, tree.words, strict=True), start=1
            )
        ],
    }
    counts = ", ".join(f"{kinds.count(kind)} {kind}(s)" for kind in dict.fromkeys(kinds))
    words = "; ".join(f"{number} {word}" for number, *_, word in parts["nodes"])
    return Answering(
        "junction_tree.html",
        f"A molecule, {Chem.MolToSmiles(tree.mol)}, beside its tree of {len(nodes)} nodes: "
        f"{counts}. The words of the nodes: {words}.",
        parts,
    )


def property_histograms(sets: Mapping[str, pd.DataFrame], *, edition: str = "pocket") -> Figure:
    """logP, QED, SA score and weight of each set, from the tables of `properties`."""
    for name, table in sets.items():
        needs(table, f"The set {name!r}", tuple(LABELS))
    panels = {column: {name: table[column] for name, table in sets.items()} for column in LABELS}
    labelled = {LABELS[column]: groups for column, groups in panels.items()}
    return histograms(labelled, columns=2, bins=25, edition=edition)


def drawn(smiles: str, row: object = None) -> str:
    """One molecule as SVG in the ink of the page."""
    _, drawer = _drawer(molecule(smiles, row=row), SIZE)
    return f'<svg viewBox="0 0 {SIZE[0]} {SIZE[1]}" aria-hidden="true">{_strokes(drawer)}</svg>'


def _answer(cells: list[dict], told: list[tuple], alt: str, columns: int) -> Answering:
    parts = {"cells": cells, "told": told, "columns": columns}
    return Answering("molecules.html", alt, parts)


def _refuse_size(n: int) -> None:
    if not 1 <= n <= MOST:
        raise InputError(f"A figure draws 1 to {MOST} of these, and got {n}: choose some.")


def _drawer(mol: Chem.Mol, size: tuple[int, int]) -> tuple[Chem.Mol, rdMolDraw2D.MolDraw2DSVG]:
    """RDKit's drawing of a molecule, in black alone; the molecule lies from left to right."""
    mol = Chem.Mol(mol)
    rdDepictor.Compute2DCoords(mol, canonOrient=True)
    drawer = rdMolDraw2D.MolDraw2DSVG(*size)
    options = drawer.drawOptions()
    options.useBWAtomPalette()
    options.clearBackground = False
    options.fixedBondLength = BOND
    options.minFontSize = LETTERS
    options.bondLineWidth = 1.2
    options.padding = 0.03
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol, kekulize=True)
    drawer.FinishDrawing()
    return mol, drawer


def _strokes(drawer: rdMolDraw2D.MolDraw2DSVG) -> str:
    """All lines as one path and all that is filled as another."""
    lines, filled = [], []
    for path, style in PATH.findall(drawer.GetDrawingText()):
        (lines if "fill:none" in style else filled).append(SHORT.sub(r"\1", path))
    lines, filled = (re.sub(r"\s*([MLQZ])\s*", r"\1", "".join(d)) for d in (lines, filled))
    return (
        f'<path d="{lines}" fill="none" stroke="currentColor" stroke-width="1.3" '
        f'stroke-linecap="round"/><path d="{filled}" fill="currentColor"/>'
    )


def _hues(tree: Tree) -> list[str]:
    """A hue for each node, other than those of its neighbours, where there are enough."""
    chosen: list[int] = []
    for node, others in enumerate(tree.neighbours()):
        taken = {chosen[other] for other in others if other < node}
        free = [hue for hue in range(len(HUES)) if hue not in taken]
        chosen.append(free[node % len(free)] if free else node % len(HUES))
    return [HUES[number] for number in chosen]


def _kind(clique: tuple[int, ...], tree: Tree) -> str:
    return {1: "atom", 2: "bond"}.get(len(clique), "ring")


def _around(tree: Tree, clique: tuple[int, ...], atoms: np.ndarray) -> np.ndarray:
    """The atoms of a clique in the order in which a line around them meets them."""
    spots = atoms[list(clique)]
    x, y = (spots - spots.mean(axis=0)).T
    return spots[np.argsort(np.arctan2(y, x))]


def _laid_out(tree: Tree, centres: np.ndarray) -> np.ndarray:
    """Places of the nodes, begun at the cliques: s edges apart are s^BENT edges' lengths apart.

    Below 1 a long chain bends, which takes less of the page's width than a straight one.
    """
    n = len(centres)
    if n == 1:
        return np.array([LARGE]) / 2.0
    a, b = np.array(tree.edges).T
    steps = shortest_path(coo_array((np.ones(len(a)), (a, b)), (n, n)).tocsr(), directed=False)
    begin = centres / np.linalg.norm(centres[a] - centres[b], axis=1).mean()
    places, _ = smacof(
        steps**BENT, init=begin + 1e-3 * np.arange(2 * n).reshape(n, 2), n_init=1, max_iter=200,
        normalized_stress=False,
    )  # fmt: skip
    # Turned and mirrored as the molecule lies, then stretched into the picture.
    u, _, v = np.linalg.svd((places - places.mean(0)).T @ (centres - centres.mean(0)))
    places = (places - places.mean(0)) @ u @ v
    low, span = places.min(axis=0), np.ptp(places, axis=0)
    room = np.array(LARGE) - 2 * MARGIN
    scale = np.minimum(room / np.maximum(span, 1e-9), LONGEST_EDGE)  # (2,): wide or high
    scale = np.minimum(scale, 2 * scale.min())
    return (places - low - span / 2) * scale + np.array(LARGE) / 2
