"""Support vector regression on rows of a line and a drug: the rival of Dong et al. (2020).

    y[i, j] = b + sum over training rows (k, l) of a[k, l] K(i, j; k, l)

A row holds what is told of its line, x_i, and of its drug, z_j, so that every kernel of rows needs
nothing but one number for two lines and one for two drugs,

    inner product   s = <x_i, x_k> + <z_j, z_l>             (gamma s)^3        "poly"
    distance        d = |x_i - x_k|^2 + |z_j - z_l|^2       exp(-gamma d)      "rbf"

and no row is ever written down.
"""

import warnings
from itertools import product

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVR

from cdp_lib.models.base.inputs import INPUT, Features, Input
from cdp_lib.models.base.pair_model import Cells, PairModel
from cdp_lib.models.base.settings import Number, OneOf, Tuple
from cdp_lib.models.base.tables import Pair

KERNELS = ("poly", "rbf")
STEPS = 200_000  # of the solver: on columns that are not centred it may never arrive


class SupportVectors(PairModel):
    """Rows of a line and a drug; `kernels`, `C` and `gammas` name what is tried.

    Each input column has mean 0 and deviation 1 over the training lines or drugs.  `gammas` are
    pairs, one for lines and one for drugs: with 1 the squared distance of two lines, or of two
    drugs, is 1 on average.  Lines weigh less by default, because the response differs less
    between lines than between drugs.  The combination with the smallest error in the cells of
    `validation`, or else in a tenth of all cells, is kept; with one of each there is nothing to
    choose, and all cells are learned.
    """

    _settings = {
        "line_input": [INPUT, Tuple(INPUT, least=1)],
        "drug_input": [INPUT, Tuple(INPUT, least=1)],
        "kernels": Tuple(OneOf(*KERNELS), least=1),
        "C": Tuple(Number(), least=1),
        "gammas": Tuple(Tuple(Number(), least=2), least=1),
        "seed": Number(whole=True),
    }

    def __init__(
        self,
        line_input: Input | tuple[Input, ...] = Features(),
        drug_input: Input | tuple[Input, ...] = Features(),
        kernels: tuple[str, ...] = ("rbf",),
        C: tuple[float, ...] = (3.0, 10.0),
        gammas: tuple[tuple[float, float], ...] = ((0.05, 1.0), (0.05, 3.0), (0.2, 3.0)),
        seed: int = 0,
    ):
        self.line_input = line_input
        self.drug_input = drug_input
        self.kernels = kernels
        self.C = C
        self.gammas = gammas
        self.seed = seed

    @property
    def asks_for_validation(self) -> bool:
        return len(self.kernels) * len(self.C) * len(self.gammas) > 1

    def fit(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        validation: Pair | None = None,
    ) -> "SupportVectors":
        """Learn the known cells of Y (lines x drugs)."""
        fraction = 0.1 if self.asks_for_validation else 0.0
        lines, drugs, cells, aside = self._open_pairs(
            X, Y, perturbations, validation, fraction, self.seed
        )
        x, z = np.hstack(self._of_lines(lines)), self._of_drugs(drugs)
        best = np.inf
        for kernel, C, gammas in product(self.kernels, self.C, self.gammas):
            weights = tuple(
                np.full(table.shape[1], (gamma / (2 * table.shape[1])) ** 0.5)
                for table, gamma in zip((x, z), gammas, strict=True)
            )
            sides = x * weights[0], z * weights[1]
            machine = Machine(kernel, 1.0, C).fit(*sides, cells, cells.y)
            left = aside.y - machine.predict(*sides, aside) if len(aside.y) else 0.0
            loss = float(np.mean(np.square(left)))
            if loss < best:
                best, self.machine_, self.weights_ = loss, machine, weights
        return self

    def fit_as_published(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        X_test: pd.DataFrame,
        Y_test: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
    ) -> "SupportVectors":
        """The first kernel and C, on columns that are divided by their length over all rows.

        What leaks: how often the test rows have each line and drug.  The code takes the inputs as
        they are: Features(scaled=False).
        """
        lines, drugs, cells, _ = self._open_pairs(X, Y, perturbations, None, 0.0, self.seed)
        x, z = np.hstack(self._of_lines(lines)), self._of_drugs(drugs)
        rows = Y.notna().add(Y_test.notna(), fill_value=0).loc[Y.index, drugs].to_numpy()
        lengths = rows.sum(axis=1) @ x**2, rows.sum(axis=0) @ z**2  # squared, of each column
        self.weights_ = tuple(np.where(one > 0, one, np.inf) ** -0.5 for one in lengths)
        sides = self._sides(x, z)
        values = np.hstack([sides[0][cells.line], sides[1][cells.a]])  # (rows, columns)
        gamma = 1 / (values.shape[1] * values.var())  # scikit-learn's "scale"
        y = self.y_mean_ + self.y_scale_ * cells.y  # in the unit of the response
        self.y_mean_, self.y_scale_ = 0.0, 1.0
        self.machine_ = Machine(self.kernels[0], gamma, self.C[0]).fit(*sides, cells, y)
        return self

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        """The response to the rows of `perturbations`, or to the columns of the fitted Y."""
        names, drugs, at, _ = self._open_predict(X, perturbations)
        x, z = self._sides(np.hstack(self._of_lines(X)), self._of_drugs(drugs))
        P = [
            self.machine_.predict(x, z, Cells(np.full(len(at), i), at, at, at))
            for i in range(len(x))
        ]
        return pd.DataFrame(self.y_mean_ + self.y_scale_ * np.stack(P), X.index, names)

    def _sides(self, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x * self.weights_[0], z * self.weights_[1]


class Machine:
    """scikit-learn's support vectors with one kernel and C, from tables of lines and of drugs.

    `converged` says whether the solver arrived within its steps.
    """

    def __init__(self, kernel: str, gamma: float, C: float):
        self.kernel, self.gamma, self.C = kernel, gamma, C

    def fit(self, x: np.ndarray, z: np.ndarray, cells: Cells, y: np.ndarray) -> "Machine":
        """Learn y of cells, each a row of x (lines, features) and one of z (drugs, features)."""
        self.x, self.z, self.cells = x, z, cells
        machine = SVR(kernel="precomputed", C=self.C, cache_size=200, max_iter=STEPS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            machine.fit(self._kernel(x, z, cells), y)
        self.converged = machine.fit_status_ == 0
        kept = machine.support_
        self.cells = Cells(cells.line[kept], cells.a[kept], cells.b[kept], y[kept])
        self.weights, self.bias = machine.dual_coef_[0], machine.intercept_[0]
        return self

    def predict(self, x: np.ndarray, z: np.ndarray, cells: Cells) -> np.ndarray:
        return self._kernel(x, z, cells) @ self.weights + self.bias

    def _kernel(self, x: np.ndarray, z: np.ndarray, cells: Cells) -> np.ndarray:
        """K of these cells with those that were learned: (cells, learned)."""
        of_lines, of_drugs = self._side(x, self.x), self._side(z, self.z)
        K = of_lines[np.ix_(cells.line, self.cells.line)]
        other = of_drugs[np.ix_(cells.a, self.cells.a)]
        if self.kernel == "rbf":
            K *= other  # exp(a + b) = exp(a) exp(b)
            return K
        K += other
        np.multiply(K, np.square(K, out=other), out=K)
        return K

    def _side(self, x: np.ndarray, learned: np.ndarray) -> np.ndarray:
        """What two lines, or two drugs, bring to K: (rows, learned rows)."""
        if self.kernel == "poly":
            return self.gamma * (x @ learned.T)
        return np.exp(-self.gamma * cdist(x, learned, "sqeuclidean"))
