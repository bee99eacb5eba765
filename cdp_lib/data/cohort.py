"""Cohort: aligned tables, the one thing a chapter receives.

Every response is a matrix, lines x perturbations, with NaN where nothing was measured.
Beside it stand the omics tables that describe the same lines, in the same order, and what is
known of each line and of each perturbation. All tables are aligned by name when the cohort is
made; afterwards nothing in it changes.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import pandas as pd

from cdp_lib.data.checks import (
    as_index,
    as_table,
    check_numbers,
    few,
    frozen,
    join_lines,
    pick,
)
from cdp_lib.data.editions import EDITIONS
from cdp_lib.errors import InputError


@dataclass(frozen=True)
class Step:
    """What was done to the tables, the shape it left, and the shape the paper reports there."""

    what: str
    shape: tuple[int, ...]
    paper_shape: tuple[int, ...] | None = None
    note: str = ""


def steps_table(steps: Iterable[Step]) -> pd.DataFrame:
    """One row a step: what was done, the shape here, the shape in the paper, and a note."""

    def text(shape: tuple[int, ...] | None) -> str:
        return "" if shape is None else " x ".join(f"{size:,}" for size in shape)

    rows = [(s.what, text(s.shape), text(s.paper_shape), s.note) for s in steps]
    return pd.DataFrame(rows, columns=["step", "here", "paper", "note"])


def _shallow(table: pd.DataFrame) -> pd.DataFrame:
    return table.copy(deep=False)


# What whoever asks is given of each table: a copy, which is shallow where numbers are read-only.
GIVEN = {
    "Y": _shallow,
    "omics": lambda tables: MappingProxyType({k: _shallow(t) for k, t in tables.items()}),
    "lines": pd.DataFrame.copy,
    "perturbations": pd.DataFrame.copy,
    "drugs": pd.DataFrame.copy,
    "extras": lambda extras: MappingProxyType(copy.deepcopy(dict(extras))),
    "truth": copy.deepcopy,
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Cohort:
    """Lines with their omics and their response, aligned by name; it never changes.

    Make one with `cdp_lib.load(study)` or, from your own tables, `Cohort.from_tables`.
    """

    Y: pd.DataFrame  # lines x perturbations, float32, NaN where nothing was measured
    omics: Mapping[str, pd.DataFrame]  # name -> lines x features, float32, complete
    lines: pd.DataFrame  # one row a line: tissue, donor, name and what else is known
    perturbations: pd.DataFrame  # one row a perturbation: its kind; for drugs structure and target
    name: str = "my cohort"
    edition: str = "own"
    study: str = "own"
    response: str = "response"
    lower_is_sensitive: bool = True
    steps: tuple[Step, ...] = ()
    extras: Mapping[str, object] = field(default_factory=dict)  # interaction graph, pathways
    truth: object = None  # what the simulation knows, in the teaching edition

    def __post_init__(self):
        if self.edition not in EDITIONS:
            raise InputError(
                f"There is no edition {self.edition!r}: choose one of {', '.join(EDITIONS)}."
            )
        rows, columns = self.Y.shape
        if not rows * columns:
            raise InputError(
                f"{self.name} would hold {rows} lines x {columns} perturbations: ask for "
                f"less strict filters, or for names that it has."
            )
        for key, table in self.omics.items():
            if not table.shape[1]:
                raise InputError(
                    f"No feature of {key} is left in {self.name}: leave {key} out, or filter "
                    "it less."
                )
        self.__dict__.update(
            Y=frozen(self.Y),
            omics={key: frozen(table) for key, table in self.omics.items()},
            lines=self.lines,  # each a copy, by GIVEN
            perturbations=self.perturbations,
            steps=tuple(self.steps),
            extras=dict(self.extras or {}),
            truth=self.truth,
        )

    def __getattribute__(self, name: str):
        value = super().__getattribute__(name)
        return GIVEN[name](value) if name in GIVEN else value

    def __setstate__(self, state: dict) -> None:
        """Read-only again after a journey to another process."""
        omics = {key: frozen(table) for key, table in state["omics"].items()}
        self.__dict__.update(state, Y=frozen(state["Y"]), omics=omics)

    @classmethod
    def from_tables(
        cls,
        Y: pd.DataFrame,
        omics: Mapping[str, pd.DataFrame],
        lines: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        *,
        steps: Iterable[Step] = (),
        paper_shape: tuple[int, ...] | None = None,
        **about: object,
    ) -> "Cohort":
        """Check the tables, keep the lines that all of them know, and write that down as a step.

        `Y` is lines x perturbations, each omics table lines x features, `lines` has a column
        `tissue` (and, where known, `donor` and `name`), `perturbations` has a row for each
        column of `Y`. Lines are joined by name; the order is that of `Y`. `about` are the other
        fields: name, response (what a number of Y means), lower_is_sensitive, extras.
        """
        Y = check_numbers("Y", Y, missing_allowed=True)
        if not isinstance(omics, Mapping):
            raise InputError(
                f"omics is of the type {type(omics).__name__}: give a dict of tables, such as "
                f"{{'expression': table}}."
            )
        omics = {key: check_numbers(key, table) for key, table in omics.items()}
        kept, joined = join_lines({"Y": Y, **omics, "lines": as_table("lines", lines)})
        Y = Y.loc[kept].rename_axis(index="line", columns="perturbation")
        return cls(
            Y=Y,
            omics={
                key: table.loc[kept].rename_axis(index="line", columns="feature")
                for key, table in omics.items()
            },
            lines=complete_lines(lines.loc[kept]),
            perturbations=complete_perturbations(perturbations, Y.columns),
            steps=(*steps, Step("lines in every table", Y.shape, paper_shape, joined)),
            **about,
        )

    def X(self, omics: str | Iterable[str]) -> pd.DataFrame:
        """One omics table by name; several side by side under two-level columns."""
        tables = self.omics
        names = [omics] if isinstance(omics, str) or not isinstance(omics, Iterable) else [*omics]
        for name in names:
            if name not in tables:
                raise InputError(
                    f"{self.name} has no omics {name!r}: choose from {', '.join(tables)}."
                )
        if isinstance(omics, str):
            return tables[omics]
        if not names:
            raise InputError(f"X() got no omics name: choose from {', '.join(tables)}.")
        chosen = {name: tables[name] for name in names}
        return frozen(pd.concat(chosen, axis=1, names=["omics", "feature"]))  # (lines, all)

    def subset(self, lines=None, perturbations=None, features=None, step=None) -> "Cohort":
        """The same cohort with some lines and perturbations, given as names or as a mask.

        `features` names those to keep of some omics, {"expression": ["BRAF"]}; `step` is what the
        new cohort says of it.
        """
        rows = pick(self.Y.index, lines, "line")
        columns = pick(self.Y.columns, perturbations, "perturbation")
        tables, features = self.omics, features or {}
        for key in features:
            self.X(key)  # refuses an omics that is not there
        kept = {
            key: pick(table.columns, features.get(key), f"feature of {key}")
            for key, table in tables.items()
        }
        return replace(
            self,
            Y=self.Y.loc[rows, columns],
            omics={key: table.loc[rows, kept[key]] for key, table in tables.items()},
            lines=self.lines.loc[rows],
            perturbations=self.perturbations.loc[columns],
            steps=(*self.steps, step or Step("subset", (len(rows), len(columns)))),
        )

    def describe(self) -> None:
        """Print the shape after each step beside the shape that the paper reports."""
        print(self)
        table = steps_table(self.steps)
        with pd.option_context("display.max_colwidth", None, "display.width", None):
            print(table.to_string(index=False, justify="left"))

    def __repr__(self) -> str:
        n_lines, n_perturbations = self.Y.shape
        known = float(self.Y.notna().to_numpy().mean())
        kinds = ", ".join(pd.unique(self.perturbations["kind"].astype(str)))
        word = "lower" if self.lower_is_sensitive else "higher"
        omics = ", ".join(f"{key} {table.shape[1]:,}" for key, table in self.omics.items())
        simulated = ", simulated" if self.edition == "teaching" else ""
        return (
            f"{type(self).__name__} {self.name!r} ({self.edition} edition{simulated})\n"
            f"  response: {self.response}, {n_lines:,} lines x {n_perturbations:,} "
            f"perturbations ({kinds}), {known:.1%} measured, {word} = more sensitive\n"
            f"  omics: {omics or 'none'}\n"
            f"  lines: {self.lines['tissue'].nunique():,} tissues, {donors(self.lines['donor'])}"
        )


def donors(donor: pd.Series) -> str:
    """How many donors are known, and of how many lines none is."""
    unknown = int(donor.isna().sum())
    if unknown == len(donor):
        return "donors unknown"
    lines = f", {unknown:,} line{'s' * (unknown > 1)} of unknown donor" if unknown else ""
    return f"{donor.nunique():,} donors{lines}"


def complete_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """The table of lines with `tissue`, `donor` (missing: its own) and `name`."""
    if "tissue" not in lines.columns:
        raise InputError(
            "The table of lines has no column 'tissue': add it (write 'unknown' where it is "
            "not known), because splits and baselines need it."
        )
    lines = lines.rename_axis(index="line")
    lines["tissue"] = lines["tissue"].astype(object).where(lines["tissue"].notna(), "unknown")
    if "donor" not in lines.columns:
        lines["donor"] = None
    if "name" not in lines.columns:
        lines["name"] = lines.index.astype(str)
    return lines


def complete_perturbations(perturbations: pd.DataFrame | None, names: pd.Index) -> pd.DataFrame:
    """One row for each column of `Y`, with its `kind`."""
    if perturbations is None:
        perturbations = pd.DataFrame(index=names)
    as_index("perturbations", as_table("perturbations", perturbations).index, "row")
    missing = names.difference(perturbations.index)
    if len(missing):
        raise InputError(
            f"The table of perturbations has no row for {len(missing)} of the {len(names)} "
            f"columns of Y ({few(missing)}): add these rows or drop the columns."
        )
    perturbations = perturbations.loc[names].rename_axis(index="perturbation")
    if "kind" not in perturbations.columns:
        perturbations.insert(0, "kind", "perturbation")
    return perturbations
