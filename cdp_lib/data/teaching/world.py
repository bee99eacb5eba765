"""The whole simulated world: lines, responses, the NCI-60-like panel, the graph and the gene sets.

Two genes interact with odds w_g w_h, eight times higher within a module; the weights w follow a
Pareto law, so that a few genes have very many partners, as in real interaction maps. A gene set is
its module with a few genes missing and a few strangers; eight sets are all strangers.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdp_lib.data.teaching.omics import Lines, simulate_lines
from cdp_lib.data.teaching.responses import (
    Response,
    simulate_dependency,
    simulate_drugs,
    simulate_pairs,
    simulate_prism,
    standard,
)
from cdp_lib.data.teaching.synergy import simulate_synergy
from cdp_lib.data.teaching.xenografts import Xenografts, simulate_xenografts


@dataclass(frozen=True)
class World:
    """All that is simulated, before it is written to files."""

    seed: int
    lines: Lines
    dependency: Response
    effect: pd.DataFrame  # measured gene effect, (lines, genes)
    drugs: Response
    prism: pd.DataFrame
    wells: pd.DataFrame  # long: line, drug_a, drug_b, dose_a, dose_b, growth
    pairs: Response
    panel: dict[str, pd.DataFrame]  # expression, microrna, protein of the panel's lines
    edges: pd.DataFrame  # gene_a, gene_b
    pathways: dict[str, list[str]]
    synergy: pd.DataFrame  # long: line, drug_a, drug_b, synergy, fold
    xenografts: Xenografts


def simulate(lines: int, genes: int, perturbed: int, drugs: int, seed: int) -> World:
    """Draw everything; each part has its own stream of random numbers."""
    base = simulate_lines(lines, genes, seed)
    dependency, effect = simulate_dependency(base, perturbed, seed)
    response = simulate_drugs(base, drugs, seed)
    wells, pairs = simulate_pairs(base, response, seed)
    return World(
        seed=seed,
        lines=base,
        dependency=dependency,
        effect=effect,
        drugs=response,
        prism=simulate_prism(response, seed),
        wells=wells,
        pairs=pairs,
        panel=simulate_panel(base, seed),
        edges=draw_edges(base, np.random.default_rng([seed, 9])),
        pathways=draw_pathways(base, np.random.default_rng([seed, 10])),
        synergy=simulate_synergy(base, response, seed),
        xenografts=simulate_xenografts(base, response, seed),
    )


def simulate_panel(world: Lines, seed: int) -> dict[str, pd.DataFrame]:
    """Three tables of the panel's lines; microRNAs lower a module, proteins follow their gene."""
    rng = np.random.default_rng([seed, 8])
    on = world.lines["panel_name"] != ""
    names = pd.Index(world.lines.loc[on, "panel_name"], name="line")
    expression = world.omics["expression"][on].set_axis(names)
    modules = rng.integers(0, world.activity.shape[1], 60)
    activity = standard(world.activity.to_numpy())[on.to_numpy()][:, modules]
    microrna = 6 - 0.6 * activity + rng.normal(0, 0.8, activity.shape)
    genes = expression.columns[expression.gt(0).all()][:150]
    values = expression[genes].to_numpy()
    protein = 5 + 0.15 * (values - values.mean(axis=0)) + rng.normal(0, 0.15, values.shape)
    return {
        "expression": expression,
        "microrna": pd.DataFrame(microrna, names, [f"sim-miR-{i + 1}" for i in range(60)]),
        "protein": pd.DataFrame(protein, names, genes),
    }


def draw_edges(world: Lines, rng: np.random.Generator, mean_degree: float = 8) -> pd.DataFrame:
    """Interactions, each once."""
    genes, module = world.genes.index, world.genes["module"].to_numpy()
    weight = 1 + rng.pareto(1.8, len(genes))
    a, b = np.triu_indices(len(genes), k=1)
    odds = weight[a] * weight[b] * np.where((module[a] == module[b]) & (module[a] != ""), 8, 1)
    chance = np.minimum(1, odds * mean_degree * len(genes) / 2 / odds.sum())
    hit = rng.random(len(a)) < chance
    return pd.DataFrame({"gene_a": genes[a[hit]], "gene_b": genes[b[hit]]})


def draw_pathways(world: Lines, rng: np.random.Generator) -> dict[str, list[str]]:
    """Gene sets near the true modules, and eight that mean nothing."""
    genes = world.genes.index
    sets = {}
    for name, members in world.modules.items():
        kept = [g for g in members if rng.random() < 0.9]
        strangers = rng.choice(genes.difference(members), 3, replace=False)
        sets[f"TEACHING_{name}"] = [*kept, *strangers]
    for i in range(8):
        sets[f"TEACHING_DECOY_{i + 1}"] = list(rng.choice(genes, 20, replace=False))
    return sets
