"""Cohort and PairScreen: aligned by name, immutable, and clear when the tables do not fit."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp_lib.data.checks import frozen, mean_of_repeats
from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.pairs import PairScreen, canonical_pairs
from cdp_lib.errors import InputError

NAMES = [f"L{i}" for i in range(6)]


def tables(seed=0):
    rng = np.random.default_rng(seed)
    Y = pd.DataFrame(rng.normal(size=(6, 3)), index=NAMES, columns=["a", "b", "c"])
    Y.iloc[0, 0] = np.nan
    omics = {
        "expression": pd.DataFrame(
            rng.normal(size=(6, 4)), index=NAMES[::-1], columns=["w", "x", "y", "z"]
        ),
        "rppa": pd.DataFrame(rng.normal(size=(5, 2)), index=NAMES[:5], columns=["w", "p"]),
    }
    lines = pd.DataFrame({"tissue": ["lung", "skin"] * 3}, index=NAMES)
    return Y, omics, lines


@pytest.fixture
def cohort():
    Y, omics, lines = tables()
    return Cohort.from_tables(
        Y,
        omics,
        lines,
        steps=[Step("file", (10, 3), (12, 5))],
        response="ln IC50 (uM)",
        name="tiny",
        paper_shape=(5, 5),
        extras={"graph": pd.DataFrame({"gene_a": ["A"]}), "pathways": {"A": ["KRAS"]}},
        truth=pd.DataFrame({"r": [1.0]}),
    )


@pytest.fixture
def screen():
    _, omics, lines = tables()
    pairs = pd.DataFrame(
        [
            ["L0", "b", "a", 1.0],
            ["L0", "a", "b", 3.0],
            ["L1", "a", "c", 5.0],
            ["L2", "b", "b", 6.0],
            ["L2", "a", "b", np.nan],
        ],
        columns=["line", "drug_a", "drug_b", "value"],
    )
    drugs = pd.DataFrame({"smiles": ["C", "CC", "CCC", "O"]}, index=["a", "b", "c", "d"])
    return PairScreen.from_tables(
        pairs, omics, lines, drugs, response="ComboScore", lower_is_sensitive=False
    )


def test_tables_are_aligned_by_name(cohort):
    Y, omics, _ = tables()
    assert cohort.Y.index.tolist() == NAMES[:5]
    assert (cohort.Y.index.name, cohort.Y.columns.name) == ("line", "perturbation")
    for name, table in cohort.omics.items():
        assert table.index.equals(cohort.Y.index)
        assert (table.dtypes == np.float32).all()
        np.testing.assert_allclose(table, omics[name].loc[table.index], rtol=1e-6)
    np.testing.assert_allclose(cohort.Y, Y.loc[NAMES[:5]], rtol=1e-6)
    assert cohort.lines.columns.tolist() == ["tissue", "donor", "name"]
    assert cohort.perturbations["kind"].tolist() == ["perturbation"] * 3


def test_the_join_is_a_step(cohort):
    assert cohort.steps[-1] == Step(
        "lines in every table", (5, 3), (5, 5), "of 6 lines in Y: 1 not in rppa"
    )


def test_describe_prints_shapes_beside_the_paper(cohort, capsys):
    cohort.describe()
    text = capsys.readouterr().out
    assert "10 x 3" in text and "12 x 5" in text and "1 not in rppa" in text


def test_repr_says_what_a_student_wants_to_know(cohort):
    text = repr(cohort)
    for words in (
        "'tiny'",
        "own edition",
        "ln IC50 (uM)",
        "5 lines x 3 perturbations",
        "93.3% measured",
        "lower = more sensitive",
        "expression 4, rppa 2",
        "2 tissues, donors unknown",
    ):
        assert words in text, text


def test_one_or_several_omics(cohort):
    assert cohort.X("rppa").columns.tolist() == ["w", "p"]
    both = cohort.X(["rppa", "expression"])
    assert both.shape == (5, 6)
    assert both.columns.names == ["omics", "feature"]
    assert both.columns[0] == ("rppa", "w")
    pd.testing.assert_frame_equal(both["expression"], cohort.X("expression"), check_names=False)
    assert (both.dtypes == np.float32).all()
    with pytest.raises(InputError, match="expression, rppa"):
        cohort.X("mutation")
    with pytest.raises(InputError, match="tiny has no omics 3"):
        cohort.X(3)
    with pytest.raises(InputError, match="expression, rppa"):
        cohort.X([])


def write(table, value):
    table.iloc[0, 0] = value


def attempts(cohort):
    yield lambda: write(cohort.Y, 99)
    yield lambda: cohort.Y.to_numpy().__setitem__((0, 0), 99)
    yield lambda: cohort.Y.__setitem__("new", 1)
    yield lambda: write(cohort.omics["rppa"], 99)
    yield lambda: cohort.omics["rppa"].__setitem__("new", 1)
    yield lambda: cohort.omics.__setitem__("new", 1)
    yield lambda: cohort.X("rppa").to_numpy().__setitem__((0, 0), 99)
    yield lambda: write(cohort.lines, "brain")
    yield lambda: write(cohort.perturbations, "other")
    yield lambda: cohort.extras.__setitem__("new", 1)
    yield lambda: setattr(cohort, "Y", None)
    yield lambda: setattr(cohort, "name", "other")
    yield lambda: delattr(cohort, "name")
    yield lambda: write(cohort.extras["graph"], "other")
    yield lambda: cohort.extras["pathways"].__setitem__("new", [])
    yield lambda: cohort.extras["pathways"]["A"].append("other")
    yield lambda: write(cohort.truth, 99)


@pytest.mark.parametrize("number", range(17))
def test_a_cohort_never_changes(cohort, number):
    def all_of_it():
        return pickle.dumps(
            [
                cohort.name,
                cohort.Y,
                cohort.X("rppa"),
                cohort.lines,
                cohort.truth,
                cohort.perturbations,
                list(cohort.omics),
                dict(cohort.extras),
            ]
        )

    before = all_of_it()
    try:
        list(attempts(cohort))[number]()
    except (ValueError, TypeError, AttributeError):
        pass
    assert before == all_of_it()


def test_the_tables_given_stay_the_givers_own(cohort):
    Y, omics, lines = tables()
    made = Cohort.from_tables(Y, {"expression": omics["expression"].astype(np.float32)}, lines)
    kept = made.X("expression").copy()
    omics["expression"].iloc[:] = 7
    Y.iloc[:] = 7
    lines["tissue"] = "brain"
    pd.testing.assert_frame_equal(made.X("expression"), kept)
    assert made.lines["tissue"].nunique() == 2
    assert list(lines.columns) == ["tissue"]


def owner(table):
    """The array in which the numbers of a table really lie."""
    values = table.to_numpy()
    while isinstance(values.base, np.ndarray):
        values = values.base
    return values


def test_arrays_that_somebody_may_write_are_copied(cohort):
    values = np.zeros((2, 2), dtype=np.float32)
    table = frozen(pd.DataFrame(values, copy=False))
    values[0, 0] = 7
    assert table.iloc[0, 0] == 0
    for table in (cohort.Y, cohort.X("rppa"), cohort.X(["rppa", "expression"])):
        assert not owner(table).flags.writeable


def test_read_only_arrays_are_not_copied():
    values = tables()[1]["rppa"].to_numpy(dtype=np.float32).copy()
    values.flags.writeable = False
    table = pd.DataFrame(values, index=NAMES[:5], columns=["w", "p"], copy=False)
    assert np.shares_memory(frozen(table).to_numpy(), values)


def test_a_cohort_travels(cohort, screen):
    for original in (cohort, screen):
        copy = pickle.loads(pickle.dumps(original))
        assert repr(copy) == repr(original)
        pd.testing.assert_frame_equal(copy.Y, original.Y)
        assert not owner(copy.X("rppa")).flags.writeable
        assert not owner(copy.Y).flags.writeable


def test_subset_by_names_and_by_mask(cohort):
    small = cohort.subset(lines=["L3", "L1"], perturbations=[True, False, True])
    assert (small.Y.index.name, small.Y.columns.name) == ("line", "perturbation")
    assert small.Y.index.tolist() == ["L3", "L1"]
    assert small.Y.columns.tolist() == ["a", "c"]
    assert small.X("expression").index.tolist() == ["L3", "L1"]
    assert small.perturbations.index.tolist() == ["a", "c"]
    assert small.steps[-1].shape == (2, 2)
    with pytest.raises(InputError, match="1 of the 2 .*nobody"):
        cohort.subset(lines=["L1", "nobody"])
    with pytest.raises(InputError, match="mask has 2 entries"):
        cohort.subset(perturbations=[True, False])
    with pytest.raises(InputError, match="more than once"):
        cohort.subset(lines=["L1", "L1"])
    with pytest.raises(InputError, match="0 lines x 3"):
        cohort.subset(lines=[])
    assert cohort.subset(lines="L3").Y.index.tolist() == ["L3"]


def broken():
    Y, omics, lines = tables()
    twice = Y.set_axis(["L0", "L0", *NAMES[2:]])
    yield "duplicated line", (twice, omics, lines), "Y holds 1 row name.* more than once .L0"
    yield (
        "duplicated gene",
        (
            Y,
            {"expression": omics["expression"].set_axis(list("wwyz"), axis=1)},
            lines,
        ),
        "expression holds 1 column",
    )
    yield (
        "no line in common",
        (
            Y,
            {"expression": omics["expression"].set_axis(list("pqrstu"))},
            lines,
        ),
        "expression .*'L0'.*'p', 'q'",
    )
    hole = omics["expression"].copy()
    hole.loc["L2", "y"] = np.nan
    yield "missing", (Y, {"expression": hole}, lines), "missing, at line L2, column y"
    hole = hole.fillna(np.inf)
    yield "infinite", (Y, {"expression": hole}, lines), "infinite, at line L2, column y"
    yield "infinite response", (Y.fillna(np.inf), omics, lines), "Y .*infinite, at line L0"
    yield "no tissue", (Y, omics, lines[[]]), "no column 'tissue'"
    yield "text", (Y, {"e": omics["rppa"].assign(p="high")}, lines), "'high', .* line L0, column p"
    cell = Y.astype(object)
    cell.loc["L3", "b"] = "<0.1"
    yield "one text cell", (cell, omics, lines), "'<0.1', .* line L3, column b"
    yield "dates", (Y.assign(a=pd.Timestamp(2020, 1, 1)), omics, lines), "Timestamp.*column a"
    yield "complex", (Y * 1j, omics, lines), "no number"
    numbered = Y.reset_index(drop=True)
    yield "row numbers", (numbered, {}, lines.reset_index(drop=True)), "Y are only numbered"
    cosmic = Y.set_axis([905933, 905934, 905935, 905936, 905937, 905938])
    spelled = lines.set_axis(cosmic.index.astype(str))
    yield "numbers and text", (cosmic, {}, spelled), "905933, .*'905933', .*astype.str"
    blank = lines.set_axis([f"{name} " for name in NAMES])
    yield "trailing blanks", (Y, {}, blank), "'L0', .*'L0 ', .*strip"
    yield "no row", (Y, omics, lines, pd.DataFrame(index=["a"])), "no row for 2 of the 3"
    yield "an array", (Y.to_numpy(), omics, lines), "Y .*ndarray"
    yield "one omics", (Y, omics["rppa"], lines), "omics .*DataFrame.* dict"
    yield "no feature", (Y, {"rppa": omics["rppa"][[]]}, lines), "No feature of rppa is left"
    yield "lines as a list", (Y, omics, NAMES), "lines .* list"
    yield "no name", (Y.set_axis([None, *NAMES[1:]]), omics, lines), "without a name"


@pytest.mark.parametrize(
    ("given", "message"),
    [pytest.param(given, message, id=name) for name, given, message in broken()],
)
def test_tables_that_do_not_fit(given, message):
    with pytest.raises(InputError, match=message) as error:
        Cohort.from_tables(*given)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_numbers_in_columns_of_objects_are_numbers():
    Y, omics, lines = tables()
    cohort = Cohort.from_tables(Y.astype(object), omics, lines)
    pd.testing.assert_frame_equal(cohort.Y, Cohort.from_tables(Y, omics, lines).Y)


def test_a_join_that_loses_most_lines_is_a_warning():
    Y, omics, lines = tables()
    with pytest.warns(UserWarning, match="2 lines .* 6 .*4 not"):
        Cohort.from_tables(Y, {"expression": omics["expression"].loc[["L0", "L4"]]}, lines)


def test_repeats_are_averaged_by_name():
    Y, omics, lines = tables()
    again = pd.concat([Y, Y.loc[["L1"]] + 2])
    merged = mean_of_repeats(again)
    assert merged.index.tolist() == Y.index.tolist()
    np.testing.assert_allclose(merged.loc["L1"], Y.loc["L1"] + 1)
    np.testing.assert_allclose(merged.drop("L1"), Y.drop("L1"))


def test_an_unknown_edition():
    Y, omics, lines = tables()
    with pytest.raises(InputError, match="official, pocket, own"):
        Cohort.from_tables(Y, omics, lines, edition="pokcet")


def test_unknown_tissue_and_own_donor():
    Y, omics, lines = tables()
    lines = lines.assign(donor=["p", "p", None, None, "q", "q"])
    lines.loc["L1", "tissue"] = None
    cohort = Cohort.from_tables(Y, omics, lines)
    assert cohort.lines.loc["L1", "tissue"] == "unknown"
    assert "3 tissues, 2 donors, 2 lines of unknown donor" in repr(cohort)


def test_pairs_are_unordered_and_merged(screen):
    assert screen.Y.columns.tolist() == ["a + b", "a + c", "b + b"]
    assert screen.Y.loc["L0", "a + b"] == 2
    assert screen.perturbations.loc["a + b"].tolist() == ["drug pair", "a", "b"]
    assert screen.perturbations.loc["b + b", "kind"] == "single drug"
    assert "1 pair(s) stood in both orders, 1 repeated" in screen.steps[0].note
    assert screen.pairs.to_numpy().tolist() == [
        ["L0", "a", "b", 2],
        ["L1", "a", "c", 5],
        ["L2", "b", "b", 6],
    ]
    assert "higher = more sensitive" in repr(screen)


def test_a_subset_of_pairs_has_its_drugs(screen):
    small = screen.subset(perturbations=["a + c"])
    assert isinstance(small, PairScreen)
    assert small.drugs.index.tolist() == ["a", "c"]
    assert len(small.pairs) == 1


def test_pairs_of_an_unknown_drug():
    _, omics, lines = tables()
    pairs = pd.DataFrame({"line": ["L0"], "drug_a": ["a"], "drug_b": ["x"], "value": [1.0]})
    with pytest.raises(InputError, match="1 drug.s. .*x"):
        PairScreen.from_tables(pairs, omics, lines, pd.DataFrame(index=["a"]))
    with pytest.raises(InputError, match="1 row.s."):
        PairScreen.from_tables(pairs.assign(drug_b=None), omics, lines, pd.DataFrame())
    with pytest.raises(InputError, match="no column value"):
        PairScreen.from_tables(pairs.drop(columns="value"), omics, lines, pd.DataFrame())


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["L0", "L1"]),
            st.sampled_from("abc + d"),
            st.sampled_from("abc + d"),
            st.integers(-5, 5),
        ),
        max_size=20,
    )
)
def test_any_order_gives_one_pair(rows):
    pairs = pd.DataFrame(rows, columns=["line", "drug_a", "drug_b", "value"])
    swapped = pairs.rename(columns={"drug_a": "drug_b", "drug_b": "drug_a"})
    one, _ = canonical_pairs(pairs)
    other, _ = canonical_pairs(swapped)
    pd.testing.assert_frame_equal(one, other)
    assert (one["drug_a"] <= one["drug_b"]).all()
    assert not one.duplicated(["line", "drug_a", "drug_b"]).any()
