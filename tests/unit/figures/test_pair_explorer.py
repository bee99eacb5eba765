"""Pairs of a line of the reader's choice: every number in its place, and no script."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from cdp_lib import figures
from cdp_lib.errors import InputError
from cdp_lib.figures.pair_maps import alike, square

DRUGS = [f"drug {i}" for i in range(8)]
LINES = {"ACH-1": "MCF7", "ACH-2": "A <549>", "ACH-3": "HCT-15"}


def screen(drugs=DRUGS, lines=tuple(LINES)):
    ends = [(a, b) for n, a in enumerate(drugs) for b in drugs[n + 1 :]]
    pairs = pd.DataFrame(ends, [f"{a} + {b}" for a, b in ends], ["drug_a", "drug_b"])
    rng = np.random.default_rng(0)
    Y = pd.DataFrame(100 * rng.normal(size=(len(lines), len(ends))), list(lines), pairs.index)
    measured = Y.copy()
    measured.iloc[0, 2] = np.nan  # drug 0 + drug 3 in MCF7
    return {"measured": measured, "predicted": Y / 2, "additive": Y * 0 + 7}, pairs


def drawn(**options):
    panels, pairs = screen()
    kept = {"lines": LINES, "drugs": DRUGS, "label": "ComboScore"} | options
    return figures.pair_explorer(panels, pairs, **kept)


def tree(text):
    text = text.replace(" checked>", ' checked="checked">').replace(" hidden>", ' hidden="">')
    return ET.fromstring(re.sub(r"(<input[^>]*)>", r"\1/>", text))


def test_every_cell_tells_its_pair_and_its_numbers_in_each_line():
    panels, pairs = screen()
    page = tree(drawn().page("pairs", "So."))
    (told,) = [g for g in page.iter("g") if g.get("class") == "told"]
    texts = {t.text.removesuffix(": "): [s.text for s in t] for t in told.iter("text")}
    assert sorted(texts) == sorted(pairs.index)
    for pair, words in texts.items():
        for line, word in zip(LINES, words, strict=True):
            numbers = [table.loc[line, pair] for table in panels.values()]
            assert word == ", ".join("–" if np.isnan(x) else f"{round(x)}" for x in numbers)
    assert texts["drug 0 + drug 3"][0].startswith("–, ")


def test_a_picture_has_the_colour_of_a_cell_where_the_cell_stands():
    page = tree(drawn().page("pairs", "So."))
    pictures = [node.get("href") for node in page.iter("image")]
    assert len(pictures) == 3 * 3
    first = imread(io.BytesIO(base64.b64decode(pictures[0].partition(",")[2])))  # measured, MCF7
    assert first.shape == (8, 8, 4)
    empty = first[..., 3] == 0
    assert empty[np.triu_indices(8)].all()
    assert empty[3, 0] and empty.sum() == 8 * 9 / 2 + 1
    (told,) = [g for g in page.iter("g") if g.get("class") == "told"]
    row = told[4]  # drug 5
    assert row.get("style") == "--y:35px"
    assert [rect.get("x") for rect in row[2].iter("rect")] == ["14"] * 3  # drug 2


def test_the_table_of_a_line_begins_with_what_is_predicted_first():
    panels, _ = screen()
    for lower in (False, True):
        page = tree(drawn(lower_is_better=lower).page("pairs", "So."))
        rows = [[cell.text for cell in row] for row in page.iter("tr")]
        y = panels["predicted"].loc["ACH-1"]
        best = y.idxmin() if lower else y.idxmax()
        assert rows[1][0] == best and rows[1][2] == f"{round(y[best])}"
        assert len(rows) == 3 * 13


def test_it_needs_no_script_and_no_network_and_names_are_safe():
    text = drawn().page("pairs", "So <it> is.")
    assert "<script" not in text and "http" not in text and "onclick" not in text
    assert "A &lt;549&gt;" in text and "So &lt;it&gt; is." in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids)) and all(name.startswith("cdp-pairs") for name in ids)
    assert text.count('type="radio"') == 3 and text.count(" checked>") == 1


def test_it_is_small_with_thirty_drugs_and_six_lines():
    drugs = [f"A drug of a long name {i}" for i in range(30)]
    lines = {f"ACH-{i}": f"L{i}" for i in range(6)}
    panels, pairs = screen(drugs, tuple(lines))
    explorer = figures.pair_explorer(panels, pairs, lines=lines, drugs=drugs, label="ComboScore")
    assert len(explorer.page("pairs", "So.").encode()) < 250_000


def test_simulated_data_are_said_to_be():
    assert drawn(edition="teaching").alt_text.startswith("Simulated")
    assert "stroke-dasharray" in drawn(edition="teaching").page("pairs", "So.")
    assert "stroke-dasharray" not in drawn().page("pairs", "So.")
    assert "MCF7" in drawn().alt_text


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"lines": {"ACH-1": "MCF7"}}, "2 lines"),
        ({"lines": LINES | {"ACH-9": "x"}}, "ACH-9"),
        ({"drugs": [*DRUGS, "aspirin"]}, "aspirin"),
    ],
)
def test_what_cannot_be_drawn_is_named(options, fact):
    with pytest.raises(InputError, match=fact):
        drawn(**options)


def test_a_square_of_pairs_is_symmetric_and_likeness_orders_it():
    pairs = pd.DataFrame(
        [("A", "B"), ("A", "C"), ("B", "D"), ("C", "D")],
        ["1", "2", "3", "4"],
        ["drug_a", "drug_b"],
    )
    table = square(pd.Series([5.0, 4.0, 3.0], ["1", "2", "4"]), pairs)
    assert table.loc["B", "A"] == table.loc["A", "B"] == 5
    assert np.isnan(table.loc["B", "D"]) and np.isnan(table.loc["A", "A"])
    rng = np.random.default_rng(0)
    kinds = np.arange(12) % 2
    values = 10.0 * np.equal.outer(kinds, kinds) + rng.normal(size=(12, 12))
    names = [f"d{i}" for i in range(12)]
    order = alike(pd.DataFrame(values + values.T, names, names))
    of_kind = [int(name[1:]) % 2 for name in order]
    assert sorted(of_kind[:6]) in ([0] * 6, [1] * 6)  # one kind, then the other


def test_the_last_panel_is_the_difference():
    panels, pairs = screen()
    columns = {"measured": panels["measured"].mean(), "predicted": panels["predicted"].mean()}
    figure = figures.pair_maps(columns, pairs, "ComboScore", difference="error")
    shown = [axes.get_images()[0].get_array() for axes in figure.axes[:3]]
    assert np.allclose(shown[2], shown[1] - shown[0], equal_nan=True)
    with pytest.raises(InputError, match="got 1"):
        figures.pair_maps({"a": columns["measured"]}, pairs, "x", difference="error")
