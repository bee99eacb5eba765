"""What is known of a line besides its molecules, as features: lineage, sex, culture, screen.

A model that sees these alone is the null of a model that sees omics: where it scores as much, omics
may have told no more than where a line comes from, how it grows and how well it was screened.

    confounders(cohort)          lines x features: 0 or 1 for a category, z-scores for a number
    with_confounders(cohort)     the cohort with these as one more omics table, "confounders"
"""

from dataclasses import replace

import pandas as pd

from cdp_lib.data.cohort import Cohort

CATEGORIES = {"lineage": "tissue", "sex": "sex", "culture": "culture"}
NUMBERS = {"screen quality (NNMD)": "nnmd", "Cas9 activity": "cas9"}
UNKNOWN = ("unknown", "nan", "none", "")


def confounders(cohort: Cohort) -> pd.DataFrame:
    """One row a line: 0/1 for each lineage, sex and kind of culture, and the quality of its screen.

    A category that is not known is all 0; a number that is not known is 0, the mean, and 1 in the
    column "... unknown". What the cohort's table of lines does not have has no column, and neither
    has what is alike in all lines.
    """
    lines = cohort.lines
    parts = []
    for name, column in CATEGORIES.items():
        if column in lines:
            words = lines[column].fillna("unknown").astype(str).str.strip().str.lower()
            words = words.map(way_of_growing) if column == "culture" else words
            words = words.where(~words.isin(UNKNOWN))
            parts.append(pd.get_dummies(words, prefix=name, prefix_sep=": ", dtype=float))
    for name, column in NUMBERS.items():
        if column in lines:
            number = pd.to_numeric(lines[column], errors="coerce")
            z = (number - number.mean()) / number.std()
            parts.append(pd.DataFrame({name: z.fillna(0), f"{name} unknown": number.isna() * 1.0}))
    table = pd.concat(parts, axis=1)  # (lines, features)
    varies = table.max() > table.min()
    return table.loc[:, varies].astype("float32").rename_axis(columns="feature")


def way_of_growing(written: str) -> str:
    """One of three words for the dozen spellings of the releases: what is neither is "mixed"."""
    floats = "suspension" in written
    sticks = "adherent" in written or "epithelial" in written
    part = any(word in written for word in ("mixed", "semi", "light"))
    if part or (floats and sticks):
        return "mixed"
    return "suspension" if floats else "adherent" if sticks else "unknown"


def with_confounders(cohort: Cohort) -> Cohort:
    """The same cohort, whose omics also hold the table "confounders"."""
    return replace(cohort, omics={**cohort.omics, "confounders": confounders(cohort)})
