"""Principal components with and without a bootstrap, and the lines that a representation learns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import RBFSampler
from sklearn.preprocessing import StandardScaler

from cdp_lib.audit import depends_on_company
from cdp_lib.errors import InputError
from cdp_lib.models.representations import PrincipalComponents, latents, lines_to_learn

LINES = pd.Index([f"line {i}" for i in range(30)])
X = pd.DataFrame(np.random.default_rng(0).normal(3, 2, (30, 8)), LINES).add_prefix("gene ")


def test_components_are_those_of_scikit_learn():
    model = PrincipalComponents(3).fit(X)
    scaler = StandardScaler().fit(X)
    expected = PCA(3, svd_solver="full").fit(scaler.transform(X)).transform(scaler.transform(X))
    np.testing.assert_allclose(model.transform(X), expected, atol=1e-10)
    assert list(model.transform(X)) == ["PC 1", "PC 2", "PC 3"]
    assert not depends_on_company(model.transform, X)


def test_a_bootstrap_differs_by_its_seed_alone():
    tables = [PrincipalComponents(3, seed).fit(X).transform(X) for seed in (0, 0, 1, None)]
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    assert not np.allclose(tables[0], tables[2]) and not np.allclose(tables[0], tables[3])
    rows = np.random.default_rng(1).integers(30, size=30)
    drawn = PrincipalComponents(3).fit(X.iloc[rows].to_numpy())
    np.testing.assert_allclose(drawn.transform(X.to_numpy()), tables[2], atol=1e-12)


def test_more_components_than_there_are():
    with pytest.raises(InputError, match="at most 8 components"):
        PrincipalComponents(9).fit(X)
    few = X.iloc[:6]
    assert PrincipalComponents(5).fit(few).transform(few).std().min() > 0.1
    with pytest.raises(InputError, match="at most 5 components"):
        PrincipalComponents(6).fit(few)
    with pytest.raises(InputError, match="is 4, but 4 different"):
        PrincipalComponents(4, bootstrap=0).fit(few)


def test_any_transformer_is_a_representation():
    sampler = RBFSampler(n_components=5, random_state=0)
    z = latents(sampler.fit(X), X)
    assert z.index.equals(LINES) and list(z)[0] == "latent 1" and z.shape == (30, 5)
    array = X.to_numpy()
    np.testing.assert_array_equal(latents(sampler.fit(array), array), z)


def test_a_table_without_a_row_a_line_is_refused():
    class Flat:
        def transform(self, X):
            return np.ones(len(X))

    with pytest.raises(InputError, match="Flat makes a table"):
        latents(Flat(), X)


def test_further_lines_join_by_name():
    assert lines_to_learn(X, None) is X
    further = X.iloc[5:20]
    rows = lines_to_learn(X.iloc[:10], further)
    assert list(rows.index) == [*LINES[5:20], *LINES[:5]]
    pd.testing.assert_frame_equal(rows, X.loc[rows.index])
    pd.testing.assert_frame_equal(lines_to_learn(X.iloc[[7, 9]], X), X)


@pytest.mark.parametrize(
    "further, fact",
    [
        (X.to_numpy(), "give both as DataFrames"),
        (X.drop(columns="gene 3"), "'gene 3'"),
        (X[X.columns[::-1]], "another order"),
        (pd.concat([X, X.iloc[[4]]]), "'line 4' twice"),
        (X + (X.index == "line 2")[:, None], "1 lines, such as 'line 2'"),
    ],
)
def test_further_lines_that_do_not_fit_are_refused(further, fact):
    with pytest.raises(InputError, match=fact):
        lines_to_learn(X, further)
