"""How a network learns: each named term of its loss, epoch by epoch, in a panel of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from cdp_lib.errors import InputError
from cdp_lib.figures.style import (
    COLOURS,
    INK,
    PLAIN,
    canvas,
    finish,
    look,
    simulated,
    two_widths,
)


@two_widths
def losses(
    terms: Mapping[str, Sequence[float]],
    levels: Mapping[str, Mapping[str, float]] | None = None,
    unit: str = "nats a line",
    edition: str = "pocket",
) -> Figure:
    """`terms` are those of a history, `{"reconstruction": ..., "kl": ...}`, one value an epoch.

    `levels` draws numbers to compare a term with, `{"reconstruction": {"floor": 317.0}}`.  The
    first epochs may lie far above all others: the scale of a panel begins at the second.
    """
    if not terms or not all(len(values) for values in terms.values()):
        raise InputError("losses got no term with a value: give history_.train of a fitted model.")
    said, levels = [], levels or {}
    hue = COLOURS["teaching"] if edition == "teaching" else PLAIN
    with look():
        figure, panes = canvas(2.5, len(terms))
        for axes, (name, values) in zip(panes, terms.items(), strict=True):
            axes.plot(range(1, len(values) + 1), values, color=hue, lw=1.8)
            drawn = [*values[1:], *levels.get(name, {}).values()] or list(values)
            room = 0.06 * (max(drawn) - min(drawn) or 1)
            axes.set_ylim(min(drawn) - room, max(drawn) + 2 * room)
            for words, level in levels.get(name, {}).items():
                axes.axhline(level, color=INK, lw=1.1, linestyle=(0, (4, 2)))
                axes.annotate(
                    words, (1, level), (-2, 2), xycoords=("axes fraction", "data"), ha="right",
                    textcoords="offset points", fontsize=8.5,
                )  # fmt: skip
            axes.set(title=name, xlabel="epoch", ylabel="" if name == "beta" else unit)
            beside = "".join(
                f", {words} {level:.3g}" for words, level in levels.get(name, {}).items()
            )
            said.append(f"{name} {values[0]:.3g} at first, {values[-1]:.3g} at last{beside}")
    return finish(figure, f"{simulated(edition)}Terms of the loss by epoch: {'; '.join(said)}.")
