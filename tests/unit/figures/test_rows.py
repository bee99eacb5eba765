"""Rows and slopes: every number drawn is the number given, and what is missing is said."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from cdp_lib import figures
from cdp_lib.errors import InputError
from cdp_lib.figures.slopes import apart
from cdp_lib.figures.style import COLOURS, NARROW, WIDTH


def summary(mean=(0.13, 0.11, 0.05, -0.02), **more):
    names = ["ridge", "attention", "tissue mean", "drug mean"]
    frame = pd.DataFrame({"model": names, "kind": ["model"] * 2 + ["baseline"] * 2, "mean": mean})
    about = {"sd": 0.03, "metric": "r2", "axis": "perturbation", "split": "leave lines out"}
    return frame.assign(**about | {"sd_over": "folds of lines"} | more)


def words(figure):
    return [
        text.get_text().replace("\u00a0", " ")
        for text in figure.findobj(Text)
        if text.get_visible()
    ]


def marks(figure, role):
    """(x, y) of the marks of a role, legend left aside."""
    return [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in figure.axes[0].get_lines()
        if len(line.get_xdata()) == 1
        and to_hex(line.get_markeredgecolor()) == to_hex(COLOURS[role])
    ]


def test_rows_draw_models_above_baselines_with_the_sd_over_what_was_held_out():
    figure = figures.rows(summary())
    axes = figure.axes[0]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == ["ridge", "attention", "tissue mean", "drug mean"]
    assert marks(figure, "repaired") == [(0.13, 0), (0.11, 1)]
    assert any(set(line.get_ydata()) == {1.5} for line in axes.get_lines())  # the rule
    spans = [c.get_segments()[0][:, 0] for c in axes.collections if len(c.get_segments())]
    assert any(np.allclose(span, (0.10, 0.16)) for span in spans)
    assert "0.13 ± 0.03" in words(figure)
    assert "sd over folds of lines" in figure.alt_text
    assert "ridge: 0.13 ± 0.03 (ours, leak-free)." in figure.alt_text


def test_rows_shade_the_floor_and_draw_the_ceiling():
    figure = figures.rows(summary(ceiling=0.7))
    (floor,) = figure.axes[0].patches
    assert floor.get_extents().transformed(figure.axes[0].transData.inverted()).x1 == pytest.approx(
        0.05
    )
    assert {"ceiling", "floor: best baseline"} <= set(words(figure))
    assert "Ceiling 0.70." in figure.alt_text
    error = figures.rows(summary((0.5, 0.6, 0.8, 0.9), metric="mse"))
    (floor,) = error.axes[0].patches  # lower is better: the floor is on the right
    box = floor.get_extents().transformed(error.axes[0].transData.inverted())
    assert box.x0 == pytest.approx(0.8) and box.x1 > 0.9
    assert not figures.rows(summary().head(2)).axes[0].patches


def test_rows_put_reported_and_published_into_their_row():
    figure = figures.rows(
        summary(),
        reported={"attention": (0.9, 0.01)},
        published=summary().iloc[[1]].assign(mean=0.91),
    )
    assert marks(figure, "reported") == [(0.9, 0.84)]  # side by side, so that none hides the other
    assert marks(figure, "published") == [(0.91, 1.16)]
    assert marks(figures.rows(summary(), reported={"ridge": 0.9}), "reported") == [(0.9, 0)]
    assert "0.11 ± 0.03   0.91 ± 0.03   0.90 ± 0.01" in words(figure)
    assert "0.11   0.91   0.90" in words(figure.narrow)
    assert "0.91 ± 0.03 (as published, our reading), 0.90 ± 0.01 (reported)" in figure.alt_text
    bare = figures.rows(summary().assign(kind=["model", "published", "reported", "baseline"]))
    assert marks(bare, "published") == [(0.11, 1)] and marks(bare, "reported") == [(0.05, 2)]


def test_rows_say_what_has_no_score():
    figure = figures.rows(summary((0.13, np.nan, 0.05, -0.02)))
    assert "no score" in words(figure) and "attention: no score." in figure.alt_text


def test_a_score_far_below_is_an_arrow_at_the_edge():
    figure = figures.rows(summary((-7.5, 0.11, 0.05, -0.02)), lowest=-0.5)
    assert figure.axes[0].get_xlim()[0] > -0.7
    arrows = [line for line in figure.axes[0].get_lines() if line.get_marker() == "<"]
    assert [(*a.get_xdata(), *a.get_ydata()) for a in arrows] == [(-0.5, 0)]
    assert "-7.50 ± 0.03" in words(figure) and "ridge: -7.50 ± 0.03" in figure.alt_text


def test_what_the_triangle_is_can_be_said():
    published = {"ridge": (0.9, 0.01)}
    figure = figures.rows(summary(), published=published, triangle="with its leak")
    assert "with its leak" in words(figure) and "0.90 ± 0.01 (with its leak)" in figure.alt_text
    assert "as published, our reading" in words(figures.rows(summary(), published=published))


def test_simulated_rows_are_hollow_and_said():
    figure = figures.rows(summary(), edition="teaching")
    hollow = [line.get_markerfacecolor() == "none" for line in figure.axes[0].get_lines()]
    assert sum(hollow) == 2  # the two models; a baseline is a bar
    assert figure.alt_text.startswith("Simulated data:")


def test_a_narrow_row_has_its_name_and_number_above_it():
    figure = figures.rows(summary())
    assert figure.get_figwidth() == WIDTH and figure.narrow.get_figwidth() == NARROW
    assert not figure.narrow.axes[0].get_yticks().size
    assert {"ridge", "0.13 ± 0.03"} <= set(words(figure.narrow))
    both = pd.concat([summary(), summary(split="leave tissues out")])
    assert len({axes.get_position().x0 for axes in figures.rows(both).narrow.axes}) == 1


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        (lambda: figures.rows(summary().drop(columns="sd")), "columns sd"),
        (lambda: figures.rows(summary().head(0)), "has 0"),
        (lambda: figures.rows(pd.concat([summary(), summary()])), "two scores of 'ridge'"),
        (lambda: figures.rows(summary(), reported={"forest": 0.9}), "'forest' has a report"),
        (lambda: figures.rows(summary(kind="leaky")), "'leaky'"),
        (lambda: figures.slopes(summary(), summary().head(3)), "'drug mean'"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(call, fact):
    with pytest.raises(InputError, match=fact):
        call()


def test_slopes_join_the_two_scores_of_each_model():
    easy = summary((0.77, 0.84, 0.7, 0.68))
    figure = figures.slopes(easy.iloc[::-1], summary(), titles=("easy", "hard"))
    joined = {
        tuple(line.get_ydata())
        for line in figure.axes[0].get_lines()
        if line.get_linestyle() == "-" and len(line.get_xdata()) == 2
    }
    assert joined == {(0.77, 0.13), (0.84, 0.11), (0.7, 0.05), (0.68, -0.02)}
    assert "ridge from 0.77 ± 0.03 to 0.13 ± 0.03" in figure.alt_text
    assert "drug mean from 0.68 ± 0.03 to -0.02 ± 0.03 (naive baseline)" in figure.alt_text
    assert {"0.13 ± 0.03  ridge", "ridge  0.77 ± 0.03"} <= set(words(figure))
    (band,) = [c for c in figure.axes[0].collections if c.get_alpha() == 0.13]
    corners = band.get_paths()[0].vertices
    assert corners[np.isclose(corners[:, 0], 0), 1].max() == pytest.approx(0.7)
    assert corners[np.isclose(corners[:, 0], 1), 1].max() == pytest.approx(0.05)


def test_labels_move_apart_and_keep_their_order():
    given = np.array([0.5, 0.1, 0.11, 0.12, 0.9])
    placed = apart(given, 0.1)
    assert (np.diff(placed[np.argsort(given)]) >= 0.1 - 1e-12).all()
    assert placed[[0, 4]].tolist() == [0.5, 0.9]
    assert placed[1:4].mean() == pytest.approx(0.11)
