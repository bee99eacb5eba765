"""What a paper reports, what we measured, and the verdict.

A *claim* is one thing that a paper reports (`ledger.py` reads ``book/claims/<paper>.toml``).
A *record* is one thing that we measured (`records.py` reads ``book/results``).
With d = |ours - reported|:

    d <= max(rounding of the reported number, its reported sd)    reproduced
    d <= tolerance of the claim                                   within tolerance
    otherwise                                                     not reproduced

Counts and shapes are reproduced when they are equal.  A record that says why it cannot be
compared is "not comparable", and so is every record from simulated data.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from cdp_lib.claims.ledger import TOLERANCES, Claim, claims, papers
from cdp_lib.claims.recorded import ARITHMETIC, Record, best_baseline, records
from cdp_lib.data.editions import EDITIONS
from cdp_lib.errors import InputError

VERDICTS = ("reproduced", "within tolerance", "not reproduced", "not comparable", "not run")
REPRODUCED, WITHIN, NOT_REPRODUCED, NOT_COMPARABLE, NOT_RUN = VERDICTS


def tolerance(claim: Claim, reported: float | None = None) -> float:
    """How far ours may lie from the reported number (from one side of a shape: `reported`)."""
    if claim.tolerance is not None:
        return claim.tolerance
    size, kind = TOLERANCES[claim.metric]
    if kind == "absolute":
        return size
    return size * abs(claim.value if reported is None else reported)


def judge(claim: Claim, record: Record | None) -> tuple[str, str]:
    """The verdict on one record, and its reason."""
    if record is None:
        return NOT_RUN, "no record yet"
    if record.edition == "teaching" and record.protocol != ARITHMETIC:
        return NOT_COMPARABLE, "simulated data cannot confirm a claim"
    if not record.comparable:
        return NOT_COMPARABLE, record.reason
    if record.value is None:
        return NOT_RUN, record.reason
    if record.metric is not None and record.metric != claim.metric:
        return NOT_COMPARABLE, f"the record holds {record.metric}, the claim {claim.metric}"
    if None not in (record.axis, claim.axis) and record.axis != claim.axis:
        return NOT_COMPARABLE, f"the record is per {record.axis}, the claim per {claim.axis}"
    if claim.metric in ("text", "statement"):
        return _judge_words(claim, record.value)
    return _judge_numbers(claim, record.value)


def verdict(claim: Claim, record: Record | None) -> str:
    """One of `VERDICTS`."""
    return judge(claim, record)[0]


def _judge_words(claim: Claim, ours: object) -> tuple[str, str]:
    if claim.metric == "statement":
        if not isinstance(ours, bool):
            return NOT_COMPARABLE, "the claim is a statement, the record must be true or false"
        return (REPRODUCED if ours else NOT_REPRODUCED), claim.show(ours)
    same = " ".join(str(ours).split()).casefold() == " ".join(claim.value.split()).casefold()
    return (REPRODUCED, "same text") if same else (NOT_REPRODUCED, "another text")


def _judge_numbers(claim: Claim, ours: object) -> tuple[str, str]:
    theirs = claim.value if isinstance(claim.value, tuple) else (claim.value,)
    ours = tuple(ours) if isinstance(ours, (list, tuple)) else (ours,)
    if len(ours) != len(theirs) or any(isinstance(part, (bool, str)) for part in ours):
        return NOT_COMPARABLE, f"the record does not hold what the claim does ({claim.metric})"
    if any(math.isnan(part) for part in ours):
        return NOT_COMPARABLE, "our run gave no number"
    apart = [abs(our - their) for our, their in zip(ours, theirs)]
    precise = max(claim.rounding, claim.sd or 0.0)
    allowed = [tolerance(claim, their) for their in theirs]
    grain = 1e-9  # binary fractions: 0.555 - 0.55 is 0.005000000000000004
    if all(gap <= precise + grain for gap in apart):
        return REPRODUCED, "within the reported rounding or sd" if precise else "equal"
    if all(gap <= size + grain for gap, size in zip(apart, allowed)):
        return WITHIN, f"within {_size(max(allowed))}"
    return NOT_REPRODUCED, f"{_size(max(apart))} apart"


def _size(gap: float) -> str:
    return f"{gap:,.0f}" if gap >= 1000 else f"{gap:.3g}"


def settled(claim: Claim, mine: list[Record]) -> tuple[str, str]:
    """One verdict from a claim's records: real data only (no simulation, no mere arithmetic),
    official before pocket, as published before anything else; where several are equally near to
    the paper's own, the worst counts.
    """
    real = [r for r in mine if r.edition != "teaching" and r.protocol != ARITHMETIC]
    if not real:
        return NOT_RUN, "no record from real data yet"
    nearest = min(_distance(record) for record in real)
    return _worst(claim, [record for record in real if _distance(record) == nearest])


def _worst(claim: Claim, mine: list[Record]) -> tuple[str, str]:
    severity = (NOT_RUN, REPRODUCED, WITHIN, NOT_COMPARABLE, NOT_REPRODUCED)
    found = [judge(claim, record) for record in mine]
    return max(found, key=lambda pair: severity.index(pair[0]))


def table(
    paper: str | None = None, edition: str | None = None, folder: Path | None = None
) -> pd.DataFrame:
    """A row a claim and record: reported, ours, the best baseline on the same rows, the verdict.

    A claim without a record (in this edition) has one row, "not run".
    """
    if edition is not None and edition not in EDITIONS:
        raise InputError(f"There is no edition {edition!r}; there are {', '.join(EDITIONS)}.")
    measured = [r for r in records(folder) if edition in (None, r.edition)]
    rows = []
    for claim in claims(paper, folder):
        mine = sorted((r for r in measured if r.claim == claim.id), key=_distance) or [None]
        for record in mine:
            row = {"claim": claim.id, "paper": claim.paper, "location": claim.location}
            row |= {"description": claim.description, "metric": claim.metric, "axis": claim.axis}
            row |= {"reported": claim.reported, "reported_sd": claim.sd, "split": claim.split}
            row |= _ours(claim, record, best_baseline(record, measured) if record else None)
            row["verdict"], row["reason"] = judge(claim, record)
            rows.append(row | {"note": claim.note})
    return pd.DataFrame(rows)


def summary(folder: Path | None = None, *, arithmetic: bool = False) -> pd.DataFrame:
    """Papers x verdicts: how many claims are settled which way, on real data.

    arithmetic=True counts the claims that were checked by arithmetic alone, without any data.
    """
    measured = records(folder)
    counts = {head: dict.fromkeys(VERDICTS, 0) for head in papers(folder)}
    if arithmetic:
        measured = [record for record in measured if record.protocol == ARITHMETIC]
    for claim in claims(folder=folder):
        mine = [record for record in measured if record.claim == claim.id]
        if mine or not arithmetic:
            found, _ = _worst(claim, mine) if arithmetic else settled(claim, mine)
            counts[claim.paper][found] += 1
    return pd.DataFrame.from_dict(counts, orient="index", columns=list(VERDICTS))


def _ours(claim: Claim, record: Record | None, baseline: Record | None) -> dict:
    fields = ("chapter", "edition", "protocol", "key", "n")
    row = {field: getattr(record, field, None) for field in fields}
    row["ours"] = claim.show(record.value) if record and record.value is not None else ""
    row["ours_sd"] = record.sd if record else None
    row["baseline"] = claim.show(baseline.value) if baseline else ""
    return row


def _distance(record: Record) -> tuple[int, bool]:
    """How far a record is from the paper's own data and protocol."""
    return list(EDITIONS).index(record.edition), record.protocol not in (None, "as_published")
