"""Drawn molecules: every one with its name and caption, in the ink of the page."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data.properties import properties
from cdp_lib.errors import InputError
from cdp_lib.figures import molecules as drawing
from cdp_lib.figures.style import HUES
from cdp_lib.models.junction_tree.trees import tree

DRUGS = pd.Series(
    {
        "lapatinib": "CS(=O)(=O)CCNCc1ccc(-c2ccc3ncnc(Nc4ccc(OCc5cccc(F)c5)c(Cl)c4)c3c2)o1",
        "vorinostat": "O=C(CCCCCCC(=O)Nc1ccccc1)NO",
        "a <b>": "C[NH+](C)[C@@H](C)c1ccccc1",
    }
)


def parsed(text):
    text = text.replace(" hidden>", ' hidden="">').replace("<br>", "<br/>")
    return ET.fromstring(text)


def words(node):
    return " ".join("".join(node.itertext()).split())


def test_a_grid_names_captions_and_spells_every_molecule():
    figure = drawing.grid(DRUGS, ["QED 0.2", "", "QED 0.7"])
    page = parsed(figure.page("generated", "Three <of them>."))
    cells = list(page.iter("li"))
    assert [words(cell) for cell in cells] == ["lapatinibQED 0.2", "vorinostat", "a <b>QED 0.7"]
    assert [code.text for code in page.iter("code")] == DRUGS.tolist()
    assert words(next(page.iter("figcaption"))) == "Three <of them>."
    assert "lapatinib: QED 0.2" in figure.alt_text and figure.alt_text.startswith("3 molecules")
    assert drawing.grid(DRUGS, edition="teaching").alt_text.startswith("Simulated data")
    numbered = parsed(drawing.grid(DRUGS.tolist()).page("numbered", "So."))
    assert [words(cell) for cell in numbered.iter("li")] == ["1", "2", "3"]


def test_a_molecule_is_drawn_in_the_ink_of_the_page_with_its_letters():
    picture = ET.fromstring(drawing.drawn("NCCO"))
    lines, letters = picture.iter("path")
    assert lines.get("stroke") == letters.get("fill") == "currentColor"
    assert lines.get("d").count("M") == 5  # a bond to an atom with letters is two halves
    assert not re.search("#[0-9a-fA-F]{3,6}|black|white", ET.tostring(picture, encoding="unicode"))
    assert letters.get("d")
    assert ET.fromstring(drawing.drawn("CCCC"))[1].get("d") == ""  # carbon has no letter
    assert len(drawing.drawn(DRUGS["lapatinib"])) < 6_500


def test_pairs_stand_beside_each_other_with_both_distances():
    table = pd.DataFrame(
        {"a": ["lapatinib"], "b": ["vorinostat"], "euclid": [1.234], "tanimoto": [0.128]}
    )
    page = parsed(drawing.pairs(table, DRUGS).page("pairs", "So."))
    (cell,) = page.iter("li")
    assert len(list(cell.iter("svg"))) == 2
    assert words(cell) == "lapatinib and vorinostatEuclid 1.23, Tanimoto 0.13"


def test_a_tree_stands_beside_its_molecule():
    whole = tree(DRUGS["lapatinib"])
    figure = drawing.junction_tree(DRUGS["lapatinib"])
    page = parsed(figure.page("tree", "So."))
    left, right = page.iter("svg")
    assert len(list(left.iter("polygon"))) == 5  # rings
    assert len(right[0].get("d").split("M")) - 1 == len(whole.edges)
    numbers = [text.text for text in right.iter("text")]
    assert numbers == [str(n + 1) for n in range(len(whole.cliques))]
    assert [code.text for code in page.iter("code")] == list(whole.words)
    assert f"{len(whole.cliques)} nodes" in figure.alt_text
    assert drawing.junction_tree(whole).parts["nodes"] == figure.parts["nodes"]


@pytest.mark.parametrize("smiles", [*DRUGS, "CC", "CC(C)(C)C", "C1CCC2(CC1)OCCO2"])
def test_neighbours_differ_in_hue_and_nodes_stay_in_the_picture(smiles):
    whole = tree(smiles)
    nodes = drawing.junction_tree(whole).parts["nodes"]
    hues = [hue for _, _, _, hue, _, _ in nodes]
    for a, b in whole.edges:
        few = max(len(near) for near in whole.neighbours()) < len(HUES)
        assert hues[a] != hues[b] or not few
    spots = np.array([(x, y) for _, x, y, *_ in nodes])
    assert (spots >= 0).all() and (spots <= drawing.LARGE).all()
    apart = np.linalg.norm(spots[:, None] - spots[None], axis=2)[np.triu_indices(len(spots), 1)]
    assert not len(apart) or apart.min() > 8


def test_property_histograms_have_a_panel_a_property():
    sets = {name: properties(DRUGS) for name in ("training", "generated")}
    figure = drawing.property_histograms(sets)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(drawing.LABELS.values())
    assert "QED, generated: median" in figure.alt_text and figure.narrow is not None


@pytest.mark.parametrize(
    "call, fact",
    [
        (lambda: drawing.grid([]), "got 0"),
        (lambda: drawing.grid(["C"] * 61), "got 61"),
        (lambda: drawing.grid(["C", "C1CC"]), "'C1CC' .row 2"),
        (lambda: drawing.grid(["C"], ["one", "two"]), "2 captions"),
        (lambda: drawing.junction_tree("CCO.Cl"), "mixture"),
        (lambda: drawing.property_histograms({"x": pd.DataFrame({"QED": [1.0]})}), "logP"),
        (
            lambda: drawing.pairs(
                pd.DataFrame({"a": ["x"], "b": ["x"], "euclid": 1.0, "tanimoto": 1.0}), DRUGS
            ),
            "'x'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(call, fact):
    with pytest.raises(InputError, match=fact):
        call()
