"""Autoencoders squeeze and rebuild; the chain between two of them is honest unless told not to."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from torch import nn

from cdp_lib import splits
from cdp_lib.errors import InputError
from cdp_lib.models.base.training import Training
from cdp_lib.models.networks.autoencoders import AutoEncoder, EncoderRegressorDecoder, Rebuilt
from cdp_lib.models.networks.feedforward import FeedForward


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Networks this small wait for a second thread longer than they gain by it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tables(lines=80, seed=0):
    """Features and labels that two hidden factors explain."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(lines, 2))
    names = pd.Index([f"line {i}" for i in range(lines)], name="line")
    X = pd.DataFrame(20 + factors @ rng.normal(size=(2, 8)), names).add_prefix("gene ")
    Y = pd.DataFrame(-3 + factors @ rng.normal(size=(2, 6)), names).add_prefix("drug ")
    return X, Y


def quick(**changes):
    training = Training(
        lr=0.03, epochs=40, batch_size=32, patience=None, validation_fraction=0.0, device="cpu"
    )
    return AutoEncoder(hidden=(8, 2), training=training).set_params(**changes)


def between(**changes):
    """The network between the latent layers."""
    training = Training(lr=0.03, epochs=30, batch_size=32, patience=None, device="cpu")
    return FeedForward((8,), "tanh", training=training).set_params(**changes)


def chain(protocol="repaired", **changes):
    return EncoderRegressorDecoder(quick(), quick(hidden=(6, 2)), between(**changes), protocol)


def brief(parts=None, protocol="repaired", **changes):
    """A chain that learns hardly anything, fast."""
    fast = dict(hidden=(3,), training__lr=1e-4, training__epochs=3)
    network = between(**(fast | changes))
    return EncoderRegressorDecoder(*(parts or [quick(training__epochs=2)] * 2), network, protocol)


def test_the_papers_shape():
    model = AutoEncoder(hidden=(500, 300), training=Training(epochs=1, device="cpu")).fit(
        np.eye(4, 600)
    )
    layers = [part for part in model.module_.modules() if not list(part.children())]
    assert [type(layer) for layer in layers] == [nn.Linear, nn.Tanh, nn.Linear] * 2
    widths = [layer.in_features for layer in layers if isinstance(layer, nn.Linear)]
    assert widths == [600, 500, 300, 500]


def test_two_latent_values_rebuild_what_two_factors_made():
    X, _ = tables()
    model = quick().fit(X.iloc[:60])
    rebuilt = model.reconstruct(X.iloc[60:])
    left = ((X.iloc[60:] - rebuilt) ** 2).mean() / X.iloc[60:].var()
    assert (left < 0.2).all()
    assert rebuilt.index.equals(X.index[60:]) and rebuilt.columns.equals(X.columns)


def test_encode_decode_transform_and_inverse():
    X, _ = tables()
    model = quick(training__epochs=3)
    latent = model.fit_transform(X)
    assert list(latent) == ["latent 1", "latent 2"] and latent.index.equals(X.index)
    pd.testing.assert_frame_equal(latent, model.encode(X))
    pd.testing.assert_frame_equal(model.inverse_transform(latent), model.reconstruct(X))
    array = clone(model).fit(X.to_numpy()).encode(X.to_numpy())
    np.testing.assert_array_equal(latent.to_numpy(), array)
    assert len(model.history_.train["loss"]) == 3


def test_two_fits_are_bit_identical():
    X, _ = tables()
    first, second, other = (
        quick(training__epochs=3, training__seed=seed).fit(X).encode(X) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not first.equals(other)


def test_validation_rows_choose_the_epoch_and_nothing_else():
    X, _ = tables()
    model = quick(training__epochs=5).fit(X.iloc[:60], validation=(X.iloc[60:], None))
    assert len(model.history_.validation["loss"]) == 5
    np.testing.assert_allclose(model.mean_, X.iloc[:60].mean())
    assert model.history_.train == quick(training__epochs=5).fit(X.iloc[:60]).history_.train


def test_missing_cells_are_not_judged_and_flat_columns_come_back():
    X, _ = tables()
    X["gene 6"], X["gene 7"] = 0.1, np.nan
    X.iloc[3, 2] = np.nan
    model = quick(training__epochs=5).fit(X)
    rebuilt = model.reconstruct(X + pd.Series({"gene 6": 9.0}).reindex(X.columns).fillna(0))
    assert np.isfinite(rebuilt.to_numpy()).all()
    np.testing.assert_allclose(rebuilt["gene 6"], 0.1)
    np.testing.assert_allclose(rebuilt["gene 7"], np.nanmean(X))


def test_the_published_scaling_bug_is_reproduced():
    X, _ = tables()
    bugged, sound = quick(protocol="as_published").fit(X), quick().fit(X)
    z = ((X - X.mean()) / X.std(ddof=0)).to_numpy()
    np.testing.assert_allclose(bugged.decode(bugged.encode(z)), X, atol=8)  # as it was trained
    errors = [((X - model.reconstruct(X)) ** 2).mean().mean() for model in (bugged, sound)]
    assert errors[0] > 10 * errors[1]  # as it is used: with raw rows


def test_the_chain_predicts_other_lines():
    X, Y = tables(200)
    model = chain().fit(X.iloc[:150], Y.iloc[:150])
    P = model.predict(X.iloc[150:])
    assert (((Y.iloc[150:] - P) ** 2).mean() / Y.iloc[150:].var() < 0.4).all()
    assert P.index.equals(X.index[150:]) and P.columns.equals(Y.columns)


def test_the_parts_of_a_repaired_chain_are_fitted_on_its_training_rows():
    X, Y = tables()
    model = brief(training__validation_fraction=0.0).fit(X.iloc[:60], Y.iloc[:60])
    np.testing.assert_allclose(model.source_.mean_, X.iloc[:60].mean())
    np.testing.assert_allclose(model.target_.mean_, Y.iloc[:60].mean())
    assert not hasattr(model.source_ae, "module_"), "the given parts stay as they were"
    stopped = brief().fit(X.iloc[:60], Y.iloc[:60], (X.iloc[60:], Y.iloc[60:]))
    for part in (stopped.source_, stopped.target_, stopped.regressor_):
        assert part.history_.validation
    np.testing.assert_allclose(stopped.target_.mean_, Y.iloc[:60].mean())


def test_the_published_chain_uses_the_given_parts():
    X, Y = tables()
    parts = quick(training__epochs=2).fit(X), quick(training__epochs=2).fit(Y)
    model = brief(parts, "as_published")
    model.fit(X.iloc[:60], Y.iloc[:60])
    assert (model.source_, model.target_) == parts


def test_the_published_epoch_is_the_best_on_the_test_rows():
    X, Y = tables()
    part = (X.iloc[60:], Y.iloc[60:])
    model = brief(training__epochs=8, training__lr=0.05).fit_as_published(
        X.iloc[:60], Y.iloc[:60], *part
    )
    curve = model.history_.monitor
    assert len(curve) == 8 and model.history_.best_epoch == int(np.argmax(curve))
    assert max(curve) == pytest.approx(model.predict(part[0]).corrwith(part[1]).mean())
    assert model.history_.validation == {}, "no row is set aside"


def test_a_monitor_watches_and_decides_nothing():
    X, Y = tables()
    seen = []
    watched = brief().fit(X, Y, monitor=lambda model: seen.append(model.predict(X)) or 1.0)
    assert watched.history_.monitor == (1.0,) * 3 and not seen[0].equals(seen[1])
    pd.testing.assert_frame_equal(watched.predict(X), brief().fit(X, Y).predict(X))


def cohort():
    X, Y = tables(40)
    Y = Y.mask(np.random.default_rng(0).random(Y.shape) < 0.1)
    about = pd.DataFrame({"tissue": [f"tissue {i % 4}" for i in range(40)]}, Y.index)
    perturbations = pd.DataFrame(index=Y.columns)
    return SimpleNamespace(Y=Y, lines=about, perturbations=perturbations, X=lambda omics: X)


@pytest.mark.parametrize(
    "split",
    [
        splits.leave_lines_out,
        splits.leave_pairs_out,
        splits.leave_tissues_out,
        splits.leave_both_out,
    ],
)
def test_the_repaired_chain_sees_no_test_label(split, assert_blind_to_test_labels):
    small = cohort()
    assert_blind_to_test_labels(lambda: brief(), small, split(small, 2))


class Published(BaseEstimator):
    """The published protocol in one fold: the caller's tables hold the test lines, too."""

    def __init__(self, cohort, leak):
        self.cohort = cohort
        self.leak = leak

    def fit(self, X, Y):
        every = self.cohort.X("expression"), self.cohort.Y
        test = [table.drop(index=X.index) for table in every]
        known = test[1].notna().any(axis=1)
        if self.leak == "autoencoders":
            parts = [quick(training__epochs=2).fit(table) for table in every]
            self.model_ = brief(parts, "as_published").fit(X, Y)
        elif known.any():
            self.model_ = brief(training__lr=0.05, training__epochs=8).fit_as_published(
                X, Y, *(table[known] for table in test)
            )
        return self

    def predict(self, X):
        return self.model_.predict(X)


@pytest.mark.parametrize("leak", ["autoencoders", "epoch"])
def test_the_published_protocol_is_caught(leak, assert_blind_to_test_labels):
    small = cohort()
    folds = splits.leave_lines_out(small, 2, tune=0.0)
    with pytest.raises(AssertionError, match="permuted: model"):
        assert_blind_to_test_labels(lambda cohort: Published(cohort, leak), small, folds)


def test_bad_input_is_one_sentence():
    X, Y = tables()
    with pytest.raises(InputError, match="protocol is 'honest'"):
        quick(protocol="honest").fit(X)
    with pytest.raises(InputError, match="protocol is 'honest'"):
        chain(protocol="honest").fit(X, Y)
    with pytest.raises(InputError, match="fit one or both"):
        chain(protocol="as_published").fit(X, Y)
    with pytest.raises(InputError, match="not fitted"):
        quick().decode(X)
    model = quick(training__epochs=1).fit(X)
    with pytest.raises(InputError, match="2 latent columns"):
        model.decode(X)
    with pytest.raises(InputError, match="infinite .*'gene 2'"):
        model.encode(X.assign(**{"gene 2": np.inf}))
    with pytest.raises(InputError, match="different lines"):
        chain().fit(X.iloc[::-1], Y)
    with pytest.raises(InputError, match="has a pearson"):
        brief().fit_as_published(X, Y, X.iloc[:1], Y.iloc[:1])
    with pytest.raises(InputError, match="metric is 'rmse'"):
        brief().fit_as_published(X, Y, X, Y, metric="rmse")
    with pytest.raises(InputError, match="No epoch was run"):
        brief(training__epochs=0).fit_as_published(X, Y, X, Y)
    with pytest.raises(InputError, match=r"hidden is \(\)"):
        quick(hidden=()).fit(X)
    with pytest.raises(InputError, match="X has 0 rows"):
        quick().fit(X[:0])
    with pytest.raises(InputError, match="source_ae is None"):
        EncoderRegressorDecoder(None, quick(), between()).fit(X, Y)
    with pytest.raises(InputError, match="regressor is AutoEncoder"):
        EncoderRegressorDecoder(quick(), quick(), quick()).fit(X, Y)


def test_a_given_autoencoder_is_kept_and_the_other_is_fitted_on_the_training_rows():
    X, Y = tables()
    target = quick(hidden=(6, 2), training__epochs=2).fit(Y)
    one = brief([quick(training__epochs=2), target], "as_published").fit(X[:40], Y[:40])
    assert one.target_ is target
    honest = brief([quick(training__epochs=2), quick(hidden=(6, 2))]).fit(X[:40], Y[:40])
    assert np.array_equal(one.source_.encode(X), honest.source_.encode(X))


@pytest.mark.parametrize("summary", [PCA(2), quick(hidden=(4, 2))])
def test_a_line_is_rebuilt_by_a_summary_of_other_lines(summary):
    X, _ = tables()
    model = Rebuilt(summary).fit(X[:60], X[:60])
    by_hand = clone(summary).fit(X[:60].to_numpy())
    if hasattr(by_hand, "reconstruct"):
        wanted = by_hand.reconstruct(X[60:].to_numpy())
    else:
        wanted = by_hand.inverse_transform(by_hand.transform(X[60:].to_numpy()))
    assert np.allclose(model.predict(X[60:]), wanted)
    assert np.allclose(model.predict(X[70:]), wanted[10:], atol=1e-6)


def test_given_autoencoders_and_latent_tables_are_not_realigned():
    X, Y = tables()
    given = quick(training__epochs=1).fit(X), quick(training__epochs=1).fit(Y)
    chained = EncoderRegressorDecoder(*given, between(), "as_published")
    with pytest.raises(InputError, match="X .* 8 features"):
        chained.fit(X.iloc[:, ::-1], Y)
    with pytest.raises(InputError, match="Y .* . features"):
        chained.fit(X, Y.iloc[:, ::-1])
    with pytest.raises(InputError, match="2 latent columns"):
        given[0].decode(given[0].encode(X).iloc[:, ::-1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine offers no CUDA")
def test_the_graphics_card_learns_the_same_thing():
    X, _ = tables()
    model = quick(training__device="cuda").fit(X)
    assert ((X - model.reconstruct(X)) ** 2).mean().mean() < 1
