"""Any model, any split, all naive baselines beside it."""

from cdp_lib.evaluate.cross_validation import cross_validate, summary
from cdp_lib.evaluate.fitting import fitted, naive_baselines
from cdp_lib.evaluate.search import Search

__all__ = ["Search", "cross_validate", "fitted", "naive_baselines", "summary"]
