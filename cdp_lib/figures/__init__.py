"""Every plot of the book.  A function takes data and returns a figure with `alt_text`."""

from cdp_lib.figures.charts import (
    ROLE_LOOK,
    Rectangle,
    distributions,
    heatmap,
    scatter,
    scores,
    splits_diagram,
)
from cdp_lib.figures.choose import choose
from cdp_lib.figures.dumbbells import dumbbell
from cdp_lib.figures.line_map import line_map
from cdp_lib.figures.maps import picture, tissue_map
from cdp_lib.figures.points import agreement, points
from cdp_lib.figures.rows import rows
from cdp_lib.figures.slopes import slopes
from cdp_lib.figures.style import COLOURS, HATCH, INK, canvas, finish, look, mark, theme
from cdp_lib.figures.vector import svg

__all__ = [
    "agreement", "canvas", "choose", "distributions", "dumbbell", "finish", "heatmap", "line_map",
    "look", "mark", "picture", "points", "rows", "scatter", "scores", "slopes", "splits_diagram",
    "svg", "theme", "tissue_map", "COLOURS", "HATCH", "INK", "ROLE_LOOK", "Rectangle",
]  # fmt: skip
