r"""A simulated screen of drug pairs as DeepSynergy uses it: a synergy for each pair and line.

    synergy_{i,ab} = 23 ( l_i + d_a + d_b + c_ia + c_ib + p_ab + noise )

with a part of the line l, of each drug d, of each drug in each line c (how far the line's
noise-free ln IC50 lies below the drug's mean) and of the pair p, which no drug alone tells.  Pairs
are dealt into five folds, and a few are measured a second time.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from cdp_lib.data.teaching.omics import Lines
from cdp_lib.data.teaching.responses import Response, standard

LINES, DRUGS, PAIRS, FOLDS, AGAIN = 39, 38, 583, 5, 8  # AGAIN: pairs that are measured twice
SD = {"line": 0.15, "drug": 0.3, "drug in a line": 0.4, "pair": 0.45, "noise": 0.45}


def simulate_synergy(world: Lines, drugs: Response, seed: int) -> pd.DataFrame:
    """Long: line, drug_a, drug_b, synergy, fold; lines by their ids."""
    rng = np.random.default_rng([seed, 11])
    lines, names = world.lines.index[:LINES], drugs.noise_free.columns[:DRUGS]
    a, b = np.array(list(combinations(range(len(names)), 2))).T
    chosen = np.sort(rng.permutation(len(a))[:PAIRS])
    a, b = a[chosen], b[chosen]
    c = -SD["drug in a line"] * standard(drugs.noise_free.loc[lines, names].to_numpy())
    d = SD["drug"] * rng.standard_normal(len(names))
    own = SD["pair"] * rng.standard_normal(len(a))
    line = SD["line"] * rng.standard_normal((len(lines), 1))
    truth = line + d[a] + d[b] + c[:, a] + c[:, b] + own  # (lines, pairs)
    fold = rng.permutation(np.arange(len(a)) % FOLDS)
    twice = np.concatenate([np.arange(len(a)), np.sort(rng.permutation(len(a))[:AGAIN])])
    values = 23 * (truth[:, twice] + SD["noise"] * rng.standard_normal((len(lines), len(twice))))
    j, i = (axis.ravel() for axis in np.indices((len(twice), len(lines))))
    return pd.DataFrame(
        {
            "line": lines.to_numpy()[i],
            "drug_a": names.to_numpy()[a[twice[j]]],
            "drug_b": names.to_numpy()[b[twice[j]]],
            "synergy": values[i, j],
            "fold": fold[twice[j]],
        }
    )
