"""The drawings of chapter 01 say in words what they show, on a desk and on a phone."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from cdp_lib.figures import screens


def test_guides_and_genes_are_called_simulated():
    rng = np.random.default_rng(0)
    kind = np.repeat(["never", "always", "selective"], 4)
    shares = rng.random((2, 12, 4)) + 0.1
    effect = rng.normal(size=(5, 12))
    figure = screens.crispr(*shares, effect, expit(-effect), kind)
    assert "imulated" in figure.alt_text and figure.narrow is not None
    assert len(figure.axes) == 3 and len(figure.axes[0].get_legend().get_texts()) == 3


def test_a_curve_tells_its_numbers():
    doses = np.linspace(-3, 2, 9)
    fits = {"sensitive": (np.linspace(1, 0, 9), (-1.0, 0.9), 0.4)}
    figure = screens.curves(doses, fits, lambda x, m, s: expit(-(x - m) / s))
    assert "sensitive: ln IC50 -1.0, AUC 0.40" in figure.alt_text


def test_the_spread_beyond_the_doses_is_said():
    beyond = np.array([-1.0, 0.0, 1.0])
    ic50 = beyond[:, None] + np.outer([0.1, 1, 10], np.linspace(-0.5, 0.5, 101))
    figure = screens.extrapolation(beyond, ic50, 1 - ic50 / 100)
    assert "from 0.1 to 9.0" in figure.alt_text


@pytest.mark.parametrize("edition", ["pocket", "teaching"])
def test_rows_of_each_join_stand_beside_the_papers(edition):
    rows = pd.Series({"as they stand": 3_000, "hyphens taken out": 9_000})
    figure = screens.joined(rows, 3_358, "rows", edition)
    assert "as they stand 3,000, hyphens taken out 9,000" in figure.alt_text
    assert "3,358" in figure.alt_text and ("imulated" in figure.alt_text) == (edition != "pocket")
    assert [bar.get_width() for bar in figure.axes[0].patches] == [9_000, 3_000]
