"""The rule of the house as a check: a fit never sees a test label.

Change the labels in the test cells and nothing else, fit again, and compare: everything the model
learned (each attribute ending in "_", down to the last bit) and everything it predicts must stay.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType

import numpy as np
import pandas as pd
import torch

from cdp_lib.evaluate import fitted
from cdp_lib.evaluate.fitting import perturbation_tables, predicted


class Relabelled:
    """A cohort with another response; everything else is the cohort's own."""

    def __init__(self, cohort, Y: pd.DataFrame):
        self._cohort = cohort
        self.Y = Y

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._cohort, name)


def assert_blind_to_test_labels(
    make_model: Callable, cohort, split, omics="expression", permutations: int = 1
) -> None:
    """Fit in every fold with true and with changed test labels and demand the same model.

    `make_model()`, or `make_model(cohort)` for a model built from the cohort's tables, gives an
    unfitted model. The labels of the test cells are permuted, replaced by noise, and taken away.
    The cohort's tables of perturbations and drugs reach a model that takes them, as everywhere.
    """
    parameters = inspect.signature(make_model).parameters.values()
    from_cohort = any(parameter.default is parameter.empty for parameter in parameters)
    X = cohort.X(omics)

    def outcome(labels, fold) -> tuple[dict, object]:
        relabelled = Relabelled(cohort, labels)
        model = make_model(relabelled) if from_cohort else make_model()
        model = fitted(model, relabelled, fold, omics)
        return learned(model), predicted(model, X, perturbation_tables(relabelled))

    for fold in split:
        state, prediction = outcome(cohort.Y, fold)
        assert state, "nothing to compare: the fitted model has no attribute that ends in '_'"
        for what, labels in tampered(cohort.Y, fold.test, permutations):
            new_state, new_prediction = outcome(labels, fold)
            where = f"fold {fold.number} of repeat {fold.repeat}, test labels {what}"
            difference = first_difference(state, new_state)
            assert difference is None, f"{where}: {difference} changed"
            difference = first_difference(prediction, new_prediction, "prediction")
            assert difference is None, f"{where}: {difference} changed"


def learned(model) -> dict:
    """Every attribute of the model that ends in "_"."""
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


def first_difference(a, b, path: str = "model") -> str | None:
    """The path to the first place where two states differ; None where they agree to the bit.

    Goes into tables, arrays, torch modules and tensors, dictionaries, lists and fitted parts. NaN
    equals NaN. A wall time ("seconds") may differ.
    """
    if type(a) is not type(b):
        return path
    if isinstance(a, np.ndarray) and a.dtype != object:
        return None if same_array(a, b) else path
    if isinstance(a, (float, np.generic)):
        return None if same_array(np.asarray(a), np.asarray(b)) else path
    if a is None or isinstance(a, (str, bytes, int, type, FunctionType, BuiltinFunctionType)):
        return None if a == b else path
    parts, others = parts_of(a), parts_of(b)
    if list(parts) != list(others):
        return path
    differences = (
        first_difference(parts[key], others[key], f"{path}.{key}")
        for key in parts
        if key != "seconds"
    )
    return next((difference for difference in differences if difference), None)


def parts_of(value) -> dict:
    """What a composite value is made of, by name."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return dict(enumerate(value))
    if isinstance(value, (set, frozenset)):
        return dict.fromkeys(sorted(value, key=repr))
    if isinstance(value, pd.DataFrame):
        return {"index": value.index, "columns": value.columns, "values": value.to_numpy()}
    if isinstance(value, pd.Series):
        return {"index": value.index, "values": value.to_numpy()}
    if isinstance(value, (pd.Index, np.ndarray)):
        return dict(enumerate(value.tolist()))
    if isinstance(value, torch.Tensor):
        return {"values": value.detach().cpu().numpy()}
    if isinstance(value, torch.nn.Module):
        return dict(value.state_dict())
    state = value.__getstate__()  # an estimator, a data class, a tree, a random state
    if isinstance(state, tuple):  # of attributes, of slots
        return {name: part for half in state for name, part in (half or {}).items()}
    return dict(state or {"text": repr(value)})


def same_array(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal shapes, formats and values, NaN equal to NaN."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.names:
        return all(same_array(a[name], b[name]) for name in a.dtype.names)
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM")


def tampered(
    Y: pd.DataFrame, test: np.ndarray, permutations: int
) -> Iterator[tuple[str, pd.DataFrame]]:
    """The response with other labels in its known test cells, and words for what was done."""
    cells = test & Y.notna().to_numpy()
    rng = np.random.default_rng(0)
    for _ in range(permutations):
        yield "permuted", with_labels(Y, cells, rng.permutation(Y.to_numpy()[cells]))
    yield "replaced by noise", with_labels(Y, cells, 1e3 * rng.normal(size=cells.sum()))
    yield "taken away", with_labels(Y, cells, np.nan)


def with_labels(Y: pd.DataFrame, cells: np.ndarray, labels) -> pd.DataFrame:
    values = Y.to_numpy(copy=True)
    values[cells] = labels
    return pd.DataFrame(values, Y.index, Y.columns)
