"""Who is trained on, tuned on and tested on: makers of splits, folds, and published folds."""

from cdp_lib.splits.folds import ROLES, TEST, TRAIN, TUNE, UNUSED, Fold, Split
from cdp_lib.splits.makers import (
    Groups,
    assert_no_leak,
    leave_both_out,
    leave_drugs_out,
    leave_lines_out,
    leave_pairs_out,
    leave_perturbations_out,
    leave_tissues_out,
    nested,
)

__all__ = [
    "ROLES", "TRAIN", "TUNE", "TEST", "UNUSED", "Fold", "Groups", "Split", "leave_pairs_out",
    "leave_lines_out", "leave_tissues_out", "leave_perturbations_out", "leave_both_out",
    "leave_drugs_out", "nested", "assert_no_leak",
]  # fmt: skip
