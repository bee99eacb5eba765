"""Drawings made of no data say in words what they show."""

import matplotlib.pyplot as plt

from cdp_lib import figures


def test_what_is_held_out_is_said_of_each_table():
    drawn = figures.held_out({"1 genes": ("genes", "columns"), "2 lines": ("genes", "rows")})
    assert "1 genes: along held-out columns" in drawn.alt_text
    assert "2 lines: down held-out lines" in drawn.alt_text
    panes = drawn.axes
    assert [axes.get_title("left") for axes in panes] == ["1 genes", "2 lines"]
    assert [len(axes.patches) for axes in panes] == [2, 2]
    assert drawn.narrow is not None
    plt.close("all")
