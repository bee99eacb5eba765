"""Who is trained on, tuned on and tested on: a fold is a role for each cell of the response.

The response is a matrix (lines, perturbations), and what is held out decides what a score means:

    leave_pairs_out          scattered cells    fill the gaps of a known screen
    leave_lines_out          whole rows         a new line, known perturbations
    leave_tissues_out        rows by tissue     a new kind of cancer
    leave_perturbations_out  whole columns      a new gene or drug, known lines
    leave_both_out           blocks             a new line and a new perturbation at once
    leave_drugs_out          columns by drug    drug pairs with one or two new drugs

Near copies on both sides of a split turn memory into apparent skill, so copies move together:
lines of one donor, drugs of one structure. A split depends on names, groups, the seed and on which
cells are known; never on a measured value.
"""

from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.splits.folds import (
    KINDS,
    TEST,
    TRAIN,
    TUNE,
    UNUSED,
    Fold,
    Plan,
    Split,
    make_folds,
    refuse_leak,
    refuse_other_names,
)

__all__ = [
    "TRAIN",
    "TUNE",
    "TEST",
    "UNUSED",
    "Fold",
    "Split",
    "leave_pairs_out",
    "leave_lines_out",
    "leave_tissues_out",
    "leave_perturbations_out",
    "leave_both_out",
    "leave_drugs_out",
    "nested",
    "assert_no_leak",
]

Groups = str | pd.Series | Mapping | None


def leave_pairs_out(
    cohort,
    n_folds=5,
    repeats=1,
    tune=0.1,
    seed=0,
    line_groups: Groups = "auto",
    perturbation_groups: Groups = "auto",
) -> Split:
    """Hold out scattered (line, perturbation) cells: each known cell is tested once a repeat.

    The easiest split: line and perturbation of a tested cell were both trained on, elsewhere.
    Cells of one donor with one structure move together.

    >>> Y = pd.DataFrame(np.zeros((4, 3)))
    >>> [int(fold.test.sum()) for fold in leave_pairs_out(Y, n_folds=3, tune=0)]
    [4, 4, 4]
    """
    Y = _response(cohort)
    lines, kept = _line_groups(cohort, line_groups)
    perturbations, also = _perturbation_groups(cohort, perturbation_groups)
    plan = Plan("leave pairs out", "cell", lines, perturbations)
    meaning = (
        "single (line, perturbation) cells ({kept})",
        "gaps are filled in a screen that tested the line and the perturbation elsewhere",
    )
    return _split(plan, Y.notna(), n_folds, repeats, tune, seed, meaning, f"{kept} and {also}")


def leave_lines_out(
    cohort, n_folds=5, repeats=1, tune=0.1, seed=0, groups: Groups = "auto"
) -> Split:
    """Hold out whole lines, all lines of a donor together: each is tested once a repeat.

    `groups` is a column of cohort.lines or a Series over the lines; by default the column "donor"
    where there is one; None lets each line stand alone. A missing group is a group of its own.

    >>> leave_lines_out(pd.DataFrame(np.zeros((4, 3))), n_folds=2, tune=0).folds[0].test.shape
    (4, 3)
    """
    Y = _response(cohort)
    lines, kept = _line_groups(cohort, groups)
    plan = Plan("leave lines out", "line", lines, np.arange(Y.shape[1]))
    meaning = ("whole lines ({kept})", "a new line is predicted for known perturbations")
    return _split(plan, Y.notna(), n_folds, repeats, tune, seed, meaning, kept)


def leave_tissues_out(
    cohort,
    n_folds=5,
    repeats=1,
    tune=0.1,
    seed=0,
    groups: Groups = "tissue",
    donors: Groups = "auto",
    only=None,
) -> Split:
    """Hold out whole tissues; n_folds=None makes one fold a tissue.

    `only` names the tissues to hold out, a fold each (`n_folds` counts for nothing): lines of all
    other tissues are trained on in every fold.

    A line outside the tested tissues whose donor is tested takes no part in that fold, and one
    whose donor is tuned on is not trained on.

    >>> lines = pd.Series(["lung", "lung", "skin", "bone"])
    >>> split = leave_tissues_out(pd.DataFrame(np.zeros((4, 3))), None, tune=0, groups=lines)
    >>> len(split)
    3
    """
    Y = _response(cohort)
    tissues = _column(getattr(cohort, "lines", None), Y.index, groups, "lines")
    if tissues.isna().any():
        raise InputError(
            f"Leave tissues out needs a tissue for every line, but {_few(tissues)} "
            "have none: name them or leave these lines out of the cohort."
        )
    kin, kept = _line_groups(cohort, donors)
    plan = Plan("leave tissues out", "line", _numbers(tissues), np.arange(Y.shape[1]), kin)
    if only is not None:
        only = _known_tissues(only, tissues)
    n_folds = tissues.nunique() if n_folds is None or only else n_folds
    meaning = (
        "all lines of a tissue ({kept})",
        "a kind of cancer never seen is predicted for known perturbations",
    )
    split = _split(plan, Y.notna(), n_folds, repeats, tune, seed, meaning, kept)
    return _only(split, tissues, only) if only else split


def _known_tissues(only, tissues: pd.Series) -> list:
    only = [only] if isinstance(only, str) else list(dict.fromkeys(only))
    unknown = [tissue for tissue in only if tissue not in set(tissues)]
    if unknown or not only:
        raise InputError(
            f"{len(unknown)} of the {len(only)} tissues to hold out are of no line, such as "
            f"{(unknown or ['none'])[0]!r}: name tissues that the cohort has."
        )
    return only


def _only(split: Split, tissues: pd.Series, only: list) -> Split:
    """The folds that test these tissues, in their order, numbered anew."""
    tested = {(fold.repeat, tissues[fold.test.any(axis=1)].iloc[0]): fold for fold in split}
    folds = tuple(
        replace(tested[repeat, tissue], number=number)
        for repeat in sorted({fold.repeat for fold in split})
        for number, tissue in enumerate(only)
        if (repeat, tissue) in tested
    )
    sentence = split.sentence.replace(
        f"each of {tissues.nunique()} folds", f"each of {len(only)} folds"
    )
    return replace(split, sentence=sentence, folds=folds)


def leave_perturbations_out(
    cohort, n_folds=5, repeats=1, tune=0.1, seed=0, groups: Groups = "auto"
) -> Split:
    """Hold out whole perturbations, all of a group together: each is tested once a repeat.

    `groups` is a column of cohort.perturbations ("scaffold", "target") or a Series over them; by
    default the column "group" (for drugs one structure under several ids). In a screen of pairs a
    perturbation is an unordered drug pair: both of its drugs may be trained on in other pairs.

    >>> len(leave_perturbations_out(pd.DataFrame(np.zeros((4, 6))), n_folds=3))
    3
    """
    Y = _response(cohort)
    perturbations, kept = _perturbation_groups(cohort, groups)
    plan = Plan("leave perturbations out", "perturbation", np.arange(len(Y)), perturbations)
    meaning = ("whole perturbations ({kept})", "a new perturbation is predicted for known lines")
    return _split(plan, Y.notna(), n_folds, repeats, tune, seed, meaning, kept)


def leave_both_out(
    cohort,
    n_folds=5,
    repeats=1,
    tune=0.1,
    seed=0,
    line_groups: Groups = "auto",
    perturbation_groups: Groups = "auto",
) -> Split:
    """Hold out a block of lines x perturbations: fold i tests line part i on perturbation part i.

    The rest of these rows and columns takes no part, so a cell is tested at most once a repeat
    (one in n_folds is) and neither its line nor its perturbation was ever trained on. Tuning cells
    are such a block too: tune=0.3 keeps 0.3 x 0.3 of the training block.

    >>> fold = leave_both_out(pd.DataFrame(np.zeros((4, 4))), n_folds=2, tune=0).folds[0]
    >>> int(fold.test.sum()), int(fold.train.sum())
    (4, 4)
    """
    Y = _response(cohort)
    lines, kept = _line_groups(cohort, line_groups)
    perturbations, also = _perturbation_groups(cohort, perturbation_groups)
    plan = Plan("leave both out", "both", lines, perturbations)
    meaning = (
        "blocks of lines x perturbations ({kept})",
        "a new line is predicted for a new perturbation",
    )
    return _split(plan, Y.notna(), n_folds, repeats, tune, seed, meaning, f"{kept} and {also}")


def leave_drugs_out(
    screen, n_folds=5, held="both", repeats=1, tune=0.1, seed=0, groups: Groups = "auto"
) -> Split:
    """Hold out drugs of a pair screen, all drugs of one structure together.

    held="both": both drugs of a tested pair are new; a pair is tested at most once a repeat.
    held="one": one drug is new and its partner trained on; a pair is tested at most twice a repeat,
    once for each of its drugs. All other pairs with a held-out drug take no part in the fold.

    >>> from types import SimpleNamespace
    >>> pairs = pd.DataFrame({"drug_a": ["A", "A", "B"], "drug_b": ["B", "C", "C"]})
    >>> screen = SimpleNamespace(Y=pd.DataFrame(np.zeros((2, 3))), perturbations=pairs)
    >>> [fold.test[0].tolist() for fold in leave_drugs_out(screen, 3, held="one", tune=0)]
    [[True, True, False], [True, False, True], [False, True, True]]
    """
    if held not in ("one", "both"):
        raise InputError(f"Leave drugs out holds 'one' or 'both' drugs of a pair, not {held!r}.")
    Y, pairs = _response(screen), getattr(screen, "perturbations", None)
    if pairs is None or not {"drug_a", "drug_b"} <= set(pairs.columns):
        raise InputError(
            "Leave drugs out needs a pair screen whose perturbations name drug_a and "
            "drug_b: use leave_perturbations_out for single drugs."
        )
    names = pairs[["drug_a", "drug_b"]].to_numpy()
    drugs = pd.Index(pd.unique(names.ravel()))
    numbers, kept = _drug_groups(screen, drugs, groups)
    members = numbers[drugs.get_indexer(names.ravel())].reshape(-1, 2)
    unit = "one drug" if held == "one" else "both drugs"
    plan = Plan("leave drugs out", unit, np.arange(len(Y)), np.arange(Y.shape[1]), drugs=members)
    what = "one new and one known drug" if held == "one" else "two new drugs"
    meaning = (f"drug pairs of {what} ({{kept}})", f"a pair of {what} is predicted for known lines")
    return _split(plan, Y.notna(), n_folds, repeats, tune, seed, meaning, kept)


def nested(fold: Fold, cohort, n_folds=5, repeats=1, tune=0.0, seed=0) -> Split:
    """Split the fit cells of a fold again, by the same unit and groups: to choose without peeking.

    >>> Y = pd.DataFrame(np.zeros((6, 2)))
    >>> outer = leave_lines_out(Y, n_folds=3).folds[0]
    >>> any((inner.roles[outer.test] != UNUSED).any() for inner in nested(outer, Y, n_folds=2))
    False
    """
    if fold.plan is None:
        raise InputError(
            "This fold was made by hand and does not say what it holds out: split it by hand too."
        )
    meaning = (
        "part of what an outer fold may fit ({kept})",
        "a setting does while the outer test cells stay unseen",
    )
    Y = _response(cohort)
    fold.match(Y)
    plan = replace(fold.plan, name=f"{fold.plan.name}, nested")
    return _split(
        plan,
        Y.notna() & fold.fit,
        n_folds,
        repeats,
        tune,
        seed,
        meaning,
        "with the same groups as the outer fold",
    )


def assert_no_leak(split: Split, groups, axis: str = "line") -> None:
    """Refuse a split that trains and tests on one group; groups: one label a line (or column)."""
    labels, side = pd.Series(groups), 0 if axis == "line" else 1
    numbers = np.expand_dims(_numbers(labels), 1 - side)
    for fold in split:
        if len(labels) != fold.roles.shape[side]:
            raise InputError(
                f"{len(labels)} groups cannot label the {fold.roles.shape[side]} "
                f"{KINDS[side]} of this split: give one each."
            )
        if fold.names and not isinstance(labels.index, pd.RangeIndex):
            refuse_other_names(fold.names[side], labels.index, KINDS[side])
        refuse_leak(split.name, fold, numbers)


def _split(plan, known, n_folds, repeats, tune, seed, meaning, kept) -> Split:
    """Check the numbers, make the folds, and say in one sentence what they are."""
    for name, value, least in (("n_folds", n_folds, 2), ("repeats", repeats, 1), ("seed", seed, 0)):
        if not isinstance(value, Integral) or value < least:
            raise InputError(f"{name} must be a whole number of at least {least}, not {value!r}.")
    if not isinstance(tune, Real) or not 0 <= tune < 1:
        raise InputError(
            f"tune is a share of the training groups, from 0 to below 1, not {tune!r}."
        )
    folds = make_folds(plan, known, n_folds, repeats, tune, seed)
    what, finding = meaning
    rounds = f"{n_folds} folds" + (f", drawn {repeats} times," if repeats > 1 else "")
    tuned = f", and keeps {100 * tune:.3g} % of the other groups for tuning" if tune else ""
    sentence = (
        f"{plan.name.capitalize()}: each of {rounds} holds out {what.format(kept=kept)}{tuned}; "
        f"a score says how well {finding}."
    )
    return Split(plan.name, sentence, folds, int(seed))


def _response(cohort) -> pd.DataFrame:
    Y = cohort if isinstance(cohort, pd.DataFrame) else getattr(cohort, "Y", None)
    if not isinstance(Y, pd.DataFrame):
        raise InputError(
            f"A split needs a cohort or its response table Y, not {type(cohort).__name__}."
        )
    return Y


def _line_groups(cohort, groups: Groups) -> tuple[np.ndarray, str]:
    Y, table = _response(cohort), getattr(cohort, "lines", None)
    return _groups(table, Y.index, groups, "lines", "donor")


def _perturbation_groups(cohort, groups: Groups) -> tuple[np.ndarray, str]:
    Y, table = _response(cohort), getattr(cohort, "perturbations", None)
    if isinstance(groups, str) and groups == "auto":
        groups = _pair_structures(cohort, groups)
    return _groups(table, Y.columns, groups, "perturbations", "group")


def _pair_structures(cohort, otherwise: Groups) -> Groups:
    """The unordered pair of structures of each drug pair, where the drugs carry a "group"."""
    pairs, drugs = getattr(cohort, "perturbations", None), getattr(cohort, "drugs", None)
    if pairs is None or drugs is None or "drug_a" not in pairs or "group" not in drugs:
        return otherwise
    structure = drugs["group"].fillna(pd.Series(drugs.index, drugs.index)).to_dict()
    labels = [
        " + ".join(sorted(str(structure.get(drug, drug)) for drug in pair))
        for pair in pairs[["drug_a", "drug_b"]].to_numpy()
    ]
    return pd.Series(labels, pairs.index, name="pair of structures")


def _drug_groups(screen, drugs: pd.Index, groups: Groups) -> tuple[np.ndarray, str]:
    return _groups(getattr(screen, "drugs", None), drugs, groups, "drugs", "group")


def _groups(table, names, groups, what, usual) -> tuple[np.ndarray, str]:
    """One group number a name, and words for the sentence; a missing label is its own group."""
    if isinstance(groups, str) and groups == "auto":
        groups = usual if table is not None and usual in table.columns else None
    if groups is None:
        return np.arange(len(names)), f"{what} ungrouped"
    label = groups if isinstance(groups, str) else getattr(groups, "name", None) or "given group"
    labels = _column(table, names, groups, what)
    unknown = int(labels.isna().sum())
    if unknown == len(labels):
        return _numbers(labels), f"{what} alone, because their {label}s are unknown"
    apart = f", {unknown} of unknown {label} alone" if unknown else ""
    return _numbers(labels), f"{what} of one {label} together{apart}"


def _column(table, names: pd.Index, groups: Groups, what: str) -> pd.Series:
    """The group label of each name, from a column of the table or as given."""
    if isinstance(groups, str):
        if table is None or groups not in table.columns:
            raise InputError(
                f"The table of {what} has no column {groups!r} to group by: add it, "
                "or give the groups as a Series."
            )
        groups = table[groups]
    groups = pd.Series(groups)
    if not groups.index.is_unique:
        raise InputError(f"The groups name one of the {what} twice: give each one group.")
    absent = names.difference(groups.index)
    if len(absent):
        raise InputError(
            f"The groups lack {len(absent)} of the {what}, such as "
            f"{absent.tolist()[0]!r}: give each a group, NaN for a group of its own."
        )
    return groups.reindex(names)


def _numbers(labels: pd.Series) -> np.ndarray:
    """0, 1, ... in order of appearance; each missing label gets a number of its own."""
    numbers, found = pd.factorize(labels)
    missing = numbers < 0
    numbers[missing] = len(found) + np.arange(missing.sum())
    return numbers


def _few(labels: pd.Series) -> str:
    missing = labels.index[labels.isna()]
    return f"{len(missing)} lines such as {missing.tolist()[0]!r}"
