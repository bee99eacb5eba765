"""What published code did, to be repeated beside a repaired run: folds in the order of the file.

scikit-learn's `KFold(5)` without `shuffle=True` cuts the rows of a file into consecutive blocks.
Neighbours in a file are seldom strangers (one tissue, one gene family, one batch), and twins at a
block's edge fall on both sides: the folds are neither random nor grouped.
"""

import numpy as np

from cdp_lib.errors import InputError
from cdp_lib.splits import TEST, Fold, Split

AXES = {"line": 0, "perturbation": 1}


def file_order(cohort, n_folds: int = 5, held: str = "line") -> Split:
    """Hold out consecutive lines, or perturbations, of the response: nothing drawn or grouped.

    >>> import pandas as pd
    >>> table = pd.DataFrame(np.zeros((5, 3)))
    >>> [np.flatnonzero(fold.test[:, 0]).tolist() for fold in file_order(table, 2)]
    [[0, 1, 2], [3, 4]]
    """
    if held not in AXES:
        raise InputError(f"file_order holds out a 'line' or a 'perturbation', not {held!r}.")
    Y = getattr(cohort, "Y", cohort)  # (lines, perturbations)
    axis = AXES[held]
    if not 2 <= n_folds <= Y.shape[axis]:
        raise InputError(
            f"{Y.shape[axis]} {held}s cannot be cut into {n_folds} folds: "
            "ask for 2 or more folds, and at most one a " + held + "."
        )
    folds = []
    for number, block in enumerate(np.array_split(np.arange(Y.shape[axis]), n_folds)):
        roles = np.zeros(Y.shape, np.int8)  # (lines, perturbations), TRAIN
        np.moveaxis(roles, axis, 0)[block] = TEST
        folds.append(Fold(roles, number=number, names=(Y.index, Y.columns)))
    name = f"leave {held}s out, in file order"
    return Split(
        name,
        f"{name.capitalize()}: each of {n_folds} folds holds out consecutive "
        f"{held}s of the file, neither shuffled nor grouped; the score depends on the "
        "order of the file.",
        tuple(folds),
    )
