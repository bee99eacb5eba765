"""Numbers of genes for a model: the gene sets that a gene belongs to.

With M[g, s] = 1 where set s holds gene g, for all genes of the collection, the features are the
columns of M, or where there are many sets the scores of its first principal components,

    M - mean of its columns = U diag(d) V',    features = U diag(d)

Bodinier et al. (2025) take 256 components of some 3,400 sets of MSigDB (C2, CGP) as what a
perturbed gene is.  No label takes part, so nothing has to be learned anew in a fold.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from cdp_lib.errors import InputError

Sets = Mapping[str, Iterable[str]]


def gene_features(genes: Iterable[str], sets: Sets, n_components: int = 256) -> pd.DataFrame:
    """(genes, features), one row a gene; NaN where no set holds it: nothing is known of it then.

    `genes` are names as the sets write them, such as `cohort.Y.columns`, and `sets` maps the name
    of a set to its genes, such as `cohort.extras["pathways"]`.  Where the collection has no more
    than `n_components` sets, or genes, the memberships themselves are the features.
    """
    names = pd.Index(genes)
    table = membership(sets)
    if not names.is_unique:
        raise InputError(f"{names[names.duplicated()][0]!r} is named twice: name each gene once.")
    if not names.isin(table.index).any():
        raise InputError(
            f"No gene set holds any of the {len(names)} genes, such as {names[:1].tolist()}: give "
            "genes by the symbols of the sets."
        )
    if n_components < min(table.shape):
        scores = PCA(n_components, svd_solver="full").fit_transform(table)
        columns = [f"component {number}" for number in range(1, n_components + 1)]
        table = pd.DataFrame(scores, table.index, columns)
    return table.reindex(names)


def membership(sets: Sets) -> pd.DataFrame:
    """(genes, sets): 1 where a set holds a gene, 0 where not; genes by the alphabet."""
    sets = {name: set(genes) for name, genes in sets.items()}
    empty = [name for name, genes in sets.items() if not genes]
    if not sets or empty:
        what = f"The gene set {empty[0]!r} is empty" if empty else "There are no gene sets"
        raise InputError(f"{what}: give a mapping, name of a set -> its genes.")
    genes = pd.Index(sorted(set().union(*sets.values())))
    columns = {name: genes.isin(held).astype(np.float64) for name, held in sets.items()}
    return pd.DataFrame(columns, genes)
