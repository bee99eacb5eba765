"""The steps that every study shares: choose omics, keep the lines all tables have, assemble."""

from collections.abc import Iterable

import pandas as pd

from cdp_lib.data import teaching
from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.ids import IdMap
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.sources import Source, step
from cdp_lib.errors import InputError, nearest


def chosen(omics: str | Iterable[str], known: Iterable[str], source: Source) -> list[str]:
    """The names of the omics tables asked for, each known and there once."""
    try:
        names = list(dict.fromkeys([omics] if isinstance(omics, str) else omics))
    except TypeError:
        raise InputError(
            f"omics={omics!r} is no list of names: choose from {', '.join(known)}."
        ) from None
    if not names:
        raise InputError(f"No omics was asked for: choose from {', '.join(known)}.")
    for name in names:
        if name not in known:
            raise InputError(
                f"There is no omics {name!r} in this study ({source.edition} edition);"
                f" {nearest(name, known)}"
            )
    return names


def join(
    source: Source, Y: pd.DataFrame, tables: dict[str, pd.DataFrame], paper: tuple | None
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], list[Step]]:
    """The lines that all tables have; features with missing cells among them are dropped."""
    kept, lost = Y.index, []
    for name, table in tables.items():
        shared = kept[kept.isin(table.index)]
        if len(shared) < len(kept):
            lost.append(f"{len(kept) - len(shared)} lines have no {name}")
        kept = shared
    whole = {name: whole_columns(table.loc[kept]) for name, table in tables.items()}
    dropped = [f"{name}: {said}" for name, (_, said) in whole.items() if said]
    shape = (len(kept), Y.shape[1])
    steps = [step(source, "lines that all tables share", shape, paper, *lost, *dropped)]
    return Y.loc[kept], {name: table for name, (table, _) in whole.items()}, steps


def whole_columns(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The features known in all lines."""
    missing = table.isna().any()
    if not missing.any():
        return table, ""
    return table.loc[:, ~missing], f"{missing.sum()} features with missing cells dropped"


def with_structures(
    Y: pd.DataFrame, drugs: pd.DataFrame, steps: list[Step]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The drugs whose SMILES is known; appends the step."""
    known = drugs.index[drugs["smiles"].notna()]
    Y = Y.loc[:, Y.columns.isin(known)]
    steps.append(
        Step(
            "drugs with a known structure",
            Y.shape,
            None,
            f"{len(drugs) - len(known)} without SMILES dropped",
        )
    )
    return Y, drugs.loc[Y.columns]


def truth(source: Source) -> teaching.Truth | None:
    return None if source.folder is None else teaching.truth(source.folder)


def assemble(
    source: Source,
    study: str,
    response: str,
    lines: pd.DataFrame,
    ids: IdMap,
    Y: pd.DataFrame,
    tables: dict[str, pd.DataFrame],
    perturbations: pd.DataFrame,
    steps: list[Step],
    lower_is_sensitive: bool = True,
) -> Cohort:
    """The aligned tables as a cohort, with graph, pathways and, where simulated, the truth."""
    described, unknown = sources.describe_lines(lines, ids, Y.index)
    if unknown:
        steps = [*steps, Step("lines described", (len(described),), None, unknown)]
    return Cohort.from_tables(
        Y,
        tables,
        described,
        perturbations,
        name=study,
        edition=source.edition,
        study=study,
        response=response,
        lower_is_sensitive=lower_is_sensitive,
        steps=steps,
        extras=sources.knowledge(source),
        truth=truth(source),
    )
