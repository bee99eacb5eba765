"""The scoreboard: whether conclusions hold, and every claim beside what was measured.

`page()` is Markdown around plain HTML, made from the ledger and the records alone; the same input
gives the same text.  Without JavaScript the tables are complete; with it (and without any network)
a reader searches, filters and sorts, and the address keeps what was chosen.
`write_downloads` puts the same tables beside the page as CSV and JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from cdp_book import marks
from cdp_book.html import in_markdown, render
from cdp_lib import claims
from cdp_lib.claims import conclusions
from cdp_lib.claims.arithmetic import checked
from cdp_lib.claims.ledger import TOLERANCES, Claim, Paper
from cdp_lib.claims.recorded import ARITHMETIC, Record, best_baseline
from cdp_lib.claims.scores import axis_words, percent, pm
from cdp_lib.metrics import NAMES

# A verdict is a word and a shape; its colour says nothing that they do not.
SHAPES = dict(zip(claims.VERDICTS, "●◐✕◇○", strict=True))
METRICS = NAMES | {
    "r2_difference": "R² difference",
    "top_1": "top-1 (%)",
    "top_3": "top-3 (%)",
    "percent": "percentage",
    "weight": "attention weight",
    "negative_elbo": "−ELBO",
    "ln_ic50": "ln IC50",
}
SCORES = ("mse", "rmse", "mae", "r2", "pearson", "spearman", "top_1", "top_3", "r2_difference")
SLOTS = ("not run", "does not hold", "undecided", "holds only with the leak", "holds")
OPEN = 6  # a table of a paper that has been run is unfolded up to so many scores
CHECKED = {
    "pocket": "run on the pocket edition",
    "official": "run on the official data",
    ARITHMETIC: "checked by arithmetic, without data",
    "none": "not run",
}
SORTS = {
    "": "as in the paper",
    "reported": "reported, highest first",
    "free": "leak-free, highest first",
    "gap": "reported minus leak-free",
}


def page(folder: Path | None = None, static: str = "../_static") -> str:
    """The page from the folder that holds ``claims`` and ``results`` (default: the library's).

    `static` is the way from the page to scoreboard.css, scoreboard.js and the downloads.
    """
    folder = folder or claims.root()
    papers = claims.papers(folder)
    frame = conclusions.decided(folder=folder).astype(object)
    decided = frame.where(frame.notna(), None).to_dict("records")
    rows = questions(folder)
    ran = {row["paper"] for row in rows if row["on"]}
    about = {
        "papers": papers,
        "chapters": {p.stem for p in (folder.parent / "notebooks").glob("*.ipynb")},
        "shapes": SHAPES | conclusions.MARKS,
        "static": static,
        "ran": ran,
    }
    parts = [
        render("scoreboard_filters.html", choices=_choices(papers, rows, decided), **about),
        "## Do the conclusions hold?\n",
        CONCLUSIONS,
        render(
            "scoreboard_conclusions.html", conclusions=list(_by_paper(papers, decided)), **about
        ),
        "## The scores\n",
        READING,
        render(
            "scoreboard_scores.html", groups=_grouped(papers, rows, True), key=marks.KEY, **about
        ),
        "## Counts, shapes and statements\n",
        render("scoreboard_counts.html", groups=_grouped(papers, rows, False), **about),
        "## How the claims stand\n",
        _rules(),
        render(
            "scoreboard_standing.html",
            counts=_counts(papers, folder),
            heads=("Claims", *claims.VERDICTS),
            **about,
        ),
    ]
    return "\n".join(in_markdown(part) if part.lstrip().startswith("<") else part for part in parts)


CONCLUSIONS = (
    "A paper's numbers carry its conclusions, and a conclusion may hold where a number does not, "
    "or fail where a number is right.\n"
    "Each has a rule that was written down before the run: which comparisons decide it, on which "
    "rows.\n"
    "It *holds* where the whole 95 % interval of every gain lies above 0, and the corrected p, "
    "where there are folds, is below 0.05; it *does not hold* where one lies below; otherwise it "
    "is *undecided*.\n"
    "It *holds only with the leak* where the published protocol, as we read it, shows what the "
    "leak-free one does not.\n"
)
READING = (
    "A row is one number that a paper reports.\n"
    "*Our reading* is the published protocol as far as the text says it, and our own choice where "
    "the text is silent; *leak-free* is the same model when nothing of a test line reaches the "
    "training.\n"
    "The *floor* is the best naive baseline on the same rows, the *ceiling* what replicates of the "
    "measurement allow, and the share says how much of the way from one to the other the "
    "leak-free model goes.\n"
)


def questions(folder: Path | None = None) -> list[dict]:
    """A row a claim: what is reported, what was measured, where it stands, and why."""
    measured = [r for r in claims.records(folder) if r.edition != "teaching"]
    sums = {record.claim: record for record in checked(folder)}
    standing = claims.standing(folder).set_index("claim")
    rows = []
    for claim in claims.claims(folder=folder):
        mine = [r for r in measured if r.claim == claim.id and r.value is not None]
        state = standing.loc[claim.id]
        row = _asked(claim) | _measured(claim, mine, measured)
        row |= {name: _none(state[name]) for name in ("verdict", "reason", "on", "arithmetic")}
        row["sum"] = _sum(claim, sums.get(claim.id))
        row["checked"] = " ".join(
            [row["on"] or "none", *([ARITHMETIC] if row["arithmetic"] else [])]
        )
        rows.append(row)
    return rows


def _asked(claim: Claim) -> dict:
    about = {name: getattr(claim, name) for name in ("id", "paper", "location", "split", "note")}
    about |= {"description": claim.description, "short": claim.id.rpartition("-")[2]}
    about |= {"metric": claim.metric, "axis": claim.axis, "is_score": claim.metric in SCORES}
    words = f"{METRICS.get(claim.metric, claim.metric)} {axis_words(claim.axis)}".strip()
    return about | {"score": words, "reported": claim.with_sd, "value": _number(claim.value)}


def _measured(claim: Claim, mine: list[Record], measured: list[Record]) -> dict:
    """Our reading, leak-free, floor, ceiling and share, each as a number and as words."""
    by = {record.protocol: record for record in reversed(mine) if record.protocol != ARITHMETIC}
    published = by.get("as_published")
    free = by.get("repaired") or by.get(None)
    row = {"published": _words(claim, published), "free": _words(claim, free)}
    nearest = _with_range(free or published, measured)
    naive = best_baseline(nearest, measured) if nearest else None
    floor = getattr(nearest, "floor", None)
    floor = naive.value if floor is None and naive else floor
    ceiling, share = getattr(nearest, "ceiling", None), getattr(nearest, "share", None)
    row["floor"] = "" if floor is None else claim.show(floor)
    row["ceiling"] = "" if ceiling is None else f"{ceiling:.2f}"
    row["share"] = "" if share is None else percent(share)
    row["chapter"] = nearest.chapter if nearest else None
    row["numbers"] = {
        "published": _number(getattr(published, "value", None)),
        "free": _number(getattr(free, "value", None)),
        "sd": getattr(free, "sd", None),
        "floor": _number(floor),
        "ceiling": ceiling,
    }
    row["plot"] = ""
    if claim.metric in SCORES and nearest:
        row["plot"] = marks.strip(claim.metric, _number(claim.value), **row["numbers"])
    return row


def _with_range(record: Record | None, measured: list[Record]) -> Record | None:
    """The record, or the same run in another table, where its floor and its ceiling stand.

    Runs are the same where their scores agree to the last digit.
    """
    if record is None or record.floor is not None:
        return record
    same = ("value", "sd", "chapter", "edition", "metric", "axis", "split", "protocol")
    twins = (
        other
        for other in measured
        if other.floor is not None
        and all(getattr(other, name) == getattr(record, name) for name in same)
    )
    return next(twins, record)


def _words(claim: Claim, record: Record | None) -> str:
    """A record in the writing of its claim, with enough digits for its spread."""
    if record is None:
        return ""
    if isinstance(record.value, float) and claim.metric in SCORES:
        return pm(record.value, record.sd, 3 if claim.metric in NAMES else claim.decimals + 1)
    return claim.show(record.value)


def _sum(claim: Claim, record: Record | None) -> str:
    if record is None:
        return ""
    return f"{claim.show(record.value)}, {record.reason}"


def _number(value: object) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None


def _none(value: object) -> object:
    return None if value is None or value != value else value


def _grouped(papers: dict[str, Paper], rows: list[dict], scores: bool) -> Iterator[tuple]:
    """Paper by paper, those that have been run first; then table by table of the paper.

    With each table come the reasons that all its rows share.
    """
    ran = {row["paper"] for row in rows if row["on"]}
    for paper in sorted(papers.values(), key=lambda paper: paper.id not in ran):
        mine = [row for row in rows if row["paper"] == paper.id and row["is_score"] == scores]
        places = dict.fromkeys(row["location"] for row in mine)
        tables = []
        for place in places:
            inside = [row for row in mine if row["location"] == place]
            shared = _shared([row["reason"] for row in inside if row["on"]])
            for row in inside:
                row["own"] = "; ".join(
                    clause for clause in _clauses(row["reason"]) if clause not in shared
                )
            tables.append((place, "; ".join(shared), inside))
        yield paper, tables, {place for place, _, inside in tables if len(inside) <= OPEN}


def _clauses(reason: str | None) -> list[str]:
    return [clause.strip() for clause in (reason or "").split(";") if clause.strip()]


def _shared(reasons: list[str]) -> list[str]:
    """The clauses that all reasons of a table have, where there are several reasons."""
    if len(reasons) < 2:
        return []
    every = [_clauses(reason) for reason in reasons]
    return [clause for clause in every[0] if all(clause in other for other in every)]


def _by_paper(papers: dict[str, Paper], decided: list[dict]) -> Iterator[tuple]:
    """The conclusions of each paper; those of papers that have been run come first."""
    ran = {row["paper"] for row in decided if row["status"] != conclusions.NOT_RUN}
    for paper in sorted(papers.values(), key=lambda paper: paper.id not in ran):
        mine = [row for row in decided if row["paper"] == paper.id]
        for row in mine:
            found = row["evidence"] or []
            row["plot"] = marks.interval(found) if found else ""
            row["found"] = [(each["leaky"], conclusions.sentence(each)) for each in found]
            row["has_leak"] = any(leaky for leaky, _ in row["found"])
            row["number"] = row["id"].rpartition("-")[2]
            row["slot"] = SLOTS.index(row["status"]) + 1
        yield paper, mine, paper.id in ran


def _choices(papers: dict[str, Paper], rows: list[dict], decided: list[dict]) -> dict:
    """What a reader can choose: each of these stands in some row."""
    verdicts = {row["verdict"] for row in rows} | {row["arithmetic"] for row in rows}
    statuses = {row["status"] for row in decided}
    ways = {way for row in rows for way in row["checked"].split()}
    return {
        "paper": {paper.id: paper.citation for paper in papers.values()},
        "status": {s: f"{mark} {s}" for s, mark in conclusions.MARKS.items() if s in statuses},
        "verdict": {v: f"{shape} {v}" for v, shape in SHAPES.items() if v in verdicts},
        "checked": {way: words for way, words in CHECKED.items() if way in ways},
        "sort": SORTS,
    }


def _rules() -> str:
    """How a verdict is reached, from the table that reaches it."""
    groups: dict[str, list[str]] = {}
    for metric, (size, kind) in TOLERANCES.items():
        if size:
            words = f"{size:g}" if kind == "absolute" else f"{size:.0%} of the reported value"
            groups.setdefault(words, []).append(METRICS.get(metric, metric))
    sizes = "; ".join(f"{', '.join(metrics)}: {words}" for words, metrics in groups.items())
    return (
        "Only a run on the paper's own data, under its own protocol, can say that a number was "
        "reproduced or not; anything else is *not comparable*, and says why.\n"
        "A claim is *reproduced* when ours lies within the rounding of the reported number or "
        "within its reported sd; counts, shapes and texts must be equal.\n"
        "It is *within tolerance* when the two differ by no more than their two sds together, or "
        f"by no more than this ({sizes}), unless the ledger states another tolerance for it.\n"
        "Each claim is counted once, by the record nearest to the paper's own data and protocol; "
        "simulated data never count.\n"
        "What was checked against the paper's own other numbers, by arithmetic and without any "
        "data, is counted apart.\n"
    )


def _counts(papers: dict[str, Paper], folder: Path) -> list[dict]:
    """How many claims stand how: a row a paper, all of them, and those checked by arithmetic."""
    counts, sums = claims.summary(folder), claims.summary(folder, arithmetic=True)

    def row(name: str, numbers: pd.Series, all: bool = False) -> dict:
        return {"name": name, "all": all, "numbers": [numbers.sum(), *numbers]}

    rows = [row(paper.citation, counts.loc[paper.id]) for paper in papers.values()]
    rows.append(row("All papers", counts.sum(), all=True))
    if sums.to_numpy().any():
        rows.append(row("By arithmetic, without data", sums.sum()))
    return rows


def write_downloads(folder: Path, book: Path | None = None) -> None:
    """The claims and the conclusions as CSV and JSON, for who wants to count anew."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {name: value for name, value in row.items() if name not in ("plot", "numbers", "is_score")}
        | {f"{name}_number": value for name, value in row["numbers"].items()}
        | {"reported_number": row["value"]}
        for row in questions(book)
    ]
    tables = {"claims": pd.DataFrame(rows), "conclusions": conclusions.decided(folder=book)}
    for name, table in tables.items():
        written = json.dumps(json.loads(table.to_json(orient="records")), indent=1)
        (folder / f"scoreboard_{name}.json").write_text(written + "\n", encoding="utf-8")
        flat = table.map(lambda cell: json.dumps(cell) if isinstance(cell, list) else cell)
        flat.to_csv(folder / f"scoreboard_{name}.csv", index=False)
