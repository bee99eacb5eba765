"""From files to a cohort: the studies, each one recipe for every edition.

    read each table -> bring its lines to ACH ids -> keep the lines that all have -> Cohort

Every recipe writes down the shape after each step beside the shape that the paper reports
(`cohort.describe()`). No recipe scales, filters or fills a table by what it saw in all lines unless
it was asked to by an option whose name says so; a feature with missing cells is dropped, and noted.
"""

import inspect

import pandas as pd

from cdp_lib.data.cohort import Cohort
from cdp_lib.data.editions import LOADED
from cdp_lib.data.ids import IdMap
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.dependency_classes import dependency_classes
from cdp_lib.data.studies.draw import drawn
from cdp_lib.data.studies.drug_pairs import drug_pairs
from cdp_lib.data.studies.drug_response import drug_response
from cdp_lib.data.studies.drug_rows import drug_rows
from cdp_lib.data.studies.gene_dependency import gene_dependency
from cdp_lib.data.studies.prism import prism
from cdp_lib.data.studies.sources import source_of
from cdp_lib.data.studies.synergy import synergy
from cdp_lib.data.studies.xenografts import xenografts
from cdp_lib.errors import InputError, nearest

SIZES = ("lines", "genes", "perturbed", "drugs", "seed")  # of the teaching cohort
STUDIES = {
    "gene-dependency": gene_dependency,
    "dependency-classes": dependency_classes,
    "drug-response": drug_response,
    "drug-pairs": drug_pairs,
    "drug-rows": drug_rows,
    "prism": prism,
    "synergy": synergy,
    "xenografts": xenografts,
}


def load(
    study: str,
    data: str = "teaching",
    at_most: dict[str, int | None] | None = None,
    draw: int = 0,
    **options: object,
) -> Cohort:
    """The cohort (for drug pairs: the screen) of a study, in one of its three editions.

    `at_most={"lines": 240, "features": 600, "perturbations": 60}` keeps a part of the joined
    tables, drawn by the seed `draw`; the last step says how much.
    Studies: gene-dependency, dependency-classes, drug-response, drug-pairs, drug-rows, prism,
    synergy, xenografts. Options are those of the recipe of the same name in this package; the
    teaching edition also takes its sizes (lines, genes, perturbed, drugs, seed).
    """
    if study not in list(STUDIES):
        raise InputError(f"There is no study {study!r}; {nearest(study, STUDIES)}")
    if data not in LOADED:
        raise InputError(f"There is no edition {data!r}; {nearest(data, LOADED)}")
    recipe = STUDIES[study]
    known = list(inspect.signature(recipe).parameters)[1:]
    known += SIZES if data == "teaching" else ()
    for name in options:
        if name not in known:
            raise InputError(
                f"The study {study!r} ({data} edition) has no option {name!r};"
                f" {nearest(name, known)}"
            )
    sizes = {name: options.pop(name) for name in SIZES if name in options}
    return drawn(recipe(source_of(data, **sizes), **options), at_most or {}, draw)


def line_names(data: str = "pocket", **sizes: int) -> tuple[pd.DataFrame, IdMap]:
    """What is known of every line (tissue, donor, name), by ACH id, and the map of its spellings.

    `names.to_ach(index)` finds the ACH ids of names of any project, and says which it cannot.
    `sizes` are those of a teaching cohort.
    """
    lines, names = sources.read_lines(source_of(data, **sizes))
    return lines.assign(donor=names.donors(lines.index)), names
