"""Expression -> whether a line needs a gene, yes or no: dependency as classes.

    class = 0 (weak)    where the gene effect is above -0.5
            1           from -0.5 to -1
            2 (strong)  below -1, the effect of common essential genes

The pocket edition holds the classes alone, of nearly every gene; the official and the teaching
edition hold the gene effect, and the classes are cut out of it at these two numbers.
"""

from collections.abc import Iterable

import pandas as pd

from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import assemble, chosen, join
from cdp_lib.data.studies.lists import keep_listed
from cdp_lib.data.studies.sources import Source, notes, step
from cdp_lib.data.studies.tables import OMICS
from cdp_lib.errors import InputError, nearest

RELEASE = {"RNAi": "19Q3"}  # that of CRISPR is an option
AT_LEAST = {"dependency": 1, "strong": 2}


def dependency_classes(
    source: Source,
    omics: Iterable[str] = ("expression",),
    assay: str | None = None,
    at_least: str | None = "dependency",
    release: str | None = None,
    share: tuple[float, float] | None = None,
    perturbations: str | Iterable[str] | None = None,
) -> Cohort:
    """Expression -> 1 where a line needs a gene, 0 where it does not, of nearly every gene.

    `assay`: CRISPR, or in the pocket edition RNAi. `at_least`: what counts as needed, a
    "dependency" (gene effect below -0.5), a "strong" one (below -1), or None for the classes
    themselves, 0, 1 and 2. `release`: 22Q1 in the pocket edition, otherwise 19Q4 or 23Q4.
    `share=(0.05, 0.95)` keeps the genes that such a share of the joined lines needs: it looks
    at all lines. A gene that every line needs, or none, has no score. `perturbations` keeps a
    paper's own genes ("perturbations of task 1" of bodinier2025), or those that are named.
    """
    assay = source.choice("dependency-classes", "assay", assay)
    release = source.choice("dependency-classes", "release", release)
    if at_least is not None and at_least not in AT_LEAST:
        raise InputError(f"There is no class {at_least!r}; {nearest(str(at_least), AT_LEAST)}")
    lines, ids = sources.read_lines(source, release)
    Y = source.lines(f"classes {assay}", ids, release)
    of = RELEASE.get(assay, release)
    steps = [step(source, f"classes by {assay}, {of}", Y.shape, None, notes(Y))]
    tables = {}
    for name in chosen(omics, OMICS, source) if omics else ():
        tables[name] = sources.read_omics(source, ids, name, release)
        steps.append(step(source, name, tables[name].shape, None, notes(tables[name])))
    Y, tables, joined = join(source, Y, tables, None)
    steps += joined
    if perturbations is not None:
        Y = keep_listed(source, Y, Y.columns.to_series(), perturbations, steps)
    if at_least is not None:
        Y = (Y >= AT_LEAST[at_least]).astype("float32").where(Y.notna())
    if share is not None:
        Y = between(Y, share)
        said = "genes that {:.0%} to {:.0%} of the lines need".format(*share)
        steps.append(Step(said, Y.shape, None, "chosen on all lines"))
    genes = pd.DataFrame({"kind": "gene", "group": Y.columns}, index=Y.columns)
    meaning = "needed (1) or not" if at_least else "class of dependency (0 weak, 1, 2 strong)"
    return assemble(
        source,
        "dependency-classes",
        f"{meaning}, {assay}",
        lines,
        ids,
        Y,
        tables,
        genes,
        steps,
        lower_is_sensitive=False,
    )


def between(Y: pd.DataFrame, share: tuple[float, float]) -> pd.DataFrame:
    """The genes that a share of the measured lines between two bounds needs."""
    try:
        low, high = map(float, share)
    except (TypeError, ValueError):
        raise InputError(f"share={share!r} is no pair of numbers: give (0.05, 0.95).") from None
    of_lines = (Y >= 1).sum() / Y.notna().sum().clip(lower=1)  # (genes,)
    return Y.loc[:, of_lines.between(low, high)]
