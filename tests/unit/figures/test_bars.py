"""Bars begin at 0, have the colour of their role, and say their share."""

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from cdp_lib import figures
from cdp_lib.errors import InputError
from cdp_lib.figures.style import COLOURS


def shares(**more):
    rows = [
        ("ridge", "model", "first", 0.84),
        ("one list for everybody", "baseline", "first", 0.85),
        ("ridge", "model", "among three", 0.99),
        ("one list for everybody", "baseline", "among three", 0.998),
    ]
    return pd.DataFrame(rows, columns=["model", "kind", "k", "mean"]).assign(**more)


def test_the_naive_rule_stands_first_and_a_bar_begins_at_0():
    figure = figures.bars(shares(low=0.8, high=0.9), by="k", reported={"first": {"paper": 0.91}})
    left, right = figure.axes
    names = [tick.get_text() for tick in left.get_yticklabels()]
    assert names == ["one list for everybody", "ridge", "paper"]
    assert [(bar.get_x(), bar.get_width()) for bar in left.patches] == [(0, 0.84), (0, 0.85)]
    looks = [to_hex(bar.get_facecolor()) for bar in left.patches]
    assert looks == [COLOURS["repaired"].lower(), COLOURS["baseline"]]
    assert left.get_xlim() == (0, 1)
    spans = [c.get_segments()[0][:, 0].tolist() for c in left.collections]
    assert spans == [[0.8, 0.9], [0.8, 0.9]]
    words = [text.get_text() for text in figure.findobj(Text)]
    assert {"85%", "84%", "91%", "reported"} <= set(words)
    assert [line.get_marker() for line in left.get_lines()] == ["D"] and not right.get_lines()
    assert "first, paper: 91% (reported)" in figure.alt_text


def test_simulated_bars_are_hatched_but_for_the_naive_rule():
    figure = figures.bars(shares(), by="k", edition="teaching")
    assert [bool(bar.get_hatch()) for bar in figure.axes[0].patches] == [True, False]


@pytest.mark.parametrize(
    ("given", "options", "fact"),
    [
        (shares(mean=84), {}, "got 84"),
        (shares().drop(columns="kind"), {}, "columns kind"),
        (shares(), {"reported": {"second": {"paper": 0.9}}}, "'second'"),
    ],
)
def test_what_is_no_share_is_refused(given, options, fact):
    with pytest.raises(InputError, match=fact):
        figures.bars(given, by="k", **options)
