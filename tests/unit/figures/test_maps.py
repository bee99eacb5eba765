"""The map of lines: complete, valid, safe, usable from the keyboard, and without any network."""

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from cdp_lib.errors import InputError
from cdp_lib.figures.maps import picture, tissue_map
from cdp_lib.figures.style import INK


def cohort(n=40, n_tissues=5):
    rng = np.random.default_rng(0)
    index = pd.Index([f"L{i}" for i in range(n)], name="line")
    points = pd.DataFrame(rng.normal(size=(n, 2)), index, ["x", "y"])
    # the first tissue has most lines
    tissues = pd.Series([f"tissue_{int(i**0.5) % n_tissues}" for i in range(n)], index)
    return points, tissues, index.to_series()


def tree(text):
    """The HTML as XML: the void elements closed, bare attributes given a value."""
    text = text.replace(" checked>", ' checked="checked">')
    for part in text.split("<input")[1:]:
        inside = part.split(">")[0]
        text = text.replace(f"<input{inside}>", f"<input{inside}/>")
    return ET.fromstring(text)


def test_every_line_stands_in_every_panel_with_its_name():
    points, tissues, names = cohort()
    page = tree(tissue_map({"PCA": points, "t-SNE": points * 2}, tissues, names, "It holds."))
    titles = [node.text for node in page.iter("title")]
    expected = [f"{line}, {tissues[line].replace('_', ' ')}" for line in points.index]
    assert sorted(titles) == sorted(expected * 2)


def test_points_lie_inside_their_frame_and_keep_their_order():
    points, tissues, names = cohort()
    tissues[:] = "lung"
    page = tree(tissue_map({"PCA": points}, tissues, names, "So."))
    circles = [c for c in page.iter("circle") if len(c)]
    x, y = (np.array([float(c.get(a)) for c in circles]) for a in ("cx", "cy"))
    assert 0 <= x.min() and x.max() <= 300 and 24 <= y.min() and y.max() <= 324
    assert np.corrcoef(x, points["x"])[0, 1] > 0.999
    assert np.corrcoef(y, points["y"])[0, 1] < -0.999  # an SVG counts downwards


def test_a_radio_button_with_a_label_and_a_rule_for_each_tissue():
    points, tissues, names = cohort()
    text = tissue_map({"PCA": points}, tissues, names, "So.")
    page = tree(text)
    inputs = [node.get("id") for node in page.iter("input")]
    labels = {node.get("for"): "".join(node.itertext()).strip() for node in page.iter("label")}
    assert inputs == list(labels) and len(inputs) == 1 + tissues.nunique()
    assert len({node.get("name") for node in page.iter("input")}) == 1
    counts = tissues.value_counts()
    assert list(labels.values()) == [
        "all 40",
        *(f"{t.replace('_', ' ')} {n}" for t, n in counts.items()),
    ]
    for place in inputs[1:]:
        assert f"#{place}:checked ~ svg g:not(.{place.rpartition('-')[2]})" in text
    groups = [g.get("class") for g in page.iter("g") if g.get("class")]
    assert groups == [place.rpartition("-")[2] for place in inputs[1:]]


def test_it_needs_no_network_and_no_script_and_stays_small():
    points, tissues, names = cohort(800, 20)
    text = tissue_map({"PCA": points, "t-SNE": points}, tissues, names, "So.")
    assert len(text) < 200_000
    assert not any(word in text for word in ("http", "<script", "url(", "src=", "@import"))


def test_a_picture_has_words_and_names_are_escaped():
    points, tissues, names = cohort()
    names.iloc[0], tissues.iloc[0] = "<b>&", 'a"b'
    text = tissue_map({"PCA": points}, tissues, names, "x < y")
    assert "<title>&lt;b&gt;&amp;, a&#34;b</title>" in text
    assert 'role="img" aria-label="Map of lines by tissue: PCA. x &lt; y"' in text
    assert "<figcaption>x &lt; y</figcaption>" in text


def test_simulated_lines_are_hollow_and_twelve_tissues_look_different():
    points, tissues, names = cohort(800, 14)
    solid = tree(tissue_map({"PCA": points}, tissues, names, "So."))
    looks = []
    for group in (g for g in solid.iter("g") if g.get("class")):
        looks.append((group.get("fill"), group[0].tag))
    assert len(set(looks[:12])) == 12 and set(looks[12:]) == {(INK, "circle")}
    assert all(
        g.get("fill") == "transparent"
        for g in tree(tissue_map({"PCA": points}, tissues, names, "So.", hollow=True)).iter("g")
    )


@pytest.mark.parametrize(("n_tissues", "n_groups"), [(5, 5), (12, 12), (14, 13)])
def test_the_plain_figure_has_every_line_and_the_same_colours(n_tissues, n_groups):
    points, tissues, names = cohort(800, n_tissues)
    figure = picture({"PCA": points, "t-SNE": points * 2}, tissues)
    for axes, scale in zip(figure.axes, (1, 2), strict=True):
        drawn = {line.get_label(): line for line in axes.lines}
        assert len(drawn) == n_groups
        for tissue, n in tissues.value_counts().head(12).items():
            xy = drawn[f"{tissue.replace('_', ' ')}, {n}"].get_xydata()
            np.testing.assert_allclose(xy, points[tissues == tissue] * scale)
        assert sum(len(line.get_xdata()) for line in axes.lines) == 800
    looks = [(line.get_markeredgecolor(), line.get_marker()) for line in figure.axes[0].lines]
    assert len(set(looks)) == n_groups
    page = tree(tissue_map({"PCA": points}, tissues, names, "So."))
    colours = [g.get("fill") for g in page.iter("g") if g.get("class")]
    assert [colour for colour, _ in looks if colour != INK] == colours[:12]
    assert "800 lines by PCA, t-SNE" in figure.alt_text


def test_the_plain_figure_refuses_what_the_map_refuses():
    points, tissues, _ = cohort()
    with pytest.raises(InputError, match="tissues lack 1"):
        picture({"PCA": points}, tissues.iloc[1:])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p, t, n: ({}, t, n), "no panel"),
        (lambda p, t, n: ({"a": p[["x"]]}, t, n), "two columns"),
        (lambda p, t, n: ({"a": p * np.nan}, t, n), "without gaps"),
        (lambda p, t, n: ({"a": p, "b": p.iloc[::-1]}, t, n), "other lines than the first"),
        (lambda p, t, n: ({"a": p}, t.iloc[1:], n), "tissues lack 1 of the lines, such as L0"),
        (lambda p, t, n: ({"a": p}, t, n.iloc[:-1]), "names lack 1 of the lines"),
    ],
)
def test_tables_that_do_not_fit_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        tissue_map(*change(*cohort()), "So.")
