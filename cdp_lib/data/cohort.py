"""Cohort: aligned tables, the one thing a chapter receives.

Every response is a matrix, lines x perturbations, with NaN where nothing was measured.
Beside it stand the omics tables that describe the same lines, in the same order, and what is
known of each line and of each perturbation. All tables are aligned by name when the cohort is
made; afterwards nothing in it changes.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


class Cohort:
    """Lines with their omics and their response, aligned by name; it never changes.

    Make one with `cdp_lib.data.load(study)` or, from your own tables, `Cohort.from_tables`.
    """

    def __init__(
        self,
        *,
        Y: pd.DataFrame,
        omics: Mapping[str, pd.DataFrame],
        lines: pd.DataFrame,
        perturbations: pd.DataFrame,
        name: str,
        edition: str,
        study: str,
        response: str,
        lower_is_sensitive: bool = True,
        steps: Iterable[Step] = (),
        extras: Mapping[str, object] | None = None,
        truth: object = None,
    ):
        if edition not in EDITIONS:
            raise InputError(
                f"There is no edition {edition!r}: choose one of {', '.join(EDITIONS)}."
            )
        if not Y.size:
            raise InputError(
                f"{name} would hold {Y.shape[0]} lines x {Y.shape[1]} perturbations: ask for "
                f"less strict filters, or for names that it has."
            )
        for key, table in omics.items():
            if not table.shape[1]:
                raise InputError(
                    f"No feature of {key} is left in {name}: leave {key} out, or filter it less."
                )
        self.__dict__.update(
            name=name,
            edition=edition,
            study=study,
            response=response,
            lower_is_sensitive=lower_is_sensitive,
            steps=tuple(steps),
            _Y=frozen(Y),
            _omics={key: frozen(table) for key, table in omics.items()},
            _lines=lines.copy(),
            _perturbations=perturbations.copy(),
            _extras=copy.deepcopy(dict(extras or {})),
            _truth=copy.deepcopy(truth),
        )

    def __setattr__(self, key: str, value: object = None) -> None:
        raise AttributeError(
            f"{type(self).__name__}.{key} cannot be set or deleted, because a cohort never "
            "changes: make another one with .subset() or from_tables()."
        )

    __delattr__ = __setattr__

    def __setstate__(self, state: dict) -> None:
        """Read-only again after a journey to another process."""
        omics = {key: frozen(table) for key, table in state["_omics"].items()}
        self.__dict__.update(state, _Y=frozen(state["_Y"]), _omics=omics)

    @classmethod
    def from_tables(
        cls,
        Y: pd.DataFrame,
        omics: Mapping[str, pd.DataFrame],
        lines: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        *,
        name: str = "my cohort",
        edition: str = "own",
        study: str = "own",
        response: str = "response",
        lower_is_sensitive: bool = True,
        steps: Iterable[Step] = (),
        paper_shape: tuple[int, ...] | None = None,
        extras: Mapping[str, object] | None = None,
        truth: object = None,
    ) -> "Cohort":
        """Check the tables, keep the lines that all of them know, and write that down as a step.

        `Y` is lines x perturbations, each omics table lines x features, `lines` has a column
        `tissue` (and, where known, `donor` and `name`), `perturbations` has a row for each
        column of `Y`. Lines are joined by name; the order is that of `Y`.
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
            name=name,
            edition=edition,
            study=study,
            response=response,
            lower_is_sensitive=lower_is_sensitive,
            steps=(*steps, Step("lines in every table", Y.shape, paper_shape, joined)),
            extras=extras,
            truth=truth,
        )

    @property
    def Y(self) -> pd.DataFrame:
        """The response, lines x perturbations, float32, NaN where nothing was measured."""
        return self._Y.copy(deep=False)

    @property
    def omics(self) -> Mapping[str, pd.DataFrame]:
        """Name -> lines x features, float32, complete, in the order of `Y`."""
        return MappingProxyType({k: table.copy(deep=False) for k, table in self._omics.items()})

    @property
    def lines(self) -> pd.DataFrame:
        """One row a line: tissue, donor, name and what else is known."""
        return self._lines.copy()

    @property
    def perturbations(self) -> pd.DataFrame:
        """One row a perturbation: its kind and, for drugs, structure and target."""
        return self._perturbations.copy()

    @property
    def extras(self) -> Mapping[str, object]:
        """What else a study brings: interaction graph, pathways, tables of single drugs."""
        return MappingProxyType(copy.deepcopy(self._extras))

    @property
    def truth(self) -> object:
        """What the simulation knows, in the teaching edition; else None."""
        return copy.deepcopy(self._truth)

    def X(self, omics: str | Iterable[str]) -> pd.DataFrame:
        """One omics table by name; several side by side under two-level columns."""
        if isinstance(omics, str):
            return self._table(omics).copy(deep=False)
        names = list(omics) if isinstance(omics, Iterable) else [omics]
        if not names:
            raise InputError(f"X() got no omics name: choose from {', '.join(self._omics)}.")
        tables = {name: self._table(name) for name in names}
        return frozen(pd.concat(tables, axis=1, names=["omics", "feature"]))  # (lines, all)

    def _table(self, name: str) -> pd.DataFrame:
        if name not in self._omics:
            raise InputError(
                f"{self.name} has no omics {name!r}: choose from {', '.join(self._omics)}."
            )
        return self._omics[name]

    def subset(self, lines=None, perturbations=None, features=None, step=None) -> "Cohort":
        """The same cohort with some lines and perturbations, given as names or as a mask.

        `features` names those to keep of some omics, {"expression": ["BRAF"]}; `step` is what the
        new cohort says of it.
        """
        rows = pick(self._Y.index, lines, "line")
        columns = pick(self._Y.columns, perturbations, "perturbation")
        for key in features or {}:
            self._table(key)
        kept = {
            key: pick(table.columns, (features or {}).get(key), f"feature of {key}")
            for key, table in self._omics.items()
        }
        return self._with(rows, columns, kept, step or Step("subset", (len(rows), len(columns))))

    def _with(
        self,
        rows: pd.Index,
        columns: pd.Index,
        features: dict[str, pd.Index],
        step: Step,
        **more: object,
    ) -> "Cohort":
        return type(self)(
            Y=self._Y.loc[rows, columns],
            omics={key: table.loc[rows, features[key]] for key, table in self._omics.items()},
            lines=self._lines.loc[rows],
            perturbations=self._perturbations.loc[columns],
            name=self.name,
            edition=self.edition,
            study=self.study,
            response=self.response,
            lower_is_sensitive=self.lower_is_sensitive,
            steps=(*self.steps, step),
            extras=self._extras,
            truth=self._truth,
            **more,
        )

    def describe(self) -> None:
        """Print the shape after each step beside the shape that the paper reports."""
        print(self)
        table = steps_table(self.steps)
        with pd.option_context("display.max_colwidth", None, "display.width", None):
            print(table.to_string(index=False, justify="left"))

    def __repr__(self) -> str:
        n_lines, n_perturbations = self._Y.shape
        known = float(self._Y.notna().to_numpy().mean())
        kinds = ", ".join(pd.unique(self._perturbations["kind"].astype(str)))
        word = "lower" if self.lower_is_sensitive else "higher"
        omics = ", ".join(f"{key} {table.shape[1]:,}" for key, table in self._omics.items())
        simulated = ", simulated" if self.edition == "teaching" else ""
        return (
            f"{type(self).__name__} {self.name!r} ({self.edition} edition{simulated})\n"
            f"  response: {self.response}, {n_lines:,} lines x {n_perturbations:,} "
            f"perturbations ({kinds}), {known:.1%} measured, {word} = more sensitive\n"
            f"  omics: {omics or 'none'}\n"
            f"  lines: {self._lines['tissue'].nunique():,} tissues, "
            f"{groups(self._lines['donor']):,} donors"
        )


def groups(donor: pd.Series) -> int:
    """Number of donors, a line of unknown donor counting as its own."""
    return int(donor.nunique() + donor.isna().sum())


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
