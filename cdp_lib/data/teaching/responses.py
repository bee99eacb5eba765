r"""Simulated responses: the second half of the teaching cohort.

Knocking out gene p moves the growth of line i by the gene effect

    E_ip = base_p - depth_p sigmoid((s_ip - theta_p) / 0.35) + noise
    s_ip = sqrt(w) f_ip + sqrt(1 - w) h_ip

where f is the standardised feature that the dependency hangs on: the gene's own mutation or
amplification (driver), its own expression (addiction), its partner's low expression (paralog),
or a module (pathway); h is a part that no omics shows. The dependency probability is
sigmoid(-(E + 0.5) / 0.1), so genes come out as never, always or selectively needed.

Drug d in line i has

    ln IC50_id = a_d + g_i - b_d f_id - c_d A_{i k(d)} + h_id + noise

with its own potency a (sd 2.2, most of the variance, as in GDSC), the line's general resistance g,
its biomarkers f in one causal omics, the module A of its first target, and a hidden part h.

Two drugs at doses x and y leave the growth of xia2018's reference (min or product of the two
growths) minus a synergy u_ab sigmoid(A_{i k(a)} + A_{i k(b)}), which most pairs do not have.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import expit

from cdp_lib.data.screens import expected_growth
from cdp_lib.data.teaching.omics import Lines, drug_facts, facts, kin
from cdp_lib.errors import InputError

SHOWN = 0.55  # w: share of a signal that some omics shows
EFFECT = {"mutation": 1.0, "copy_number": 1.0}  # b_d of a drug by causal omics; others 0.6
DOSES = np.array([-3.0, -1.5, 0.0])  # ln of the dose over the drug's highest dose
LFC_DOSE = np.log(2.5)  # PRISM's one dose, in uM


@dataclass(frozen=True)
class Response:
    """A response as measured, the same without noise, and what each perturbation hangs on."""

    measured: pd.DataFrame  # (lines, perturbations), NaN where nothing was measured
    noise_free: pd.DataFrame
    causes: pd.DataFrame  # one row a perturbation

    def with_ceiling(self) -> "Response":
        """Add to `causes` the correlation between measured and noise-free: no model beats it."""
        varies = self.noise_free.std() > 1e-6
        ceiling = self.measured.corrwith(self.noise_free).where(varies, 0.0)
        ceiling = ceiling.reindex(self.causes.index)
        return Response(self.measured, self.noise_free, self.causes.assign(ceiling=ceiling))


def standard(values: np.ndarray) -> np.ndarray:
    """Mean 0 and sd 1 in each column; a constant column becomes 0."""
    sd = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(sd > 1e-9, sd, 1.0)


def simulate_dependency(world: Lines, perturbed: int, seed: int) -> tuple[Response, pd.DataFrame]:
    """Dependency probability with its truth, and the measured gene effect."""
    rng = np.random.default_rng([seed, 3])
    causes = choose_causes(rng, world, perturbed)
    shape = (len(world.lines), len(causes))
    shown = np.column_stack([feature(world, cause) for cause in causes.itertuples()])
    signal = np.sqrt(SHOWN) * shown + np.sqrt(1 - SHOWN) * kin(rng, world.lines, shape[1])
    kind = causes["kind"].to_numpy()
    selective = ~np.isin(kind, ["never", "always"])
    depth = np.where(selective, rng.uniform(0.8, 1.4, shape[1]), 0.0)
    theta = rng.uniform(-0.2, 1.2, shape[1])
    base = np.where(kind == "always", -1.25, np.where(selective, -0.15, -0.05))
    base = base + rng.normal(0, 0.06, shape[1])
    truth = base - depth * expit((signal - theta) / 0.35)  # (lines, genes)
    effect = truth + rng.normal(0, 0.14, shape)
    effect[rng.random(shape) < missing_in_some_lines(rng, shape[0])] = np.nan

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=world.lines.index, columns=causes.index)

    response = Response(frame(probability(effect)), frame(probability(truth)), causes)
    return response.with_ceiling(), frame(effect)


def probability(effect: np.ndarray) -> np.ndarray:
    """How likely the line needs the gene, from the gene effect (0: not at all, -1: as all do)."""
    return expit(-(effect + 0.5) / 0.1)


def missing_in_some_lines(rng: np.random.Generator, n: int) -> np.ndarray:
    """One line in twelve lacks a few genes, as in 19Q4 where 59 of 689 do. (lines, 1)"""
    return np.where(rng.random((n, 1)) < 1 / 12, 0.03, 0.0)


def choose_causes(rng: np.random.Generator, world: Lines, n: int) -> pd.DataFrame:
    """For each perturbed gene: kind, the omics and feature it hangs on, sign, module."""
    known, genes = facts(), world.genes
    essential = known["essential"]["genes"]
    partners = {a: b for pair in known["paralogs"]["pairs"] for a, b in (pair, pair[::-1])}
    drivers = {g: "mutation" for g, d in known["drivers"].items() if d["effect"] > 0}
    drivers |= {g: "copy_number" for g, d in known["focal"].items() if d["sign"] > 0}
    named = list(dict.fromkeys([*essential, *partners, *drivers]))
    if n < len(named) or n > len(genes):
        raise InputError(
            f"The teaching cohort was asked to perturb {n} of {len(genes)} genes: ask for a "
            f"number between {len(named)} (its drivers, paralogs and essentials) and {len(genes)}."
        )
    silent = genes.index[genes["mean"] < 0]
    others = [g for g in genes.index if g not in named and g not in silent]
    others = [*rng.permutation(others), *silent][: n - len(named)]
    rows = dict.fromkeys(essential, ("always", "", "", 1.0))
    rows |= {g: ("paralog", "expression", partners[g], -1.0) for g in partners}
    rows |= {g: ("driver", omics, g, 1.0) for g, omics in drivers.items()}
    n_selective = max(0, int(0.29 * n) - sum(row[0] != "always" for row in rows.values()))
    for i, gene in enumerate(others):
        module = genes.at[gene, "module"]
        if i >= n_selective or not module or gene in silent:
            rows[gene] = ("never", "", "", 1.0)
        elif i % 2:
            rows[gene] = ("pathway", "expression", module, 1.0)
        else:
            rows[gene] = ("addiction", "expression", gene, 1.0)
    causes = pd.DataFrame.from_dict(
        rows, orient="index", columns=["kind", "omics", "feature", "sign"]
    )
    causes["pathway"] = genes["module"].reindex(causes.index)
    return causes.sort_index().rename_axis("perturbation")


def feature(world: Lines, cause) -> np.ndarray:
    """The standardised feature that a gene's dependency hangs on. (lines,)"""
    if not cause.feature:
        return np.zeros(len(world.lines))
    table = world.activity if cause.kind == "pathway" else world.omics[cause.omics]
    return cause.sign * standard(table[cause.feature].to_numpy(float))


def simulate_drugs(world: Lines, drugs: int, seed: int) -> Response:
    """ln IC50 (uM) with its truth; 5 to 10 % of the cells were not measured."""
    known = drug_facts()
    if not 2 <= drugs <= len(known):
        raise InputError(
            f"The teaching cohort was asked for {drugs} drugs: it knows {len(known)} compounds, "
            f"ask for 2 to {len(known)}."
        )
    rng = np.random.default_rng([seed, 4])
    known = known.iloc[:drugs]
    shape = (len(world.lines), drugs)
    module = world.genes["module"].reindex([targets[0] for targets in known["targets"]])
    shown = np.column_stack([biomarkers(world, drug) for drug in known.itertuples()])
    pathway = standard(world.activity[module].to_numpy())
    growth = standard(world.activity[["G2M_CHECKPOINT", "E2F_TARGETS"]].to_numpy()).mean(axis=1)
    resistance = 0.45 * kin(rng, world.lines, 1) - 0.40 * growth[:, None]  # (lines, 1)
    potency = 2.2 * standard(rng.standard_normal(drugs)) + 1.5
    scale = rng.uniform(0.7, 1.3, drugs)
    strength = known["omics"].map(EFFECT).fillna(0.6).to_numpy()
    truth = (
        potency
        + resistance
        + scale * (strength * shown - 0.20 * pathway + 0.60 * kin(rng, world.lines, drugs))
    )
    measured = truth + rng.normal(0, 0.75, shape)
    measured[rng.random(shape) < rng.beta(2, 25, (shape[0], 1))] = np.nan
    causes = pd.DataFrame(
        {
            "omics": known["omics"],
            "features": known["biomarkers"],
            "sign": known["sign"],
            "pathway": module.to_numpy(),
            "potency": potency,
            "moa": known["moa"],
        }
    )

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=world.lines.index, columns=known.index)

    return Response(frame(measured), frame(truth), causes).with_ceiling()


def biomarkers(world: Lines, drug) -> np.ndarray:
    """The drug's biomarkers in its causal omics, standardised; + means more resistant. (lines,)"""
    values = world.omics[drug.omics][drug.biomarkers].to_numpy(float)
    joint = values.max(axis=1) if drug.omics == "mutation" else standard(values).mean(axis=1)
    return (1.0 if drug.sign == "+" else -1.0) * standard(joint)


def simulate_prism(drugs: Response, seed: int) -> pd.DataFrame:
    """log2 fold change at 2.5 uM from the same noise-free response; a sixth of the lines absent."""
    rng = np.random.default_rng([seed, 5])
    truth = drugs.noise_free
    killed = expit((LFC_DOSE - truth.to_numpy()) / 1.2)
    values = -2.5 * killed + rng.normal(0, 0.35, truth.shape)
    values[rng.random(truth.shape) < 0.05] = np.nan
    table = pd.DataFrame(values, index=truth.index, columns=truth.columns)
    return table.loc[np.sort(rng.permutation(truth.index)[: len(truth) * 5 // 6])]


def simulate_pairs(world: Lines, drugs: Response, seed: int) -> tuple[pd.DataFrame, Response]:
    """Growth of the panel's lines under two drugs at 3 x 3 doses, and the best growth of each pair.

    Lines go by their panel names. Returns the long table of measured wells (line, drug_a, drug_b,
    dose_a, dose_b, growth; without drug_b and dose_b: one drug alone) and the response "lowest
    growth over doses".
    """
    rng = np.random.default_rng([seed, 6])
    known = drug_facts()
    names = [d for d in drugs.noise_free.columns if known.at[d, "nsc"]][:20]
    lines = world.lines.index[world.lines["panel_name"] != ""]
    ln_ic50 = drugs.noise_free.loc[lines, names]
    highest = ln_ic50.median().to_numpy() + rng.normal(0.5, 2.0, len(names))
    doses = highest[:, None] + DOSES  # (drugs, doses)
    floor = rng.uniform(-0.7, 0.5, len(names))  # growth at an endless dose
    hill = expit(0.8 * (doses - ln_ic50.to_numpy()[:, :, None]))  # (lines, drugs, doses)
    alone = 1 - (1 - floor[:, None]) * hill
    pairs = list(combinations(range(len(names)), 2))
    strength = np.where(rng.random(len(pairs)) < 0.15, rng.uniform(0.4, 1.0, len(pairs)), 0.0)
    modules = drugs.causes.loc[names, "pathway"]
    activity = (
        pd.DataFrame(
            standard(world.activity.to_numpy()),
            index=world.lines.index,
            columns=world.activity.columns,
        )
        .loc[lines, modules]
        .to_numpy()
    )
    truth = np.empty((len(lines), len(pairs), 3, 3))
    for j, (a, b) in enumerate(pairs):
        first, second = alone[:, a, :, None], alone[:, b, None, :]  # doses of a, doses of b
        synergy = strength[j] * expit(activity[:, a] + activity[:, b])[:, None, None]
        both = hill[:, a, :, None] * hill[:, b, None, :]  # none where one drug does nothing
        truth[:, j] = np.maximum(expected_growth(first, second) - synergy * both, -1.0)
    pair_noise = rng.normal(0, 0.05, truth.shape)
    tested = rng.random(truth.shape[:2]) > 0.03  # (lines, pairs)
    lines = pd.Index(world.lines.loc[lines, "panel_name"], name="line")
    wells = long_wells(lines, names, pairs, doses, truth + pair_noise, tested)
    singles = long_singles(lines, names, doses, alone + rng.normal(0, 0.05, alone.shape))
    labels = [" + ".join(sorted((names[a], names[b]))) for a, b in pairs]
    best = (truth + pair_noise).min(axis=(2, 3))
    causes = pd.DataFrame(
        {
            "synergy": strength,
            "pathway_a": [modules.iloc[a] for a, _ in pairs],
            "pathway_b": [modules.iloc[b] for _, b in pairs],
        },
        index=pd.Index(labels, name="perturbation"),
    )
    response = Response(
        pd.DataFrame(np.where(tested, best, np.nan), index=lines, columns=labels),
        pd.DataFrame(truth.min(axis=(2, 3)), index=lines, columns=labels),
        causes,
    )
    return pd.concat([wells, singles], ignore_index=True), response.with_ceiling()


def long_wells(lines, names, pairs, doses, growth, tested) -> pd.DataFrame:
    i, j, x, y = (axis.ravel() for axis in np.indices(growth.shape))
    keep = tested[i, j]
    i, j, x, y = i[keep], j[keep], x[keep], y[keep]
    a, b = np.array(pairs).T[:, j]
    names = np.array(names, dtype=object)
    return pd.DataFrame(
        {
            "line": lines.to_numpy()[i],
            "drug_a": names[a],
            "drug_b": names[b],
            "dose_a": np.exp(doses[a, x]),
            "dose_b": np.exp(doses[b, y]),
            "growth": growth[i, j, x, y],
        }
    )


def long_singles(lines, names, doses, growth) -> pd.DataFrame:
    i, d, x = (axis.ravel() for axis in np.indices(growth.shape))
    return pd.DataFrame(
        {
            "line": lines.to_numpy()[i],
            "drug_a": np.array(names, dtype=object)[d],
            "drug_b": None,
            "dose_a": np.exp(doses[d, x]),
            "dose_b": np.nan,
            "growth": growth[i, d, x],
        }
    )
