"""Write a recorded run: book/results/<chapter>/<edition>/, as `cdp_lib.claims` reads it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from cdp_book.pages import keep, refuse_too_large
from cdp_lib.claims.recorded import check_figure, check_records, previous
from cdp_lib.errors import InputError

CHANGES = ("status", "--porcelain", "-uno", "--", ":/", ":(exclude,top)book/results")
VERSIONS = ("cdp-lib", "numpy", "pandas", "scipy", "scikit-learn", "torch", "rdkit")


def write_record(
    folder: Path,
    results: Iterable[Mapping],
    figures: Iterable[Mapping],
    provenance: Mapping,
    executed: Mapping | None = None,
) -> Path:
    """Write a run into ``<chapter>/<edition>``; a figure has name, svg, caption and alt.

    `executed`, the notebook with its outputs, becomes the page of the run.

    A number that is not finite is kept as "our run gave no number", never as a gap.  The record
    that stood there before keeps its place until the new one is whole and on the disk.
    """
    folder = Path(folder)
    path = folder / "results.json"
    rows = [asdict(record) for record in check_records(path, [dict(row) for row in results])]
    for row in rows:
        del row["chapter"]  # the folder names it
    pictures = {}
    for figure in figures:
        check_figure(path, figure, "svg")
        if figure["name"] in pictures:
            raise InputError(f"{path}: two figures are named {figure['name']!r}; rename one.")
        pictures[figure["name"]] = figure
    about = {
        "provenance": dict(provenance),
        "results": rows,
        "figures": [
            {key: figure[key] for key in ("name", "caption", "alt")}
            | {"sha256": hashlib.sha256(figure["svg"].encode()).hexdigest()}
            for figure in pictures.values()
        ],
    }
    texts = {f"{name}.svg": figure["svg"] for name, figure in pictures.items()}
    texts["results.json"] = _json(about)
    if executed is not None:
        texts["page.json"] = _json({"cells": keep(executed)})
        total = sum(len(text.encode()) for text in texts.values())
        refuse_too_large(folder.parent.name, total, executed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(".writing-*"):  # by a writer that was stopped
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".writing-"))
    try:
        for name, body in texts.items():
            _write(beside / name, body)
        beside.chmod(0o755)
        _swap(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return path


def moved(before: Mapping[str, Mapping], after: Mapping[str, Mapping]) -> list[str]:
    """A line for each result that moved by more than its sd, and for keys that came or went.

    A number without an sd counts as moved where its first three digits did; a text, where it is
    another.
    """
    told = []
    for key in before.keys() & after.keys():
        old, new = before[key]["value"], after[key]["value"]
        sd = before[key].get("sd") or after[key].get("sd")
        if _apart(old, new, sd):
            told.append(
                f"{key}: {_shown(old)} -> {_shown(new)} (sd {_shown(sd) if sd else 'none'})"
            )
    for word, keys in (("new", after.keys() - before), ("gone", before.keys() - after)):
        if before and keys:
            told.append(
                f"{len(keys)} {word}: {', '.join(sorted(keys)[:5])}{', ...' * (len(keys) > 5)}"
            )
    return sorted(told)


def _apart(old: object, new: object, sd: float | None) -> bool:
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (old, new))
    return abs(new - old) > sd if numbers and sd else _shown(old) != _shown(new)


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def results(folder: Path) -> dict[str, dict]:
    """The results of a record, by key; none where nothing can be read."""
    try:
        text = json.loads((folder / "results.json").read_text("utf-8"))
        return {row["key"]: row for row in text["results"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _swap(new: Path, folder: Path) -> None:
    """Put a folder in the place of another; at every moment one of the two can be read."""
    old = previous(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def provenance(
    *,
    seed: int | None = None,
    profile: str | None = None,
    device: str = "cpu",
    data: Mapping[str, str] | None = None,
    wall_seconds: float | None = None,
) -> dict:
    """Where a number comes from: code, versions, device, data (file: sha256), seed, time, date."""
    tracked = _git("ls-files", "--error-unmatch", __file__) is not None
    return {
        "commit": _git("rev-parse", "HEAD") if tracked else None,
        "dirty": bool(_git(*CHANGES)) if tracked else None,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in VERSIONS},
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        "profile": profile,
        "seed": seed,
        "wall_seconds": wall_seconds,
        "data": dict(sorted((data or {}).items())),
    }


def _git(*words: str) -> str | None:
    """What git says of the folder of the library; None where it is not a checkout."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
