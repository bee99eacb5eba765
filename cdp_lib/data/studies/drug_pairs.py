"""Omics of the NCI-60 -> growth under two drugs, as xia2018 uses them."""

from collections.abc import Iterable

import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.data.cohort import Step
from cdp_lib.data.ids import nci60_lines, normalised
from cdp_lib.data.pairs import PairScreen
from cdp_lib.data.studies import drugs as drug_tables
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import chosen, truth, whole_columns
from cdp_lib.data.studies.sources import Source, notes, step
from cdp_lib.errors import InputError

# What the paper reports: (lines, features) or (lines, perturbations).
XIA = {"expression": (59, 25_723), "microrna": (59, 454), "protein": (59, 9_760)}
SETS, ROWS = 311_737, 85_303  # (line, drug, drug) of the whole file, and of the paper's 54 drugs


def drug_pairs(
    source: Source,
    omics: Iterable[str] = ("expression", "microrna", "protein"),
    singles: bool = False,
    structures: bool = False,
    response: str | None = None,
    compounds: Iterable[str] | None = None,
) -> PairScreen:
    """Omics of the NCI-60 -> growth under two drugs (xia2018); pocket: ALMANAC's ComboScore.

    `singles=True` adds each drug alone as the pair "A + A" (not in the pocket edition).
    `response` of official growth: the lowest over doses, "min of means" (of the repeats at a dose,
    what the paper's code does since January 2018) or "min of replicates" (of all wells, as
    before); the paper's tables seem to mix both. `compounds` keeps pairs of these NSC numbers or
    names, such as the 54 drugs that the paper describes, whose list it does not give.
    """
    singles = source.choice("drug-pairs", "singles", singles)
    response = source.choice("drug-pairs", "response", response)
    long, measured = drug_tables.almanac(source, singles, response)
    n_pairs = len(long[["nsc_a", "nsc_b"]].drop_duplicates())
    steps = [Step("drug pairs", (long["line"].nunique(), n_pairs), None, measured.note)]
    if measured.sets is not None:
        said = "single drugs among them, and both orders of a pair where the file has them"
        steps.append(step(source, "sets of a line and two drugs", (measured.sets,), (SETS,), said))
    numbers = pd.Index(sorted({*long["nsc_a"].unique(), *long["nsc_b"].unique()}), name="nsc")
    drugs, said = drug_tables.almanac_drugs(source, numbers)
    label = drug_tables.labelled(drugs)
    drugs = drugs.set_axis(label)
    steps.append(step(source, "compounds", (len(drugs),), (54,), said))
    long = long.assign(drug_a=long["nsc_a"].map(label), drug_b=long["nsc_b"].map(label))
    if structures:
        long, drugs = kept(long, drugs, drugs["smiles"].notna())
        steps.append(Step("compounds with a known structure", (len(drugs),), None, ""))
    if compounds is not None:
        long, drugs = kept(long, drugs, wanted(drugs, compounds))
        steps.append(Step("compounds asked for", (len(drugs),), (54,), ""))
    if measured.sets is not None and (structures or compounds is not None):
        rows = int(long["orders"].sum())
        said = "" if singles else "the paper counts single drugs, too: singles=True"
        steps.append(step(source, "sets of these compounds", (rows,), (ROWS,), said))
    tables = {}
    for name in chosen(omics, XIA, source):
        table, dropped = whole_columns(sources.nci60_omics(source, name))
        steps.append(step(source, name, table.shape, XIA[name], notes(table), dropped))
        tables[name] = table
    return PairScreen.from_tables(
        long,
        tables,
        nci60_lines(),
        drugs,
        name="drug-pairs",
        edition=source.edition,
        study="drug-pairs",
        steps=steps,
        extras=sources.knowledge(source),
        response=measured.response,
        lower_is_sensitive=measured.lower_is_sensitive,
        truth=truth(source),
    )


def kept(
    long: pd.DataFrame, drugs: pd.DataFrame, those: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The pairs of which both drugs are among those, and these drugs."""
    drugs = drugs[those]
    return long[long["drug_a"].isin(drugs.index) & long["drug_b"].isin(drugs.index)], drugs


def wanted(drugs: pd.DataFrame, compounds: Iterable[str]) -> pd.Series:
    """Which drugs are named, by NSC number or by name; one that is not there is an error."""
    names = [normalised(name) for name in compounds]
    by = pd.DataFrame({"nsc": drugs["nsc"].astype(str), "name": drugs["name"].map(normalised)})
    absent = [name for name in names if not by.isin([name]).any(axis=None)]
    if absent:
        raise InputError(
            f"The screen has no compound {few(absent)} ({len(absent)} of {len(names)} asked for): "
            "give NSC numbers or names of screen.drugs."
        )
    return by.isin(names).any(axis=1)
