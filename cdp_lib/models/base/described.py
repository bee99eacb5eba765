"""Perturbations known by what they are: their features, and the scale of their labels.

Such a model is one for all perturbations ("pan-perturbation"): what it learns at one perturbation
serves the others, and it can predict one without any label.  With own means and scales

    y[i, j] = m_j + s_j f(x_i, z_j)

f learns how a line differs from the others; a perturbation without labels takes the mean of all
labels for m and the root of the mean variance for s.  With common ones f must also learn from z_j
how strong a perturbation is in every line, and can then say it of a new one.
"""

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.models.base.inputs import several
from cdp_lib.models.base.scaled import label_scales
from cdp_lib.models.base.tables import NotFitted


class DescribedPerturbations:
    """A child has `perturbation_input` (see base/inputs.py) and `scale_targets`.

    It sets `table_` to what `described` gives before it calls `_learn_described(y)`.
    """

    def _learn_described(self, y: np.ndarray) -> np.ndarray:
        """Learn from the perturbations with labels; the features of all: (columns, features)."""
        self.y_mean_, self.y_scale_ = self._label_scales(y)
        self.common_ = float(np.nanmean(y)), common_scale(y, self.scale_targets)
        labelled = self.table_[~np.isnan(y).all(axis=0)]
        self.inputs_ = [one.learn(labelled) for one in several(self.perturbation_input)]
        return self._rows(self.table_)

    def _rows(self, table: pd.DataFrame) -> np.ndarray:
        inputs = zip(several(self.perturbation_input), self.inputs_, strict=True)
        parts = [one.rows(table, learned).to_numpy(np.float32) for one, learned in inputs]
        return np.hstack(parts)  # (perturbations, features)

    def _label_scales(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and scale of each column; those of all labels where it has none of its own."""
        common = common_scale(y, self.scale_targets)
        if not self.scale_targets:
            return np.full(y.shape[1], np.nanmean(y)), np.full(y.shape[1], common)
        mean, scale = label_scales(y)
        return mean, np.where(scale > 0, scale, common)

    def _asked(
        self, perturbations: pd.DataFrame | None
    ) -> tuple[pd.Index, np.ndarray, np.ndarray, np.ndarray]:
        """Names, features, means and scales of the perturbations to predict."""
        if not hasattr(self, "inputs_"):
            raise NotFitted(f"This {type(self).__name__} is not fitted yet: call fit first.")
        table = self.table_ if perturbations is None else perturbations
        at = self.table_.index.get_indexer(table.index)
        mean = np.where(at < 0, self.common_[0], self.y_mean_[at])
        scale = np.where(at < 0, self.common_[1], self.y_scale_[at])
        return table.index, self._rows(table), mean, scale


def described(perturbations: pd.DataFrame | None, Y: pd.DataFrame) -> pd.DataFrame:
    """The rows of the table of perturbations, in the order of the columns of Y."""
    if not isinstance(Y, pd.DataFrame):
        raise InputError("This model knows perturbations by name: give Y as a DataFrame.")
    names = Y.columns
    if not names.is_unique:
        raise InputError("Y names a perturbation twice: merge or rename these columns.")
    if perturbations is None:
        return pd.DataFrame(index=names)
    missing = names.difference(perturbations.index, sort=False)
    if len(missing) or not perturbations.index.is_unique:
        raise InputError(
            f"The table of perturbations lacks {len(missing)} columns of Y, or names one twice: "
            "give each column of Y one row."
        )
    return perturbations.loc[names]


def common_scale(y: np.ndarray, own: bool) -> float:
    """The root of the mean variance of a column, or that of all labels; 1 where nothing varies."""
    if own:
        _, scales = label_scales(y)
        return float(np.sqrt(np.square(scales[scales > 0]).mean())) if scales.any() else 1.0
    return float(np.nanstd(y)) or 1.0
