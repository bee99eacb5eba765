"""Maps before and after: the same lines, and the score of the space in each title."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.errors import InputError
from cdp_lib.evaluate.neighbours import tissue_scores
from cdp_lib.figures.before_after import before_and_after, plane

LINES = pd.Index([f"ACH-{i}" for i in range(40)])
TISSUES = pd.Series(["lung", "skin"] * 20, LINES)
NAMES = pd.Series([f"L{i}" for i in range(40)], LINES)


def space(apart):
    x = np.random.default_rng(0).normal(size=(40, 5))
    return pd.DataFrame(x + apart * (TISSUES == "skin").to_numpy()[:, None], LINES)


SPACES = {"expression": space(0.0), "latent": space(4.0)}
SCORES = tissue_scores(SPACES, TISSUES, draws=20)


def test_the_titles_say_what_was_measured():
    made = before_and_after(SPACES, SCORES, TISSUES, NAMES, iterations=250)
    titles = [panel["title"] for panel in made.parts["panels"]]
    assert titles[1] == "latent, t-SNE: 100% found" and titles[3] == "latent, PCA: 100% found"
    assert titles[0].startswith("expression, t-SNE: ") and "100%" not in titles[0]
    page = made.page("maps", "So.")
    assert all(name in page for name in ("L0", "L39", "lung"))
    hollow = before_and_after(SPACES, SCORES, TISSUES, NAMES, methods=("PCA",), edition="teaching")
    assert hollow.alt_text.startswith("Simulated data") and len(hollow.parts["panels"]) == 2


def test_a_plane_is_repeated_and_keeps_groups():
    first, again = (plane(SPACES["latent"], iterations=250) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    skin = (TISSUES == "skin").to_numpy()
    for method in ("PCA", "t-SNE"):
        xy = plane(SPACES["latent"], method, 250).to_numpy()
        between = np.linalg.norm(xy[skin].mean(axis=0) - xy[~skin].mean(axis=0))
        assert between > xy[skin].std(axis=0).max()


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="'latent'"):
        before_and_after(SPACES, SCORES[SCORES["space"] != "latent"], TISSUES, NAMES)
    with pytest.raises(InputError, match="'UMAP'"):
        plane(SPACES["latent"], "UMAP")
