"""Features of genes are memberships, or their principal components, of the whole collection."""

import numpy as np
import pytest

from cdp_lib.data import gene_features
from cdp_lib.errors import InputError

SETS = {"repair": ["BRCA1", "BRCA2", "ATM"], "cycle": ["CDK4", "ATM", "TP53"], "death": ["TP53"]}


def test_a_few_sets_are_their_own_features():
    table = gene_features(["TP53", "BRCA1", "MYC"], SETS)
    assert table.columns.tolist() == ["repair", "cycle", "death"]
    assert table.loc["TP53"].tolist() == [0, 1, 1] and table.loc["BRCA1"].tolist() == [1, 0, 0]
    assert table.loc["MYC"].isna().all()  # in no set: nothing is known of it


def test_components_keep_the_distances_of_genes_and_ask_for_no_other_gene():
    rng = np.random.default_rng(0)
    genes = [f"gene {number}" for number in range(60)]
    sets = {f"set {number}": rng.choice(genes, 12, replace=False) for number in range(20)}
    whole = gene_features(genes, sets, 20)
    assert whole.columns.tolist() == list(sets)  # as many components would only turn them
    table = gene_features(genes, sets, 19)
    assert table.shape == (60, 19) and table.columns[0] == "component 1"
    spread = table.std()
    assert (spread.diff().dropna() <= 1e-12).all()  # the first shows most
    known = whole.notna().all(axis=1)
    centred = whole[known] - whole[known].mean()
    u, d, _ = np.linalg.svd(centred.to_numpy(), full_matrices=False)
    np.testing.assert_allclose(table[known].abs(), np.abs(u * d)[:, :19], atol=1e-9)
    few = gene_features(genes[5:9], sets, 19)
    np.testing.assert_array_equal(few, table.iloc[5:9])


@pytest.mark.parametrize(
    "genes, sets, words",
    [
        (["MYC"], SETS, r"1 genes, such as \['MYC'\]"),
        (["TP53", "TP53"], SETS, "'TP53' is named twice"),
        (["TP53"], {}, "no gene sets"),
        (["TP53"], {"none": []}, "'none' is empty"),
    ],
)
def test_what_says_nothing_is_refused(genes, sets, words):
    with pytest.raises(InputError, match=words):
        gene_features(genes, sets)
