"""Maps of the same lines in several spaces, each with the share of tissues that it keeps.

A map in two dimensions cannot show what a space of 256 keeps, so its title says what was measured
in the space itself: how many lines have a tissue that their nearest neighbours tell.
"""

from collections.abc import Mapping

import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from cdp_lib.errors import InputError
from cdp_lib.figures.answering import Answering
from cdp_lib.figures.line_map import line_map

ITERATIONS = 3000  # Dong et al. 2020


def plane(
    space: pd.DataFrame, method: str = "t-SNE", iterations: int = ITERATIONS, seed: int = 0
) -> pd.DataFrame:
    """A space in two dimensions, by "PCA" or by "t-SNE": lines x (x, y)."""
    if method == "PCA":
        xy = PCA(2, random_state=seed).fit_transform(space)
    elif method == "t-SNE":
        nearest = min(30.0, (len(space) - 1) / 3)  # the perplexity
        tsne = TSNE(perplexity=nearest, max_iter=iterations, init="pca", random_state=seed)
        xy = tsne.fit_transform(space)
    else:
        raise InputError(f"method is {method!r}: give 'PCA' or 't-SNE'.")
    return pd.DataFrame(xy, space.index, ["x", "y"])


def before_and_after(
    spaces: Mapping[str, pd.DataFrame],
    scores: pd.DataFrame,
    tissues: pd.Series,
    names: pd.Series,
    *,
    methods: tuple[str, ...] = ("t-SNE", "PCA"),
    iterations: int = ITERATIONS,
    seed: int = 0,
    highlight: tuple[str, ...] = (),
    edition: str = "pocket",
) -> Answering:
    """A panel for each method and space; `scores` is `tissue_scores` of the same spaces."""
    accuracy = scores[scores["score"] == "accuracy"].set_index("space")["mean"]
    if missing := [name for name in spaces if name not in accuracy]:
        raise InputError(f"scores has no accuracy of {missing[0]!r}: give tissue_scores(spaces).")
    panels = {
        f"{name}, {method}: {accuracy[name]:.0%} found": plane(space, method, iterations, seed)
        for method in methods
        for name, space in spaces.items()
    }
    return line_map(panels, tissues, names, highlight=highlight, edition=edition)
