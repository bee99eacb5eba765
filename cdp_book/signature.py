"""The signature figure: from the number that a paper reports to the one that nothing leaked into.

A row is a paper that has been run, on an axis of its own from 0 to 1: an arrow leads from the
reported to the leak-free score, past our reading of the published protocol; up to the best naive
baseline the axis is shaded.  Where the paper reports no score, or ours has another target, the
arrow begins at our reading.  Every number is from the ledger or a record of real data.
"""

from __future__ import annotations

import textwrap
from html import escape
from pathlib import Path

from cdp_lib import claims
from cdp_lib.claims.ledger import Paper
from cdp_lib.claims.recorded import Record
from cdp_lib.claims.scores import pm
from cdp_lib.data.editions import EDITIONS

ROLES = ("published", "repaired", "baseline")
# on its own the file follows the reader's system; within a page it takes the ink of the page
STYLE = """\
<style>
.cdp-sig { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 14px; }
.cdp-sig text { fill: currentColor; }
.cdp-sig .title { font-size: 17px; font-weight: 700; }
.cdp-sig .name { font-weight: 700; }
.cdp-sig .small { font-size: 12px; }
.cdp-sig .axis { stroke: var(--cdp-baseline, #767676); stroke-width: 1; }
.cdp-sig .floor { fill: var(--cdp-baseline, #767676); fill-opacity: 0.3; }
.cdp-sig .arrow { stroke: currentColor; stroke-width: 2; }
.cdp-sig .head, .cdp-sig .reported { fill: currentColor; }
.cdp-sig .baseline { fill: var(--cdp-baseline, #767676); }
.cdp-sig .published { fill: var(--cdp-published, #d55e00); }
.cdp-sig .repaired { fill: var(--cdp-repaired, #0072b2); }
.cdp-sig .sd { stroke: var(--cdp-repaired, #0072b2); stroke-width: 3; }
</style>"""
ALONE = """\
<style>
svg { color: #24292f; }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3; } }
</style>"""

WIDTHS = """\
<style>
.cdp-signature-narrow { display: none; }
.bd-article figure.cdp-signature figcaption {
  padding: 0; font-size: 0.9rem; letter-spacing: normal; opacity: 1;
  color: var(--pst-color-text-base);
}
@media (max-width: 36rem) {
  .cdp-signature-wide { display: none; }
  .cdp-signature-narrow { display: block; }
}
</style>"""


def rows() -> list[dict]:
    """A row a paper that has been run: its claim, a record a role, where its arrow starts."""
    real = [r for r in claims.records() if r.edition != "teaching" and r.value is not None]
    real.sort(key=lambda record: list(EDITIONS).index(record.edition))
    found = []
    for paper in claims.papers().values():
        claim = claims.claim(paper.headline["claim"])
        row = {"paper": paper, "claim": claim, "reported": None} | {
            role: next((r for r in real if r.key == paper.headline[role]), None) for role in ROLES
        }
        if isinstance(claim.value, float):
            row["reported"] = claim.value
        told = [r.reason for r in real if r.claim == claim.id and r.protocol == "repaired"]
        row["why"] = next(filter(None, told), "")
        if row["repaired"]:
            row["target"] = paper.headline.get("target") if row["why"] else None
            other = row["target"] or row["reported"] is None
            row["start"] = "published" if other and row["published"] else "reported"
            if row["start"] == "published" or row["reported"] is not None:
                found.append(row)
    return sorted(found, key=lambda row: (row["start"] == "published", -_drop(row)))


def _drop(row: dict) -> float:
    """How long the arrow is."""
    start = row["reported"] if row["start"] == "reported" else row["published"].value
    return start - row["repaired"].value


def finding(found: list[dict]) -> str:
    """The title: what the largest arrow says, by two runs on the same data where there are two."""
    if not found:
        return "No paper has been run on real data yet"
    first = found[0]
    free = f"{first['repaired'].value:.2f} when no stage has seen what is tested"
    if first["published"]:
        return f"On the same data, {first['published'].value:.2f} becomes {free}"
    return f"{first['claim'].reported} is reported, and {free}"


def not_run(found: list[dict]) -> str:
    """One line for the papers that wait."""
    ran = {row["paper"].id for row in found}
    waiting = [paper for paper in claims.papers().values() if paper.id not in ran]
    return f"Not run yet: {'; '.join(map(_waits, waiting))}." if waiting else ""


def _waits(paper: Paper) -> str:
    claim = claims.claim(paper.headline["claim"])
    return f"{paper.citation} ({claim.reported})" if claim.value is not None else paper.citation


def signature(path: Path, narrow: bool = False) -> Path:
    """Write the figure as a file of its own; the same input, the same bytes."""
    path = Path(path)
    path.write_text(drawing(narrow, ALONE), encoding="utf-8")
    return path


def figure() -> str:
    """The figure for a page: both widths, of which the page shows the one that fits."""
    return (
        f'<figure class="cdp-signature">\n{WIDTHS}\n'
        f'<div class="cdp-signature-wide">{drawing(False)}</div>\n'
        f'<div class="cdp-signature-narrow">{drawing(True)}</div>\n'
        f"<figcaption>{escape(caption(rows()))}</figcaption>\n</figure>"
    )


def caption(found: list[dict]) -> str:
    """What the arrow means, and from which data our numbers come."""
    words = [
        "An arrow leads from the number that a paper reports to the one that the same model "
        "reaches here when nothing of what is tested has touched its training; up to the naive "
        "floor, which knows no feature of any line or drug, the axis is shaded.",
        "Our reading is the published protocol, with our own choice where the text is silent.",
    ]
    for row in found:
        why = f": {row['why']}" if row["why"] else ""
        words.append(
            f"{row['paper'].citation}, ours: real measurements of the {row['repaired'].edition} "
            f"edition, not comparable with the reported number{why}."
            if row["reported"] is not None
            else f"{row['paper'].citation} report no score; ours: real measurements of the "
            f"{row['repaired'].edition} edition."
        )
        if row["start"] == "published":
            begins = f"Ours is {row['target']}, so the" if row["target"] else "The"
            words.append(f"{begins} arrow begins at our reading.")
    return " ".join(words)


def drawing(narrow: bool = False, style: str = "") -> str:
    """The figure as SVG."""
    found = rows()
    width, high = (360, 150) if narrow else (780, 84)
    title = _wrapped(finding(found), 32 if narrow else 200)
    top = 22 * len(title) + 14
    parts = [
        f'<text x="0" y="{20 + 22 * number}" class="title">{escape(line)}</text>'
        for number, line in enumerate(title)
    ]
    for number, row in enumerate(found):
        parts.append(_row(row, top + high * number, narrow))
    last = top + high * len(found)
    waiting = _wrapped(not_run(found), 60 if narrow else 130)
    for number, line in enumerate(waiting):
        y = last + 22 + 16 * number
        parts.append(f'<text x="0" y="{y}" class="small" opacity="0.8">{escape(line)}</text>')
    height = last + 16 * len(waiting) + 16
    name = f"cdp-sig-{'narrow' if narrow else 'wide'}"
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cdp-sig" viewBox="0 0 {width} {height}" '
        f'width="100%" role="img" aria-labelledby="{name}-t {name}-d">\n'
        f'<title id="{name}-t">{escape(finding(found))}</title>\n'
        f'<desc id="{name}-d">{escape(said(found))}</desc>\n{STYLE}{style}\n{body}\n</svg>'
    )


def _row(row: dict, top: float, narrow: bool) -> str:
    """One paper: who and what, the axis with its marks, and the numbers in words."""
    left, right, y = (8, 352, top + 82) if narrow else (220, 772, top + 30)
    numbers = [] if row["reported"] is None else [("reported", row["reported"])]
    numbers += [(role, row[role].value) for role in ROLES if row[role]]
    lowest = min(0.0, *(value for _, value in numbers))

    def x(value: float) -> float:
        return round(left + (right - left) * (value - lowest) / (1 - lowest), 1)

    known = dict(numbers)
    name, detail = escape(row["paper"].citation), escape(row["paper"].headline["detail"])
    parts = [
        f'<text x="0" y="{top + 26}" class="name">{name}</text>',
        f'<text x="0" y="{top + 44}" class="small">{detail}</text>',
    ]
    if "baseline" in known:
        wide = max(x(known["baseline"]) - left, 1)
        parts.append(
            f'<rect x="{left}" y="{y - 16}" width="{wide:.1f}" height="32" class="floor"/>'
        )
    parts.append(f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" class="axis"/>')
    for value, anchor in ((lowest, "start"), (1, "end")):
        parts.append(
            f'<text x="{x(value)}" y="{y - 20}" class="small" text-anchor="{anchor}">'
            f"{value:.3g}</text>"
        )
    parts.append(_arrow(x(known[row["start"]]), x(known["repaired"]), y))
    sd = row["repaired"].sd or 0.0
    free = known["repaired"]
    parts.append(
        f'<line x1="{x(max(free - sd, lowest))}" x2="{x(free + sd)}" y1="{y}" y2="{y}" class="sd"/>'
    )
    parts += [_mark(role, x(value), y) for role, value in numbers if role != "baseline"]
    lines = _legend(row, narrow)
    for number, line in enumerate(lines):
        at = y + 34 + 17 * number
        parts.append(f'<text x="{left}" y="{at}" class="small">{line}</text>')
    return "\n".join(parts)


def _arrow(start: float, end: float, y: float) -> str:
    """From the reported to the leak-free mark, its head just before the mark."""
    side = 1 if end > start else -1
    tip = end - 8 * side
    return (
        f'<line x1="{start}" x2="{tip - 6 * side:.1f}" y1="{y}" y2="{y}" class="arrow"/>'
        f'<polygon points="{tip:.1f},{y} {tip - 9 * side:.1f},{y - 5} {tip - 9 * side:.1f},{y + 5}"'
        ' class="head"/>'
    )


def _mark(role: str, x: float, y: float) -> str:
    if role == "repaired":
        return f'<circle cx="{x}" cy="{y}" r="7" class="repaired"/>'
    points = {
        "reported": f"{x - 8},{y} {x},{y - 8} {x + 8},{y} {x},{y + 8}",
        "published": f"{x - 7},{y + 6} {x},{y - 8} {x + 7},{y + 6}",
    }[role]
    return f'<polygon points="{points}" class="{role}"/>'


GLYPHS = {"reported": "◆", "published": "▲", "repaired": "●", "baseline": "■"}
WORDS = {
    "reported": "reported",
    "published": "our reading",
    "repaired": "leak-free",
    "baseline": "naive floor",
}


def _legend(row: dict, narrow: bool) -> list[str]:
    """The numbers with their marks, in one line or, on a phone, in two."""
    words = [] if row["reported"] is None else [("reported", row["claim"].reported)]
    words += [(role, _number(row[role], role)) for role in ROLES if row[role]]
    told = [
        f'<tspan class="{role}">{GLYPHS[role]}</tspan> {escape(number)} {WORDS[role]}'
        for role, number in words
    ]
    between = "&#160;&#160; "
    return [between.join(told[:2]), between.join(told[2:])] if narrow else [between.join(told)]


def _number(record: Record, role: str) -> str:
    return pm(record.value, record.sd if role == "repaired" else None, 3)


def said(found: list[dict]) -> str:
    """One sentence a row, for who cannot see the figure."""
    sentences = []
    for row in found:
        parts = [] if row["reported"] is None else [f"reported {row['claim'].with_sd}"]
        parts += [f"{WORDS[role]} {_number(row[role], role)}" for role in ROLES if row[role]]
        detail = row["paper"].headline["detail"]
        sentences.append(f"{row['paper'].citation}, {detail}: {', '.join(parts)}.")
    return " ".join([*sentences, not_run(found)]).strip()


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width)
