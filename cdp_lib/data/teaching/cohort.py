"""The teaching cohort: simulated measurements whose truth is known, in upstream file formats.

    facts (genes.toml, drugs.csv)
        -> lines and omics      omics.py
        -> responses            responses.py
        -> graph, sets, panel   world.py
        -> files                files.py, read back by the readers of the real data

Every number of it is drawn; the page "The teaching cohort" of the book has the equations.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from filelock import FileLock

from cdp_lib.data.files.download import cache_dir
from cdp_lib.data.teaching.files import write_files
from cdp_lib.data.teaching.world import World, simulate
from cdp_lib.errors import DataUnavailable, InputError

MARK = "# SIMULATED DATA\n"
LARGEST = 10**8  # numbers: 1,000 lines x 100,000 features, which take several gigabytes
README = (
    MARK
    + """
Everything measured in this folder was drawn by cdp_lib.data.teaching; nothing of it was observed.
Names of genes, drugs, targets and structures are real, and so are the names of the NCI-60 panel;
what is said about them here is not. The files have the names and formats of their upstream
originals so that the same readers read both. Ids of lines, genes and compounds are made up.

Sizes: {lines} lines, {genes} genes, {perturbed} perturbed genes, {drugs} drugs, seed {seed}.
`truth.json` holds what the simulation knows: causes, pathways, and every response without noise.
"""
)


@dataclass(frozen=True)
class Truth:
    """What the simulation knows and no real data set can tell.

    `genes`, `drugs` and `pairs` say for each perturbation what it hangs on, with `ceiling`: the
    correlation over lines of the measured with the noise-free response, which no model beats.
    """

    genes: pd.DataFrame  # kind, omics, feature, sign, pathway, ceiling
    drugs: pd.DataFrame  # omics (causal), features, sign, pathway, potency, moa, ceiling
    pairs: pd.DataFrame  # synergy, pathway_a, pathway_b, ceiling
    lines: pd.DataFrame  # lineage, donor, batch, name, panel_name
    activity: pd.DataFrame  # (lines, pathways)
    dependency: pd.DataFrame  # noise-free dependency probability, (lines, genes)
    response: pd.DataFrame  # noise-free ln IC50, (lines, drugs)
    growth: pd.DataFrame  # noise-free lowest growth, (panel lines, pairs)
    pathways: dict[str, list[str]]  # the true members of each module
    paralogs: dict[str, str]  # gene -> the partner whose loss makes it needed


def write(
    folder: str | Path,
    lines: int = 240,
    genes: int = 600,
    perturbed: int = 300,
    drugs: int = 60,
    seed: int = 0,
) -> Path:
    """Simulate and write all files under `<folder>/<data set>/<file>`; returns the folder.

    The folder is new, empty, or holds an earlier teaching cohort: nothing else is overwritten.
    """
    folder = Path(folder)
    sizes = {"lines": lines, "genes": genes, "perturbed": perturbed, "drugs": drugs, "seed": seed}
    with one_sentence(folder, "choose another folder, or make room"):
        refuse_to_overwrite(folder)
        write_all(folder, sizes)
    return folder


def write_all(folder: Path, sizes: dict[str, int]) -> None:
    """The simulation as files; the README comes first, so that the folder is known by it."""
    refuse_odd_sizes(sizes)
    world = simulate(**sizes)
    tables, mappings = truth_of(world)
    text = json.dumps(
        {
            "tables": {
                k: json.loads(t.to_json(orient="split", double_precision=6))
                for k, t in tables.items()
            },
            "mappings": mappings,
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(README.format(**sizes), encoding="utf-8")
    write_files(folder, world)
    (folder / "truth.json").write_text(text, encoding="utf-8")


def refuse_to_overwrite(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        readme = folder / "README.md"
        if not readme.is_file() or not readme.read_bytes().startswith(MARK.encode()):
            raise InputError(
                f"The folder {folder} holds other files: give a new or empty folder, because a "
                f"teaching cohort would be scattered among them."
            )


@contextmanager
def one_sentence(folder: Path, what_to_do: str) -> Iterator[None]:
    """A disk that is full or may not be written is a sentence, not a traceback."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"The teaching cohort cannot be written to {folder} ({error.strerror or error}): "
            f"{what_to_do}."
        ) from error


def refuse_odd_sizes(sizes: dict[str, int]) -> None:
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InputError(
                f"The teaching cohort was asked for {name}={value!r}: give a whole number, 0 or "
                f"more."
            )
    features = sizes["genes"] + sizes["perturbed"] + sizes["drugs"]
    numbers = max(sizes["lines"], 1) * features
    if numbers > LARGEST:
        raise InputError(
            f"The teaching cohort was asked for {sizes['lines']:,} lines x {features:,} genes, "
            f"perturbed genes and drugs: give sizes that make at most {LARGEST:,} numbers."
        )


def truth_of(world: World) -> tuple[dict[str, pd.DataFrame], dict[str, dict]]:
    """The tables and the mappings of `Truth`."""
    genes = world.dependency.causes
    tables = {
        "genes": genes,
        "drugs": world.drugs.causes,
        "pairs": world.pairs.causes,
        "lines": world.lines.lines,
        "activity": world.lines.activity,
        "dependency": world.dependency.noise_free,
        "response": world.drugs.noise_free,
        "growth": world.pairs.noise_free,
    }
    paralogs = genes.loc[genes["kind"] == "paralog", "feature"].to_dict()
    return tables, {"pathways": world.lines.modules, "paralogs": paralogs}


def truth(folder: str | Path) -> Truth:
    """Read back what `write` put beside the files."""
    path = Path(folder) / "truth.json"
    if not path.is_file():
        raise DataUnavailable(
            f"There is no {path}: write a teaching cohort with cdp_lib.data.teaching.write(folder)."
        )
    stored = json.loads(path.read_text(encoding="utf-8"))
    tables = {k: pd.DataFrame(**parts) for k, parts in stored["tables"].items()}
    return Truth(**tables, **stored["mappings"])


@cache
def version() -> str:
    """A short hash of the code and facts of the simulation: other code, other cohort."""
    here = Path(__file__).parent
    parts = sorted(p for p in here.iterdir() if p.suffix in (".py", ".toml", ".csv"))
    return hashlib.sha256(b"".join(p.read_bytes() for p in parts)).hexdigest()[:12]


def root(
    lines: int = 240, genes: int = 600, perturbed: int = 300, drugs: int = 60, seed: int = 0
) -> Path:
    """The folder of this cohort in the cache, written at the first call."""
    sizes = {"lines": lines, "genes": genes, "perturbed": perturbed, "drugs": drugs, "seed": seed}
    key = "-".join(str(value) for value in sizes.values())
    folder = cache_dir() / "teaching" / f"{version()}-{key}"
    if (folder / "README.md").is_file():
        return folder
    elsewhere = "make room, or point CDP_CACHE at a folder that you may write to"
    with one_sentence(folder, elsewhere):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix="unfinished-"))
                try:
                    write_all(unfinished, sizes)
                    unfinished.replace(folder)
                finally:
                    shutil.rmtree(unfinished, ignore_errors=True)
    return folder
