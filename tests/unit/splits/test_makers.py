"""What every split promises: nothing leaks, nothing is empty, every cell gets its turn."""

import doctest
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cdp_lib.splits
from cdp_lib.errors import InputError
from cdp_lib.splits import (
    TEST,
    TRAIN,
    TUNE,
    UNUSED,
    Fold,
    Split,
    assert_no_leak,
    leave_both_out,
    leave_drugs_out,
    leave_lines_out,
    leave_pairs_out,
    leave_perturbations_out,
    leave_tissues_out,
    nested,
)
from cdp_lib.splits.folds import refuse_leak

ONCE = [leave_pairs_out, leave_lines_out, leave_tissues_out, leave_perturbations_out]
EVERY = [*ONCE, leave_both_out]


def by_name(function):
    return getattr(function, "__name__", str(function))


def cohort(seed=0, lines=30, drugs=20, missing=0.3):
    """Lines with donors and tissues, drugs with structures, and gaps."""
    rng = np.random.default_rng(seed)
    names, treatments = [f"l{i}" for i in range(lines)], [f"d{j}" for j in range(drugs)]
    Y = pd.DataFrame(rng.normal(size=(lines, drugs)), names, treatments)
    Y = Y.mask(rng.random(Y.shape) < missing)
    donors = np.array([f"p{i}" for i in range(lines)], dtype=object)
    donors[rng.choice(lines, 8, replace=False)] = [*donors[:4], *[None] * 4]  # twins and unknown
    tissue = [f"t{i % 7}" for i in rng.permutation(lines)]
    structure = [f"s{rng.integers(drugs)}" if rng.random() < 0.8 else None for _ in treatments]
    return SimpleNamespace(
        Y=Y,
        lines=pd.DataFrame({"donor": donors, "tissue": tissue}, names),
        perturbations=pd.DataFrame({"group": structure, "target": tissue[:drugs]}, treatments),
    )


def screen(seed=0, lines=12, drugs=14):
    """Every unordered pair of the drugs, two of which share a structure."""
    rng = np.random.default_rng(seed)
    names, treatments = [f"l{i}" for i in range(lines)], [f"d{j:02}" for j in range(drugs)]
    pairs = [(a, b) for i, a in enumerate(treatments) for b in treatments[i + 1 :]]
    index = [f"{a} + {b}" for a, b in pairs]
    structure = ["twin", "twin", *treatments[2:]]
    return SimpleNamespace(
        Y=pd.DataFrame(rng.normal(size=(lines, len(pairs))), names, index),
        lines=pd.DataFrame({"donor": names, "tissue": ["a", "b", "c"] * (lines // 3)}, names),
        perturbations=pd.DataFrame(pairs, index, ["drug_a", "drug_b"]),
        drugs=pd.DataFrame({"group": structure}, treatments),
    )


seeds = st.integers(0, 2**31)
splits = st.sampled_from(EVERY)
folds = st.integers(2, 4)
tuning = st.sampled_from([0.0, 0.2, 0.4])


def same(a: Split, b: Split) -> bool:
    return all(np.array_equal(one.roles, two.roles) for one, two in zip(a, b, strict=True))


@settings(max_examples=60, deadline=None)
@given(splits, seeds, folds, tuning, st.integers(1, 3))
def test_roles_partition_the_cells_and_none_is_empty(leave, seed, n_folds, tune, repeats):
    data = cohort(seed, lines=60, drugs=40)  # large enough for every role
    known = data.Y.notna().to_numpy()
    split = leave(data, n_folds, repeats, tune, seed)
    assert len(split) == n_folds * repeats
    assert [(f.repeat, f.number) for f in split] == list(np.ndindex(repeats, n_folds))
    for fold in split:
        assert fold.roles.shape == data.Y.shape and fold.roles.dtype == np.int8
        parts = [fold.train, fold.tune, fold.test, fold.roles == UNUSED]
        assert (np.sum(parts, axis=0) == 1).all()
        np.testing.assert_array_equal(fold.fit, fold.train | fold.tune)
        assert (fold.train & known).any() and (fold.test & known).any()
        assert (fold.tune & known).any() == (tune > 0)
        with pytest.raises(ValueError, match="read-only"):
            fold.roles[0, 0] = TEST


@settings(max_examples=60, deadline=None)
@given(splits, seeds, folds, st.integers(1, 2))
def test_how_often_a_known_cell_is_tested(leave, seed, n_folds, repeats):
    data = cohort(seed)
    known = data.Y.notna().to_numpy()
    split = leave(data, n_folds, repeats, 0.0, seed)
    for repeat in range(repeats):
        tested = sum(fold.test & known for fold in split if fold.repeat == repeat)
        assert tested.max() == 1
        if leave in ONCE:
            np.testing.assert_array_equal(tested, known)
        if leave in (leave_pairs_out, leave_lines_out, leave_perturbations_out):
            fits = [fold.fit | fold.test for fold in split if fold.repeat == repeat]
            assert all((cells >= known).all() for cells in fits)  # nothing is wasted


def crossing(fold: Fold, labels: pd.Series, axis: int) -> bool:
    """Does a label have lines (axis 0) or columns (axis 1) in two roles of the fold?"""
    codes = pd.factorize(labels)[0]
    for code in range(codes.max() + 1):
        roles = fold.roles.compress(codes == code, axis)
        if len(np.unique(roles[roles != UNUSED])) > 1:
            return True
    return False


@settings(max_examples=60, deadline=None)
@given(seeds, folds, tuning)
def test_no_donor_and_no_structure_straddles(seed, n_folds, tune):
    data = cohort(seed, missing=0)
    donor, structure = data.lines["donor"], data.perturbations["group"]
    for leave in (leave_lines_out, leave_tissues_out, leave_both_out):
        for fold in leave(data, n_folds, 1, tune, seed):
            assert not crossing(fold, donor, 0)
    for leave in (leave_perturbations_out, leave_both_out):
        for fold in leave(data, n_folds, 1, tune, seed):
            assert not crossing(fold, structure, 1)
    for fold in leave_tissues_out(data, n_folds, 1, tune, seed):
        assert not crossing(fold, data.lines["tissue"], 0)
    rows, columns = pd.factorize(donor)[0], pd.factorize(structure)[0]
    for fold in leave_pairs_out(data, n_folds, 1, tune, seed):
        for line, drug in np.ndindex(rows.max() + 1, columns.max() + 1):
            block = fold.roles[rows == line][:, columns == drug]
            assert len(np.unique(block[block != UNUSED])) <= 1


@settings(max_examples=30, deadline=None)
@given(splits, seeds)
def test_measured_values_and_group_names_decide_nothing(leave, seed):
    data = cohort(seed, lines=60, drugs=40)
    split = leave(data, n_folds=3, tune=0.3, seed=seed)
    values = data.Y.to_numpy().copy()
    known = ~np.isnan(values)
    values[known] = np.random.default_rng(seed).permutation(values[known])
    renamed = data.lines.apply(lambda column: column.map("new {}".format, na_action="ignore"))
    other = SimpleNamespace(
        Y=pd.DataFrame(values, *data.Y.axes), lines=renamed, perturbations=data.perturbations
    )
    assert same(split, leave(other, n_folds=3, tune=0.3, seed=seed))
    assert same(split, leave(data, n_folds=3, tune=0.3, seed=seed))
    assert not same(split, leave(data, n_folds=3, tune=0.3, seed=seed + 1))


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(0, 29))
def test_a_twin_line_stays_with_its_donor(seed, number):
    data = cohort(seed, missing=0)
    data.lines["donor"] = [f"p{i}" for i in range(30)]
    original = data.Y.index[number]
    Y = pd.concat([data.Y, data.Y.loc[[original]].set_axis(["twin"])])
    lines = pd.concat([data.lines, data.lines.loc[[original]].set_axis(["twin"])])
    twins = SimpleNamespace(Y=Y, lines=lines, perturbations=data.perturbations)
    for leave in EVERY:
        for fold in leave(twins, n_folds=3, tune=0.3, seed=seed):
            roles = pd.DataFrame(fold.roles, Y.index).loc[[original, "twin"]].to_numpy()
            np.testing.assert_array_equal(roles[0], roles[1])
    ungrouped = leave_lines_out(twins, 3, repeats=12, seed=seed, groups=None)
    assert any(crossing(fold, lines["donor"], 0) for fold in ungrouped)  # the check can see it


def test_a_tissue_split_sets_aside_the_kin_of_tested_lines():
    Y = pd.DataFrame(np.zeros((6, 2)), list("abcdef"))
    lines = pd.DataFrame(
        {"tissue": ["lung", "lung", "skin", "skin", "bone", "bone"], "donor": list("pqprst")},
        Y.index,
    )
    data = SimpleNamespace(Y=Y, lines=lines)
    for fold in leave_tissues_out(data, None, tune=0):
        roles = dict(zip(Y.index, fold.roles[:, 0]))
        if roles["a"] == TEST:
            assert roles["c"] == UNUSED and roles["d"] == TRAIN
        elif roles["c"] == TEST:
            assert roles["a"] == UNUSED and roles["b"] == TRAIN
        else:
            assert roles["a"] == roles["c"] == TRAIN
    with pytest.raises(InputError, match="groups"):
        assert_no_leak(leave_tissues_out(data, None, tune=0, donors=None), lines["donor"])


@settings(max_examples=30, deadline=None)
@given(seeds, folds, st.sampled_from(["one", "both"]), st.sampled_from([0.0, 0.4]))
def test_a_held_out_drug_is_new(seed, n_folds, held, tune):
    data = screen()
    group = data.drugs["group"]
    a, b = (data.perturbations[side].map(group).to_numpy(object) for side in ("drug_a", "drug_b"))
    expected = 1 if held == "one" else 2
    tested = np.zeros(len(a), int)
    for fold in leave_drugs_out(data, n_folds, held, 1, tune, seed):
        roles = fold.roles[0]
        trained = set(a[roles == TRAIN]) | set(b[roles == TRAIN])
        for role in (TUNE, TEST):
            assert {
                (x not in trained) + (y not in trained)
                for x, y in zip(a[roles == role], b[roles == role])
            } <= {expected}
        tuned = set(a[roles == TUNE]) | set(b[roles == TUNE])
        assert {
            (x not in trained | tuned) + (y not in trained | tuned)
            for x, y in zip(a[roles == TEST], b[roles == TEST])
        } == {expected}
        tested += roles == TEST
    assert tested.max() <= (2 if held == "one" else 1)
    if held == "one" and tune == 0:
        assert set(tested[a == b]) <= {0}
        assert set(tested) <= {0, 2}  # 0: both drugs fall in one fold


def test_pairs_of_one_structure_stay_together():
    data = screen()
    roles = [
        pd.Series(fold.roles[0], data.Y.columns) for fold in leave_perturbations_out(data, tune=0.2)
    ]
    assert all(fold["d00 + d05"] == fold["d01 + d05"] for fold in roles)
    assert "pair of structures" in str(leave_perturbations_out(data))
    assert len({tuple(fold[["d00 + d05", "d00 + d06"]]) for fold in roles}) > 1


@pytest.mark.parametrize("leave", EVERY, ids=by_name)
@pytest.mark.parametrize("tune", [0, 0.3])
def test_nested_folds_stay_inside_the_fit_cells(leave, tune):
    data = cohort(1, lines=60, drugs=40)
    known = data.Y.notna().to_numpy()
    for outer in leave(data, n_folds=3, tune=tune):
        inner = nested(outer, data, n_folds=2, tune=tune)
        for fold in inner:
            assert (fold.roles[~outer.fit & known] == UNUSED).all()
            assert not crossing(fold, data.lines["donor"], 0) or leave in (
                leave_pairs_out,
                leave_perturbations_out,
            )
        if leave in ONCE[:2]:
            np.testing.assert_array_equal(sum(f.test & known for f in inner), outer.fit & known)
    assert "nested" in repr(inner)


def test_nested_works_for_drugs_out():
    data = screen(drugs=24)
    for held in ("one", "both"):
        outer = leave_drugs_out(data, 3, held).folds[0]
        for fold in nested(outer, data, n_folds=2):
            assert (fold.roles[~outer.fit] == UNUSED).all() and fold.test.any()


@pytest.mark.parametrize("leave", [leave_lines_out, leave_perturbations_out], ids=by_name)
def test_balance(leave):
    data = cohort(3, lines=100, drugs=100, missing=0)
    axis = 0 if leave is leave_lines_out else 1
    sizes = [fold.test.any(axis=1 - axis).sum() for fold in leave(data, 5)]
    assert sum(sizes) == 100 and max(sizes) - min(sizes) <= 4
    cells = leave_pairs_out(data, 7, line_groups=None, perturbation_groups=None)
    sizes = [fold.test.sum() for fold in cells]
    assert max(sizes) - min(sizes) <= 1


def test_only_the_tissues_that_are_named_are_held_out():
    data = cohort()
    split = leave_tissues_out(data, only=["t5", "t2"], repeats=2)
    tissue = data.lines["tissue"]
    held = [set(tissue[fold.test.any(axis=1)]) for fold in split]
    assert held == [{"t5"}, {"t2"}] * 2
    assert [(fold.repeat, fold.number) for fold in split] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert "each of 2 folds" in str(split)
    assert len(leave_tissues_out(data, only="t1")) == 1
    with pytest.raises(InputError, match="'t9'"):
        leave_tissues_out(data, only=["t1", "t9"])
    with pytest.raises(InputError, match="tissues"):
        leave_tissues_out(data, only=[])


def test_repeats_of_a_tissue_split_differ():
    tissue = np.repeat([f"t{i}" for i in range(12)], range(1, 13))
    data = SimpleNamespace(
        Y=pd.DataFrame(np.zeros((len(tissue), 2))), lines=pd.DataFrame({"tissue": tissue})
    )
    split = leave_tissues_out(data, 4, repeats=5)
    tested = [[f.test[:, 0].tobytes() for f in split if f.repeat == r] for r in range(5)]
    found = {tuple(sorted(parts)) for parts in tested}
    assert len(found) == 5
    sizes = [fold.test[:, 0].sum() for fold in split]
    assert max(sizes) <= 1.6 * len(tissue) / 4


@pytest.mark.parametrize("leave", ONCE[1:], ids=by_name)
def test_roles_of_whole_rows_or_columns_take_no_memory(leave):
    Y = pd.DataFrame(np.zeros((200, 300)))
    data = SimpleNamespace(Y=Y, lines=pd.DataFrame({"tissue": np.arange(200) % 9}))
    for fold in leave(data):
        assert 0 in fold.roles.strides
        assert fold.roles.base is not None and fold.roles.shape == (200, 300)


@pytest.mark.parametrize("leave", [*EVERY, leave_drugs_out], ids=by_name)
def test_the_sentence_says_what_is_held_out_and_what_a_score_means(leave):
    split = leave(screen(drugs=24), n_folds=3, repeats=2, tune=0.3)
    assert repr(split) == split.sentence
    assert split.sentence.startswith(split.name.capitalize())
    assert split.sentence.count(".") == 1 and split.sentence.endswith(".")
    for words in ("3 folds", "drawn 2 times", "holds out", "30 %", "a score says how well"):
        assert words in split.sentence
    assert "{" not in split.sentence


def test_the_sentence_names_the_groups():
    data = cohort()
    assert "lines of one donor together" in str(leave_lines_out(data))
    assert "lines ungrouped" in str(leave_lines_out(data, groups=None))
    assert "lines ungrouped" in str(leave_lines_out(data.Y))
    assert "perturbations of one target" in str(leave_perturbations_out(data, groups="target"))
    batch = pd.Series(np.arange(30) % 6, data.Y.index, name="batch")
    split = leave_lines_out(data, n_folds=3, groups=batch)
    assert "lines of one batch together" in str(split)
    assert_no_leak(split, batch)


def test_the_sentence_says_of_how_many_lines_no_donor_is_known():
    data = cohort(missing=0)
    data.lines["donor"] = None
    assert "donors are unknown" in str(leave_lines_out(data))
    data.lines["donor"] = ["p", "p", *[None] * (len(data.Y) - 2)]
    assert f"{len(data.Y) - 2} of unknown donor alone" in str(leave_lines_out(data))


def test_lines_of_unknown_donor_are_no_family():
    """Each is a group of its own: some are tested while others are trained on."""
    data = cohort(missing=0)
    data.lines["donor"] = None
    tested = [int(fold.test[:, 0].sum()) for fold in leave_lines_out(data, 3)]
    assert tested == [10, 10, 10]
    data.lines["donor"] = np.where(np.arange(len(data.Y)) < 20, None, "p")
    tested = [fold.test[:, 0] for fold in leave_lines_out(data, n_folds=3, tune=0)]
    parts = sorted((rows[:20].sum(), rows[20:].sum()) for rows in tested)
    assert parts == [(0, 10), (10, 0), (10, 0)]


@pytest.mark.parametrize("pair", [(TRAIN, TEST), (TUNE, TEST), (TRAIN, TUNE)])
def test_a_group_in_two_roles_is_refused(pair):
    roles = np.array([[TRAIN], [TUNE], [TEST], [pair[0]], [pair[1]]], dtype=np.int8)
    groups = np.array([[0], [1], [2], [3], [3]])
    with pytest.raises(InputError, match="1 groups"):
        refuse_leak("leave lines out", Fold(roles), groups)
    refuse_leak("leave lines out", Fold(roles), np.arange(5)[:, None])


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda c: leave_lines_out(c, n_folds=31), "31 folds of"),
        (lambda c: leave_lines_out(c, n_folds=1), "n_folds .* at least 2"),
        (lambda c: leave_lines_out(c, n_folds=2.5), "n_folds .*2.5"),
        (lambda c: leave_lines_out(c, repeats=0), "repeats "),
        (lambda c: leave_lines_out(c, seed=-1), "seed "),
        (lambda c: leave_lines_out(c, tune=1), "tune is a share"),
        (lambda c: leave_lines_out(c, tune="a"), "tune is a share .* not 'a'"),
        (lambda c: leave_lines_out(c, tune=None), "tune is a share .* not None"),
        (lambda c: leave_lines_out(c, groups="patient"), "no column 'patient'"),
        (lambda c: leave_lines_out(c, groups=c.lines["donor"].iloc[:3]), "lack 27 of the lines"),
        (lambda c: leave_lines_out(c, groups=pd.concat([c.lines["donor"]] * 2)), "twice"),
        (lambda c: leave_tissues_out(c.Y), "no column 'tissue'"),
        (lambda c: leave_tissues_out(c, groups="donor"), "lines such as 'l"),
        (lambda c: leave_drugs_out(c), "pair screen"),
        (lambda c: leave_drugs_out(screen(), held="two"), "'one' or 'both'"),
        (lambda c: leave_lines_out(np.zeros((3, 3))), "not ndarray"),
        (lambda c: leave_lines_out(c.Y * np.nan), "of 0 groups"),
        (
            lambda c: leave_tissues_out(c, 2, groups=pd.Series(["a"] + ["b"] * 29, c.Y.index)),
            "to train on: change n_folds or tune",
        ),
        (lambda c: nested(Fold(np.zeros((30, 20), np.int8)), c), "made by hand"),
    ],
)
def test_refusals_are_one_sentence(make, words):
    with pytest.raises(InputError, match=words) as error:
        make(cohort(0))
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_an_empty_fold_is_refused():
    Y = pd.DataFrame(np.nan, range(6), range(6))
    Y.iloc[[0, 1, 2], [0, 1, 2]] = np.eye(3)
    Y = Y.where(np.eye(6, dtype=bool))  # known on the diagonal only: blocks may miss it
    with pytest.raises(InputError, match="no known response"):
        leave_both_out(Y, n_folds=3, repeats=20, tune=0)


def test_a_fold_made_by_hand_is_checked_for_leaks():
    roles = np.array([[TRAIN, TRAIN], [TEST, TEST], [TRAIN, TEST]], np.int8)
    split = Split("as published", "As published.", (Fold(roles),))
    with pytest.raises(InputError, match="fold 0 .*: 1 groups"):
        assert_no_leak(split, ["a", "b", "c"])
    with pytest.raises(InputError, match="2 groups"):
        assert_no_leak(split, ["x", "y"], axis="perturbation")
    clean = Split("as published", "As published.", (Fold(roles[:2]),))
    assert_no_leak(clean, ["a", "b"])
    with pytest.raises(InputError):
        assert_no_leak(clean, ["a", "a"])


def renamed(data, order):
    """The same cohort with its lines in another order, a part of them, or under other names."""
    return SimpleNamespace(
        Y=data.Y.loc[order], lines=data.lines.loc[order], perturbations=data.perturbations
    )


def test_a_fold_knows_its_lines_and_perturbations():
    data = cohort()
    turned = renamed(data, data.Y.index[::-1])
    for make in EVERY:
        fold = make(data, 2, tune=0.3).folds[0]
        fold.match(data.Y)
        for inner in nested(fold, data, 2):
            inner.match(data.Y)
        with pytest.raises(InputError, match="lines in another order"):
            fold.match(turned.Y)
        with pytest.raises(InputError, match="lines in another order"):
            nested(fold, turned, 2)
        with pytest.raises(InputError, match="another order"):
            fold.match(data.Y[data.Y.columns[::-1]])
        with pytest.raises(InputError, match="1 other lines .*'new'"):
            fold.match(data.Y.rename(index={"l3": "new"}))
        with pytest.raises(InputError, match="29 .*x 20 .* 30 x 20") as error:
            fold.match(data.Y.iloc[1:])
        assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_masks_stay_plain_arrays_and_unnamed_tables_go_by_position():
    data = cohort()
    bare = pd.DataFrame(data.Y.to_numpy())
    fold = leave_lines_out(bare, 3).folds[0]
    assert type(fold.test) is np.ndarray
    fold.match(data.Y)  # numbered rows name nothing, so position is all there is
    with pytest.raises(InputError, match="30 other lines such as 0"):
        leave_lines_out(data, 3).folds[0].match(bare)
    with pytest.raises(InputError, match="29 lines"):
        fold.match(bare.iloc[1:])


def test_groups_of_other_lines_are_no_proof_against_a_leak():
    data = cohort()
    split = leave_lines_out(data, 3)
    assert_no_leak(split, data.lines["donor"])
    with pytest.raises(InputError, match="lines in another order"):
        assert_no_leak(split, data.lines["donor"][::-1])
    with pytest.raises(InputError, match="29 groups .* 30 lines"):
        assert_no_leak(split, data.lines["donor"].to_list()[1:])


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(cdp_lib.splits).failed == 0
