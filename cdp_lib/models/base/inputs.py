"""What a network is told of a line or a drug: what is known of it, or only who it is.

    Features    the row of a table, each column with mean 0 and deviation 1 in training
    Names       `scale` in the column of its name, 0 in all others (a one-hot vector)
    Noise       numbers drawn once for its name: a name again, spread over many columns
    Shuffled    the features of another one, always the same one: a name in the shape of features
    Nothing     the same 0 for all

Names, Noise and Shuffled know nothing of biology or chemistry, so what features are worth is the
score with them minus the score with these.  What is unknown of a line or a drug is the mean of the
training ones.  Every kind has `learn(table)`, which sees the training lines or drugs only, and
`rows(table, learned)`, the numbers of any of them.
"""

import zlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Component, Instance, Number, OneOf
from cdp_lib.models.base.tables import LARGEST, check_names, floats, means_and_scales

MISSING = ("refuse", "mean")


@dataclass(frozen=True, repr=False, eq=False)
class Features(Component):
    """z-scores, cut at `largest`, of a table whose rows are named; None reads the table itself.

    The lines of X bring their omics; drugs need a table of descriptors.  A missing number, or a
    missing row, is refused, or is the mean of the training rows: then drugs without a structure
    are all alike.  `scaled=False` leaves the numbers as the table has them.
    """

    table: pd.DataFrame | None = None
    missing: str = "refuse"
    largest: float = 10.0
    scaled: bool = True

    _settings: ClassVar = {
        "table": [Instance(pd.DataFrame), None],
        "missing": OneOf(*MISSING),
        "largest": Number(),
        "scaled": OneOf(True, False),
    }

    def learn(self, table: pd.DataFrame) -> tuple[pd.Index, np.ndarray, np.ndarray]:
        values = self._values(table)
        x = values.to_numpy()  # (rows, columns)
        known = ~np.isnan(x)
        mean = np.where(known, x, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return values.columns, *means_and_scales(np.where(known, x, mean))

    def rows(self, table: pd.DataFrame, learned: tuple) -> pd.DataFrame:
        columns, mean, scale = learned
        values = self._values(table)
        check_names(columns, values.columns, "The table of features")
        if not self.scaled:
            return values.fillna(dict(zip(columns, mean, strict=True)))
        z = (values - mean) / scale
        return z.fillna(0.0).clip(-self.largest, self.largest)

    def _values(self, table: pd.DataFrame) -> pd.DataFrame:
        values = table if self.table is None else self._of(table.index)
        if not values.shape[1]:
            raise InputError(
                "There are no features to learn from: give Features(table) with a row for each "
                "drug, omics for the lines, or Names()."
            )
        values = pd.DataFrame(floats(values, "A table of features"), values.index, values.columns)
        if (values.abs() > LARGEST).any(axis=None):
            column = values.columns[(values.abs() > LARGEST).any()][0]
            raise InputError(
                f"The features have infinite values in column {column!r}, or beyond "
                f"{LARGEST:g}: use NaN there."
            )
        bare = values.index[values.isna().any(axis=1)]
        if self.missing == "refuse" and len(bare):
            raise InputError(
                f"{len(bare)} of {len(values)} rows lack features, such as {bare[0]!r}: leave them "
                "out, or say Features(missing='mean')."
            )
        return values

    def _of(self, names: pd.Index) -> pd.DataFrame:
        if not self.table.index.is_unique:
            raise InputError("The table of features names a row twice: give each one row.")
        return self.table.reindex(names)


@dataclass(frozen=True, repr=False)
class Names(Component):
    """Who it is.  A scale near the root of the number of names gives a column a variance of 1."""

    scale: float = 10.0

    _settings: ClassVar = {"scale": Number()}

    def learn(self, table: pd.DataFrame) -> pd.Index:
        return table.index

    def rows(self, table: pd.DataFrame, learned: pd.Index) -> pd.DataFrame:
        values = np.equal.outer(table.index.to_numpy(), learned.to_numpy()).astype(float)
        values[~values.any(axis=1)] = 1 / len(learned)  # a name never seen
        return pd.DataFrame(self.scale * values, table.index, learned)


@dataclass(frozen=True, repr=False)
class Noise(Component):
    """`width` normal numbers that belong to a name; a name never seen has its own, too."""

    width: int = 500
    seed: int = 0

    _settings: ClassVar = {"width": Number(least=1, whole=True), "seed": Number(whole=True)}

    def learn(self, table: pd.DataFrame) -> None:
        return None

    def rows(self, table: pd.DataFrame, learned: None) -> pd.DataFrame:
        rows = [generator(self.seed, name).normal(size=self.width) for name in table.index]
        return pd.DataFrame(np.stack(rows), table.index)


@dataclass(frozen=True, repr=False)
class Shuffled(Component):
    """The features of another training line; a new line has those of one of them.

    The training lines stand in a circle in an order drawn once, and each takes those of the next:
    none keeps its own.
    """

    features: Features = Features()
    seed: int = 0

    _settings: ClassVar = {"features": Instance(Features), "seed": Number(whole=True)}

    def learn(self, table: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
        circle = np.random.default_rng(self.seed).permutation(len(table))
        rows = self.features.rows(table, learned := self.features.learn(table))
        given = rows.iloc[np.roll(circle, -1)].set_axis(table.index[circle])
        return given.reindex(table.index), learned

    def rows(self, table: pd.DataFrame, learned: tuple[pd.DataFrame, Any]) -> pd.DataFrame:
        given, _ = learned
        at = given.index.get_indexer(table.index)
        for i in np.flatnonzero(at < 0):
            at[i] = generator(self.seed, table.index[i]).integers(len(given))
        return given.iloc[at].set_axis(table.index)


@dataclass(frozen=True, repr=False)
class Nothing(Component):
    """One column of zeros: what remains when a model is not told who it is."""

    def learn(self, table: pd.DataFrame) -> None:
        return None

    def rows(self, table: pd.DataFrame, learned: None) -> pd.DataFrame:
        return pd.DataFrame({"nothing": 0.0}, table.index)


Input = Features | Names | Noise | Shuffled | Nothing
INPUT = Instance(Features, Names, Noise, Shuffled, Nothing)


def several(inputs: Input | tuple[Input, ...]) -> tuple[Input, ...]:
    return tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)


def generator(seed: int, name: object) -> np.random.Generator:
    """Random numbers that belong to a name: the same in every table and order."""
    return np.random.default_rng([seed, zlib.crc32(str(name).encode())])


def by_omics(rows: pd.DataFrame) -> list[np.ndarray]:
    """A table for each omics of two-level columns, (rows, columns) each; else the one table."""
    if rows.columns.nlevels == 1:
        return [rows.to_numpy(np.float32)]
    return [rows[omics].to_numpy(np.float32) for omics in rows.columns.unique(0)]
