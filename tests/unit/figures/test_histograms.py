"""Histograms count every value, and gaps are shown where they are."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from cdp_lib import figures
from cdp_lib.errors import InputError
from cdp_lib.figures.style import NARROW


def values(n=1000, seed=0):
    return np.random.default_rng(seed).normal(size=n)


def test_every_value_is_counted_also_beyond_the_drawn_ends():
    given = np.append(values(), [50.0, np.nan])
    figure = figures.histograms({"ln IC50": given}, {"ln IC50": "ln uM"})
    (axes,) = figure.axes
    (patch,) = axes.patches
    corners = patch.get_path().vertices
    heights = corners[: 2 * 40 + 1][1::2, 1]
    assert heights.sum() == 1001 and corners[:, 0].max() < 10
    assert axes.get_xlabel() == "ln uM"
    assert "n = 1,001" in figure.alt_text


def test_groups_have_a_hue_and_a_dash_each():
    figure = figures.histograms(
        {"genes": {"always": values(), "never": values(seed=1)}, "b": values()}
    )
    looks = {(p.get_edgecolor(), str(p.get_linestyle())) for p in figure.axes[0].patches}
    assert len(looks) == 2
    words = [text.get_text() for text in figure.findobj(Text)]
    assert {"always", "never"} <= set(words)
    assert "genes, never: median" in figure.alt_text
    assert len(figure.axes) == 2 and figure.narrow.get_figwidth() == NARROW


def test_simulated_values_are_hatched_and_said():
    figure = figures.histograms({"a": values()}, edition="teaching", log=["a"])
    assert figure.axes[0].patches[0].get_hatch() and figure.alt_text.startswith("Simulated data:")
    assert figure.axes[0].get_yscale() == "log" and "log scale" in figure.axes[0].get_title("left")


def test_gaps_are_drawn_where_the_table_has_them():
    table = pd.DataFrame(np.ones((40, 30)))
    table.iloc[:20, 7] = np.nan
    figure = figures.measured({"drugs": table, "genes": table.fillna(1)})
    picture = np.asarray(figure.axes[0].get_images()[0].get_array())
    assert (~picture).sum() == 20 and not picture[20:, -1].any()  # the least known column is last
    assert "drugs: 98.3% of 40 x 30 cells" in figure.alt_text and "genes: 100.0%" in figure.alt_text


def test_groups_must_be_the_same_in_each_panel():
    with pytest.raises(InputError, match="got 2"):
        figures.histograms({"a": {"x": [1, 2]}, "b": {"y": [1, 2]}})


def test_nothing_to_count_is_one_sentence():
    with pytest.raises(InputError, match="'AUC'"):
        figures.histograms({"AUC": [np.nan]})
