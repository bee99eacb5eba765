"""A summary of scores, as the table of a page and as records of the scoreboard.

summary   of `P.summary(...)` or `P.against(...)`: a row a model
parts     its rows by cohort, split, axis and metric: never two of them in one table
shown     model | score ± sd | reported | gain, its interval and p | ceiling | share
recorded  the fields of a `Record` for each row, under "key/model"
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from cdp_lib.claims.ledger import Claim
from cdp_lib.claims.tables import text
from cdp_lib.errors import InputError, nearest
from cdp_lib.metrics import AXES, LOWER_IS_BETTER, NAMES

PART = ["cohort", "split", "group", "axis", "metric"]
NAIVE = " (naive)"
KEPT = ("sd_over", "reference", "gain", "low", "high", "p", "floor", "ceiling", "share")


def parts(key: str, summary: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The key, the words and the rows of each part; what tells parts apart joins the key."""
    lacks = {"model", "mean", "sd", "kind", "metric", "axis", "split"} - set(summary)
    if lacks:
        raise InputError(
            f"The scores {key!r} lack the columns {', '.join(sorted(lacks))}: give a frame of "
            "P.summary(...) or P.against(...)."
        )
    within = [name for name in PART if name in summary]
    differ = [name for name in within if summary[name].nunique() > 1]
    for _, part in summary.groupby(within, sort=False):
        names = [str(part[name].iloc[0]) for name in differ]
        yield (
            ", ".join([key, *names]),
            ", ".join(map(_words, names)),
            part.assign(name=_names(part)),
        )


def _words(name: str) -> str:
    return axis_words(name) if name in AXES else NAMES.get(name, name)


def _names(part: pd.DataFrame) -> pd.Series:
    """The name of each row: its model, and its omics where two rows share the model."""
    twice = part["model"].duplicated(keep=False)
    return part["model"].where(~twice, part["model"] + ", " + part.get("omics", ""))


def shown(
    part: pd.DataFrame, reported: Mapping[str, Claim], digits: int = 3, per: str | None = None
) -> pd.DataFrame:
    """The table of one part, the best score on top; a naive baseline is called so.

    `per` is the word for a unit of the axis, such as "gene".
    """
    first = part.iloc[0]
    part = part.sort_values("mean", ascending=first["metric"] in LOWER_IS_BETTER, kind="stable")
    over = f", mean ± sd over {first['sd_over']}" if first.get("sd_over") else ""
    score = f"{_words(first['metric'])} {axis_words(per or first['axis'])}{over}"
    columns = {
        "Model": part["name"] + part["kind"].map({"baseline": NAIVE}).fillna(""),
        score: [pm(mean, sd, digits) for mean, sd in zip(part["mean"], part["sd"], strict=True)],
    }
    if reported:
        claims = [reported.get(name) for name in part["name"]]
        columns["Reported"] = [claim.with_sd if claim else "" for claim in claims]
    if "gain" in part and part["gain"].notna().any():
        sure = " (95 % interval)" if "low" in part else ""
        columns[f"Gain over {first['reference']}{sure}"] = [
            _gain(row, digits) for row in part.to_dict("records")
        ]
        columns["Corrected p"] = part["p"].map(p_words)
    if "share" in part and part["share"].notna().any():
        columns["Ceiling"] = [text(value, 2) for value in part["ceiling"]]
        columns["Share of the range"] = part["share"].map(percent)
    return pd.DataFrame(columns).reset_index(drop=True)


def axis_words(axis: str | None) -> str:
    return {None: "", "global": "over all cells"}.get(axis, f"per {axis}")


def pm(mean: float, sd: float | None, digits: int = 3) -> str:
    """0.126 ± 0.032; a spread of exactly nothing is no measurement and is left out."""
    if pd.isna(mean):
        return "no number"
    return text(mean, digits) + ("" if pd.isna(sd) or sd == 0 else f" ± {text(sd, digits)}")


def percent(share: float) -> str:
    return "" if pd.isna(share) else f"{text(100 * share, 0)} %"


def p_words(p: float) -> str:
    """p with two digits that count."""
    if pd.isna(p):
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _gain(row: Mapping, digits: int) -> str:
    if pd.isna(row["gain"]) or row["name"] == row["reference"]:
        return ""
    return gain_words(row["gain"], row.get("low"), row.get("high"), digits)


def gain_words(
    gain: float, low: float | None = None, high: float | None = None, digits: int = 3
) -> str:
    """+0.021 (0.004 to 0.038): the sign is written, because the gain may be a loss."""
    sign = "+" if float(f"{gain:.{digits}f}") > 0 else ""
    size = f"{sign}{text(gain, digits)}"
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return size
    return f"{size} ({text(low, digits)} to {text(high, digits)})"


def recorded(
    key: str, part: pd.DataFrame, reported: Mapping[str, Claim], about: Mapping
) -> Iterator[dict]:
    """What `Record` takes, a row a model; `about` holds protocol, comparable and reason."""
    for row in part.to_dict("records"):
        claim = reported.get(row["name"])
        baseline = row["kind"] == "baseline"
        found = {
            "key": f"{key}/{row['name']}",
            "value": row["mean"],
            "sd": row["sd"],
            "n": row.get("folds"),
            "baseline": baseline,
            "claim": claim.id if claim else None,
            "protocol": None if baseline else about["protocol"],
        }
        found |= {name: row[name] for name in ("metric", "axis", "split")}
        found |= {name: row[name] for name in KEPT if name in row and not pd.isna(row[name])}
        if claim:
            found |= {name: about[name] for name in ("comparable", "reason")}
        yield found


def of_part(named: Mapping[str, Claim], part: pd.DataFrame) -> dict[str, Claim]:
    """The claims that report a number of this part: of its models, its metric and its axis."""
    first, names = part.iloc[0], set(part["name"])
    return {
        name: claim
        for name, claim in named.items()
        if name in names and claim.metric == first["metric"] and claim.axis in (None, first["axis"])
    }


def check_placed(
    key: str, named: Mapping[str, Claim], placed: set[str], tables: list[pd.DataFrame]
) -> None:
    """Refuse a claim that belongs to no row."""
    names = {name for part in tables for name in part["name"]}
    for name in set(named) - placed:
        if name not in names:
            raise InputError(
                f"The claims of {key!r} name the model {name!r}; {nearest(name, names)}"
            )
        claim = named[name]
        raise InputError(
            f"The scores {key!r} hold no {claim.metric} per {claim.axis}, which {claim.id} reports."
        )
