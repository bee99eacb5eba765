"""A molecule that grows out of its tree, node by node, depth first.

Each node that has children is asked once how they hang on it.  Where chemistry leaves one answer
it is taken; where it leaves several, somebody else chooses; where it leaves none, children are left
off until there is one, and each branch that is left off is counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from rdkit import Chem, rdBase

from cdp_lib.models.junction_tree.parts import Kind, Part, part
from cdp_lib.models.junction_tree.placing import (
    Hold,
    Orders,
    Placement,
    Placements,
    has_room,
    placements,
)

ORDERS = {order: Chem.BondType.values[order] for order in (1, 2, 3)}


@dataclass(frozen=True, eq=False)
class Question:
    """A node whose children can hang on it in several ways."""

    node: int
    ways: tuple[Placement, ...]
    key: tuple  # (word, parent, what they share, words of the children, ...): the same ways


class Growth:
    """A tree of words, and as much of its molecule as is decided."""

    def __init__(self, words: Sequence[str], parents: Sequence[int], most: int):
        self.words, self.parents, self.most = list(words), list(parents), most
        self.children = [[] for _ in words]
        for child, parent in enumerate(parents[1:], start=1):
            self.children[parent].append(child)
        self.kinds = []  # element and charge of each atom
        self.bonds = {}  # (atom, later atom): order
        self.room = []  # valence that each atom has left
        self.atoms = {}  # node: where the atoms of its word are
        self.pairs = {0: ()}  # node: (its atom, the parent's) that are one
        self.candidates = self.cut = self.left_off = 0
        self.waiting = [0]
        self._hang(0, {})

    def question(self) -> Question | None:
        """The next node that leaves a choice; None when the molecule is whole."""
        while self.waiting:
            node = self.waiting.pop()
            if not self.children[node]:
                continue
            ways, key = self._ways(node)
            if len(ways) > 1:
                return Question(node, ways, key)
            if ways:
                self.answer(node, ways[0])
        return None

    def answer(self, node: int, way: Placement) -> None:
        """Hang the children of a node on it."""
        here, shape = part(self.words[node]), part(self.words[node]).forms[way.form]
        at = self.atoms[node]
        for (a, b), order in zip(here.bonds, shape, strict=True):
            self.bonds[ordered(at[a], at[b])] = order
        for child, option in zip(self.children[node], way.options, strict=True):
            for atom, cost in option.costs:
                self.room[at[atom]] -= cost
            self.pairs[child] = option.pairs
            self._hang(child, {b: at[a] for b, a in option.pairs})
        self.waiting += reversed(self.children[node])

    def _ways(self, node: int) -> tuple[tuple[Placement, ...], tuple]:
        """How the children hang on a node so that theirs have room, too; and a key of all that.

        A child for which there is no way is left off.
        """
        word, held = self.words[node], self._held(node)
        ways = placements(word, *held, self._words(self.children[node]), self.most)
        if not ways.found:
            ways = self._left_off(node, held)
        self.candidates += len(ways.found)
        self.cut += ways.cut
        wise = [self._far_sighted(node, way) for way in ways.found]
        found = tuple(compress(ways.found, wise)) or ways.found
        parent = self.words[self.parents[node]] if node else None
        about = word, parent, self.pairs[node], self._words(self.children[node])
        return found, (*about, held, tuple(wise))

    def _held(self, node: int) -> tuple[Hold, Orders, int]:
        """What the parent and the rest of the molecule have taken of a node."""
        at, hub = self.atoms[node], node and len(self.atoms[self.parents[node]]) == 1
        hold = tuple((a, self.room[at[a]]) for a, _ in sorted(self.pairs[node]))
        here = part(self.words[node])
        between = [(row, self.bonds[ordered(at[a], at[b])]) for row, a, b in shared(here, hold)]
        return hold, tuple(between), sum(1 << a for a, _ in hold) if hub else 0

    def _left_off(self, node: int, held: tuple[Hold, Orders, int]) -> Placements:
        """Ways without those children for which there is none."""
        kept, ways = [], Placements((), 0)
        for child in self.children[node]:
            words = self._words([*kept, child])
            more = placements(self.words[node], *held, words, self.most)
            if more.found:
                kept, ways = [*kept, child], more
            else:
                self.left_off += 1
        self.children[node] = kept
        return ways

    def _far_sighted(self, node: int, way: Placement) -> bool:
        """Whether each child that hangs so has room for its own children."""
        here, at = part(self.words[node]), self.atoms[node]
        taken = dict.fromkeys(range(len(at)), 0)
        for option in way.options:
            for atom, cost in option.costs:
                taken[atom] += cost
        for child, option in zip(self.children[node], way.options, strict=True):
            if not self.children[child]:
                continue
            to = dict(option.pairs)
            hold = tuple((b, self.room[at[to[b]]] - taken[to[b]]) for b in sorted(to))
            there = part(self.words[child])
            orders = tuple(
                (row, here.forms[way.form][here.row(to[a], to[b])])
                for row, a, b in shared(there, hold)
            )
            hubs = sum(1 << b for b in to) if len(at) == 1 else 0
            words = self._words(self.children[child])
            if not has_room(self.words[child], hold, orders, hubs, words):
                return False
        return True

    def _words(self, nodes: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.words[node] for node in nodes)

    def _hang(self, node: int, place: Mapping[int, int]) -> None:
        here = part(self.words[node])
        self.room += [room for number, room in enumerate(here.room) if number not in place]
        self.atoms[node] = hung(self.words[node], place, self.kinds, self.bonds)

    def molecule(self) -> Chem.Mol:
        """The molecule so far, not sanitised."""
        return molecule_of(self.kinds, self.bonds)

    def smiles(self) -> str | None:
        """Canonical SMILES; None where RDKit refuses the molecule."""
        mol = self.molecule()
        with rdBase.BlockLogs():
            if Chem.SanitizeMol(mol, catchErrors=True):
                return None
            text = Chem.MolToSmiles(mol)
            return text if Chem.MolFromSmiles(text) is not None else None


def hung(
    word: str, place: Mapping[int, int], kinds: list[Kind], bonds: dict[tuple[int, int], int]
) -> tuple[int, ...]:
    """Put a word into a molecule, some of its atoms being there; where its atoms are then.

    Its Kekule form is the first that agrees with the bonds that are there.
    """
    here, place = part(word), dict(place)
    for number, kind in enumerate(here.kinds):
        if number not in place:
            place[number] = len(kinds)
            kinds.append(kind)
    ends = [ordered(place[a], place[b]) for a, b in here.bonds]
    known = [(row, bonds[pair]) for row, pair in enumerate(ends) if pair in bonds]
    shape = next(form for form in here.forms if all(form[row] == order for row, order in known))
    bonds |= zip(ends, shape, strict=True)
    return tuple(place[number] for number in range(len(here.kinds)))


def molecule_of(kinds: Sequence[Kind], bonds: Mapping[tuple[int, int], int]) -> Chem.Mol:
    """Atoms (element, charge) and orders of bonds as a molecule, not sanitised."""
    mol = Chem.RWMol()
    for element, charge in kinds:
        atom = Chem.Atom(element)
        atom.SetFormalCharge(charge)
        mol.AddAtom(atom)
    for (a, b), order in bonds.items():
        mol.AddBond(a, b, ORDERS[order])
    return mol


def shared(here: Part, hold: Hold) -> list[tuple[int, int, int]]:
    """(number, one end, the other) of the bonds between atoms that are held."""
    held = {a for a, _ in hold}
    return [(row, a, b) for row, (a, b) in enumerate(here.bonds) if {a, b} <= held]


def ordered(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)
