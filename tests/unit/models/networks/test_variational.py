"""The variational autoencoder: its two terms, what is scaled where, and what a loss means."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from torch.distributions import Bernoulli, Normal, kl_divergence

from cdp_lib import machine
from cdp_lib.audit import depends_on_company
from cdp_lib.errors import InputError
from cdp_lib.models.layered import LayeredEnsemble
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks import variational
from cdp_lib.models.networks.variational import (
    AS_DESCRIBED,
    STEADY,
    GeneVAE,
    Variational,
    kl_by_unit,
    reductions,
    terms,
)

FEW = replace(STEADY, lr=0.01, epochs=4, batch_size=32, device="cpu")


def table(lines=60, features=12, factors=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(lines, factors)) @ rng.normal(size=(factors, features))
    x = 5 + 3 * (x + 0.2 * rng.normal(size=x.shape))
    names = pd.Index([f"line {i}" for i in range(lines)], name="line")
    return pd.DataFrame(x, names).add_prefix("gene ")


def small(**changes):
    return GeneVAE(4, hidden=8, beta_epochs=2, training=FEW).set_params(**changes)


def normals(shape=(5, 3)):
    draws = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn((2, *shape), generator=draws, dtype=torch.float64)
    return mean, log_variance


def test_the_closed_form_is_the_kl_of_two_normals():
    mean, log_variance = normals()
    q, p = Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)
    torch.testing.assert_close(kl_by_unit(mean, log_variance), kl_divergence(q, p))
    torch.manual_seed(0)
    z = q.sample((200_000,))  # the definition, by Monte Carlo
    drawn = (q.log_prob(z) - p.log_prob(z)).mean(dim=0)
    torch.testing.assert_close(kl_by_unit(mean, log_variance), drawn, atol=0.03, rtol=0)
    assert kl_by_unit(torch.zeros(1), torch.zeros(1)) == 0


def test_the_terms_are_those_of_the_bound():
    module = Variational(6, 5, 3, (4,), rectified=False).eval()
    x = torch.rand(7, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    with torch.no_grad():
        found = terms(module, x, 0.25)
    torch.manual_seed(1)
    with torch.no_grad():
        logits, mean, log_variance = module(x)
    likelihood = Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(dim=1)
    q = Normal(mean, (log_variance / 2).exp())
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum(dim=1)
    assert float(found["reconstruction"]) == pytest.approx(float(-likelihood.mean()), rel=1e-5)
    assert float(found["kl"]) == pytest.approx(float(kl.mean()), rel=1e-5)
    assert float(found["loss"]) == pytest.approx(float((0.25 * kl - likelihood).mean()), rel=1e-5)
    assert float(found["beta"]) == 0.25


def test_a_latent_point_is_drawn_from_its_normal():
    module = Variational(6, 5, 3, (), rectified=False).eval()
    module.decoder = torch.nn.Identity()  # z itself comes out
    x = torch.rand(1, 6).repeat(40_000, 1)
    with torch.no_grad():
        z, mean, log_variance = module(x)
    torch.testing.assert_close(z.mean(dim=0), mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(z.std(dim=0), (log_variance[0] / 2).exp(), atol=0.03, rtol=0)


def test_without_the_second_term_it_is_an_autoencoder():
    X = table(lines=120)
    longer = replace(FEW, epochs=150, lr=0.01)
    free = small(beta=0.0, training=longer).fit(X)
    assert free.history_.train["loss"] == free.history_.train["reconstruction"]
    held = small(beta=1.0, training=longer).fit(X)
    with torch.no_grad():
        spread = [(m._encoded(X)[1] / 2).exp().mean() for m in (free, held)]
    assert spread[0] < 0.3 * spread[1]  # nothing pays for a wide cloud
    errors = [float(((m.reconstruct(X) - X) ** 2).mean().mean()) for m in (free, held)]
    assert errors[0] < 0.5 * errors[1]
    assert free.terms_by_line(X)["kl"].mean() > 3 * held.terms_by_line(X)["kl"].mean()


def test_beta_rises_and_the_judging_rows_pay_in_full():
    history = small(training__epochs=5, beta=0.8, beta_epochs=4).fit(table()).history_
    assert history.train["beta"] == pytest.approx((0.0, 0.2, 0.4, 0.6, 0.8))
    assert history.validation["beta"] == pytest.approx((0.8,) * 5)
    for part in (history.train, history.validation):
        parts = np.array(part["reconstruction"]) + np.array(part["beta"]) * part["kl"]
        assert part["loss"] == pytest.approx(parts, rel=1e-5)
    whole = small(training__epochs=2, beta_epochs=0).fit(table()).history_
    assert whole.train["beta"] == (0.0, 1.0) or whole.train["beta"] == (1.0, 1.0)


def test_the_range_is_that_of_the_fitted_lines_alone():
    X, Y = table(), table(features=2, seed=5)
    far = X.copy()
    far.iloc[50:] += 40.0  # lines to be tested
    train, test = far.iloc[:50], far.iloc[50:]
    model = small().fit(train)
    np.testing.assert_array_equal(model.low_, train.min())
    np.testing.assert_allclose(model.low_ + model.range_, train.max())
    moved = small().fit(train)
    pd.testing.assert_frame_equal(model.transform(train), moved.transform(train))
    assert not depends_on_company(model.transform, far)
    honest = LayeredEnsemble([small()], Ridge()).fit(train, Y.iloc[:50])
    leaky = LayeredEnsemble([small()], Ridge(), pretraining=far).fit(train, Y.iloc[:50])
    ends = [m.representations_[0].low_ + m.representations_[0].range_ for m in (honest, leaky)]
    np.testing.assert_allclose(ends, [train.max(), far.max()])
    assert np.isfinite(honest.predict(test)).all(axis=None)


def test_rows_set_aside_teach_nothing():
    X = table()
    model = small(training__validation_fraction=0.25).fit(X)
    stop = variational.set_aside(X.to_numpy(), 0.25, FEW.seed)
    np.testing.assert_array_equal(model.low_, X[~stop].min())


def test_as_published_no_latent_value_is_below_zero():
    X = table()
    rectified, linear = (small(protocol=p).fit(X).transform(X) for p in variational.PROTOCOLS)
    assert rectified.min().min() == 0 and (rectified > 0).any(axis=None)
    assert linear.min().min() < -0.01
    names = [[type(one).__name__ for one in small(protocol=p).fit(X).module_.mean]
             for p in variational.PROTOCOLS]  # fmt: skip
    assert names == [["Linear", "BatchNorm1d", "ReLU"], ["Linear"]]


def test_the_layers_are_those_described():
    module = GeneVAE(training=replace(FEW, epochs=1)).fit(table(features=30)).module_
    assert [part.out_features for part in module.encoder if hasattr(part, "out_features")] == [256]
    assert module.mean[0].out_features == module.log_variance.out_features == 256
    widths = [(p.in_features, p.out_features) for p in module.decoder if hasattr(p, "in_features")]
    assert widths == [(256, 30), (30, 30)]
    single = small(decoder=()).fit(table()).module_.decoder
    assert len(single) == 1 and (single[0].in_features, single[0].out_features) == (4, 12)


def test_units_that_tell_nothing_are_counted():
    X = table(lines=150, factors=1)
    longer = replace(FEW, epochs=120, lr=0.01)
    model = GeneVAE(10, 16, beta=0.05, beta_epochs=20, training=longer).fit(X)
    kl = model.kl_by_unit(X)
    assert kl.is_monotonic_decreasing and len(kl) == 10
    assert kl.sum() == pytest.approx(model.terms_by_line(X)["kl"].mean(), rel=1e-5)
    assert 1 <= model.active_units(X, 0.1) <= 4  # one factor made the table
    assert model.active_units(X, -1.0) == 10
    silent = clone(model).set_params(beta=1000.0).fit(X)
    assert silent.kl_by_unit(X).max() < 0.01 and silent.active_units(X) == 0


def test_it_learns_more_than_the_means_of_the_genes():
    X = table(lines=150)
    model = small(beta=0.02, training=replace(FEW, epochs=150)).fit(X)
    loss = reductions(model, X).loc["sum over genes, mean over lines"]
    assert loss["floor"] < loss["reconstruction"] < loss["gene_means"] - 0.3


def test_a_loss_under_each_way_to_add_it_up():
    X = table()
    model = small().fit(X)
    ways = reductions(model, X)
    by_line = model.terms_by_line(X)
    whole = ways.loc["sum over genes, mean over lines"]
    assert whole["reconstruction"] == pytest.approx(by_line["reconstruction"].mean())
    assert whole["loss"] == pytest.approx(whole["reconstruction"] + whole["kl"])
    everything = ways.loc["sum over genes, sum over lines"]
    np.testing.assert_allclose(everything, whole * 60)
    cell = ways.loc["mean over genes, mean over lines"]
    assert cell["floor"] == pytest.approx(whole["floor"] / 12)
    assert cell["kl"] == pytest.approx(whole["kl"] / 4)
    u = ((X - X.min()) / (X.max() - X.min())).to_numpy()
    inner = u[(u > 0) & (u < 1)]
    entropy = -(inner * np.log(inner) + (1 - inner) * np.log1p(-inner)).sum() / 60
    assert whole["floor"] == pytest.approx(entropy, rel=1e-5)
    mean = u.mean(axis=0)
    level = -(mean * np.log(mean) + (1 - mean) * np.log1p(-mean)).sum()
    assert whole["gene_means"] == pytest.approx(level, rel=1e-5) and level > entropy


def test_names_units_and_repeats():
    X = table()
    model = small().fit(X)
    latent = model.transform(X)
    assert list(latent) == [f"latent {i}" for i in range(1, 5)] and latent.index.equals(X.index)
    rebuilt = model.decode(latent)
    assert rebuilt.columns.equals(X.columns) and rebuilt.index.equals(X.index)
    assert (rebuilt >= X.min() - 1e-6).all(axis=None) and (rebuilt <= X.max() + 1e-6).all(axis=None)
    array = small().fit(X.to_numpy())
    np.testing.assert_array_equal(array.transform(X.to_numpy()), latent)
    np.testing.assert_array_equal(array.decode(latent.to_numpy()), rebuilt)
    state = torch.get_rng_state()
    again, other = small().fit(X), small(training__seed=1).fit(X)
    assert torch.equal(torch.get_rng_state(), state)
    pd.testing.assert_frame_equal(again.transform(X), latent, check_exact=True)
    assert again.history_ == model.history_ and not np.allclose(other.transform(X), latent)


def test_the_described_rate_is_told_apart():
    assert (AS_DESCRIBED.lr, AS_DESCRIBED.lowest_lr, AS_DESCRIBED.plateau_factor) == (
        0.1,
        0.01,
        0.8,
    )
    assert replace(AS_DESCRIBED, lr=STEADY.lr, lowest_lr=STEADY.lowest_lr) == STEADY


@pytest.mark.parametrize(
    "changes, fact",
    [
        ({"n_components": 0}, "n_components is 0"),
        ({"decoder": 12}, "decoder is 12"),
        ({"protocol": "mended"}, "protocol is 'mended'"),
        ({"beta": -1.0}, "beta is -1.0"),
        ({"beta_epochs": 1.5}, "beta_epochs is 1.5"),
        ({"training__batch_size": 1}, "batches of 1"),
    ],
)
def test_wrong_settings_are_refused(changes, fact):
    with pytest.raises(InputError, match=fact):
        small(**changes).fit(table())


def test_strange_tables():
    X = table()
    with pytest.raises(InputError, match="1 NaN"):
        small().fit(X.mask(X == X.iloc[3, 2]))
    with pytest.raises(InputError, match="got 1 lines"):
        small().fit(X.iloc[:1])
    with pytest.raises(InputError, match="batches of 2"):
        small(training__batch_size=2).fit(X.iloc[:3])
    flat = X.assign(flat=2.0)
    model = small().fit(flat)
    assert np.isfinite(model.transform(flat)).all(axis=None)
    assert model.reconstruct(flat)["flat"].between(2, 3).all()
    outside = model.transform(flat + 1000.0)
    pd.testing.assert_frame_equal(outside, model.transform(flat + 2000.0))
    with pytest.raises(InputError, match=r"\(60, 3\)"):
        model.decode(np.zeros((60, 3)))
    with pytest.raises(InputError, match="NaN or infinite"):
        model.decode(np.full((1, 4), np.nan))
    with pytest.raises(InputError, match="'latent 1'"):
        model.decode(pd.DataFrame(np.zeros((2, 4))))
    with pytest.raises(InputError, match="not fitted"):
        small().decode(np.zeros((2, 4)))


def test_a_network_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 16.0)
    with pytest.raises(InputError, match="3,372,"):  # 57,820^2 and two layers of 256
        variational.check_memory(57_820, 256, 256, (57_820,))
    variational.check_memory(57_820, 256, 256, ())
    monkeypatch.setattr(machine, "memory", lambda: None)
    variational.check_memory(57_820, 256, 256, (57_820,))
