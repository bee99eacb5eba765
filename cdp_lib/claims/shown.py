"""What a chapter shows in HTML: figures, and the words at its head."""

import pandas as pd
from jinja2 import Environment, PackageLoader
from markupsafe import Markup


def figure_html(
    pictures: list[str], name: str, alt: str, caption: str, points: pd.DataFrame | None = None
) -> str:
    """A figure from its SVG, and from the one for a phone where there is one.

    `points` are told again in a table that unfolds, for who can neither see nor point.
    """
    told = points is not None and (list(points), list(points.itertuples(index=False)))
    return str(_macros().figure(pictures, name, alt, caption, told))


def told_html(words: str, look: str, more: str) -> str:
    """A box that cannot be overlooked, or a line that unfolds (look "licences")."""
    return str(_macros().told(words, look, more))


def cohort_html(head: str, facts: list[str], steps: str) -> str:
    """What was loaded in a few lines, and the table of its `steps` in a fold."""
    return str(_macros().cohort(head, facts, Markup(steps)))


def figure_style() -> str:
    """The style sheet of every figure."""
    return str(_macros().figure_style())


def _macros():
    environment = Environment(loader=PackageLoader("cdp_lib.claims"), autoescape=True)
    return environment.get_template("shown.html").module
