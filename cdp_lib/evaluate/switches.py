"""Which leak pays how much: the chain of Itzhacky & Sharan with its leaks switched on one by one.

    chain   encode X -> network -> decode Y;  each part is given some lines

      source, target   the autoencoders of X and Y:  "train"     the training lines
                                                     "all"       the tested lines, too
                                                     "shuffled"  these too, in false order: as many
                                                                 rows and steps, and no label
      judge            the lines that choose the epoch: "tune" or "test"

The network between them always learns from the training lines.  "shuffled" is the control: what it
gains over "train" comes from more rows, what "all" gains over it is the leak.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone

from cdp_lib.errors import InputError
from cdp_lib.evaluate.checkpoint import remember
from cdp_lib.evaluate.cross_validation import cross_predict
from cdp_lib.evaluate.fitting import inputs, labelled
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.models.networks.autoencoders import AutoEncoder, EncoderRegressorDecoder
from cdp_lib.splits import Fold, Split

GIVEN = ("train", "all", "shuffled")
PARTS = ("source", "target")


def switch_on(
    chain: EncoderRegressorDecoder,
    cohort,
    split: Split,
    switches: Mapping[str, Mapping[str, str]],
    omics: str = "expression",
    checkpoint: str | Path | None = None,
) -> Predictions:
    """What the chain predicts under each setting of the switches, beside the naive baselines."""
    X, Y = inputs(cohort, omics), cohort.Y
    P = cross_predict({}, cohort, split)
    all_lines = {setting.get(part) for setting in switches.values() for part in PARTS}
    seen = on_all_lines(chain, X, Y) if "all" in all_lines else {}
    for name, setting in switches.items():
        tables = [
            remember(checkpoint, _fold, chain, X, Y, fold, dict(setting), seen)["P"]
            for fold in split
        ]
        P = P.add(name, tables, omics)
    return P


def on_all_lines(chain: EncoderRegressorDecoder, X: pd.DataFrame, Y: pd.DataFrame) -> dict:
    """Both autoencoders, trained on all lines: the same in every fold."""
    return {"source": clone(chain.source_ae).fit(X), "target": clone(chain.target_ae).fit(Y)}


def leaky_chain(
    chain: EncoderRegressorDecoder,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    fold: Fold,
    source: str = "train",
    target: str = "train",
    judge: str = "tune",
    seen: dict[str, AutoEncoder] | None = None,
) -> EncoderRegressorDecoder:
    """The chain of one fold, fitted under these switches; `seen` is of `on_all_lines`."""
    if judge not in ("tune", "test") or not {source, target} <= set(GIVEN):
        raise InputError(
            f"source={source!r}, target={target!r}, judge={judge!r}: source and target are one of "
            f"{', '.join(GIVEN)}, judge is tune or test."
        )
    train, judged = (labelled(X, Y, cells) for cells in (fold.train, getattr(fold, judge)))
    given = {"source": (X, source), "target": (Y, target)}
    if "all" in (source, target) and seen is None:
        seen = on_all_lines(chain, X, Y)
    ready = {
        f"{part}_ae": seen[part] if how == "all" else _on_shuffled(chain, part, table, fold)
        for part, (table, how) in given.items()
        if how != "train"
    }
    model = clone(chain)
    if ready:
        model.set_params(**ready, protocol="as_published")
    return model.fit_as_published(*train, *judged)


def _on_shuffled(chain, part: str, table: pd.DataFrame, fold: Fold) -> AutoEncoder:
    """An autoencoder on all rows, each column of the tested ones shuffled by itself."""
    rows = np.flatnonzero(fold.test.any(axis=1))
    values = table.to_numpy().copy()
    values[rows] = np.random.default_rng(fold.number).permuted(values[rows], axis=0)
    blank = getattr(chain, f"{part}_ae")
    return clone(blank).fit(pd.DataFrame(values, table.index, table.columns))


def _fold(chain, X, Y, fold, setting, seen) -> dict:
    model = leaky_chain(chain, X, Y, fold, **setting, seen=seen)
    X_test, Y_test = labelled(X, Y, fold.test)
    return {"P": pd.DataFrame(model.predict(X_test), Y_test.index, Y_test.columns)}
