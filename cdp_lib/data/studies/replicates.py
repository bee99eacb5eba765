"""What was measured a second time, in the form that `Predictions.ceiling` takes.

Each function answers with a second response (lines x perturbations, under the names of the cohort)
or with r by perturbation over the lines that both share.  Read what each does and does not bound:

- the same assay, done again (two ids, both orders) is a replicate, so sqrt(r) is a ceiling;
- another assay of the same question (RNAi, another project) shares the question and not the errors,
  so sqrt(r) bounds agreement: a model may well predict one assay better than another assay does.
"""

import numpy as np
import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.data.cohort import Cohort
from cdp_lib.data.ids import normalised
from cdp_lib.data.pairs import PairScreen
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.sources import source_of
from cdp_lib.data.studies.twice import areas, mirrored
from cdp_lib.errors import InputError

LEAST = 20  # lines that both must share


def two_ids(cohort: Cohort) -> pd.DataFrame:
    """The other id's response of each compound that GDSC screened under two ids: 15 in release 17.

    A second response under the names of the first: the column "JQ1 (163)" holds what "JQ1 (1218)"
    measured. Both ids belong to one project, and some pairs to its two sites and to other dose
    ranges, so their r falls short of a mere repeat and the ceiling is rather too low.
    """
    group = cohort.perturbations["group"]
    names = group.index.to_series().groupby(group).agg(list)
    twice = [pair for pair in names if len(pair) == 2]
    if not twice:
        raise InputError(f"No compound of {cohort.name} has two ids: ask for another ceiling.")
    Y = cohort.Y
    return pd.DataFrame({a: Y[b] for pair in twice for a, b in (pair, pair[::-1])}, index=Y.index)


def both_orders(screen: PairScreen) -> pd.Series:
    """The reliability of the pairs that ALMANAC holds in both orders, A + B and B + A: 113.

    With r between the two orders, the mean of both, which is what the screen holds, has

        r of the mean = 2 r / (1 + r)        (Spearman and Brown)

    Both orders stand in one screen, often on other days and plates, so this is a replicate. It
    bounds these 113 pairs; a pair that stands there once has r and not 2 r / (1 + r).
    """
    first, turned = mirrored(source_of(screen.edition))
    r = first.corrwith(turned).where((first.notna() & turned.notna()).sum() >= LEAST)
    label = dict(zip(screen.drugs["nsc"].astype(str), screen.drugs.index, strict=True))
    ends = screen.perturbations[["drug_a", "drug_b"]].to_numpy()
    names = {frozenset(pair): name for name, pair in zip(screen.Y.columns, ends, strict=True)}
    pairs = [names.get(frozenset(label.get(nsc) for nsc in p.split("_"))) for p in r.index]
    r = r.set_axis(pd.Index(pairs))[[pair is not None for pair in pairs]]
    return 2 * r.clip(lower=0) / (1 + r.clip(lower=0))


def other_assay(cohort: Cohort, assay: str = "RNAi") -> pd.Series:
    """r over lines between a cohort of genes and the classes of CRISPR (22Q1) or RNAi (19Q3).

    The sign is such that agreement is positive. Classes of CRISPR beside the gene effect of 20Q2
    share most of their raw reads, so this is what another processing leaves, and no second
    experiment; cutting into three classes costs some of it. RNAi is another assay: its r bounds
    agreement, and says nothing of what a model can reach on CRISPR.
    """
    source = source_of(cohort.edition)
    _, ids = sources.read_lines(source, None)
    assay = source.choice("dependency-classes", "assay", assay)
    release = source.choice("dependency-classes", "release")
    return _r(cohort, source.lines(f"classes {assay}", ids, release), not cohort.lower_is_sensitive)


def other_project(cohort: Cohort, project: str) -> pd.Series:
    """r over lines between a cohort of drugs and the AUC of "PRISM", "CTD2" or "GDSC".

    By the name of the drug; both are low where a line is sensitive. Projects differ in assay, doses
    and lines, so r bounds agreement, and says nothing of what a model can reach on one of them.
    """
    source = source_of(cohort.edition)
    known = {name.split(",")[0]: name for name in areas(source) if name.endswith("AUC")}
    if project not in known:
        raise InputError(
            f"There is no AUC of {project!r} in the {cohort.edition} edition: choose from "
            f"{', '.join(known)}."
        )
    _, ids = sources.read_lines(source, None)
    other = areas(source)[known[project]]
    other = ids.to_ach(other.index, "name").rename(other)
    by_name = {normalised(drug): drug for drug in other.columns}
    name = cohort.perturbations["name"].map(normalised).map(by_name)
    same = name[name.notna() & ~name.duplicated(keep=False)]
    return _r(cohort, other[same].set_axis(same.index, axis=1), True)


def _r(cohort: Cohort, other: pd.DataFrame, same_sign: bool) -> pd.Series:
    """Pearson's r of each perturbation over the lines of both; NaN where they are fewer than 20."""
    Y = cohort.Y
    lines, columns = Y.index.intersection(other.index), Y.columns.intersection(other.columns)
    if not len(lines) or not len(columns):
        raise InputError(
            f"{cohort.name} ({few(Y.columns)}) shares {len(lines)} lines and {len(columns)} "
            "perturbations with the other measurement: nothing can be compared."
        )
    one, two = Y.loc[lines, columns].astype(float), other.loc[lines, columns].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = one.corrwith(two).where((one.notna() & two.notna()).sum() >= LEAST)
    return (r if same_sign else -r).rename("r")
