"""marks.py: drawings within a line of HTML."""

import re

import pytest

from cdp_book import marks


def at(svg: str, name: str) -> float:
    """Where a mark stands: the centre of a circle, the middle of a polygon, the end of a bar."""
    if name == "free":
        return float(re.search(r'cx="([\d.]+)"', svg)[1])
    if name == "floor":
        x, width = re.search(r'<rect x="([\d.]+)" y="3" width="([\d.]+)"', svg).groups()
        return float(x) + float(width)
    points = re.search(rf'points="([^"]+)" class="{name}"', svg)[1]
    xs = [float(point.split(",")[0]) for point in points.split()]
    return (min(xs) + max(xs)) / 2


def test_marks_stand_in_the_order_of_their_numbers():
    svg = marks.strip("r2", reported=0.9, published=0.8, free=0.1, sd=0.05, floor=0.06)
    assert at(svg, "floor") < at(svg, "free") < at(svg, "published") < at(svg, "reported")


def test_the_floor_of_an_error_lies_on_the_side_of_large_errors():
    svg = marks.strip("mse", reported=0.28, free=1.7, floor=2.0)
    left = float(re.search(r'<rect x="([\d.]+)"', svg)[1])
    assert left > at(svg, "free") > at(svg, "reported")


def test_a_negative_score_stays_within_the_drawing():
    svg = marks.strip("r2", reported=-4.23, free=0.1, floor=0.06)
    assert 0 <= at(svg, "reported") < at(svg, "free") <= marks.WIDTH


def test_one_number_needs_no_drawing():
    assert marks.strip("r2", reported=0.9) == ""


@pytest.mark.parametrize(
    ("gain", "side"), [(0.02, "right"), (-0.02, "left"), (0.0005, "right"), (-0.0005, "left")]
)
def test_a_gain_keeps_its_side_beside_a_large_one(gain, side):
    large = {"gain": 0.7, "low": 0.6, "high": 0.8, "leaky": True}
    mine = {"gain": gain, "low": gain - 0.0001, "high": gain + 0.0001, "leaky": False}
    svg = marks.interval([mine, large])
    assert (at(svg, "free") > marks.WIDTH / 2) == (side == "right")
    assert 'class="published bar"' in svg and 'class="free bar"' in svg


def test_a_screen_reader_passes_over_a_drawing():
    assert 'aria-hidden="true"' in marks.strip("r2", reported=0.9, free=0.1)
