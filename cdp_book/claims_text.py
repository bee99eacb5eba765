"""The claims for a terminal: what a paper reports, and below it what we measured.

    itzhacky2021-C004  Results, Fig 1b: ridge
        reported 0.57 (pearson)
        ours 0.24, pocket, our reading: not comparable [1]

Many claims share one reason, so reasons are numbered and stand once, at the end.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pandas as pd

from cdp_lib.claims import NOT_COMPARABLE, NOT_RUN, summary, table
from cdp_lib.claims.conclusions import MARKS, STATUSES, WITH_LEAK, decided, sentence
from cdp_lib.claims.recorded import ARITHMETIC

WIDTH = 100
PROTOCOLS = {"as_published": "our reading", "repaired": "leak-free"}
NUMBERED = (NOT_COMPARABLE, NOT_RUN)


def text(paper: str | None = None, folder: Path | None = None) -> str:
    """Every claim of one paper, or of all; the reasons; how many stand how."""
    frame = table(paper, folder=folder).astype(object)
    frame = frame.where(frame.notna(), None)
    why = frame.loc[frame["verdict"].isin(NUMBERED), "reason"].value_counts(sort=False)
    numbers = {reason: number for number, reason in enumerate(why.index, 1)}
    lines = []
    for name, rows in frame.groupby("claim", sort=False):
        lines += _claim(name, rows.iloc[0])
        lines += [line for row in rows.itertuples() for line in _ours(row, numbers)]
    if numbers:
        lines += ["", "Why a claim is not comparable or not run:"]
    for reason, number in numbers.items():
        lines += _wrap(f"[{number}] {reason} ({_many(why[reason], 'row')})", "    ")
    measured, checked = summary(folder), summary(folder, arithmetic=True)
    lines += _counts("by real data", measured, paper)
    lines += _counts("by arithmetic, without data", checked, paper)
    return "\n".join(lines)


def conclusions_text(paper: str | None = None, folder: Path | None = None) -> str:
    """Every conclusion with its status, its rule and what the recorded run found; the counts."""
    frame = decided(paper, folder).astype(object)
    lines = []
    for row in frame.to_dict("records"):
        head = f"{row['id']}  {MARKS[row['status']]} {row['status']}: {row['conclusion']}"
        lines += _wrap(head, "        ")
        lines += _wrap(f"    rule: {row['rule']}", "        ")
        if row["status"] == WITH_LEAK:
            lines.append(f"    leak-free alone: {row['without_leak']}")
        for each in row["evidence"] or ():
            leaky = "with the leak: " if each["leaky"] else "found: "
            lines += _wrap(f"    {leaky}{sentence(each)}", "        ")
    counts = frame["status"].value_counts()
    found = ", ".join(f"{counts[status]} {status}" for status in STATUSES if status in counts)
    return "\n".join([*lines, "", f"{_many(len(frame), 'conclusion')}: {found}."])


def _claim(name: str, row: pd.Series) -> list[str]:
    sd = "" if row["reported_sd"] is None else f" ± {row['reported_sd']:g}"
    axis = {None: "", "global": ", global"}.get(row["axis"], f" per {row['axis']}")
    head = _wrap(f"{name}  {row['location']}: {row['description']}", "        ")
    return head + _wrap(f"    reported {row['reported']}{sd} ({row['metric']}{axis})", "        ")


def _ours(row, numbers: dict[str, int]) -> list[str]:
    """One record of a claim, or that it has none."""
    if row.verdict in NUMBERED:
        verdict = f"{row.verdict} [{numbers[row.reason]}]"
    else:
        verdict = f"{row.verdict} ({row.reason})"
    if row.edition is None:
        return [f"    {verdict}"]
    sd = "" if row.ours_sd is None else f" ± {row.ours_sd:.2g}"
    facts = [f"ours {row.ours}{sd}" if row.ours else "no number"]
    if row.protocol == ARITHMETIC:
        facts.append("by arithmetic, without data")
    else:
        facts += [row.edition, *([PROTOCOLS[row.protocol]] if row.protocol else [])]
    facts += [f"best naive baseline {row.baseline}"] if row.baseline else []
    return _wrap(f"    {', '.join(facts)}: {verdict}", "        ")


def _counts(how: str, counts: pd.DataFrame, paper: str | None) -> list[str]:
    counts = counts.sum() if paper is None else counts.loc[paper]
    if not counts.sum():
        return []
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return ["", *_wrap(f"{_many(counts.sum(), 'claim')} {how}: {found}.", "    ")]


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _wrap(line: str, indent: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False)
