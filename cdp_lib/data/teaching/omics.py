r"""Simulated lines and their omics: the first half of the teaching cohort.

A line i of lineage t(i) and donor s(i) has an activity in each module k (a pathway):

    A_ik = T_{t(i)k} + z_ik + sum_d e_d m_id [module(d) = k]

with driver mutations m_id and their effects e_d. Everything a line is made of (z, the mutations,
the copy number) is drawn so that lines of one donor share most of it: z = sqrt(r) z_donor +
sqrt(1 - r) z_line. Expression, in log2(TPM + 1), is

    X_ig = max(0, mu_g + l_g A_{i k(g)} + 0.8 c_ig + L_{t(i)g} + B_{b(i)g} + noise)

with copy number c, a lineage term L and a batch term B. Antibodies (RPPA) and metabolites follow
their gene or module by half; the other half is their own and can be read nowhere else.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.ids import nci60_lines
from cdp_lib.errors import InputError

HERE = Path(__file__).parent
TWIN_LINEAGES = ("central_nervous_system", "ovary", "skin")  # twins of the NCI-60 panel
KINSHIP = 0.85  # share of a line's own variation that lines of one donor have in common


@dataclass(frozen=True)
class Lines:
    """What is simulated about the lines; the tables share the index `lines.index`."""

    lines: pd.DataFrame  # name, lineage, donor, batch, panel_name
    genes: pd.DataFrame  # module, loading, mean, by gene
    modules: dict[str, list[str]]
    activity: pd.DataFrame  # (lines, modules)
    omics: dict[str, pd.DataFrame]  # expression, mutation, copy_number, rppa, metabolites


def facts() -> dict:
    """Lineages, drivers, paralogs, modules: what stands in genes.toml."""
    return tomllib.loads((HERE / "genes.toml").read_text(encoding="utf-8"))


def drug_facts() -> pd.DataFrame:
    """Sixty compounds: structure, protein targets, and what their simulated effect hangs on."""
    table = pd.read_csv(HERE / "drugs.csv", dtype=str, keep_default_na=False)
    for column in ("targets", "biomarkers"):
        table[column] = table[column].str.split(";")
    return table.set_index("name")


def simulate_lines(lines: int, genes: int, seed: int) -> Lines:
    """Draw the lines, their modules and the five omics tables."""
    known = facts()
    names = choose_genes(genes, known)
    table = draw_lines(np.random.default_rng([seed, 1]), lines, known)
    modules = {
        k: [g for g in members if g in set(names)] for k, members in known["modules"].items()
    }
    rng = np.random.default_rng([seed, 2])
    copy_number = draw_copy_number(rng, table, names, known)
    mutation = draw_mutations(rng, table, names, known).where(copy_number > -1.5, 0)  # deleted
    activity = draw_activity(rng, table, mutation, known)
    gene_table = draw_genes(rng, names, modules)
    expression = draw_expression(rng, table, gene_table, activity, copy_number)
    rppa = draw_rppa(rng, table, gene_table, activity, expression)
    metabolites = draw_metabolites(rng, table, activity, known)
    omics = {
        "expression": expression,
        "mutation": mutation,
        "copy_number": copy_number,
        "rppa": rppa,
        "metabolites": metabolites,
    }
    return Lines(table, gene_table, modules, activity, omics)


def choose_genes(n: int, known: dict) -> list[str]:
    """The genes that drugs, drivers and paralogs need, then the modules' genes in turn."""
    drugs = drug_facts()
    needed = [*known["drivers"], *known["focal"], *known["essential"]["genes"]]
    needed += [g for pair in known["paralogs"]["pairs"] for g in pair]
    needed += [g for targets in drugs["targets"] for g in targets]
    features = drugs.loc[drugs["omics"] != "metabolites", "biomarkers"]
    needed += [g.removesuffix("_p") for markers in features for g in markers]
    needed = unique(needed)
    if n < len(needed):
        raise InputError(
            f"The teaching cohort was asked for {n} genes, but its drugs, drivers and paralogs "
            f"need {len(needed)}: ask for at least that many."
        )
    turns = zip_longest(*known["modules"].values())
    others = unique(g for turn in turns for g in turn if g)
    names = unique([*needed, *others])[:n]
    return names + [f"SIM{i:05d}" for i in range(n - len(names))]


def unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def draw_lines(rng: np.random.Generator, n: int, known: dict) -> pd.DataFrame:
    """Donors with a lineage, some of them with two or three lines; batches; an NCI-60 panel."""
    if n < 60:
        raise InputError(
            f"The teaching cohort was asked for {n} lines: ask for at least 60, so that every "
            f"lineage has some."
        )
    families = [3] * max(1, n // 120) + [2] * (n // 24)
    sizes = np.array([1] * (n - sum(families)) + families[::-1])  # lines of each donor
    names = list(known["lineages"])
    share = np.array([known["lineages"][k]["share"] for k in names])
    counts = np.floor(share * len(sizes)).astype(int)
    counts[0] += len(sizes) - counts.sum()
    lineage = rng.permutation(np.repeat(names, counts))  # of each donor
    for twins, wanted in enumerate(TWIN_LINEAGES, start=n - sum(families)):
        other = np.flatnonzero(lineage == wanted)[-1]
        lineage[[twins, other]] = lineage[[other, twins]]
    donor = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))  # of each line
    table = pd.DataFrame({"lineage": lineage[donor], "donor": donor})
    table["batch"] = rng.integers(0, 3, n)
    hyphen = ["-" if i % 5 < 3 else "" for i in range(n)]  # as in the names of GDSC: most have one
    table["name"] = [f"TL{hyphen[i]}{i + 1:03d}" for i in range(n)]
    table["panel_name"] = name_panel(table, np.flatnonzero(sizes == 2)[: len(TWIN_LINEAGES)])
    table["donor"] = [f"SIDP9{i:04d}" for i in donor]
    table.index = pd.Index([f"ACH-9{i + 1:05d}" for i in range(n)], name="line")
    return table


def name_panel(table: pd.DataFrame, twins: np.ndarray) -> pd.Series:
    """Names of the NCI-60 for one line of a donor each, twins' names for twins, "" for the rest.

    The name only says which panel a simulated line stands in; nothing is known of the real one.
    """
    panel = nci60_lines().drop("MDA-N")  # 60 lines; ALMANAC has no MDA-N
    shared = panel["donor"].duplicated(keep=False)
    names = pd.Series("", index=table.index)
    for lineage, lines in table.groupby("lineage", sort=False):
        here = panel["tissue"] == lineage
        pair = lines.index[lines["donor"].isin(twins)]
        single = lines.index[~lines["donor"].isin(twins)]
        single = single[~lines.loc[single, "donor"].duplicated()]
        for wanted, rows in ((here & shared, pair), (here & ~shared, single)):
            wanted = panel.index[wanted]
            k = min(len(wanted), len(rows))
            names.loc[rows[:k]] = wanted[:k]
    return names


def kin(rng: np.random.Generator, table: pd.DataFrame, columns: int) -> np.ndarray:
    """Standard normal, (lines, columns); lines of one donor correlate by KINSHIP."""
    donor, _ = pd.factorize(table["donor"])
    common = rng.standard_normal((donor.max() + 1, columns))[donor]
    own = rng.standard_normal((len(table), columns))
    return np.sqrt(KINSHIP) * common + np.sqrt(1 - KINSHIP) * own


def uniform_kin(rng: np.random.Generator, table: pd.DataFrame, columns: int) -> np.ndarray:
    """As `kin`, brought to [0, 1]: a copula for events that lines of one donor share."""
    from scipy.special import ndtr

    return ndtr(kin(rng, table, columns))


def rates(events: dict, table: pd.DataFrame, names: list[str]) -> np.ndarray:
    """How likely each event is in each line: overall, or in the line's lineage. (lines, events)"""
    return np.array(
        [[events[g].get(lineage, events[g]["rate"]) for g in names] for lineage in table["lineage"]]
    )


def draw_mutations(rng, table: pd.DataFrame, names: list[str], known: dict) -> pd.DataFrame:
    """0/1, drivers by their rates, passengers by the line's burden. (lines, genes)"""
    burden = 0.02 * np.exp(0.6 * kin(rng, table, 1))  # (lines, 1)
    chance = np.broadcast_to(burden, (len(table), len(names))).copy()
    drivers = [g for g in names if g in known["drivers"]]
    chance[:, [names.index(g) for g in drivers]] = rates(known["drivers"], table, drivers)
    mutated = uniform_kin(rng, table, len(names)) < chance
    return pd.DataFrame(mutated.astype(np.int8), index=table.index, columns=names)


def draw_activity(rng, table: pd.DataFrame, mutation: pd.DataFrame, known: dict) -> pd.DataFrame:
    """The activity of each module in each line. (lines, modules)"""
    names = list(known["modules"])
    typical = rng.normal(0, 0.7, (len(known["lineages"]), len(names)))
    for lineage, module in (
        ("skin", "MELANOCYTE_DIFFERENTIATION"),
        ("blood", "HEMATOPOIESIS"),
        ("breast", "ESTROGEN_RESPONSE"),
        ("prostate", "ANDROGEN_RESPONSE"),
    ):
        typical[list(known["lineages"]).index(lineage), names.index(module)] = 2.5
    lineage = pd.Categorical(table["lineage"], list(known["lineages"])).codes
    values = typical[lineage] + 0.8 * kin(rng, table, len(names))
    activity = pd.DataFrame(values, index=table.index, columns=names)
    for gene, driver in known["drivers"].items():
        activity[driver["module"]] += driver["effect"] * mutation[gene]
    return activity


def draw_copy_number(rng, table: pd.DataFrame, names: list[str], known: dict) -> pd.DataFrame:
    """log2 of the copy ratio: 40 simulated arms gained or lost, and focal events. (lines, genes)"""
    arm = rng.integers(0, 40, len(names))
    level = rng.choice([-0.5, 0.0, 0.4, 0.8], size=(40,), p=[0.2, 0.4, 0.3, 0.1])
    hit = uniform_kin(rng, table, 40) < 0.35
    values = np.where(hit, level, 0.0)[:, arm] + rng.normal(0, 0.08, (len(table), len(names)))
    focal = [g for g in names if g in known["focal"]]
    event = uniform_kin(rng, table, len(focal)) < rates(known["focal"], table, focal)
    size = np.array([2.2 if known["focal"][g]["sign"] > 0 else -2.5 for g in focal])
    values[:, [names.index(g) for g in focal]] += event * size
    return pd.DataFrame(values.clip(-4, 4), index=table.index, columns=names)


def draw_genes(rng, names: list[str], modules: dict[str, list[str]]) -> pd.DataFrame:
    """Each gene's module, loading and mean expression; one in twelve is silent in most lines."""
    home = {gene: module for module, members in modules.items() for gene in members}
    genes = pd.DataFrame(index=pd.Index(names, name="gene"))
    genes["module"] = [home.get(g, "") for g in names]
    genes["loading"] = rng.uniform(0.3, 1.0, len(names)) * (genes["module"] != "")
    silent = rng.random(len(names)) < 0.08
    genes["mean"] = np.where(
        silent, rng.normal(-0.9, 0.3, len(names)), rng.normal(4.0, 1.6, len(names)).clip(0.5)
    )
    return genes


def draw_expression(rng, table, genes, activity, copy_number) -> pd.DataFrame:
    """log2(TPM + 1), never below 0. (lines, genes)"""
    shape = (len(table), len(genes))
    padded = activity.assign(**{"": 0.0})
    lineage, _ = pd.factorize(table["lineage"], sort=True)
    per_lineage = rng.normal(0, 0.45, (lineage.max() + 1, len(genes)))
    per_batch = rng.normal(0, 0.45, (3, len(genes)))
    values = (
        genes["mean"].to_numpy()
        + genes["loading"].to_numpy() * padded[genes["module"]].to_numpy()
        + 0.8 * copy_number.to_numpy()
        + per_lineage[lineage]
        + per_batch[table["batch"]]
        + 0.55 * kin(rng, table, len(genes))
        + rng.normal(0, 0.2, shape)
    )
    return pd.DataFrame(values.clip(0), index=table.index, columns=genes.index)


def draw_rppa(rng, table, genes, activity, expression) -> pd.DataFrame:
    """Antibodies: total protein follows the gene, phospho-protein ("_p") its module."""
    drugs = drug_facts()
    markers = unique(m for row in drugs.loc[drugs["omics"] == "rppa", "biomarkers"] for m in row)
    kinases = ["MAPK1_p", "MAP2K1_p", "RPS6_p", "EIF4EBP1_p", "CHEK1_p", "STAT5A_p", "RB1_p"]
    kinases = [name for name in kinases if name.removesuffix("_p") in genes.index]
    totals = [g for g in genes.index[genes["module"] != ""] if g not in markers]
    names = unique([*markers, *kinases, *totals])[:100]
    source = np.empty((len(table), len(names)))
    for j, name in enumerate(names):
        gene = name.removesuffix("_p")
        column = activity[genes.at[gene, "module"]] if name.endswith("_p") else expression[gene]
        source[:, j] = (column - column.mean()) / max(column.std(), 1e-6)
    per_batch = rng.normal(0, 0.25, (3, len(names)))
    values = 0.5 * source + 0.75 * kin(rng, table, len(names)) + per_batch[table["batch"]]
    values += rng.normal(0, 0.15, values.shape)
    return pd.DataFrame(values, index=table.index, columns=names)


def draw_metabolites(rng, table, activity, known) -> pd.DataFrame:
    """log10 of the abundance, each metabolite following its module by half. (lines, metabolites)"""
    source = [(m, module) for module, members in known["metabolites"].items() for m in members]
    names = [name for name, _ in source]
    follow = activity[[module for _, module in source]]
    follow = ((follow - follow.mean()) / follow.std()).to_numpy()
    own = kin(rng, table, len(names))
    values = 5.9 + 0.15 * follow + 0.25 * own + rng.normal(0, 0.06, own.shape)
    return pd.DataFrame(values, index=table.index, columns=names)
