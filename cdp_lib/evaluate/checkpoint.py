"""Results kept in a folder: one file a result, named by a digest of all that decides it.

A file holds the SHA-256 of its content, then a plain archive of arrays.  A file that was cut off
or changed does not fit its digest and counts as absent.  Nothing in it is ever unpickled.
"""

import hashlib
import inspect
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType

import joblib
import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from torch import nn

import cdp_lib
from cdp_lib.errors import InputError


def fingerprint(*things) -> str:
    """A text that is equal for equal things, tables, arrays, models and folds among them.

    A model counts with its settings and with the instructions of its methods, so that results of
    another version of a model are not taken for results of this one.
    """
    return joblib.hash([cdp_lib.__version__, *map(_content, things)], hash_name="sha1")


def _content(thing):
    if isinstance(thing, pd.DataFrame | pd.Series):
        return [[[str(name) for name in axis] for axis in thing.axes], np.ascontiguousarray(thing)]
    if isinstance(thing, Mapping):
        return {str(name): _content(part) for name, part in thing.items()}
    if isinstance(thing, list | tuple):
        return [_content(part) for part in thing]
    if isinstance(thing, FunctionType):
        inside = [cell.cell_contents for cell in thing.__closure__ or ()]
        return [_code(thing), _content([inside, thing.__defaults__, thing.__kwdefaults__])]
    if isinstance(thing, FrozenEstimator):  # what it has learned counts, too
        return [_content(thing.estimator), _content(vars(thing.estimator))]
    if isinstance(thing, nn.Module):
        return {name: tensor.cpu().numpy() for name, tensor in thing.state_dict().items()}
    if hasattr(thing, "get_params") and not isinstance(thing, type):
        return [_class_code(type(thing)), _content(thing.get_params(deep=False))]
    return thing


def _code(of: FunctionType | CodeType) -> tuple:
    """The instructions of a function, those of the functions inside it included."""
    code = of if isinstance(of, CodeType) else inspect.unwrap(of).__code__
    constants = [
        _code(part)
        if isinstance(part, CodeType)
        else sorted(map(repr, part))
        if isinstance(part, frozenset)
        else repr(part)
        for part in code.co_consts
    ]
    return code.co_name, code.co_code, code.co_names, constants


@cache
def _class_code(kind: type) -> list:
    return [
        (base.__module__, base.__qualname__, name, _code(value))
        for base in kind.__mro__
        for name, value in sorted(vars(base).items())
        if isinstance(value, FunctionType)
    ]


class Checkpoint:
    """Results in a folder, by key; a result is a dictionary of arrays, numbers, texts and None."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.result"

    def load(self, key: str) -> dict | None:
        """The result kept under `key`; None where there is none, or a damaged one."""
        try:
            content = self.path(key).read_bytes()
        except FileNotFoundError:
            return None
        digest, archive = content[:32], content[32:]
        if hashlib.sha256(key.encode() + archive).digest() != digest:
            return None
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            return {
                name: value if entry is None else arrays[entry][()]
                for name, value, entry in json.loads(str(arrays["names"]))
            }

    def save(self, key: str, result: dict) -> None:
        """Keep a result; it is there whole or not at all."""
        names, arrays = [], {}
        for name, value in result.items():
            if isinstance(value, np.ndarray | np.generic):
                entry = f"array{len(arrays)}"
                arrays[entry] = np.asarray(value)
                if arrays[entry].dtype.hasobject:
                    raise InputError(
                        f"The array {name!r} holds objects, which a checkpoint does not keep: "
                        "give numbers or texts of one type."
                    )
                names.append((name, None, entry))
            else:
                names.append((name, value, None))
        archive = io.BytesIO()
        np.savez(archive, names=np.array(json.dumps(names)), **arrays)
        content = hashlib.sha256(key.encode() + archive.getvalue()).digest() + archive.getvalue()
        handle, part = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self.path(key))
        except BaseException:
            os.unlink(part)
            raise


def remember(folder: str | Path | None, work: Callable, *args) -> dict:
    """`work(*args)`, a dictionary of tables, from `folder` where this very call has finished.

    All that decides the result must be in `args`.  Without a folder nothing is kept.
    """
    if folder is None:
        return work(*args)
    kept, key = Checkpoint(folder), fingerprint(work, *args)
    parts = kept.load(key)
    if parts is None:
        parts = dict(_parts(work(*args)))
        kept.save(key, parts)
    return _joined(parts)


def _parts(tables: Mapping, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    """The values and names of each table, by its way through nested dictionaries."""
    for name, part in tables.items():
        here = (*path, name)
        if isinstance(part, Mapping):
            yield from _parts(part, here)
        elif isinstance(part, pd.DataFrame):
            for what, array in (("", part), ("index", part.index), ("columns", part.columns)):
                array = array.to_numpy() if what == "" else array.to_numpy(str)
                yield json.dumps([*here, what]), array
        else:
            yield json.dumps([*here, "text"]), part


def _joined(parts: Mapping[str, object]) -> dict:
    """The nested dictionaries again."""
    result: dict = {}
    for key, value in parts.items():
        *path, name, what = json.loads(key)
        if what in ("index", "columns"):
            continue
        here = result
        for step in path:
            here = here.setdefault(step, {})
        if what == "":
            names = [pd.Index(parts[json.dumps([*path, name, s])]) for s in ("index", "columns")]
            value = pd.DataFrame(value, *names)
        here[name] = value
    return result
