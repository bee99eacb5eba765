"""Figures of which the reader chooses one: a drug, a split, an axis.

Radio buttons stand above the figure, which the keyboard reaches; a style sheet shows the chosen
one.  There is no script, and all figures are on the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from cdp_lib.claims.shown import figure_style
from cdp_lib.errors import InputError
from cdp_lib.figures.vector import inline


@dataclass(frozen=True)
class Choice:
    """What `c.figure` shows; `alt_text` describes it to who cannot see it."""

    figures: Mapping[str, Figure]
    label: str

    @property
    def alt_text(self) -> str:
        return f"One figure of {len(self.figures)}, by {self.label}: {', '.join(self.figures)}."

    def page(self, name: str, caption: str) -> str:
        """The HTML of all figures; ids and classes begin with the figure's name."""
        environment = Environment(loader=PackageLoader("cdp_lib.figures"), autoescape=True)
        options = [
            {"words": words, "alt": figure.alt_text, "pictures": inline(figure, f"{name}-{number}")}
            for number, (words, figure) in enumerate(self.figures.items())
        ]
        return environment.get_template("choose.html").render(
            name=f"cdp-{name}",
            caption=caption,
            label=self.label,
            options=options,
            style=figure_style(),
        )


def choose(figures: Mapping[str, Figure], label: str) -> Choice:
    """`figures` maps what the reader chooses by, such as the name of a drug, to its figure."""
    if len(figures) < 2:
        raise InputError(f"choose needs two figures or more, and got {len(figures)}.")
    return Choice(dict(figures), label)
