"""A table inside an R object with slots, written as R writes it (.rds): its RNA-seq and responses.

Only what the real file has and a reader takes: slots, lists with names, an environment that holds
a matrix, and a data frame.
"""

import gzip
import struct
from pathlib import Path

import numpy as np
import pandas as pd

SLOTS, ENVIRONMENT, PAIRS, LIST, TEXTS, REAL, INTEGER = 25, 4, 2, 19, 16, 14, 13
WITH_ATTRIBUTES, NAMED, END, GLOBAL = 0x200, 0x400, 254, 242


def integers(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}i", *numbers)


def word(text: str | None) -> bytes:
    if not isinstance(text, str):
        return integers(9, -1)
    return integers(0x40009, len(text.encode())) + text.encode()


def texts(names: list[str | None]) -> bytes:
    return integers(TEXTS, len(names)) + b"".join(map(word, names))


def reals(values: np.ndarray) -> bytes:
    return integers(REAL, len(values)) + np.asarray(values, ">f8").tobytes()


def pairs(items: dict[str, bytes]) -> bytes:
    """Names and values, as attributes and environments hold them."""
    rows = [integers(PAIRS | NAMED, 1) + word(name) + value for name, value in items.items()]
    return b"".join(rows) + integers(END)


def listed(items: dict[str, bytes]) -> bytes:
    body = b"".join(items.values())
    names = pairs({"names": texts(list(items))})
    return integers(LIST | WITH_ATTRIBUTES, len(items)) + body + names


def slots(items: dict[str, bytes]) -> bytes:
    return integers(SLOTS | WITH_ATTRIBUTES) + pairs(items)


def environment(items: dict[str, bytes]) -> bytes:
    """Its values stand in a table of one list of pairs."""
    table = integers(LIST, 1) + pairs(items)
    return integers(ENVIRONMENT, 0, GLOBAL, END) + table + integers(END)


def matrix(table: pd.DataFrame) -> bytes:
    """Rows x columns, column by column."""
    names = integers(LIST, 2) + texts(list(table.index)) + texts(list(table.columns))
    flags = integers(REAL | WITH_ATTRIBUTES, table.size)
    values = table.to_numpy(">f8").T.tobytes()
    return flags + values + pairs({"dim": integers(INTEGER, 2, *table.shape), "dimnames": names})


def frame(table: pd.DataFrame) -> bytes:
    columns = {
        name: reals(column) if column.dtype.kind == "f" else texts(list(column))
        for name, column in table.items()
    }
    return listed(columns)


def xeva_set(rna: pd.DataFrame, responses: pd.DataFrame) -> bytes:
    """The object: RNA-seq (genes x patients), and the published responses, a model a row."""
    profile = slots({"assayData": environment({"exprs": matrix(rna)})})
    body = slots(
        {
            "sensitivity": listed({"model": frame(responses)}),
            "molecularProfiles": listed({"RNASeq": profile}),
        }
    )
    return b"X\n" + integers(3, 0x40003, 0x30500, 5) + b"UTF-8" + body


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 1, mtime=0))
