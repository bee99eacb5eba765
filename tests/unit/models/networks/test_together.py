"""Models trained side by side are what each would be alone."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from cdp_lib.errors import InputError
from cdp_lib.models.base.training import Training
from cdp_lib.models.layered import LayeredEnsemble
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.masked import MaskedAutoencoder
from cdp_lib.models.networks.together import fit_together

STOPPED = Training(
    lr=0.03, epochs=30, batch_size=20, patience=4, validation_fraction=0.2, device="cpu"
)


def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 12)) + 0.3 * rng.normal(size=(60, 12))
    return pd.DataFrame(5 + 3 * x, [f"line {i}" for i in range(60)]).add_prefix("gene ")


def five(**changes):
    model = MaskedAutoencoder(3, training=STOPPED).set_params(**changes)
    return [clone(model).set_params(training__seed=seed) for seed in range(5)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hidden": (6,), "activation": "tanh", "noise": 0.1},
        {"corruption": "full noise", "training__batch_size": None},
        {"training__validation_fraction": 0.0, "training__epochs": 7},
        {"training__patience": None, "corruption": "noise", "training__weight_decay": 0.1},
    ],
    ids=lambda changes: ", ".join(changes) or "as it comes",
)
def test_each_is_what_it_would_be_alone(changes):
    X = table()
    before = torch.get_rng_state()
    together = fit_together(five(**changes), X)
    assert torch.equal(torch.get_rng_state(), before)
    for one, alone in zip(together, (model.fit(X) for model in five(**changes)), strict=True):
        np.testing.assert_allclose(one.transform(X), alone.transform(X), rtol=1e-4, atol=1e-5)
        assert one.history_.best_epoch == alone.history_.best_epoch
        assert len(one.history_.train["loss"]) == len(alone.history_.train["loss"])
        np.testing.assert_allclose(
            one.history_.train["loss"], alone.history_.train["loss"], rtol=1e-4
        )
        if hasattr(alone, "search_"):
            assert one.search_.best_epoch == alone.search_.best_epoch
            np.testing.assert_allclose(
                one.search_.validation["loss"], alone.search_.validation["loss"], rtol=1e-4
            )


def test_they_stop_at_epochs_of_their_own():
    epochs = [len(model.history_.train["loss"]) for model in fit_together(five(), table())]
    assert len(set(epochs)) > 1


def test_frozen_they_serve_in_an_ensemble():
    X = table()
    Y = X.iloc[:, :2].rename(columns=str.upper)
    models = fit_together(five(), X)
    ensemble = LayeredEnsemble([FrozenEstimator(each) for each in models], Ridge((1.0,)))
    frozen = ensemble.fit(X.iloc[:40], Y.iloc[:40]).predict(X)
    free = LayeredEnsemble(five(), Ridge((1.0,)), pretraining=X)
    expected = free.fit(X.iloc[:40], Y.iloc[:40]).predict(X)
    np.testing.assert_allclose(frozen, expected, rtol=1e-3)


def test_models_that_differ_otherwise_are_refused():
    other = five()[:2] + five(p=0.5)[2:3]
    with pytest.raises(InputError, match="Model 2 .* in p:"):
        fit_together(other, table())
    for schedule in ({"warmup": 2}, {"decay": True}, {"plateau": 3}):
        with pytest.raises(InputError, match="one learning rate"):
            fit_together(
                five(**{f"training__{key}": value for key, value in schedule.items()}), table()
            )
    with pytest.raises(InputError, match="list of MaskedAuto"):
        fit_together([], table())
    with pytest.raises(InputError, match="epoch 1"):
        fit_together(five(training__lr=1e30), table())
