"""Neighbours in a space: of one tissue, of one structure; intervals over lines and over drugs."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import silhouette_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from cdp_lib.claims.conclusions import drawn
from cdp_lib.errors import InputError
from cdp_lib.evaluate.neighbours import (
    by_line,
    nearest_pairs,
    rank_correlation,
    tissue_scores,
)

LINES = pd.Index([f"line {i}" for i in range(90)])
SIZES = {"lung": 40, "skin": 25, "blood": 20, "bone": 5}
TISSUES = pd.Series(np.repeat(list(SIZES), list(SIZES.values())), LINES)


def space(distance, seed=0):
    """Points around a centre for each tissue, `distance` apart."""
    rng = np.random.default_rng(seed)
    centres = distance * np.eye(4)[pd.factorize(TISSUES)[0]]
    return pd.DataFrame(centres + rng.normal(size=(90, 4)), LINES)


def test_found_is_what_nearest_neighbours_predict():
    z = space(1.5)
    counts = TISSUES != "bone"
    found = by_line(z, TISSUES, k=1)["found"]
    assert found.index.equals(LINES[counts])
    neighbours = KNeighborsClassifier(1)
    said = cross_val_predict(neighbours, z[counts], TISSUES[counts], cv=LeaveOneOut())
    np.testing.assert_array_equal(found, said == TISSUES[counts])
    assert 0.4 < found.mean() < 0.95


def test_most_votes_win_and_the_nearer_of_equal_ones():
    lines = list("abcdef")
    z = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 4.5, 6.5]}, lines)
    tissues = pd.Series(["s", "t", "s", "t", "s", "t"], lines)
    found = by_line(z, tissues, k=3, least=2)["found"]
    # of a: b t, c s, d t -> t;  of b: a s, c s, d t -> s
    assert found["a"] == 0 and found["b"] == 0
    two = by_line(z, tissues, k=2, least=2)["found"]
    # of e: d t (1.5), f t (2.0) -> t;  of f: e s (2.0), d t (3.5) -> s, the nearer
    assert two["e"] == 0 and two["f"] == 0
    assert by_line(z, tissues, k=2, least=2)["found"]["a"] == 0  # b t comes before c s


def test_lines_of_a_donor_are_no_neighbours():
    z = space(0.0)
    twins = pd.concat([z.iloc[:85], z.iloc[:85].add_prefix("", axis=0)])
    twins.index = [f"line {i}" for i in range(170)]
    tissues = pd.Series([*TISSUES[:85]] * 2, twins.index)
    donors = pd.Series([f"donor {i}" for i in range(85)] * 2, twins.index)
    assert by_line(twins, tissues, k=1)["found"].mean() == 1
    apart = by_line(twins, tissues, k=1, donors=donors)["found"].mean()
    assert (
        apart == pytest.approx(by_line(z, TISSUES, k=1)["found"].mean(), abs=0.12) and apart < 0.8
    )
    known = [one if one > "donor 4" else None for one in donors]  # the others are alone
    unknown = pd.Series(known, twins.index, dtype=object)
    assert by_line(twins, tissues, k=1, donors=unknown)["found"].mean() > apart


def test_scores_chance_and_paired_gains():
    before, after = space(0.8), space(2.5)
    scores = tissue_scores({"before": before, "after": after}, TISSUES)
    scores = scores.set_index(["space", "score"])
    assert scores.loc[("after", "accuracy"), "chance"] == pytest.approx(40 / 85)
    assert (scores["n"] == 85).all()
    counts = TISSUES != "bone"
    expected = silhouette_score(after[counts], TISSUES[counts])
    assert scores.loc[("after", "silhouette"), "mean"] == pytest.approx(expected)
    assert (scores["low"] <= scores["mean"]).all() and (scores["mean"] <= scores["high"]).all()
    gain = scores.loc[("after", "accuracy")]
    assert gain["gain_low"] > 0 and scores.loc[("before", "accuracy"), "gain_high"] == 0
    difference = by_line(after, TISSUES)["found"] - by_line(before, TISSUES)["found"]
    row = drawn("tissue, latent minus expression", difference, "lines").iloc[0]
    found = row[["gain", "low", "high"]].to_numpy(float)
    np.testing.assert_allclose(found, gain[["gain", "gain_low", "gain_high"]].to_numpy(float))


def test_nothing_but_noise_is_found_by_chance():
    scores = tissue_scores({"noise": space(0.0)}, TISSUES).set_index("score")
    assert scores.loc["accuracy", "mean"] <= scores.loc["accuracy", "chance"] + 0.1
    assert abs(scores.loc["silhouette", "mean"]) < 0.1


def drugs(n=40, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    z = pd.DataFrame(rng.normal(size=(n, 3)), [f"drug {i}" for i in range(n)])
    apart = np.linalg.norm(z.to_numpy()[:, None] - z.to_numpy(), axis=2)
    apart = apart + noise * np.abs(rng.normal(size=apart.shape))
    similarity = np.round(np.exp(-(apart + apart.T) / 4), 2)  # with ties
    np.fill_diagonal(similarity, 1)
    return pd.DataFrame(similarity, z.index, z.index), z


def test_the_correlation_is_spearmans_over_pairs():
    similarity, z = drugs()
    row = rank_correlation(similarity, z, draws=200).iloc[0]
    pairs = np.triu_indices(40, 1)
    apart = np.linalg.norm(z.to_numpy()[:, None] - z.to_numpy(), axis=2)[pairs]
    assert row["gain"] == pytest.approx(spearmanr(similarity.to_numpy()[pairs], -apart)[0])
    assert 0 < row["low"] < row["gain"] < row["high"] < 1
    assert row["unit"] == "drugs" and row["n"] == 40
    reverse = rank_correlation(similarity, 1 / z, draws=20).iloc[0]
    assert reverse["gain"] < row["gain"]


def test_the_interval_draws_drugs_and_no_copies_of_one(monkeypatch):
    similarity, z = drugs(n=12)
    counts = np.random.default_rng(0).integers(12, size=12)  # by hand: one draw of the drugs
    one, two = np.triu_indices(12, 1)
    first, second = counts[one], counts[two]
    real = first != second
    apart = np.linalg.norm(z.to_numpy()[first] - z.to_numpy()[second], axis=1)[real]
    alike = similarity.to_numpy()[first, second][real]
    by_hand = spearmanr(alike, -apart)[0]
    from cdp_lib.evaluate import neighbours

    times = np.bincount(counts, minlength=12)
    groups = [neighbours._groups(v) for v in (similarity.to_numpy()[one, two],
              -np.linalg.norm(z.to_numpy()[one] - z.to_numpy()[two], axis=1))]  # fmt: skip
    weights = (times[one] * times[two]).astype(float)
    assert neighbours._rho(weights, groups) == pytest.approx(by_hand)
    monkeypatch.setattr(neighbours, "drawn", lambda rng, n, draws: times[None])
    row = rank_correlation(similarity, z).iloc[0]
    assert row["low"] == row["high"] == pytest.approx(by_hand)


def test_unrelated_spaces_have_an_interval_around_zero():
    similarity, z = drugs()
    z = z.sample(frac=1, random_state=1).set_axis(z.index)
    row = rank_correlation(similarity, z, draws=300).iloc[0]
    assert row["low"] < 0 < row["high"]


def test_the_nearest_pairs():
    similarity, z = drugs()
    z.loc["drug 7"] = z.loc["drug 3"] + 1e-3
    compounds = pd.Series(z.index, z.index).replace({"drug 7": "drug 3"})
    pairs = nearest_pairs(z, similarity, compounds, n=5)
    assert pairs.loc[0, ["first", "second"]].tolist() == ["drug 3", "drug 7"]
    assert pairs.loc[0, "distance"] == pytest.approx(3**0.5 * 1e-3)
    assert pairs["same"].tolist() == [True] + [False] * 4
    assert pairs.loc[0, "similarity"] == similarity.loc["drug 3", "drug 7"]
    assert pairs["distance"].is_monotonic_increasing and len(pairs) == 5


@pytest.mark.parametrize(
    "z, tissues, changes, fact",
    [
        (space(1), TISSUES.iloc[:80], {}, "10 of the lines"),
        (space(1).mask(lambda z: z > 2), TISSUES, {}, "NaN"),
        (space(1), TISSUES, {"least": 30}, "1 tissues"),
        (space(1), TISSUES, {"k": 85}, "k=85"),
        (pd.concat([space(1), space(1).iloc[:1]]), TISSUES, {}, "'line 0' twice"),
        (space(1).to_numpy(), TISSUES, {}, "by name"),
    ],
)
def test_wrong_lines(z, tissues, changes, fact):
    with pytest.raises(InputError, match=fact):
        by_line(z, tissues, **changes)


def test_spaces_of_other_lines_and_drugs():
    with pytest.raises(InputError, match="'after'"):
        tissue_scores({"before": space(1), "after": space(1).iloc[1:]}, TISSUES)
    similarity, z = drugs()
    with pytest.raises(InputError, match="39 drugs"):
        rank_correlation(similarity, z.iloc[1:])
    with pytest.raises(InputError, match="gaps"):
        nearest_pairs(z.mask(z > 1), similarity)


def test_the_order_of_the_table_decides_nothing_where_lines_are_equally_near():
    counts = TISSUES != "bone"
    shuffled = np.random.default_rng(3).permutation(LINES[counts])
    chance = (TISSUES[counts] == "lung").mean()
    for index in (LINES[counts], LINES[counts][::-1], shuffled):
        same = pd.DataFrame(0.0, index, ["latent 1", "latent 2"])  # a space that has collapsed
        table = by_line(same, TISSUES)
        assert table["found"].mean() == pytest.approx(chance)
        assert (table["found"] == (TISSUES[index] == "lung")).all()
        assert (table["silhouette"] == 0).all()
        coarse = by_line(space(1.5).loc[index].round(), TISSUES)["found"]
        pd.testing.assert_series_equal(
            coarse[LINES[counts]], by_line(space(1.5).round(), TISSUES)["found"]
        )


def test_lines_of_a_donor_do_not_vote_where_few_others_are_left():
    lines = list("abcd")
    z = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}, lines)
    tissues, donors = pd.Series(list("stst"), lines), pd.Series(["1", "1", "1", "2"], lines)
    found = by_line(z, tissues, k=3, least=2, donors=donors)["found"]
    assert found[["a", "b", "c"]].tolist() == [0, 1, 0]  # only d, a t, may vote
    with pytest.raises(InputError, match="own donor"):
        by_line(z, tissues, k=1, least=2, donors=pd.Series("1", lines))


@pytest.mark.parametrize(
    ("score", "fact"),
    [
        (lambda: tissue_scores({}, TISSUES), "no space"),
        (lambda: by_line(space(1), TISSUES, donors=["donor"] * 90), "Series by line"),
        (lambda: by_line(space(1).astype(object).assign(x="a"), TISSUES), "The table of latents"),
        (lambda: rank_correlation(drugs()[0] * 0, drugs()[1]), "0 for every pair"),
        (lambda: rank_correlation(drugs()[0], drugs()[1] * 0), "0 for every pair"),
        (lambda: rank_correlation(drugs()[0].to_numpy(), drugs()[1]), "similarity as a DataFrame"),
    ],
)
def test_what_has_no_answer_is_refused(score, fact):
    with pytest.raises(InputError, match=fact):
        score()
