"""The feed-forward network: it learns, masks, scales with training rows, and repeats itself."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from torch import nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.blocks import mlp
from cdp_lib.models.base.training import Training
from cdp_lib.models.networks.feedforward import FeedForward, straight_lines


def tables(lines=120, missing=0.1):
    rng = np.random.default_rng(0)
    names = pd.Index([f"line {i}" for i in range(lines)], name="line")
    X = pd.DataFrame(rng.normal(5.0, 3.0, size=(lines, 6)), names).add_prefix("gene ")
    Y = 100 + 10 * np.tanh(X.to_numpy() - 5) @ rng.normal(size=(6, 3))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, pd.DataFrame(Y, names).add_prefix("drug ")


def quick(**changes):
    training = Training(epochs=40, lr=0.01, device="cpu")
    return FeedForward(hidden=(32,), training=training).set_params(**changes)


def test_it_learns_what_a_mean_cannot():
    X, Y = tables(200)
    P = quick(training__epochs=100).fit(X.iloc[:150], Y.iloc[:150]).predict(X.iloc[150:])
    left = ((Y.iloc[150:] - P) ** 2).mean() / Y.iloc[150:].var()
    assert (left < 0.5).all()
    assert P.index.equals(X.index[150:]) and P.columns.equals(Y.columns)


def test_two_fits_are_bit_identical_and_leave_the_global_generator_alone():
    X, Y = tables()
    before = torch.random.get_rng_state()
    first, second, other = (
        quick(dropout=0.2, training__epochs=5, training__seed=seed).fit(X, Y).predict(X)
        for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not first.equals(other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_given_validation_part_stops_but_does_not_teach():
    X, Y = tables()
    validation = (X.iloc[80:], Y.iloc[80:])
    one = quick(training__epochs=3).fit(X.iloc[:80], Y.iloc[:80], validation=validation)
    shifted = (validation[0] + 50, validation[1])  # other numbers, and the same number of epochs
    two = quick(training__epochs=3, training__patience=None).fit(
        X.iloc[:80], Y.iloc[:80], validation=shifted
    )
    np.testing.assert_array_equal(one.x_mean_, X.iloc[:80].mean().to_numpy())
    np.testing.assert_array_equal(one.x_mean_, two.x_mean_)
    assert one.history_.train == two.history_.train
    assert one.history_.validation != two.history_.validation


def test_rows_set_aside_take_no_part_in_the_scales():
    X, Y = tables()
    model = quick(training__epochs=1, training__validation_fraction=0.5).fit(X, Y)
    assert not np.allclose(model.x_mean_, X.mean())
    assert len(model.history_.validation["loss"]) == 1
    everything = quick(training__epochs=1, training__validation_fraction=0.0).fit(X, Y)
    np.testing.assert_allclose(everything.x_mean_, X.mean())
    assert everything.history_.validation == {}


def test_only_labelled_rows_are_set_aside():
    X, Y = tables(50)
    Y.iloc[5:] = np.nan
    model = quick(training__epochs=3, training__validation_fraction=0.4).fit(X, Y)
    assert min(model.history_.validation["loss"]) > 0


def test_masked_labels_do_not_matter_and_known_ones_do():
    X, Y = tables(missing=0.3)
    nothing = quick(training__epochs=3).fit(X, Y).predict(X)
    known = np.argwhere(Y.notna().to_numpy())[0]
    changed = Y.copy()
    changed.iloc[known[0], known[1]] += 100
    assert not quick(training__epochs=3).fit(X, changed).predict(X).equals(nothing)


def test_perturbations_without_labels_or_variance_are_predicted_by_means():
    X, Y = tables()
    Y["drug 1"] = np.nan
    Y["drug 2"] = 4.0
    P = quick(training__epochs=2, training__validation_fraction=0.0).fit(X, Y).predict(X)
    np.testing.assert_allclose(P["drug 1"], np.nanmean(Y.to_numpy()))
    np.testing.assert_allclose(P["drug 2"], 4.0)


def test_two_level_columns_are_several_omics_side_by_side():
    X, Y = tables()
    double = pd.concat({"expression": X, "mutation": X.gt(5).astype(float)}, axis=1)
    assert quick(training__epochs=2).fit(double, Y).predict(double).shape == Y.shape
    double[("mutation", "gene 4")] = np.nan
    with pytest.raises(InputError, match=r"'mutation', 'gene 4'"):
        quick().fit(double, Y)


def test_arrays_and_params():
    X, Y = tables()
    model = quick(training__epochs=2)
    P = clone(model).fit(X.to_numpy(), Y.to_numpy()).predict(X.to_numpy())
    np.testing.assert_array_equal(P, model.fit(X, Y).predict(X).to_numpy())
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "module_")
    one = model.fit(X, Y["drug 0"]).predict(X)
    assert isinstance(one, pd.Series) and one.index.equals(X.index)


def test_bad_settings_are_one_sentence():
    X, Y = tables()
    with pytest.raises(InputError, match="activation is 'swish'"):
        quick(activation="swish").fit(X, Y)
    with pytest.raises(InputError, match="fraction is 1.5"):
        quick(training__validation_fraction=1.5).fit(X, Y)
    with pytest.raises(InputError, match="smaller lr"):
        quick(training__lr=1e30, training__patience=None).fit(X, Y)
    with pytest.raises(InputError, match="column 'gene 0'"):
        quick().fit(X.replace({"gene 0": {X.iloc[0, 0]: np.nan}}), Y)
    for settings, words in [
        ({"hidden": 4}, "hidden is 4"),
        ({"hidden": (4, 0)}, r"hidden is \(4, 0\)"),
        ({"hidden": (True,)}, r"hidden is \(True,\)"),
        ({"activation": []}, r"activation is \[\]"),
        ({"scale_targets": "no"}, "scale_targets is 'no'"),
        ({"training": 3}, "training is 3"),
        ({"training__seed": True}, "seed is True"),
        ({"dropout": -0.1}, "dropout is -0.1: .* below 1"),
        ({"training__validation_fraction": "all"}, "validation_fraction is 'all'"),
        ({"training__batch_size": 0}, "batch_size is 0"),
        ({"training__seed": -1}, "seed is -1"),
    ]:
        with pytest.raises(InputError, match=words):
            quick(**settings).fit(X, Y)


def test_validation_labels_are_not_realigned():
    X, Y = tables()
    with pytest.raises(InputError, match="3 perturbations"):
        quick().fit(X, Y, validation=(X, Y.iloc[:, ::-1]))
    with pytest.raises(InputError, match=r"\(120, 1\)"):
        quick().fit(X, Y, validation=(X, Y.iloc[:, :1]))


def test_cuda_asked_for_and_absent(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no CUDA"):
        quick(training__device="cuda").fit(*tables())


def test_mlp_layers():
    kinds = [type(layer) for layer in mlp([6, 5, 4, 2], "tanh", dropout=0.1, last="sigmoid")]
    assert kinds == [
        nn.Linear,
        nn.Tanh,
        nn.Dropout,
        nn.Linear,
        nn.Tanh,
        nn.Dropout,
        nn.Linear,
        nn.Sigmoid,
    ]
    assert [type(layer) for layer in mlp([6, 2])] == [nn.Linear]
    assert mlp([6, 5, 2])(torch.zeros(7, 6)).shape == (7, 2)


def test_the_papers_regressor_learns_labels_as_they_are():
    X, Y = tables(missing=0.0)
    Y["drug 0"] /= 1000  # a small variance weighs little unless labels are scaled
    Y["drug 2"] = np.nan
    settings = dict(
        hidden=(100,) * 3,
        activation="tanh",
        training__lr=0.003,
        training__batch_size=32,
        training__epochs=20,
        training__validation_fraction=0.0,
    )
    left = {}
    for scale in (True, False):
        P = quick(**settings, scale_targets=scale).fit(X, Y).predict(X)
        left[scale] = ((Y - P) ** 2).mean() / Y.var()
        np.testing.assert_allclose(P["drug 2"], np.nanmean(Y))
    assert left[True]["drug 0"] < 0.5 < left[False]["drug 0"]


def correlation(**changes):
    return quick(loss="correlation", training__epochs=100, **changes)


def test_the_correlation_loss_ranks_new_lines_and_speaks_in_units_of_the_labels():
    X, Y = tables(200)
    P = correlation().fit(X.iloc[:150], Y.iloc[:150]).predict(X.iloc[150:])
    assert (P.corrwith(Y.iloc[150:]) > 0.7).all()
    left = ((Y.iloc[150:] - P) ** 2).mean() / Y.iloc[150:].var()
    assert (left < 0.5).all()  # the labels are near 100, far from where a correlation puts them


def test_the_line_from_network_to_labels_is_least_squares_on_the_training_rows():
    X, Y = tables()
    model = correlation(training__validation_fraction=0.0).fit(X, Y)
    P = model.predict(X)
    for drug in Y:
        known = Y[drug].notna()
        slope, offset = np.polyfit(P.loc[known, drug], Y.loc[known, drug], 1)
        assert slope == pytest.approx(1.0, abs=1e-6)
        assert offset == pytest.approx(0.0, abs=1e-4)
    with torch.no_grad():
        f = model.module_(model._scaled(X.to_numpy())).numpy()
    r = [pd.Series(f[:, j], Y.index).corr(Y.iloc[:, j]) for j in range(3)]
    losses = model.history_.train["loss"]
    assert 1 - np.mean(r) < losses[0] and losses[-1] < 0.5 * losses[0]


def test_the_correlation_loss_ignores_units_and_scale_targets():
    X, Y = tables()
    P = correlation().fit(X, Y).predict(X)
    turned = correlation(scale_targets=False).fit(X, 1e-9 * Y).predict(X)
    np.testing.assert_allclose(1e9 * turned, P, atol=0.1)


def test_the_correlation_loss_without_anything_to_compare():
    X, Y = tables()
    Y["drug 1"], Y["drug 2"] = np.nan, 4.0
    Y.loc[Y.index[1:], "drug 0"] = np.nan  # a single label
    everything = correlation(training__validation_fraction=0.0)
    P = everything.fit(X, Y).predict(X)
    np.testing.assert_allclose(P["drug 0"], Y["drug 0"].iloc[0])
    np.testing.assert_allclose(P["drug 1"], np.nanmean(Y.to_numpy()))
    np.testing.assert_allclose(P["drug 2"], 4.0)
    one = everything.fit(X[:1], Y[:1]).predict(X)
    np.testing.assert_allclose(one.iloc[0], everything.predict(X[:1]).iloc[0])
    with pytest.raises(InputError, match="In the 12 rows that stop"):
        correlation().fit(X, Y)
    with pytest.raises(InputError, match="batch_size is 1"):
        correlation(training__batch_size=1).fit(*tables())
    with pytest.raises(InputError, match="loss is 'spearman'"):
        quick(loss="spearman").fit(*tables())


def test_a_network_that_says_one_thing_is_given_the_mean():
    f, y = np.full((5, 2), 3.0), np.array([[1.0, 2.0, 3.0, np.nan, 5.0], [np.nan] * 5]).T
    a, b = straight_lines(f + 1e-9 * np.arange(5)[:, None], y)  # float32 cannot mean that
    np.testing.assert_allclose(a, [2.75, 0.0]), np.testing.assert_allclose(b, [0.0, 1.0])


def test_the_published_epoch_is_the_best_on_the_test_rows():
    X, Y = tables()
    X_test, Y_test = X.iloc[80:], Y.iloc[80:]
    model = quick(training__epochs=12).fit_as_published(X.iloc[:80], Y.iloc[:80], X_test, Y_test)
    curve = model.history_.monitor
    assert len(curve) == 12 and model.history_.best_epoch == int(np.argmax(curve))
    assert max(curve) == pytest.approx(model.predict(X_test).corrwith(Y_test).mean())
    np.testing.assert_allclose(model.x_mean_, X.iloc[:80].mean())  # no row is set aside


def test_a_monitor_watches_and_decides_nothing():
    X, Y = tables()
    watched = quick(training__epochs=4, dropout=0.2).fit(
        X, Y, monitor=lambda model: len(model.predict(X))
    )
    plain = quick(training__epochs=4, dropout=0.2).fit(X, Y)
    assert watched.history_.monitor == (120.0,) * 4 and plain.history_.monitor == ()
    pd.testing.assert_frame_equal(watched.predict(X), plain.predict(X), check_exact=True)


def test_a_monitor_sees_the_network_without_dropout():
    X, Y = tables()
    last = []
    model = quick(training__epochs=2, dropout=0.5, training__validation_fraction=0.0)
    model.fit(X, Y, monitor=lambda model: last.append(model.predict(X)) or 0.0)
    pd.testing.assert_frame_equal(last[-1], model.predict(X), check_exact=True)
