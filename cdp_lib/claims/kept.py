"""Numbers that stand beside claims, recorded without a table of their own.

A paper prints more numbers than a page can show; each of them still has its verdict on the
scoreboard.
"""

from collections.abc import Callable, Iterable, Mapping

from cdp_lib.claims.ledger import Claim, claims
from cdp_lib.errors import InputError

Metric = str | Callable


def cell(paper: str, location: str, description: str, metric: str) -> Claim:
    """The claim that reports one cell of one table of a paper."""
    wanted = (location, description, metric)
    for claim in claims(paper):
        if (claim.location, claim.description, claim.metric) == wanted:
            return claim
    raise InputError(f"The ledger of {paper} has no {metric} of {description!r} in {location}.")


def keep(
    c,
    P,
    models: Mapping[Claim, str | tuple[str, str]],
    *,
    protocol: str | None = None,
    reason: str | None = None,
    metrics: Mapping[str, Metric] | None = None,
) -> None:
    """Record, for each claim, the score of the model that answers it in the predictions `P`.

    A claim about one perturbation or line names it beside the model, (model, unit).  The claim
    names metric and axis; `metrics` leads from its metric to a function, where it is none of
    `cdp_lib.metrics`.  Without a `reason` the score is comparable.
    """
    asked: dict[tuple, set[str]] = {}
    for claim, model in models.items():
        name = model if isinstance(model, str) else model[0]
        asked.setdefault((claim.metric, claim.axis), set()).add(name)
    frames = {
        (name, axis): P.only(some).scores((metrics or {}).get(name, name), axis)
        for (name, axis), some in asked.items()
    }
    for claim, model in models.items():
        model, unit = (model, None) if isinstance(model, str) else model
        found = frames[claim.metric, claim.axis]
        found = found[found["model"] == model]
        if unit is not None:
            found = found[found["unit"] == unit]
        folds = found.groupby(["repeat", "fold"])["score"].mean()
        words = f", {protocol.replace('_', ' ')}" if protocol else ""
        c.record(
            f"{claim.location}/{claim.description}, {claim.metric}{words}",
            folds.mean(),
            claim=claim.id,
            sd=folds.std(),
            n=len(folds),
            metric=claim.metric,
            axis=claim.axis,
            split=found["split"].iloc[0],
            protocol=protocol,
            comparable=reason is None,
            reason=reason,
        )


def keep_sizes(c, sizes: Mapping[Claim, object], reasons: Mapping[Claim, str]) -> None:
    """Record shapes and counts; a claim with a reason is not comparable."""
    for claim, size in sizes.items():
        c.record(
            f"{claim.location}/{claim.description}",
            size,
            claim=claim.id,
            metric=claim.metric,
            comparable=claim not in reasons,
            reason=reasons.get(claim),
        )


def keep_not_run(c, missing: Iterable[Claim], reason: str) -> None:
    """Record that nothing here answers these claims, and why."""
    for claim in missing:
        c.record(
            f"{claim.location}/{claim.description}, {claim.metric}",
            None,
            claim=claim.id,
            metric=claim.metric,
            axis=claim.axis,
            reason=f"not run: {reason}",
        )
