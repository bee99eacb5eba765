"""Trees out of latent vectors, all molecules of a batch one step at a time.

Each molecule stands at a node of its tree.  At every step all of them decide at once whether to go
on to another child or back (decoder.py): one product for the decisions, one for the messages, one
for the names.  A name counts only where the node has room for it beside its other neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number
from cdp_lib.models.junction_tree.decoder import TreeDecoder
from cdp_lib.models.junction_tree.messages import sums
from cdp_lib.models.junction_tree.parts import part
from cdp_lib.models.junction_tree.placing import fits

COUNT = Number(least=1, whole=True)


@dataclass(frozen=True)
class Limits:
    """What one molecule may cost at most, whatever its latent vector says."""

    nodes: int = 60
    atoms: int = 120
    neighbours: int = 8  # of one node
    tries: int = 5  # words that are tried for a node, the best first
    candidates: int = 64  # ways in which the neighbours of one node hang on it

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not COUNT.allows(value):
                raise InputError(f"The limit {name} is {value!r}: give {COUNT}.")

    @property
    def steps(self) -> int:
        """Into each node, perhaps stuck there, and out again."""
        return 3 * self.nodes


@dataclass(eq=False)
class Walker:
    """One molecule on its way through its tree."""

    words: list[str]
    parents: list[int]
    told: list[list[tuple[int, int]]]  # each node: (from, number of the message)
    path: list[int]
    random: np.random.Generator | None
    atoms: int
    steps: int = 0
    sent: int = 0  # messages
    stuck: bool = False  # no word had room
    hit: dict[str, int] = field(default_factory=dict)  # limit: how often

    @classmethod
    def at(cls, word: str, random: np.random.Generator | None) -> "Walker":
        return cls([word], [-1], [[]], [0], random, len(part(word).kinds))

    @property
    def here(self) -> int:
        return self.path[-1]

    def count(self, limit: str) -> None:
        self.hit[limit] = self.hit.get(limit, 0) + 1

    def may_go(self, limits: Limits) -> bool:
        """Whether the limits leave room for another child; a limit that does not is counted."""
        if self.stuck:
            self.stuck = False
            return False
        for limit, used in (("nodes", len(self.words)), ("neighbours", len(self.near()))):
            if used >= getattr(limits, limit):
                self.count(limit)
                return False
        return True

    def near(self) -> list[str]:
        """The words of the neighbours of the node here, so far."""
        return [self.words[node] for node in self.neighbours()[self.here]]

    def neighbours(self) -> list[list[int]]:
        """The neighbours of each node: its parent, then its children."""
        found = [[parent] if parent >= 0 else [] for parent in self.parents]
        for child, parent in enumerate(self.parents[1:], start=1):
            found[parent].append(child)
        return found

    def heard(self, back: bool) -> list[int]:
        """Messages that the node here was told; on the way back without its parent's."""
        above = self.parents[self.here] if back else None
        return [number for node, number in self.told[self.here] if node != above]

    def go(self, ranked: Sequence[str], limits: Limits) -> None:
        """Go on to the first word that there is room for; stay if there is none."""
        near = self.near()
        for word in ranked:
            if not fits(self.words[self.here], tuple(sorted((*near, word)))):
                continue
            if self.atoms + len(part(word).kinds) - 1 > limits.atoms:
                self.count("atoms")
                continue
            self.atoms += len(part(word).kinds) - 1  # at most: two rings share two atoms
            self.told.append([(self.here, self.sent)])
            self.sent += 1
            self.parents.append(self.here)
            self.path.append(len(self.words))
            self.words.append(word)
            return
        self.count("tries")
        self.stuck = True

    def back(self) -> None:
        self.stuck = False  # what had no room below says nothing of the node above
        gone = self.path.pop()
        self.told[self.here].append((gone, self.sent))
        self.sent += 1


def walk_trees(
    decoder: TreeDecoder,
    vocabulary: Sequence[str],
    z: Tensor,
    limits: Limits,
    random: Sequence[np.random.Generator | None],
) -> list[Walker]:
    """A tree for each row of z (molecules, latent): the most likely one, or drawn by `random`."""
    names = Names(decoder, vocabulary, limits.tries)
    told = z.new_zeros(len(z), 2 * limits.nodes, decoder.words.embedding_dim)  # all messages
    roots = names.ranked(torch.zeros_like(told[:, 0]), z, random)
    walkers = [Walker.at(words[0], chance) for words, chance in zip(roots, random, strict=True)]
    rows = list(range(len(z)))  # of the molecules that are still on their way
    for _ in range(limits.steps):
        x = names.known([walkers[row].words[walkers[row].here] for row in rows])
        heard = gathered(told, rows, [walkers[row].heard(back=False) for row in rows])
        onwards = decoder.more(torch.cat([x, sums(*heard, len(x)), z[rows]], dim=1))[:, 0]
        go = [
            decided(score, walkers[row].random) and walkers[row].may_go(limits)
            for score, row in zip(onwards.tolist(), rows, strict=True)
        ]
        for row in rows:
            walkers[row].steps += 1
        left = [place for place, row in enumerate(rows) if go[place] or walkers[row].here > 0]
        rows, go, x = [rows[place] for place in left], [go[place] for place in left], x[left]
        if not rows:
            break
        pairs = [walkers[row].heard(back=not down) for row, down in zip(rows, go, strict=True)]
        fresh = decoder.gru.step(x, *gathered(told, rows, pairs))
        slots = [walkers[row].sent for row in rows]
        told[rows, slots] = fresh
        down = [place for place, onward in enumerate(go) if onward]
        going = [rows[place] for place in down]
        chances = [random[row] for row in going]
        ranked = names.ranked(fresh[down], z[going], chances)
        for row, words in zip(going, ranked, strict=True):
            walkers[row].go(words, limits)
        for row, onward in zip(rows, go, strict=True):
            if not onward:
                walkers[row].back()
    return walkers


class Names:
    """Words for nodes: their rows in the embedding, and the best few for a message."""

    def __init__(self, decoder: TreeDecoder, vocabulary: Sequence[str], tries: int):
        self.decoder, self.vocabulary, self.tries = decoder, vocabulary, tries
        self.number = {word: number for number, word in enumerate(vocabulary)}

    def known(self, words: Sequence[str]) -> Tensor:
        return self.decoder.words(torch.as_tensor([self.number[word] for word in words]))

    def ranked(
        self, told: Tensor, z: Tensor, random: Sequence[np.random.Generator | None]
    ) -> list[list[str]]:
        """The words to try for each row: the likeliest, or drawn without replacement."""
        scores = self.decoder.name(torch.cat([told, z], dim=1))
        drawn = [row for row, chance in enumerate(random) if chance is not None]
        if drawn:  # the largest of scores plus Gumbel noise are a draw without replacement
            noise = [random[row].gumbel(size=scores.shape[1]) for row in drawn]
            scores[drawn] += torch.as_tensor(np.stack(noise), dtype=scores.dtype)
        best = scores.topk(min(self.tries, scores.shape[1]), dim=1).indices
        return [[self.vocabulary[number] for number in row] for row in best.tolist()]


def decided(score: float, random: np.random.Generator | None) -> bool:
    """Yes where a score is positive, or with the probability that it stands for."""
    if random is None:
        return score > 0
    return random.logistic() < score


def gathered(
    told: Tensor, rows: Sequence[int], heard: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor]:
    """The messages that each node was told (pairs, width), and whose each is (pairs,)."""
    molecule = [row for row, numbers in zip(rows, heard, strict=True) for _ in numbers]
    number = [number for numbers in heard for number in numbers]
    whose = [place for place, numbers in enumerate(heard) for _ in numbers]
    return told[molecule, number], torch.as_tensor(whose, dtype=torch.long)
