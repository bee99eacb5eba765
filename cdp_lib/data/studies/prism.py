"""Expression and dependency -> PRISM's viability, itzhacky2021's third task."""

from collections.abc import Iterable

from cdp_lib.data import readers
from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.studies import drugs as drug_tables
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import assemble, by_name, chosen, join, with_structures
from cdp_lib.data.studies.sources import Source, notes, step

# What the paper reports: (lines, features) or (lines, perturbations).
PRISM = {"response": (578, 4_518), "joined": (524, 3_464)}


def prism(
    source: Source,
    omics: Iterable[str] = ("expression", "dependency"),
    structures: bool = False,
) -> Cohort:
    """Expression and dependency -> log2 fold change of viability (itzhacky2021's third task).

    The pocket edition has the AUC of 84 drugs instead. In both lower means more sensitive.
    """
    lines, ids = sources.read_lines(source)
    treatments = source.read(
        readers.prism_treatments,
        "prism-19q4",
        "primary-screen-replicate-collapsed-treatment-info.csv",
    )
    if source.pocket:
        long = source.read(readers.prism_auc, "prism-pocket", "rep-gdsc-ctd2-mean-log.csv")
        match = ids.to_ach(long["line"].unique(), "name")
        wide = long.pivot_table("prism_auc", "line", "drug", sort=False)
        Y, said = match.rename(wide), match.note
        drugs = by_name(treatments, Y.columns)
        word = "AUC (PRISM secondary screen)"
    else:
        Y = source.read(
            readers.prism_logfold,
            "prism-19q4",
            "primary-screen-replicate-collapsed-logfold-change.csv",
        )
        drugs, said, word = treatments.reindex(Y.columns), notes(Y), "log2 fold change"
    steps = [step(source, word, Y.shape, PRISM["response"], said)]
    drugs = drug_tables.describe(drugs)
    if structures:
        Y, drugs = with_structures(Y, drugs, steps)
    tables = {}
    for name in chosen(omics, (*sources.OMICS, "dependency"), source):
        if name == "dependency":
            kind = "effect" if source.pocket else "probability"
            tables[name] = sources.dependency(source, kind)
        else:
            tables[name] = sources.read_omics(source, ids, name)
        steps.append(Step(name, tables[name].shape, None, notes(tables[name])))
    Y, tables, joined = join(source, Y, tables, PRISM["joined"])
    return assemble(source, "prism", word, lines, ids, Y, tables, drugs, [*steps, *joined])
