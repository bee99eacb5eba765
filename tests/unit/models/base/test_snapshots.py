"""One training, looked at on its way, is the same as many short ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from cdp_lib.errors import InputError
from cdp_lib.models.base.columns import RarelyZero
from cdp_lib.models.base.snapshots import snapshots
from cdp_lib.models.base.training import ALL_EPOCHS
from cdp_lib.models.fusion.omics_networks import DenseEmbedding, OmicsNetwork
from cdp_lib.models.linear import BEMKL, Ridge

rng = np.random.default_rng(0)
LINES = [f"line {i}" for i in range(30)]
X = pd.DataFrame(rng.normal(size=(30, 6)), LINES).add_prefix("gene ")
Y = pd.DataFrame(X.to_numpy() @ rng.normal(size=(6, 3)), LINES).add_prefix("drug ")
TWO = pd.concat({"expression": X, "rppa": X + 1}, axis=1)
NETWORK = OmicsNetwork(DenseEmbedding(4), (4,)).set_params(training=ALL_EPOCHS)


def network(epochs):
    return NETWORK.set_params(training__epochs=epochs)


@pytest.mark.parametrize("epochs", [1, 3, 5])
def test_a_snapshot_is_what_a_shorter_training_predicts(epochs):
    found = snapshots(network(5), X[:20], Y[:20], X[20:], (1, 3, 5))
    alone = network(epochs).fit(X[:20], Y[:20]).predict(X[20:])
    pd.testing.assert_frame_equal(found[epochs], alone)


def test_after_its_own_end_a_model_stands_as_it_is():
    found = snapshots(network(2), X[:20], Y[:20], X[20:], (1, 2, 50))
    pd.testing.assert_frame_equal(found[2], found[50])
    assert not np.allclose(found[1], found[2])


@pytest.mark.filterwarnings("ignore:BEMKL's bound still grows")
def test_the_updates_of_bemkl_are_looked_at_too_and_through_a_pipeline():
    model = make_pipeline(RarelyZero(), BEMKL(iterations=7))
    found = snapshots(model, TWO[:20], Y[:20], TWO[20:], (2, 7))
    for updates, P in found.items():
        alone = BEMKL(iterations=updates).fit(TWO[:20], Y[:20]).predict(TWO[20:])
        pd.testing.assert_frame_equal(P, alone)


def test_what_has_no_rounds_or_is_asked_for_none_is_refused():
    with pytest.raises(InputError, match="Ridge"):
        snapshots(Ridge(), X, Y, X, (1,))
    with pytest.raises(InputError, match="1 round or more"):
        snapshots(NETWORK, X, Y, X, (0, 1))


def test_the_filter_counts_the_zeros_of_the_training_lines_alone():
    table = X.copy()
    table.iloc[:20, 0] = 0.0
    table.iloc[20:, 1] = 0.0
    kept = RarelyZero(0.5).fit(table[:20])
    assert list(kept.transform(table).columns) == list(X.columns[1:])
    with pytest.raises(InputError, match="max_zeros"):
        RarelyZero().fit(table * 0)
