"""Several fits of one model, and how far they disagree.

    mean[i, j] = mean over members m of p[m, i, j]        sd[i, j] = their standard deviation

Each member is a clone with a seed of its own that sees the labels of a share of the perturbations,
drawn at random; with share = 1 the members differ by their seeds alone.  The spread says what the
choice of data and seed does to a prediction.  It knows nothing of the noise in a measurement, nor
of an error that all members share, so as an interval it is too narrow: `evaluate.forecast` widens
it until it covers held-out cells.
"""

import inspect

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.tables import MaskedScore, NotFitted, check_model
from cdp_lib.models.base.validation import uses_validation

SEEDS = ("seed", "random_state", "training__seed")


class Ensemble(MaskedScore, BaseEstimator):
    """The mean of `members` clones of `model`, each fitted on a `share` of the perturbations."""

    def __init__(self, model: BaseEstimator, members: int = 5, share: float = 0.8, seed: int = 0):
        self.model = model
        self.members = members
        self.share = share
        self.seed = seed

    @property
    def asks_for_validation(self) -> bool:
        return uses_validation(self.model)

    def fit(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        drugs: pd.DataFrame | None = None,
        validation: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    ) -> "Ensemble":
        check_model("model", self.model)
        if self.members < 2 or not 0 < self.share <= 1:
            raise InputError(
                f"An ensemble needs 2 members or more and a share above 0 and at most 1, not "
                f"{self.members!r} and {self.share!r}."
            )
        given = {"perturbations": perturbations, "drugs": drugs, "validation": validation}
        known = np.flatnonzero(Y.notna().any())
        self.members_ = []
        for number in range(self.members):
            rng = np.random.default_rng([self.seed, number])
            seen = rng.choice(known, max(1, round(self.share * len(known))), replace=False)
            labels = Y.where(np.broadcast_to(np.isin(np.arange(Y.shape[1]), seen), Y.shape))
            rows = labels.notna().any(axis=1)
            model = _with_seed(clone(self.model), self.seed + number)
            self.members_.append(model.fit(X[rows], labels[rows], **_taken(model.fit, given)))
        return self

    def predict(
        self,
        X: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        drugs: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        return self.mean_and_sd(X, perturbations, drugs)[0]

    def mean_and_sd(
        self,
        X: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        drugs: pd.DataFrame | None = None,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Mean and standard deviation over the members, (lines, perturbations) each."""
        if not hasattr(self, "members_"):
            raise NotFitted("This Ensemble is not fitted yet: call fit first.")
        given = {"perturbations": perturbations, "drugs": drugs}
        tables = [pd.DataFrame(m.predict(X, **_taken(m.predict, given))) for m in self.members_]
        p = np.stack([table.to_numpy(float) for table in tables])  # (members, lines, perturbations)
        like = tables[0]
        return tuple(
            pd.DataFrame(values, like.index, like.columns)
            for values in (p.mean(axis=0), p.std(axis=0, ddof=1))
        )


def _with_seed(model: BaseEstimator, seed: int) -> BaseEstimator:
    known = model.get_params()
    return model.set_params(**{name: seed for name in SEEDS if name in known})


def _taken(method, given: dict) -> dict:
    parameters = inspect.signature(method).parameters
    return {name: v for name, v in given.items() if name in parameters and v is not None}
