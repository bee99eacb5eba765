"""Predictions in one small file: arrays, and a page of JSON that says what they are.

The file is a numpy archive (.npz).  Lines and perturbations are written once, cells as whole
numbers that point to them, and each model as one column of numbers.  Nothing in it is unpickled.
"""

import json
import os
import platform
import tempfile
import zipfile
import zlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

import cdp_lib
from cdp_lib.errors import InputError

FORMAT = "cdp predictions, version 1"
PACKAGES = ("numpy", "pandas", "scikit-learn", "torch")
ARRAYS = ("line", "perturbation", "truth")
DAMAGED = (
    OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError, OverflowError,
    MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def write(path: str | Path, held: tuple, failures: pd.DataFrame) -> None:
    """Write the file in one step: it is there whole or not at all."""
    path = Path(path)
    arrays, page = {}, {"format": FORMAT, "versions": versions(), "held": []}
    for number, each in enumerate(held):
        arrays |= {f"{number} {name}": getattr(each, name) for name in ARRAYS}
        arrays |= {f"{number} {model} values": v for model, v in enumerate(each.values.values())}
        page["held"].append(
            {
                "about": each.about,
                "lines": names(each.lines),
                "perturbations": names(each.perturbations),
                "folds": each.folds.to_dict("list"),
                "models": [[*key, each.kinds[key]] for key in each.values],
            }
        )
    page["failures"] = failures.to_dict("records")
    arrays["page"] = np.frombuffer(json.dumps(page).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


def read(path: str | Path) -> tuple[list[dict], list[dict]]:
    """The fields of each HeldOut, and the failures."""
    try:
        with zipfile.ZipFile(path) as archive:
            if broken := archive.testzip():
                raise ValueError(f"the checksum of {broken} is wrong")
        with np.load(path, allow_pickle=False) as arrays:
            page = json.loads(bytes(arrays["page"]))
            if page["format"] != FORMAT:
                raise ValueError(f"its format is {page['format']!r}")
            held = [_held(number, each, arrays) for number, each in enumerate(page["held"])]
            return held, page["failures"]
    except FileNotFoundError:
        raise InputError(
            f"There is no file {path}: name one that Predictions.write made."
        ) from None
    except DAMAGED as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise InputError(
            f"{path} holds no predictions that can be read ({reason}): write it again with "
            "Predictions.write."
        ) from error


def versions() -> dict[str, str]:
    """What the predictions were made with."""
    found = {"cdp_lib": cdp_lib.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def names(index: pd.Index) -> list:
    """Names that JSON can hold: texts and numbers."""
    found = index.tolist()
    odd = [name for name in found if not isinstance(name, (str, int, float))]
    if odd:
        raise InputError(
            f"The name {odd[0]!r} is a {type(odd[0]).__name__}, which a file of predictions cannot "
            "hold: name lines and perturbations by texts or numbers."
        )
    return found


def _held(number: int, page: dict, arrays) -> dict:
    """One HeldOut, after a look whether its parts fit each other."""
    fields = {name: arrays[f"{number} {name}"] for name in ARRAYS}
    keys = [(model, omics) for model, omics, _ in page["models"]]
    values = [arrays[f"{number} {model} values"] for model in range(len(keys))]
    folds = pd.DataFrame(page["folds"])
    n = int(folds["n_test"].sum())
    inside = all(
        fields[side].min(initial=0) >= 0 and fields[side].max(initial=0) < len(page[sides])
        for side, sides in (("line", "lines"), ("perturbation", "perturbations"))
    )
    if not inside or any(array.shape != (n,) for array in (*fields.values(), *values)):
        raise ValueError("its arrays do not fit each other")
    return {
        "about": page["about"],
        "lines": pd.Index(page["lines"], name="line"),
        "perturbations": pd.Index(page["perturbations"], name="perturbation"),
        "folds": folds,
        "values": dict(zip(keys, values, strict=True)),
        "kinds": {key: kind for key, (_, _, kind) in zip(keys, page["models"], strict=True)},
        **fields,
    }
