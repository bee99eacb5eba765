"""The figures of chapters 00 and 02: what is drawn is what was given."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import splits
from cdp_lib.errors import InputError
from cdp_lib.figures.curves import curves
from cdp_lib.figures.first_folds import first_folds
from cdp_lib.figures.intervals import intervals
from cdp_lib.figures.strips import strips
from cdp_lib.figures.trends import trends

RNG = np.random.default_rng(0)


def texts(figure):
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    return found + [label.get_text() for axes in figure.axes for label in axes.get_xticklabels()]


def test_a_strip_tells_its_median_and_the_names_of_its_points():
    values = pd.Series([1.0, 2.0, 9.0, np.nan], ["A375", "MCF7", "HT29", "T47D"])
    figure = strips({"one drug": {"mutated": values, "not": values + 1}}, "ln IC50")
    assert "median 2.0\n3 lines" in texts(figure)
    points = [line for line in figure.axes[0].lines if getattr(line, "names", None)]
    assert [len(line.get_xdata()) for line in points] == [3, 3]
    assert points[0].names == ["A375, mutated", "MCF7, mutated", "HT29, mutated"]
    assert "median 2.00 of 3 lines" in figure.alt_text
    assert figure.narrow.get_figwidth() < figure.get_figwidth()
    assert "Simulated" in strips({"x": {"all": values}}, "y", edition="teaching").alt_text
    with pytest.raises(InputError, match="number in each"):
        strips({"x": {"none": values[3:]}}, "y")


def test_a_trend_goes_through_the_points_of_its_own_drug():
    measured = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0], "b": [8.0, 7.0, 6.0, 5.0]})
    predicted = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [4.0, 5.0, 6.0, 7.0]})
    figure = trends({"by hand": (measured, predicted)})
    _, first, _, second = figure.axes[0].lines
    np.testing.assert_allclose(first.get_ydata(), [1, 4], atol=1e-9)
    np.testing.assert_allclose(second.get_ydata(), [8, 5], atol=1e-9)


def test_each_split_has_a_panel_with_its_roles():
    Y = pd.DataFrame(RNG.normal(size=(8, 6)))
    both = [splits.leave_lines_out(Y, 4, tune=0), splits.leave_perturbations_out(Y, 3, tune=0)]
    figure = first_folds(both)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["leave\nlines out", "leave\nperturbations out"]
    assert all(len(axes.patches) == 2 for axes in figure.axes)  # train and test


def test_a_curve_below_the_axis_is_left_out_and_the_others_are_named_at_their_end():
    sizes = [10, 20, 40]
    measured = pd.DataFrame({"gain": [0.1, 0.05, 0.02], "luck": [0.05, 0.004, 1e-5]}, sizes)
    theory = {"luck": pd.Series([0.05, 0.005, 0.0011], sizes)}
    spread = {"luck": (measured["luck"] / 2, measured["luck"] * 2)}
    figure = curves(
        measured, theory, ("lines", "half"), {"reported": 0.3}, spread, ticks=(0.001, 0.01, 0.1, 1)
    )
    assert {" gain", " luck", "reported"} <= set(texts(figure))
    shown = [line.get_ydata() for line in figure.axes[0].lines if line.get_marker() == "s"]
    assert [list(values) for values in shown] == [[0.05, 0.004]]


def test_an_interval_runs_from_low_to_high_and_some_stand_apart():
    table = pd.DataFrame({
        "name": ["a", "b"], "value": [1.0, 3.0], "low": [0.9, 2.8], "high": [1.2, 3.1],
        "beyond": [False, True],
    })  # fmt: skip
    figure = intervals({"a paper": table}, "variance")
    (axes,) = figure.axes
    ends = [segment[:, 0].tolist() for each in axes.collections for segment in each.get_segments()]
    assert ends == [[0.9, 1.2], [2.8, 3.1]]
    assert [line.get_marker() for line in axes.lines] == ["o", "D"]
    assert "1 of 2 rows stand apart" in figure.alt_text
