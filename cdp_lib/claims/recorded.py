"""What we measured: numbers, figures and provenance of a recorded run.

    book/results/<chapter>/<edition>/results.json    provenance, results, captions
    book/results/<chapter>/<edition>/<figure>.svg

A run is written by `cdp_book.recording` and read back by `runs`; both refuse what the other could
not use.  `records` is the flat list of all results.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from cdp_lib.claims import ledger
from cdp_lib.data.editions import EDITIONS
from cdp_lib.errors import InputError
from cdp_lib.metrics import LOWER_IS_BETTER
from cdp_lib.models.base.protocols import PROTOCOLS as PROCEDURES

ARITHMETIC = "arithmetic"  # the protocol of a number computed from a paper's own, without any data
PROTOCOLS = (None, *PROCEDURES, ARITHMETIC)


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
        if record.claim is not None and record.claim not in known:
            raise InputError(
                f"{path}: result {record.key!r} names the claim {record.claim!r}, which is "
                "not in book/claims; correct one of the two."
            )
    return Run(chapter, edition, text["provenance"], results, tuple(text["figures"]))


def _place(path: Path) -> tuple[str, str]:
    """Chapter and edition of a results.json."""
    chapter, edition = path.parts[-3:-1]
    return chapter, edition.removeprefix(".").removesuffix(".previous")


def check_records(path: Path, rows: list) -> tuple[Record, ...]:
    """The rows as records; the first malformed one is named."""
    chapter, edition = _place(path)
    found, keys = [], set()
    for number, row in enumerate(rows):
        problem = "it is not a table of fields" if not isinstance(row, dict) else None
        problem = problem or _problem({**row, "chapter": chapter}, edition)
        if problem is None and row["key"] in keys:
            problem = f"the key {row['key']!r} is taken by an earlier result"
        if problem:
            raise InputError(f"{path}: result {number} cannot be used because {problem}.")
        keys.add(row["key"])
        found.append(Record(**{**row, "chapter": chapter}))
    return tuple(found)


def _problem(row: dict, edition: str) -> str | None:
    known = {field.name for field in fields(Record)}
    missing = {"key", "value", "edition"} - set(row)
    if missing or set(row) - known:
        return f"it lacks or does not know {', '.join(sorted(missing or set(row) - known))}"
    if row["edition"] not in EDITIONS:
        return f"there is no edition {row['edition']!r} (there are {', '.join(EDITIONS)})"
    if row["edition"] != edition:
        return f"it is of the edition {row['edition']!r} and stands in the folder {edition!r}"
    value = row["value"]
    if not isinstance(value, (int, float, str, bool, list, type(None))):
        return f"its value {value!r} is no number, shape, text, truth value or null"
    if isinstance(value, list) and not all(type(side) is int for side in value):
        return f"its value {value!r} is no shape (a list of integers)"
    if not isinstance(row.get("sd"), (int, float, type(None))):
        return f"its sd {row['sd']!r} is no number"
    for name in ("baseline", "comparable"):
        if not isinstance(row.get(name, True), bool):
            return f"its field {name} is not true or false"
    if (value is None or not row.get("comparable", True)) and not row.get("reason"):
        return "it has no value or is not comparable, and no reason says why"
    return None


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
