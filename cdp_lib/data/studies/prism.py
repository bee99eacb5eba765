"""Expression and dependency -> PRISM's viability, itzhacky2021's third task."""

from collections.abc import Iterable

from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.studies import drugs as drug_tables
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import assemble, chosen, join, with_structures
from cdp_lib.data.studies.sources import Source, notes, step
from cdp_lib.data.studies.tables import OMICS

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
    Y, drugs, measured = drug_tables.viability(source, ids)
    steps = [step(source, measured.response, Y.shape, PRISM["response"], measured.note)]
    if structures:
        Y, drugs = with_structures(Y, drugs, steps)
    tables = {}
    for name in chosen(omics, (*OMICS, "dependency"), source):
        if name == "dependency":
            target = source.choice("gene-dependency", "target")
            tables[name] = sources.dependency(source, target)
        else:
            tables[name] = sources.read_omics(source, ids, name)
        steps.append(Step(name, tables[name].shape, None, notes(tables[name])))
    Y, tables, joined = join(source, Y, tables, PRISM["joined"])
    steps += joined
    return assemble(source, "prism", measured.response, lines, ids, Y, tables, drugs, steps)
