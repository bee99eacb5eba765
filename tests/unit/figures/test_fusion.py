"""The drawings of two stages: the numbers drawn are the numbers given."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.audit import mse_lower_bound
from cdp_lib.errors import InputError
from cdp_lib.figures.fusion import by_epoch, least_error, two_stages
from cdp_lib.figures.style import COLOURS

COURSE = pd.DataFrame({"mean": [0.3, 0.7, 0.9], "sd": [0.1, 0.1, 0.01]}, [10, 30, 120])


def test_a_course_is_drawn_in_the_colour_of_its_role():
    roles = {"saw all": "published", "honest": "repaired"}
    given = {"saw all": COURSE, "honest": COURSE * 0.1}
    figure = by_epoch(given, roles, "R²", reported=("reported", 0.9))
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 3]
    assert [line.get_color() for line in lines] == [COLOURS["published"], COLOURS["repaired"]]
    np.testing.assert_allclose(lines[0].get_ydata(), COURSE["mean"])
    assert "120 epochs 0.90" in figure.alt_text and figure.narrow is not None
    assert "reported: 0.90" in figure.alt_text


def test_a_course_without_a_role_is_refused():
    with pytest.raises(InputError, match="saw all"):
        by_epoch({"saw all": COURSE}, {"saw all": "reported"}, "R²")


def test_simulated_courses_are_hollow():
    figure = by_epoch({"a": COURSE}, {"a": "repaired"}, "R²", edition="teaching")
    assert figure.axes[0].get_lines()[0].get_markerfacecolor() == "none"
    assert figure.alt_text.startswith("Simulated data:")


def test_the_least_error_is_that_of_the_audit():
    figure = least_error(3.25, 11.77, 0.9, 0.28)
    curve = figure.axes[0].get_lines()[0]
    x, y = curve.get_data()
    np.testing.assert_allclose(y, mse_lower_bound(3.25, 11.77, x))
    assert "1.64" in figure.alt_text and "0.28" in figure.alt_text


def test_each_omics_has_a_row():
    figure = two_stages(["expression", "mutation"])
    assert len(figure.axes[0].patches) == 8
    assert "expression, mutation" in figure.alt_text
