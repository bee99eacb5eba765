"""What a latent space keeps: are lines of one tissue, and drugs of one structure, near each other?

    found(i)       1 where most of the k nearest other lines share the tissue of line i, else 0
    silhouette(i)  (b - a) / max(a, b), a the mean distance to lines of its tissue, b to those of
                   the nearest other tissue (Rousseeuw 1987)
    rho            the correlation, over all pairs of drugs, of the ranks of structural similarity
                   and of closeness in latent space

Distances are Euclidean.  Each line is judged by the others alone, and nothing is fitted.  The
interval draws lines again and keeps who is near whom, because a copy of a line would be its own
neighbour.
Chance is the share of the largest tissue, which a guess for every line would reach.

A pair of drugs is no independent unit: 222 drugs make 24,531 pairs.  The interval of rho draws
drugs, and a pair counts times(a) times(b); a drug and its copy make no pair.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import silhouette_samples

from cdp_lib.audit import bootstrap
from cdp_lib.errors import InputError
from cdp_lib.evaluate.noise import drawn
from cdp_lib.models.base.tables import floats


def by_line(
    latents: pd.DataFrame,
    tissues: pd.Series,
    k: int = 5,
    least: int = 10,
    donors: pd.Series | None = None,
) -> pd.DataFrame:
    """found and silhouette of each line in a tissue of `least` lines or more: (lines, 2).

    Lines of smaller tissues, or of none that is known, neither count nor vote.  Lines of one of
    `donors` are no neighbours of each other.  All lines that are as near as the k-th vote, too, so
    that the order of the table decides nothing: where all latents are equal, every line votes, and
    the accuracy is that of chance.  Of tissues with equal votes the nearest wins.
    For the gain of one space over another, subtract two of these tables.
    """
    tissues = _tissues(latents, tissues, k, least)
    z = floats(latents.loc[tissues.index], "The table of latents")  # (lines, units)
    distance = squareform(pdist(z))  # (lines, lines)
    silhouette = silhouette_samples(distance, tissues, metric="precomputed")
    np.fill_diagonal(distance, np.inf)
    if donors is not None:
        if not isinstance(donors, pd.Series):
            raise InputError("donors must be a Series by line, such as cohort.lines['donor'].")
        donor = donors.reindex(tissues.index).to_numpy(object)
        distance[(donor[:, None] == donor) & pd.notna(donor)] = np.inf
    codes, _ = pd.factorize(tissues)
    found = [_found(row, codes, k, code) for row, code in zip(distance, codes, strict=True)]
    columns = {"found": np.array(found, float), "silhouette": silhouette}
    return pd.DataFrame(columns, tissues.index)


def tissue_scores(
    spaces: Mapping[str, pd.DataFrame],
    tissues: pd.Series,
    k: int = 5,
    least: int = 10,
    donors: pd.Series | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Each space, such as {"expression": X, "latent": z}, in two rows: accuracy and silhouette.

    mean, low and high (95 % when lines are drawn again), chance, the number n of lines, and the
    gain over the first space with its interval, paired over lines.
    """
    if not spaces:
        raise InputError("There is no space to score: give {name: table of latents}.")
    tables = {name: by_line(space, tissues, k, least, donors) for name, space in spaces.items()}
    first = next(iter(tables.values()))
    chance = tissues[first.index].value_counts(normalize=True).max()
    rows = []
    for name, table in tables.items():
        if not table.index.equals(first.index):
            raise InputError(f"The space {name!r} has other lines than the first: align them.")
        for score, words in (("found", "accuracy"), ("silhouette", "silhouette")):
            values = table[score].to_numpy()
            gains = values - first[score].to_numpy()
            value, low, high = _mean(values, draws, seed)
            gain, gain_low, gain_high = _mean(gains, draws, seed)
            rows.append(
                {"space": name, "score": words, "mean": value, "low": low, "high": high}
                | {"chance": chance if score == "found" else 0.0, "n": len(values)}
                | {"gain": gain, "gain_low": gain_low, "gain_high": gain_high}
            )
    return pd.DataFrame(rows)


def rank_correlation(
    similarity: pd.DataFrame, latents: pd.DataFrame, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """rho of structural similarity (drugs, drugs) and closeness of `latents` (drugs, units).

    One row, as the rules of conclusions take it: comparison, gain (rho), low, high, unit and n.
    """
    alike, apart = _over_pairs(similarity, latents)
    n = len(latents)
    first, second = np.triu_indices(n, 1)
    ordered = [_groups(alike), _groups(-apart)]
    whole = _rho(np.ones(len(first)), ordered)
    times = drawn(np.random.default_rng(seed), n, draws)  # (draws, drugs)
    rhos = [_rho((one[first] * one[second]).astype(float), ordered) for one in times]
    low, high = np.nanquantile(rhos, (0.025, 0.975))
    row = {"comparison": "rank correlation over pairs of drugs", "gain": whole, "low": low}
    return pd.DataFrame([row | {"high": high, "unit": "drugs", "n": n}])


def nearest_pairs(
    latents: pd.DataFrame,
    similarity: pd.DataFrame,
    compounds: pd.Series | None = None,
    n: int = 10,
) -> pd.DataFrame:
    """The n pairs of drugs that are nearest in latent space, with what their structures share.

    `compounds` names the compound of each drug, an InChIKey for instance: `same` says whether a
    pair is one compound under two ids.
    """
    alike, apart = _over_pairs(similarity, latents)
    first, second = np.triu_indices(len(latents), 1)
    place = np.argsort(apart, kind="stable")[:n]
    a, b = latents.index[first[place]], latents.index[second[place]]
    table = pd.DataFrame({"first": a, "second": b, "distance": apart[place]})
    table["similarity"] = alike[place]
    if compounds is not None:
        named = compounds.reindex(latents.index)
        table["same"] = named[a].to_numpy() == named[b].to_numpy()
    return table


def _tissues(latents: pd.DataFrame, tissues: pd.Series, k: int, least: int) -> pd.Series:
    """The tissue of each line that counts."""
    if not isinstance(latents, pd.DataFrame) or not isinstance(tissues, pd.Series):
        raise InputError("Lines are matched by name: give a DataFrame and a Series of tissues.")
    for what, index in (("latents", latents.index), ("tissues", tissues.index)):
        if not index.is_unique:
            again = index[index.duplicated()][0]
            raise InputError(f"{what} names line {again!r} twice: give each line one row.")
    if not np.isfinite(floats(latents, "The table of latents")).all():
        raise InputError("The latents have NaN or infinite values: a distance needs numbers.")
    missing = latents.index.difference(tissues.index)
    if len(missing):
        raise InputError(f"tissues lacks {len(missing)} of the lines, such as {missing[0]!r}.")
    tissues = tissues[latents.index].dropna()
    tissues = tissues[tissues.map(tissues.value_counts()) >= least]
    if tissues.nunique() < 2 or not 0 < k < len(tissues):
        raise InputError(
            f"{tissues.nunique()} tissues have {least} lines or more, {len(tissues)} lines in all: "
            f"for k={k} give at least two tissues, and more lines than k."
        )
    return tissues


def _found(distance: np.ndarray, codes: np.ndarray, k: int, own: int) -> float:
    """Whether the own tissue wins; of n tissues between which nothing decides, each has 1 / n."""
    finite = np.isfinite(distance)  # not the line itself, nor one of its donor
    if not finite.any():
        raise InputError("A line has no neighbour but those of its own donor: leave it out.")
    reach = np.sort(distance[finite])[:k][-1]
    voters = distance <= reach
    rank = {}
    for code in set(codes[voters].tolist()):
        theirs = distance[voters & (codes == code)]
        rank[code] = (-len(theirs), theirs.min())
    winners = [code for code in rank if rank[code] == min(rank.values())]
    return (own in winners) / len(winners)


def _mean(values: np.ndarray, draws: int, seed: int) -> tuple[float, float, float]:
    return bootstrap(lambda units: values[units].mean(), len(values), draws, seed=seed)


def _over_pairs(similarity: pd.DataFrame, latents: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Similarity and distance of each pair of different drugs."""
    for what, table in (("similarity", similarity), ("latents", latents)):
        if not isinstance(table, pd.DataFrame):
            raise InputError(f"Drugs are matched by name: give {what} as a DataFrame.")
    same = similarity.index.equals(latents.index) and similarity.columns.equals(latents.index)
    if not same or not latents.index.is_unique or len(latents) < 3:
        raise InputError(
            f"similarity is {similarity.shape} and latents has {len(latents)} drugs: give both for "
            "the same three drugs or more, in one order, each once."
        )
    both = floats(similarity, "similarity"), floats(latents, "latents")
    if not all(np.isfinite(table).all() for table in both):
        raise InputError("similarity or latents have gaps (NaN): leave these drugs out first.")
    pairs = both[0][np.triu_indices(len(latents), 1)], pdist(both[1])
    for what, values in zip(("similarity", "distance in latents"), pairs, strict=True):
        if not np.ptp(values):
            raise InputError(f"The {what} is {values[0]:g} for every pair: nothing can be ranked.")
    return pairs


def _groups(values: np.ndarray) -> np.ndarray:
    """The place of each value among the different ones, from the least."""
    return np.unique(values, return_inverse=True)[1]


def _rho(weights: np.ndarray, ordered: list[np.ndarray]) -> float:
    """Spearman's correlation of two values where pair p counts weights[p] times."""
    total = weights.sum()
    if total == 0:
        return np.nan
    centred = []
    for groups in ordered:
        size = np.bincount(groups, weights)  # of each group of equal values
        rank = (np.cumsum(size) - size / 2)[groups]  # its middle rank
        centred.append(rank - (weights @ rank) / total)
    one, other = centred
    scale = np.sqrt((weights @ one**2) * (weights @ other**2))
    return float(weights @ (one * other) / scale) if scale > 0 else np.nan
