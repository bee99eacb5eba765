"""A search chooses what brute force chooses, and from nothing but the rows it is fitted on."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.pipeline import make_pipeline

from cdp_lib import splits
from cdp_lib.errors import InputError
from cdp_lib.evaluate import Search, cross_validate
from cdp_lib.evaluate.search import HoldOut, best_epoch
from cdp_lib.metrics import pearson, rmse
from cdp_lib.models.base.training import Training
from cdp_lib.models.baselines import PerturbationMean
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.models.per_perturbation import PerPerturbation


@pytest.fixture(scope="module")
def cohort():
    rng = np.random.default_rng(0)
    names = pd.Index([f"line {i:02}" for i in range(40)], name="line")
    X = pd.DataFrame(rng.normal(size=(40, 12)), names).add_prefix("gene ")
    Y = X.to_numpy() @ rng.normal(size=(12, 6)) + rng.normal(size=(40, 6)) + 5 * np.arange(6)
    Y[rng.random(Y.shape) < 0.1] = np.nan
    Y = pd.DataFrame(Y, names).add_prefix("drug ").astype("float32")
    lines = pd.DataFrame({"tissue": [f"tissue {i % 4}" for i in range(40)]}, names)
    return SimpleNamespace(Y=Y, lines=lines, X=lambda omics: X)


def network(epochs=15, hidden=(32,), **more):
    training = Training(lr=0.1, epochs=epochs, patience=None, device="cpu")
    return FeedForward(hidden, training=training, **more)


def halves(cohort, seed=0):
    """The rows of an inner fold that HoldOut(0.2, seed) leaves and holds out."""
    X, Y = cohort.X("expression"), cohort.Y
    held = HoldOut(0.2, seed).mask(len(Y))
    return X[~held], Y[~held], X[held], Y[held]


def r(truth, P):
    return np.mean(pearson(truth, P))


def test_search_chooses_what_is_best_in_inner_folds(cohort):
    X, Y = cohort.X("expression"), cohort.Y
    grid = {"alphas": [(1e6,), (1.0,)]}
    search = Search(Ridge(), grid, metric="rmse", inner=3, seed=5).fit(X, Y)
    by_hand = []
    for alphas in grid["alphas"]:
        scores = []
        for fold in splits.leave_lines_out(Y, 3, tune=0.0, seed=5, groups=None):
            P = Ridge(alphas).fit(X[fold.fit.any(axis=1)], Y[fold.fit.any(axis=1)]).predict(X)
            scores.append(rmse(Y.where(fold.test), P).mean())
        by_hand.append(np.mean(scores))
    np.testing.assert_allclose(search.results_["score"], by_hand, rtol=1e-6)
    assert search.best_params_ == {"alphas": (1.0,)}
    expected = Ridge((1.0,)).fit(X, Y).predict(X)
    pd.testing.assert_frame_equal(search.predict(X), expected)
    arrays = clone(search).fit(X.to_numpy(), Y.to_numpy()).predict(X.to_numpy())
    np.testing.assert_array_equal(arrays, expected.to_numpy())


def test_search_takes_the_highest_correlation_and_keeps_groups_together(cohort):
    class Watch(PerturbationMean):
        fits = []

        def __init__(self, name="a"):
            self.name = name

        def fit(self, X, Y):
            self.fits.append(set(X.index))
            return super().fit(X, Y)

    donors = pd.Series([f"donor {i // 2}" for i in range(40)], cohort.Y.index)
    search = Search(Watch(), {"name": ["a", "b"]}, axis="line", inner=4, groups=donors)
    search.fit(cohort.X("expression"), cohort.Y)
    assert len(Watch.fits) == 2 * 4 + 1
    for lines in Watch.fits:
        assert donors[donors.index.isin(lines)].value_counts().eq(2).all()
    assert search.best_params_ == {"name": "a"}, "the first of equals"
    best = Search(Ridge(), {"alphas": [(1e9,), (1.0,)]}, inner=3)
    assert best.fit(cohort.X("expression"), cohort.Y).best_params_ == {"alphas": (1.0,)}


def test_search_params_and_errors(cohort):
    search = Search(Ridge(alphas=(1.0,)), {"alphas": [(1.0,), (9.0,)]}, inner=2)
    assert clone(search).get_params()["model__alphas"] == (1.0,)
    search.fit(cohort.X("expression"), cohort.Y)
    assert not hasattr(clone(search), "best_model_")
    with pytest.raises(InputError, match="'r'"):
        Search(Ridge(), {"alphas": [(1.0,)]}, metric="r").fit(cohort.X("expression"), cohort.Y)
    one_line_a_fold = Search(Ridge(alphas=(1.0,)), inner=40)
    with pytest.raises(InputError, match="pearson per perturbation"):
        one_line_a_fold.fit(cohort.X("expression"), cohort.Y)


def test_a_share_is_held_out_once(cohort):
    X, Y = cohort.X("expression"), cohort.Y
    assert np.flatnonzero(HoldOut(0.2, None).mask(11)).tolist() == [0, 1]
    drawn = HoldOut(0.2, 3).mask(40)
    assert drawn.sum() == 8 and not drawn[:8].all()
    search = Search(Ridge(), {"alphas": [(1e6,), (1.0,)]}, inner=HoldOut(0.2, 3)).fit(X, Y)
    by_hand = [
        r(Y[drawn], Ridge((alpha,)).fit(X[~drawn], Y[~drawn]).predict(X[drawn]))
        for alpha in (1e6, 1.0)
    ]
    np.testing.assert_allclose(search.results_["score"], by_hand, rtol=1e-6)
    donors = pd.Series([f"donor {i // 2}" for i in range(40)], Y.index)
    _, _, (fold,) = Search(Ridge(), inner=HoldOut(0.3, 1), groups=donors)._folds(X, Y, None)
    assert 0 < fold.test[:, 0].sum() < 40
    assert donors[fold.test[:, 0]].value_counts().eq(2).all()


def test_models_of_any_kind_are_candidates(cohort):
    X, Y = cohort.X("expression"), cohort.Y
    models = [
        PerturbationMean(),
        PerPerturbation(PlainRidge(1e5)),
        PerPerturbation(PlainRidge(1.0)),
    ]
    search = Search(models, metric="rmse", inner=3).fit(X, Y)
    assert search.best_params_["model"] is models[2] and search.best_index_ == 2
    pd.testing.assert_frame_equal(search.predict(X), clone(models[2]).fit(X, Y).predict(X))
    assert search.results_["score"].is_monotonic_decreasing


def test_rows_may_be_perturbations_with_a_column_of_features():
    """Columns as examples: both tables turned, and a new gene is a new row."""
    rng = np.random.default_rng(1)
    genes = [f"gene {i}" for i in range(60)]
    X = pd.DataFrame(rng.normal(size=(10, 60)), columns=genes).add_prefix("", axis=1)
    Y = pd.DataFrame(rng.normal(size=(10, 10)) @ X.to_numpy(), X.index, genes)
    new = np.arange(60) % 5 == 0
    families = pd.Series([f"family {i // 3}" for i in range(60)], genes)
    search = Search(Ridge(standardize=False), {"alphas": [(1e6,), (1.0,)]}, groups=families)
    search.fit(X.T[~new], Y.T[~new])
    assert search.best_params_ == {"alphas": (1.0,)}
    P = search.predict(X.T[new]).T
    assert np.mean(pearson(Y.loc[:, new], P, axis="line")) > 0.9


def test_the_epochs_are_chosen_inside_and_learned_on_all_rows(cohort):
    X, Y = cohort.X("expression"), cohort.Y
    search = Search(network(), inner=HoldOut(0.2, 0), epochs=True).fit(X, Y)
    by_hand = network().fit_as_published(*halves(cohort)).history_
    assert search.best_epochs_ == by_hand.best_epoch + 1 < 15
    assert search.results_["score"].item() == pytest.approx(max(by_hand.monitor), abs=1e-6)
    again = network(epochs=search.best_epochs_)
    again.set_params(training__validation_fraction=0.0)
    pd.testing.assert_frame_equal(search.predict(X), again.fit(X, Y).predict(X))


def test_the_epochs_are_the_median_of_the_inner_folds(cohort):
    X, Y = cohort.X("expression"), cohort.Y
    best = []
    for fold in splits.leave_lines_out(Y, 3, tune=0.0, seed=0):
        train, test = fold.fit.any(axis=1), fold.test.any(axis=1)
        model = network().fit_as_published(X[train], Y[train], X[test], Y[test])
        best.append(model.history_.best_epoch + 1)
    assert len(set(best)) > 1
    search = Search(network(), inner=3, epochs=True)
    search.choose(X, Y)
    assert search.best_epochs_ == int(np.median(best))


def test_the_network_may_stand_at_the_end_of_a_pipeline(cohort):
    pipeline = make_pipeline(PCA(5).set_output(transform="pandas"), network())
    X, Y, X_judge, Y_judge = halves(cohort)
    front = PCA(5).set_output(transform="pandas").fit(X)
    by_hand = network().fit_as_published(front.transform(X), Y, front.transform(X_judge), Y_judge)
    P = best_epoch(pipeline, X, Y, X_judge, Y_judge).predict(X_judge)
    pd.testing.assert_frame_equal(P, by_hand.predict(front.transform(X_judge)))
    X, Y = cohort.X("expression"), cohort.Y
    search = Search([pipeline], inner=HoldOut(0.2, 0), epochs=True).fit(X, Y)
    assert search.best_model_[-1].training.epochs == by_hand.history_.best_epoch + 1
    assert search.best_model_[-1].training.validation_fraction == 0
    assert not hasattr(pipeline[-1], "module_"), "the given model stays unfitted"


@pytest.mark.parametrize("epochs", [False, True])
def test_given_rows_judge_and_nothing_is_fitted_again(cohort, epochs):
    X, Y, *judges = halves(cohort)
    candidates = [network(hidden=(2,)), network(hidden=(8,)), Ridge((1e6,))]
    search = Search(candidates, inner="validation", epochs=epochs)
    search.fit(X, Y, validation=judges)
    if epochs:
        by_hand = [best_epoch(model, X, Y, *judges) for model in candidates]
    else:
        by_hand = [clone(model).fit(X, Y, validation=judges) for model in candidates[:2]]
        by_hand.append(clone(candidates[2]).fit(X, Y))
    scores = [r(judges[1], model.predict(judges[0])) for model in by_hand]
    np.testing.assert_allclose(search.results_["score"], scores, rtol=1e-5)
    best = by_hand[int(np.argmax(scores))]
    pd.testing.assert_frame_equal(search.predict(X), best.predict(X))


def test_the_tune_cells_of_a_fold_judge(cohort):
    candidates = [Ridge((1e6,)), Ridge((1.0,))]
    search = Search(candidates, inner="validation")
    split = splits.leave_lines_out(cohort, 2, tune=0.25)
    frame = cross_validate({"search": search, "by hand": Ridge((1.0,))}, cohort, split)
    assert frame["score"].notna().any()
    with pytest.raises(InputError, match="tune"):
        search.fit(cohort.X("expression"), cohort.Y)
    with pytest.raises(InputError, match="columns"):
        search.fit(cohort.X("expression"), cohort.Y, (cohort.X(""), cohort.Y.iloc[:, :2]))


@pytest.mark.parametrize("inner", [2, HoldOut(0.3, 0), "validation"])
@pytest.mark.parametrize("epochs", [False, True])
def test_no_search_sees_a_test_label(inner, epochs, cohort, assert_blind_to_test_labels):
    split = splits.leave_lines_out(cohort, 2, tune=0.3)

    def make():
        candidates = [network(epochs=3, hidden=(4,)), network(epochs=3, hidden=(3,)), Ridge((1.0,))]
        return Search(candidates, inner=inner, epochs=epochs)

    assert_blind_to_test_labels(make, cohort, split)


class Breaks(PerturbationMean):
    def fit(self, X, Y):
        raise MemoryError("too large")


def test_a_candidate_that_fails_is_out_and_told(cohort):
    X, Y = cohort.X("expression"), cohort.Y
    search = Search([Breaks(), Ridge((1.0,))], inner=2).fit(X, Y)
    assert search.best_index_ == 1
    assert search.results_["error"].tolist() == ["MemoryError: too large", ""]
    assert np.isnan(search.results_["score"][0])
    for models, errors in ([Breaks(), Ridge()], "raise"), ([Breaks(), Breaks()], "keep"):
        with pytest.raises(MemoryError, match="too large"):
            Search(models, inner=2, errors=errors).fit(X, Y)


def test_two_processes_choose_the_same(cohort):
    X, Y = cohort.X("expression"), cohort.Y
    grid = {"alphas": [(1e6,), (1.0,)]}
    one, two = (Search(Ridge(), grid, inner=2, n_jobs=n_jobs).fit(X, Y) for n_jobs in (1, 2))
    pd.testing.assert_frame_equal(one.results_, two.results_)


def test_perturbations_are_handed_on(cohort):
    class Reads(PerturbationMean):
        def fit(self, X, Y, perturbations):
            self.seen_ = perturbations
            return super().fit(X, Y)

    table = pd.DataFrame({"target": "A"}, cohort.Y.columns)
    told = SimpleNamespace(**vars(cohort), perturbations=table)
    cross_validate({"search": Search([Reads()], inner=2)}, told, splits.leave_lines_out(told, 2))
    search = Search([Reads()], inner=2).fit(cohort.X(""), cohort.Y, perturbations=table)
    assert search.best_model_.seen_ is table


def test_a_list_of_models_has_no_grid(cohort):
    for search in (Search([Ridge()], {"alphas": [(1.0,)]}), Search([])):
        with pytest.raises(InputError, match="list of models"):
            search.fit(cohort.X("expression"), cohort.Y)


def test_as_published_the_settings_are_chosen_inside_and_the_epoch_on_the_test_rows(cohort):
    X, Y = cohort.X(None), cohort.Y.fillna(0.0)
    search = Search([network(), network(hidden=(4,))], inner=HoldOut(0.2, None), epochs=True)
    parts = X[:30], Y[:30], X[30:], Y[30:]
    found = search.fit_as_published(*parts)
    best = [network(), network(hidden=(4,))][found.best_index_]
    by_hand = clone(best).fit_as_published(*parts)
    assert np.array_equal(found.predict(X[30:]), by_hand.predict(X[30:]))
    other = clone(search).fit_as_published(*parts[:3], -Y[30:])
    assert not np.array_equal(other.predict(X[30:]), found.predict(X[30:]))
