"""Expression -> gene dependency, as itzhacky2021 and bodinier2025 use it."""

from collections.abc import Iterable
from numbers import Real

import pandas as pd

from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import assemble, chosen, join
from cdp_lib.data.studies.lists import keep_listed
from cdp_lib.data.studies.sources import Source, notes, step
from cdp_lib.data.studies.tables import OMICS
from cdp_lib.errors import InputError

# What the paper reports: (lines, features) or (lines, perturbations).
ITZHACKY = {
    "probability": (689, 18_333),
    "effect": (689, 18_333),
    "expression": (1_249, 19_144),
    "complete": (630, 18_239),
    "variable": (630, 4_902),
    "dense": (630, 17_040),
}


def gene_dependency(
    source: Source,
    omics: Iterable[str] = ("expression",),
    target: str | None = None,
    release: str | None = None,
    complete_lines: bool = False,
    shared_genes: bool = False,
    min_sd: float | None = None,
    max_zeros: float | None = None,
    perturbations: str | Iterable[str] | None = None,
) -> Cohort:
    """Expression -> what happens when a gene is knocked out (itzhacky2021, bodinier2025).

    `target`: "probability" that a line needs the gene, or the gene "effect" (0 none, -1 as strong
    as a common essential gene); the pocket edition knows the effect only. `release`: 19Q4 or 23Q4.
    The published filters, the last two of which look at all lines: `complete_lines` drops lines
    with a missing value, `shared_genes` genes that are not in every table, `min_sd` (0.1) genes
    whose response hardly varies, `max_zeros` (0.8) features that are mostly 0. `perturbations`
    keeps a paper's own genes ("perturbations of task 1" of bodinier2025), or those that are named.
    """
    target = source.choice("gene-dependency", "target", target)
    release = source.choice("gene-dependency", "release", release)
    for option, value in {"min_sd": min_sd, "max_zeros": max_zeros}.items():
        if value is not None and not isinstance(value, Real):
            raise InputError(f"{option}={value!r} is no number: give one such as 0.1.")
    paper = {} if release == "23Q4" else ITZHACKY
    lines, ids = sources.read_lines(source, release)
    Y = sources.dependency(source, target, release)
    steps = [step(source, f"gene {target}, {release}", Y.shape, paper.get(target), notes(Y))]
    tables = {}
    for name in chosen(omics, OMICS, source):
        tables[name] = sources.read_omics(source, ids, name, release)
        shape = tables[name].shape
        steps.append(step(source, name, shape, paper.get(name), notes(tables[name])))
    if complete_lines:
        whole = Y.notna().all(axis=1)
        Y = Y[whole]
        steps.append(
            Step(
                "lines with a complete response",
                Y.shape,
                None,
                f"{(~whole).sum()} lines with missing values dropped",
            )
        )
    if shared_genes:
        genes = Y.columns
        for table in tables.values():
            genes = genes[genes.isin(table.columns)]
        Y, tables = Y[genes], {name: table[genes] for name, table in tables.items()}
        steps.append(Step("genes in every table", Y.shape, None, ""))
    Y, tables, joined = join(source, Y, tables, paper.get("complete"))
    steps += joined
    if perturbations is not None:
        Y = keep_listed(source, Y, Y.columns.to_series(), perturbations, steps)
    if min_sd is not None:
        Y = Y.loc[:, Y.std() > min_sd]
        steps.append(
            step(
                source,
                f"genes with sd > {min_sd}",
                Y.shape,
                paper.get("variable"),
                "chosen on all lines",
            )
        )
    if max_zeros is not None:
        for name, table in tables.items():
            tables[name] = table.loc[:, (table == 0).mean() <= max_zeros]
            steps.append(
                step(
                    source,
                    f"{name} with at most {max_zeros:.0%} zeros",
                    tables[name].shape,
                    paper.get("dense"),
                    "chosen on all lines",
                )
            )
    genes = pd.DataFrame({"kind": "gene", "group": Y.columns}, index=Y.columns)
    meaning = {
        "probability": "probability that the line needs the gene",
        "effect": "gene effect (0: none, -1: common essential)",
    }
    return assemble(
        source,
        "gene-dependency",
        meaning[target],
        lines,
        ids,
        Y,
        tables,
        genes,
        steps,
        lower_is_sensitive=target == "effect",
    )
