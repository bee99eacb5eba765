"""A new drug acts as similar drugs act in the same line.

With T[j, k] the Tanimoto similarity of the Morgan fingerprints of drugs j and k, a drug j without
any training label gets in line i

    sum over k of w[j, k] y[i, k],    w[j, k] = T[j, k]^power / sum over k of T[j, k]^power

over the drugs k that have training labels.  Where y[i, k] is unknown, as it is in every new line,
the prediction of `model` stands for it, and `model` also predicts the drugs that have labels.  In
a screen of pairs the similarity of two pairs is the geometric mean of those of their drugs,

    max of sqrt(T[a, c] T[b, d]) and sqrt(T[a, d] T[b, c])    for a + b and c + d.

A drug of unknown structure is similar to itself alone.  What is similar to nothing gets equal
weights, which is the mean of its line; `without_similar_` names these.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.drugs import ENDS, drug_ends
from cdp_lib.models.base.tables import MaskedScore, check_model
from cdp_lib.models.baselines import MeanEffects


class SimilarDrugs(MaskedScore, BaseEstimator):
    """`model` (by default MeanEffects) for drugs with labels, similar drugs for those without.

    Give a model that learns from omics, such as Ridge(), to predict new lines, too.
    `power` says how much more a close drug counts than a distant one.
    """

    def __init__(self, model: BaseEstimator | None = None, power: float = 4.0):
        self.model = model
        self.power = power

    def fit(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        drugs: pd.DataFrame | None = None,
    ) -> "SimilarDrugs":
        if not isinstance(X, pd.DataFrame) or not isinstance(Y, pd.DataFrame):
            raise InputError("SimilarDrugs knows lines and drugs by name: give X, Y as DataFrames.")
        if not self.power > 0:
            raise InputError(f"power must be above 0, not {self.power!r}.")
        model = MeanEffects() if self.model is None else self.model
        check_model("model", model)
        self.ends_ = drug_ends(perturbations, Y.columns)
        self.fingerprints_ = structures(perturbations if drugs is None else drugs, self.ends_)
        self.labels_ = Y.loc[:, Y.notna().any()]  # (lines, perturbations with labels)
        self.model_ = clone(model).fit(X, self.labels_)
        new = self.ends_.drop(self.labels_.columns)
        near = self._similarity(new, self.fingerprints_).any(axis=1)
        self.without_similar_ = new.index[~near].tolist()
        return self

    def predict(
        self,
        X: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        drugs: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """The response to the rows of `perturbations`, or to the columns of the fitted Y."""
        if not hasattr(self, "model_"):
            raise InputError("This SimilarDrugs is not fitted yet: call fit first.")
        ends, fingerprints = self.ends_, self.fingerprints_
        if perturbations is not None:
            ends = drug_ends(perturbations)
            fingerprints = structures(perturbations if drugs is None else drugs, ends)
        names = self.labels_.columns
        p = np.asarray(self.model_.predict(X))  # (lines, names)
        y = self.labels_.reindex(X.index).to_numpy()
        column = names.get_indexer(ends.index)
        new = column < 0
        w = self._similarity(ends[new], fingerprints) ** self.power  # (new perturbations, names)
        w[~w.any(axis=1)] = 1
        values = p[:, column]  # (lines, perturbations)
        values[:, new] = np.where(np.isnan(y), p, y) @ (w / w.sum(axis=1, keepdims=True)).T
        return pd.DataFrame(values, X.index, ends.index)

    def _similarity(self, ends: pd.DataFrame, fingerprints: pd.DataFrame) -> np.ndarray:
        """The similarity of perturbations with those that have labels."""
        known = self.ends_.loc[self.labels_.columns]
        drugs, others = (pd.Index(pd.unique(some.to_numpy().ravel())) for some in (ends, known))
        T = tanimoto(fingerprints.reindex(drugs), self.fingerprints_.reindex(others))
        (a, b), (c, d) = (
            [index.get_indexer(some[end]) for end in ENDS]
            for some, index in ((ends, drugs), (known, others))
        )
        alike = T[np.ix_(a, c)] * T[np.ix_(b, d)]
        crosswise = T[np.ix_(a, d)] * T[np.ix_(b, c)]
        return np.sqrt(np.maximum(alike, crosswise))


def structures(drugs: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    """Fingerprints (drugs, bits) of the largest fragment of each drug that has a structure."""
    from cdp_lib.data.molecules import fingerprints, largest_fragment, molecules

    if not isinstance(drugs, pd.DataFrame) or "smiles" not in drugs:
        raise InputError("The table of drugs has no column 'smiles': add the structures.")
    smiles = drugs.loc[drugs.index.isin(ends.to_numpy().ravel()), "smiles"].dropna()
    molecules(smiles)  # names the row of one that cannot be read
    return pd.DataFrame(fingerprints(smiles.map(largest_fragment)), smiles.index)


def tanimoto(first: pd.DataFrame, second: pd.DataFrame) -> np.ndarray:
    """Shared bits over all bits (drugs, drugs); 1 for one name, 0 where a structure is unknown."""
    f, g = (table.fillna(0.0).to_numpy(np.float64) for table in (first, second))
    shared = f @ g.T
    either = f.sum(axis=1)[:, None] + g.sum(axis=1) - shared
    same = first.index.to_numpy()[:, None] == second.index.to_numpy()
    return np.where(same, 1.0, shared / np.maximum(either, 1))
