"""Drugs described by the genes that they target, as itzhacky2021's third task has them.

    x(line, drug) = mean over the drug's targets t of table(line, t)

Two drugs with equal columns are one drug to any model, whatever their lists of targets say: of a
list only the genes that stand in the table count.
"""

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.errors import InputError

MOST_MISSING = 0.75  # of a line's responses: the paper drops lines with more


def by_targets(screen: Cohort, least: int = 20) -> Cohort:
    """The drugs of a screen with known targets, and as omics one table lines x drugs for each of
    its own.

    A table of which fewer than `least` drugs have a target is left out.  `perturbations` gains the
    columns `targets`, the sorted list, and `group`: drugs with equal features share one.
    """
    kept = screen.Y.isna().mean(axis=1) <= MOST_MISSING
    Y = screen.Y[kept]
    targets = screen.perturbations["target"].fillna("").str.split(r",\s*")
    tables = {name: target_means(table[kept], targets) for name, table in screen.omics.items()}
    tables = {name: table for name, table in tables.items() if table.shape[1] >= least}
    if not tables:
        raise InputError(
            f"No table of {screen.name} knows a target of {least} drugs or more: load the screen "
            "with expression, or ask for fewer."
        )
    drugs = Y.columns
    for table in tables.values():
        drugs = drugs[drugs.isin(table.columns)]
    tables = {name: table[drugs] for name, table in tables.items()}
    listed = targets[drugs].map(lambda genes: ", ".join(sorted(genes)))
    known = screen.perturbations.loc[drugs].assign(targets=listed, group=alike(tables.values()))
    return Cohort.from_tables(
        Y[drugs],
        tables,
        screen.lines[kept],
        known,
        steps=[
            *screen.steps,
            Step("lines with a quarter of the drugs or more", Y.shape),
            Step(f"drugs with a target in {' and '.join(tables)}", (len(Y), len(drugs))),
        ],
        name="drugs by targets",
        edition=screen.edition,
        study=screen.study,
        response=screen.response,
        lower_is_sensitive=screen.lower_is_sensitive,
    )


def filled(screen: Cohort) -> Cohort:
    """Every missing response replaced by its drug's mean over all lines, as published."""
    return Cohort.from_tables(
        screen.Y.fillna(screen.Y.mean()),
        dict(screen.omics),
        screen.lines,
        screen.perturbations,
        steps=screen.steps,
        name=f"{screen.name}, filled",
        edition=screen.edition,
        study=screen.study,
        response=screen.response,
        lower_is_sensitive=screen.lower_is_sensitive,
    )


def target_means(table: pd.DataFrame, targets: pd.Series) -> pd.DataFrame:
    """The mean of each drug's targets in each line, (lines, drugs); drugs without any left out."""
    known = {drug: [gene for gene in genes if gene in table] for drug, genes in targets.items()}
    means = {drug: table[genes].mean(axis=1) for drug, genes in known.items() if genes}
    return pd.DataFrame(means, index=table.index, dtype=float)


def alike(tables) -> pd.Series:
    """A number a drug, the same for drugs that share a column of features in any of the tables."""
    tables = list(tables)
    names = tables[0].columns
    linked = np.eye(len(names), dtype=bool)
    for table in tables:
        code = np.unique(table[names].to_numpy().T, axis=0, return_inverse=True)[1].ravel()
        linked |= code[:, None] == code
    return pd.Series(connected_components(linked)[1], names, name="features")
