"""Claims that a paper's own other numbers can check, without data and without a model.

The ledger says how, for one claim at a time:

    [[arithmetic]]
    claim = "itzhacky2021-C029"         # genes below r = 0.2
    says = "all targets minus those above 0.2"
    plus = ["itzhacky2021-C010"]
    minus = ["itzhacky2021-C028"]       # or mean = true, for the mean of `plus`
"""

from collections.abc import Mapping
from pathlib import Path

from cdp_lib.claims.ledger import claims, files
from cdp_lib.claims.recorded import ARITHMETIC, Record
from cdp_lib.errors import InputError, nearest

FIELDS = {"claim", "says", "plus", "minus", "mean"}


def checked(folder: Path | None = None) -> tuple[Record, ...]:
    """A record for each check that the ledger names."""
    known = {claim.id: claim for claim in claims(folder=folder)}
    return tuple(
        _check(path, row, known, text.get("chapter") or "")
        for path, text in files(folder)
        for row in text["arithmetic"]
    )


def _check(path: Path, row: Mapping, known: Mapping, chapter: str) -> Record:
    odd = {"claim", "says", "plus"} - set(row) or set(row) - FIELDS
    if odd:
        raise InputError(f"{path}: an arithmetic check lacks or does not know {min(odd)}; mend it.")
    named = [row["claim"], *row["plus"], *row.get("minus", [])]
    if unknown := [id for id in named if id not in known]:
        raise InputError(f"{path}: there is no claim {unknown[0]!r}; {nearest(unknown[0], known)}")
    total = sum(known[id].value for id in row["plus"])
    total -= sum(known[id].value for id in row.get("minus", []))
    value = total / len(row["plus"]) if row.get("mean") else total
    return Record(
        f"arithmetic/{row['claim']}", value, "official", chapter, claim=row["claim"],
        protocol=ARITHMETIC, reason=row["says"],
    )  # fmt: skip
