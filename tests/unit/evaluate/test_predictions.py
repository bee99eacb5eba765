"""Predictions are kept cell by cell, and every view of them equals what is computed by hand."""

import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone

from cdp_lib import metrics, splits
from cdp_lib.errors import InputError
from cdp_lib.evaluate import Predictions, cross_predict, cross_validate, naive_baselines, summary
from cdp_lib.evaluate.comparison import compared, folds_of
from cdp_lib.models.base.validation import uses_validation
from cdp_lib.models.linear import Ridge

SPLITS = {
    "pairs": splits.leave_pairs_out,
    "lines": splits.leave_lines_out,
    "tissues": splits.leave_tissues_out,
    "perturbations": splits.leave_perturbations_out,
    "both": splits.leave_both_out,
}
AXES = ("perturbation", "line", "global")


def make_cohort(lines=36, genes=8, drugs=6, missing=0.15, seed=0, name="first", edition="own"):
    rng = np.random.default_rng(seed)
    names = pd.Index([f"line {i:02}" for i in range(lines)], name="line")
    X = pd.DataFrame(rng.normal(size=(lines, genes)), names).add_prefix("gene ")
    Y = X.to_numpy() @ rng.normal(size=(genes, drugs)) + rng.normal(size=(lines, drugs))
    Y += 3 * np.arange(drugs)
    Y[rng.random(Y.shape) < missing] = np.nan
    Y = pd.DataFrame(Y, names).add_prefix("drug ").astype("float32")
    about = pd.DataFrame({"tissue": [f"tissue {i % 3}" for i in range(lines)]}, names)
    return SimpleNamespace(
        Y=Y,
        lines=about,
        perturbations=pd.DataFrame(index=Y.columns),
        X=lambda omics: {"expression": X, "mutation": (X > 0).astype(float)}[omics],
        name=name,
        edition=edition,
    )


@pytest.fixture(scope="module")
def cohort():
    return make_cohort()


@pytest.fixture(scope="module")
def models():
    return {"strong": Ridge(alphas=(1.0,)), "weak": Ridge(alphas=(1e4,))}


@pytest.fixture(scope="module")
def P(cohort, models):
    return cross_predict(models, cohort, splits.leave_lines_out(cohort, 4, repeats=2))


def by_hand(cohort, models, split):
    """Truth and prediction of each model in each fold, by nothing but fit and predict."""
    X = cohort.X("expression")
    for name, model in models.items():
        for fold in split:
            Y = cohort.Y.where(fold.train if uses_validation(model) else fold.fit)
            rows, tested = Y.notna().any(axis=1), cohort.Y.where(fold.test).notna().any(axis=1)
            prediction = clone(model).fit(X[rows], Y[rows]).predict(X[tested])
            yield name, fold, cohort.Y.where(fold.test)[tested], prediction


@pytest.mark.parametrize("name", SPLITS)
def test_scores_are_those_of_the_metrics_to_the_last_bit(name, cohort, models):
    split = SPLITS[name](cohort, 3, repeats=2)
    frame = cross_validate(models, cohort, split, metrics=tuple(metrics.METRICS), axis=AXES)
    expected = []
    for model, fold, truth, prediction in by_hand(cohort, models | naive_baselines(cohort), split):
        for axis in AXES:
            one = metrics.score_frame(truth, prediction, tuple(metrics.METRICS), axis)
            expected.append(
                one[one["n"] > 0].assign(model=model, repeat=fold.repeat, fold=fold.number)
            )
    expected = pd.concat(expected, ignore_index=True)
    pd.testing.assert_frame_equal(frame[expected.columns], expected, check_exact=True)


@pytest.mark.parametrize("name", SPLITS)
def test_every_test_cell_is_kept_once_a_repeat(name, cohort, models):
    split = SPLITS[name](cohort, 3, repeats=2)
    cells = cross_predict(models, cohort, split, baselines=False).cells()
    for fold in split:
        for model in models:
            here = cells.query(
                "model == @model and fold == @fold.number and repeat == @fold.repeat"
            )
            assert not here.duplicated(["line", "perturbation"]).any()
            table = here.pivot(index="line", columns="perturbation", values="truth")
            table = table.reindex(cohort.Y.index).reindex(columns=cohort.Y.columns)
            expected = cohort.Y.where(fold.test)
            np.testing.assert_array_equal(table.to_numpy(float), expected.to_numpy(float))
    if name != "both":
        times = cells.groupby(["model", "repeat"]).size()
        assert set(times) == {cohort.Y.notna().to_numpy().sum()}


def test_predictions_take_a_column_of_numbers_a_model_and_not_names(P, cohort):
    (held,) = P.held
    n = 2 * cohort.Y.notna().to_numpy().sum()
    assert {each.dtype.itemsize * len(each) for each in (held.line, held.truth)} == {4 * n}
    assert all(values.nbytes <= 8 * n for values in held.values.values())


def test_models_with_their_own_omics_stand_in_one_call(cohort, models):
    split = splits.leave_lines_out(cohort, 3)
    both = cross_predict(models, cohort, split, {"strong": "expression", "weak": "mutation"})
    alone = cross_predict({"weak": models["weak"]}, cohort, split, "mutation")
    table = both.summary("rmse").set_index("model")
    assert table["omics"].to_dict() == {"strong": "expression", "weak": "mutation"} | dict.fromkeys(
        naive_baselines(cohort), "none"
    )
    assert table["mean"]["weak"] == alone.summary("rmse").set_index("model")["mean"]["weak"]


def test_rows_of_two_cohorts_or_omics_are_never_averaged(cohort, models, P):
    other = make_cohort(lines=40, drugs=5, seed=4, name="second")
    split = splits.leave_lines_out(cohort, 4, repeats=2)
    Q = cross_predict(models, other, splits.leave_lines_out(other, 4))
    R = cross_predict(models, cohort, split, "mutation")
    joined = (P | Q | R).summary("pearson")
    for part in (P, Q, R):
        alone = part.summary("pearson")
        key = ["cohort", "omics", "model"]
        pd.testing.assert_frame_equal(
            alone[key].merge(joined)[alone.columns].drop(columns=["gain", "p", "reference"]),
            alone.drop(columns=["gain", "p", "reference"]),
        )
    assert len(joined) == 7 + 7 + 2
    frames = pd.concat([each.scores("pearson") for each in (P, Q, R)])
    pd.testing.assert_frame_equal(summary(frames), joined.drop(columns="too_few"))
    same_name = make_cohort(lines=40, seed=4)
    frame = cross_validate(
        models, same_name, splits.leave_lines_out(same_name, 4, repeats=2), metrics="pearson"
    )
    with pytest.raises(InputError, match="'strong'"):
        summary(pd.concat([P.scores("pearson"), frame]))


def test_the_same_model_twice_or_other_cells_under_one_name_are_refused(P, cohort, models):
    assert (
        len((P | cross_predict({}, cohort, splits.leave_lines_out(cohort, 4, repeats=2))).summary())
        == 7
    ), "equal baselines count once"
    with pytest.raises(InputError, match="'strong' on expression"):
        P | P
    other = splits.leave_lines_out(cohort, 4, repeats=2, seed=1)
    measured_again = SimpleNamespace(**vars(cohort) | {"Y": cohort.Y + 1})
    same = splits.leave_lines_out(cohort, 4, repeats=2)
    for data, split in ((cohort, other), (measured_again, same)):
        with pytest.raises(InputError, match="other cells"):
            P | cross_predict({"third": models["weak"]}, data, split)


def test_a_reference_in_two_omics_is_refused(cohort, models, P):
    R = cross_predict(models, cohort, splits.leave_lines_out(cohort, 4, repeats=2), "mutation")
    with pytest.raises(InputError, match="expression .*mutation"):
        (P | R).summary("r2", reference="strong")


def test_gain_p_and_interval_equal_those_by_hand(P):
    row = P.against("tissue mean", "r2", draws=4000).set_index("model").loc["strong"]
    scores = P.scores("r2").pivot(index=["repeat", "fold", "unit"], columns="model", values="score")
    gain = (scores["strong"] - scores["tissue mean"]).unstack("unit")  # (folds, perturbations)
    folds = gain.mean(axis=1)
    frame = P.scores("r2").query("model == 'strong'").drop_duplicates(["repeat", "fold"])
    share = (frame["n_test"] / frame["n_train"]).mean()
    t = folds.mean() / np.sqrt((1 / 8 + share) * folds.var(ddof=1))
    assert row["gain"] == pytest.approx(folds.mean())
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(t), 7))
    exact = gain.mean(axis=0).to_numpy()  # every unit in every fold: the mean over units
    spread = exact.std() / np.sqrt(len(exact))  # of the mean of units drawn again
    draws = stats.norm.interval(0.95, exact.mean(), spread)
    assert row["low"] == pytest.approx(draws[0], abs=0.5 * spread)
    assert row["high"] == pytest.approx(draws[1], abs=0.5 * spread)
    again = P.against("tissue mean", "r2", draws=4000).set_index("model").loc["strong"]
    assert again["low"] == row["low"], "the same seed draws the same units"
    same = P.against("strong", "r2").set_index("model").loc["strong"]
    assert np.isnan([same["low"], same["p"]]).all() and same["gain"] == 0
    assert P.against("strong", "r2", "global")["low"].isna().all()


def test_the_interval_covers_the_true_gain_as_often_as_it_says():
    """Units whose gains are drawn around 0.3: 95 % of the intervals should hold it."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        gains = rng.normal(0.3, 1, size=40)
        frame = pd.DataFrame(
            {
                "unit": range(40),
                "n": 9,
                "constant": False,
                "n_train": 80,
                "n_test": 20,
                "repeat": 0,
                "fold": 0,
                "split": "s",
                "axis": "line",
                "metric": "pearson",
                "kind": "model",
                "cohort": "c",
                "omics": "o",
            }
        )
        both = pd.concat([frame.assign(model="a", score=gains), frame.assign(model="b", score=0.0)])
        row = compared(both, "b", draws=300).iloc[0]
        held += row["low"] <= 0.3 <= row["high"]
    assert 180 <= held <= 198


def test_the_metric_may_be_ones_own(P):
    def half(truth, prediction):
        assert len(truth) == len(prediction) > 0 and not np.isnan(truth).any()
        return metrics.rmse(truth, prediction, "global") / 2

    half.lower_is_better = True
    for axis in AXES:
        ours, own = P.scores("rmse", axis), P.scores(half, axis)
        np.testing.assert_allclose(own["score"], ours["score"] / 2, rtol=1e-6)
        assert own["unit"].tolist() == ours["unit"].tolist() and set(own["metric"]) == {"half"}
        best = P.floor("rmse", axis)["model"].item()
        assert P.floor(half, axis)["model"].item() == best
    assert set(P.summary((half, "r2"))["metric"]) == {"half", "r2"}
    with pytest.raises(InputError, match="'persson'"):
        P.summary("persson")


def test_scores_a_tissue_are_those_of_its_lines_alone(P, cohort):
    frame = P.scores("pearson", by=cohort.lines["tissue"])
    cells = P.cells().query("model == 'strong'")
    tissue = cells["line"].map(cohort.lines["tissue"]).astype(str)
    for group in ("tissue 0", "tissue 2"):
        some = cells[(tissue == group) & (cells["fold"] == 1) & (cells["repeat"] == 1)]
        for drug, part in some.groupby("perturbation", observed=True):
            row = frame.query(
                "group == @group and model == 'strong' and fold == 1 and repeat == 1 "
                "and unit == @drug"
            )
            assert row["n"].item() == len(part)
            if len(part) > 2:
                r = np.corrcoef(part["truth"], part["prediction"])[0, 1]
                assert row["score"].item() == pytest.approx(r, rel=1e-5)
    table = P.summary("pearson", by=cohort.lines["tissue"])
    assert len(table) == 3 * 7 and set(table["group"]) == set(cohort.lines["tissue"])
    with pytest.raises(InputError, match="cohort.lines"):
        P.summary(by=cohort.lines["tissue"][1:])


def test_units_with_few_cells_can_be_left_out_and_are_counted(cohort, models):
    P = cross_predict(models, cohort, splits.leave_pairs_out(cohort, 8))
    frame = P.scores("r2").query("model == 'strong'")
    few = frame["n"] < 4
    assert 0 < few.sum() < len(frame)
    row = P.summary("r2", min_n=4).set_index("model").loc["strong"]
    assert (row["too_few"], row["units"]) == (few.sum(), (~few).sum())
    assert row["mean"] == pytest.approx(frame[~few].groupby("fold")["score"].mean().mean())
    with pytest.raises(InputError, match="1000 test cells"):
        P.summary("r2", min_n=1000)


def test_a_group_with_too_few_cells_keeps_its_rows(P, cohort):
    groups = cohort.lines["tissue"].copy()
    groups.iloc[0] = "rare"
    table = P.summary("rmse", by=groups, min_n=3).set_index(["group", "model"])
    rare, common = table.loc["rare"], table.loc["tissue 1"]
    assert rare["mean"].isna().all() and (rare["units"] == 0).all() and (rare["too_few"] > 0).all()
    assert set(rare.index) == set(common.index) and common["mean"].notna().all()


def test_the_spread_names_what_the_folds_hold_out(P):
    assert set(P.summary()["sd_over"]) == {"folds of lines"}
    assert folds_of("leave both out") == "folds of lines and perturbations"
    assert folds_of("leave drugs out, nested") == "folds of drugs"
    assert folds_of("own folds") == "folds"


def test_the_floor_is_the_best_baseline(P):
    table = P.summary("rmse")
    naive = table[table["kind"] == "baseline"]
    floor = P.floor("rmse")
    assert floor["mean"].tolist() == [naive["mean"].min()]
    assert set(table["reference"]) == {floor["model"].item()}


def test_the_ceiling_of_drawn_replicates_is_that_of_the_truth():
    """measured = truth + noise: the truth itself reaches the ceiling, and no more."""
    rng = np.random.default_rng(3)
    cohort = make_cohort(lines=600, drugs=5, missing=0.1)
    truth = rng.normal(size=(600, 5))
    first, second = (truth + rng.normal(size=truth.shape) * [0.3, 0.6, 1, 1, 2] for _ in "ab")
    like = dict(index=cohort.Y.index, columns=cohort.Y.columns)
    cohort.Y = pd.DataFrame(first, **like).where(cohort.Y.notna())
    second = pd.DataFrame(second, **like).sample(frac=1, random_state=0)  # in another order

    split = splits.leave_lines_out(cohort, 2)
    P = cross_predict({}, cohort, split).add("oracle", [pd.DataFrame(truth, **like)] * 2)
    for metric in ("pearson", "r2"):
        ceiling = P.ceiling(second, metric)
        reached = P.scores(metric).query("model == 'oracle'").groupby("unit")["score"].mean()
        np.testing.assert_allclose(ceiling["ceiling"], reached.loc[ceiling.index], atol=0.06)
        row = P.summary(metric, ceiling=ceiling).set_index("model").loc["oracle"]
        assert row["share"] == pytest.approx(1, abs=0.06)
        assert row["ceiling"] == pytest.approx(ceiling["ceiling"].mean())
    r = pd.Series(0.25, cohort.Y.columns)
    assert P.ceiling(r)["ceiling"].tolist() == [0.5] * 5
    assert P.ceiling(second.iloc[:, :2], axis="line", least=2)["n"].max() == 2
    with pytest.raises(InputError, match="0 lines"):
        P.ceiling(second.add_suffix(" again", axis=0))
    with pytest.raises(InputError, match="'rmse'"):
        P.ceiling(second, "rmse")


def test_the_share_of_the_range_and_where_it_is_undefined(P):
    table = P.summary("r2", ceiling=0.9).set_index("model")
    floor = P.floor("r2")["mean"].item()
    expected = (table["mean"] - floor) / (0.9 - floor)
    np.testing.assert_allclose(table["share"], expected)
    assert table["share"][P.floor("r2")["model"].item()] == pytest.approx(0)
    low = P.summary("r2", ceiling=-99.0)
    assert low["share"].isna().all() and low["share_note"].str.contains("not above").all()
    some = pd.Series({"drug 1": 0.8, "drug 4": 0.6})
    row = P.summary("r2", ceiling=some).set_index("model").loc["strong"]
    frame = P.scores("r2")
    frame = frame[frame["unit"].isin(some.index)]
    means = frame.groupby(["model", "repeat", "fold"])["score"].mean().groupby("model").mean()
    best = P.floor("r2")["model"].item()
    assert row["share"] == pytest.approx((means["strong"] - means[best]) / (0.7 - means[best]))
    with pytest.raises(InputError, match="'drug 0'"):
        P.summary("r2", ceiling=pd.Series({"aspirin": 0.8}))


def test_folds_may_be_ones_own(cohort, models):
    split = splits.leave_lines_out(cohort, 3, tune=0.0)
    lines = cohort.Y.index
    pairs = [(lines[f.fit[:, 0]], lines[f.test[:, 0]]) for f in split]
    expected = cross_predict(models, cohort, split).scores("r2")
    for own in (list(split), pairs):
        frame = cross_predict(models, cohort, own).scores("r2")
        assert set(frame["split"]) == {"own folds"}
        pd.testing.assert_frame_equal(frame.drop(columns="split"), expected.drop(columns="split"))


def test_tables_of_ones_own_take_part(P, cohort):
    (held,) = P.held
    tables = [held.table(part, held.values["strong", "expression"]) for _, part in held.parts()]
    mixed = P.add("copy", [table.sample(frac=1, random_state=1) for table in tables])
    scores = mixed.scores("r2").set_index("model")["score"]
    np.testing.assert_array_equal(scores["copy"], scores["strong"])
    with pytest.raises(InputError, match="7 tables are given for 8"):
        P.add("short", tables[1:])
    with pytest.raises(InputError, match="'holes', fold 0"):
        P.add("holes", [table.iloc[1:] for table in tables])


class Fails(Ridge):
    """A model that fails where it is told to."""

    def fit(self, X, Y):
        if "line 07" not in X.index:
            raise RuntimeError("CUDA out of memory")
        return super().fit(X, Y)


def test_a_failing_fold_is_kept_apart_and_the_others_are_scored(cohort, models, tmp_path):
    split = splits.leave_lines_out(cohort, 4)
    all_models = models | {"fails": Fails(alphas=(1.0,))}
    with pytest.raises(RuntimeError, match="in model 'fails'"):
        cross_predict(all_models, cohort, split)
    P = cross_predict(all_models, cohort, split, errors="keep")
    lost = next(fold.number for fold in split if not fold.fit[7].any())
    assert P.failures[["model", "fold"]].values.tolist() == [["fails", lost]]
    assert "CUDA out of memory" in P.failures["error"].item()
    table = P.summary("r2").set_index("model")
    assert table["folds"].to_dict() == dict.fromkeys(table.index, 4) | {"fails": 3}
    good = cross_predict(all_models | {"fails": Ridge(alphas=(1.0,))}, cohort, split).scores("r2")
    expected = good.query("model == 'fails' and fold != @lost").reset_index(drop=True)
    found = P.scores("r2").query("model == 'fails'").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)
    floor = good.query("model == @table.reference.fails and fold != @lost")["score"].mean()
    assert table["gain"]["fails"] == pytest.approx(expected["score"].mean() - floor)
    P.write(tmp_path / "p.npz")
    assert Predictions.read(tmp_path / "p.npz").failures.equals(P.failures)
    assert "1 fits failed" in repr(P)
    frame = cross_validate(all_models, cohort, split, metrics="r2", errors="keep")
    pd.testing.assert_frame_equal(frame, P.scores("r2"))
    with pytest.raises(InputError, match="nothing to score"):
        cross_predict(
            {"f": Fails(alphas=())}, cohort, split, baselines=False, errors="keep"
        ).scores()


def test_finished_folds_are_taken_from_a_checkpoint(cohort, models, tmp_path):
    split = splits.leave_lines_out(cohort, 4)
    fits = []

    class Counted(Ridge):
        def fit(self, X, Y):
            fits.append(self.alphas)
            return super().fit(X, Y)

    def run(data=cohort, folds=split, **changed):
        mine = {"a": Counted(alphas=(1.0,)), "b": Counted(alphas=(2.0,))} | changed
        fits.clear()
        return cross_predict(mine, data, folds, checkpoint=tmp_path)

    with pytest.raises(RuntimeError):
        run(c=Fails())
    first = run()
    assert len(fits) < 8, "what was finished before the failure is kept"
    again = run()
    assert not fits and again.cells().equals(first.cells())
    assert first.cells().equals(
        cross_predict({"a": Ridge((1.0,)), "b": Ridge((2.0,))}, cohort, split).cells()
    )
    run(b=Counted(alphas=(3.0,)))
    assert fits == [(3.0,)] * 4
    run(folds=splits.leave_lines_out(cohort, 4, seed=1))
    assert len(fits) == 8
    run(data=SimpleNamespace(**vars(cohort) | {"Y": cohort.Y + 1}))
    assert len(fits) == 8


def test_a_file_gives_back_every_number(P, tmp_path):
    path = tmp_path / "deep" / "p.npz"
    P.write(path)
    Q = Predictions.read(path)
    pd.testing.assert_frame_equal(P.cells(), Q.cells(), check_exact=True)
    assert Q.summary(("pearson", "r2"), AXES).equals(P.summary(("pearson", "r2"), AXES))
    assert repr(Q) == repr(P) and "each of 4 folds" in repr(Q)
    assert [each.name for each in path.parent.iterdir()] == ["p.npz"]
    page = json.loads(bytes(np.load(path)["page"]))
    assert {"cdp_lib", "numpy", "pandas", "scikit-learn", "torch"} <= set(page["versions"])
    assert page["held"][0]["about"]["edition"] == "own"
    assert page["held"][0]["about"]["seed"] == 0
    assert page["held"][0]["models"][0] == ["strong", "expression", "model"]


def test_numbers_may_be_names(models, tmp_path):
    cohort = make_cohort()
    names = pd.Index(range(100, 136))
    cohort.Y.index = names
    numbered = SimpleNamespace(Y=cohort.Y, X=lambda omics: cohort.X(omics).set_axis(names))
    P = cross_predict(models, numbered, splits.leave_lines_out(numbered, 2))
    P.write(tmp_path / "p.npz")
    pd.testing.assert_frame_equal(P.cells(), Predictions.read(tmp_path / "p.npz").cells())
    dated = SimpleNamespace(Y=cohort.Y.set_axis(pd.to_datetime(names)))
    with pytest.raises(InputError, match="Timestamp"):
        cross_predict({}, dated, splits.leave_pairs_out(dated, 2)).write(tmp_path / "q.npz")


def test_a_damaged_or_foreign_file_is_one_sentence(P, tmp_path):
    good = tmp_path / "good.npz"
    P.write(good)
    content = good.read_bytes()
    rng = np.random.default_rng(0)
    bad = tmp_path / "bad.npz"

    def refused() -> bool:
        try:
            read = Predictions.read(bad)
        except InputError as error:
            assert str(bad) in str(error) and "\n" not in str(error)
            return True
        pd.testing.assert_frame_equal(read.cells(), P.cells(), check_exact=True)
        return False

    for length in (0, 1, len(content) // 2, len(content) - 1):
        bad.write_bytes(content[:length])
        assert refused()
    flips = []
    for place in rng.integers(len(content), size=150):
        bad.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        flips.append(refused())
    assert np.mean(flips) > 0.9, "a flip in a date of the archive changes nothing"
    for other in ({}, {"page": np.zeros(3)}, {"page": np.frombuffer(b'{"format": "x"}', np.uint8)}):
        np.savez(bad, **other)
        assert refused()
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("letter.txt", "Dear reader")
    assert refused()
    np.savez(bad, page=np.array([object()]))
    assert refused()
    bad.write_text("a,b\n1,2\n")
    assert refused()
    with pytest.raises(InputError, match="no file"):
        Predictions.read(tmp_path / "none.npz")
    with pytest.raises(InputError, match=str(tmp_path)):
        Predictions.read(tmp_path)


def test_arrays_that_point_outside_are_refused(P, tmp_path):
    P.write(tmp_path / "p.npz")
    arrays = dict(np.load(tmp_path / "p.npz"))
    for name, value in (("0 line", arrays["0 line"] + 1), ("0 truth", arrays["0 truth"][1:])):
        file = io.BytesIO()
        np.savez(file, **(arrays | {name: value}))
        (tmp_path / "q.npz").write_bytes(file.getvalue())
        with pytest.raises(InputError, match="do not fit"):
            Predictions.read(tmp_path / "q.npz")


def test_naive_models_of_ones_own_join_the_baselines(cohort):
    split = splits.leave_lines_out(cohort, 2, tune=0)
    given = {"own": Ridge((1e9,))}
    P = cross_predict({"ridge": Ridge((1.0,))}, cohort, split, baselines=given)
    kinds = P.summary("r2").set_index("model")["kind"]
    assert kinds["own"] == kinds["perturbation mean"] == "baseline" and kinds["ridge"] == "model"
