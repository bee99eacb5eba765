"""Every head on every representation: each representation is fitted once, and shared by all heads.

    z_r   = representation_r(x)        learned once a fold, or once in all where every line teaches
    y_hr  = head_h(z_r)                learned from the fold's training cells

    P = predict_layers({"mae 0": ..., "mae 1": ...}, {"lasso": ...}, cohort, split)
    P = P.mean_of({"layered lasso": ["lasso on mae 0", "lasso on mae 1"]})
    P.against("lasso on mae 0", "spearman")

The mean over representations is what `LayeredEnsemble` predicts, so ensembles of any members are
views of these predictions.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.evaluate.checkpoint import fingerprint
from cdp_lib.evaluate.cross_validation import (
    as_split,
    cross_predict,
    gathered,
    label,
    place,
    predict_fold,
)
from cdp_lib.evaluate.fitting import Omics, inputs, labelled, perturbation_tables
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.evaluate.running import Failure, carry_out
from cdp_lib.models.base.tables import check_model
from cdp_lib.models.base.validation import uses_validation
from cdp_lib.models.layered import check_representations
from cdp_lib.models.representations import latents, lines_to_learn
from cdp_lib.splits import Fold, Split


def predict_layers(
    representations: Mapping[str, BaseEstimator],
    heads: Mapping[str, BaseEstimator],
    cohort,
    split: Split | list,
    omics: Omics = "expression",
    pretraining: pd.DataFrame | None = None,
    pairs: list[tuple[str, str]] | None = None,
    baselines: bool | Mapping[str, BaseEstimator] = True,
    n_jobs: int | None = None,
    errors: str = "raise",
    checkpoint: str | Path | None = None,
) -> Predictions:
    """What each head predicts from each representation: the models "head on representation".

    A representation is fitted on the training lines of a fold or, with `pretraining`, on that
    table of lines and the training lines together, as in `LayeredEnsemble`.  Folds that would fit
    it on the same lines share one fit.  `pairs` lists the (head, representation) that are wanted,
    where not all are.  The other arguments are those of `cross_predict`.
    """
    pairs = _pairs(representations, heads, pairs)
    split = as_split(split, cohort.Y)
    X, Y, tables = inputs(cohort, omics), cohort.Y, perturbation_tables(cohort)
    further = np.zeros(len(X), bool) if pretraining is None else X.index.isin(pretraining.index)
    tasks, fits = [], {}  # fits: (representation, lines) -> the task of fitting it
    for fold in split:
        for head, layer in pairs:
            rows = _training_lines(heads[head], X, Y, fold)
            fit = layer, (rows & ~further).tobytes()
            fits.setdefault(fit, (layer, rows, place(layer, fold, "representation")))
            tasks.append((f"{head} on {layer}", head, fit, fold))
    settings = dict(n_jobs=n_jobs, errors=errors, checkpoint=checkpoint)
    done = carry_out(
        _represent,
        (dict(representations), X, pretraining),
        list(fits.values()),
        names=[where for _, _, where in fits.values()],
        keys=checkpoint and _keys_of_fits(representations, X, pretraining, fits),
        **settings,
    )
    fitted = dict(zip(fits, done, strict=True))
    able = [task for task in tasks if not isinstance(fitted[task[2]], Failure)]
    layers = {
        fit: pd.DataFrame(one["latent"], X.index).rename(columns=lambda n: f"latent {n + 1}")
        for fit, one in fitted.items()
        if not isinstance(one, Failure)
    }
    done = carry_out(
        _predict_layer,
        (dict(heads), layers, Y, tables),
        able,
        names=[place(name, fold) for name, _, _, fold in able],
        keys=checkpoint and _keys_of_heads(heads, layers, Y, tables, able),
        **settings,
    )
    results = iter(done)
    done = [next(results) if task[2] in layers else fitted[task[2]] for task in tasks]
    keys = {(f"{head} on {layer}", label(omics)): "model" for head, layer in pairs}
    P = gathered(cohort, split, keys, done)
    if not baselines:
        return P
    naive = dict(baselines) if isinstance(baselines, Mapping) else {}
    return P | cross_predict({}, cohort, split, dict.fromkeys(naive, omics), naive or True)


def _pairs(representations: Mapping, heads: Mapping, pairs: list | None) -> list[tuple[str, str]]:
    """The (head, representation) that are wanted, each of them known and usable."""
    for what, given in (("representations", representations), ("heads", heads)):
        if not isinstance(given, Mapping) or not given:
            raise InputError(f"Give {what} as a dictionary, name -> object, with at least one.")
    check_representations(list(representations.values()))
    for name, head in heads.items():
        check_model(f"The head {name!r}", head)
    if pairs is None:
        return [(head, layer) for layer in representations for head in heads]
    for head, layer in pairs:
        if head not in heads or layer not in representations:
            raise InputError(
                f"pairs holds {(head, layer)!r}: give (head, representation) by names that are in "
                "heads and in representations."
            )
    return list(dict.fromkeys(map(tuple, pairs)))


def _training_lines(head: BaseEstimator, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold):
    """The lines, as a mask, that a head learns from in a fold: `fit_fold` hands it the same."""
    stops = uses_validation(head) and len(labelled(X, Y, fold.tune)[0])
    return X.index.isin(labelled(X, Y, fold.train if stops else fold.fit)[0].index)


def _represent(representations, X, pretraining, layer: str, rows: np.ndarray, where: str) -> dict:
    """The latent values of all lines, from a representation fitted on some."""
    try:
        fitted = clone(representations[layer]).fit(lines_to_learn(X[rows], pretraining), None)
        return {"latent": np.asarray(latents(fitted, X), float)}  # (lines, components)
    except Exception as error:
        error.add_note(f"in {where}")
        raise


def _predict_layer(heads, layers, Y, tables, name: str, head: str, fit: tuple, fold: Fold) -> dict:
    return predict_fold(name, heads[head], layers[fit], Y, tables, fold)


def _keys_of_fits(representations, X, pretraining, fits: Mapping) -> list[str]:
    data = fingerprint(X, pretraining)
    one = {layer: fingerprint(each) for layer, each in representations.items()}
    return [
        f"{data} {one[layer]} {fingerprint(rows)} {where}" for layer, rows, where in fits.values()
    ]


def _keys_of_heads(heads, layers, Y, tables, tasks: list) -> list[str]:
    data = {fit: fingerprint(table, Y, tables) for fit, table in layers.items()}
    one = {name: fingerprint(head) for name, head in heads.items()}
    return [
        f"{data[fit]} {one[head]} {fingerprint(np.ascontiguousarray(fold.roles))} "
        f"{place(name, fold)}"
        for name, head, fit, fold in tasks
    ]
