"""A table of an edition by its name, always as lines (ACH ids) x features.

Where it lies and what reads it stands in `tables.py`, so that a recipe knows no edition: it asks
for the "expression" of a release, and every edition answers in the same form and unit.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cdp_lib.data import teaching
from cdp_lib.data.cohort import Step
from cdp_lib.data.editions import LOADED
from cdp_lib.data.files import download
from cdp_lib.data.files.parsed import cached
from cdp_lib.data.ids import IdMap
from cdp_lib.data.studies.tables import CHOICES, TABLES, Table
from cdp_lib.errors import InputError, nearest


@dataclass(frozen=True)
class Source:
    """The files of one edition."""

    edition: str
    folder: Path | None = None  # of the teaching cohort

    def find(self, name: str, release: str | None = None) -> Table | None:
        """The table of this name and release, or of every release; None where there is none."""
        known = TABLES[self.edition]
        return known.get(f"{name} {release}", known.get(name))

    def path(self, dataset: str, name: str) -> Path:
        if self.folder is not None:
            return self.folder / dataset / name
        return download.path(dataset, name)

    def paths(self, name: str, release: str | None = None) -> list[Path]:
        table = self.find(name, release)
        if table is None:
            raise InputError(
                f"The {self.edition} edition has no table {name!r}: use another edition."
            )
        return [self.path(table.dataset, file) for file in table.files]

    def read(self, name: str, release: str | None = None) -> pd.DataFrame:
        """The table as its reader returns it, from the cache where it was read before."""
        paths = self.paths(name, release)
        return cached(self.find(name, release).reader, *paths)

    def lines(self, name: str, ids: IdMap, release: str | None = None) -> pd.DataFrame:
        """The table by ACH id, in the unit of the other editions."""
        table, found = self.find(name, release), self.read(name, release)
        if table.lines:
            found = ids.to_ach(found.index, table.lines).rename(found)
        return table.unit(found) if table.unit else found

    def choice(self, study: str, option: str, value: object = None) -> object:
        """The value asked for, where this edition has it; the first it has, where none was."""
        known = CHOICES[self.edition][study][option]
        if value is None:
            return known[0]
        if value not in known:
            what_to_do = f"choose from {', '.join(map(str, known))}"
            if not known:
                what_to_do = "use another edition"
            if known == (None,):
                what_to_do = "leave the option out"
            raise InputError(
                f"{option}={value!r} cannot be had in the {self.edition} edition: {what_to_do}."
            )
        return value


def source_of(edition: str, **sizes: int) -> Source:
    """The files of an edition; those of the teaching cohort are made at the first call."""
    if edition not in LOADED:
        raise InputError(f"There is no edition {edition!r}; {nearest(edition, LOADED)}")
    return Source(edition, teaching.root(**sizes) if edition == "teaching" else None)


def notes(table: pd.DataFrame) -> str:
    return "; ".join(table.attrs.get("notes", []))


def step(
    source: Source,
    what: str,
    shape: tuple,
    paper: tuple | None = None,
    *said: str,
    names: int = 0,
) -> Step:
    """A step; where official files do not have the paper's shape, its note says so.

    `names` is how many columns of names the paper counts among the features.
    """
    if source.edition == "official" and paper is not None:
        *rows, columns = paper
        said = (*said, "" if tuple(shape) == (*rows, columns - names) else "differs from the paper")
    if names:
        said = (*said, f"the paper counts {names} column(s) of names")
    return Step(what, tuple(shape), paper, "; ".join(note for note in said if note))


def read_lines(source: Source, release: str | None = "19Q4") -> tuple[pd.DataFrame, IdMap]:
    """The lines by ACH id, and the map of their names."""
    samples = [source.read("lines")]
    if source.find("later lines", release):  # lines that only a later release has
        samples.append(source.read("later lines", release))
    ids = IdMap(samples, source.read("models"), source.read("annotations"))
    lines = pd.concat(samples)
    lines = lines[~lines.index.duplicated()]
    return lines, ids


def describe_lines(lines: pd.DataFrame, ids: IdMap, wanted: pd.Index) -> tuple[pd.DataFrame, str]:
    """A row for each line; those of which only the id is known have the tissue "unknown"."""
    table = lines.reindex(wanted)
    unknown = ~wanted.isin(lines.index)
    table["donor"] = ids.donors(wanted)
    table["tissue"] = table["tissue"].where(table["tissue"].notna(), "unknown")
    table["name"] = table["name"].where(table["name"].notna(), wanted)
    return table, f"{unknown.sum()} lines are in no table of lines" if unknown.any() else ""


def read_omics(source: Source, ids: IdMap, name: str, release: str | None = "19Q4") -> pd.DataFrame:
    """One omics table by ACH id.

    expression: log2(TPM + 1); mutation: 1 where a gene carries a damaging or hotspot mutation;
    copy_number: log2(relative copies + 1), pocket: total copies (PICNIC); rppa: log2 of protein
    level by antibody; metabolites: log10 of abundance.
    """
    return source.lines(name, ids, release)


def dependency(source: Source, target: str, release: str | None = "19Q4") -> pd.DataFrame:
    """Lines x genes: the gene effect, or the probability that a line needs the gene."""
    return source.read(target, release)


def nci60_omics(source: Source, name: str) -> pd.DataFrame:
    """Expression, microrna or protein of the NCI-60, by their own names."""
    return source.read(f"NCI-60 {name}")


def knowledge(source: Source) -> dict[str, object]:
    """The interaction graph (gene_a, gene_b) and the pathways (name -> genes)."""
    (pathways,) = source.paths("pathways")
    return {"graph": source.read("graph"), "pathways": source.find("pathways").reader(pathways)}
