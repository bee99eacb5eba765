"""Do the genes of a list share a gene set more often than luck lets them?

Of N genes that could have been chosen K are in a set; n were chosen, k of them from the set.  Were
the n drawn at random, the chance of k or more would be

    p = sum over i >= k of  C(K, i) C(N - K, n - i) / C(N, n)    (hypergeometric; Fisher's exact)

The background is the N genes that could have been chosen: the features of the model, not the
genome.  Genes of a panel are in sets more often than others, so against the genome any list taken
from it looks enriched.  With m sets the p values are corrected after Benjamini & Hochberg (1995),

    q of the i-th smallest p = min over j >= i of  p_(j) m / j

so that among the sets with q below 0.05 at most one in twenty is expected to be there by luck,
where the sets are independent or rise and fall together, as sets that share genes do.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, hypergeom

from cdp_lib.errors import InputError


def enrichment(
    genes: Iterable[str],
    sets: Mapping[str, Iterable[str]],
    background: Iterable[str],
    smallest: int = 1,
) -> pd.DataFrame:
    """One row a set, most enriched first.

    Columns: `size`, genes of the set in the background (K); `shared`, those in the list (k);
    `expected`, n K / N; `ratio`, shared / expected; `p`; `corrected_p` (q above); `genes`.  Sets
    with fewer than `smallest` genes in the background are left out before the correction, because
    they could hardly become significant; say so by `smallest`, and before you look.
    """
    chosen, every = unique("The list of genes", genes), unique("The background", background)
    outside = sorted(chosen - every)
    if outside:
        raise InputError(
            f"{len(outside)} of {len(chosen)} genes are not in the background, such as "
            f"{outside[0]!r}: the background is all genes that could have been chosen."
        )
    held = {name: set(members) & every for name, members in sets.items()}
    held = {name: members for name, members in held.items() if len(members) >= max(smallest, 1)}
    if not held:
        raise InputError(
            f"None of {len(sets)} gene sets has {max(smallest, 1)} or more of the {len(every)} "
            "genes of the background: check that both name genes in the same way."
        )
    rows = pd.DataFrame(
        {
            "size": [len(members) for members in held.values()],
            "shared": [len(members & chosen) for members in held.values()],
            "genes": [", ".join(sorted(members & chosen)) for members in held.values()],
        },
        pd.Index(held, name="set"),
    )
    N, n = len(every), len(chosen)
    expected = n * rows["size"] / N
    p = hypergeom.sf(rows["shared"] - 1, N, rows["size"], n)  # k or more
    rows.insert(2, "expected", expected)
    rows.insert(3, "ratio", rows["shared"] / expected.where(expected > 0, np.nan))
    rows.insert(4, "p", p)
    rows.insert(5, "corrected_p", false_discovery_control(p))
    return rows.sort_values("p", kind="stable")


def unique(what: str, genes: Iterable[str]) -> set[str]:
    names = list(genes)
    again = pd.Index(names)[pd.Index(names).duplicated()]
    if len(again):
        raise InputError(f"{what} names {again[0]!r} twice: name each gene once.")
    return set(names)
