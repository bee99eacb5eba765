"""`cdp data`: list, fetch and check the data sets."""

import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cdp_book.terminal import json_option, print_json, print_table
from cdp_lib.errors import InputError


@click.group()
def data() -> None:
    """List, fetch and check the data sets.

    \b
    Examples:
      cdp data list
      cdp data show gdsc-pocket
      cdp data fetch --edition pocket
      cdp data verify
      cdp data teach --out teaching --lines 100
    """


@data.command("list")
@json_option
def data_list(as_json: bool) -> None:
    """List the data sets: editions, size, title.

    \b
    Examples:
      cdp data list
      cdp data list --json
    """
    from cdp_lib.data.files.catalogue import datasets, size_text

    known = datasets()
    if as_json:
        print_json([asdict(dataset) for dataset in known.values()])
        return
    rows = [
        (
            dataset.id,
            ", ".join(sorted({name for file in dataset.files for name in file.editions})),
            size_text(_known_size(dataset.files)),
            dataset.title,
        )
        for dataset in known.values()
    ]
    print_table(("dataset", "editions", "size", "title"), rows)


@data.command("show")
@click.argument("dataset_id", metavar="ID")
@json_option
def data_show(dataset_id: str, as_json: bool) -> None:
    """Show one data set: files, sources, licence, how to cite it.

    \b
    Example:
      cdp data show gdsc-pocket
    """
    from cdp_lib.data.files.catalogue import dataset, size_text

    found = dataset(dataset_id)
    if as_json:
        print_json(asdict(found))
        return
    for name, value in asdict(found).items():
        if name != "files" and value:
            text = ", ".join(value) if isinstance(value, tuple) else value
            click.echo(click.wrap_text(text, 100, f"{name:9} ", " " * 10))
    for file in found.files:
        click.echo(f"\n{file.name}  ({', '.join(file.editions)}; {size_text(file.bytes)})")
        about = {
            "sha256": file.sha256,
            "md5": file.md5,
            "shape": file.paper_shape,
            "licence": file.licence,
        }
        known = [f"{name} {value}" for name, value in about.items() if value]
        pinned = [] if file.checked else ["no published checksum: the first download is pinned"]
        for text in (file.what, *known, *pinned, *file.urls):
            click.echo(f"  {text}")


@data.command("fetch")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--edition", type=click.Choice(["pocket", "official"]), help="Every file of it.")
@click.option(
    "--unpin",
    is_flag=True,
    help="Take what is upstream today for files whose first download was pinned.",
)
@json_option
def data_fetch(ids: tuple[str, ...], edition: str | None, unpin: bool, as_json: bool) -> None:
    """Download data sets, or a whole edition, into the cache, and verify every file.

    A file that is there is not downloaded again. CDP_CACHE names the cache,
    CDP_MIRROR a folder or an address that is asked before the sources.
    Archives stay packed: the chapters read them as they are.

    \b
    Examples:
      cdp data fetch gdsc-pocket msigdb-hallmark
      cdp data fetch --edition pocket
      cdp data fetch hint --unpin
    """
    from cdp_lib.data.files.download import fetch

    if not ids and edition is None:
        raise InputError("nothing to fetch: name data sets (cdp data list) or give --edition.")
    with redirect_stdout(sys.stderr if as_json else sys.stdout):  # licences are no JSON
        paths = fetch(list(ids) or None, edition=edition, unpin=unpin)
    if as_json:
        print_json({"files": paths})
    else:
        click.echo(f"{len(paths)} files are here and verified.")


@data.command("verify")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@json_option
def data_verify(ids: tuple[str, ...], as_json: bool) -> int:
    """Check the files in the cache against their checksums; exit code 1 if one is wrong.

    \b
    Examples:
      cdp data verify
      cdp data verify gdsc-pocket
    """
    from cdp_lib.data.files.catalogue import dataset
    from cdp_lib.data.files.download import cache_dir, verify

    report = verify(list(ids) or None)
    wrong = [line for line in report if line.state in ("missing", "corrupt")]
    if as_json:
        print_json([line._asdict() for line in report])
    elif not report:
        click.echo(f"No file is in the cache yet ({cache_dir()}).")
    else:
        print_table(("dataset", "file", "state"), report)
    if wrong and not as_json:
        again = " ".join(sorted({line.dataset for line in wrong}))
        small = all("pocket" in dataset(line.dataset).file(line.file).editions for line in wrong)
        click.echo(f"To get them again: cdp data fetch {again}{' --edition pocket' * small}")
    return 1 if wrong else 0


@data.command("teach")
@click.option(
    "--out", metavar="FOLDER", type=click.Path(path_type=Path), help="Where to; default: the cache."
)
@click.option("--lines", default=240, show_default=True, help="Cell lines.")
@click.option("--genes", default=600, show_default=True, help="Genes with expression.")
@click.option("--perturbed", default=300, show_default=True, help="Genes knocked out.")
@click.option("--drugs", default=60, show_default=True, help="Drugs.")
@click.option("--seed", default=0, show_default=True, help="Another seed, another cohort.")
@json_option
def data_teach(out: Path | None, as_json: bool, **sizes: int) -> None:
    """Write the teaching cohort: simulated data, in the file formats of the real ones.

    FOLDER is new, empty, or holds an earlier teaching cohort.

    \b
    Examples:
      cdp data teach
      cdp data teach --out exam --lines 100 --seed 7
    """
    from cdp_lib.data import teaching

    folder = teaching.root(**sizes) if out is None else teaching.write(out, **sizes)
    if as_json:
        print_json({"folder": folder, **sizes})
    else:
        click.echo(f"The teaching cohort (simulated) is in {folder}")


def _known_size(files: tuple[Any, ...]) -> int | None:
    """Bytes of all files together; None where one is not known."""
    sizes = [file.bytes for file in files]
    return None if None in sizes else sum(sizes)
