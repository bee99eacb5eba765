"""What a run would do: files to fetch, models to fit, and the time that it took where it was tried.

A chapter's metadata says it, under "cdp": the "tables" of each edition, what it "fits", and the
"minutes" of a profile on two cores: quick on every edition, teach on the pocket edition.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cdp_book import notebook
from cdp_lib.data.files.catalogue import File, size_text
from cdp_lib.data.files.download import cache_dir
from cdp_lib.data.studies.tables import files_of


def plan(chapter: Path, values: dict[str, Any]) -> Iterator[str]:
    """A heading and three sentences for one chapter with these parameters."""
    about = notebook.about(chapter)
    profile, edition = values.get("profile", "quick"), values.get("data", "teaching")
    files = files_of(edition, about.get("tables", {}).get(edition, ()))
    yield f"{chapter.stem}, profile {profile}, {edition} edition"
    yield f"  reads  {_reading(files)}"
    yield f"  fits   {about.get('fits', 'nothing')}"
    measured = about.get("minutes", {}) if profile == "quick" or edition != "official" else {}
    yield f"  takes  {_time(measured.get(profile))}"


def _reading(files: list[File]) -> str:
    if not files:
        return "nothing that must be fetched"
    missing = [file for file in files if not (cache_dir() / file.dataset / file.name).is_file()]
    here = f"to be fetched: {_size(missing)}" if missing else "all of it here"
    return f"{len(files)} files, {_size(files)}; {here}"


def _size(files: list[File]) -> str:
    """Together, as far as the catalogue knows the sizes."""
    text = size_text(sum(file.bytes or 0 for file in files))
    unknown = sum(file.bytes is None for file in files)
    return f"{text} and {unknown} files of unknown size" if unknown else text


def _time(minutes: float | None) -> str:
    if minutes is None:
        return "an unknown time: nobody has measured it"
    return "about a minute on two cores" if minutes <= 1 else f"{minutes:.0f} minutes on two cores"
