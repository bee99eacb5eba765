"""Lists that a paper gives: which perturbations, tissues and genes its tasks are about.

    perturbations of task 1, 3    1,539 genes      of task 2    648 drugs     of task 4    525 drugs
    perturbations of task 5       5 drugs          tissues of task 3    18    of task 4    10
    most variant genes            5,000

All are of bodinier2025, under the names in `LISTS`.  The paper does not say by which rule the genes
were chosen; they were chosen on the whole table, so a score on them is a score on chosen genes.
"""

from collections.abc import Iterable

import pandas as pd

from cdp_lib.data.cohort import Step
from cdp_lib.data.ids import normalised
from cdp_lib.data.studies.sources import Source, source_of
from cdp_lib.data.studies.tables import LISTS
from cdp_lib.errors import InputError, nearest


def paper_list(what: str, data: str = "pocket", **sizes: int) -> list[str]:
    """One of the lists of bodinier2025 by its name, such as "perturbations of task 1".

    Names come as the paper writes them, perturbations mostly in lower case; tissues are lineages of
    Oncotree (`cdp_lib.data.ids.oncotree_lineage`).  `sizes` are those of a teaching cohort.
    """
    return _read(source_of(data, **sizes), what)


def keep_listed(
    source: Source,
    Y: pd.DataFrame,
    called: pd.Series,
    wanted: str | Iterable[str],
    steps: list[Step],
) -> pd.DataFrame:
    """The perturbations that a list names, upper or lower case alike; appends the step.

    `called` is what each column of Y goes by, `wanted` the name of a list, or names.
    """
    of_paper = isinstance(wanted, str)
    names = {normalised(name) for name in (_read(source, wanted) if of_paper else wanted)}
    kept = called.map(normalised).isin(names)
    found = called[kept].map(normalised).nunique()
    said = f"{found:,} of {len(names):,} names are here"
    if found < kept.sum():
        said += f", some of them more than once ({int(kept.sum()):,} perturbations)"
    what = wanted if of_paper else "perturbations asked for"
    Y = Y.loc[:, kept.reindex(Y.columns).to_numpy()]
    steps.append(Step(what, Y.shape, None, said))
    return Y


def _read(source: Source, what: str) -> list[str]:
    if what not in LISTS:
        raise InputError(f"There is no list {what!r}; {nearest(str(what), LISTS)}")
    return source.read(what)["name"].tolist()
