"""Which drugs a perturbation is made of: the two of a pair, or a single drug twice.

So one rule holds for both: a single drug is the pair of a drug with itself.
"""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from cdp_lib.errors import InputError

ENDS = ["drug_a", "drug_b"]


def drug_ends(perturbations: pd.DataFrame | None, names: pd.Index | None = None) -> pd.DataFrame:
    """drug_a and drug_b of each perturbation, in the order of `names` (the columns of Y).

    Without these two columns each perturbation is a single drug of its own name.
    """
    if not isinstance(perturbations, pd.DataFrame):
        raise InputError(
            "This model must know which drugs were given: fit(X, Y, perturbations=table), with "
            "one row for each column of Y, such as cohort.perturbations."
        )
    if not perturbations.index.is_unique:
        raise InputError("The table of perturbations names one twice: give each one row.")
    names = perturbations.index if names is None else names
    missing = names.difference(perturbations.index, sort=False)
    if len(missing):
        raise InputError(
            f"The table of perturbations has no row for {len(missing)} columns of Y, such as "
            f"{missing.tolist()[0]!r}: add these rows."
        )
    if not set(ENDS) <= set(perturbations.columns):
        return pd.DataFrame(dict.fromkeys(ENDS, names), names)
    ends = perturbations.loc[names, ENDS]
    if ends.isna().any(axis=None):
        bare = ends.index[ends.isna().any(axis=1)]
        raise InputError(
            f"{len(bare)} pairs lack a drug, such as {bare.tolist()[0]!r}: name both (a single "
            "drug stands as drug_a and drug_b)."
        )
    return ends


def drug_counts(ends: pd.DataFrame, drugs: pd.Index) -> csr_array:
    """(perturbations, drugs): how often a perturbation holds each drug; other drugs count for none.

    The two drugs of a pair have no order here.
    """
    numbers = drugs.get_indexer(ends.to_numpy().ravel())
    rows = np.repeat(np.arange(len(ends)), 2)
    known = numbers >= 0
    cells = (rows[known], numbers[known])
    return csr_array((np.ones(known.sum()), cells), shape=(len(ends), len(drugs)))
