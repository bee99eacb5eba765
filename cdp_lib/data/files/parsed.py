"""A parsed table is kept, so that the second load costs milliseconds.

    <cache>/parsed/<slot>-<proof>/values.npy    the numbers, memory-mapped on the next load
                                 /table.json    names, and the words of text columns
                                 /sha256        the checksums of both, as `sha256sum` writes them

The slot names the files, the reader and its options; the proof is made of the files' own sha256, of
the source code that read them, and of the versions of this library and of pandas.  So a changed
file or a mended reader is read anew and takes the place of the older table.  A table whose bytes
are not those that were written is thrown away and made again; nothing is ever unpickled.
"""

import contextlib
import hashlib
import inspect
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib import __version__
from cdp_lib.data.files.pins import Pins, digest

Reader = Callable[..., pd.DataFrame]
DATA = Path(__file__).parents[1]
CODE = ("readers/*.py", "checks.py", "ids.py", "molecules.py")  # what decides what a reader returns
PARTS = ("values.npy", "table.json")
LEFTOVER = 3600.0  # seconds after which an unfinished copy has no writer any more
EXACT = 2**53  # the largest whole number that a float64 keeps


def cached(reader: Reader, *paths: str | Path, **options: object) -> pd.DataFrame:
    """`reader(*paths, **options)`, from the cache when these very bytes were read before."""
    from cdp_lib.data.files.download import cache_dir

    files = [Path(path).absolute() for path in paths]
    if not all(file.is_file() for file in files):
        return reader(*paths, **options)  # the reader's own sentence
    slot, proof = _identity(reader, files, options, cache_dir())
    return _kept_table(lambda: reader(*paths, **options), slot, proof)


def remembered(make: Callable[[], pd.DataFrame], what: list, made_of: list) -> pd.DataFrame:
    """`make()`, from the cache when a table of this name was made of the same things before.

    `what` names the table, `made_of` says what it hangs on beside that name, such as the version of
    a package: a table that was made of something else is thrown away.
    """
    proof = [*made_of, __version__, pd.__version__]
    return _kept_table(make, _short(what), _short(proof))


def _kept_table(make: Callable[[], pd.DataFrame], slot: str, proof: str) -> pd.DataFrame:
    """The table that stands in this slot with this proof, or the one made anew."""
    from cdp_lib.data.files.download import cache_dir

    folder = cache_dir() / "parsed" / f"{slot}-{proof}"
    if folder.is_dir():
        try:
            return _load(folder)
        except Exception:  # damaged, whatever the damage leads to
            shutil.rmtree(folder, ignore_errors=True)
    table = make()
    if _storable(table):
        with contextlib.suppress(OSError, TypeError):  # no room, or notes that are no JSON
            _store(table, folder)
            _sweep(folder)
            return _load(folder)
    return table


def _identity(reader: Reader, files: list[Path], options: dict, root: Path) -> tuple[str, str]:
    """(slot, proof): which table this is, and what it was made of."""
    places = [str(f.relative_to(root) if f.is_relative_to(root) else f) for f in files]
    what = [places, reader.__module__, reader.__qualname__, sorted(options.items())]
    sums = [Pins(root).digest(file) for file in files]
    made_of = [sums, code(inspect.getsourcefile(reader) or ""), __version__, pd.__version__]
    return _short(what), _short(made_of)


def _short(content: list) -> str:
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()[:24]


@cache
def code(also: str = "") -> str:
    """A checksum of the source of all readers and of what they use, and of one more file."""
    files = [path for pattern in CODE for path in sorted(DATA.glob(pattern))]
    files += [Path(also)] if Path(also).is_file() else []
    return _short([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])


def _storable(table: object) -> bool:
    """A data frame whose names and columns are numbers or text that come back the same."""
    return (
        isinstance(table, pd.DataFrame)
        and all(_plain(names) for names in (table.index, table.columns))
        and all(_kept(table.iloc[:, n]) for n, kind in enumerate(table.dtypes) if kind != "float32")
    )


def _plain(names: pd.Index) -> bool:
    """Texts, or the plain numbers of the rows."""
    if isinstance(names, pd.RangeIndex):
        return names.equals(pd.RangeIndex(len(names)))
    return not isinstance(names, pd.MultiIndex) and all(isinstance(name, str) for name in names)


def _kept(column: pd.Series) -> bool:
    """Whether a column survives as float64, or as codes of words."""
    if _kind(column.dtype) == "text":
        return pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")
    if column.dtype.kind in "iu":
        return not len(column) or max(abs(int(column.max())), abs(int(column.min()))) <= EXACT
    return column.dtype in ("float64", "float32", "bool")


def _store(table: pd.DataFrame, folder: Path) -> None:
    """Write all files beside their place and onto the disk, then move them there in one step."""
    values, about = _parts(table)
    text = json.dumps(about)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".writing-"))
    try:
        np.save(beside / "values.npy", values)
        (beside / "table.json").write_text(text, encoding="utf-8")
        proof = "".join(f"{digest(beside / part)}  {part}\n" for part in PARTS)
        (beside / "sha256").write_text(proof, encoding="utf-8")
        for path in (*beside.iterdir(), beside):
            _onto_disk(path)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(beside, folder)
        _onto_disk(folder.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _parts(table: pd.DataFrame) -> tuple[np.ndarray, dict]:
    """The numbers of a table, text as codes, and everything else."""
    words = {}
    kinds = [_kind(kind) for kind in table.dtypes]
    if set(kinds) == {"float32"}:
        values = table.to_numpy()
    else:
        values = np.empty(table.shape, dtype=np.float64, order="F")
        for number, kind in enumerate(kinds):
            column = table.iloc[:, number]
            if kind == "text":
                column, known = pd.factorize(column)
                words[number] = list(known)
            values[:, number] = column
    return values, {
        "index": _names(table.index),
        "columns": _names(table.columns),
        "kinds": sorted(set(kinds)) if len(set(kinds)) == 1 else kinds,
        "words": words,
        "attrs": table.attrs,
    }


def _onto_disk(path: Path) -> None:
    """Ask the system to keep a file or folder through a loss of power, where it can."""
    with contextlib.suppress(OSError):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _sweep(folder: Path) -> None:
    """Remove what `folder` replaces, and what writers that were killed have left behind."""
    slot = folder.name.partition("-")[0]
    for other in folder.parent.iterdir():
        with contextlib.suppress(OSError):
            replaced = other.name.startswith(f"{slot}-") and other != folder
            foreign = not re.fullmatch("[0-9a-f]{24}-[0-9a-f]{24}", other.name)
            if replaced or (foreign and time.time() - other.stat().st_mtime > LEFTOVER):
                shutil.rmtree(other)


def _load(folder: Path) -> pd.DataFrame:
    proof = "".join(f"{digest(folder / part)}  {part}\n" for part in PARTS)
    if (folder / "sha256").read_text(encoding="utf-8") != proof:
        raise ValueError("not the bytes that were written")
    about = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    values = np.load(folder / "values.npy", mmap_mode="r", allow_pickle=False)
    index, columns = _index(about["index"]), _index(about["columns"])
    if about["kinds"] == ["float32"]:
        table = pd.DataFrame(np.asarray(values), index=index, columns=columns, copy=False)
    else:
        kinds = about["kinds"] * (len(columns) if len(about["kinds"]) == 1 else 1)
        table = pd.DataFrame(
            {
                n: _column(values[:, n], kind, about["words"].get(str(n)))
                for n, kind in enumerate(kinds)
            }
        )
        table.index, table.columns = index, columns
    table.attrs.update(about["attrs"])
    return table


def _kind(dtype: object) -> str:
    """How a column is kept: as its own type of number, or as text."""
    return str(dtype) if pd.api.types.is_numeric_dtype(dtype) else "text"


def _column(values: np.ndarray, kind: str, words: list[str] | None) -> np.ndarray:
    if kind != "text":
        return np.asarray(values, dtype=kind)
    return np.array([*words, None], dtype=object)[values.astype(np.intp)]  # -1: nothing


def _names(names: pd.Index) -> dict:
    if isinstance(names, pd.RangeIndex):
        return {"rows": len(names), "name": names.name}
    return {"names": names.tolist(), "name": names.name}


def _index(about: dict) -> pd.Index:
    if "rows" in about:
        return pd.RangeIndex(about["rows"], name=about["name"])
    return pd.Index(about["names"], name=about["name"])
