"""What we measured: numbers, figures and provenance of a recorded run.

    book/results/<chapter>/<edition>/results.json    provenance, results, captions
    book/results/<chapter>/<edition>/<figure>.svg

A run is written by `cdp_book.recording` and read back by `runs`; both refuse what the other could
not use.  `records` is the flat list of all results.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from cdp_lib.claims import ledger
from cdp_lib.data.editions import EDITIONS
from cdp_lib.data.files import catalogue
from cdp_lib.data.files.catalogue import File
from cdp_lib.errors import InputError
from cdp_lib.metrics import LOWER_IS_BETTER
from cdp_lib.models.base.protocols import PROTOCOLS as PROCEDURES

ARITHMETIC = "arithmetic"  # the protocol of a number computed from a paper's own, without any data
PROTOCOLS = (None, *PROCEDURES, ARITHMETIC)
STATUSES = ("holds", "holds only with the leak", "does not hold", "undecided", "not run")
NUMBERS = ("value", "sd", "n", "gain", "low", "high", "p", "floor", "ceiling", "share")


@dataclass(frozen=True)
class Record:
    """One thing that we measured.

    `value` is a number, a list of integers (a shape), a text, true or false (a statement holds
    or not), or None for a claim that was not run: then `reason` says why.
    """

    key: str
    value: float | int | str | bool | list | None
    edition: str
    chapter: str
    claim: str | None = None
    sd: float | None = None
    n: int | None = None
    metric: str | None = None
    axis: str | None = None
    split: str | None = None
    protocol: str | None = None
    baseline: bool = False
    comparable: bool = True
    reason: str | None = None
    sd_over: str | None = None  # what sd is over: "folds of lines"
    reference: str | None = None  # whom gain, low, high and p compare with
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    floor: float | None = None  # the best naive baseline, and what replicates allow
    ceiling: float | None = None
    share: float | None = None
    conclusion: str | None = None  # its value is then a status, and evidence its comparisons
    evidence: list | None = None

    def __post_init__(self):
        """Numbers of numpy become plain, one that is not finite becomes "gave no number"."""
        for name in NUMBERS:
            object.__setattr__(self, name, _plain(getattr(self, name)))
        if isinstance(self.value, float) and not math.isfinite(self.value):
            reason = self.reason or "our run gave no number"
            self.__dict__.update(value=None, comparable=False, reason=reason)
        if isinstance(self.sd, float) and not math.isfinite(self.sd):
            self.__dict__.update(sd=None)
        if problem := self._problem():
            raise InputError(f"{problem}.")

    def _problem(self) -> str | None:
        value = self.value
        if not isinstance(self.key, str) or not self.key.strip():
            return "its key is empty"
        if self.edition not in EDITIONS:
            return f"there is no edition {self.edition!r} (there are {', '.join(EDITIONS)})"
        if self.protocol not in PROTOCOLS:
            known = ", ".join(repr(name) for name in PROTOCOLS if name)
            return f"its protocol is {self.protocol!r}, none of {known}"
        if not isinstance(value, (int, float, str, bool, list, type(None))):
            return f"its value {value!r} is no number, shape, text, truth value or null"
        if isinstance(value, list) and not all(type(side) is int for side in value):
            return f"its value {value!r} is no shape (a list of integers)"
        if not isinstance(self.sd, (int, float, type(None))):
            return f"its sd {self.sd!r} is no number"
        if self.conclusion is not None and value not in STATUSES:
            return f"its status is {value!r}, none of {', '.join(STATUSES)}"
        for name in ("baseline", "comparable"):
            if not isinstance(getattr(self, name), bool):
                return f"its field {name} is not true or false"
        if (value is None or not self.comparable) and not self.reason:
            return "it has no value or is not comparable, and no reason=... says why"
        return None


def _plain(value: object) -> object:
    """Numbers of numpy, and tuples, as what JSON knows."""
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value.item() if hasattr(value, "item") else value


@dataclass(frozen=True)
class Run:
    """One recorded run of a chapter; a figure is a mapping of name, caption, alt and path."""

    chapter: str
    edition: str
    provenance: dict
    results: tuple[Record, ...]
    figures: tuple[dict, ...]


def runs(folder: Path | None = None, strict: bool = False) -> tuple[Run, ...]:
    """All recorded runs, checked, in the order of chapters and editions.

    A record that cannot be used hides nothing but itself: a warning names it; with `strict` it is
    an error.
    """
    folder = folder or ledger.root()
    known = {claim.id for claim in ledger.claims(folder=folder)}
    known |= {row.get("id") for _, text in ledger.files(folder) for row in text["conclusion"]}
    found = []
    for place in _places(folder / "results"):
        try:
            found.append(_read(place, known))
        except InputError as problem:
            if strict:
                raise
            warnings.warn(f"{problem} Its numbers are left out.", stacklevel=2)
    return tuple(found)


def previous(folder: Path) -> Path:
    """Where a record waits while a newer one takes its place."""
    return folder.with_name(f".{folder.name}.previous")


def _places(results: Path) -> list[Path]:
    """The folder of each record: its own, or where a stopped writer left it."""
    found = {path.parent for path in results.glob("*/[!.]*/results.json")}
    for left in results.glob("*/.*.previous/results.json"):
        own = left.parent.with_name(left.parent.name[1:].removesuffix(".previous"))
        found |= set() if own in found else {left.parent}
    return sorted(found, key=lambda path: (path.parent.name, path.name.removeprefix(".")))


def records(folder: Path | None = None) -> tuple[Record, ...]:
    """All results of all recorded runs."""
    return tuple(record for run in runs(folder) for record in run.results)


def data_of(chapter: str, edition: str) -> list[File]:
    """The files that the recorded run of a chapter read; of another, the one that all read."""
    path = ledger.root() / "results" / chapter / edition / "results.json"
    keys = ["depmap-19q4/sample_info.csv"]
    with contextlib.suppress(OSError, ValueError, LookupError):
        keys = sorted(json.loads(path.read_text("utf-8"))["provenance"]["data"])
    known = {file.key: file for data in catalogue.datasets().values() for file in data.files}
    return [known[key] for key in keys if key in known]


def best_baseline(record: Record, among: Iterable[Record]) -> Record | None:
    """The best naive baseline on the record's own rows; None where none was recorded.

    It shares chapter, edition, metric, axis, split and n, and has the record's protocol or none.
    In a table (key "table/row") with models it speaks for that table; a table that holds nothing
    but baselines speaks for the whole chapter, wherever a table has none of its own.
    """
    chapter = [other for other in among if other.chapter == record.chapter]
    models = {_table(other) for other in chapter if not other.baseline}
    rivals = [other for other in chapter if other.baseline and _same_rows(record, other)]
    own = [other for other in rivals if _table(other) == _table(record)]
    rivals = own or [other for other in rivals if _table(other) not in models]
    if record.metric is None or not rivals:
        return None
    best = min if record.metric in LOWER_IS_BETTER else max
    return best(rivals, key=lambda other: other.value)


def _table(record: Record) -> str:
    return record.key.partition("/")[0]


def _same_rows(record: Record, baseline: Record) -> bool:
    same = ("edition", "metric", "axis", "split", "n")
    return (
        isinstance(baseline.value, (int, float))
        and baseline.protocol in (None, record.protocol)
        and all(getattr(baseline, name) == getattr(record, name) for name in same)
    )


def _read(folder: Path, known: set[str]) -> Run:
    """The record of a folder; its claims must be `known`."""
    path = folder / "results.json"
    try:
        text = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise InputError(f"{path} cannot be read ({problem}); record the run again.") from None
    parts = {"provenance": dict, "results": list, "figures": list}
    if not isinstance(text, dict) or any(type(text.get(k)) is not t for k, t in parts.items()):
        raise InputError(f"{path} lacks provenance, results or figures; record the run again.")
    for figure in text["figures"]:
        check_figure(path, figure, "caption")
        figure["path"] = path.with_name(f"{figure['name']}.svg")
        if not figure["path"].exists():
            raise InputError(f"{path} names {figure['path'].name}, which is missing; record again.")
        digest = hashlib.sha256(figure["path"].read_bytes()).hexdigest()
        if figure.get("sha256", digest) != digest:
            raise InputError(f"{figure['path']} is not what {path.name} describes; record again.")
    chapter, edition = _place(path)
    results = check_records(path, text["results"])
    for record in results:
        for named in (record.claim, record.conclusion):
            if named is not None and named not in known:
                raise InputError(
                    f"{path}: result {record.key!r} names {named!r}, which is not in book/claims; "
                    "correct one of the two."
                )
    return Run(chapter, edition, text["provenance"], results, tuple(text["figures"]))


def _place(path: Path) -> tuple[str, str]:
    """Chapter and edition of a results.json."""
    chapter, edition = path.parts[-3:-1]
    return chapter, edition.removeprefix(".").removesuffix(".previous")


def check_records(path: Path, rows: list) -> tuple[Record, ...]:
    """The rows as records; the first malformed one is named."""
    chapter, edition = _place(path)
    known = {field.name for field in fields(Record)} - {"chapter"}
    found, keys = [], set()
    for number, row in enumerate(rows):
        where = f"{path}: result {number} cannot be used because"
        if not isinstance(row, dict):
            raise InputError(f"{where} it is not a table of fields.")
        odd = {"key", "value", "edition"} - set(row) or set(row) - known
        if odd:
            raise InputError(f"{where} it lacks or does not know {', '.join(sorted(odd))}.")
        if row["edition"] in EDITIONS and row["edition"] != edition:
            raise InputError(
                f"{where} it is of the edition {row['edition']!r} and stands in the folder "
                f"{edition!r}."
            )
        if row["key"] in keys:
            raise InputError(f"{where} the key {row['key']!r} is taken by an earlier result.")
        try:
            found.append(Record(**row, chapter=chapter))
        except InputError as problem:
            raise InputError(f"{where} {problem}") from None
        keys.add(row["key"])
    return tuple(found)


def check_figure(path: Path, figure: Mapping, needed: str) -> None:
    if not isinstance(figure, Mapping):
        raise InputError(f"{path}: a figure is {figure!r}; record the run again.")
    for name in ("name", "caption", "alt", needed):
        if not isinstance(figure.get(name), str) or not figure[name].strip():
            label = figure.get("name", "without a name")
            raise InputError(f"{path}: the figure {label!r} has no {name}; give it one.")
    if not figure["name"].replace("-", "").replace("_", "").isalnum():
        raise InputError(
            f"{path}: a figure's name is letters, digits, - and _, not {figure['name']!r}."
        )
