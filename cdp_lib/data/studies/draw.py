"""A part of a cohort, drawn by the seed: what the profile quick computes with, on every edition.

Each name of a line, a feature or a perturbation draws a lot of its own,

    lot(name) = hash(seed, name),

and those with the smallest lots are kept, in the order of the table. A lot hangs on nothing but the
name, so two cohorts of one study keep the same lines and drugs; the lines of one donor draw one lot
and stay together. Features that a kept perturbation names, the gene itself or the targets of a
drug, go before others, and genes that several omics share before those of one, so that omics keep
the same genes.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain

import pandas as pd

from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.errors import InputError, nearest

# The sizes of the teaching cohort: on it, nothing is left out.
QUICK = {
    "gene-dependency": {"lines": 240, "features": 600, "perturbations": 300},
    "dependency-classes": {"lines": 240, "features": 600, "perturbations": 300},
    "drug-response": {"lines": 240, "features": 600, "perturbations": 60},
    "drug-pairs": {"features": 600},
    "prism": {"lines": 240, "features": 600, "perturbations": 300},
    "synergy": {"features": 600},
    "xenografts": {"features": 600},
}
SIZES = ("lines", "features", "perturbations")


def drawn(cohort: Cohort, at_most: dict[str, int | None], seed: int = 0) -> Cohort:
    """At most so many `lines`, `features` of each omics and `perturbations`; None keeps all."""
    refuse_odd_sizes(at_most)
    Y, perturbations = cohort.Y, cohort.perturbations
    donor = cohort.lines["donor"]
    of_line = donor.where(donor.notna(), Y.index.to_series()).to_dict()
    lines = lowest(Y.index, at_most.get("lines"), seed, lambda line: lot(seed, of_line[line]))
    columns = lowest(Y.columns, at_most.get("perturbations"), seed)
    names = named(perturbations.loc[columns])
    shared = Counter(chain.from_iterable(table.columns for table in cohort.omics.values()))
    features = {
        key: lowest(
            table.columns,
            at_most.get("features"),
            seed,
            lambda name: (name not in names, -shared[name]),
        )
        for key, table in cohort.omics.items()
    }
    whole = (Y.shape, *(table.shape[1] for table in cohort.omics.values()))
    if whole == ((len(lines), len(columns)), *map(len, features.values())):
        return cohort
    said = [
        f"{len(kept):,} of {cohort.X(key).shape[1]:,} of {key}" for key, kept in features.items()
    ]
    step = Step(f"drawn by seed {seed}", (len(lines), len(columns)), None, ", ".join(said))
    return cohort.subset(lines, columns, features, step=step)


def refuse_odd_sizes(at_most: dict[str, int | None]) -> None:
    for name, size in at_most.items():
        if name not in SIZES:
            raise InputError(f"at_most has no size {name!r}; {nearest(name, SIZES)}")
        whole = isinstance(size, int) and not isinstance(size, bool)
        if size is not None and (not whole or size < 1):
            raise InputError(f"at_most[{name!r}] is {size!r}: give a whole number, 1 or more.")


def lot(seed: int, name: object) -> bytes:
    return hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()


def lowest(
    names: pd.Index, size: int | None, seed: int, rank: Callable = lambda name: ()
) -> pd.Index:
    """The names of the lowest rank and, among equals, with the smallest lots, in their order."""
    if size is None or size >= len(names):
        return names
    order = sorted(range(len(names)), key=lambda n: (rank(names[n]), lot(seed, names[n])))
    return names[sorted(order[:size])]


def named(perturbations: pd.DataFrame) -> frozenset[str]:
    """What perturbations may be called among the features: themselves, and their targets."""
    targets: Iterable[str] = perturbations.get("target", pd.Series(dtype=object)).dropna()
    of_drugs = chain.from_iterable(str(text).split(", ") for text in targets)
    return frozenset(chain(perturbations.index.astype(str), of_drugs))
