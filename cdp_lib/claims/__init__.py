"""What the papers report, what was measured, and the verdict."""

from cdp_lib.claims.conclusions import Conclusion, conclusion, drawn, evidence
from cdp_lib.claims.kept import cell, keep, keep_not_run, keep_sizes
from cdp_lib.claims.ledger import Claim, Paper, claim, claims, papers, root
from cdp_lib.claims.recorded import Record, Run, records, runs
from cdp_lib.claims.verdicts import (
    NOT_COMPARABLE,
    NOT_RUN,
    VERDICTS,
    judge,
    settled,
    standing,
    summary,
    table,
    tolerance,
    verdict,
)

__all__ = [
    "NOT_COMPARABLE", "NOT_RUN", "VERDICTS", "Claim", "Conclusion", "Paper", "Record", "Run",
    "cell", "claim", "claims", "conclusion", "drawn", "evidence", "judge", "keep", "keep_not_run",
    "keep_sizes", "papers", "records", "root", "runs", "settled", "standing", "summary", "table",
    "tolerance", "verdict",
]  # fmt: skip
