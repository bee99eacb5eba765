"""The drug response network and the support vectors: rows of a line and a drug."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.svm import SVR

from cdp_lib import splits
from cdp_lib.data import Cohort
from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_predict, predict_as_published
from cdp_lib.models.base.inputs import Features, Names, Nothing
from cdp_lib.models.base.pair_model import Cells
from cdp_lib.models.base.training import Training, masked_mse
from cdp_lib.models.response_network import KEPT_AFTER, ResponseNetwork, flat, whole
from cdp_lib.models.support_vectors import Machine, SupportVectors
from cdp_lib.splits import published

RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(15)], name="line")
DRUGS = pd.Index(list("abcdefgh"), name="perturbation")
X = pd.DataFrame(RNG.normal(4, 2, size=(15, 6)), LINES).add_prefix("gene ")
LATENTS = pd.DataFrame(RNG.normal(size=(10, 4)), list("abcdefghyz")).add_prefix("latent ")
Y = pd.DataFrame(
    3 * LATENTS.loc[DRUGS, "latent 0"].to_numpy() + X[["gene 0"]].to_numpy() - 2, LINES, DRUGS
).where(RNG.random((15, 8)) < 0.9)
TABLE = pd.DataFrame(index=DRUGS)
FEW = Training(epochs=4, batch_size=16, lr=3e-3, patience=None, device="cpu")
COHORT = Cohort.from_tables(
    Y, {"expression": X}, pd.DataFrame({"tissue": "breast"}, LINES), TABLE.assign(kind="drug")
)


def network(**changes) -> ResponseNetwork:
    settings = dict(drug_input=Features(LATENTS), gene=(6, 5), drug=(4, 5), joint=(7, 3))
    return ResponseNetwork(**settings | {"training": FEW} | changes)


def fit(**changes) -> ResponseNetwork:
    return network(**changes).fit(X, Y, TABLE)


def test_encoding_once_equals_a_row_at_a_time():
    model = fit()
    x, z = model._tables(X, DRUGS, torch.device("cpu"))
    line, drug = torch.tensor([3, 3, 0, 14]), torch.tensor([1, 7, 1, 0])
    m = model.module_
    rows = m.of_line(m.line(x[line])) + m.of_perturbation(m.perturbation(z[drug]))
    wanted = m.rest(m.activate(rows))[:, 0]
    torch.testing.assert_close(m.cells(x, z, line, drug), wanted)
    torch.testing.assert_close(m(x, z)[line, drug], wanted)
    named = model.predict(X).to_numpy()[line, drug]
    np.testing.assert_allclose(named, model.y_mean_ + model.y_scale_ * wanted.detach(), rtol=1e-5)


def test_the_layers_are_those_of_the_paper():
    model = ResponseNetwork(drug_input=Features(LATENTS), training=FEW).fit(X, Y, TABLE)
    shapes = {tuple(w.shape) for w in model.module_.parameters() if w.ndim == 2}
    assert shapes == {(256, 6), (256, 256), (64, 256), (128, 4), (128, 128), (64, 128), (128, 64),
                      (1, 64)}  # fmt: skip
    assert sum(isinstance(m, torch.nn.PReLU) for m in model.module_.modules()) == 3 + 3 + 3


def test_lines_and_cells_hold_the_same_labels():
    cells = Cells(np.array([0, 0, 4]), np.array([1, 2, 0]), np.array([1, 2, 0]), np.arange(3.0))
    z = torch.zeros(3, 2)
    lines, y = whole(cells, z)
    assert lines.tolist() == [0, 4]
    line, drug, flat_y = flat(cells, z)
    torch.testing.assert_close(y[torch.searchsorted(lines, line), drug], flat_y)
    assert int(y.isnan().sum()) == 3
    model = fit(by_line=True)
    x, z = model._tables(X, DRUGS, torch.device("cpu"))
    loss = masked_mse(model.module_(x[lines], z[:3]), y)
    torch.testing.assert_close(loss, masked_mse(model.module_.cells(x, z, line, drug), flat_y))


@pytest.mark.parametrize("changes", [{}, {"by_line": True}, {"protocol": "as_published"}])
def test_it_learns_and_a_seed_decides_everything(changes):
    how = Training(epochs=60, batch_size=8, lr=3e-3, patience=None, device="cpu")
    model = fit(training=how, **changes)
    first, second = model.predict(X), fit(training=how, **changes).predict(X)
    pd.testing.assert_frame_equal(first, second)
    known = Y.notna().to_numpy()
    assert np.corrcoef(first.to_numpy()[known], Y.to_numpy()[known])[0, 1] > 0.9


def test_as_published_keeps_an_even_epoch_after_the_twentieth_and_leaves_rows_out(monkeypatch):
    how = Training(epochs=KEPT_AFTER + 8, batch_size=50, patience=None, device="cpu")
    model = fit(protocol="as_published", training=how)
    history = model.history_
    tried = [e for e in range(how.epochs) if e > KEPT_AFTER and e % 2 == 0]
    assert history.best_epoch == min(tried, key=lambda e: history.validation["loss"][e])
    kept = model.predict(X)
    early = fit(protocol="as_published", training=replace(how, epochs=5))
    assert early.history_.best_epoch == 4  # nothing was kept: the last weights
    assert not np.allclose(early.predict(X), kept)
    seen = []
    original = type(model.module_).cells
    monkeypatch.setattr(
        type(model.module_), "cells",
        lambda self, x, z, i, j: seen.append(len(i)) or original(self, x, z, i, j),
    )  # fmt: skip
    fit(protocol="as_published", training=replace(how, epochs=1, validation_fraction=0.0))
    assert set(seen) == {50} and len(seen) == int(Y.notna().sum().sum()) // 50


def test_weight_decay_of_adam_is_not_that_of_adamw():
    both = [
        fit(protocol=p, training=replace(FEW, weight_decay=1.0, batch_size=None)).predict(X)
        for p in ("as_published", "repaired")
    ]
    assert np.abs(both[0] - both[1]).to_numpy().max() > 1e-3


def test_a_drug_that_only_the_table_knows_is_predicted_and_changes_nothing():
    model = fit()
    new = model.predict(X, pd.DataFrame(index=["z", "a"]))
    assert list(new) == ["z", "a"]
    np.testing.assert_allclose(new["a"], model.predict(X)["a"], rtol=1e-5)
    other = LATENTS.copy()
    other.loc["z"] = 1e3
    pd.testing.assert_frame_equal(fit(drug_input=Features(other)).predict(X), model.predict(X))


def test_inputs_as_they_are():
    learned = Features(scaled=False).learn(X)
    pd.testing.assert_frame_equal(Features(scaled=False).rows(X, learned), X)
    holes = X.copy()
    holes.loc["line 3"] = np.nan
    filling = Features(scaled=False, missing="mean")
    filled = filling.rows(holes, filling.learn(holes))
    np.testing.assert_allclose(filled.loc["line 3"], holes.mean(), rtol=1e-6)


def test_support_vectors_are_those_of_scikit_learn():
    cells = Cells(*np.nonzero(Y.notna().to_numpy()), None, None)
    cells = cells._replace(b=cells.a, y=Y.to_numpy()[cells.line, cells.a])
    x, z = X.to_numpy(), LATENTS.loc[DRUGS].to_numpy()
    rows = np.hstack([x[cells.line], z[cells.a]])
    for kernel in ("poly", "rbf"):
        ours = Machine(kernel, 0.05, 2.0).fit(x, z, cells, cells.y).predict(x, z, cells)
        theirs = SVR(kernel=kernel, gamma=0.05, C=2.0, coef0=0.0).fit(rows, cells.y).predict(rows)
        np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_support_vectors_as_published_divide_columns_by_their_length_over_all_rows():
    fold = published.random_rows(COHORT, 1, parts=5).folds[0]
    inputs = Features(scaled=False), Features(LATENTS, scaled=False)
    model = SupportVectors(*inputs, kernels=("poly",), C=(10.0,))
    P = predict_as_published({"svr": model}, COHORT, published.random_rows(COHORT, 1, 5))
    line, drug = np.nonzero(Y.notna().to_numpy())
    rows = np.hstack([X.to_numpy()[line], LATENTS.loc[DRUGS].to_numpy()[drug]])
    rows = rows / np.linalg.norm(rows, axis=0)
    train = fold.fit[line, drug]
    y = Y.to_numpy()[line, drug]
    machine = SVR(kernel="poly", degree=3, C=10.0).fit(rows[train], y[train])
    cells = P.cells().query("model == 'svr'")
    np.testing.assert_allclose(cells["prediction"], machine.predict(rows[~train]), atol=0.05)


def test_support_vectors_choose_by_the_tune_cells():
    split = published.random_rows(COHORT, 2, parts=6)
    one = dict(drug_input=Features(LATENTS), gammas=((0.3, 0.3),))
    tried, weak = (SupportVectors(C=C, **one) for C in ((1e-6, 10.0), (1e-6,)))
    assert tried.asks_for_validation and not weak.asks_for_validation
    P = cross_predict({"tried": tried, "weak": weak}, COHORT, split)
    fitted = SupportVectors(drug_input=Features(LATENTS), C=(1e-6, 10.0)).fit(X, Y, TABLE)
    assert fitted.machine_.C == 10.0
    table = P.summary("r2", "global").set_index("model")["mean"]
    assert table["tried"] > table["weak"] + 0.5


def test_names_and_nothing_stand_in_for_features():
    P = cross_predict(
        {"names": network(line_input=Names(1.0), drug_input=Names(1.0)),
         "nothing": network(line_input=Nothing(), drug_input=Nothing())},
        COHORT,
        splits.leave_lines_out(COHORT, 3),
    )  # fmt: skip
    table = P.summary("r2", "global").set_index("model")["mean"]
    assert table["names"] > table["nothing"] - 0.5


@pytest.mark.parametrize(
    ("model", "fact"),
    [
        (network(drug_input=Features()), "no features"),
        (network(drug_input=Features(LATENTS.drop("c"))), "'c'"),
        (network(protocol="published"), "as_published"),
        (network(gene=()), "gene"),
        (SupportVectors(drug_input=Features(LATENTS), kernels=("linear",)), "kernels"),
        (SupportVectors(drug_input=Features(LATENTS), C=()), "C"),
        (SupportVectors(drug_input=Features(LATENTS), gammas=(0.1,)), "gammas"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(model, fact):
    with pytest.raises(InputError, match=fact):
        model.fit(X, Y, TABLE)
