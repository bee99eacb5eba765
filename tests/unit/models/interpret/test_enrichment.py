"""Enrichment is Fisher's exact test, its correction keeps false discoveries rare."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from cdp_lib.errors import InputError
from cdp_lib.models.interpret.enrichment import enrichment

GENES = [f"gene {number}" for number in range(400)]
SETS = {f"set {number}": GENES[10 * number : 10 * number + 10 + 2 * number] for number in range(15)}


def test_p_is_that_of_fishers_exact_test():
    rng = np.random.default_rng(0)
    chosen, background = set(rng.choice(GENES[:250], 40, replace=False)), set(GENES[:250])
    table = enrichment(chosen, SETS, background)
    assert set(table.index) == set(SETS) and table["p"].is_monotonic_increasing
    for name, members in SETS.items():
        inside = set(members) & background
        k = len(inside & chosen)
        counts = [[k, len(chosen) - k], [len(inside) - k, 250 - 40 - (len(inside) - k)]]
        row = table.loc[name]
        assert row["p"] == pytest.approx(fisher_exact(counts, alternative="greater").pvalue)
        assert (row["size"], row["shared"]) == (len(inside), k)
        assert row["expected"] == pytest.approx(40 * len(inside) / 250)
        assert row["ratio"] == pytest.approx(k / (40 * len(inside) / 250))
        assert row["genes"] == ", ".join(sorted(inside & chosen))


def test_the_correction_is_that_of_benjamini_and_hochberg():
    table = enrichment(GENES[:30], SETS, GENES)
    p, m = table["p"].to_numpy(), len(table)
    by_hand = [min(p[j] * m / (j + 1) for j in range(i, m)) for i in range(m)]
    np.testing.assert_allclose(table["corrected_p"], np.minimum(by_hand, 1))
    assert (table["corrected_p"] >= table["p"]).all()


def false_discoveries(draw, background, runs=300):
    """In how many of the simulated lists some set without any meaning is called enriched."""
    found = [
        (enrichment(draw(), SETS, background)["corrected_p"] < 0.05).any() for _ in range(runs)
    ]
    return np.mean(found)


def test_random_lists_are_rarely_enriched_and_the_wrong_background_makes_them_so():
    """Simulated: the genes that can be chosen are half of all, and they are in sets more often."""
    rng = np.random.default_rng(1)
    panel = GENES[:170] + GENES[300:330]

    def draw():
        return rng.choice(panel, 50, replace=False)

    assert false_discoveries(draw, panel) <= 0.05
    genome = [*GENES, *(f"other gene {number}" for number in range(1000))]
    assert false_discoveries(draw, genome, 20) == 1.0


def test_of_what_is_found_few_are_false():
    """Simulated: lists drawn half from three true sets; the share of false sets among the found."""
    rng = np.random.default_rng(2)
    apart = {f"set {number}": GENES[20 * number : 20 * number + 20] for number in range(20)}
    true = ["set 3", "set 8", "set 11"]
    likely = [gene for name in true for gene in apart[name]]
    shares, power = [], []
    for _ in range(150):
        weights = np.where(np.isin(GENES, likely), 4.0, 1.0)
        chosen = rng.choice(GENES, 50, replace=False, p=weights / weights.sum())
        table = enrichment(chosen, apart, GENES)
        found = table.index[table["corrected_p"] < 0.05]
        shares.append(np.mean([name not in true for name in found]) if len(found) else 0.0)
        power.append(np.isin(true, found).mean())
    assert np.mean(shares) <= 0.05
    assert np.mean(power) > 0.3


def test_small_sets_are_left_out_before_the_correction():
    sets = {"small": GENES[:2], "large": GENES[:10]}
    table = enrichment(GENES[:5], sets, GENES, smallest=5)
    assert table.index.tolist() == ["large"]
    assert table.loc["large", "corrected_p"] == table.loc["large", "p"]


def test_an_empty_list_is_enriched_in_nothing():
    table = enrichment([], SETS, GENES)
    assert (table["p"] == 1).all() and table["ratio"].isna().all()


@pytest.mark.parametrize(
    "genes, sets, background, words",
    [
        (["gene 1", "TP53"], SETS, GENES, "'TP53'"),
        (["gene 1", "gene 1"], SETS, GENES, "'gene 1' twice"),
        (["gene 1"], SETS, [*GENES, "gene 1"], "background names 'gene 1'"),
        ([], SETS, [], "None of 15 gene sets"),
        (["gene 1"], {}, GENES, "None of 0"),
        (["gene 1"], {"other": ["TP53"]}, GENES, "None of 1"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(genes, sets, background, words):
    with pytest.raises(InputError, match=words):
        enrichment(genes, sets, background)


def test_a_series_and_an_index_are_lists_of_genes():
    table = enrichment(pd.Index(GENES[:9]), SETS, pd.Series(GENES))
    assert table.index[0] == "set 0"
