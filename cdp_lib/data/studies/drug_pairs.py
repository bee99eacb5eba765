"""Omics of the NCI-60 -> growth under two drugs, as xia2018 uses them."""

from collections.abc import Iterable

import pandas as pd

from cdp_lib.data.cohort import Step
from cdp_lib.data.ids import nci60_lines
from cdp_lib.data.pairs import PairScreen
from cdp_lib.data.studies import drugs as drug_tables
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import chosen, truth, whole_columns
from cdp_lib.data.studies.sources import Source, notes, step

# What the paper reports: (lines, features) or (lines, perturbations).
XIA = {"expression": (59, 25_723), "microrna": (59, 454), "protein": (59, 9_760)}


def drug_pairs(
    source: Source,
    omics: Iterable[str] = ("expression", "microrna", "protein"),
    singles: bool = False,
    structures: bool = False,
) -> PairScreen:
    """Omics of the NCI-60 -> growth under two drugs (xia2018); pocket: ALMANAC's ComboScore.

    `singles=True` adds each drug alone as the pair "A + A" (not in the pocket edition).
    """
    singles = source.choice("drug-pairs", "singles", singles)
    long, measured = drug_tables.almanac(source, singles)
    n_pairs = len(long[["nsc_a", "nsc_b"]].drop_duplicates())
    steps = [Step("drug pairs", (long["line"].nunique(), n_pairs), None, measured.note)]
    numbers = pd.Index(sorted({*long["nsc_a"].unique(), *long["nsc_b"].unique()}), name="nsc")
    drugs, said = drug_tables.almanac_drugs(source, numbers)
    label = drug_tables.labelled(drugs)
    drugs = drugs.set_axis(label)
    steps.append(step(source, "compounds", (len(drugs),), (54,), said))
    long = long.assign(drug_a=long["nsc_a"].map(label), drug_b=long["nsc_b"].map(label))
    if structures:
        known = drugs.index[drugs["smiles"].notna()]
        long = long[long["drug_a"].isin(known) & long["drug_b"].isin(known)]
        drugs = drugs.loc[known]
        steps.append(Step("compounds with a known structure", (len(drugs),), None, ""))
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
