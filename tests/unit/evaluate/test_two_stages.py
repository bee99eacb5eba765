"""Two stages in every fold: nothing changes by training once, and no test label is seen."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import audit, evaluate, metrics
from cdp_lib.data import Cohort
from cdp_lib.errors import InputError
from cdp_lib.evaluate import two_stages
from cdp_lib.models.base.training import ALL_EPOCHS
from cdp_lib.models.fusion.attention import STEPS
from cdp_lib.models.fusion.omics_networks import DenseEmbedding, OmicsNetwork
from cdp_lib.models.fusion.stages import chosen_epochs, fuse, stage_one, stages_by_epoch
from cdp_lib.models.linear import Ridge
from cdp_lib.splits import leave_lines_out

OMICS = ["expression", "mutation"]
FEW = STEPS.__class__(**{**STEPS.get_params(), "epochs": 5})
EPOCHS = (1, 4, 30)


def make_cohort(seed=0, lines=36, drugs=3):
    rng = np.random.default_rng(seed)
    names = [f"line {i}" for i in range(lines)]
    tables = {m: pd.DataFrame(rng.normal(1, 1, size=(lines, 5)), names) for m in OMICS}
    tables = {m: table.add_prefix(f"{m} ") for m, table in tables.items()}
    Y = tables["expression"].to_numpy() @ rng.normal(size=(5, drugs))
    Y = pd.DataFrame(Y + 0.1 * rng.normal(size=Y.shape), names).add_prefix("drug ")
    return Cohort.from_tables(Y, tables, pd.DataFrame({"tissue": "lung"}, names))


COHORT = make_cohort()
SPLIT = leave_lines_out(COHORT, n_folds=3, tune=0)
NETWORK = OmicsNetwork(DenseEmbedding(6), (6,)).set_params(training=ALL_EPOCHS)
NETWORKS = {m: NETWORK.set_params(training__epochs=30, training__lr=0.01) for m in OMICS}
NAIVE = evaluate.cross_predict({}, COHORT, SPLIT)
X, Y = COHORT.X(OMICS), COHORT.Y.astype(float)


@pytest.fixture(scope="module")
def honest():
    return evaluate.first_stage(NETWORKS, COHORT, SPLIT, EPOCHS, inner=2)


def test_the_stages_are_those_of_single_calls(honest):
    fold = SPLIT.folds[1]
    short = {m: NETWORK.set_params(training__epochs=4, training__lr=0.01) for m in OMICS}
    alone = stage_one(short, X, Y, fold, "out_of_fold", 2, COHORT.lines["donor"])
    for m in OMICS:
        pd.testing.assert_frame_equal(honest[4][1].final[m], alone.final[m])
        pd.testing.assert_frame_equal(honest[4][1].learning[m], alone.learning[m])


def test_networks_that_saw_all_lines_are_one_training_for_all_folds():
    saw_all = evaluate.first_stage(NETWORKS, COHORT, SPLIT, EPOCHS, "saw_all")
    for number, fold in enumerate(SPLIT):
        alone = stage_one(NETWORKS, X, Y, fold, "saw_all")
        pd.testing.assert_frame_equal(saw_all[30][number].final["expression"],
                                      alone.final["expression"])  # fmt: skip
        pd.testing.assert_frame_equal(saw_all[30][number].labels, alone.labels)


def test_a_kept_fold_comes_back_as_it_was(honest, tmp_path):
    given = NETWORKS, COHORT, SPLIT, EPOCHS, "out_of_fold", 2, 0, tmp_path
    first, second = evaluate.first_stage(*given), evaluate.first_stage(*given)
    assert len(list(tmp_path.iterdir())) == len(SPLIT)
    for stages in (first, second):
        kept = stages[4][2].final["mutation"]
        pd.testing.assert_frame_equal(kept, honest[4][2].final["mutation"], check_names=False)


def test_each_network_gets_the_epochs_that_its_inner_folds_prefer(honest):
    tuned, epochs = evaluate.choose_epochs(honest)
    assert epochs.shape == (3, 2) and set(epochs.to_numpy().ravel()) <= set(EPOCHS)
    for number in range(3):
        rows = tuned[number].labels.notna().any(axis=1)
        labels = tuned[number].labels[rows]
        for m in OMICS:
            by_hand = {e: np.nanmean(metrics.r2(labels, honest[e][number].learning[m][rows]))
                       for e in EPOCHS}  # fmt: skip
            assert epochs.loc[number, m] == max(by_hand, key=by_hand.get)
            here = honest[epochs.loc[number, m]][number]
            pd.testing.assert_frame_equal(tuned[number].final[m], here.final[m])
    assert epochs["expression"].min() > 1, "expression causes the response: it has to be learned"


def test_choosing_the_epochs_sees_no_test_label():
    fold = SPLIT.folds[0]

    def run(X, Y, fold):
        stages = stages_by_epoch(NETWORKS, X, Y, fold, EPOCHS, n_folds=2)
        return fuse(chosen_epochs(stages)[0], training=FEW).prediction

    assert not audit.sees_test_labels(run, X, Y, fold)


def test_epochs_are_not_chosen_by_lines_that_were_seen():
    stages = stages_by_epoch(NETWORKS, X, Y, SPLIT.folds[0], (1, 2), "saw_all")
    with pytest.raises(InputError, match="saw_all"):
        chosen_epochs(stages)


@pytest.mark.parametrize(("seen", "leaks"), [("out_of_fold", False), ("saw_all", True)])
def test_a_procedure_is_both_stages(seen, leaks):
    run = two_stages.as_procedure({m: Ridge((1.0,)) for m in OMICS}, seen, training=FEW)
    assert audit.sees_test_labels(run, X, Y, SPLIT.folds[0]) is leaks


def test_a_course_has_the_score_of_each_epoch(honest):
    table = evaluate.course(honest, NAIVE, training=FEW)
    fused = evaluate.second_stage(honest[4], training=FEW)
    scores = [
        np.mean(metrics.r2(Y[fold.test.any(axis=1)], part.prediction[fold.test.any(axis=1)]))
        for fold, part in zip(SPLIT, fused)
    ]
    assert table.loc[4, "mean"] == pytest.approx(np.mean(scores), abs=1e-6)
    assert table.loc[4, "sd"] == pytest.approx(np.std(scores, ddof=1), abs=1e-6)
    assert list(table.index) == list(EPOCHS)


def test_shuffling_what_causes_the_response_costs_most(honest):
    fused = evaluate.second_stage(honest[30], training=FEW)
    lost = two_stages.importance(honest[30], fused, Y, SPLIT, draws=3)
    assert (lost["expression"] > lost["mutation"]).all()
    assert two_stages.mean_weights(fused).sum(axis=1).to_numpy() == pytest.approx(1.0, abs=1e-5)
    fit = two_stages.fit_to_training(honest[30])
    assert fit["expression"] > 0.5 > two_stages.fit_to_training(honest[1])["expression"]


def test_the_share_of_causes_named_with_its_interval():
    drugs = [f"drug {i}" for i in range(10)]
    cause = pd.Series(["a"] * 6 + ["b"] * 4, drugs)
    always_a = pd.DataFrame({"a": 1.0, "b": 0.0}, drugs)
    right = pd.DataFrame({"a": (cause == "a") * 1.0, "b": (cause == "b") * 1.0})
    found = two_stages.named_cause({"first": always_a, "truth": right}, cause)
    assert list(found["share"]) == [0.6, 1.0, 0.6]
    assert list(found.index) == ["first", "truth", "always a"]
    half = 1.96 * np.sqrt(0.6 * 0.4 / 10)
    assert list(found.loc["first", ["low", "high"]]) == pytest.approx([0.6 - half, 0.6 + half])
