"""Every plot of the book.  A function takes data and returns a figure with `alt_text`.

rows           scores, a row a model: floor, ceiling, sd, as published, reported
slopes         the same models on two questions
bars           shares of lines, genes or drugs, a bar a rule
distributions  one score's spread over perturbations or lines, a row a model
points         a scatter of lines, genes or drugs that tell their names
agreement      what several screens measured of one drug
histograms     what values a table holds; `measured` shows its gaps
heatmap        a table as colours
splits_diagram who is trained on, tuned on and tested on, a panel a fold
held_out       tables with a band held out, and the direction that is scored
line_map       the lines by tissue or by response, as the reader chooses
pair_explorer  drug pairs in a line of the reader's choice: measured, predicted, additive
pair_maps      drugs x drugs side by side, in the order of their likeness
choose         any of these, of which the reader chooses one
drawing        a drawing of one's own, in the same look and for both widths

Each has a second version for a phone, as `figure.narrow`; `Chapter.figure` shows the one that fits.
"""

from cdp_lib.figures.bars import bars
from cdp_lib.figures.charts import (
    ROLE_LOOK,
    Rectangle,
    distributions,
    heatmap,
    splits_diagram,
)
from cdp_lib.figures.choose import choose
from cdp_lib.figures.drawings import held_out
from cdp_lib.figures.histograms import histograms, measured
from cdp_lib.figures.line_map import line_map
from cdp_lib.figures.pair_explorer import pair_explorer
from cdp_lib.figures.pair_maps import pair_maps
from cdp_lib.figures.points import agreement, points
from cdp_lib.figures.rows import rows
from cdp_lib.figures.slopes import slopes
from cdp_lib.figures.style import (
    COLOURS,
    HATCH,
    HUES,
    INK,
    PLAIN,
    canvas,
    drawing,
    finish,
    look,
    mark,
    theme,
    two_widths,
)
from cdp_lib.figures.vector import svg

__all__ = [
    "agreement", "bars", "canvas", "choose", "distributions", "drawing", "finish", "heatmap",
    "held_out", "histograms", "line_map", "look", "mark", "measured", "pair_explorer", "pair_maps",
    "points", "rows", "slopes", "splits_diagram", "svg", "theme", "two_widths", "COLOURS", "HATCH",
    "HUES", "INK", "PLAIN", "ROLE_LOOK", "Rectangle",
]  # fmt: skip
