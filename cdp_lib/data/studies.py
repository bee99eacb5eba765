"""From files to a cohort: the four studies, each one recipe for every edition.

    read each table -> bring its lines to ACH ids -> keep the lines that all have -> Cohort

Every recipe writes down the shape after each step beside the shape that the paper reports
(`cohort.describe()`). No recipe scales, filters or fills a table by what it saw in all lines unless
it was asked to by an option whose name says so; a feature with missing cells is dropped, and noted.
"""

import inspect
from collections.abc import Iterable

import pandas as pd

from cdp_lib.data import drugs as drug_tables
from cdp_lib.data import readers, sources, teaching
from cdp_lib.data.assembly import (
    assemble,
    by_name,
    check,
    check_number,
    chosen,
    join,
    nearest,
    truth,
    whole_columns,
    with_structures,
)
from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.ids import nci60_lines
from cdp_lib.data.pairs import PairScreen
from cdp_lib.data.sources import Source, notes, step
from cdp_lib.errors import InputError

EDITIONS = ("teaching", "pocket", "official")
SIZES = ("lines", "genes", "perturbed", "drugs", "seed")  # of the teaching cohort

# What the papers report: (lines, features) or (lines, perturbations).
ITZHACKY = {"probability": (689, 18_333), "effect": (689, 18_333), "expression": (1_249, 19_144),
            "complete": (630, 18_239), "variable": (630, 4_902), "dense": (630, 17_040)}
WANG = {"expression": (1_210, 19_145), "mutation": (1_656, 18_789), "copy_number": (987, 25_638),
        "rppa": (899, 215), "metabolites": (928, 227), "response": (810, 175), "joined": (522, 22)}
XIA = {"expression": (59, 25_723), "microrna": (59, 454), "protein": (59, 9_760)}
PRISM = {"response": (578, 4_518), "joined": (524, 3_464)}


def load(study: str, data: str = "teaching", **options: object) -> Cohort:
    """The cohort (for drug pairs: the screen) of a study, in one of its three editions.

    Studies: gene-dependency, drug-response, drug-pairs, prism. Options are those of the recipe
    of the same name in this module; the teaching edition also takes its sizes (lines, genes,
    perturbed, drugs, seed).
    """
    if study not in list(STUDIES):
        raise InputError(f"There is no study {study!r}{nearest(study, STUDIES)}.")
    if data not in EDITIONS:
        raise InputError(f"There is no edition {data!r}{nearest(data, EDITIONS)}.")
    recipe = STUDIES[study]
    known = list(inspect.signature(recipe).parameters)[1:]
    known += SIZES if data == "teaching" else ()
    for name in options:
        if name not in known:
            raise InputError(
                f"The study {study!r} ({data} edition) has no option {name!r}"
                f"{nearest(name, known)}."
            )
    if data != "teaching":
        return recipe(Source(data), **options)
    sizes = {name: options.pop(name) for name in SIZES if name in options}
    return recipe(Source(data, teaching.root(**sizes)), **options)


def gene_dependency(
    source: Source,
    omics: Iterable[str] = ("expression",),
    target: str | None = None,
    release: str | None = None,
    complete_lines: bool = False,
    shared_genes: bool = False,
    min_sd: float | None = None,
    max_zeros: float | None = None,
) -> Cohort:
    """Expression -> what happens when a gene is knocked out (itzhacky2021, bodinier2025).

    `target`: "probability" that a line needs the gene, or the gene "effect" (0 none, -1 as strong
    as a common essential gene); the pocket edition knows the effect only. `release`: 19Q4 or 23Q4.
    The published filters, the last two of which look at all lines: `complete_lines` drops lines
    with a missing value, `shared_genes` genes that are not in every table, `min_sd` (0.1) genes
    whose response hardly varies, `max_zeros` (0.8) features that are mostly 0.
    """
    target = target or ("effect" if source.pocket else "probability")
    release = release or ("20Q2" if source.pocket else "19Q4")
    check("target", target, ("effect",) if source.pocket else ("probability", "effect"), source)
    check("release", release, ("20Q2",) if source.pocket else ("19Q4", "23Q4"), source)
    check_number("min_sd", min_sd)
    check_number("max_zeros", max_zeros)
    paper = {} if release == "23Q4" else ITZHACKY
    lines, ids = sources.read_lines(source, release)
    Y = sources.dependency(source, target, release)
    steps = [step(source, f"gene {target}, {release}", Y.shape, paper.get(target), notes(Y))]
    tables = {}
    for name in chosen(omics, sources.OMICS, source):
        if source.pocket and name == "expression":
            tables[name] = sources.expression_462(source)
        else:
            tables[name] = sources.read_omics(source, ids, name, release)
        shape = tables[name].shape
        steps.append(step(source, name, shape, paper.get(name), notes(tables[name])))
    if complete_lines:
        whole = Y.notna().all(axis=1)
        Y = Y[whole]
        steps.append(Step("lines with a complete response", Y.shape, None,
                          f"{(~whole).sum()} lines with missing values dropped"))
    if shared_genes:
        genes = Y.columns
        for table in tables.values():
            genes = genes[genes.isin(table.columns)]
        Y, tables = Y[genes], {name: table[genes] for name, table in tables.items()}
        steps.append(Step("genes in every table", Y.shape, None, ""))
    Y, tables, joined = join(source, Y, tables, paper.get("complete"))
    steps += joined
    if min_sd is not None:
        Y = Y.loc[:, Y.std() > min_sd]
        steps.append(step(source, f"genes with sd > {min_sd}", Y.shape, paper.get("variable"),
                          "chosen on all lines"))
    if max_zeros is not None:
        for name, table in tables.items():
            tables[name] = table.loc[:, (table == 0).mean() <= max_zeros]
            steps.append(step(source, f"{name} with at most {max_zeros:.0%} zeros",
                              tables[name].shape, paper.get("dense"), "chosen on all lines"))
    genes = pd.DataFrame({"kind": "gene", "group": Y.columns}, index=Y.columns)
    meaning = {"probability": "probability that the line needs the gene",
               "effect": "gene effect (0: none, -1: common essential)"}
    return assemble(source, "gene-dependency", meaning[target], lines, ids, Y, tables, genes,
                    steps, lower_is_sensitive=target == "effect")


def drug_response(
    source: Source,
    omics: Iterable[str] | None = None,
    screen: str | None = None,
    release: str | None = None,
    structures: bool = False,
) -> Cohort:
    """Five omics -> ln IC50 (uM) of GDSC (wang2022, dong2020, bodinier2025).

    `omics`: any of expression, mutation, copy_number, rppa, metabolites; by default all, in the
    pocket edition all but copy_number, which leaves 274 of its 480 lines; `omics=()` keeps every
    line of the screen. `screen` ("GDSC1 25Feb20" by default) and `release` (19Q4 by default, 19Q3,
    23Q4) name the official releases of the responses and of DepMap's omics; the pocket edition has
    one of each. `structures=True` keeps drugs with known SMILES.
    """
    if source.pocket:
        for option, value in {"screen": screen, "release": release}.items():
            check(option, value, (None,), source)
    else:
        screen, release = screen or drug_tables.SCREENS[0], release or "19Q4"
        screens = drug_tables.SCREENS[: 1 if source.edition == "teaching" else None]
        check("screen", screen, screens, source)
        check("release", release, sources.RELEASES, source)
    if omics is None:
        omics = [name for name in sources.OMICS if not (source.pocket and name == "copy_number")]
    lines, ids = sources.read_lines(source, release)
    Y, drugs, said = drug_tables.ln_ic50(source, ids, screen)
    steps = [step(source, "ln IC50", Y.shape, WANG["response"], said)]
    drugs = drug_tables.describe(drugs.assign(drug_id=drugs.index))
    label = drug_tables.labelled(drugs)
    Y, drugs = Y.set_axis(label.loc[Y.columns], axis=1), drugs.set_axis(label)
    if structures:
        Y, drugs = with_structures(Y, drugs, steps)
    tables = {}
    for name in chosen(omics, sources.OMICS, source) if omics else ():
        tables[name] = sources.read_omics(source, ids, name, release)
        shape = tables[name].shape
        steps.append(step(source, name, shape, WANG[name], notes(tables[name])))
    Y, tables, joined = join(source, Y, tables, WANG["joined"])
    return assemble(source, "drug-response", "ln IC50 (uM)", lines, ids, Y, tables, drugs,
                    [*steps, *joined])


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
        readers.prism_treatments, "prism-19q4",
        "primary-screen-replicate-collapsed-treatment-info.csv")
    if source.pocket:
        long = source.read(readers.prism_auc, "prism-pocket", "rep-gdsc-ctd2-mean-log.csv")
        match = ids.to_ach(long["line"].unique(), "name")
        wide = long.pivot_table("prism_auc", "line", "drug", sort=False)
        Y, said = match.rename(wide), match.note
        drugs = by_name(treatments, Y.columns)
        word = "AUC (PRISM secondary screen)"
    else:
        Y = source.read(readers.prism_logfold, "prism-19q4",
                        "primary-screen-replicate-collapsed-logfold-change.csv")
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


def drug_pairs(
    source: Source,
    omics: Iterable[str] = ("expression", "microrna", "protein"),
    singles: bool = False,
    structures: bool = False,
) -> PairScreen:
    """Omics of the NCI-60 -> growth under two drugs (xia2018); pocket: ALMANAC's ComboScore.

    `singles=True` adds each drug alone as the pair "A + A" (not in the pocket edition).
    """
    if singles:
        check("singles", singles, (False,) if source.pocket else (True, False), source)
    long, said = drug_tables.almanac(source, singles)
    n_pairs = len(long[["nsc_a", "nsc_b"]].drop_duplicates())
    steps = [Step("drug pairs", (long["line"].nunique(), n_pairs), None, said)]
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
    higher_is_synergy = source.pocket
    return PairScreen.from_tables(
        long, tables, nci60_lines(), drugs, name="drug-pairs", edition=source.edition,
        study="drug-pairs", steps=steps, extras=sources.knowledge(source),
        response="ComboScore (positive: more than additive)" if higher_is_synergy
        else "lowest growth over doses (fraction of untreated)",
        lower_is_sensitive=not higher_is_synergy, truth=truth(source))


STUDIES = {"gene-dependency": gene_dependency, "drug-response": drug_response,
           "drug-pairs": drug_pairs, "prism": prism}
