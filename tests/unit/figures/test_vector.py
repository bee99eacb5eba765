"""The SVG of a figure: every point named where it stands, nothing lost, nothing twice."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from cdp_lib import figures
from cdp_lib.errors import InputError
from cdp_lib.figures.style import canvas, finish, look
from cdp_lib.figures.vector import inline, svg

SVG = "{http://www.w3.org/2000/svg}"


def genes(n):
    xy = np.random.default_rng(0).normal(size=(n, 2))
    names = [f"<G{i}&>" for i in range(n)]
    return pd.DataFrame(xy, columns=["x", "y"]).assign(gene=names)


def overlay(text):
    """The circles that feel the pointer, and the names beside them."""
    page = ET.fromstring(text)
    (whole,) = [g for g in page.iter(f"{SVG}g") if g.get("class") == "cdp-names"]
    return list(whole.iter(f"{SVG}circle")), [node.text for node in whole.iter(f"{SVG}text")]


def test_each_point_has_its_own_name_where_it_stands():
    frame = genes(50)
    text = svg(figures.points(frame, "x", "y", "gene", highlight=["<G7&>"]), "f")
    circles, names = overlay(text)
    assert sorted(names) == sorted(frame["gene"])
    order = frame.set_index("gene").loc[names]
    for axis, place, sign in (("x", "cx", 1), ("y", "cy", -1)):
        drawn = [float(circle.get(place)) for circle in circles]
        assert np.corrcoef(drawn, order[axis])[0, 1] * sign > 0.9999
    focused = [circle.get("aria-label") for circle in circles if circle.get("tabindex") == "0"]
    assert focused == ["<G7&>"]


def test_a_picture_whose_points_take_the_focus_is_no_single_image():
    quiet, loud = (
        inline(figures.points(genes(50), "x", "y", "gene", highlight=some), "f")[0]
        for some in ((), ("<G7&>",))
    )
    assert 'role="img"' in quiet[:80] and 'role="group"' in loud[:80]
    assert 'aria-labelledby="cdp-f-alt"' in quiet[:80]


def test_a_phone_names_no_crowd_and_pixels_have_no_names():
    wide, narrow = inline(figures.points(genes(700), "x", "y", "gene"), "f")
    assert len(overlay(wide)[0]) == 700 and "cdp-names" not in narrow
    assert len(wide) < 110_000 and len(narrow) < 40_000
    crowd = svg(figures.points(genes(2100), "x", "y", "gene"), "f")
    assert "cdp-names" not in crowd and "data:image/png" in crowd


def test_a_legend_keeps_its_marks():
    frame = genes(60).assign(kind=list("abc") * 20)
    page = ET.fromstring(svg(figures.points(frame, "x", "y", "gene", colour="kind"), "f"))
    known = {element.get("id") for element in page.iter()}
    used = [element.get("href")[1:] for element in page.iter(f"{SVG}use")]
    assert set(used) <= known and len(set(used)) >= 4  # three marks and a tick


def test_names_are_for_points_that_can_be_seen():
    with look():
        figure, (axes,) = canvas(2)
        (line,) = axes.plot([0, 1, np.nan], [0, 1, 2], "o")
        line.names = ["a", "b", "c"]
    with pytest.raises(InputError, match="3 names .* 2 points"):
        svg(finish(figure, "Three points."), "f")


def test_a_style_that_returns_is_written_once():
    text = svg(figures.points(genes(200), "x", "y", "gene"), "f")
    styles = re.findall(r'style="([^"]+)"', text)
    assert len(styles) == len(set(styles))
    known = set(re.findall(r"\.(cdp-f-s\d+)\{", text))
    assert known and set(re.findall(r'class="(?:cdp-halo )?(cdp-f-s\d+)"', text)) == known
    assert "metadata" not in text and "xlink" not in text


def test_rotated_and_written_text_keeps_its_place():
    with look():
        figure, (axes,) = canvas(2)
        axes.set(xlabel="right", ylabel="up")
        axes.text(0.5, 0.5, "a < b")
    text = svg(finish(figure, "Axes."), "f")
    assert re.search(r'transform="[^"]*rotate\(-90[^>]*>up</text>', text)
    assert ">a &lt; b</text>" in text and ">right</text>" in text
