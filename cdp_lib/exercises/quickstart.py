"""What the exercises of chapter 00 demand."""

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from cdp_lib import evaluate, metrics
from cdp_lib.data.cohort import Cohort
from cdp_lib.models.baselines import MeanEffects
from cdp_lib.models.linear import Ridge
from cdp_lib.splits import Fold, Split

NEAR = 1e-3  # how far from the right number an answer may lie, by rounding


def check_1(c, answer: Any, cohort: Cohort, fold: Fold, must_pass: bool = False) -> None:
    """The global R2 of the drug means of one fold."""
    learned, tested = cohort.Y.where(fold.fit), cohort.Y.where(fold.test)
    y = tested.to_numpy(float)
    p = np.broadcast_to(learned.mean().fillna(learned.stack().mean()), y.shape)
    right = metrics.r2(y, p, axis="global")
    known = ~np.isnan(y)
    errors = np.nansum(np.square(y - p))
    of_training = 1 - errors / np.square(y[known] - learned.stack().mean()).sum()
    squared_r = metrics.pearson(y, p, axis="global") ** 2
    rules = (
        (lambda r2: -1 <= r2 <= 1, "R2 of the drug mean lies between -1 and 1 here."),
        (
            lambda r2: abs(r2 - right) < NEAR,
            "Take the means of `learned` only, and compare with `tested` where it is known.",
        ),
        (
            lambda r2: not nearer(r2, squared_r, right),
            "This is the square of a correlation: R2 is 1 minus the errors over the variance.",
        ),
        (
            lambda r2: not nearer(r2, of_training, right),
            "The mean in R2 is that of the tested cells, not that of the training cells.",
        ),
    )
    c.check("00-1", answer, *rules, must_pass=must_pass)


def check_2(c, answer: Any, cohort: Cohort, fold: Fold, must_pass: bool = False) -> None:
    """What is left of the mean effects once the drugs are taken away."""
    learned, tested = cohort.Y.where(fold.fit), cohort.Y.where(fold.test)
    names = pd.DataFrame(index=cohort.Y.index)
    effects = MeanEffects().fit(names, learned).predict(names)
    right = metrics.r2(tested - learned.mean(), effects - learned.mean(), axis="global")
    whole = metrics.r2(tested, effects, axis="global")
    rules = (
        (lambda r2: np.size(r2) == 1, "Give one number: the R2 over all tested cells."),
        (
            lambda r2: not nearer(r2, whole, right),
            "This is the full score: subtract the drug means from truth and predictions.",
        ),
        (
            lambda r2: abs(r2 - right) < NEAR,
            "Subtract `learned.mean()` from the truth and from the predictions, and nothing else.",
        ),
    )
    c.check("00-2", answer, *rules, must_pass=must_pass)


def check_3(c, answer: Any, cohort: Cohort, split: Split, must_pass: bool = False) -> None:
    """Ridge on tissues that were left out."""
    scores = evaluate.cross_predict({"ridge": Ridge()}, cohort, split)
    both = scores.summary(("pearson", "spearman")).set_index(["metric", "model"])["mean"]
    right, ranks = both["pearson", "ridge"], both["spearman", "ridge"]
    rules = (
        (lambda r: -1 <= r <= 1, "A correlation lies between -1 and 1."),
        (lambda r: not nearer(r, ranks, right), "This is Spearman's correlation: ask for pearson."),
        (
            lambda r: abs(r - right) < NEAR,
            f"Use `tissues_out` as it is ({len(split)} folds), metric pearson, axis perturbation.",
        ),
    )
    c.check("00-3", answer, *rules, must_pass=must_pass)


def check_4(c, answer: Any, split: Split, known: set[str], must_pass: bool = False) -> None:
    """A model of one's own beside the baselines; `known` are the models of the chapter."""
    rules = (
        (
            lambda table: {"model", "gain", "kind"} <= set(table),
            "Give the frame that `.summary(...)` of your predictions returns.",
        ),
        (lambda table: own(table, known), "Give your model a name of its own."),
        (lambda table: "mean effects" in set(table["model"]), "Keep the baselines beside it."),
        (lambda table: set(table["split"]) == {split.name}, "Use the split `lines_out`."),
        (
            lambda table: set(table["metric"]) == {"pearson"},
            "Use Pearson's r: `.summary('pearson')`.",
        ),
        (
            lambda table: set(table["axis"]) == {"perturbation"},
            "Use one score a drug: axis='perturbation'.",
        ),
        (
            lambda table: table.set_index("model").loc[own(table, known), "mean"].max() < 0.9,
            "No repeat of the experiment agrees so well: has your model seen the tested lines?",
        ),
    )
    c.check("00-4", answer, *rules, must_pass=must_pass)


def check_5(c, answer: Any, must_pass: bool = False) -> None:
    """Which split and axis ask what a patient asks."""
    hint = "Ask of each choice: was the patient's tumour in the training data, and does the score "
    choice(c, "00-5", answer, "a68b20c016fb04c4", hint + "compare tumours, or drugs?", must_pass)


def check_6(c, answer: Any, must_pass: bool = False) -> None:
    """What an abstract would have to add."""
    hint = "Which addition would let you say whether the model knows more than the drugs' names?"
    choice(c, "00-6", answer, "0ec5babd5ea41f25", hint, must_pass)


def nearer(answer: float, wrong: float, right: float) -> bool:
    """Is the answer a known wrong number rather than the right one, where the two differ?"""
    near = abs(answer - wrong) < NEAR
    return abs(wrong - right) > 1e-6 and near and abs(answer - wrong) < abs(answer - right)


def own(table: pd.DataFrame, known: set[str]) -> list[str]:
    """The models of the table that are neither naive nor the chapter's."""
    return sorted(set(table.loc[table["kind"] == "model", "model"]) - known)


def choice(c, name: str, answer: Any, seal: str, hint: str, must_pass: bool = False) -> None:
    """One letter, known by its seal only; the stub holds "...", which is no attempt."""
    given = str("..." if answer in (None, ...) else answer).strip(" ().").lower()
    rules = (
        (lambda letter: len(letter) == 1, "Answer with one letter."),
        (lambda letter: sealed(name, letter) == seal, hint),
    )
    c.check(name, given or None, *rules, must_pass=must_pass)


def sealed(name: str, answer: str) -> str:
    return hashlib.sha256(f"{name}: {answer}".encode()).hexdigest()[:16]
