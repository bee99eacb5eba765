"""What networks are told of lines and drugs: features, names, noise, features of another one."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.inputs import Features, Names, Noise, Nothing, Shuffled, by_omics

RNG = np.random.default_rng(0)
DRUGS = pd.Index(list("abcdef"))
TABLE = pd.DataFrame(RNG.normal(3, 2, size=(6, 4)), DRUGS).add_prefix("descriptor ")
KNOWN, ALL = (pd.DataFrame(index=names) for names in (DRUGS[:5], DRUGS))
INPUTS = [Features(TABLE), Names(3.0), Noise(7, seed=1), Shuffled(Features(TABLE), seed=2)]
INPUTS += [Nothing()]
every = pytest.mark.parametrize("one", INPUTS, ids=lambda one: type(one).__name__)


def rows(one, of=ALL, known=KNOWN):
    return one.rows(of, one.learn(known))


@every
def test_rows_are_known_by_name(one):
    expected = rows(one)
    pd.testing.assert_frame_equal(rows(one, ALL.iloc[[5, 0, 0]]), expected.iloc[[5, 0, 0]])
    pd.testing.assert_frame_equal(rows(clone(one)), expected)


def test_features_are_scaled_by_the_training_rows_alone():
    z = rows(Features(TABLE))
    np.testing.assert_allclose(z.iloc[:5].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(z.iloc[:5].std(ddof=0), 1)
    far = TABLE.copy()
    far.loc["f"] = 1e6
    pd.testing.assert_frame_equal(rows(Features(far)).iloc[:5], z.iloc[:5])
    assert (rows(Features(far)).loc["f"] == 10).all()
    assert (rows(Features(far, largest=2.0)).loc["f"] == 2).all()


def test_features_without_a_table_are_those_of_the_rows_themselves():
    pd.testing.assert_frame_equal(rows(Features(), TABLE, TABLE.iloc[:5]), rows(Features(TABLE)))


def test_a_missing_feature_is_refused_or_the_mean_of_the_training_rows():
    holes = TABLE.copy()
    holes.loc["b"] = np.nan
    holes.loc["f", "descriptor 0"] = np.nan
    with pytest.raises(InputError, match="1 of 5 rows.*'b'") as error:
        Features(holes).learn(KNOWN)
    assert "\n" not in str(error.value)
    z = rows(Features(holes, missing="mean"))
    assert (z.loc["b"] == 0).all() and z.loc["f", "descriptor 0"] == 0
    known = TABLE.loc[list("acde")]
    where = (known.loc["a"] - known.mean()) * z.loc["a"]
    assert (where > 0).all()  # the other rows keep their places around the mean
    with pytest.raises(InputError, match="1 of 1 rows.*'g'"):
        rows(Features(TABLE), pd.DataFrame(index=["g"]))


@pytest.mark.parametrize(
    "table, fact",
    [
        (TABLE.replace(TABLE.iloc[0, 0], np.inf), "'descriptor 0'"),
        (TABLE.assign(text="x"), "'text'"),
        (pd.concat([TABLE, TABLE]), "twice"),
        (TABLE.iloc[:, :0], "no features"),
    ],
)
def test_bad_features_are_one_sentence(table, fact):
    with pytest.raises(InputError, match=fact) as error:
        Features(table).learn(KNOWN)
    assert "\n" not in str(error.value)


def test_a_table_of_other_features_is_refused():
    learned = Features().learn(TABLE)
    with pytest.raises(InputError, match="descriptor 0"):
        Features().rows(TABLE.iloc[:, 1:], learned)


def test_a_name_is_one_scaled_column_and_a_new_one_the_mean():
    found = rows(Names(3.0)).to_numpy()
    np.testing.assert_array_equal(found[:5], 3 * np.eye(5))
    np.testing.assert_allclose(found[5], 3 / 5)


def test_noise_belongs_to_a_name_and_a_seed():
    noise = rows(Noise(200, seed=1))
    assert noise.shape == (6, 200)
    assert abs(np.corrcoef(noise)[np.triu_indices(6, 1)]).max() < 0.3
    other = rows(Noise(200, seed=2))
    assert abs(np.corrcoef(noise.loc["a"], other.loc["a"])[0, 1]) < 0.3


def test_shuffled_features_are_those_of_another_training_row():
    z, found = rows(Features(TABLE)), rows(Shuffled(Features(TABLE), seed=2))
    whose = [DRUGS[np.isclose(z, row).all(axis=1)].item() for row in found.to_numpy()]
    assert sorted(whose[:5]) == list("abcde") != whose[:5]
    assert whose[5] in "abcde"
    assert not rows(Shuffled(Features(TABLE), seed=3)).equals(found)


def test_no_training_row_keeps_its_own_features():
    z = rows(Features(TABLE))
    for seed in range(30):
        found = rows(Shuffled(Features(TABLE), seed))
        assert (found.iloc[:5] != z.iloc[:5]).all(axis=None)
        assert sorted(found.iloc[:5, 0]) == sorted(z.iloc[:5, 0])


def test_nothing_is_the_same_for_all():
    assert (rows(Nothing()) == 0).all(axis=None) and rows(Nothing()).shape == (6, 1)


def test_two_level_columns_are_a_table_each():
    both = pd.concat({"expression": TABLE, "protein": TABLE.iloc[:, :2]}, axis=1)
    assert [table.shape for table in by_omics(rows(Features(), both, both))] == [(6, 4), (6, 2)]
    assert [table.shape for table in by_omics(rows(Names(), both, both))] == [(6, 6)]
