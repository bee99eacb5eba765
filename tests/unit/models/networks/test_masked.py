"""A masked autoencoder repairs spoiled rows; the linear one comes to span the subspace of PCA."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.base import clone
from sklearn.decomposition import PCA

from cdp_lib.audit import depends_on_company
from cdp_lib.errors import InputError
from cdp_lib.models.base.training import Training
from cdp_lib.models.networks.masked import PRETRAINING, MaskedAutoencoder

CORRUPTIONS = ("swap", "zero", "noise", "full noise")
FEW = Training(lr=0.01, epochs=3, batch_size=None, validation_fraction=0.2, device="cpu")


def table(lines=60, features=12, factors=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(lines, factors)) @ rng.normal(size=(factors, features))
    x = 5 + 3 * (x + 0.3 * rng.normal(size=x.shape))
    names = pd.Index([f"line {i}" for i in range(lines)], name="line")
    return pd.DataFrame(x, names).add_prefix("gene ")


def small(**changes):
    return MaskedAutoencoder(4, training=FEW).set_params(**changes)


@pytest.mark.parametrize("corruption", CORRUPTIONS)
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_best_linear_map_keeps_the_directions_of_pca(corruption, noise):
    """The theory in the module's docstring, from the second moments of what is really spoiled."""
    z = torch.tensor(((table() - table().mean()) / table().std(ddof=0)).to_numpy())
    model, k = small(corruption=corruption, noise=noise), 3
    draws = torch.Generator().manual_seed(0)
    given = torch.stack([model._spoiled(z, draws) for _ in range(4000)]).reshape(-1, 12)
    asked = z.repeat(4000, 1)
    second, cross = given.T @ given / len(given), asked.T @ given / len(given)
    best = cross @ torch.linalg.inv(second)  # of full rank; then of rank k (Izenman 1975)
    _, directions = torch.linalg.eigh(best @ second @ best.T)
    pca = PCA(k).fit(z.numpy()).components_
    assert np.degrees(subspace_angles(directions[:, -k:].numpy(), pca.T)).max() < 3


def test_a_long_training_arrives_there():
    X = table(lines=200)
    training = replace(FEW, lr=0.01, epochs=600, validation_fraction=0.0)
    model = MaskedAutoencoder(3, training=training).fit(X)
    z = (X - X.mean()) / X.std(ddof=0)
    decoder = model.module_[1][0].weight.detach().numpy()  # (features, components)
    pca = PCA(3).fit(z).components_.T
    assert np.degrees(subspace_angles(decoder, pca)).max() < 8
    brief = clone(model).set_params(training__epochs=3).fit(X)
    early = brief.module_[1][0].weight.detach().numpy()
    assert np.degrees(subspace_angles(early, pca)).max() > 30


def test_what_each_corruption_puts_in_place():
    z = torch.arange(1.0, 4001.0).reshape(1000, 4)
    columns = [set(column.tolist()) for column in z.T]
    shares = {}
    for corruption in CORRUPTIONS:
        draws = torch.Generator().manual_seed(0)
        spoiled = small(corruption=corruption)._spoiled(z, draws)
        changed = spoiled != z
        shares[corruption] = float(changed.float().mean())
        if corruption == "swap":  # of one other line, and of the same gene
            for row in range(20):
                sources = (spoiled[row] - z[row])[changed[row]].unique()
                assert len(sources) <= 1
            assert all(set(c.tolist()) <= own for c, own in zip(spoiled.T, columns))
        if corruption == "zero":
            assert (spoiled[changed] == 0).all()
        if corruption == "noise":
            assert float((spoiled - z)[changed].std()) == pytest.approx(0.1, rel=0.1)
        if corruption == "full noise":
            assert float(spoiled[changed].std()) == pytest.approx(1, rel=0.1)
    assert all(share == pytest.approx(0.3, abs=0.02) for share in shares.values())
    whole = small(p=0.0, noise=0.5)._spoiled(z, draws)
    assert float((whole - z).std()) == pytest.approx(0.5, rel=0.1)


def test_nothing_is_spoiled_outside_training():
    X = table()
    model = small().fit(X)
    state = torch.get_rng_state()
    np.testing.assert_array_equal(model.transform(X), model.transform(X))
    assert torch.equal(torch.get_rng_state(), state)
    assert not depends_on_company(model.transform, X)
    shuffled = X.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        model.transform(shuffled).loc[X.index], model.transform(X), atol=1e-6
    )


def test_rows_set_aside_choose_the_epochs_and_then_teach_too():
    X = table(lines=100)
    training = replace(FEW, lr=0.05, epochs=400, patience=10)
    model = small(training=training).fit(X)
    best = model.search_.best_epoch
    assert len(model.search_.validation["loss"]) == best + 11
    assert len(model.history_.train["loss"]) == best + 1 and not model.history_.validation
    again = small(training=replace(training, epochs=best + 1, validation_fraction=0.0)).fit(X)
    np.testing.assert_array_equal(again.transform(X), model.transform(X))


def test_the_rows_set_aside_are_judged_as_they_are():
    X = table()
    model = small(training__epochs=1).fit(X)
    calm = small(training__epochs=1, training__lr=0.0, p=0.9, noise=3.0).fit(X)
    same = small(training__epochs=1, training__lr=0.0, p=0.0).fit(X)
    assert calm.search_.validation == same.search_.validation
    assert model.search_.validation != same.search_.validation


def test_names_come_back_and_an_array_gives_the_same():
    X = table()
    latent = small().fit_transform(X)
    assert list(latent) == [f"latent {i}" for i in range(1, 5)] and latent.index.equals(X.index)
    np.testing.assert_array_equal(small().fit(X.to_numpy()).transform(X.to_numpy()), latent)
    rebuilt = small().fit(X).reconstruct(X)
    assert rebuilt.columns.equals(X.columns) and rebuilt.index.equals(X.index)


def test_a_hidden_layer_and_training_rebuild_better():
    X = table(lines=150)
    errors = {}
    for epochs in (2, 300):
        model = small(hidden=(8,), training__epochs=epochs).fit(X)
        errors[epochs] = float(((model.reconstruct(X) - X) ** 2).mean().mean())
    assert errors[300] < 0.6 * errors[2]
    model = small(hidden=(8,), activation="tanh").fit(X)
    for part, widths in zip(model.module_, [(12, 8, 4), (4, 8, 12)], strict=True):
        assert [type(layer).__name__ for layer in part] == ["Linear", "Tanh", "Linear"]
        assert (part[0].in_features, part[0].out_features, part[2].out_features) == widths


def test_seeds_differ_and_repeat():
    X = table()
    first, second, other = (small(training__seed=s).fit(X).transform(X) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(
    "changes, fact",
    [
        ({"p": 1.0}, "p is 1.0"),
        ({"corruption": "blank"}, "corruption is 'blank'"),
        ({"n_components": 0}, "n_components is 0"),
        ({"noise": -1}, "noise is -1"),
        ({"hidden": 8}, "hidden is 8"),
        ({"training__plateau": 3}, "plateau is 3"),
    ],
)
def test_wrong_settings_are_refused(changes, fact):
    with pytest.raises(InputError, match=fact):
        small(**changes).fit(table())


def test_strange_tables():
    X = table()
    with pytest.raises(InputError, match="1 NaN"):
        small().fit(X.mask(X == X.iloc[3, 2]))
    X["flat"], X["again"] = 2.0, X["gene 0"]
    assert np.isfinite(small().fit(X).transform(X)).all(axis=None)
    one = small().fit(X.iloc[:1])
    assert np.isfinite(one.transform(X)).all(axis=None) and not hasattr(one, "search_")


def test_the_papers_training_is_told():
    assert PRETRAINING.validation_fraction == 0.2 and PRETRAINING.patience == 20
