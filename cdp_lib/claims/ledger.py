"""The ledger: what the papers report, one TOML file a paper, a line a claim.

A *claim* is one thing that a paper reports: a number, a shape, a text or a statement.
Numbers are read as decimals, because 0.90 says more than 0.9: it is printed to two digits,
so it stands for anything within 0.005.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path

from cdp_lib.errors import InputError, nearest

# The default tolerance of a metric: (size, "absolute" or "relative to the reported value").
TOLERANCES = {
    "pearson": (0.05, "absolute"),
    "spearman": (0.05, "absolute"),
    "r2": (0.05, "absolute"),
    "r2_difference": (0.01, "absolute"),
    "weight": (0.05, "absolute"),
    "percent": (5.0, "absolute"),
    "top_1": (5.0, "absolute"),
    "top_3": (5.0, "absolute"),
    "mse": (0.10, "relative"),
    "rmse": (0.10, "relative"),
    "mae": (0.10, "relative"),
    "negative_elbo": (0.10, "relative"),
    "distance": (0.10, "relative"),
    "ln_ic50": (0.10, "relative"),
    "growth": (0.10, "relative"),
    "epochs": (0.10, "relative"),
    "count": (0.01, "relative"),
    "shape": (0.01, "relative"),
    "text": (0.0, "absolute"),
    "statement": (0.0, "absolute"),
}
EXACT = ("count", "epochs", "shape", "text", "statement")  # a printed integer is not a rounding


@dataclass(frozen=True)
class Claim:
    """One thing that a paper reports."""

    id: str
    paper: str
    location: str
    description: str
    metric: str
    value: float | int | str | tuple[int, ...] | None = None  # None: a statement
    axis: str | None = None
    sd: float | None = None
    n: str | None = None
    split: str | None = None
    note: str | None = None
    printed: str | None = None  # the paper's own writing, where it is not a plain number
    rounding: float = 0.0  # half a unit of the last printed digit
    tolerance: float | None = None  # None: the default of the metric
    decimals: int = 0

    def show(self, value: object) -> str:
        """A value in the writing of this claim: its decimals, or 1,210 x 19,145."""
        if value is None:
            return "stated" if self.metric == "statement" else ""
        if isinstance(value, bool):
            return "holds" if value else "does not hold"
        if isinstance(value, str):
            return value
        if isinstance(value, (list, tuple)):
            return " x ".join(f"{part:,}" for part in value)
        if math.isnan(value):
            return ""
        return f"{value:,.{self.decimals}f}"

    @property
    def reported(self) -> str:
        return self.printed or self.show(self.value)

    @property
    def with_sd(self) -> str:
        return self.reported if self.sd is None else f"{self.reported} ± {self.sd:g}"


@dataclass(frozen=True)
class Paper:
    """The head of a ledger file; `headline` names the claim and the records of the signature."""

    id: str
    citation: str
    title: str
    link: str
    chapter: str | None
    headline: dict[str, str]


def root() -> Path:
    """The folder that holds ``claims/`` and ``results/``: package data, or this very checkout's."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "book", package.parent / "book"):
        if (place / "claims").is_dir():
            return place
    raise InputError(
        f"The claims of the papers (claims/*.toml) are not installed beside {package}: "
        "install cdp-lib again."
    )


def papers(folder: Path | None = None) -> dict[str, Paper]:
    """The head of each ledger file, by paper id."""
    return {paper.id: paper for paper, _ in _ledger(folder)}


def claims(paper: str | None = None, folder: Path | None = None) -> tuple[Claim, ...]:
    """The claims of one paper, or of all."""
    ledger = {head.id: found for head, found in _ledger(folder)}
    if paper is None:
        return tuple(claim for found in ledger.values() for claim in found)
    check_paper(paper, folder)
    return ledger[paper]


def check_paper(paper: str | None, folder: Path | None = None) -> None:
    """Refuse a paper that the ledger does not hold."""
    known = papers(folder)
    if paper is not None and paper not in known:
        raise InputError(f"The ledger has no paper {paper!r}; there are {', '.join(known)}.")


def claim(id: str, folder: Path | None = None) -> Claim:
    """The claim with this id."""
    known = {found.id: found for found in claims(folder=folder)}
    if id not in known:
        raise InputError(f"The ledger has no claim {id!r}; {nearest(id, known)}")
    return known[id]


def files(folder: Path | None = None) -> Iterator[tuple[Path, dict]]:
    """Each ledger file and what it holds; a malformed one is named."""
    for path in sorted(((folder or root()) / "claims").glob("*.toml")):
        try:
            text = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        except tomllib.TOMLDecodeError as problem:
            raise InputError(f"{path} is not valid TOML ({problem}); correct the file.") from None
        missing = {"paper", "citation", "title", "headline", "group"} - set(text)
        if missing or not {"doi", "arxiv"} & set(text):
            lacks = ", ".join(sorted(missing)) or "doi or arxiv"
            raise InputError(f"{path} lacks {lacks}; add it at the head of the file.")
        yield path, {"conclusion": [], "arithmetic": []} | text


def _ledger(folder: Path | None) -> list[tuple[Paper, tuple[Claim, ...]]]:
    return [_paper(path, text) for path, text in files(folder)]


def _paper(path: Path, text: dict) -> tuple[Paper, tuple[Claim, ...]]:
    link = f"https://doi.org/{text['doi']}" if "doi" in text else None
    link = link or f"https://arxiv.org/abs/{text['arxiv']}"
    head = Paper(
        text["paper"], text["citation"], text["title"], link, text.get("chapter"), text["headline"]
    )
    found = []
    for group in text["group"]:
        shared = {key: value for key, value in group.items() if key != "claims"}
        found += [_claim(path, {"paper": head.id} | shared | own) for own in group["claims"]]
    ids = [claim.id for claim in found]
    if len(set(ids)) < len(ids):
        twice = ", ".join(sorted({id for id in ids if ids.count(id) > 1}))
        raise InputError(f"{path} has the claim {twice} twice; give each claim its own id.")
    return head, tuple(found)


def _claim(path: Path, given: dict) -> Claim:
    """One claim from its own fields and those of its group."""
    name = given.get("id", "a claim without id")
    required = {"id", "location", "description", "metric"}
    if given.get("metric") != "statement":
        required.add("value")
    wrong = sorted(required - set(given)) + sorted(set(given) - {f.name for f in fields(Claim)})
    if wrong:
        raise InputError(f"{path}: {name} lacks or does not know {', '.join(wrong)}; mend it.")
    if given["metric"] not in TOLERANCES:
        raise InputError(
            f"{path}: {name} has the metric {given['metric']!r}; "
            f"use one of {', '.join(TOLERANCES)}."
        )
    value = given.get("value")
    number = isinstance(value, (int, Decimal))
    decimals = max(0, -Decimal(value).as_tuple().exponent) if number else 0
    exact = not number or given["metric"] in EXACT
    given = {"rounding": 0.0 if exact else 0.5 * 10.0**-decimals} | given | {"decimals": decimals}
    given = {key: float(v) if isinstance(v, Decimal) else v for key, v in given.items()}
    if isinstance(value, list):
        given["value"] = tuple(value)
    return Claim(**given)
