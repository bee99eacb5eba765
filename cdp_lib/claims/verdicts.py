"""What a paper reports, what we measured, and the verdict.

A *claim* is one thing that a paper reports (`ledger.py` reads ``book/claims/<paper>.toml``).
A *record* is one thing that we measured (`recorded.py` reads ``book/results``).
With d = |ours - reported|:

    d <= max(rounding of the reported number, its reported sd)       reproduced
    d <= max(tolerance of the claim, sqrt(reported sd^2 + our sd^2)) within tolerance
    otherwise                                                        not reproduced

Counts and shapes are reproduced when they are equal.  Only a run on the paper's own data under its
own protocol gets one of these three: every record of the teaching and of the pocket edition, every
repaired protocol, and every record that says why, is "not comparable".

A claim may also be checked by *arithmetic*, against the paper's own other numbers
(`arithmetic.py`); such verdicts need no data and are counted apart.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from cdp_lib.claims.arithmetic import checked
from cdp_lib.claims.ledger import TOLERANCES, Claim, claims, papers
from cdp_lib.claims.recorded import ARITHMETIC, Record, best_baseline, records
from cdp_lib.data.editions import EDITIONS
from cdp_lib.errors import InputError

VERDICTS = ("reproduced", "within tolerance", "not reproduced", "not comparable", "not run")
REPRODUCED, WITHIN, NOT_REPRODUCED, NOT_COMPARABLE, NOT_RUN = VERDICTS
OTHER_DATA = {
    "teaching": "simulated data cannot confirm a claim",
    "pocket": "the pocket edition holds a part of the data, or another release",
    "own": "tables of one's own",
}


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
    if record.value is None and record.comparable:
        return NOT_RUN, record.reason
    if not record.comparable:
        return NOT_COMPARABLE, record.reason
    if record.protocol != ARITHMETIC and record.edition in OTHER_DATA:
        return NOT_COMPARABLE, record.reason or OTHER_DATA[record.edition]
    if record.protocol == "repaired":
        return NOT_COMPARABLE, record.reason or "the leak-free protocol is not the paper's own"
    if record.metric is not None and record.metric != claim.metric:
        return NOT_COMPARABLE, f"the record holds {record.metric}, the claim {claim.metric}"
    if None not in (record.axis, claim.axis) and record.axis != claim.axis:
        return NOT_COMPARABLE, f"the record is per {record.axis}, the claim per {claim.axis}"
    if claim.metric in ("text", "statement"):
        return _judge_words(claim, record.value)
    found, reason = _judge_numbers(claim, record)
    says = f"{record.reason}: " if record.protocol == ARITHMETIC and record.reason else ""
    return found, says + reason


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


def _judge_numbers(claim: Claim, record: Record) -> tuple[str, str]:
    theirs = claim.value if isinstance(claim.value, tuple) else (claim.value,)
    ours = record.value
    ours = tuple(ours) if isinstance(ours, (list, tuple)) else (ours,)
    if len(ours) != len(theirs) or any(isinstance(part, (bool, str)) for part in ours):
        return NOT_COMPARABLE, f"the record does not hold what the claim does ({claim.metric})"
    if any(math.isnan(part) for part in ours):
        return NOT_COMPARABLE, "our run gave no number"
    apart = [abs(our - their) for our, their in zip(ours, theirs)]
    precise = max(claim.rounding, claim.sd or 0.0)
    spread = math.hypot(claim.sd or 0.0, record.sd or 0.0)
    allowed = [max(tolerance(claim, their), spread) for their in theirs]
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
    real = _real(mine)
    if not real:
        return NOT_RUN, "no record from real data yet"
    nearest = min(_distance(record) for record in real)
    return _worst(claim, [record for record in real if _distance(record) == nearest])


def _real(mine: list[Record]) -> list[Record]:
    return [r for r in mine if r.edition != "teaching" and r.protocol != ARITHMETIC]


def _worst(claim: Claim, mine: list[Record]) -> tuple[str, str]:
    severity = (NOT_RUN, REPRODUCED, WITHIN, NOT_COMPARABLE, NOT_REPRODUCED)
    found = [judge(claim, record) for record in mine]
    return max(found, key=lambda pair: severity.index(pair[0]))


def standing(folder: Path | None = None) -> pd.DataFrame:
    """A row a claim, from which every page counts.

    verdict and reason are those of the real data, `on` is their edition (None: not run), and
    `arithmetic` the verdict of a check against the paper's own numbers (None: there is none).
    """
    measured, sums = records(folder), checked(folder)
    rows = []
    for claim in claims(folder=folder):
        mine = [record for record in measured if record.claim == claim.id]
        found, reason = settled(claim, mine)
        on = min(_real(mine), key=_distance).edition if found != NOT_RUN else None
        by = [r for r in (*mine, *sums) if r.claim == claim.id and r.protocol == ARITHMETIC]
        arithmetic = _worst(claim, by)[0] if by else None
        row = {"claim": claim.id, "paper": claim.paper, "metric": claim.metric}
        rows.append(row | dict(verdict=found, reason=reason, on=on, arithmetic=arithmetic))
    return pd.DataFrame(rows)


def table(
    paper: str | None = None, edition: str | None = None, folder: Path | None = None
) -> pd.DataFrame:
    """A row a claim and record: reported, ours, the best baseline on the same rows, the verdict.

    A claim without a record (in this edition) has one row, "not run".  A check by arithmetic is a
    row, too, wherever no edition is asked for.
    """
    if edition is not None and edition not in EDITIONS:
        raise InputError(f"There is no edition {edition!r}; there are {', '.join(EDITIONS)}.")
    measured = [r for r in records(folder) if edition in (None, r.edition)]
    sums = checked(folder) if edition is None else ()
    rows = []
    for claim in claims(paper, folder):
        mine = sorted((r for r in measured if r.claim == claim.id), key=_distance)
        mine += [r for r in sums if r.claim == claim.id]
        for record in mine or [None]:
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
    found = standing(folder)
    column = "arithmetic" if arithmetic else "verdict"
    counts = pd.crosstab(found["paper"], found[column].fillna("none"))
    return counts.reindex(index=list(papers(folder)), columns=list(VERDICTS), fill_value=0)


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
