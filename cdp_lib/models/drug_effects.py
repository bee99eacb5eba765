"""What is known of drug pairs without any feature: the effects of their two drugs.

With y[i, de] the response of line i to the drugs d and e together, over the known training cells,

    DrugEffects            m + b[d] + b[e]
    LineAndDrugEffects     m + a[i] + b[d] + b[e]
    DrugEffectsByLine      m + a[i] + b[d] + b[e] + c[i, d] + c[i, e]
    PairEffects            m + a[i] + b[d] + b[e] + c[i, d] + c[i, e] + p[de]

m is the mean of the training cells; the effects minimise

    sum of (y - prediction)^2 + penalty * (|a|^2 + |b|^2 + |c|^2 + |p|^2).

The penalty shrinks what few cells speak for, and what no cell speaks for is 0: a pair with one new
drug is predicted by its known partner, one with two new drugs by the line, a new line by the drugs.
A pair has no order.  A single drug is the pair of a drug with itself.
"""

import numpy as np
import pandas as pd
from scipy.linalg import inv, solve
from scipy.sparse import csr_array
from scipy.sparse.linalg import lsmr

from cdp_lib.errors import InputError
from cdp_lib.models.base.drugs import drug_counts, drug_ends
from cdp_lib.models.base.settings import check_number
from cdp_lib.models.baselines import NaiveModel


class DrugEffects(NaiveModel):
    """One effect for each drug, the same in every line and beside every partner."""

    with_lines = by_line = False

    def __init__(self, penalty: float = 3.0):
        self.penalty = penalty

    def fit(
        self, X: pd.DataFrame, Y: pd.DataFrame, perturbations: pd.DataFrame | None = None
    ) -> "DrugEffects":
        check_number("penalty", self.penalty)
        if self.penalty == 0:
            raise InputError(f"penalty must be above 0, not {self.penalty!r}.")
        self.ends_ = drug_ends(perturbations, Y.columns)
        return super().fit(X, Y)

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        """The response to the pairs of `perturbations`, or to the columns of the fitted Y."""
        lines = self._lines(X)
        ends = self.ends_ if perturbations is None else drug_ends(perturbations)
        counts = drug_counts(ends, self.drug_effects_.index)  # (pairs, drugs)
        a = self.line_effects_.reindex(lines).fillna(0.0).to_numpy()
        b = self.line_drug_effects_.reindex(lines).fillna(0.0) + self.drug_effects_
        values = self.global_mean_ + a[:, None] + (counts @ b.to_numpy().T).T
        return pd.DataFrame(values, lines, ends.index)  # (lines, pairs)

    def _learn(self, y: np.ndarray, lines: pd.Index) -> None:
        known = ~np.isnan(y)
        drugs = pd.Index(pd.unique(self.ends_[known.any(axis=0)].to_numpy().ravel()))
        counts = drug_counts(self.ends_, drugs)
        r = np.where(known, y - self.global_mean_, 0.0)
        a, b, c = effects(r, known, counts, self.penalty, self.with_lines, self.by_line)
        self.line_effects_ = pd.Series(a, lines)
        self.drug_effects_ = pd.Series(b, drugs)
        self.line_drug_effects_ = pd.DataFrame(c, lines, drugs)


class LineAndDrugEffects(DrugEffects):
    """One effect for each line and one for each drug."""

    with_lines = True


class DrugEffectsByLine(LineAndDrugEffects):
    """Each drug also has an effect of its own in each line, drawn towards its effect in all."""

    by_line = True


class PairEffects(DrugEffectsByLine):
    """A pair also has an effect of its own, the same in every line: a pair mean that is shrunk."""

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        P = super().predict(X, perturbations)
        ends = self.ends_ if perturbations is None else drug_ends(perturbations)
        return P + self.pair_effects_.reindex(unordered(ends)).fillna(0.0).to_numpy()

    def _learn(self, y: np.ndarray, lines: pd.Index) -> None:
        """All four kinds at once, by least squares (LSMR) on the sparse design matrix."""
        i, column = np.nonzero(~np.isnan(y))  # (cells,)
        pair, pairs = pd.factorize(unordered(self.ends_.iloc[column]))
        drugs = pd.Index(pd.unique(self.ends_.iloc[column].to_numpy().ravel()))
        ends = drugs.get_indexer(self.ends_.to_numpy().ravel()).reshape(-1, 2)[column].T
        each = [i, *ends, *(i * len(drugs) + ends), pair]  # the effects that a cell adds up
        kinds = np.array([0, 1, 1, 2, 2, 3])
        sizes = [len(lines), len(drugs), len(lines) * len(drugs), len(pairs)]
        start = np.cumsum([0, *sizes])
        columns = np.stack(each) + start[kinds][:, None]  # (6, cells)
        rows = np.tile(np.arange(len(i)), 6)
        A = csr_array((np.ones(columns.size), (rows, columns.ravel())), (len(i), start[-1]))
        r, damp = y[i, column] - self.global_mean_, np.sqrt(self.penalty)
        found = lsmr(A, r, damp=damp, atol=1e-10, btol=1e-10, maxiter=5000)[0]
        a, b, c, p = np.split(found, start[1:-1])
        self.line_effects_ = pd.Series(a, lines)
        self.drug_effects_ = pd.Series(b, drugs)
        self.line_drug_effects_ = pd.DataFrame(c.reshape(len(lines), -1), lines, drugs)
        self.pair_effects_ = pd.Series(p, pairs)


def unordered(ends: pd.DataFrame) -> pd.Index:
    """The two drugs of each perturbation, in one order."""
    return pd.Index([tuple(sorted(two, key=str)) for two in ends.to_numpy()], tupleize_cols=False)


def effects(
    r: np.ndarray, known: np.ndarray, E: csr_array, penalty: float, with_lines: bool, by_line: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a (lines), b (drugs) and c (lines, drugs) in closed form, 0 where they are left out.

    r (lines, pairs) is 0 where unknown, E (pairs, drugs) counts the drugs of a pair.  Line i alone
    gives, with E and r over its n known pairs and 1 a vector of ones,

        G = E'E,  g = E'1,  q = E'r,  s = 1'r,
        c[i] = H (q - g a[i] - G b)  with  H = (G + penalty)^-1,

    so that c can be put in: n becomes n - g'Hg, s becomes s - g'Hq, and g, q and G become
    penalty H g, penalty H q and penalty H G.  Then a is put in likewise and b is solved for.
    """
    lines, drugs = len(r), E.shape[1]
    ridge = penalty * np.eye(drugs)
    n, s, g = np.zeros(lines), np.zeros(lines), np.zeros((lines, drugs))
    normal, wanted = ridge.copy(), np.zeros(drugs)  # normal b = wanted
    for i in range(lines):
        G, g[i], q, s[i], n[i] = line_sums(E[known[i]], r[i, known[i]])
        if by_line:
            H = inv(G + ridge)
            n[i] -= g[i] @ H @ g[i]
            s[i] -= g[i] @ H @ q
            G, g[i], q = penalty * H @ G, penalty * H @ g[i], penalty * H @ q
        normal += G
        wanted += q
    weight = with_lines / (n + penalty)
    b = solve(normal - (g.T * weight) @ g, wanted - g.T @ (weight * s), assume_a="pos")
    a = weight * (s - g @ b)
    c = np.zeros((lines, drugs))
    for i in range(lines) if by_line else ():
        G, g_i, q, _, _ = line_sums(E[known[i]], r[i, known[i]])
        c[i] = solve(G + ridge, q - g_i * a[i] - G @ b, assume_a="pos")
    return a, b, c


def line_sums(E: csr_array, r: np.ndarray) -> tuple:
    """G, g, q, s and n of one line, from its known pairs."""
    return (E.T @ E).toarray(), E.sum(axis=0), E.T @ r, r.sum(), len(r)
