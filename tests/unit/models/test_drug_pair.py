"""The network for drug pairs: encoding once equals a row at a time, and every setting counts."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from cdp_lib import splits
from cdp_lib.data.pairs import PairScreen
from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_predict, predict_as_published
from cdp_lib.metrics import r2
from cdp_lib.models.base.inputs import Features, Names, Noise, Shuffled
from cdp_lib.models.base.training import Training, masked_mse, seeded, train
from cdp_lib.models.drug_pair import DrugPairNetwork, PairModule

RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(12)], name="line")
DRUGS = list("abcdef")
ENDS = [(d, e) for d in DRUGS for e in DRUGS if d < e] + [("a", "a")]
PAIRS = pd.DataFrame(ENDS, [f"{d} + {e}" for d, e in ENDS], ["drug_a", "drug_b"])
SWAPPED = PAIRS.rename(columns={"drug_a": "drug_b", "drug_b": "drug_a"})
X = pd.concat(
    {
        name: pd.DataFrame(RNG.normal(5, 3, size=(12, width)), LINES).add_prefix(f"{name} ")
        for name, width in (("expression", 7), ("protein", 4))
    },
    axis=1,
)
DESCRIPTORS = pd.DataFrame(RNG.normal(size=(8, 5)), list("abcdefgh")).add_prefix("descriptor ")
FEW = Training(epochs=3, batch_size=32, lr=3e-3, patience=None, device="cpu")


def response(missing=0.2) -> pd.DataFrame:
    drug = pd.Series(RNG.normal(size=6), DRUGS)
    line = X["expression"].to_numpy()[:, :1] - 5
    pair = drug[PAIRS["drug_a"]].to_numpy() + drug[PAIRS["drug_b"]].to_numpy()
    values = 40 + 10 * (pair + np.tanh(line * pair))
    return pd.DataFrame(values, LINES, PAIRS.index).where(RNG.random(values.shape) >= missing)


Y = response()


def network(**changes) -> DrugPairNetwork:
    small = DrugPairNetwork(encoder=(6, 6), top=(8, 8), training=FEW)
    return small.set_params(**changes)


def fit(**changes) -> DrugPairNetwork:
    return network(**changes).fit(X, Y, PAIRS)


def predict(**changes) -> pd.DataFrame:
    return fit(**changes).predict(X)


def row_by_row(module: PairModule, lines, drugs, line, a, b) -> torch.Tensor:
    """The published form: the features of a row's line and drugs go through the whole network."""
    parts = [encode(table[line]) for encode, table in zip(module.lines, lines, strict=True)]
    parts += [module.drug(drugs[a]), module.drug(drugs[b])]
    first = module.activate(module.first(torch.cat(parts, dim=1)))
    return module.out(module.rest(first)).squeeze(-1)


def entities(rows=64):
    """Tables of 9 lines and 5 drugs, and rows of which none holds the last line or drug."""
    make = torch.Generator().manual_seed(0)
    lines = [torch.randn(9, width, generator=make) for width in (7, 4)]
    at = (torch.randint(0, most, (rows,), generator=make) for most in (8, 4, 4))
    return lines, torch.randn(5, 3, generator=make), *at


@pytest.mark.parametrize("residual", ["everywhere", "top", "nowhere"])
def test_encoding_once_equals_every_row_on_its_own(residual):
    with seeded(0):
        module = PairModule([7, 4], 3, (6, 6), (8, 8), "elu", residual=residual)
    at = entities()
    once, rows = module(*at), row_by_row(module, *at)
    torch.testing.assert_close(once, rows, rtol=1e-5, atol=1e-6)
    gradients = [torch.autograd.grad(f.square().sum(), module.parameters()) for f in (once, rows)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_whole_training_has_the_same_losses_in_both_forms():
    lines, drugs, *at = entities()
    y = torch.randn(64, generator=torch.Generator().manual_seed(1))
    losses = []
    for form in (PairModule.forward, row_by_row):
        with seeded(0):
            module = PairModule([7, 4], 3, (6, 6), (8, 8))

        def loss(module, line, a, b, y, form=form):
            return masked_mse(form(module, lines, drugs, line, a, b), y)

        losses.append(train(module, loss, (*at, y), training=FEW).train["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_predictions_equal_every_row_on_its_own():
    model = fit()
    lines, drugs = model._tables(X, pd.Index(DRUGS), "cpu")
    line, pair = np.divmod(np.arange(Y.size), Y.shape[1])
    a, b = (pd.Index(DRUGS).get_indexer(PAIRS[end])[pair] for end in PAIRS)
    at = (torch.tensor(one) for one in (line, a, b))
    with torch.no_grad():
        rows = row_by_row(model.module_, lines, drugs, *at).reshape(Y.shape)
    expected = model.y_mean_ + model.y_scale_ * rows.numpy()
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "drug_input", [Names(), Noise(5), Features(DESCRIPTORS)], ids=["names", "noise", "features"]
)
def test_a_symmetric_network_knows_no_order(drug_input):
    model = fit(symmetric=True, drug_input=drug_input)
    swapped = model.predict(X, SWAPPED)
    np.testing.assert_array_equal(model.predict(X), swapped)
    again = network(symmetric=True, drug_input=drug_input).fit(X, Y, SWAPPED)
    np.testing.assert_allclose(again.predict(X), swapped, rtol=1e-4)


def test_a_network_that_is_not_symmetric_knows_an_order():
    model = fit()
    off = (model.predict(X) - model.predict(X, SWAPPED)).abs()
    assert off.drop(columns="a + a").to_numpy().max() > 0.01
    assert (off["a + a"] == 0).all()


CHANGES = {
    "line_input": Names(),
    "drug_input": Noise(5),
    "drug_input__scale": 1.0,
    "encoder": (6,),
    "top": (8,),
    "activation": "tanh",
    "dropout": 0.5,
    "symmetric": True,
    "training__lr": 1e-3,
    "training__batch_size": 16,
    "training__warmup": 2,
    "training__seed": 1,
    "training__weight_decay": 0.5,
    "training__epochs": 2,
    "training__validation_fraction": 0.5,
}


@pytest.mark.parametrize("setting", CHANGES)
def test_every_setting_counts(setting):
    assert not np.allclose(predict(), predict(**{setting: CHANGES[setting]}), rtol=1e-6)


def test_settings_reach_every_part():
    everywhere, top, nowhere = (
        fit(residual=where, encoder=(9, 9), dropout=0.25, activation="elu").module_
        for where in ("everywhere", "top", "nowhere")
    )
    for module in (everywhere, top, nowhere):
        kinds = [type(part) for part in module.modules()]
        assert kinds.count(torch.nn.ELU) == kinds.count(torch.nn.Dropout) == 2 * 3 + 2
        assert {part.p for part in module.modules() if isinstance(part, torch.nn.Dropout)} == {0.25}
    added = {
        name: [[*part.added] for part in (*module.lines, module.drug, module.rest)]
        for name, module in (("everywhere", everywhere), ("top", top), ("nowhere", nowhere))
    }
    assert added["everywhere"] == [[False, True]] * 3 + [[True]]
    assert added["top"] == [[False, False]] * 3 + [[True]]
    assert added["nowhere"] == [[False, False]] * 3 + [[False]]


def test_an_encoder_for_each_omics_and_one_for_both_drugs():
    module = fit().module_
    assert [encoder.layers[0][0].in_features for encoder in module.lines] == [7, 4]
    assert module.drug.layers[0][0].in_features == len(DRUGS)
    both = fit(line_input=(Features(), Names()), drug_input=(Names(), Noise(5))).module_
    assert [encoder.layers[0][0].in_features for encoder in both.lines] == [7, 4, len(LINES)]
    assert both.drug.layers[0][0].in_features == len(DRUGS) + 5


def test_it_learns_what_effects_cannot():
    longer = Training(epochs=150, batch_size=64, lr=1e-2, patience=None, validation_fraction=0.0)
    P = DrugPairNetwork(encoder=(16,), top=(16, 16), training=longer).fit(X, Y, PAIRS).predict(X)
    assert r2(Y, P, "global") > 0.95


def test_the_plateau_and_the_best_epoch_are_decided_by_cells_set_aside():
    longer = dict(training__epochs=40, training__lr=0.03, training__plateau=2)
    history = fit(**longer, training__warmup=3).history_
    assert history.lr[:4] == pytest.approx([0.0075, 0.015, 0.0225, 0.03])
    assert history.lr[-1] < 0.03
    assert history.best_epoch == int(np.argmin(history.validation["loss"]))
    with pytest.raises(InputError, match="plateau=2"):
        fit(**longer, training__validation_fraction=0.0)


def test_a_given_validation_part_stops_but_does_not_teach():
    validation = (X.iloc[9:], Y.iloc[9:])
    one = network().fit(X.iloc[:9], Y.iloc[:9], PAIRS, validation=validation)
    other = network().fit(X.iloc[:9], Y.iloc[:9], PAIRS, validation=(X.iloc[9:], 2 * Y.iloc[9:]))
    assert one.history_.train == other.history_.train
    assert one.history_.validation != other.history_.validation
    assert one.y_mean_ == Y.iloc[:9].stack().mean()


def test_the_validation_loss_is_that_of_the_lines_set_aside():
    aside = Y.iloc[9:]
    model = network().fit(X.iloc[:9], Y.iloc[:9], PAIRS, validation=(X.iloc[9:], aside))
    off = ((model.predict(X.iloc[9:]) - aside) / model.y_scale_).stack()
    history = model.history_
    assert history.validation["loss"][history.best_epoch] == pytest.approx((off**2).mean())


def test_as_published_the_test_cells_choose():
    test = (X.iloc[9:], Y.iloc[9:])
    leaky = network().fit_as_published(X.iloc[:9], Y.iloc[:9], *test, PAIRS)
    expected = network().fit(X.iloc[:9], Y.iloc[:9], PAIRS, validation=test)
    np.testing.assert_array_equal(leaky.predict(X), expected.predict(X))


def test_two_fits_are_bit_identical_and_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    pd.testing.assert_frame_equal(predict(dropout=0.2), predict(dropout=0.2), check_exact=True)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    "line_input", [Features(), Names(), Shuffled()], ids=lambda x: type(x).__name__
)
def test_a_prediction_is_a_row_s_own(line_input):
    model, before = fit(line_input=line_input), X.copy()
    expected = model.predict(X)
    assert expected.index.equals(X.index) and expected.columns.equals(Y.columns)
    for rows in (np.arange(12), [7], [0, 11], RNG.permutation(12), [5, 5, 2]):
        for columns in (np.arange(16), [3, 0], [15]):
            found = model.predict(X.iloc[rows], PAIRS.iloc[columns])
            pd.testing.assert_frame_equal(
                found, expected.iloc[rows, columns], rtol=1e-6, atol=1e-6, check_names=False
            )
    pd.testing.assert_frame_equal(X, before, check_exact=True)


def test_doubling_every_line_leaves_what_was_scaled():
    twice = [pd.concat([one, one]).set_axis([*LINES, *(LINES + " again")]) for one in (X, Y)]
    every = {"training__validation_fraction": 0.0}
    once, doubled = fit(**every), network(**every).fit(*twice, PAIRS)
    assert (doubled.y_mean_, doubled.y_scale_) == pytest.approx((once.y_mean_, once.y_scale_))
    for i in (1, 2):
        np.testing.assert_allclose(doubled.lines_[0][i], once.lines_[0][i])


def test_a_line_without_a_label_teaches_nothing():
    far, unknown = X.copy(), Y.copy()
    far.iloc[3], unknown.iloc[3] = 1e6, np.nan
    features, names = (
        network(line_input=line).fit(far, unknown, PAIRS).lines_[0]
        for line in (Features(), Names())
    )
    np.testing.assert_allclose(features[1], X.drop(index=LINES[3]).mean())
    assert LINES[3] not in names


NEW = pd.DataFrame({"drug_a": ["a", "g"], "drug_b": ["g", "h"]}, ["a + g", "g + h"])


def test_a_new_drug_is_the_mean_by_name_its_own_by_noise_and_known_by_features():
    P = fit().predict(X, NEW)
    assert np.isfinite(P).all(axis=None)
    assert fit(drug_input=Noise(5)).predict(X, NEW).notna().all(axis=None)
    described = fit(drug_input=Features(DESCRIPTORS))
    moved = described.predict(X, NEW).std(axis=1)
    assert (moved > 0).all()
    unknown = pd.DataFrame({"drug_a": ["a"], "drug_b": ["z"]}, ["a + z"])
    with pytest.raises(InputError, match="1 of 2 rows.*'z'") as error:
        described.predict(X, unknown)
    assert "\n" not in str(error.value)


def test_a_held_out_drug_is_no_training_drug():
    known = Y.copy()
    known.loc[:, PAIRS.eq("f").any(axis=1)] = np.nan
    model = network().fit(X, known, PAIRS)
    assert model.drugs_[0].tolist() == list("abcde")
    far = DESCRIPTORS.copy()
    far.loc["f"] = 1e6
    mean = network(drug_input=Features(far)).fit(X, known, PAIRS).drugs_[0][1]
    np.testing.assert_allclose(mean, DESCRIPTORS.loc[list("abcde")].mean())


def test_a_drug_of_unknown_structure_is_refused_or_an_average_one():
    table = DESCRIPTORS.drop(index="b")
    with pytest.raises(InputError, match="1 of 6 rows.*'b'"):
        fit(drug_input=Features(table))
    assert np.isfinite(predict(drug_input=Features(table, missing="mean"))).all(axis=None)


def test_a_screen_of_one_line_and_lines_without_omics():
    one = network().fit(X.iloc[:1], Y.iloc[:1], PAIRS).predict(X.iloc[:2])
    assert np.isfinite(one).all(axis=None)
    bare = pd.DataFrame(index=LINES)
    named = network(line_input=Names()).fit(bare, Y, PAIRS).predict(bare)
    assert named.shape == Y.shape
    with pytest.raises(InputError, match="no features"):
        network().fit(bare, Y, PAIRS)


@pytest.mark.parametrize(
    "arguments, fact",
    [
        ((X, Y), "perturbations=table"),
        ((X, Y, PAIRS.iloc[1:]), "1 columns.*'a \\+ b'"),
        ((X, Y, PAIRS.assign(drug_b=None)), "16 pairs"),
        ((X.to_numpy(), Y, PAIRS), "X as a DataFrame"),
        ((X, Y.to_numpy(), PAIRS), "Y as a DataFrame"),
        ((X.iloc[::-1], Y, PAIRS), "different lines"),
        ((X.set_axis(["a"] * 12), Y.set_axis(["a"] * 12), PAIRS), "line twice"),
        ((X, Y * np.nan, PAIRS), "no known label"),
        ((X.replace(X.iloc[0, 0], np.nan), Y, PAIRS), "1 of 12 rows.*'line 0'"),
    ],
)
def test_bad_tables_are_one_sentence(arguments, fact):
    with pytest.raises(InputError, match=fact) as error:
        network().fit(*arguments)
    assert "\n" not in str(error.value)


def test_bad_settings_and_an_early_question():
    for changes in ({"residual": "yes"}, {"drug_input": "names"}, {"top": ()}, {"encoder": (0,)}):
        with pytest.raises(InputError, match=next(iter(changes))):
            fit(**changes)
    with pytest.raises(InputError, match="fit first"):
        network().predict(X)


def screen(Y=Y) -> PairScreen:
    cells = Y.stack().rename("value").reset_index().set_axis(["line", "pair", "value"], axis=1)
    cells = cells.join(PAIRS, on="pair").drop(columns="pair")
    lines = pd.DataFrame({"tissue": np.tile(["lung", "skin", "bone"], 4)}, LINES)
    return PairScreen.from_tables(
        cells, {name: X[name] for name in ("expression", "protein")}, lines, DESCRIPTORS
    )


@pytest.mark.parametrize(
    "split",
    [splits.leave_pairs_out, splits.leave_lines_out, splits.leave_drugs_out],
    ids=lambda split: split.__name__,
)
@pytest.mark.parametrize("features", [False, True], ids=["names", "features"])
def test_no_part_sees_a_test_label(split, features, assert_blind_to_test_labels):
    cohort = screen()
    model = network(drug_input=Features(DESCRIPTORS)) if features else network(line_input=Names())
    omics = ["expression", "protein"]
    assert_blind_to_test_labels(
        lambda: clone(model), cohort, split(cohort, n_folds=2, tune=0), omics
    )


def test_it_is_judged_like_any_other_model():
    cohort, omics = screen(), ["expression", "protein"]
    split = splits.leave_perturbations_out(cohort, 2)
    P = cross_predict({"network": network(), "control": network(line_input=Shuffled())},
                      cohort, split, omics)  # fmt: skip
    Q = predict_as_published({"network": network()}, cohort, split, omics)
    for found in (P, Q):
        assert np.isfinite(found.summary("r2", axis="global").set_index("model")["mean"]["network"])
