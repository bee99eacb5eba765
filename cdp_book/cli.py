"""`cdp`: the book from a terminal. Every help text ends in lines that can be typed.

What a user can put right ends in one sentence, `cdp: ...`, and exit code 2; a chapter that
fails ends in exit code 1.
"""

import errno
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import cdp_lib
from cdp_book.cli_data import data
from cdp_book.terminal import json_option, print_json, print_table
from cdp_lib.chapter import PROFILES
from cdp_lib.data.editions import LOADED
from cdp_lib.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `cdp`; return the exit code. A warning is one sentence, too."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: click.echo(f"cdp: {message}", err=True)
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    stdout = sys.stdout
    try:
        code = cdp.main(arguments, prog_name="cdp", standalone_mode=False)
        if sys.stdout is not None:  # as it is after `cdp data list >&-`
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _refuse(error.format_message())
    except InputError as error:
        return _refuse(str(error))
    except (BrokenPipeError, SystemExit) as error:  # as in `cdp data list | head`
        if isinstance(error, SystemExit) and sys.stdout is stdout:
            raise  # for a closed pipe click puts a wrapper in the place of stdout, then exits
        sys.stdout = None
        return 0
    except OSError as error:
        if error.filename is None and error.errno == errno.ENOSPC:
            sys.stdout = None  # as in `cdp data list > /dev/full`: nothing more can be written
        found = f"{error.filename or 'this machine'}: {error.strerror or error}"
        return _refuse(f"{found}; name a place that may be written and has room.")
    except (click.Abort, KeyboardInterrupt):
        click.echo("cdp: stopped.", err=True)
        return 130


def _refuse(sentence: str) -> int:
    click.echo(f"cdp: {sentence}", err=True)
    return 2


@click.group(no_args_is_help=True)
@click.version_option(cdp_lib.__version__, message="cdp %(version)s")
def cdp() -> None:
    """The book from a terminal: check the machine, get data, run chapters.

    \b
    Start here:
      cdp doctor                    is this machine ready?
      cdp data fetch --edition pocket
      cdp run 00_quickstart         run one chapter on real measurements
      cdp run all --data teaching   run every chapter on simulated data, without a network
    """


@cdp.command()
@click.option("--network", is_flag=True, help="Also ask every host that data come from.")
def doctor(network: bool) -> int:
    """Look at Python, device, memory, disk, cache and mirror; say what to do.

    \b
    Examples:
      cdp doctor
      cdp doctor --network
    """
    from cdp_book.doctor import examine

    lines = examine(network)
    for line in lines:
        click.echo(f"{'fix' if line.todo else 'ok':4} {line.what:13} {line.found}")
        if line.todo:
            click.echo(f"     {'':13} -> {line.todo}")
    return 1 if any(line.todo for line in lines) else 0


@cdp.command()
@click.argument("chapters", metavar="CHAPTER...|all", nargs=-1, required=True)
@click.option("--profile", type=click.Choice(PROFILES), help="How much to compute.")
@click.option("--data", type=click.Choice(LOADED), help="Which edition of the data.")
@click.option("--seed", type=int, help="Where all randomness comes from.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the executed chapters; default: _build/executed/<data>-<profile>.",
)
@click.option("--record", is_flag=True, help="Keep numbers, figures and outputs for the site.")
@click.option("--jobs", default=1, type=click.IntRange(1, 64), help="How many run at a time.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Other parameters.")
@click.option("--if-changed", is_flag=True, help="Leave out what is up to date.")
@click.option("--dry-run", is_flag=True, help="Say what would be read, fitted and awaited.")
def run(
    chapters: tuple[str, ...],
    out: Path | None,
    record: bool,
    jobs: int,
    settings: tuple[str, ...],
    if_changed: bool,
    dry_run: bool,
    **common: Any,
) -> int:
    """Run chapters, each in a fresh kernel; show the failing cell of one that fails.

    Without options a chapter runs as it opens: profile quick, data pocket, seed 0; where the
    data cannot be had, on simulated data, as its page then says. With --data pocket it stops.

    \b
    Examples:
      cdp run 00_quickstart
      cdp run all --profile teach --data pocket --record --jobs 2
      cdp run 00_quickstart --seed 3 --set profile=teach
      cdp run 03_gene_dependency --profile full --data official --dry-run
    """
    from cdp_book.plan import plan
    from cdp_book.runner import effective, find_chapters, find_repository, run_all

    repository = find_repository()
    found = find_chapters(chapters, repository)
    given = {name: value for name, value in common.items() if value is not None}
    given |= dict(_setting(text) for text in settings)
    if dry_run:
        for chapter in found:
            for line in plan(chapter, effective(chapter, given)):
                click.echo(line)
        return 0
    if out is None:
        values = {"data": "pocket", "profile": "quick"} | effective(found[0], given)
        name = f"{values['data']}-{values['profile']}"
        out = repository / "_build" / "executed" / name
    runs = run_all(
        found,
        out.resolve(),
        given,
        if_changed=if_changed,
        record=record,
        jobs=jobs,
        say=click.echo,
    )
    rows = [(done.chapter, done.status, f"{done.seconds:.1f} s", _near(done.page)) for done in runs]
    click.echo()
    print_table(("chapter", "status", "wall time", "page"), rows)
    return 0 if all(done.status in ("ok", "unchanged") for done in runs) else 1


def _setting(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise InputError(f"--set {text!r} is not NAME=VALUE: write, for example, --set seed=3.")
    return name, value


@cdp.command()
@click.argument("which", metavar="student|teacher", type=click.Choice(["student", "teacher"]))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write to.")
def edition(which: str, out: Path) -> None:
    """Write the notebooks for students (no solutions) or teachers (solutions open).

    \b
    Examples:
      cdp edition student --out course
      cdp edition teacher --out course-solutions
    """
    from cdp_book.editions import write_editions
    from cdp_book.runner import find_repository

    written = write_editions(which, find_repository(), out)
    click.echo(f"{len(written)} notebooks, {which} edition, are in {out}")


@cdp.command()
@click.argument("paper", required=False)
@click.option("--conclusions", is_flag=True, help="Whether the papers' conclusions hold, and why.")
@json_option
def claims(paper: str | None, conclusions: bool, as_json: bool) -> None:
    """Show what the papers report beside what the book measured, the verdict and its reason.

    \b
    Examples:
      cdp claims
      cdp claims itzhacky2021
      cdp claims --conclusions
      cdp claims --json
    """
    from cdp_book.claims_text import conclusions_text, text
    from cdp_lib.claims import table
    from cdp_lib.claims.conclusions import decided

    if as_json:
        rows = decided(paper) if conclusions else table(paper)
        print_json(json.loads(rows.to_json(orient="records")))
    else:
        click.echo(conclusions_text(paper) if conclusions else text(paper))


@cdp.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--metric", "metrics", multiple=True, default=["pearson"], show_default=True)
@click.option("--axis", "axes", multiple=True, default=["perturbation"], show_default=True)
@click.option("--min-n", default=1, help="Leave out units with fewer test cells in a fold.")
@json_option
def rescore(
    file: Path, metrics: tuple[str, ...], axes: tuple[str, ...], min_n: int, as_json: bool
) -> None:
    """Score predictions anew that were written to a file; no data are needed.

    \b
    Examples:
      cdp rescore ridge.npz
      cdp rescore ridge.npz --metric spearman --axis line
      cdp rescore ridge.npz --metric r2 --metric rmse --json
    """
    from cdp_lib.evaluate import Predictions

    predictions = Predictions.read(file)
    table = predictions.summary(metrics, axes, min_n=min_n)
    if as_json:
        print_json(json.loads(table.to_json(orient="records", double_precision=15)))
        return
    click.echo(predictions)
    click.echo()
    shown = ["axis", "metric", "model", "omics", "mean", "sd", "folds", "gain", "p"]
    if table["cohort"].nunique() > 1 or table["split"].nunique() > 1:
        shown = ["cohort", "split", *shown]
    print_table(shown, table[shown].map(_short).to_numpy())


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _near(path: Path) -> str:
    """A path as short as it can be said from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


cdp.add_command(data)


if __name__ == "__main__":
    sys.exit(main())
