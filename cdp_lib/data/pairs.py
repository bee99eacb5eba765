"""PairScreen: a cohort whose perturbations are unordered pairs of drugs.

"A + B" and "B + A" are one perturbation. A pair is written with the smaller name first; where
both orders were measured in one line, their mean counts, and the screen says how many it merged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from cdp_lib.data.checks import as_index, as_table, few
from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.screens import best_combo_scores
from cdp_lib.errors import InputError

COLUMNS = ["line", "drug_a", "drug_b", "value"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PairScreen(Cohort):
    """Lines x pairs of drugs. `Y`, `lines`, `omics`, `X()` are those of a cohort."""

    drugs: pd.DataFrame  # one row a single drug: its name, structure and target

    @classmethod
    def from_tables(
        cls,
        pairs: pd.DataFrame,
        omics: Mapping[str, pd.DataFrame],
        lines: pd.DataFrame,
        drugs: pd.DataFrame,
        *,
        steps: Iterable[Step] = (),
        **more: object,
    ) -> "PairScreen":
        """Bring pairs to one order, merge repeats by their mean, and align by line.

        `pairs` is long, one measurement a row: line, drug_a, drug_b, value.
        `drugs` is the table of the single drugs, one row for each name used in `pairs`.
        Further arguments are those of `Cohort.from_tables`.
        """
        as_index("drugs", as_table("drugs", drugs).index, "row")
        drugs = drugs.set_axis(drugs.index.astype(str))
        long, note = canonical_pairs(pairs)
        if not len(long):
            raise InputError("The table of pairs holds no measured value: give one or more rows.")
        unknown = pd.Index(pd.unique(long[["drug_a", "drug_b"]].to_numpy().ravel()))
        unknown = unknown.difference(drugs.index)
        if len(unknown):
            raise InputError(
                f"The table of drugs has no row for {len(unknown)} drug(s) used in pairs "
                f"({few(unknown)}): add these rows or drop the pairs."
            )
        Y = pair_matrix(long)
        perturbations = long.assign(pair=pair_names(long)).drop_duplicates("pair")
        perturbations = perturbations.set_index("pair")[["drug_a", "drug_b"]].loc[Y.columns]
        single = perturbations["drug_a"] == perturbations["drug_b"]
        perturbations.insert(0, "kind", single.map({True: "single drug", False: "drug pair"}))
        merged = Step("pairs in one order", Y.shape, None, note)
        cohort = Cohort.from_tables(Y, omics, lines, perturbations, steps=(*steps, merged), **more)
        return cls(drugs=drugs.copy(), **vars(cohort))

    @property
    def pairs(self) -> pd.DataFrame:
        """The measured cells, one a row: line, drug_a, drug_b, value."""
        long = self.Y.stack().dropna().rename("value").reset_index()
        ends = self.perturbations[["drug_a", "drug_b"]]
        long = long.join(ends, on="perturbation")
        return long[COLUMNS]

    def subset(self, lines=None, perturbations=None, features=None, step=None) -> "PairScreen":
        """The same screen with some lines and pairs, and the drugs of these pairs."""
        part = super().subset(lines, perturbations, features, step)
        used = part.perturbations[["drug_a", "drug_b"]].to_numpy().ravel()
        return replace(part, drugs=part.drugs[part.drugs.index.isin(used)])

    def best_combo_scores(self, growth: pd.DataFrame | None = None) -> pd.DataFrame:
        """xia2018's BestComboScore, lines x pairs: 100 x (growth - that expected of both drugs).

        A screen of growth with each drug alone as "A + A" is needed; a pair has NaN in a line where
        it or one of its drugs was not measured.  `growth` is a table like Y, such as predictions,
        which then stand for the pairs *and* for the drugs alone.
        """
        growth = self.Y if growth is None else growth
        ends = self.perturbations[["drug_a", "drug_b"]]
        missing = ends.index.difference(growth.columns)
        if len(missing):
            raise InputError(
                f"The table of growth lacks {len(missing)} perturbations of the screen "
                f"({few(missing)}): give one column for each of them."
            )
        single = ends["drug_a"] == ends["drug_b"]
        alone = pd.Series(ends.index[single], ends.loc[single, "drug_a"])
        ends = ends[~single]
        bare = pd.Index(pd.unique(ends.to_numpy().ravel())).difference(alone.index)
        if len(bare):
            raise InputError(
                f"{len(bare)} drug(s) of the pairs were not given alone ({few(bare)}), so nothing "
                "is expected of them: load growth with singles=True."
            )
        first, second = (growth[alone[ends[end]]].to_numpy() for end in ends)  # (lines, pairs)
        both = growth[ends.index]
        scores = best_combo_scores(both.to_numpy(), first, second)
        return pd.DataFrame(scores, both.index, both.columns)


def canonical_pairs(pairs: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Pairs with the smaller name first and one row for each (line, pair); and what was merged."""
    missing = [c for c in COLUMNS if c not in as_table("pairs", pairs).columns]
    if missing:
        raise InputError(
            f"The table of pairs has no column {', '.join(missing)}: it needs {', '.join(COLUMNS)}."
        )
    nameless = pairs[["line", "drug_a", "drug_b"]].isna().any(axis=1)
    if nameless.any():
        raise InputError(
            f"The table of pairs has {int(nameless.sum())} row(s) without a line or a drug: name "
            f"them (a single drug stands as drug_a and drug_b) or drop them."
        )
    long = in_order(pairs)[COLUMNS]
    given = pairs[["drug_a", "drug_b"]].astype(str).drop_duplicates()
    unordered = long[["drug_a", "drug_b"]].drop_duplicates()
    long = long.assign(value=as_numbers(long))
    empty = int(long["value"].isna().sum())
    long = long.dropna(subset=["value"])
    merged = long.groupby(["line", "drug_a", "drug_b"], as_index=False, sort=False)["value"].mean()
    return merged, (
        f"{len(given) - len(unordered)} pair(s) stood in both orders, "
        f"{len(long) - len(merged)} repeated measurement(s) merged by their mean"
        + f", {empty} row(s) without a value left out"
        * (empty > 0)
    )


def as_numbers(long: pd.DataFrame) -> pd.Series:
    """The values as numbers; one that is none is named with its line and drugs."""
    value = pd.to_numeric(long["value"], errors="coerce")
    wrong = value.isna() & long["value"].notna()
    if wrong.any():
        row = long[wrong].iloc[0]
        raise InputError(
            f"The table of pairs holds {row['value']!r}, which is no number, for {row['drug_a']} + "
            f"{row['drug_b']} in {row['line']} ({int(wrong.sum())} such row(s)): put a number "
            "there, or drop the row."
        )
    return value


def in_order(pairs: pd.DataFrame) -> pd.DataFrame:
    """The same rows with the smaller name of each pair first."""
    first, second = pairs["drug_a"].astype(str), pairs["drug_b"].astype(str)
    swap = first > second
    return pairs.assign(
        line=pairs["line"].astype(str),
        drug_a=first.where(~swap, second),
        drug_b=second.where(~swap, first),
    )


def pair_matrix(long: pd.DataFrame) -> pd.DataFrame:
    """The long table as lines x pairs, the pairs named "A + B"."""
    wide = long.assign(pair=pair_names(long)).pivot(index="line", columns="pair", values="value")
    return wide.rename_axis(columns="perturbation")


def pair_names(long: pd.DataFrame) -> pd.Series:
    """The name of each row's pair: "A + B"."""
    return long["drug_a"] + " + " + long["drug_b"]
