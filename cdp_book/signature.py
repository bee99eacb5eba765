"""The signature figure of the book, drawn from the ledger and from records of real data alone."""

from __future__ import annotations

from pathlib import Path

from cdp_lib import claims
from cdp_lib.data.editions import EDITIONS
from cdp_lib.figures.dumbbells import ROLES, dumbbell
from cdp_lib.figures.vector import svg


def signature(path: Path, narrow: bool = False) -> Path:
    """Write the figure as SVG from the ledger and the records; the same input, the same bytes."""
    real = [record for record in claims.records() if record.edition != "teaching"]
    real.sort(key=lambda record: list(EDITIONS).index(record.edition))
    rows = []
    for paper in claims.papers().values():
        claim = claims.claim(paper.headline["claim"])
        metric = "spearman" if claim.metric == "statement" else claim.metric
        row = {"label": paper.citation, "detail": paper.headline["detail"], "metric": metric}
        row |= {"reported": claim.value, "reported_sd": claim.sd}
        for role in ROLES[1:]:
            key = paper.headline[role]
            found = next((r for r in real if r.key == key and r.value is not None), None)
            if found is not None:
                row |= {role: found.value, f"{role}_sd": found.sd}
        rows.append(row)
    rows.sort(key=lambda row: -1 if row["reported"] is None else row["reported"], reverse=True)
    path = Path(path)
    path.write_text(svg(dumbbell(rows, narrow), "signature"), encoding="utf-8")
    return path
