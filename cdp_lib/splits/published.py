"""What published code did, to be repeated beside a repaired run: its folds.

scikit-learn's `KFold(5)` without `shuffle=True` cuts the rows of a file into consecutive blocks.
Neighbours in a file are seldom strangers (one tissue, one gene family, one batch), and twins at a
block's edge fall on both sides: the folds are neither random nor grouped.
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from cdp_lib.errors import InputError
from cdp_lib.splits import TEST, TRAIN, TUNE, Fold, Split

AXES = {"line": 0, "perturbation": 1}


def file_order(cohort, n_folds: int = 5, held: str = "line") -> Split:
    """Hold out consecutive lines, or perturbations, of the response: nothing drawn or grouped.

    >>> import pandas as pd
    >>> table = pd.DataFrame(np.zeros((5, 3)))
    >>> [np.flatnonzero(fold.test[:, 0]).tolist() for fold in file_order(table, 2)]
    [[0, 1, 2], [3, 4]]
    """
    if held not in AXES:
        raise InputError(f"file_order holds out a 'line' or a 'perturbation', not {held!r}.")
    Y = getattr(cohort, "Y", cohort)  # (lines, perturbations)
    axis = AXES[held]
    if not 2 <= n_folds <= Y.shape[axis]:
        raise InputError(
            f"{Y.shape[axis]} {held}s cannot be cut into {n_folds} folds: "
            "ask for 2 or more folds, and at most one a " + held + "."
        )
    folds = []
    for number, block in enumerate(np.array_split(np.arange(Y.shape[axis]), n_folds)):
        roles = np.zeros(Y.shape, np.int8)  # (lines, perturbations), TRAIN
        np.moveaxis(roles, axis, 0)[block] = TEST
        folds.append(Fold(roles, number=number, names=(Y.index, Y.columns)))
    name = f"leave {held}s out, in file order"
    return Split(
        name,
        f"{name.capitalize()}: each of {n_folds} folds holds out consecutive "
        f"{held}s of the file, neither shuffled nor grouped; the score depends on the "
        "order of the file.",
        tuple(folds),
    )


def stratified_cells(cohort, n_folds: int = 5, n_bins: int = 5, seed: int = 0) -> Split:
    """Hold out single measurements at random, equally many of each fifth of the response.

    Nothing is grouped: a pair that stands in both orders, lines of one donor and drugs of one
    structure fall on both sides.  The only split that looks at the measured values.

    >>> table = pd.DataFrame(np.arange(20.0).reshape(4, 5))
    >>> [int(fold.test.sum()) for fold in stratified_cells(table, 2)]
    [10, 10]
    """
    Y = getattr(cohort, "Y", cohort)  # (lines, perturbations)
    line, column = np.nonzero(Y.notna().to_numpy())
    values = Y.to_numpy()[line, column]  # (cells,)
    if n_bins < 1 or not len(values) or np.ptp(values) == 0:
        raise InputError(
            f"{len(values)} measurements cannot be cut into {n_bins} bins: ask for 1 bin or more, "
            "of measurements that differ."
        )
    bins = pd.qcut(values, n_bins, labels=False, duplicates="drop")
    if n_folds < 2 or np.bincount(bins).min() < n_folds:
        raise InputError(
            f"{len(values)} measurements in {n_bins} bins cannot be dealt into {n_folds} folds: "
            "ask for 2 or more folds, and at most one a measurement of the smallest bin."
        )
    dealt = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(values, bins)
    folds = []
    for number, (_, tested) in enumerate(dealt):
        roles = np.zeros(Y.shape, np.int8)  # (lines, perturbations), TRAIN
        roles[line[tested], column[tested]] = TEST
        folds.append(Fold(roles, number=number, names=(Y.index, Y.columns)))
    return Split(
        "random rows, stratified",
        f"Random rows, stratified: each of {n_folds} folds holds out single measurements, as many "
        f"of each of {n_bins} bins of the response and nothing grouped; a score says how well gaps "
        "are filled in a screen that tested the line and the perturbation elsewhere.",
        tuple(folds),
        int(seed),
    )


def random_rows(cohort, repeats: int = 15, parts: int = 20, seed: int = 0) -> Split:
    """Hold out a random part of all measurements, and do it again: 18 : 1 : 1 with 20 parts.

    One part is tested, one is kept for tuning, the others are trained on.  Nothing is grouped, and
    the test rows of two repeats overlap: their spread is smaller than that of new data.

    >>> table = pd.DataFrame(np.zeros((4, 10)))
    >>> [int(fold.test.sum()) for fold in random_rows(table, repeats=3)]
    [2, 2, 2]
    """
    Y = getattr(cohort, "Y", cohort)  # (lines, perturbations)
    line, column = np.nonzero(Y.notna().to_numpy())
    size = len(line) // parts if parts >= 3 else 0
    if not size or repeats < 1:
        raise InputError(
            f"{len(line)} measurements cannot be cut into {parts} parts, {repeats} times: ask for "
            "3 parts or more, each with a measurement, and for 1 repeat or more."
        )
    rng = np.random.default_rng(seed)
    folds = []
    for repeat in range(repeats):
        rows = rng.permutation(len(line))
        roles = np.zeros(Y.shape, np.int8)  # (lines, perturbations), TRAIN
        for role, some in ((TEST, rows[:size]), (TUNE, rows[size : 2 * size])):
            roles[line[some], column[some]] = role
        folds.append(Fold(roles, repeat, names=(Y.index, Y.columns)))
    return Split(
        "random rows",
        f"Random rows: each of {repeats} repeats holds out one in {parts} measurements, nothing "
        "grouped, and tunes on as many others; a score says how well gaps are filled in a screen "
        "that tested the line and the perturbation elsewhere.",
        tuple(folds),
        int(seed),
    )


def these_cells(cohort, cells) -> Split:
    """Hold out the given cells (line, perturbation) and train on all others.

    >>> table = pd.DataFrame(np.zeros((2, 3)), columns=["A", "B", "C"])
    >>> these_cells(table, [(0, "B")]).folds[0].test[0].tolist()
    [False, True, False]
    """
    Y = getattr(cohort, "Y", cohort)  # (lines, perturbations)
    roles = pd.DataFrame(TRAIN, Y.index, Y.columns, dtype=np.int8)
    for line, perturbation in cells:
        known = line in Y.index and perturbation in Y.columns
        if not known or np.isnan(Y.at[line, perturbation]):
            raise InputError(
                f"({line!r}, {perturbation!r}) was not measured here: name a line and a "
                "perturbation of a known cell."
            )
        roles.at[line, perturbation] = TEST
    fold = Fold(roles.to_numpy(), names=(Y.index, Y.columns))
    said = f"These cells: {len(cells)} measurements that are named are held out, and no other."
    return Split("these cells", said, (fold,))


def folds_of(cohort, column: str = "fold", tune: bool = False, repeats: int = 1) -> Split:
    """The folds that a column of `cohort.perturbations` names: those of others, for their scores.

    Each fold tests the perturbations of one number in every line and trains on all others. With
    `tune` the next number is kept for tuning, so that number k is tested and k + 1 tuned on; up to
    as many `repeats` as there are other folds tune on k + 2 and so on.

    >>> from types import SimpleNamespace
    >>> Y = pd.DataFrame(np.zeros((2, 3)), columns=["A + B", "A + C", "B + C"])
    >>> screen = SimpleNamespace(Y=Y, perturbations=pd.DataFrame({"fold": [0, 1, 0]}, Y.columns))
    >>> [fold.test[0].tolist() for fold in folds_of(screen)]
    [[True, False, True], [False, True, False]]
    """
    table = getattr(cohort, "perturbations", pd.DataFrame())
    if column not in table:
        raise InputError(
            f"The perturbations have no column {column!r} with published folds: use a maker of "
            "splits, such as leave_perturbations_out."
        )
    number, known = pd.factorize(table.loc[cohort.Y.columns, column], sort=True)
    n_folds = len(known)
    if (number < 0).any() or n_folds < 2 + tune or not 1 <= repeats <= (n_folds - 1 if tune else 1):
        raise InputError(
            f"The column {column!r} names {n_folds} folds and leaves {int((number < 0).sum())} "
            f"perturbations without one: every perturbation needs a fold, tuning needs 3 folds, "
            "and repeats only tune on other ones."
        )
    folds = []
    for repeat in range(repeats):
        for tested in range(n_folds):
            roles = np.where(number == tested, TEST, TRAIN).astype(np.int8)  # (perturbations,)
            if tune:
                roles[number == (tested + 1 + repeat) % n_folds] = TUNE
            cells = np.broadcast_to(roles, cohort.Y.shape)
            folds.append(Fold(cells, repeat, tested, names=(cohort.Y.index, cohort.Y.columns)))
    tuned = ", and tunes on another of them" if tune else ""
    return Split(
        f"published folds ({column})",
        f"Published folds: each of {n_folds} folds holds out the perturbations that others held "
        f"out, in all lines{tuned}; a score stands beside theirs.",
        tuple(folds),
    )
