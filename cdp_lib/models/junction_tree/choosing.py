"""Which way to take wherever chemistry leaves a choice: the scorer's answer, for a whole batch."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from cdp_lib.models.junction_tree.assembly import Way
from cdp_lib.models.junction_tree.batch import forest
from cdp_lib.models.junction_tree.growing import Growth, Question, hung, molecule_of, ordered
from cdp_lib.models.junction_tree.parts import part
from cdp_lib.models.junction_tree.placing import Placement
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE
from cdp_lib.models.junction_tree.walking import Walker

DIGITS = 4  # scores that agree so far are equal: the first way is taken, whatever the batch


class Chooser:
    """The trees of a batch, with what their nodes tell each other, and the ways read so far."""

    def __init__(self, module: JunctionTreeVAE, walkers: Sequence[Walker], z_graph: Tensor):
        self.scorer, self.z = module.scorer, z_graph
        self.random = [walker.random for walker in walkers]
        number = {word: place for place, word in enumerate(module.vocabulary)}
        names = [[number[word] for word in walker.words] for walker in walkers]
        trees, self.place = forest(names, [walker.neighbours() for walker in walkers])
        _, self.told = module.tree_encoder(trees)
        self.read: dict[tuple, tuple[Tensor, Tensor]] = {}

    def choose(self, asked: Sequence[tuple[int, Growth, Question]]) -> list[int]:
        """For each (molecule, growth, question) the way to take."""
        new = {
            question.key: local_ways(question.key, question.ways)
            for _, _, question in asked
            if question.key not in self.read
        }
        if new:
            self.read |= zip(new, self.scorer.embed(list(new.values())), strict=True)
        return [self._best(*each) for each in asked]

    def _best(self, row: int, growth: Growth, question: Question) -> int:
        node, parent = question.node, growth.parents[question.node]
        near = [*([parent] if node else []), *growth.children[node]]
        told = self.told[[self.place[row][other, node] for other in near]]
        scores = self.scorer.score(self.read[question.key], self.z[row], told).double().numpy()
        if (chance := self.random[row]) is not None:
            scores = scores + chance.gumbel(size=len(scores))
        return int(np.argmax(np.round(scores, DIGITS)))


def local_ways(key: tuple, ways: Sequence[Placement]) -> list[Way]:
    """The ways of a question as molecules of their own: node, parent, children."""
    word, parent, pairs, children, *_ = key
    above = [] if parent is None else [(parent, [(there, here) for here, there in pairs])]
    found = []
    for way in ways:
        kinds, bonds = list(part(word).kinds), {}
        for ends, order in zip(part(word).bonds, part(word).forms[way.form], strict=True):
            bonds[ordered(*ends)] = order
        atoms = [tuple(range(len(kinds)))]
        near = above + [
            (child, option.pairs) for child, option in zip(children, way.options, strict=True)
        ]
        for other, shared in near:
            atoms.append(hung(other, dict(shared), kinds, bonds))
        found.append(Way(molecule_of(kinds, bonds), tuple(atoms), ""))
    return found
