"""One training, looked at on its way.

    fit once for many rounds (epochs of a network, updates of BEMKL);  predict after some of them

A model learns the same in a short training as in the beginning of a long one, so one training
tells what each shorter one would have predicted.
"""

from collections.abc import Collection

import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from cdp_lib.errors import InputError


def snapshots(
    model: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    new: pd.DataFrame,
    after: Collection[int],
) -> dict[int, pd.DataFrame]:
    """What a clone of `model` predicts for the rows of `new` after so many rounds of its fit.

    It needs `fit(X, Y, monitor=)`.  Where the model ends earlier, by its own settings or because it
    has converged, the last prediction stands for all later rounds.
    """
    if isinstance(model, Pipeline):  # the last step learns in rounds
        front = clone(model[:-1]).fit(X, Y)
        X, new = front.transform(X), front.transform(new)
        return snapshots(model[-1], X, Y, new, after)
    if not after or min(after) < 1:
        raise InputError(f"Snapshots are taken after 1 round or more, not after {sorted(after)}.")
    model, found, done = _shortened(clone(model), max(after)), {}, 0

    def look(model: BaseEstimator) -> float:
        nonlocal done
        done += 1
        if done in after:
            found[done] = model.predict(new)
        return 0.0

    model.fit(X, Y, monitor=look)
    last = model.predict(new)
    return {rounds: found.get(rounds, last) for rounds in after}


def _shortened(model: BaseEstimator, rounds: int) -> BaseEstimator:
    """The model with no more rounds than these; fewer, if it has fewer."""
    settings = model.get_params()
    name = next((key for key in ("training__epochs", "iterations") if key in settings), None)
    if name is None:
        raise InputError(f"{type(model).__name__} has no epochs and no iterations to look at.")
    return model.set_params(**{name: min(rounds, settings[name])})
