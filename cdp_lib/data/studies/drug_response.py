"""Five omics -> ln IC50 of GDSC, as wang2022, dong2020 and bodinier2025 use them."""

from collections.abc import Iterable

from cdp_lib.data.cohort import Cohort
from cdp_lib.data.studies import drugs as drug_tables
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import assemble, chosen, join, with_structures
from cdp_lib.data.studies.lists import keep_listed
from cdp_lib.data.studies.sources import Source, notes, step
from cdp_lib.data.studies.tables import OMICS

# What the paper reports: (lines, features) or (lines, perturbations).
WANG = {
    "expression": (1_210, 19_145),
    "mutation": (1_656, 18_789),
    "copy_number": (987, 25_638),
    "rppa": (899, 215),
    "metabolites": (928, 227),
    "response": (810, 175),
    "joined": (522, 22),
}
# How many columns of names the paper counts among its features.
NAME_COLUMNS = {"expression": 1, "rppa": 1, "metabolites": 2}


def drug_response(
    source: Source,
    omics: Iterable[str] | None = None,
    screen: str | None = None,
    release: str | None = None,
    structures: bool = False,
    perturbations: str | Iterable[str] | None = None,
) -> Cohort:
    """Five omics -> ln IC50 (uM) of GDSC (wang2022, dong2020, bodinier2025).

    `omics`: any of expression, mutation, copy_number, rppa, metabolites; by default all, in the
    pocket edition all but copy_number, which leaves 274 of its 480 lines; `omics=()` keeps every
    line of the screen. `screen` ("GDSC1 25Feb20" by default) and `release` (19Q4 by default, 19Q3,
    23Q4) name the official releases of the responses and of DepMap's omics; the pocket edition has
    one of each. `structures=True` keeps drugs with known SMILES, `perturbations` a paper's own
    drugs ("perturbations of task 2" of bodinier2025), or those that are named.
    """
    screen = source.choice("drug-response", "screen", screen)
    release = source.choice("drug-response", "release", release)
    if omics is None:
        omics = source.choice("drug-response", "omics")
    lines, ids = sources.read_lines(source, release)
    Y, drugs, said = drug_tables.ln_ic50(source, ids, screen)
    steps = [step(source, "ln IC50", Y.shape, WANG["response"], said)]
    drugs = drug_tables.describe(drugs.assign(drug_id=drugs.index))
    label = drug_tables.labelled(drugs)
    Y, drugs = Y.set_axis(label.loc[Y.columns], axis=1), drugs.set_axis(label)
    if perturbations is not None:
        Y = keep_listed(source, Y, drugs["name"], perturbations, steps)
        drugs = drugs.loc[Y.columns]
    if structures:
        Y, drugs = with_structures(Y, drugs, steps)
    tables = {}
    for name in chosen(omics, OMICS, source) if omics else ():
        tables[name] = sources.read_omics(source, ids, name, release)
        shape = tables[name].shape
        said = notes(tables[name])
        steps.append(step(source, name, shape, WANG[name], said, names=NAME_COLUMNS.get(name, 0)))
    Y, tables, joined = join(source, Y, tables, WANG["joined"])
    return assemble(
        source, "drug-response", "ln IC50 (uM)", lines, ids, Y, tables, drugs, [*steps, *joined]
    )
