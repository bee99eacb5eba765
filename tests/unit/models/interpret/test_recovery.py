"""Precision, recall and agreement, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.errors import InputError
from cdp_lib.models.interpret.recovery import (
    agreement_of_halves,
    jaccard,
    members,
    recovery,
    strongest,
)

GENES = pd.Index(list("abcde"), name="gene")


def choice(**columns):
    return pd.DataFrame({name: GENES.isin(list(text)) for name, text in columns.items()}, GENES)


def test_precision_and_recall():
    table = recovery(choice(x="abc", y="", z="de"), choice(x="ad", y="ab", z=""))
    assert table.loc["x", ["chosen", "true", "shared"]].tolist() == [3, 2, 1]
    np.testing.assert_allclose(table["precision"], [1 / 3, np.nan, 0])
    np.testing.assert_allclose(table["recall"], [1 / 2, 0, np.nan])
    np.testing.assert_allclose(table["chance"], [0.4, 0.4, 0])
    with pytest.raises(InputError, match="names"):
        recovery(choice(x="abc"), choice(y="abc"))


def test_members_of_the_set_of_each_perturbation():
    sets = {"first": ["a", "b"], "second": ["c", "unmeasured"]}
    of = pd.Series({"x": "second", "y": "first"})
    pd.testing.assert_frame_equal(members(sets, GENES, of), choice(x="c", y="ab"))
    with pytest.raises(InputError, match="'third'"):
        members(sets, GENES, pd.Series({"x": "third"}))


def test_the_strongest_weights():
    weights = pd.DataFrame({"x": [1.0, -3, 2, 0, 0], "y": [0.0, 0, 0, 0, 1]}, GENES)
    pd.testing.assert_frame_equal(strongest(weights, 2), choice(x="bc", y="e"))
    with pytest.raises(InputError, match="number is 0"):
        strongest(weights, 0)


def test_jaccard_and_what_luck_allows():
    table = jaccard(choice(x="abc", y="", z="ab"), choice(x="bcd", y="", z="cd"))
    np.testing.assert_allclose(table["jaccard"], [2 / 4, np.nan, 0])
    np.testing.assert_allclose(table["chance"], [1.8 / 4.2, np.nan, 0.8 / 3.2])


def test_random_choices_agree_as_luck_allows():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 200))).add_prefix("gene ")
    Y = pd.DataFrame(rng.normal(size=(40, 30))).add_prefix("drug ")

    def at_random(X, Y):
        ranks = rng.random((200, 30)).argsort(axis=0).argsort(axis=0)
        return pd.DataFrame(ranks < 40, X.columns, Y.columns)

    table = agreement_of_halves(at_random, X, Y, repeats=4)
    assert abs(table["jaccard"].mean() - table["chance"].mean()) < 0.01
    assert (table["chosen"] == 40).all() and list(table.index) == list(Y.columns)


def test_halves_share_no_line_and_an_undefined_agreement_is_told():
    X = pd.DataFrame(np.arange(9.0)[:, None], columns=["gene 0"]).add_prefix("")
    Y = pd.DataFrame(np.arange(18.0).reshape(9, 2), columns=["x", "y"])
    seen = []

    def select(X, Y):
        seen.append(set(X.index))
        assert X.index.equals(Y.index)
        return pd.DataFrame({"x": [True], "y": [False]}, X.columns)

    table = agreement_of_halves(select, X, Y, repeats=3)
    for a, b in zip(seen[::2], seen[1::2], strict=True):
        assert not a & b and a | b == set(range(9))
    assert len(set(map(tuple, seen))) > 2
    assert table.loc["x", ["jaccard", "undefined"]].tolist() == [1, 0]
    assert np.isnan(table.loc["y", "jaccard"]) and table.loc["y", "undefined"] == 1
    with pytest.raises(InputError, match="different lines"):
        agreement_of_halves(select, X, Y.iloc[::-1])
