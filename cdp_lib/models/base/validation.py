"""Which models choose something by rows of their own: epochs, updates, a penalty."""

import inspect

from sklearn.base import BaseEstimator


def uses_validation(model: BaseEstimator) -> bool:
    """Whether `model` wants `fit(..., validation=(X, Y))`, and not to learn from these rows, too.

    Its `fit` takes them, and it does not say `asks_for_validation = False` under its settings.
    """
    takes = "validation" in inspect.signature(model.fit).parameters
    return takes and getattr(model, "asks_for_validation", True)
