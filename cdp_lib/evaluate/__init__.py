"""Any model, any split, all naive baselines beside it."""

from cdp_lib.evaluate.cross_validation import (
    Search,
    cross_validate,
    fitted,
    naive_baselines,
    summary,
)

__all__ = ["Search", "cross_validate", "fitted", "naive_baselines", "summary"]
