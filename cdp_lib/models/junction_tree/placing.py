"""How all the children of a node hang on it, the node itself being fixed to its parent.

The parent holds some atoms of the node in place, and the rest of the molecule has taken some of
their valence; nothing else of the molecule matters, because whatever a node and its children share
lies in the node.  So the answer is kept for each local environment: the word, what holds it, and
the words of its children.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cdp_lib.models.junction_tree.parts import Option, options, part

Hold = tuple[tuple[int, int], ...]  # (atom of the node that the parent holds, valence it has left)
Orders = tuple[tuple[int, int], ...]  # (bond of the node that the parent holds, its order)


@dataclass(frozen=True)
class Placement:
    """One way: the node's Kekule form, and the option of each child."""

    form: int
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Placements:
    found: tuple[Placement, ...]
    cut: int  # how often there were more than `most`


@lru_cache(maxsize=200_000)
def fits(word: str, neighbours: tuple[str, ...]) -> bool:
    """Whether a node of this word has room for these neighbours, in any way."""
    return has_room(word, (), (), 0, neighbours)


@lru_cache(maxsize=200_000)
def has_room(word: str, hold: Hold, orders: Orders, hubs: int, children: tuple[str, ...]) -> bool:
    """Whether there is any way in which the children hang on a node that is held in place."""
    room = held_room(word, hold)
    return any(
        room_for(room, hubs, [options(word, form, other) for other in children])
        for form in forms_of(word, orders)
    )


def held_room(word: str, hold: Hold) -> tuple[int, ...]:
    room = list(part(word).room)
    for atom, left in hold:
        room[atom] = left
    return tuple(room)


def forms_of(word: str, orders: Orders) -> list[int]:
    """The Kekule forms of a word in which some bonds have given orders."""
    return [
        form
        for form, shape in enumerate(part(word).forms)
        if all(shape[row] == order for row, order in orders)
    ]


def room_for(room: tuple[int, ...], hubs: int, choices: Sequence[Sequence[Option]]) -> bool:
    """Whether an option of each neighbour can be had at once, by the valences alone.

    At most one neighbour of a single atom sits on an atom: it gathers what hangs there.
    """
    order = sorted(choices, key=len)
    seen = set()

    def search(row: int, room: tuple[int, ...], hubs: int) -> bool:
        if row == len(order):
            return True
        if (row, room, hubs) in seen:
            return False
        seen.add((row, room, hubs))
        return any(search(row + 1, *after) for _, *after in taken(order[row], room, hubs))

    return search(0, room, hubs)


def taken(
    choices: Sequence[Option], room: tuple[int, ...], hubs: int
) -> Iterator[tuple[Option, tuple[int, ...], int]]:
    """The options that there is room for, and the room and the hubs afterwards."""
    for option in choices:
        if option.hub and hubs >> option.pairs[0][1] & 1:
            continue
        left = list(room)
        for atom, cost in option.costs:
            left[atom] -= cost
        if min(left) >= 0:
            yield option, tuple(left), hubs | (option.hub << option.pairs[0][1])


@lru_cache(maxsize=200_000)
def placements(
    word: str, hold: Hold, orders: Orders, hubs: int, children: tuple[str, ...], most: int
) -> Placements:
    """All ways in which the children hang on a node, those that look alike once, up to `most`."""
    turns = [turn for turn in part(word).turns if all(turn[atom] == atom for atom, _ in hold)]
    cut, found = 0, {}
    for form in forms_of(word, orders):
        choices = [options(word, form, other) for other in children]
        ways, lost = ways_of_form(held_room(word, hold), hubs, choices, turns, most)
        cut += lost
        for way in ways:
            found.setdefault(look(way, turns), Placement(form, way))
    cut += len(found) > most
    return Placements(tuple(found.values())[:most], cut)


def ways_of_form(
    room: tuple[int, ...],
    hubs: int,
    choices: Sequence[Sequence[Option]],
    turns: Sequence[Sequence[int]],
    most: int,
) -> tuple[list[tuple[Option, ...]], int]:
    """The children are hung one by one, the one with the fewest options first."""
    order = sorted(range(len(choices)), key=lambda child: len(choices[child]))
    states, cut = [((), room, hubs)], 0
    for child in order:
        grown = {}
        for way, left, used in states:
            for option, *after in taken(choices[child], left, used):
                longer = (*way, option)
                grown.setdefault(look(longer, turns), (longer, *after))
        cut += len(grown) > most
        states = list(grown.values())[:most]
    back = sorted(range(len(order)), key=order.__getitem__)
    return [tuple(way[row] for row in back) for way, *_ in states], cut


def look(way: Sequence[Option], turns: Sequence[Sequence[int]]) -> tuple:
    """The same for two ways that a symmetry of the node turns into each other."""
    return min(tuple(placed(option, turn) for option in way) for turn in turns)


def placed(option: Option, turn: Sequence[int]) -> tuple:
    """Where an option is after a symmetry of the node: atoms of the node, those on them."""
    at = [turn[a] for _, a in option.pairs]
    return (tuple(at), option.alike[0]) if at == sorted(at) else (tuple(at[::-1]), option.alike[1])
