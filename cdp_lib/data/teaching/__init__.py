"""The teaching cohort: simulated measurements whose truth is known."""

from cdp_lib.data.teaching.cohort import Truth, root, truth, version, write

__all__ = ["Truth", "root", "truth", "version", "write"]
