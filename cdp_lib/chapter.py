"""What a chapter's first cell calls: `c = chapter.begin("00_quickstart", ...)`.

A chapter is one notebook, run under one profile (how much), one edition of the data (whose
numbers) and one seed. Everything that a chapter tells the outside goes through here: the banner
that says which data a page was made from, the figures with their captions, the results that the
scoreboard collects, the verdicts on a student's answers.
"""

import operator
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cdp_lib.data.editions import EDITIONS, LOADED
from cdp_lib.errors import DataUnavailable, InputError
from cdp_lib.machine import device_words, memory, versions

RECORD = "application/vnd.cdp.record+json"
PROFILES = ("quick", "teach", "full")
MEMORY = {"official": {"quick": 3, "teach": 10, "full": 10}}  # GiB at most; other editions need 2
FALLBACK = (
    "SIMULATED DATA. The real measurements of this chapter are not on this machine and cannot be "
    "fetched now, so it runs on the teaching cohort, which is simulated: no number, name or figure "
    "below says anything about a real line, gene or drug. With a network, run it again from its "
    "first cell."
)
Value = float | int | bool | str | Sequence[int] | None

Rule = tuple[Callable[[Any], Any], str]


def begin(name: str, profile: str = "quick", data: str = "pocket", seed: int = 0) -> "Chapter":
    """Check the parameters, bring the data here, set the look of the figures, print the banner.

    Where the pocket edition is neither here nor to be had, the chapter runs on simulated data, and
    says so in a box: `c.data` is the edition that it runs on.
    """
    check_parameters(profile=profile, data=data, seed=seed)
    from sklearn.exceptions import ConvergenceWarning

    from cdp_lib.figures.style import theme
    from cdp_lib.models.base.training import pick_device
    from cdp_lib.models.linear import AlphaAtEdge

    data = _at_hand(name) if data == "pocket" else data
    chapter = Chapter(name, profile, data, operator.index(seed), pick_device("auto"))
    theme()
    warnings.simplefilter("ignore", AlphaAtEdge)  # a page tells what is at the edge in its words
    if profile == "quick":
        warnings.simplefilter("ignore", ConvergenceWarning)  # it stops early, as the banner says
    print(chapter.banner())
    too_little = chapter.too_little(memory())
    if too_little:
        print(too_little)
    return chapter


def _at_hand(name: str) -> str:
    """The edition that can be had: pocket, or teaching where nothing is here and no network is."""
    from cdp_lib.claims.recorded import data_of
    from cdp_lib.data.files import at_hand

    try:
        licences = at_hand.fetch(data_of(name, "pocket"))
    except DataUnavailable as problem:
        _tell(FALLBACK, "box", str(problem))
        return "teaching"
    if licences:
        _tell("The data of this chapter have been fetched; their licences:", "licences", licences)
    return "pocket"


def _tell(words: str, look: str, more: str) -> None:
    """Say something at the head of a chapter: HTML in a notebook, plain text elsewhere."""
    from cdp_lib.claims.shown import told_html

    said = f"{words}\n{more}"
    _show({"text/html": told_html(words, look, more), "text/plain": said}, words=said)


def check_parameters(**given: Any) -> None:
    """Refuse a value that no chapter can run with; names other than the three pass."""
    for name, allowed in (("profile", PROFILES), ("data", LOADED)):
        if name in given and given[name] not in allowed:
            choice = ", ".join(repr(value) for value in allowed)
            raise InputError(f"{name} is {given[name]!r}: choose one of {choice}.")
    if "seed" in given and not _is_seed(given["seed"]):
        raise InputError(f"seed is {given['seed']!r}: give a whole number from 0 to {2**32 - 1}.")


def _is_seed(seed: Any) -> bool:
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        return False
    return 0 <= operator.index(seed) < 2**32


@dataclass(frozen=True)
class Chapter:
    """One run of one notebook."""

    name: str
    profile: str
    data: str
    seed: int
    device: Any

    def banner(self) -> str:
        """Which data, how much, on what, with which versions."""
        part = self.profile == "quick" and self.data != "teaching"
        drawn = " It draws a part of each table by the seed, so that it takes a minute." * part
        return (
            f"{self.name} runs on {EDITIONS[self.data]}.\n"
            f"Profile {self.profile}, seed {self.seed}, {device_words(self.device)}.{drawn}\n"
            f"{versions()}."
        )

    def too_little(self, gib: float | None) -> str:
        """What to say on a machine with so much memory; nothing where it is enough or unknown."""
        needed = MEMORY.get(self.data, {}).get(self.profile, 2)
        if gib is None or gib >= needed:
            return ""
        advice = 'data="pocket"' if self.profile == "quick" else 'profile="quick"'
        return (
            f"This run needs up to {needed} GiB of memory and this machine has {gib:.1f}: it may "
            f"be ended before its last cell; choose {advice}."
        )

    def pick(self, *, quick: Any, teach: Any, full: Any) -> Any:
        """The value for this run's profile."""
        return {"quick": quick, "teach": teach, "full": full}[self.profile]

    @property
    def unfinished(self) -> Path | None:
        """Where a full run keeps each finished fold, so that it goes on when it was stopped."""
        from cdp_lib.data.files.download import cache_dir

        return cache_dir() / "unfinished" / self.name if self.profile == "full" else None

    def load(
        self, study: str, *, at_most: dict[str, int | None] | None = None, **options: Any
    ) -> Any:
        """The cohort or pair screen of a study; its shape after each step is shown in a fold.

        The profile quick draws a part of it by the seed, no more than the teaching cohort has;
        `at_most={"perturbations": None}` changes one of these sizes. The checksums of the files
        behind it go into the record of this run.
        """
        from cdp_lib.data.files.download import given
        from cdp_lib.data.studies import load
        from cdp_lib.data.studies.draw import QUICK

        if self.profile == "quick":
            at_most = QUICK.get(study, {}) | (at_most or {})
            options |= {"at_most": at_most, "draw": self.seed}
        cohort = load(study, data=self.data, **options)
        _show({RECORD: {"data": given()}, "text/html": ""})
        self._describe(study, cohort)
        return cohort

    def _describe(self, study: str, cohort: Any) -> None:
        """What was loaded, and each step of the join beside the shape that a paper reports."""
        from cdp_lib.claims import shown, tables
        from cdp_lib.data.cohort import steps_table

        head = f"{study}: {EDITIONS[self.data]}."
        facts = [line.strip() for line in str(cohort).splitlines()[1:]]
        steps, caption = steps_table(cohort.steps), "Lines and columns left after each step"
        page = shown.cohort_html(head, facts, tables.as_html(steps, caption))
        words = "\n".join([head, *facts, tables.as_text(steps, caption)])
        _show({"text/html": page, "text/plain": words}, words=words)

    def record(
        self,
        key: str,
        value: Value,
        *,
        data: str | None = None,
        **about: Any,
    ) -> None:
        """Hand one result to the scoreboard; the page shows nothing.

        The value is a number, a shape, a text, or true or false for a statement. None says that
        the claim was not run, and `reason` why. `about` are the other fields of
        `cdp_lib.claims.Record`: claim, sd, n, metric, axis, split, protocol, baseline, comparable,
        reason. `cdp run --record` collects these. `data` is the edition behind it (default: this
        run's); a result of another edition is shown and not recorded.

        protocol="arithmetic" says that a claim was checked against the paper's own other numbers,
        without any data; such verdicts are counted apart.

        The scoreboard shows a baseline beside the results of its own table (key "table/row") that
        have its metric, axis, split and n, and its protocol if it has one; a table that holds
        nothing but baselines serves all tables of the chapter that have none.
        """
        from cdp_lib.claims.recorded import Record
        from cdp_lib.data.files.download import given

        if data not in (None, self.data):
            return
        try:
            record = Record(key, value, self.data, self.name, **about)
        except InputError as problem:
            raise InputError(f"record({key!r}) in chapter {self.name}: {problem}") from None
        result = asdict(record)
        del result["chapter"]  # the folder of a record names it
        result["data"] = given()  # also what the chapter read by itself
        _show({RECORD: result, "text/html": ""})  # the empty HTML keeps every front end silent

    def table(self, frame: Any, caption: str, digits: Any = 2, *, data: str | None = None) -> None:
        """Show a frame as a table with a caption; an index with a name becomes its first column.

        `digits` after the point hold for all columns, or come as a dictionary of some columns.
        `data` is the edition behind it (default: this run's); simulated numbers are called so.
        """
        from cdp_lib.claims import tables

        caption = self._named(caption, data)
        page, words = (make(frame, caption, digits) for make in (tables.as_html, tables.as_text))
        _show({"text/html": page, "text/plain": words}, words=words)

    def scores(
        self,
        key: str,
        summary: Any,
        caption: str,
        *,
        claims: Mapping[str, str] | None = None,
        protocol: str | None = None,
        reason: str | None = None,
        comparable: bool | None = None,
        hide: Sequence[str] = (),
        per: str | None = None,
        digits: int = 3,
        data: str | None = None,
    ) -> None:
        """Show a summary of scores as a table, and record each row under "key/model".

        `summary` is a frame of `P.summary(...)` or `P.against(...)`; one with several metrics,
        axes, splits or cohorts becomes a table each, and what differs joins the key.  `claims`
        lead from a model to the claim that reports its number.  Such a row is comparable only where
        the run is full and on the official data and no `reason` speaks against it; `reason` is a
        clause that says why it is not.  `hide` names models that are recorded and not shown,
        `protocol` holds for all models but the naive ones, and `per` is the word for a unit of the
        axis, such as "gene".
        """
        from cdp_lib.claims import claim, scores

        named = {name: claim(id) for name, id in (claims or {}).items()}
        why = reason or self._not_the_papers()
        about = {"protocol": protocol, "comparable": comparable or not why, "reason": why}
        placed, tables = set(), []
        for part_key, words, part in scores.parts(key, summary):
            mine = scores.of_part(named, part)
            placed, tables = placed | set(mine), [*tables, part]
            for row in scores.recorded(part_key, part, mine, about):
                self.record(**row, data=data)
            said = f"{caption} ({words})" if words else caption
            if mine and not about["comparable"]:
                said = f"{said.rstrip('.')}. Not comparable with what is reported: {why}."
            visible = part[~part["name"].isin(hide)]
            self.table(scores.shown(visible, mine, digits, per), said, digits, data=data)
        scores.check_placed(key, named, placed, tables)

    def say(self, text: str) -> None:
        """Show Markdown, such as a sentence with the numbers of this run."""
        _show({"text/markdown": text, "text/plain": text}, words=text)

    def conclude(self, id: str, evidence: Any, *, leaky: Any = None, because: str = "") -> None:
        """Say whether a conclusion of a paper holds, by its rule, and record it.

        `evidence` has a row for each comparison that the rule names: comparison, gain, low, high,
        unit, n, and p where there are folds (see `claims.evidence`); `leaky` has the same
        comparisons under the published leak.  Only real data decide, and not the profile quick:
        elsewhere the sentence says so, and nothing is recorded.
        """
        from cdp_lib.claims import conclusions

        rule = conclusions.conclusion(id)
        decides = self.data != "teaching" and self.profile != "quick"
        for name, rows in (("evidence", evidence), ("leaky", leaky)):
            if rows is not None:
                conclusions.check(rule, rows, name, whole=decides and name == "evidence")
        found = conclusions.status(evidence, leaky)
        undecided = "" if decides else self._decides_nothing()
        page, words = conclusions.told(rule, found, evidence, leaky, because, undecided)
        _show({"text/html": page, "text/plain": words}, words=words)
        if decides:
            rows = conclusions.plain(evidence, leaky)
            self.record(f"conclusion/{id}", found, conclusion=id, evidence=rows, reason=because)

    def _not_the_papers(self) -> str | None:
        """Why a run like this one cannot be compared with a paper's number; None if it can."""
        if self.data == "teaching":
            return "simulated data"
        if self.data == "pocket":
            return "the pocket edition holds a part of the data, or another release"
        return None if self.profile == "full" else f"profile {self.profile}, not the paper's own"

    def _decides_nothing(self) -> str:
        if self.data == "teaching":
            return "on simulated data, which decide nothing about cancer"
        return "on a part of the real data (profile quick), which decides nothing"

    def _named(self, caption: str, data: str | None) -> str:
        """A caption that calls simulated data simulated."""
        simulated = (data or self.data) == "teaching" and "simulated" not in caption.lower()
        return f"Simulated data: {caption}" if simulated else caption

    def figure(
        self,
        fig: Any,
        name: str,
        caption: str,
        *,
        alt: str | None = None,
        data: str | None = None,
    ) -> None:
        """Show a figure with its caption, which states the finding.

        `alt` describes the picture to who cannot see it (default: the figure's `alt_text`, or the
        caption). `data` is the edition that the figure was drawn from (default: this run's); a
        simulated one is named. A record keeps the pictures of this run's own edition only; what
        answers to the reader (`figures.line_map`, `figures.choose`) is a part of the page alone.
        """
        import matplotlib.pyplot as plt

        from cdp_lib.claims.shown import figure_html
        from cdp_lib.figures.vector import inline

        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise InputError(
                f"figure name {name!r} in chapter {self.name}: it becomes a file name: "
                "use lower-case letters, digits, - and _ only."
            )
        if not caption.strip():
            raise InputError(
                f"figure {name!r} in chapter {self.name} has no caption: state its finding."
            )
        data = data or self.data
        caption = self._named(caption, data)
        alt = alt or getattr(fig, "alt_text", None) or caption
        if hasattr(fig, "page"):  # it answers to the reader, and is no picture that a file can hold
            _show({"text/html": fig.page(name, caption), "text/plain": f"Figure {name}: {caption}"})
            return
        told = {"name": name, "caption": caption, "alt": alt}
        pictures = inline(fig, name)
        plt.close(fig)
        _show(
            {
                "text/html": figure_html(pictures, name, alt, caption, getattr(fig, "told", None)),
                "text/plain": f"Figure {name}: {caption}",
            },
            metadata={"cdp": told} if data == self.data else None,
        )

    def check(self, exercise_id: str, answer: Any, *rules: Rule, must_pass: bool = False) -> None:
        """Print whether an answer keeps every rule (predicate, hint), or the first hint.

        An answer of None or `...` counts as not attempted. Solutions are held to
        `must_pass=True`: a solution that fails its own check stops the chapter.
        """
        problem = _first_problem(answer, rules)
        if must_pass and problem:
            raise InputError(f"Exercise {exercise_id}: the solution fails its check: {problem}")
        print(f"Exercise {exercise_id}: {problem or 'correct.'}")


def _first_problem(answer: Any, rules: tuple[Rule, ...]) -> str | None:
    if answer is None or answer is Ellipsis:
        return "not attempted yet: put your answer in place of the ... above."
    for predicate, hint in rules:
        try:
            kept = bool(predicate(answer))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            kept, hint = False, f"{hint} (Your answer is a {type(answer).__name__}: {error}.)"
        if not kept:
            return f"not yet. {hint}"
    return None


def _show(
    bundle: dict[str, Any], metadata: dict[str, Any] | None = None, words: str | None = None
) -> None:
    """Display in a notebook; a plain script has no page, and prints the `words`."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(bundle, raw=True, metadata=metadata)
    elif words is not None:
        print(words)
