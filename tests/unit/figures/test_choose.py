"""A choice of figures: all on the page, one shown, no script."""

import re

import numpy as np
import pandas as pd
import pytest

from cdp_lib import figures
from cdp_lib.errors import InputError


def screens(n=30, seed=0):
    lines = [f"ACH-{i}" for i in range(n)]
    values = np.random.default_rng(seed).normal(size=(3, n))
    measured = {name: pd.Series(row, lines) for name, row in zip(("GDSC", "CTD2", "PRISM"), values)}
    return measured, pd.Series([f"L{i}" for i in range(n)], lines)


def test_agreement_has_a_panel_for_each_pair_and_a_point_for_each_line_of_both():
    measured, names = screens()
    measured["CTD2"] = measured["CTD2"].iloc[::-1].iloc[:20]
    figure = figures.agreement(measured, names)
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]
    assert labels == [("GDSC", "CTD2"), ("GDSC", "PRISM"), ("CTD2", "PRISM")]
    (points,) = [line for line in figure.axes[0].get_lines() if hasattr(line, "names")]
    assert sorted(points.names) == sorted(f"L{i}" for i in range(10, 30))
    for x, y, name in zip(*points.get_data(), points.names, strict=True):
        line = name.replace("L", "ACH-")
        assert (x, y) == (measured["GDSC"][line], measured["CTD2"][line])
    assert "n = 20" in figure.axes[0].get_title(loc="left")
    assert "PRISM against GDSC: r = " in figure.alt_text


def test_all_figures_are_on_the_page_and_the_first_is_chosen():
    drugs = {name: figures.agreement(*screens(seed=k)) for k, name in enumerate(["<a>", "b", "c"])}
    page = figures.choose(drugs, "Drug").page("areas", "x < y")
    assert page.count("<svg ") == 6 and page.count("<input") == 3
    assert page.count(" checked>") == 1 and 'id="cdp-areas-o0" checked>' in page
    for number in range(3):
        assert f":has(#cdp-areas-o{number}:checked) > .o{number}" in page
        assert f'<p id="cdp-areas-{number}-alt" hidden>' in page
    assert "&lt;a&gt;</label>" in page and "<figcaption>x &lt; y</figcaption>" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) and "<script" not in page
    assert set(re.findall(r'aria-labelledby="([^"]+)"', page)) <= set(ids)


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        (lambda m, names: figures.choose({"a": None}, "Drug"), "got 1"),
        (lambda m, names: figures.agreement({"GDSC": m["GDSC"]}, names), "got 1"),
        (lambda m, names: figures.agreement({**m, "PRISM": m["PRISM"][:3]}, names), "share 3"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(call, fact):
    with pytest.raises(InputError, match=fact):
        call(*screens())
