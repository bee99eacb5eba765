"""The scoreboard: every claim beside what was measured, as one page.

`page()` is Markdown around plain HTML tables, made from the ledger and the records alone; the
same input gives the same text.  Without JavaScript the tables are complete; with it (and without
any network) three filters choose paper, verdict and edition.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import pandas as pd

from cdp_lib import claims
from cdp_lib.claims.ledger import TOLERANCES, Paper
from cdp_lib.claims.recorded import ARITHMETIC
from cdp_lib.data.editions import EDITIONS
from cdp_lib.figures.style import NAMES

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
UNRECORDED = "unrecorded"
KINDS = {edition: edition for edition in EDITIONS} | {
    ARITHMETIC: "by arithmetic, no data",
    UNRECORDED: "no record yet",
}  # what the filter by edition offers: every row is one of them
HEADS = ("Claim", "Reported", "Ours", "Best naive baseline", "Verdict", "Score", "In the paper")


def page(folder: Path | None = None, static: str = "../_static") -> str:
    """The page from the folder that holds ``claims`` and ``results`` (default: found).

    `static` is the way from the page to scoreboard.css and scoreboard.js.
    """
    folder = folder or claims.root()
    papers, counts = claims.papers(folder), claims.summary(folder)
    checked = claims.summary(folder, arithmetic=True)
    table = claims.table(folder=folder).astype(object)
    table = table.where(table.notna(), None)
    table["kind"] = [_kind(row) for row in table.itertuples()]
    used = {kind: words for kind, words in KINDS.items() if (table["kind"] == kind).any()}
    parts = [
        f'<link rel="stylesheet" href="{static}/scoreboard.css">',
        _summary(papers, counts, checked),
        _filters(papers, used),
        *(_paper(paper, table[table["paper"] == paper.id], folder) for paper in papers.values()),
        f'<script src="{static}/scoreboard.js" defer></script>',
    ]
    return f"{_rules()}\n```{{raw}} html\n" + "\n".join(parts) + "\n```\n"


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


def _summary(papers: dict[str, Paper], counts: pd.DataFrame, checked: pd.DataFrame) -> str:
    heads = "".join(f'<th scope="col">{_verdict(v)}</th>' for v in claims.VERDICTS)
    rows = []
    for paper in papers.values():
        link = f'<a href="#claims-{paper.id}">{escape(paper.citation)}</a>'
        rows.append(_counts("<tr>", link, counts.loc[paper.id]))
    rows.append(_counts('<tr class="all">', "All papers", counts.sum()))
    if checked.to_numpy().any():
        rows.append(_counts("<tr>", "By arithmetic, without data", checked.sum()))
    head = f'<th scope="col">Paper</th><th scope="col">Claims</th>{heads}'
    return _table("How the claims of each paper stand, on real data", head, rows, "counts")


def _counts(start: str, name: str, counts: pd.Series) -> str:
    cells = "".join(f"<td>{count}</td>" for count in (counts.sum(), *counts))
    return f'{start}<th scope="row">{name}</th>{cells}</tr>'


def _filters(papers: dict[str, Paper], editions: dict[str, str]) -> str:
    names = {paper.id: paper.citation for paper in papers.values()}
    verdicts = {verdict: f"{SHAPES[verdict]} {verdict}" for verdict in claims.VERDICTS}
    choices = {"paper": names, "verdict": verdicts, "edition": editions}
    fields = []
    for field, options in choices.items():
        listed = "".join(f'<option value="{k}">{escape(v)}</option>' for k, v in options.items())
        fields.append(
            f'<label for="scoreboard-{field}">{field.capitalize()}</label>'
            f'<select id="scoreboard-{field}"><option value="">all</option>{listed}</select>'
        )
    return (
        '<form id="scoreboard-filters" class="scoreboard-filters" hidden>'
        + "".join(f"<div>{field}</div>" for field in fields)
        + '<p id="scoreboard-count" role="status" aria-live="polite"></p></form>'
    )


def _paper(paper: Paper, table: pd.DataFrame, folder: Path) -> str:
    name = escape(paper.citation)
    links = [f'<a href="{paper.link}">{escape(paper.title)}</a>']
    links.append(_chapter_link(paper.chapter, folder) or "chapter to come")
    caption = f"{name}: {', '.join(links)}"
    head = "".join(f'<th scope="col">{word}</th>' for word in HEADS)
    rows = [_row(row, folder) for row in table.itertuples()]
    body = _table(caption, head, rows, "claims")
    named = f'id="claims-{paper.id}" data-paper="{paper.id}" aria-label="{name}"'
    return f"<section {named}>{body}</section>"


def _row(row, folder: Path) -> str:
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    number = f"<small>{row.claim.rpartition('-')[2]}</small>"
    where = escape(row.location) + (f"<small>{escape(row.split)}</small>" if row.split else "")
    score = METRICS.get(row.metric, row.metric)
    score += f"<small>per {row.axis}</small>" if row.axis in ("perturbation", "line") else ""
    score += "<small>global</small>" if row.axis == "global" else ""
    ours = ""
    if row.edition:
        protocol = "" if row.kind == ARITHMETIC else row.protocol or ""
        how = [KINDS[row.kind], protocol.replace("_", " ")]
        ours = f"{_value(row.ours, row.ours_sd)}<small>{', '.join(filter(None, how))}</small>"
        ours += f"<small>{_chapter_link(row.chapter, folder)}</small>"
    verdict = f"{_verdict(row.verdict)}<small>{escape(row.reason)}</small>"
    reported = _value(row.reported, row.reported_sd, ".6g")
    cells = (reported, ours, row.baseline, verdict, score, where)
    return (
        f'<tr data-verdict="{row.verdict}" data-edition="{row.kind}" '
        f'data-claim="{row.claim}"><th scope="row">{escape(row.description)}{number}{note}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _table(caption: str, head: str, rows: list[str], kind: str) -> str:
    """A table in a box of its own that scrolls sideways, also by keyboard."""
    label = escape(caption.partition(":")[0])
    return (
        f'<div class="scoreboard-box" role="region" tabindex="0" aria-label="{label} (table)">'
        f'<table class="scoreboard {kind}"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table></div>"
    )


def _verdict(verdict: str) -> str:
    shape = f'<span aria-hidden="true">{SHAPES[verdict]}</span>'
    return f'<span class="verdict {verdict.replace(" ", "-")}">{shape} {verdict}</span>'


def _value(text: str, sd: float | None, digits: str = ".2g") -> str:
    spread = "" if sd is None else f"&nbsp;±&nbsp;{sd:{digits}}"
    return f"{escape(text)}{spread}" if text else "no number"


def _chapter_link(chapter: str | None, folder: Path) -> str:
    """A link to a chapter that exists, its name otherwise."""
    if not chapter:
        return ""
    if not (folder.parent / "notebooks" / f"{chapter}.ipynb").exists():
        return ""
    return f'<a href="../notebooks/{escape(chapter)}.html">chapter {escape(chapter[:2])}</a>'
