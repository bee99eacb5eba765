"""A parsed table is kept, so that the second load costs milliseconds.

The numbers are one .npy file, memory-mapped on the next load; names, and the words of text columns,
are one JSON file. The key is made of the files' names, sizes and times, the reader and the
version of this library: a changed file is read again, and nothing is ever unpickled.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib import __version__

Reader = Callable[..., pd.DataFrame]


def cached(reader: Reader, *paths: str | Path, **options: object) -> pd.DataFrame:
    """`reader(*paths, **options)`, from the cache when these very files were read before."""
    from cdp_lib.data.files.download import cache_dir

    missing = [path for path in paths if not Path(path).is_file()]
    if missing:
        return reader(*paths, **options)  # the reader's own sentence
    folder = cache_dir() / "parsed" / _key(reader, paths, options)
    try:
        return _load(folder)
    except (OSError, ValueError, KeyError):  # not there yet, or damaged
        table = reader(*paths, **options)
    if _storable(table):
        with contextlib.suppress(OSError):  # a full or read-only disk costs time, not the table
            _store(table, folder)
            return _load(folder)
    return table


def _key(reader: Reader, paths: tuple, options: dict) -> str:
    files = [(Path(p).name, os.stat(p).st_size, os.stat(p).st_mtime_ns) for p in paths]
    identity = [files, reader.__module__, reader.__qualname__, sorted(options.items()), __version__]
    return hashlib.sha256(json.dumps(identity, default=str).encode()).hexdigest()[:32]


def _storable(table: object) -> bool:
    """A data frame with plain names whose columns hold numbers or text."""
    return isinstance(table, pd.DataFrame) and not any(
        isinstance(names, pd.MultiIndex) for names in (table.index, table.columns)
    )


def _store(table: pd.DataFrame, folder: Path) -> None:
    """Write both files beside their place, then move them there in one step."""
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
                words[number] = [str(word) for word in known]
            values[:, number] = column
    about = {
        "index": _names(table.index),
        "columns": _names(table.columns),
        "kinds": sorted(set(kinds)) if len(set(kinds)) == 1 else kinds,
        "words": words,
        "attrs": table.attrs,
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".writing-"))
    try:
        np.save(beside / "values.npy", values)
        (beside / "table.json").write_text(json.dumps(about), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(beside, folder)
    except FileExistsError:  # another process was first, with the same table
        pass
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _load(folder: Path) -> pd.DataFrame:
    about = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    values = np.load(folder / "values.npy", mmap_mode="r", allow_pickle=False)
    index, columns = _index(about["index"]), _index(about["columns"])
    if values.shape != (len(index), len(columns)):
        raise ValueError("the two files do not belong together")
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
    return {"names": names.astype(str).tolist(), "name": names.name}


def _index(about: dict) -> pd.Index:
    if "rows" in about:
        return pd.RangeIndex(about["rows"], name=about["name"])
    return pd.Index(about["names"], name=about["name"])
