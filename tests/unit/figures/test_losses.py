"""The terms of a loss by epoch: a panel a term, its levels, and what a history gives."""

import numpy as np
import pytest

from cdp_lib.errors import InputError
from cdp_lib.figures.losses import losses

TERMS = {"reconstruction": (1000.0, 350.0, 340.0), "kl": (50.0, 8.0, 6.0), "beta": (0.0, 0.5, 1.0)}


def test_each_term_has_its_panel_and_every_epoch():
    figure = losses(TERMS, {"reconstruction": {"floor": 317.0}})
    assert [axes.get_title("left") for axes in figure.axes] == list(TERMS)
    for axes, values in zip(figure.axes, TERMS.values(), strict=True):
        x, y = axes.lines[0].get_data()
        np.testing.assert_array_equal(x, [1, 2, 3])
        np.testing.assert_array_equal(y, values)
    first, _, beta = figure.axes
    low, high = first.get_ylim()  # the first epoch would flatten all others
    assert low < 317 and 350 < high < 400
    assert first.lines[1].get_ydata()[0] == 317 and len(beta.lines) == 1
    assert "reconstruction 1e+03 at first, 340 at last, floor 317" in figure.alt_text
    assert losses(TERMS, edition="teaching").alt_text.startswith("Simulated data")


def test_one_epoch_and_none():
    assert len(losses({"loss": [3.0]}).axes) == 1
    for nothing in ({}, {"loss": ()}):
        with pytest.raises(InputError, match="no term"):
            losses(nothing)
