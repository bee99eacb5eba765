"""How a mean of several models grows with their number: views of what was fitted.

A kind of member, m[0], ..., m[K - 1], has K scores of n members in a row (m[k], ..., m[k + n - 1],
counted round), and their mean is the score of n members, whichever stands first.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.evaluate.predictions import Metric, Predictions


def by_count(
    P: Predictions, kinds: Mapping[str, Sequence[str]], metric: Metric = "spearman"
) -> dict[str, pd.DataFrame]:
    """kind -> a table with the columns `mean`, `least` and `most`, by the number of members.

    `kinds` leads from a name to its members, models of P; the score is that of perturbations.
    """
    found = {}
    for kind, members in kinds.items():
        members = list(members)
        if len(set(members)) < len(members) or not members:
            raise InputError(f"The kind {kind!r} has {len(members)} members: name each once.")
        twice = members * 2
        runs = {
            f"{n}, {first}": twice[first : first + n]
            for n in range(1, len(members) + 1)
            for first in range(len(members) if n < len(members) else 1)
        }
        scores = P.only(members).mean_of(runs).only(runs).summary(metric)
        number = scores["model"].str.partition(",")[0].astype(int)
        found[kind] = scores.groupby(number.to_numpy())["mean"].agg(["mean", "min", "max"])
        found[kind].columns = ["mean", "least", "most"]
    return found
