"""What a fold is, and how groups are dealt into folds; `splits` says which groups.

A fold gives each cell of the response (lines, perturbations) a role. Groups are dealt the largest
first, each to the fold that has the fewest members so far, in an order stirred by the seed: folds
come out about equal in size, and repeats differ.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError

ROLES = ("train", "tune", "test", "unused")
TRAIN, TUNE, TEST, UNUSED = range(len(ROLES))
KINDS = ("lines", "perturbations")


@dataclass(frozen=True)
class Plan:
    """What a split holds out, and which lines, perturbations or drugs move together."""

    name: str
    unit: str  # cell, line, perturbation, both, one drug, both drugs
    lines: np.ndarray  # (lines,) group number
    perturbations: np.ndarray  # (perturbations,) group number
    kin: np.ndarray | None = None  # (lines,) donors that must not cross a split by tissue
    drugs: np.ndarray | None = None  # (perturbations, 2) group number of the drugs of a pair

    @property
    def cell_groups(self) -> np.ndarray:
        """(lines, perturbations): one number for each line group x perturbation group."""
        width = self.perturbations.max(initial=0) + 1
        return self.lines[:, None] * width + self.perturbations


@dataclass(frozen=True, eq=False)
class Fold:
    """The role of each cell: TRAIN, TUNE (part of training, to choose), TEST or UNUSED.

    Cells nobody measured carry the role of their row or column, but no label to learn or score.
    `names` are the lines and perturbations that the roles belong to; masks are plain arrays.
    """

    roles: np.ndarray = field(repr=False)  # int8 (lines, perturbations), maybe a broadcast view
    repeat: int = 0
    number: int = 0
    plan: Plan | None = field(default=None, repr=False)
    names: tuple[pd.Index, pd.Index] | None = field(default=None, repr=False)

    @property
    def train(self) -> np.ndarray:
        return self.roles == TRAIN

    @property
    def tune(self) -> np.ndarray:
        return self.roles == TUNE

    @property
    def test(self) -> np.ndarray:
        return self.roles == TEST

    @property
    def fit(self) -> np.ndarray:
        """Train and tune: every cell whose label a model may see."""
        return self.roles <= TUNE

    def match(self, Y: pd.DataFrame) -> None:
        """Refuse a response other than the one that was split: by position roles would be wrong."""
        if Y.shape != self.roles.shape:
            given, known = Y.shape, self.roles.shape
            raise InputError(
                f"This fold does not fit the response, which has {given[0]} lines x {given[1]} "
                f"perturbations where the fold has {known[0]} x {known[1]}: split this cohort."
            )
        for known, given, what in zip(self.names or (), (Y.index, Y.columns), KINDS):
            refuse_other_names(known, given, what)


@dataclass(frozen=True, eq=False)
class Split:
    """Folds, and one sentence that says what is held out and what the score then means."""

    name: str
    sentence: str
    folds: tuple[Fold, ...]
    seed: int | None = None  # from which the folds were drawn

    def __iter__(self) -> Iterator[Fold]:
        return iter(self.folds)

    def __len__(self) -> int:
        return len(self.folds)

    def __repr__(self) -> str:
        return self.sentence


def make_folds(
    plan: Plan, known: pd.DataFrame, n_folds: int, repeats: int, tune: float, seed: int
) -> tuple[Fold, ...]:
    """All folds of all repeats over the known cells; lines without any are UNUSED."""
    open_cells, names = known.to_numpy(), (known.index, known.columns)
    sides = _sides(plan, open_cells)
    groups = min(len(np.unique(side[side >= 0])) for side in sides)
    if groups < n_folds:
        raise InputError(
            f"{plan.name.capitalize()} cannot make {n_folds} folds of {groups} groups with known "
            "responses: ask for fewer folds."
        )
    folds = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        dealt = [_deal(side, n_folds, rng) for side in sides]
        for number in range(n_folds):
            rng = np.random.default_rng([seed, repeat, number + 1])
            roles = [
                _item_roles(side, tested == number, tune, rng) for side, tested in zip(sides, dealt)
            ]
            folds.append(Fold(_cell_roles(plan, roles, open_cells), repeat, number, plan, names))
            _refuse_empty(folds[-1], open_cells, tune)
            for numbers in _must_not_cross(plan):
                refuse_leak(plan.name, folds[-1], numbers)
    return tuple(folds)


def refuse_other_names(known: pd.Index, given: pd.Index, what: str) -> None:
    """Refuse other names, or another order; numbered rows (0, 1, ...) go by position."""
    if isinstance(known, pd.RangeIndex) or known.equals(given):
        return
    new = given.difference(known, sort=False)
    found = f"{what} in another order"
    if len(new):
        found = f"{len(new)} other {what} such as {new.tolist()[0]!r}"
    raise InputError(
        f"This fold was made from another response, and this one has {found}: split this cohort."
    )


def refuse_leak(name: str, fold: Fold, numbers: np.ndarray) -> None:
    """Refuse a fold in which one group plays two roles; numbers broadcast to the roles."""
    roles = fold.roles[:, :1] if fold.roles.strides[1] == 0 else fold.roles  # rows all alike
    roles, numbers = np.broadcast_arrays(roles, numbers)
    count = numbers.max(initial=0) + 1
    trained, tuned, tested = (
        np.bincount(numbers[roles == role], minlength=count) > 0 for role in (TRAIN, TUNE, TEST)
    )
    leaks = int(((tested & (trained | tuned)) | (tuned & trained)).sum())
    if leaks:
        raise InputError(
            f"{name.capitalize()}, fold {fold.number} of repeat {fold.repeat}: {leaks} groups are "
            "both learned from and scored, so memory would look like skill: keep groups together."
        )


def _sides(plan: Plan, open_cells: np.ndarray) -> list[np.ndarray]:
    """The items to deal (cells, lines, perturbations, drugs): group numbers, -1 to leave out."""
    rows, columns = open_cells.any(axis=1), open_cells.any(axis=0)
    lines = np.where(rows, plan.lines, -1)
    perturbations = np.where(columns, plan.perturbations, -1)
    if plan.unit == "cell":
        return [np.where(open_cells, plan.cell_groups, -1).ravel()]
    if plan.unit == "line":
        return [lines]
    if plan.unit == "perturbation":
        return [perturbations]
    if plan.unit == "both":
        return [lines, perturbations]
    drugs = np.arange(plan.drugs.max() + 1)
    return [np.where(np.isin(drugs, plan.drugs[columns]), drugs, -1)]


def _deal(side: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold in which each item is tested, -1 for items left out."""
    taking_part = side >= 0
    _, group, sizes = np.unique(side[taking_part], return_inverse=True, return_counts=True)
    order = np.argsort(-sizes * rng.uniform(0.5, 1, len(sizes))).tolist()
    size, fold_of_group = sizes.tolist(), [0] * len(sizes)
    loads = [(0, number) for number in range(n_folds)]
    for item in order:
        load, number = loads[0]
        fold_of_group[item] = number
        heapq.heapreplace(loads, (load + size[item], number))
    folds = np.full(len(side), -1)
    folds[taking_part] = np.array(fold_of_group)[group]
    return folds


def _item_roles(
    side: np.ndarray, tested: np.ndarray, tune: float, rng: np.random.Generator
) -> np.ndarray:
    """TEST where told, UNUSED where left out; a share of the other groups gets TUNE."""
    roles = np.where(tested, TEST, np.where(side < 0, UNUSED, TRAIN)).astype(np.int8)
    if tune:
        training = np.unique(side[roles == TRAIN])
        chosen = rng.choice(training, max(1, round(tune * len(training))), replace=False)
        roles[(roles == TRAIN) & np.isin(side, chosen)] = TUNE
    return roles


def _cell_roles(plan: Plan, roles: list[np.ndarray], open_cells: np.ndarray) -> np.ndarray:
    """From the roles of items to a read-only role for each cell."""
    shape = open_cells.shape
    if plan.unit == "cell":
        cells = roles[0].reshape(shape)
    elif plan.unit == "line":
        cells = np.broadcast_to(_without_kin(plan, roles[0])[:, None], shape)
    elif plan.unit == "perturbation":
        cells = np.broadcast_to(roles[0], shape)
    elif plan.unit == "both":
        lines, perturbations = roles[0][:, None], roles[1][None, :]
        cells = np.where((lines == perturbations) & open_cells, lines, np.int8(UNUSED))
    else:
        first, second = roles[0][plan.drugs].T
        fits = first == second if plan.unit == "both drugs" else np.minimum(first, second) == TRAIN
        fits &= open_cells.any(axis=0)
        cells = np.broadcast_to(np.where(fits, np.maximum(first, second), np.int8(UNUSED)), shape)
    cells.flags.writeable = False
    return cells


def _without_kin(plan: Plan, roles: np.ndarray) -> np.ndarray:
    """Set aside training lines whose donor is tested or tuned on, tuning lines whose is tested."""
    if plan.kin is not None:
        roles = roles.copy()
        for role in (TEST, TUNE):
            kin = np.isin(plan.kin, plan.kin[roles == role])
            roles[kin & (roles < role)] = UNUSED
    return roles


def _must_not_cross(plan: Plan) -> list[np.ndarray]:
    """Group numbers, broadcast to cells, that may play one role only in a fold."""
    if plan.unit == "cell":
        return [plan.cell_groups]
    held = []
    if plan.unit in ("line", "both"):
        held.append(plan.lines[:, None])
    if plan.unit in ("perturbation", "both"):
        held.append(plan.perturbations[None, :])
    if plan.kin is not None:
        held.append(plan.kin[:, None])
    return held


def _refuse_empty(fold: Fold, open_cells: np.ndarray, tune: float) -> None:
    wanted = {TRAIN: "train", TEST: "test"} | ({TUNE: "tune"} if tune else {})
    for role, verb in wanted.items():
        if not (open_cells & (fold.roles == role)).any():
            raise InputError(
                f"{fold.plan.name.capitalize()}, fold {fold.number} of repeat {fold.repeat} would "
                f"have no known response to {verb} on: change n_folds or tune, or add data."
            )
