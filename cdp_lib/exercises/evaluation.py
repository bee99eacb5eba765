"""What the exercises of chapter 02 demand."""

from typing import Any

import numpy as np
import pandas as pd

from cdp_lib import audit, claims, metrics
from cdp_lib.evaluate import Predictions, procedures
from cdp_lib.exercises.quickstart import choice
from cdp_lib.splits import Fold


def check_1(c, answer: Any, truth, predicted, must_pass: bool = False) -> None:
    """The R2 per drug, averaged."""
    right = float(np.nanmean(metrics.r2(truth, predicted)))
    over_all = metrics.r2(truth, predicted, axis="global")
    rules = (
        (lambda r2: np.size(r2) == 1, "Give one number: the mean over the drugs."),
        (
            lambda r2: abs(one(r2) - over_all) > 0.01,
            "This is the global R2: take the mean of y within each drug.",
        ),
        (
            lambda r2: abs(one(r2) - right) < 0.006,
            "Sum over the lines of one column at a time, measured cells only; both sums of R2 run "
            "over the tested cells.",
        ),
    )
    c.check("02-1", answer, *rules, must_pass=must_pass)


def check_2(c, answer: Any, must_pass: bool = False) -> None:
    """The variances that two printed rows imply."""
    value = {number: claims.claim(f"dong2020-C{number:03}").value for number in (1, 2, 9, 10)}
    right = (value[2] ** 2 / (1 - value[1]), value[10] ** 2 / (1 - value[9]))
    crossed = (value[2] ** 2 / (1 - value[9]), value[10] ** 2 / (1 - value[1]))
    not_squared = (value[2] / (1 - value[1]), value[10] / (1 - value[9]))

    def near(pair, numbers) -> bool:
        """Are these the two numbers, in any order, to the first digit after the point?"""
        return np.allclose(np.sort(np.ravel(pair).astype(float)), np.sort(numbers), 0, 0.051)

    rules = (
        (lambda pair: np.size(pair) == 2, "Give two numbers."),
        (lambda pair: not near(pair, not_squared), "Square the RMSE first."),
        (lambda pair: not near(pair, crossed), "Take the RMSE and the R2 of the same row."),
        (
            lambda pair: near(pair, right),
            "It is MSE / (1 - R2), with MSE = RMSE squared.",
        ),
    )
    c.check("02-2", answer, *rules, must_pass=must_pass)


def best_genes(X: pd.DataFrame, Y: pd.DataFrame, n: int = 30) -> pd.Index:
    """The genes with the largest correlation, in absolute value, with the mean response."""
    return X.corrwith(Y.sub(Y.mean()).mean(axis=1)).abs().nlargest(n).index


def check_3(c, answer: Any, X, Y, fold: Fold, must_pass: bool = False) -> None:
    """A choice of genes that sees no test line."""
    rows = fold.fit.any(axis=1)
    Z = procedures.z_scores(X, rows)
    chosen = best_genes(Z[rows], Y.where(fold.fit)[rows])
    expected = procedures.ridge(Z[chosen], Y, fold, alpha=10.0)
    rules = (
        (callable, "Write a function of X, Y and a fold."),
        (
            lambda f: np.shape(f(X, Y, fold)) == Y.shape,
            "It must return predictions for all lines and drugs, lines x drugs.",
        ),
        (
            lambda f: not audit.sees_test_labels(f, X, Y, fold),
            "It still sees test labels: hide them with Y.where(fold.fit) before anything else.",
        ),
        (
            lambda f: not audit.sees_test_features(f, X, Y, fold),
            "It still learns from the features of test lines: choose genes on the fit rows only.",
        ),
        (
            lambda f: np.allclose(f(X, Y, fold), expected, rtol=0, atol=0.02),
            "Choose 30 genes with `best_genes` on the fit rows, then the same ridge, alpha=10.",
        ),
    )
    c.check("02-3", answer, *rules, must_pass=must_pass)


def check_4(c, answer: Any, P: Predictions, gains, must_pass: bool = False) -> None:
    """The p of the corrected t-test of ridge against the tissue mean."""
    summary = P.summary("pearson", reference="tissue mean").set_index("model")
    right, plain = summary["p"]["ridge"], audit.corrected_p(gains)

    def about(p, expected) -> bool:
        """Equal up to rounding to three digits, and to the way n_test / n_train is averaged."""
        return np.isclose(one(p), expected, rtol=0.02, atol=5e-4 if expected < 0.02 else 0)

    rules = (
        (lambda p: np.size(p) == 1 and 0 <= one(p) <= 1, "A p value lies between 0 and 1."),
        (
            lambda p: abs(one(p) - plain) >= abs(one(p) - right),
            "This is the plain t-test: add n_test / n_train.",
        ),
        (
            lambda p: abs(one(p) - right / 2) >= abs(one(p) - right),
            "This is one-sided: count both tails.",
        ),
        (
            lambda p: about(p, right),
            "Take the gains fold by fold, and the mean of n_test / n_train as the share.",
        ),
    )
    c.check("02-4", answer, *rules, must_pass=must_pass)


def check_5(c, answer: Any, Y: pd.DataFrame, fold: Fold, must_pass: bool = False) -> None:
    """In how many lines of a fold the constant list names the best drug."""
    means, tests = Y.where(fold.fit).mean(), Y[fold.test.any(axis=1)]
    whole_means = Y.mean()
    found, all_lines = (hits(tests, each) for each in (means, whole_means))
    right, n = np.nanmean(found), np.isfinite(found).sum()
    first = tests[means.idxmin()].notna()
    rules = (
        (lambda s: np.size(s) == 1 and 0 <= one(s) <= 1, "A share lies between 0 and 1."),
        (
            lambda s: abs(one(s) - right) < 0.45 / n,  # less than half a line
            "For each line: drop the missing drugs, then compare `idxmin` of the line with `idxmin`"
            f" of the training means of the same drugs. {n} lines count, also the "
            f"{(~first).sum()} in which the first drug of the list was not measured."
            + " Take the means over the training cells only."
            * bool(np.nanmean(all_lines) != right),
        ),
    )
    c.check("02-5", answer, *rules, must_pass=must_pass)


def check_6(c, answer: Any, must_pass: bool = False) -> None:
    """How many lines keep luck below one gene in a thousand."""

    def genes(n) -> float:
        return 1000 * audit.null_fraction(0.3, int(n))

    rules = (
        (lambda n: float(n).is_integer(), "Give a whole number of lines."),
        (lambda n: n >= 4, "A correlation over so few lines says nothing at all."),
        (lambda n: genes(n) < 1, "Too few: more than one gene passes."),
        (lambda n: genes(n - 1) >= 1, "Fewer lines would do."),
    )
    c.check("02-6", answer, *rules, must_pass=must_pass)


def check_7(c, answer: Any, must_pass: bool = False) -> None:
    """Which of four abstracts can be compared with the tissue mean."""
    hint = "Which of them names a split of lines, an axis, a baseline and the spread of a gain?"
    choice(c, "02-7", answer, "3d2ef3c7b907703b", hint, must_pass)


def check_8(c, answer: Any, must_pass: bool = False) -> None:
    """What the figure of widths says."""
    hint = "Compare the two curves of gains in the figure, and ask what was drawn again in each."
    choice(c, "02-8", answer, "f8d6d7f5f7399be2", hint, must_pass)


def hits(tests: pd.DataFrame, means: pd.Series) -> np.ndarray:
    """1 where the list names a line's best drug, 0 where not, NaN where nothing is to be ranked."""
    one_list = np.tile(means.to_numpy(), (len(tests), 1))
    return metrics.top_k(tests, pd.DataFrame(one_list, tests.index, tests.columns), 1)


def one(number: Any) -> float:
    return float(np.ravel(number)[0])
