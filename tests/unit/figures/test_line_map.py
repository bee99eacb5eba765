"""The map of lines: complete, valid, safe, usable from the keyboard, and without any network."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from cdp_lib import figures
from cdp_lib.errors import InputError


def cohort(n=40, n_tissues=5):
    rng = np.random.default_rng(0)
    index = pd.Index([f"ACH-{i}" for i in range(n)], name="line")
    points = pd.DataFrame(rng.normal(size=(n, 2)), index, ["x", "y"])
    tissues = pd.Series([f"tissue_{int(i**0.5) % n_tissues}" for i in range(n)], index)
    names = pd.Series([f"L{i}" for i in range(n)], index)
    drugs = pd.DataFrame(rng.normal(size=(n, 2)), index, ["PLX-4720", "drug <2>"])
    drugs.iloc[:10, 0] = np.nan
    return points, tissues, names, drugs


def drawn(n=40, n_tissues=5, n_panels=2, **options):
    points, tissues, names, drugs = cohort(n, n_tissues)
    panels = {"PCA": points, "t-SNE": points * 2} if n_panels == 2 else {"PCA": points}
    return figures.line_map(panels, tissues, names, responses=drugs, highlight=["L7"], **options)


def tree(text):
    """The HTML as XML: the void elements closed, bare attributes given a value."""
    text = text.replace(" checked>", ' checked="checked">').replace(" hidden>", ' hidden="">')
    text = re.sub(r"(<input[^>]*)>", r"\1/>", text).replace("class=e", 'class="e"')
    return ET.fromstring(text)


def test_every_line_stands_in_every_panel_with_its_name_and_in_the_table():
    _, tissues, names, _ = cohort()
    page = tree(drawn().page("lines", "So."))
    told = [
        node.text for g in page.iter("g") if g.get("class") == "names" for node in g.iter("text")
    ]
    expected = [f"{names[i]}, {tissues[i].replace('_', ' ')}" for i in names.index]
    assert sorted(told) == sorted(expected * 2)
    cells = [[td.text for td in row.iter("td")] for row in page.iter("tr")][1:]
    assert len(cells) == 40 and {row[0] for row in cells} == set(names)


def test_points_lie_inside_their_frame_where_they_belong():
    points, _, names, _ = cohort()
    page = tree(drawn(n_panels=1).page("lines", "So."))
    (group,) = [g for g in page.iter("g") if g.get("class") == "names"]
    place = {text.text.split(",")[0]: circle for circle, text in zip(group[::2], group[1::2])}
    x, y = ([float(place[name].get(a)) for name in names] for a in ("cx", "cy"))
    assert 0 <= min(x) and max(x) <= 300 and 24 <= min(y) and max(y) <= 324
    assert np.corrcoef(x, points["x"])[0, 1] > 0.999
    assert np.corrcoef(y, points["y"])[0, 1] < -0.999  # an SVG counts downwards


def test_colours_by_drug_are_fifths_of_the_lines_that_were_measured():
    *_, drugs = cohort()
    page = tree(drawn(n_panels=1).page("lines", "So."))
    shapes = [s for g in page.iter("g") if "tissue" in g.get("class", "").split() for s in g]
    codes = [s.get("class").split() for s in shapes]
    assert len(codes) == 40
    assert sum("a" in code for code in codes) == 10  # not measured: faint
    for step in range(5):
        assert sum(f"a{step}" in code for code in codes) == 6
        assert sum(f"b{step}" in code for code in codes) == 8
    low = drugs["PLX-4720"].min()
    assert f"fifths of 30 lines, most sensitive first:{low:.1f} to" in "".join(page.itertext())
    turned = figures.line_map(
        {"PCA": cohort()[0]}, *cohort()[1:3], responses=drugs, lower_is_sensitive=False
    )
    high = drugs["PLX-4720"].max()
    first = re.search(r"first:<i[^>]*></i>(\S+) to (\S+)<i", turned.page("m", "So."))
    assert first[2] == f"{high:.1f}"


def test_each_choice_is_a_radio_button_with_a_label_and_a_rule():
    text = drawn().page("lines", "So.")
    page = tree(text)
    inputs = {node.get("id"): node.get("name") for node in page.iter("input")}
    labels = {node.get("for"): "".join(node.itertext()).strip() for node in page.iter("label")}
    assert list(inputs) == list(labels) and len(set(inputs.values())) == 3
    assert {"by tissue", "PLX-4720", "drug <2>", "all 40", "no line", "L7"} <= set(labels.values())
    for place in inputs:
        if place.rpartition("-")[2] not in ("tissue", "all", "none"):
            assert f":has(#{place}:checked)" in text
    checked = [node.get("id") for node in page.iter("input") if node.get("checked")]
    assert checked == ["cdp-lines-by-tissue", "cdp-lines-all", "cdp-lines-none"]


def test_two_maps_of_a_page_share_no_id():
    ids = [node.get("id") for name in "ab" for node in tree(drawn().page(name, "So.")).iter()]
    ids = [place for place in ids if place]
    assert len(ids) == len(set(ids)) and all(place.startswith("cdp-") for place in ids)


def test_it_needs_no_network_and_no_script_and_stays_small():
    text = drawn(800, 20).page("lines", "So.")
    assert len(text) < 300_000
    assert not any(word in text for word in ("http", "<script", "url(", "src=", "@import"))


def test_words_are_escaped_and_simulated_lines_hollow():
    shown = drawn(edition="teaching")
    text = shown.page("lines", "x < y")
    assert "<figcaption>x &lt; y</figcaption>" in text and "drug &lt;2&gt;" in text
    assert shown.alt_text.startswith("Simulated data:") and "fill: transparent" in text
    assert '<p id="cdp-lines-alt" hidden>Simulated data: Maps of 40 lines by PCA, t-SNE' in text
    assert "fill-opacity: .8" in drawn().page("lines", "So.")


def test_the_ink_is_that_of_the_page():
    text = drawn(800, 20).page("lines", "So.")
    assert "#767677" not in text and "currentColor" in text


def broken(**change):
    points, tissues, names, drugs = cohort()
    given = {"panels": {"PCA": points}, "tissues": tissues, "names": names, "responses": drugs}
    return figures.line_map(**given | change)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"panels": {}}, "no panel"),
        ({"panels": {"PCA": cohort()[0][["x"]]}}, "'PCA'"),
        ({"panels": {"a": cohort()[0], "b": cohort()[0].iloc[::-1]}}, "'b'"),
        ({"tissues": cohort()[1].iloc[1:]}, "lack 1"),
        ({"highlight": ["A375"]}, "'A375'"),
        ({"responses": cohort()[3].iloc[:12]}, "measured in 2"),
    ],
)
def test_a_map_of_what_does_not_fit_is_refused(change, fact):
    with pytest.raises(InputError, match=fact):
        broken(**change)
