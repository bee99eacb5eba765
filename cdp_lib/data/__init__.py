"""Data in: what exists upstream, what is here, and the aligned tables that a chapter receives.

Each name is imported when it is first asked for, so that `cdp data list` need not load pandas.
"""

from importlib import import_module

HOMES = {
    "Cohort": "cohort",
    "confounders": "confounding",
    "drug_features": "chemistry",
    "gene_features": "gene_sets",
    "with_confounders": "confounding",
    "PairScreen": "pairs",
    "fetch": "files.download",
    "line_names": "studies",
    "load": "studies",
    "mean_of_repeats": "checks",
}
__all__ = [
    "Cohort",
    "PairScreen",
    "confounders",
    "drug_features",
    "fetch",
    "gene_features",
    "line_names",
    "load",
    "mean_of_repeats",
    "with_confounders",
]


def __getattr__(name: str):
    if name not in HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
