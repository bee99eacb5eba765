"""Drawings of how a measurement is made: guides to genes, doses to a curve, names to rows.

crispr         guides before and after, gene effects, dependency probabilities
curves         wells and fitted curves, the area and the IC50
extrapolation  what repeats of one experiment give, inside and beyond the tested doses
joined         how many rows each way of joining leaves, beside what a paper reports
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cdp_lib.figures.style import COLOURS, INK, PLAIN, drawing, kind_look, simulated

TEACHING = COLOURS["teaching"]


def crispr(
    before: np.ndarray, after: np.ndarray, effect: np.ndarray, probability: np.ndarray, kind
) -> Figure:
    """One line's guides (genes, guides) before and after; all lines x genes; simulated."""
    kind = np.asarray(kind)
    groups = list(dict.fromkeys(kind))

    def draw(guides, effects, probabilities):
        for number, group in enumerate(groups):
            hue, shape = kind_look(number)
            here = kind == group
            x, y = np.log2(before[here]).ravel(), np.log2(after[here]).ravel()
            guides.plot(x, y, shape, color=hue, ms=3.5, mew=0.9, mfc="none", label=group)
            for axes, values, edges in (
                (effects, effect, np.linspace(-1.8, 0.8, 40)),
                (probabilities, probability, np.linspace(0, 1, 40)),
            ):
                axes.hist(
                    values[:, here].ravel(), edges, histtype="step", color=hue, lw=1.4, density=True
                )
        ends = guides.get_xlim()
        guides.plot(ends, ends, color=INK, lw=0.8, ls=(0, (4, 2)))
        guides.legend(fontsize=8.5, handletextpad=0.2, borderpad=0, loc="lower right")
        guides.set(title="guides of one line", xlabel="log2 share before", ylabel="... after")
        effects.set(title="all lines", xlabel="gene effect")
        probabilities.set(title="all lines", xlabel="dependency probability")
        for axes in (effects, probabilities):
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)

    return drawing(
        draw,
        2.6,
        f"{simulated('teaching')}Left: share of each guide before and after; those of needed genes "
        "lie below the diagonal. Middle: gene effects, never needed around 0, always needed around "
        "-1, selective at both. Right: probabilities near 0 and near 1.",
        columns=3,
    )


def curves(doses: np.ndarray, fits: Mapping[str, tuple], viability) -> Figure:
    """A panel a line: title -> (wells, (fitted ln IC50, s), AUC); simulated."""
    highest = doses[-1]
    wide = np.linspace(doses[0] - 0.5, highest + 4, 300)

    def draw(*panes):
        for axes, (title, (wells, fitted, auc)) in zip(panes, fits.items(), strict=True):
            tested = wide[(wide >= doses[0]) & (wide <= highest)]
            axes.fill_between(tested, viability(tested, *fitted), color=TEACHING, alpha=0.18, lw=0)
            axes.plot(tested, viability(tested, *fitted), color=TEACHING)
            for part in (wide[wide < doses[0]], wide[wide > highest]):
                axes.plot(part, viability(part, *fitted), color=TEACHING, ls=(0, (2, 2)))
            axes.plot(doses, wells, "s", mfc="none", mec=INK, ms=4.5)
            axes.axvline(highest, color=INK, lw=0.8)
            axes.plot(fitted[0], 0.5, "X", color=PLAIN, ms=7)
            axes.text(
                0.04, 0.06, f"AUC {auc:.2f}\nln IC50 {fitted[0]:.1f}", transform=axes.transAxes,
                fontsize=8.5,
            )  # fmt: skip
            axes.set(title=title, xlabel="ln dose (uM)", ylim=(-0.05, 1.25))
        panes[0].set_ylabel("viability")

    said = "; ".join(
        f"{k}: ln IC50 {fit[0]:.1f}, AUC {auc:.2f}" for k, (_, fit, auc) in fits.items()
    )
    return drawing(
        draw,
        2.5,
        f"{simulated('teaching')}Dose-response curves with nine points each, dashed where nothing "
        f"was tested; a cross marks the IC50. {said}.",
        columns=len(fits),
    )


def extrapolation(beyond: np.ndarray, ic50: np.ndarray, auc: np.ndarray) -> Figure:
    """Middle 90 % of repeats, (steps, repeats), against the true ln IC50; simulated."""

    def draw(left, right):
        for axes, values, title in (
            (left, ic50, "fitted ln IC50 - highest ln dose"),
            (right, auc, "AUC"),
        ):
            low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=1)
            axes.vlines(beyond, low, high, color=TEACHING, lw=2)
            axes.plot(beyond, middle, "s", mfc="none", mec=TEACHING, ms=6)
            axes.axvspan(0, beyond[-1] + 0.5, color=INK, alpha=0.15, lw=0)
            axes.set(title=title, xlabel="true ln IC50 - highest ln dose")
        left.plot(beyond, beyond, color=INK, lw=0.8, ls=(0, (4, 2)))

    width = np.ptp(np.quantile(ic50, (0.05, 0.95), axis=1), axis=0)
    return drawing(
        draw,
        2.7,
        f"{simulated('teaching')}Left: the spread of fitted ln IC50 grows from {width[0]:.1f} to "
        f"{width[-1]:.1f} beyond the highest dose. Right: AUC flattens near 1, and spreads little.",
        columns=2,
    )


def joined(rows: pd.Series, reported: float, label: str, edition: str = "pocket") -> Figure:
    """Rows that each way of joining leaves, a bar a way; a dashed line is the paper's number."""

    def draw(axes):
        ways = rows[::-1]
        hollow = edition == "teaching"
        hue = TEACHING if hollow else PLAIN
        axes.barh(ways.index, ways, color="none" if hollow else hue, edgecolor=hue, height=0.6)
        for y, n in enumerate(ways):
            axes.text(n + 0.01 * rows.max(), y, f"{n:,}", va="center", fontsize=8.5)
        axes.axvline(reported, ymax=0.84, color=INK, lw=1.2, ls=(0, (4, 2)))
        axes.text(reported, len(ways) - 0.35, f"the paper: {reported:,}", fontsize=8.5, ha="center")
        axes.set(xlabel=label, xlim=(0, 1.15 * max(rows.max(), reported)))
        axes.set_ylim(-0.6, len(ways) - 0.05)
        axes.tick_params(axis="y", length=0)

    said = ", ".join(f"{way} {n:,}" for way, n in rows.items())
    return drawing(
        draw, 2.0, f"{simulated(edition)}Bars, {label}: {said}; the paper reports {reported:,}."
    )
