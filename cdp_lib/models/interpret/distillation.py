"""Distillation: one sparse linear model that says what a large one says.

A student learns from the predictions of a fitted teacher, not from measurements,

    min_w  |teacher(X) - X w - b|^2 / (2 n) + alpha |w|_1

(Hinton et al. 2015).  The teacher's predictions hold little noise, so the alpha that predicts them
best keeps nearly every feature; the student takes the strongest that loses little.  A student
explains its teacher only as far as it is faithful to it on lines that neither has seen.

What a teacher has learned by luck its student learns, too.  Which features would be found again on
other lines is asked by `stability_selection(X, Y, teacher=...)`, which fits the teacher anew.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.metrics import METRICS
from cdp_lib.models.base.tables import check_model
from cdp_lib.models.linear.lasso import ElasticNet, Lasso

STUDENT = Lasso(20, metric="r2", slack=0.05, ensemble=False)


def distil(teacher: BaseEstimator, X: pd.DataFrame, student: ElasticNet = STUDENT) -> ElasticNet:
    """A copy of `student` that has learned what the fitted `teacher` predicts for the rows of X.

    The default student takes the strongest of 20 alphas that explains at most 0.05 less of the
    teacher's variance, in inner folds, than the best.
    """
    check_model("teacher", teacher)
    check_model("student", student)
    return clone(student).fit(X, teacher.predict(X))


def fidelity(teacher: BaseEstimator, student: ElasticNet, X: pd.DataFrame) -> pd.DataFrame:
    """How much of the teacher's predictions for the rows of X the student gives back.

    One row a perturbation: `r2` and `pearson` over the lines of X, NaN where the teacher predicts
    a constant, and `features`, the number of weights that are not 0.  Give lines that neither
    model has learned from.
    """
    P, own = teacher.predict(X), student.predict(X)
    if np.shape(P) != np.shape(own):
        raise InputError(
            f"The teacher predicts {np.shape(P)}, the student {np.shape(own)}: they speak of "
            "different perturbations."
        )
    names = P.columns if isinstance(P, pd.DataFrame) else None
    scores = {metric: METRICS[metric](P, own) for metric in ("r2", "pearson")}
    return pd.DataFrame(scores | {"features": (student.coef_ != 0).sum(axis=1)}, names)
