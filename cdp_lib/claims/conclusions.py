"""Does the conclusion hold?  A paper's conclusions, the rule of each, and what a run decides.

A *conclusion* is a sentence that a paper draws from its numbers.  Its rule stands in
``book/claims/<paper>.toml``, written before the run: which comparisons decide it, on which split
and axis.  Each comparison is a gain with its interval from low to high, and with the corrected p
over folds where there are folds:

    shown    low > 0,   and p < 0.05 where p is known
    refuted  high <= 0, and p < 0.05 where p is known

    every comparison shown            holds
    some comparison refuted           does not hold
    otherwise                         undecided

Where the same comparisons under the published leak are all shown, and the leak-free ones are not,
the conclusion "holds only with the leak".  Simulated data decide nothing, but for a comparison of
which the rule says that it needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path

import pandas as pd

from cdp_lib.audit import bootstrap
from cdp_lib.claims import ledger
from cdp_lib.claims.recorded import STATUSES, records
from cdp_lib.claims.scores import gain_words, p_words
from cdp_lib.data.editions import EDITIONS
from cdp_lib.errors import InputError, nearest

HOLDS, WITH_LEAK, DOES_NOT_HOLD, UNDECIDED, NOT_RUN = STATUSES
MARKS = dict(zip(STATUSES, "●◐✕◇○", strict=True))  # a status is a word and a shape
NEEDED = ("comparison", "gain", "low", "high", "unit", "n")
LEVEL = 0.05
BESIDE = 'style="border-left: 4px solid currentColor; padding-left: 1rem; margin: 1rem 0"'
UNITS = {"perturbation": "perturbations", "line": "lines"}


@dataclass(frozen=True)
class Conclusion:
    """One sentence of a paper, and the rule that decides it."""

    id: str
    paper: str
    short: str  # for a picture
    location: str
    conclusion: str
    comparisons: tuple[str, ...]  # each is a gain; all of them must be shown
    score: str  # what is compared, on which split and axis
    leak: str | None = None  # the published leak, where the same comparisons are run with it
    simulated: tuple[str, ...] = ()  # comparisons that need a known truth
    note: str | None = None

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        listed = "; ".join(self.comparisons)
        needs = "this gain is" if len(self.comparisons) == 1 else "each of these gains is"
        known = "".join(f" The gain {name!r} needs simulated data." for name in self.simulated)
        return f"{self.score}: it holds where {needs} above 0: {listed}.{known}"


def conclusions(paper: str | None = None, folder: Path | None = None) -> tuple[Conclusion, ...]:
    """The conclusions of one paper, or of all, in the order of the ledger."""
    ledger.check_paper(paper, folder)
    found = []
    for path, text in ledger.files(folder):
        if paper in (None, text["paper"]):
            found += [_conclusion(path, text["paper"], row) for row in text["conclusion"]]
    ids = [each.id for each in found]
    if len(set(ids)) < len(ids):
        raise InputError(f"The conclusion {max(ids, key=ids.count)} stands twice in the ledger.")
    return tuple(found)


def conclusion(id: str, folder: Path | None = None) -> Conclusion:
    """The conclusion with this id."""
    known = {each.id: each for each in conclusions(folder=folder)}
    if id not in known:
        raise InputError(f"The ledger has no conclusion {id!r}; {nearest(id, known)}")
    return known[id]


def _conclusion(path: Path, paper: str, given: Mapping) -> Conclusion:
    names = {field.name for field in fields(Conclusion)} - {"paper"}
    needed = {"id", "short", "location", "conclusion", "comparisons", "score"}
    wrong = sorted(needed - set(given)) + sorted(set(given) - names)
    if wrong:
        name = given.get("id", "a conclusion without id")
        raise InputError(f"{path}: {name} lacks or does not know {', '.join(wrong)}; mend it.")
    lists = {name: tuple(given.get(name, ())) for name in ("comparisons", "simulated")}
    if unknown := set(lists["simulated"]) - set(lists["comparisons"]):
        raise InputError(f"{path}: {given['id']} has no comparison {min(unknown)!r}.")
    return Conclusion(**dict(given) | lists, paper=paper)


def evidence(
    against: pd.DataFrame, models: Iterable[str] | Mapping[str, str], unit: str | None = None
) -> pd.DataFrame:
    """The rows of `P.against(...)` that a rule names, one a comparison.

    `models` are names of models, or a dictionary from a model to the comparison's name in the
    rule; without one it is "model minus reference".  `unit` says what was drawn again for the
    interval (default: perturbations or lines, after the axis).
    """
    if lacks := {"model", "reference", "gain", "low", "high", "distinct"} - set(against):
        raise InputError(
            f"Evidence lacks {', '.join(sorted(lacks))}: give the frame of P.against(...)."
        )
    rows = []
    for model in models:
        mine = against[against["model"] == model]
        if len(mine) != 1:
            raise InputError(
                f"The comparison has {len(mine)} rows of {model!r}: ask P.against(...) for one "
                f"metric and axis; {nearest(model, against['model'].unique())}"
            )
        row = mine.iloc[0]
        named = models[model] if isinstance(models, Mapping) else None
        found = {"comparison": named or f"{model} minus {row['reference']}"}
        found |= {name: float(row[name]) for name in ("gain", "low", "high", "p")}
        rows.append(found | {"unit": unit or UNITS[row["axis"]], "n": int(row["distinct"])})
    return pd.DataFrame(rows)


def drawn(
    comparison: str, gains: pd.Series, unit: str, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Evidence from one gain a unit: its mean, and the interval when units are drawn again."""
    values = gains.dropna().to_numpy(float)
    gain, low, high = bootstrap(lambda units: values[units].mean(), len(values), draws, seed=seed)
    row = {"comparison": comparison, "gain": gain, "low": low, "high": high}
    return pd.DataFrame([row | {"unit": unit, "n": len(values)}])


def status(honest: pd.DataFrame, leaky: pd.DataFrame | None = None) -> str:
    """What the comparisons say together: one of `STATUSES`."""
    found = _status(honest)
    if found != HOLDS and leaky is not None and _status(leaky) == HOLDS:
        return WITH_LEAK
    return found


def without_leak(found: list[dict]) -> str:
    """What the leak-free comparisons of a record say alone: "undecided" is less than a no."""
    rows = pd.DataFrame(found)
    return _status(rows[~rows["leaky"].astype(bool)])


def _status(rows: pd.DataFrame) -> str:
    p = rows.get("p", pd.Series(index=rows.index, dtype=float)).astype(float)
    sure = p.isna() | (p < LEVEL)
    if ((rows["low"] > 0) & sure).all():
        return HOLDS
    return DOES_NOT_HOLD if ((rows["high"] <= 0) & sure).any() else UNDECIDED


def check(rule: Conclusion, rows: pd.DataFrame, name: str = "evidence", whole: bool = True) -> None:
    """Refuse rows that the rule does not name, rows that it misses, and rows without interval."""
    if lacks := [column for column in NEEDED if column not in rows]:
        raise InputError(f"{name} of {rule.id} lacks the columns {', '.join(lacks)}.")
    given = list(rows["comparison"])
    if odd := [each for each in given if each not in rule.comparisons]:
        raise InputError(
            f"{name} of {rule.id} holds {odd[0]!r}, which its rule does not name; "
            f"{nearest(odd[0], rule.comparisons)}"
        )
    missing = [each for each in rule.comparisons if each not in given]
    if len(set(given)) < len(given) or (whole and missing):
        wrong = f"lacks {missing[0]!r}" if missing else "has a comparison twice"
        raise InputError(f"{name} of {rule.id} {wrong}: its rule names each comparison once.")
    if (bad := rows[["gain", "low", "high"]].isna().any(axis=1)).any():
        first = rows.loc[bad, "comparison"].iloc[0]
        raise InputError(
            f"{name} of {rule.id} has no interval for {first!r}: compare per perturbation or per "
            "line, or give low and high of a bootstrap."
        )


def sentence(row: Mapping) -> str:
    """One comparison in words, with its interval, its unit and its p."""
    gain = gain_words(row["gain"], row["low"], row["high"])
    p = row.get("p")
    sure = "" if p is None or pd.isna(p) else f", corrected p {p_words(p)}"
    return f"{row['comparison']}: {gain} over {row['n']:,} {row['unit']}{sure}"


def decided(paper: str | None = None, folder: Path | None = None) -> pd.DataFrame:
    """A row a conclusion: its rule, its status by the recorded runs on real data, its evidence.

    Official data count before pocket data; what no run has met is "not run".
    """
    found = [r for r in records(folder) if r.conclusion and r.edition != "teaching"]
    found.sort(key=lambda record: list(EDITIONS).index(record.edition))
    rows = []
    for each in conclusions(paper, folder):
        mine = next((record for record in found if record.conclusion == each.id), None)
        row = {"id": each.id, "paper": each.paper, "location": each.location}
        row |= {"conclusion": each.conclusion, "short": each.short, "rule": each.rule}
        row["status"] = mine.value if mine else NOT_RUN
        row["without_leak"] = without_leak(mine.evidence) if mine and mine.evidence else None
        row["note"] = each.note
        for name in ("evidence", "reason", "chapter", "edition"):
            row[name] = getattr(mine, name, None)
        rows.append(row)
    return pd.DataFrame(rows)


def told(
    rule: Conclusion,
    found: str,
    honest: pd.DataFrame,
    leaky: pd.DataFrame | None = None,
    because: str = "",
    undecided: str = "",
) -> tuple[str, str]:
    """The sentence of a page, as HTML and as plain words."""
    paper = ledger.papers()[rule.paper].citation
    verdict = f"{MARKS[found]} {found}"
    head = f"The conclusion of {paper}: {rule.conclusion}"
    if undecided:
        verdict = f"not decided here: this run is {undecided}; its numbers alone would say {found}"
    lines = [f"Rule. {rule.rule}", "Found. " + "; ".join(map(sentence, _rows(honest))) + "."]
    if leaky is not None:
        leak = f" ({rule.leak})" if rule.leak else ""
        lines.append(f"With the leak{leak}. " + "; ".join(map(sentence, _rows(leaky))) + ".")
    words = "\n".join([head, f"Does it hold? {verdict}.", *lines, *([because] if because else [])])
    why = f"<br>\n{escape(because)}" if because else ""
    numbers = "<br>\n".join(map(escape, lines))
    page = (
        f'<aside class="cdp-conclusion" data-status="{escape(found)}" id="{rule.id}" {BESIDE}>\n'
        f"<p>{escape(head)}<br>\nDoes it hold? <strong>{escape(verdict)}</strong>.{why}</p>\n"
        f"<details><summary>The rule, and the numbers</summary>\n<p>{numbers}</p>\n</details>\n"
        "</aside>"
    )
    return page, words


def plain(honest: pd.DataFrame, leaky: pd.DataFrame | None = None) -> list[dict]:
    """The comparisons as a record keeps them."""
    rows = [row | {"leaky": False} for row in _rows(honest)]
    return rows + ([] if leaky is None else [row | {"leaky": True} for row in _rows(leaky)])


def _rows(frame: pd.DataFrame) -> list[dict]:
    """The columns that matter, as plain numbers and words; no p is None."""
    kept = [*NEEDED, *(["p"] if "p" in frame else [])]
    rows = frame[kept].astype({"gain": float, "low": float, "high": float, "n": int})
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]
