"""Properties of molecules, against numbers that others computed."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data.properties import PROPERTIES, properties
from cdp_lib.errors import InputError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
FIRST_OF_ZINC = "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1"  # first row of ZINC 250k


def test_the_first_molecule_of_zinc_has_the_numbers_of_its_file():
    """All but its QED, which that file has from an older program (0.702; RDKit gives 0.732)."""
    row = properties([FIRST_OF_ZINC]).iloc[0]
    assert row["logP"] == pytest.approx(5.0506, abs=1e-4)
    assert row["SA"] == pytest.approx(2.084095, abs=1e-5)
    assert row["weight"] == pytest.approx(325.38, abs=0.01)
    assert row["rings"] == 3 and row["largest ring"] == 6


def test_rows_keep_their_names_and_a_chain_has_no_ring():
    table = properties(pd.Series({"aspirin": ASPIRIN, "ethanol": "CCO"}))
    assert table.columns.tolist() == list(PROPERTIES)
    assert table.loc["aspirin", "weight"] == pytest.approx(180.16, abs=0.01)
    assert table.loc["aspirin", "QED"] == pytest.approx(0.550, abs=1e-3)  # as RDKit's pages say
    assert table.loc["ethanol", ["rings", "largest ring"]].tolist() == [0, 0]


def test_a_long_list_is_the_same_computed_in_parts_and_read_back(monkeypatch):
    texts = pd.Series(["C" * n for n in range(1, 31)], [f"alkane {n}" for n in range(1, 31)])
    whole = properties(texts)
    monkeypatch.setattr("cdp_lib.data.properties.WORTH_KEEPING", 5)
    monkeypatch.setattr("cdp_lib.data.properties.WORTH_TWO", 5)
    for _ in range(2):
        pd.testing.assert_frame_equal(properties(texts), whole)
    assert np.isfinite(whole.to_numpy()).all()


@pytest.mark.parametrize(
    "smiles, fact",
    [
        ([], "empty"),
        ("CC", "one str"),
        (["CCO", "C1CC"], "'C1CC' .row 2"),
        (pd.Series({"x": None}), "row x"),
    ],
)
def test_what_cannot_be_described_is_one_sentence(smiles, fact):
    with pytest.raises(InputError, match=fact):
        properties(smiles)
