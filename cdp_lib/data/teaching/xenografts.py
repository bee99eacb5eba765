r"""Simulated tumours of patients in mice: other lines, another laboratory, the same drugs.

The tumours of 40 patients are drawn like lines of the lung, with genes, modules and loadings of the
cohort and with lineage and batch terms of their own; on top, each gene is shifted by an amount (sd
0.8) that all tumours share, as another protocol would do.  Drug d shrinks tumour i by what also
lowers the ln IC50 of a line,

    z_id = b_d f_id - 0.20 A_{i k(d)} + 0.60 h_id          (responses.py)
    growth rate a day = 0.03 (1 + 0.8 z_id + noise),  volume = 200 exp(rate day) (1 + noise)

so that a model of lines can transfer to tumours as far as f and A can be read in them.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cdp_lib.data.teaching import omics
from cdp_lib.data.teaching.omics import Lines, drug_facts, facts, kin
from cdp_lib.data.teaching.responses import EFFECT, Response, biomarkers, standard

PATIENTS, SHIFT, LARGEST = 40, 0.8, 2_000.0  # mm^3: then the mouse leaves the study
DRUGS = ("erlotinib", "paclitaxel", "tamoxifen", "trametinib")
DAYS = np.array([0, 4, 7, 11, 14, 18, 21, 25, 28])


@dataclass(frozen=True)
class Xenografts:
    """RNA in log2(FPKM + 1), and every volume."""

    expression: pd.DataFrame  # (patients, genes)
    volumes: pd.DataFrame  # long: patient, drug, day, volume


def simulate_xenografts(world: Lines, drugs: Response, seed: int) -> Xenografts:
    rng = np.random.default_rng([seed, 12])
    tumours = draw_tumours(rng, world)
    shift = rng.normal(0, SHIFT, len(world.genes))
    expression = (tumours.omics["expression"] + shift - 1).clip(lower=0)  # FPKM is half of TPM
    names = [drug for drug in DRUGS if drug in drugs.noise_free]
    names = names if len(names) > 1 else list(drugs.noise_free.columns[:2])
    z = sensitivity(rng, tumours, names)
    z.insert(0, "untreated", 0.5 + 0.3 * rng.standard_normal(len(z)))
    parts = []
    for drug, column in z.items():
        rate = 0.03 * (1 + 0.8 * column.to_numpy() + 0.5 * rng.standard_normal(len(z)))
        volume = 200 * np.exp(rate[:, None] * DAYS)  # (patients, days)
        volume *= 1 + 0.06 * rng.standard_normal(volume.shape)
        grown = np.cumsum(volume > LARGEST, axis=1) > 1  # measured once above, then no more
        died = rng.random((len(z), 1)) < 0.05
        stays = ~grown & ~(died & (DAYS > 10))
        i, j = np.nonzero(stays)
        part = {"patient": z.index[i], "drug": drug, "day": DAYS[j], "volume": volume[i, j]}
        parts.append(pd.DataFrame(part))
    return Xenografts(expression, pd.concat(parts, ignore_index=True))


def draw_tumours(rng: np.random.Generator, world: Lines) -> Lines:
    """Lines of the lung with genes of the cohort, one of each donor."""
    known, names = facts(), list(world.genes.index)
    table = omics.draw_lines(rng, 2 * PATIENTS, known).drop_duplicates("donor").head(PATIENTS)
    index = pd.Index([f"X-9{i + 1:03d}" for i in range(len(table))], name="line")
    table = table.assign(lineage="lung").set_axis(index)
    copy_number = omics.draw_copy_number(rng, table, names, known)
    mutation = omics.draw_mutations(rng, table, names, known).where(copy_number > -1.5, 0)
    activity = omics.draw_activity(rng, table, mutation, known)
    expression = omics.draw_expression(rng, table, world.genes, activity, copy_number)
    tables = {
        "expression": expression,
        "mutation": mutation,
        "copy_number": copy_number,
        "rppa": omics.draw_rppa(rng, table, world.genes, activity, expression),
        "metabolites": omics.draw_metabolites(rng, table, activity, known),
    }
    return replace(world, lines=table, activity=activity, omics=tables)


def sensitivity(rng: np.random.Generator, tumours: Lines, drugs: list[str]) -> pd.DataFrame:
    """How far each tumour resists each drug; lower is more sensitive. (patients, drugs)"""
    known = drug_facts().loc[drugs]
    shown = np.column_stack([biomarkers(tumours, drug) for drug in known.itertuples()])
    module = tumours.genes["module"].reindex([targets[0] for targets in known["targets"]])
    pathway = standard(tumours.activity[module].to_numpy())
    strength = known["omics"].map(EFFECT).fillna(0.6).to_numpy()
    hidden = kin(rng, tumours.lines, len(drugs))
    values = strength * shown - 0.20 * pathway + 0.60 * hidden
    return pd.DataFrame(values, tumours.lines.index, drugs)
