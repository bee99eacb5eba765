"""Points: every point knows its name, kinds have looks of their own, crowds become pixels."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from cdp_lib import figures
from cdp_lib.errors import InputError
from cdp_lib.figures import style


def genes(n=60):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n, 2)), columns=["own", "ridge"])
    return frame.assign(
        gene=[f"GENE{i}" for i in range(n)], kind=["lineage", "own", "other"] * (n // 3)
    )


def told(figure):
    return [name for line in figure.axes[0].get_lines() for name in getattr(line, "names", [])]


def words(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def test_every_point_knows_its_name_and_its_kind():
    frame = genes()
    frame.loc[3, "own"] = np.nan
    figure = figures.points(frame, "own", "ridge", "gene")
    assert told(figure) == [f"GENE{i}" for i in range(60) if i != 3] == told(figure.narrow)
    figure = figures.points(frame.set_index("gene"), "own", "ridge", "gene", colour="kind")
    assert "GENE1, own" in told(figure) and len(told(figure)) == 59
    looks = [
        (line.get_markeredgecolor(), line.get_marker())
        for line in figure.axes[0].get_lines()
        if hasattr(line, "names")
    ]
    assert len({hue for hue, _ in looks}) == len({symbol for _, symbol in looks}) == 3
    assert "own, 20" in words(figure)


def test_a_few_names_are_written_and_said():
    figure = figures.points(
        genes(), "own", "ridge", "gene", highlight=["GENE7"], label_x="r of own"
    )
    assert "GENE7" in words(figure) and "GENE8" not in words(figure)
    assert "Named: GENE7 at " in figure.alt_text and "against r of own" in figure.alt_text


def test_r_has_its_interval_and_n():
    frame = pd.DataFrame({"x": np.arange(10.0), "y": np.arange(10.0), "name": list("abcdefghij")})
    assert "r = 1.00 (1.00 to 1.00), n = 10" in words(figures.points(frame, "x", "y", "name"))
    assert "n = 10" in words(figures.points(frame.assign(y=0), "x", "y", "name"))


def test_a_crowd_becomes_pixels_without_names():
    figure = figures.points(genes(2100), "own", "ridge", "gene", highlight=["GENE7"])
    assert not told(figure) and "GENE7" in words(figure)
    assert figure.axes[0].get_lines()[0].get_rasterized()


def test_simulated_points_are_hollow_and_said():
    figure = figures.points(genes(), "own", "ridge", "gene", edition="teaching")
    assert figure.axes[0].get_lines()[0].get_markerfacecolor() == "none"
    assert figure.alt_text.startswith("Simulated data:")


def test_hues_of_kinds_are_no_role_s_and_are_seen_on_both_pages():
    assert not set(style.HUES) & set(style.COLOURS.values())
    looks = [style.kind_look(number) for number in range(12)]
    assert len(set(looks)) == 12


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"x": "tissue"}, "columns tissue"),
        ({"highlight": ["PAX8"]}, "'PAX8'"),
        ({"frame": genes().head(3)}, "got 3"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(options, fact):
    given = {"frame": genes(), "x": "own", "y": "ridge", "name": "gene"} | options
    with pytest.raises(InputError, match=fact):
        figures.points(**given)
