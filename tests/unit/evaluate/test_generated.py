"""Random points of a latent space before a predictor: shares, and distances from its drugs."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.errors import InputError
from cdp_lib.evaluate.generated import (
    against_others,
    effective,
    nearest_distances,
    normal_points,
)

X = pd.DataFrame({"gene": [0.0, 1.0, 2.0]}, ["weak", "middle", "strong"])
POINTS = pd.DataFrame({"z": [0.0, 1.0, 2.0, 3.0]}, list("pqrs"))


class Difference:
    """ln IC50 = point - line - 1, for points that are named."""

    def predict(self, X, perturbations):
        values = POINTS.loc[perturbations.index, "z"].to_numpy() - X.to_numpy() - 1
        return pd.DataFrame(values, X.index, perturbations.index)


def test_the_share_of_points_below_the_threshold():
    share = effective(Difference(), POINTS.index, X)
    assert share.to_dict() == {"weak": 0.0, "middle": 0.25, "strong": 0.5}
    assert effective(Difference(), POINTS.index, X, threshold=np.inf).eq(1).all()


def test_a_chosen_line_is_compared_with_single_others():
    share = pd.Series(np.linspace(0, 1, 101), [f"line {i}" for i in range(101)])
    middle = against_others(share, "line 50")
    assert middle["gain"] == pytest.approx(0) and middle["low"] < -0.4 and middle["high"] > 0.4
    assert against_others(share, "line 100")["low"] > 0 and middle["n"] == 100
    against = against_others(share, "line 100", pd.Series([0.2, 0.2]))
    assert against["gain"] == pytest.approx(0.8) and against["n"] == 2
    with pytest.raises(InputError, match="HCC1187"):
        against_others(share, "HCC1187")
    for missing in (share[["line 1"]], share.where(share.index != "line 3")):
        with pytest.raises(InputError, match="'line 1' is to be"):
            against_others(missing, "line 1")


def test_distances_are_in_units_of_the_drugs_own():
    drugs = pd.DataFrame(
        {"a": [0.0, 2.0, 4.0, 4.0, 99.0], "b": 0.0}
    )  # two at one place, one far off
    points = pd.DataFrame({"a": [4.0, 6.0, 1.0], "b": [6.0, 0.0, 0.0]})
    assert nearest_distances(points, drugs).tolist() == [3.0, 1.0, 0.5]
    with pytest.raises(InputError, match="1 columns"):
        nearest_distances(points[["a"]], drugs)
    with pytest.raises(InputError, match="two drugs"):
        nearest_distances(points, drugs.iloc[2:4])


def test_points_have_the_deviation_that_is_asked_for():
    points = normal_points(pd.DataFrame(columns=range(56)), 500, scale=7.0)
    assert points.to_numpy().std() == pytest.approx(7, rel=0.02) and points.index.is_unique
    pd.testing.assert_frame_equal(points, normal_points(points, 500, scale=7.0))
    assert not np.allclose(points, normal_points(points, 500, 7.0, seed=1))
    for n in (0, 2.5):
        with pytest.raises(InputError, match=f"n is {n}"):
            normal_points(points, n)
