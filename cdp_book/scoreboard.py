"""The scoreboard: every claim beside what was measured, as one page.

`page()` is Markdown around plain HTML tables, made from the ledger and the records alone; the
same input gives the same text.  Without JavaScript the tables are complete; with it (and without
any network) three filters choose paper, verdict and edition.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cdp_book.html import in_markdown, render
from cdp_lib import claims
from cdp_lib.claims.ledger import TOLERANCES, Paper
from cdp_lib.claims.recorded import ARITHMETIC
from cdp_lib.data.editions import EDITIONS
from cdp_lib.metrics import NAMES

# A verdict is a word and a shape; its colour says nothing that they do not.
SHAPES = dict(zip(claims.VERDICTS, "●◐✕◇○", strict=True))
METRICS = NAMES | {
    "pearson": "Pearson",
    "spearman": "Spearman",
    "r2_difference": "R² difference",
    "top_1": "top-1 (%)",
    "top_3": "top-3 (%)",
    "percent": "percentage",
    "weight": "attention weight",
    "negative_elbo": "−ELBO",
    "ln_ic50": "ln IC50",
}
AXIS_WORDS = {"perturbation": "per perturbation", "line": "per line", "global": "global"}
UNRECORDED = "unrecorded"
KINDS = {edition: edition for edition in EDITIONS} | {
    ARITHMETIC: "by arithmetic, no data",
    UNRECORDED: "no record yet",
}  # what the filter by edition offers: every row is one of them
HEADS = ("Claim", "Reported", "Ours", "Best naive baseline", "Verdict", "Score", "In the paper")


def page(folder: Path | None = None, static: str = "../_static") -> str:
    """The page from the folder that holds ``claims`` and ``results`` (default: the library's).

    `static` is the way from the page to scoreboard.css and scoreboard.js.
    """
    folder = folder or claims.root()
    papers = claims.papers(folder)
    table = claims.table(folder=folder).astype(object)
    table = table.where(table.notna(), None)
    table["kind"] = [_kind(row) for row in table.itertuples()]
    table["how"] = [_how(row) for row in table.itertuples()]
    table["score"] = [METRICS.get(metric, metric) for metric in table["metric"]]
    table["axis_words"] = [AXIS_WORDS.get(axis) for axis in table["axis"]]
    notebooks = folder.parent / "notebooks"
    html = render(
        "scoreboard.html",
        static=static,
        shapes=SHAPES,
        heads=HEADS,
        counts=_counts(papers, folder),
        choices={
            "paper": {paper.id: paper.citation for paper in papers.values()},
            "verdict": {verdict: f"{shape} {verdict}" for verdict, shape in SHAPES.items()},
            "edition": {k: words for k, words in KINDS.items() if (table["kind"] == k).any()},
        },
        papers=[
            (paper, list(table[table["paper"] == paper.id].itertuples()))
            for paper in papers.values()
        ],
        chapters={path.stem for path in notebooks.glob("*.ipynb")},
    )
    return f"{_rules()}\n{in_markdown(html)}"


def _rules() -> str:
    """How a verdict is reached, from the table that reaches it."""
    groups: dict[str, list[str]] = {}
    for metric, (size, kind) in TOLERANCES.items():
        if size:
            words = f"{size:g}" if kind == "absolute" else f"{size:.0%} of the reported value"
            groups.setdefault(words, []).append(METRICS.get(metric, metric))
    lines = [f"- {', '.join(metrics)}: {words}" for words, metrics in groups.items()]
    return (
        "A claim is *reproduced* when ours lies within the rounding of the reported number or "
        "within its reported sd; counts, shapes and texts must be equal.\n"
        "It is *within tolerance* when the two differ by no more than\n\n"
        + "\n".join(lines)
        + "\n\n"
        "unless the ledger states another tolerance for it.\n"
        "The first table counts each claim once, by the record nearest to the paper's own data and "
        "protocol; records from simulated data never count.\n"
        "What was checked against the paper's own other numbers, by arithmetic and without any "
        "data, is counted apart.\n"
    )


def _kind(row) -> str:
    if not row.edition:
        return UNRECORDED
    return ARITHMETIC if row.protocol == ARITHMETIC else row.edition


def _how(row) -> str:
    """From which data and by which protocol."""
    protocol = "" if row.kind == ARITHMETIC else row.protocol or ""
    return ", ".join(filter(None, (KINDS[row.kind], protocol.replace("_", " "))))


def _counts(papers: dict[str, Paper], folder: Path) -> list[dict]:
    """How many claims stand how: a row a paper, all of them, and those checked by arithmetic."""
    counts, checked = claims.summary(folder), claims.summary(folder, arithmetic=True)

    def row(name: str, numbers: pd.Series, paper: str = "", all: bool = False) -> dict:
        return {"name": name, "paper": paper, "all": all, "numbers": [numbers.sum(), *numbers]}

    rows = [row(paper.citation, counts.loc[paper.id], paper.id) for paper in papers.values()]
    rows.append(row("All papers", counts.sum(), all=True))
    if checked.to_numpy().any():
        rows.append(row("By arithmetic, without data", checked.sum()))
    return rows
