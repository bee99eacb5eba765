"""Run chapters: papermill, each in a fresh kernel of this very Python.

A run leaves `<out>/<chapter>.ipynb` and beside it `<chapter>.key`, a digest of everything the
page was made from: the notebook, the library, the ledger of claims, the parameters
and the versions. A page without its fresh key does not exist: both are removed before a run and
written after it succeeded. What failed lies in `<out>/failed/`.
"""

import ast
import contextlib
import importlib
import json
import multiprocessing
import os
import reprlib
import signal
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import cdp_lib
from cdp_book import notebook
from cdp_book.inputs import digest
from cdp_lib.chapter import check_parameters
from cdp_lib.data.files.at_hand import fetch
from cdp_lib.data.studies.tables import files_of
from cdp_lib.errors import InputError, nearest

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Outcome:
    """How one chapter went."""

    chapter: str
    status: str  # "ok", "failed", "unchanged" or "not recorded"
    seconds: float
    page: Path
    parameters: dict[str, Any]
    failure: str = ""


def find_repository(start: Path | None = None) -> Path:
    """The nearest folder, from `start` upward, that holds `notebooks/`."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "notebooks").is_dir():
            return folder
    raise InputError(
        f"there is no folder 'notebooks' in {start} or above it: "
        "change to the book's repository, or clone it first."
    )


def find_chapters(names: Iterable[str], repository: Path) -> list[Path]:
    """The notebooks of these chapters; "all" is every one, in the order of their names."""
    known = {path.stem: path for path in sorted((repository / "notebooks").glob("*.ipynb"))}
    if not known:
        raise InputError(f"{repository / 'notebooks'} holds no notebook: clone the book again.")
    found: list[Path] = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        if name == "all":
            found.extend(known.values())
        elif stem in known:
            found.append(known[stem])
        else:
            raise InputError(f"there is no chapter {stem!r}: {nearest(stem, known)}")
    return list(dict.fromkeys(found))


def effective(chapter: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The chapter's parameters with the given ones in their place, each known and of its kind."""
    known = notebook.parameters(chapter)
    values = dict(known)
    for name, value in given.items():
        if name not in known:
            raise InputError(
                f"chapter {chapter.stem} has no parameter {name!r}: {nearest(name, known)}"
            )
        values[name] = _typed(value, known[name])
        if not _same_kind(values[name], known[name]):
            raise InputError(
                f"parameter {name} of chapter {chapter.stem} is {reprlib.repr(value)}: "
                f"give a value of the same kind as its default, {known[name]!r}."
            )
    check_parameters(**values)
    return values


def _typed(value: Any, default: Any) -> Any:
    """Text from a command line as the value it spells: `1e-3`, `true`, `[BRCA, LUAD]`."""
    if not isinstance(value, str) or isinstance(default, str):
        return value
    yaml = book_tool("yaml")
    with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
        return ast.literal_eval(value)
    with contextlib.suppress(ValueError, yaml.YAMLError, RecursionError, MemoryError):
        return yaml.safe_load(value)
    return value


def _same_kind(value: Any, default: Any) -> bool:
    if default is None or type(value) is type(default):
        return True
    return isinstance(default, float) and type(value) is int


def key(chapter: Path, values: dict[str, Any]) -> str:
    """A digest of everything that decides what the executed chapter shows."""
    code = (Path(cdp_lib.__file__).parent, Path(__file__).parent)
    places = (*code, chapter.parents[1] / "book" / "claims", chapter)
    return digest(places, json.dumps(values, sort_keys=True, default=repr))


def run(
    chapter: Path, out: Path, given: dict[str, Any] | None = None, *, if_changed: bool = False
) -> Outcome:
    """Execute one chapter into `out`; a failing cell is told in the result, not raised."""
    values = effective(chapter, given or {})
    page, mark = out / chapter.name, out / f"{chapter.stem}.key"
    now = key(chapter, values)
    if if_changed and page.exists() and mark.exists() and mark.read_text() == now:
        return Outcome(chapter.stem, "unchanged", 0.0, page, values)
    if chapter.parent.resolve() in (out.resolve(), *out.resolve().parents):
        raise InputError(f"{out} lies in the folder of the chapters themselves: name another.")
    failed = out / "failed" / chapter.name
    for old in (page, mark, failed):
        old.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".running-") as scratch:  # of this run alone
        running = Path(scratch) / chapter.name
        started = time.perf_counter()
        failure = _execute(chapter, running, values)
        seconds = time.perf_counter() - started
        if failure:
            failed.parent.mkdir(exist_ok=True)
            running.replace(failed)
            return Outcome(chapter.stem, "failed", seconds, failed, values, failure)
        notebook.write(page, _without_papermill(notebook.read(running)))
        mark.write_text(now)
    with contextlib.suppress(OSError):  # another chapter's failure lies there
        failed.parent.rmdir()
    return Outcome(chapter.stem, "ok", seconds, page, values)


def run_all(
    chapters: list[Path],
    out: Path,
    given: dict[str, Any],
    *,
    if_changed: bool = False,
    record: bool = False,
    jobs: int = 1,
    say: Callable[[str], None] = print,
) -> list[Outcome]:
    """Check the parameters of every chapter, then run `jobs` at a time, a line for each.

    Who asks for the pocket edition by name, or records it, gets nothing else: what it lacks is
    said before anything runs. A chapter that is merely opened runs on simulated data then.
    """
    if record and if_changed:
        raise InputError("recording needs a fresh run: leave out either --record or --if-changed.")
    book_tool("papermill")
    for chapter in chapters:
        edition = effective(chapter, given).get("data")
        if edition == "pocket" and (record or "data" in given):
            tables = notebook.about(chapter).get("tables", {}).get(edition, ())
            fetch(files_of(edition, tables))
    work = partial(run, out=out, given=given, if_changed=if_changed)
    runs = []
    for number, done in enumerate(_each(work, chapters, jobs, say), start=1):
        if record and done.status == "ok":
            done = _recorded(done, chapters[0].parents[1], say)
        say(f"[{number}/{len(chapters)}] {done.chapter} {done.status}, {done.seconds:.1f} s")
        if done.failure:
            say(f"\n{done.failure}\n\nThe notebook as far as it came: {done.page}\n")
        runs.append(done)
    return sorted(runs, key=lambda done: [path.stem for path in chapters].index(done.chapter))


def _each(
    work: Callable[[Path], Outcome], chapters: list[Path], jobs: int, say: Callable[[str], None]
) -> Iterator[Outcome]:
    """The outcomes as they come; several at a time run in processes with one thread each."""
    if jobs == 1 or len(chapters) < 2:
        for number, chapter in enumerate(chapters, start=1):
            say(f"[{number}/{len(chapters)}] {chapter.stem} ...")
            yield work(chapter)
        return
    say(f"{len(chapters)} chapters, {jobs} at a time, one thread each ...")
    with multiprocessing.get_context("spawn").Pool(jobs, _alone) as pool:
        yield from pool.imap_unordered(work, chapters)


def _alone() -> None:
    """In a process of the pool: one thread for each kernel; Ctrl-C is for the first process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(THREADS, "1"))


def _recorded(done: Outcome, repository: Path, say: Callable[[str], None]) -> Outcome:
    """Keep what an executed chapter handed over, and say which of its numbers moved."""
    from cdp_book import recording
    from cdp_lib.models.base.training import pick_device

    edition = done.parameters["data"]
    folder = repository / "book" / "results" / done.chapter / edition
    before = recording.results(folder)
    page = notebook.handed_over(done.page)
    if page.simulated:
        failure = f"the {edition} edition could not be had, and simulated data are not recorded"
        return replace(done, status="not recorded", failure=failure)
    try:
        recording.write_record(
            folder,
            page.records,
            page.figures,
            recording.provenance(
                seed=done.parameters["seed"],
                profile=done.parameters["profile"],
                device=str(pick_device()),
                data=page.data,
                wall_seconds=round(done.seconds, 1),
            ),
            notebook.read(done.page),
        )
    except InputError as error:
        return replace(done, status="not recorded", failure=str(error))
    for line in recording.moved(before, recording.results(folder)):
        say(f"  moved  {done.chapter}  {line}")
    return done


def book_tool(name: str) -> ModuleType:
    """A package of the extra `book`, imported when it is needed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise InputError(
            f"running chapters needs {name}: run `pip install 'cdp-lib[book]'`."
        ) from None


def _execute(chapter: Path, target: Path, values: dict[str, Any]) -> str:
    """Run every cell, write the notebook to `target`; return what failed, or nothing."""
    papermill = book_tool("papermill")
    dead = book_tool("nbclient.exceptions").DeadKernelError
    defaults = notebook.parameters(chapter)
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    try:
        papermill.execute_notebook(
            chapter.resolve(),
            target.resolve(),
            changed,
            kernel_name="python3",
            language="python",
            kernel_manager_class=_this_python(),
            progress_bar=False,
            cwd=chapter.parent.resolve(),
        )
    except papermill.PapermillExecutionError as error:
        return _failure(chapter, error, injected=bool(changed))
    except dead:
        return "The kernel died, most likely for want of memory: try a smaller profile."
    return ""


def _failure(chapter: Path, error: Any, injected: bool) -> str:
    """The failing cell: its number in the chapter's file, its source, the error in one line."""
    cells = notebook.read(chapter)["cells"]
    above = sum("parameters" in notebook.tags(cell) for cell in cells[: error.cell_index])
    number = error.cell_index + 1 - (above if injected else 0)
    source = textwrap.indent(error.source.rstrip(), "    ")
    return f"Cell {number} of {chapter.name} failed:\n\n{source}\n\n{error.ename}: {error.evalue}"


def _this_python() -> type:
    """A kernel manager that starts this interpreter, whatever kernels are installed."""
    from ipykernel.kernelspec import make_ipkernel_cmd
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    class ThisPython(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            command = make_ipkernel_cmd(extra_arguments=["--log-level=CRITICAL"])
            return KernelSpec(argv=command, display_name="Python 3", language="python")

    return ThisPython


def _without_papermill(executed: dict[str, Any]) -> dict[str, Any]:
    """The notebook without paths and times, which differ from machine to machine."""
    for part in (executed, *executed["cells"]):
        for name in ("papermill", "execution"):
            part["metadata"].pop(name, None)
    return executed
