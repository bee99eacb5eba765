"""Each leak of the chain moves what it should, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import evaluate
from cdp_lib.errors import InputError
from cdp_lib.evaluate.switches import leaky_chain
from cdp_lib.models.base.training import Training
from cdp_lib.models.networks.autoencoders import AutoEncoder, EncoderRegressorDecoder
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.splits import leave_lines_out

TRAINING = Training(
    lr=0.03, epochs=3, batch_size=16, patience=None, validation_fraction=0.0, device="cpu"
)
CHAIN = EncoderRegressorDecoder(
    AutoEncoder((6, 3), training=TRAINING),
    AutoEncoder((6, 3), training=TRAINING),
    FeedForward((5,), "tanh", scale_targets=False, training=TRAINING),
)
RNG = np.random.default_rng(2)
NAMES = pd.Index([f"line {i}" for i in range(40)])
X = pd.DataFrame(RNG.normal(size=(40, 9)), NAMES).add_prefix("gene ")
Y = pd.DataFrame(RNG.normal(size=(40, 7)), NAMES).add_prefix("drug ")
FOLD = leave_lines_out(Y, 4, tune=0.2).folds[0]
TEST = FOLD.test.any(axis=1)


def changed(features=False, labels=False, **switches):
    """Does the prediction of training lines change when test features, or labels, do?"""
    x, y = X.copy(), Y.copy()
    if features:
        x[TEST] = 5 * X[TEST].to_numpy()[::-1]
    if labels:
        y[TEST] = 5 * Y[TEST].to_numpy()[::-1]
    both = (X, Y), (x, y)
    chains = [leaky_chain(CHAIN, *tables, FOLD, **switches) for tables in both]
    first, second = (chain.predict(X[~TEST]) for chain in chains)
    return not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("switches", "by_features", "by_labels"),
    [
        ({}, False, False),
        ({"source": "all"}, True, False),
        ({"target": "all"}, False, True),
        ({"source": "all", "target": "all"}, True, True),
    ],
)
def test_a_switch_lets_in_what_it_says(switches, by_features, by_labels):
    assert changed(features=True, **switches) == by_features
    assert changed(labels=True, **switches) == by_labels


def test_shuffled_rows_hold_the_values_and_no_line():
    from cdp_lib.evaluate.switches import _on_shuffled

    seen = []

    class Keeps(AutoEncoder):
        def fit(self, X):
            seen.append(X)
            return super().fit(X)

    chain = EncoderRegressorDecoder(
        CHAIN.source_ae, Keeps((3,), training=TRAINING), CHAIN.regressor
    )
    _on_shuffled(chain, "target", Y, FOLD)
    assert seen[0][~TEST].equals(Y[~TEST])
    assert np.allclose(np.sort(seen[0][TEST], axis=0), np.sort(Y[TEST], axis=0))
    assert not (seen[0][TEST].to_numpy() == Y[TEST].to_numpy()).all(axis=1).any()


def test_all_settings_stand_side_by_side():
    class Cohort:
        name = "made up"

        def X(self, omics):
            return X

    Cohort.Y = Y
    split = leave_lines_out(Y, 4, tune=0.2)
    switches = {"nothing leaks": {}, "test epoch": {"judge": "test"}, "target": {"target": "all"}}
    P = evaluate.switch_on(CHAIN, Cohort(), split, switches)
    scores = P.summary("pearson").set_index("model")["mean"]
    assert set(switches) < set(scores.index)
    by_hand = leaky_chain(CHAIN, X, Y, split.folds[0]).predict(X[TEST])
    cells = P.cells()
    mine = cells[(cells["model"] == "nothing leaks") & (cells["fold"] == 0)]
    assert np.allclose(mine["prediction"], by_hand.to_numpy().ravel(), atol=1e-6)


def test_an_unknown_switch_is_named():
    with pytest.raises(InputError, match="'some'"):
        leaky_chain(CHAIN, X, Y, FOLD, source="some")
