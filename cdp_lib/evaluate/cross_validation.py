"""Any model, any split, all naive baselines beside it.

    for each fold, for each model:  fit on the training cells, predict the test cells, keep

A model never meets a test label: `fit_fold` is the one place where a model meets a fold, and it
hands over nothing but the fold's training cells.  `cross_predict` keeps the predictions, from
which every score can be had; `cross_validate` is the scores alone.

    P = cross_predict({"ridge": Ridge()}, cohort, leave_lines_out(cohort))
    P.summary("pearson")
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from cdp_lib.errors import InputError
from cdp_lib.evaluate.checkpoint import fingerprint
from cdp_lib.evaluate.fitting import (
    Omics,
    fit_fold,
    inputs,
    naive_baselines,
    perturbation_tables,
    tested,
)
from cdp_lib.evaluate.predictions import (
    HeldOut,
    Key,
    Metric,
    Predictions,
    as_floats,
    check_metrics,
    failed,
    full_name,
    known_cells,
    several,
)
from cdp_lib.evaluate.running import Failure, carry_out
from cdp_lib.splits import TEST, TRAIN, UNUSED, Fold, Split

Lines = Iterable[object]  # names of lines
NEEDS_ONE_OUTPUT = ("NaN", "1d array")  # in the errors of models that want one complete column


def cross_predict(
    models: Mapping[str, BaseEstimator],
    cohort,
    split: Split | list[Fold] | list[tuple[Lines, Lines]],
    omics: Omics | Mapping[str, Omics] = "expression",
    baselines: bool | Mapping[str, BaseEstimator] = True,
    n_jobs: int | None = None,
    errors: str = "raise",
    checkpoint: str | Path | None = None,
) -> Predictions:
    """Fit each model once in each fold, and keep what it predicts for every test cell.

    `split` is a Split, or a list of one's own: of `Fold`s, or of pairs (training lines, test
    lines) by name, as scikit-learn's `cv` has them.  `omics` is one choice for all models, or a
    dictionary that names each model's own.  Naive baselines see no omics, and carry "none".
    A dictionary of `baselines` joins them: models that are given and count as naive.

    `n_jobs=None` means one process, or what `joblib.parallel_config` says, so that
    `with joblib.parallel_config("dask"):` sends every (model, fold) to a cluster.  With
    `errors="keep"` a fit that fails is listed in `failures` and the others go on.  `checkpoint` is
    a folder that keeps each finished (model, fold); the same call takes it from there.
    """
    if not isinstance(models, Mapping):
        raise InputError(
            f"Models come as a dictionary, name -> model, not a {type(models).__name__}."
        )
    split = as_split(split, cohort.Y)
    naive = naive_baselines(cohort) if baselines else {}
    own = dict(baselines) if isinstance(baselines, Mapping) else {}
    models = models | own
    if not models and not naive:
        raise InputError("There is no model and no baseline to score: give one, or baselines=True.")
    if clash := set(models) & set(naive):
        raise InputError(f"{min(clash)!r} is the name of a baseline: call your model otherwise.")
    chosen = omics_of(models, omics) | dict.fromkeys(naive)
    kinds = {name: "baseline" if name in naive | own else "model" for name in chosen}
    X = {label(each): inputs(cohort, each) for each in chosen.values()}
    Y, tables = cohort.Y, perturbation_tables(cohort)
    folds = split.folds
    shared = (models | naive, {name: label(each) for name, each in chosen.items()}, X, Y, tables)
    tasks = [(name, fold) for fold in folds for name in chosen]
    done = carry_out(
        _predict,
        shared,
        tasks,
        n_jobs=n_jobs,
        errors=errors,
        checkpoint=checkpoint,
        keys=None if checkpoint is None else _keys(*shared, tasks),
        names=[place(*task) for task in tasks],
    )
    keys = {(name, label(each)): kinds[name] for name, each in chosen.items()}
    return gathered(cohort, split, keys, done)


def cross_validate(
    models: Mapping[str, BaseEstimator],
    cohort,
    split: Split | list[Fold] | list[tuple[Lines, Lines]],
    omics: Omics | Mapping[str, Omics] = "expression",
    metrics: tuple[Metric, ...] | Metric = ("pearson", "r2", "rmse"),
    axis: tuple[str, ...] | str = "perturbation",
    baselines: bool = True,
    n_jobs: int | None = None,
    errors: str = "raise",
    checkpoint: str | Path | None = None,
) -> pd.DataFrame:
    """Score each model in each fold, and the naive baselines beside them.

    One row a score: cohort, model, kind ("model" or "baseline"), omics, split, axis, metric,
    repeat, fold, unit, n (cells scored), score, constant (the unit's prediction was), n_train and
    n_test (cells of the fold).  The other arguments are those of `cross_predict`.
    """
    check_metrics(several(metrics), several(axis))
    split = as_split(split, cohort.Y)
    P = cross_predict(models, cohort, split, omics, baselines, n_jobs, errors, checkpoint)
    frame = P.scores(metrics, axis)
    frame.attrs["sentence"] = split.sentence
    return frame


def as_split(split: Split | list, Y: pd.DataFrame) -> Split:
    """A Split of these folds that fits the response, each with a number of its own."""
    if not isinstance(split, Split):
        if not isinstance(split, (list, tuple)) or not split:
            raise InputError(
                f"The split is a {type(split).__name__}: give a Split of cdp_lib.splits, or a list "
                "of folds, or a list of pairs (training lines, test lines)."
            )
        folds = tuple(_own_fold(each, Y, number) for number, each in enumerate(split))
        split = Split("own folds", f"Own folds: {len(folds)} folds that were given.", folds)
    numbers = [(fold.repeat, fold.number) for fold in split]
    if again := next((each for each in numbers if numbers.count(each) > 1), None):
        raise InputError(
            f"{numbers.count(again)} folds are called fold {again[1]} of repeat {again[0]}: give "
            "each Fold a number of its own."
        )
    known = Y.notna().to_numpy()
    for fold in split:
        fold.match(Y)
        if not (fold.test & known).any() or not (fold.fit & known).any():
            raise InputError(
                f"Fold {fold.number} of repeat {fold.repeat} has no known response to train on or "
                "none to test on: leave it out."
            )
    return split


def label(omics: Omics) -> str:
    """How a choice of omics is written in a table."""
    return "none" if omics is None else omics if isinstance(omics, str) else " + ".join(omics)


def about(cohort, split: Split) -> dict[str, object]:
    """What is known of the cohort and the split."""
    return {
        "cohort": getattr(cohort, "name", "cohort"),
        "edition": getattr(cohort, "edition", ""),
        "study": getattr(cohort, "study", ""),
        "split": split.name,
        "sentence": split.sentence,
        "seed": split.seed,
    }


def cells(Y: pd.DataFrame, split: Split) -> dict[str, object]:
    """The test cells of all folds, one after the other: the columns of a HeldOut."""
    known = Y.notna().to_numpy()  # (lines, perturbations)
    positions = [np.nonzero(fold.test & known) for fold in split]
    line, perturbation = (np.concatenate(side).astype(np.int32) for side in zip(*positions))
    folds = {
        "repeat": [fold.repeat for fold in split],
        "fold": [fold.number for fold in split],
        "n_train": [int((fold.fit & known).sum()) for fold in split],
        "n_test": [len(rows) for rows, _ in positions],
    }
    tested, position = np.unique(line, return_inverse=True)
    return {
        "lines": Y.index[tested].rename("line"),
        "perturbations": Y.columns.rename("perturbation"),
        "folds": pd.DataFrame(folds),
        "line": position.astype(np.int32),
        "perturbation": perturbation,
        "truth": as_floats(Y)[line, perturbation],
    }


def gathered(cohort, split: Split, keys: Mapping[Key, str], done: list) -> Predictions:
    """Predictions, from the values or the Failure of each model in each fold.

    `keys` has the kind of each (model, omics); `done` stands fold after fold, in a fold model after
    model.
    """
    where = cells(cohort.Y, split)
    places = [(key, fold) for fold in split for key in keys]
    lost = [
        dict(
            cohort=full_name(getattr(cohort, "name", "cohort"), getattr(cohort, "edition", "")),
            split=split.name,
            model=name,
            omics=omics,
            repeat=fold.repeat,
            fold=fold.number,
            error=f"{each.kind}: {each.message}",
        )
        for ((name, omics), fold), each in zip(places, done, strict=True)
        if isinstance(each, Failure)
    ]
    held = HeldOut(
        about=about(cohort, split),
        values=dict(zip(keys, _columns(done, len(keys), where["folds"]["n_test"]), strict=True)),
        kinds=dict(keys),
        **where,
    )
    return Predictions((held,), failed(lost))


def _predict(models, chosen, X, Y, tables, name: str, fold: Fold) -> dict[str, np.ndarray]:
    return predict_fold(name, models[name], X[chosen[name]], Y, tables, fold)


def predict_fold(name: str, model: BaseEstimator, x, Y, tables, fold: Fold) -> dict:
    """What one model predicts for the test cells of one fold; an error says where it happened."""
    try:
        model = fit_fold(model, x, Y, fold, tables)
        truth, P = tested(model, x, Y, fold, tables)
        return {"values": known_cells(P, truth)}  # (cells,)
    except Exception as error:
        error.add_note(f"in {place(name, fold)}")
        foreign = not isinstance(error, InputError)
        if foreign and any(word in str(error) for word in NEEDS_ONE_OUTPUT):
            error.add_note(
                "A model of one output, or one that refuses missing labels, takes part as "
                f"PerPerturbation({type(model).__name__}(...))."
            )
        raise


def place(name: str, fold: Fold, what: str = "model") -> str:
    return f"{what} {name!r}, fold {fold.number} of repeat {fold.repeat}"


def _keys(models, chosen, X, Y, tables, tasks) -> list[str]:
    """A text for each task, of all that decides its predictions."""
    data = {omics: fingerprint(x, Y, tables) for omics, x in X.items()}
    model = {name: fingerprint(models[name]) for name in chosen}
    roles = {id(fold): fingerprint(np.ascontiguousarray(fold.roles)) for _, fold in tasks}
    return [
        " ".join([name, data[chosen[name]], model[name], roles[id(fold)], place(name, fold)])
        for name, fold in tasks
    ]


def _columns(done: list, models: int, sizes: pd.Series) -> Iterator[np.ndarray]:
    """The values of each model over all folds, one after the other; NaN where a fit failed."""
    for model in range(models):
        parts = [
            np.full(size, np.nan, np.float32) if isinstance(part, Failure) else part["values"]
            for part, size in zip(done[model::models], sizes, strict=True)
        ]
        done[model::models] = [None] * len(parts)  # no second copy of all predictions
        yield np.concatenate(parts)  # (cells,)


def omics_of(models: Mapping, omics: Omics | Mapping[str, Omics]) -> dict[str, Omics]:
    """The omics of each model."""
    if not isinstance(omics, Mapping):
        return dict.fromkeys(models, omics)
    if odd := set(models) ^ set(omics):
        raise InputError(
            f"The omics of {len(omics)} models are given for {len(models)} models, and "
            f"{min(odd)!r} is in one of the two only: name each model's omics."
        )
    return {name: omics[name] for name in models}


def _own_fold(given: Fold | tuple[Lines, Lines], Y: pd.DataFrame, number: int) -> Fold:
    """A fold, from the names of its training lines and of its test lines."""
    if isinstance(given, Fold):
        return given
    try:
        train, test = (pd.Index(list(names)) for names in given)
    except (TypeError, ValueError):
        raise InputError(
            f"Fold {number} is a {type(given).__name__}: give a Fold, or a pair (training lines, "
            "test lines)."
        ) from None
    unknown = train.union(test, sort=False).difference(Y.index, sort=False)
    if len(unknown):
        raise InputError(
            f"Fold {number} names {len(unknown)} lines that the response lacks, such as "
            f"{unknown.tolist()[0]!r}: give lines of the cohort."
        )
    if len(both := train.intersection(test)):
        raise InputError(
            f"Fold {number} trains and tests on {len(both)} lines, such as {both.tolist()[0]!r}: "
            "a line stands on one side."
        )
    roles = np.select([Y.index.isin(test), Y.index.isin(train)], [TEST, TRAIN], UNUSED)
    roles = np.broadcast_to(roles.astype(np.int8)[:, None], Y.shape)
    return Fold(roles, 0, number, None, (Y.index, Y.columns))
