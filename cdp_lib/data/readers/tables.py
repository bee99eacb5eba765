"""One strict reader of text tables: every row has the fields of the header, every name is a name.

pandas fills short rows with nothing, renames the second of two columns and takes what lies beside
the header for row names.  Here each line is counted before pandas sees it, so that a table that
was cut, shifted or glued together is refused with the number of the line.
"""

import io
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.data.readers.files import AGAIN, refuse_unprintable, text_lines
from cdp_lib.errors import InputError

TEXT = pd.Series(["text"]).dtype  # of a column of texts in this version of pandas
QUOTED = re.compile(r'"(?:[^"]|"")*"')
NO_NUMBER = {"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A", "#NA"}
TRUTH = re.compile("true|false", re.IGNORECASE)  # pandas takes them for 1 and 0
CELLS_AT_ONCE = 2**24  # that pandas parses in one piece: more costs memory, fewer cost time
PIECE = 2**16  # characters handed over at once: larger strings are slow to allocate


@dataclass
class Rows:
    """The rows of a text table, each checked: its header, and the lines below it."""

    path: str | Path
    sep: str = ","
    skip: int = 0  # lines above the header
    names: tuple[str, ...] = ()  # of the columns of a file that has no header
    open_end: bool = False  # upstream's file has no line end at its end
    free_text: bool = False  # cells that nobody reads hold line breaks and odd blanks
    control: str = ""  # unprintable characters that upstream writes
    once: bool = False  # no line stands there twice
    number: int = field(default=0, init=False)  # of the line read last

    def __post_init__(self) -> None:
        self.name = Path(self.path).name
        self.lines = text_lines(self.path, self.open_end)
        self.number = sum(1 for _ in itertools.islice(self.lines, self.skip))
        self.head = "" if self.names else self.line()
        if not self.names and not self.head:
            raise InputError(f"{self.name} holds no rows: {AGAIN}.")
        self.columns = list(self.names) or self.header()
        self.width = len(self.columns)

    def header(self) -> list[str]:
        """The names of the columns; only the first may be empty, and those behind the last."""
        head = self.head.removesuffix("\n").removesuffix(self.sep * self.trailing(self.head))
        self.refuse_broken(self.head)
        columns = [" ".join(cell.split()) for cell in cells(head, self.sep)]
        for column in columns:
            refuse_unprintable(self.name, self.number, column)
        if "" in columns[1:]:
            at = columns.index("", 1) + 1
            raise self.flaw(f"has no name in its column {at}: name or remove this column")
        twice = [c for n, c in enumerate(columns) if c in columns[:n]] if repeated(columns) else []
        if twice:
            raise self.flaw(
                f"names {len(twice)} column(s) twice ({few(twice)}): keep one column of each name"
            )
        return columns

    def trailing(self, head: str) -> int:
        """How many empty columns stand behind the last name of the header."""
        bare = head.removesuffix("\n")
        return len(bare) - len(bare.rstrip(self.sep)) if self.sep == "\t" else 0

    def line(self) -> str:
        """The next row as text, joined where a quoted cell may hold line breaks; "" at the end."""
        self.number, text = next(self.lines, (self.number, ""))
        while self.free_text and text.count('"') % 2:
            self.number, more = next(self.lines, (self.number, ""))
            if not more:
                break
            text += more
        return text

    def __iter__(self) -> Iterator[str]:
        """The rows below the header, each with as many cells as the header."""
        behind = self.trailing(self.head)
        seps, end = self.width - 1 + behind, self.sep * behind + "\n"
        seen: set[int] = set()
        while text := self.line():
            if text == "\n":
                return self.refuse_rest()
            if '"' in text:
                self.refuse_broken(text)
                found = text.count(self.sep) - hidden(text, self.sep)
            else:
                found = text.count(self.sep)
            if found != seps:
                raise self.flaw(
                    f"has {found + 1} cell(s) where its header has {seps + 1}: the file is cut or "
                    f"glued together here, correct this line or {AGAIN}"
                )
            if text == self.head:
                raise self.flaw(f"repeats the header: two tables stand in one file, {AGAIN}")
            if self.once:
                if hash(text) in seen:
                    raise self.flaw("repeats an earlier line: keep one of them")
                seen.add(hash(text))
            if behind:
                if not text.endswith(end):
                    raise self.flaw("has a cell where its header names no column: name the column")
                text = text[: -len(end)] + "\n"
            yield text

    def refuse_rest(self) -> None:
        """Empty lines at the end are nothing; one in the middle is a hole."""
        hole = self.number
        while text := self.line():
            if text != "\n":
                self.number = hole
                raise self.flaw(f"is empty: {AGAIN}, or remove this line")

    def refuse_broken(self, text: str) -> None:
        """Quotes stand around whole cells."""
        inside = sum(
            found.group().count('"')
            for found in QUOTED.finditer(text)
            if text[found.start() - 1 : found.start()] in (self.sep, "")
            and text[found.end() : found.end() + 1] in (self.sep, "\n", "")
        )
        if inside != text.count('"'):
            raise self.flaw(f"has a quote that does not stand around a whole cell: {AGAIN}")

    def flaw(self, what: str) -> InputError:
        return InputError(f"{self.name}, line {self.number}, {what}.")


def repeated(columns: list[str]) -> bool:
    return len(set(columns)) < len(columns)


def cells(text: str, sep: str) -> list[str]:
    """The cells of one line, out of their quotes."""
    if '"' not in text:
        return text.split(sep)
    masked = QUOTED.sub(lambda found: found.group().replace(sep, "\0"), text)
    found = [cell.replace("\0", sep) for cell in masked.split(sep)]
    return [c[1:-1].replace('""', '"') if c[:1] == '"' else c for c in found]


def hidden(text: str, sep: str) -> int:
    """How many separators stand inside quotes."""
    return sum(found.group().count(sep) for found in QUOTED.finditer(text))


class Pieces(io.TextIOBase):
    """Lines as a file that pandas reads."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self.piece, self.at = lines, "", 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> str:
        size = PIECE if size < 0 else min(size, PIECE)
        if self.at >= len(self.piece):
            lines, length = [], 0
            for line in self.lines:
                lines.append(line)
                length += len(line)
                if length >= PIECE:
                    break
            self.piece, self.at = "".join(lines), 0
        start, self.at = self.at, self.at + size
        return self.piece[start : self.at]


def parsed(lines: Iterator[str], rows: Rows, width: int, **options: object) -> list[pd.DataFrame]:
    """What pandas makes of the rows, in pieces of a bounded number of cells."""
    first = next(lines, None)
    if first is None:
        raise InputError(f"{rows.name} holds no rows: {AGAIN}.")
    reader = pd.read_csv(
        Pieces(itertools.chain([first], lines)),
        sep=rows.sep,
        header=None,
        index_col=False,
        skip_blank_lines=False,
        low_memory=False,
        chunksize=max(1, CELLS_AT_ONCE // width),
        **options,
    )
    with reader:
        return list(reader)


def read_table(
    path: str | Path,
    *,
    need: tuple[str, ...] = (),
    floats: tuple[str, ...] = (),
    keep: Callable[[str], bool] | None = None,
    **layout: object,
) -> pd.DataFrame:
    """A table of records: every column is text, but those called in `floats`.

    `need` are the columns that the format has, `keep` says which are read at all.
    """
    rows = Rows(path, **layout)
    spelled = {c.casefold() for c in rows.columns}
    require(
        rows.columns,
        tuple(dict.fromkeys([*need, *(c for c in floats if c.casefold() in spelled)])),
        path,
    )
    columns = {n: c for n, c in enumerate(rows.columns) if keep is None or keep(c)}
    kinds = {n: np.float64 if c in floats else str for n, c in columns.items()}
    try:
        parts = parsed(
            iter(checked_text(rows)),
            rows,
            rows.width,
            names=range(rows.width),
            usecols=list(columns),
            dtype=kinds,
        )
    except InputError:
        raise
    except ValueError as error:
        wanted = [n for n, c in columns.items() if c in floats]
        raise first_word(Rows(path, **layout), wanted) or unreadable(path, error) from error
    frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    frame = frame.set_axis(pd.Index(columns.values()), axis=1)
    for column in (c for c in floats if c in frame.columns):
        infinite = np.isinf(frame[column]).to_numpy()
        if infinite.any():
            raise InputError(
                f"{rows.name} has an infinite cell in row {int(infinite.argmax()) + 1}, column "
                f"{column}: correct or empty it."
            )
        if frame[column].isin([0, 1]).any() and frame[column].dropna().isin([0, 1]).all():
            words = first_word(Rows(path, **layout), [rows.columns.index(column)])
            if words:  # TRUE and FALSE, which pandas takes for 1 and 0
                raise words
    return frame


def read_matrix(
    path: str | Path,
    *,
    texts: int | Callable[[list[str]], int] = 1,
    need: tuple[str, ...] = (),
    missing: tuple[str, ...] = (),
    **layout: object,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(texts, numbers) of a wide table: its first `texts` columns, and the others as float32.

    `missing` are words that stand for no number, beside NA and nothing.
    """
    rows = Rows(path, **layout)
    require(rows.columns, need, path)
    words: list[list[str]] = []
    columns = pd.Index(rows.columns)
    texts = texts(rows.columns) if callable(texts) else texts
    if rows.width <= texts:
        raise InputError(
            f"{rows.name} holds no columns of numbers: check its name and what its columns are "
            f"separated by."
        )
    refuse_numbers_as_header(columns[texts:], path)
    try:
        parts = parsed(
            without_texts(rows, texts, words),
            rows,
            rows.width - texts,
            names=range(rows.width - texts),
            dtype=np.float32,
            na_values=list(missing) or None,
        )
    except InputError:
        raise
    except ValueError as error:
        numbers = range(texts, rows.width)
        raise first_word(Rows(path, **layout), numbers, missing) or unreadable(
            path, error
        ) from error
    with np.errstate(over="ignore"):
        values = np.concatenate([part.to_numpy(dtype=np.float32) for part in parts])
    table = pd.DataFrame(values, columns=columns[texts:], copy=False)
    names = pd.DataFrame(words, columns=columns[:texts], dtype=str)
    names = names.mask(names.isin({*NO_NUMBER, *missing}))
    if np.isinf(values).any():
        row, column = (int(i) for i in np.argwhere(np.isinf(values))[0])
        raise InputError(
            f"{rows.name} has {int(np.isinf(values).sum())} infinite cell(s), the first at "
            f"{names.iloc[row, 0]}, column {table.columns[column]}: correct or empty them."
        )
    return names, table


def without_texts(rows: Rows, texts: int, words: list[list[str]]) -> Iterator[str]:
    """The numbers of each row; its first cells go to `words`."""
    for line in rows:
        if line[0] == '"' or texts > 1:
            found, at = [], 0
            for _ in range(texts):
                quoted = QUOTED.match(line, at) if line[at] == '"' else None
                end = quoted.end() if quoted else line.index(rows.sep, at)
                found.append(cells(line[at:end], rows.sep)[0])
                at = end + 1
        else:
            at = line.index(rows.sep) + 1
            found = [line[: at - 1]]
        for cell in found:
            if not cell.isprintable():
                refuse_unprintable(rows.name, rows.number, cell)
        words.append([cell.strip() for cell in found])
        line = line[at:]
        if any(letter in line for letter in "uUlL") and TRUTH.search(line):
            raise rows.flaw("has TRUE or FALSE where a number belongs: correct or empty this cell")
        yield line


def checked_text(rows: Rows) -> Iterator[str]:
    """The rows, without characters that nobody sees."""
    for line in rows:
        if not rows.free_text and not line[:-1].isprintable():
            refuse_unprintable(rows.name, rows.number, line, rows.control)
        yield line


def first_word(rows: Rows, columns, missing: tuple[str, ...] = ()) -> InputError | None:
    """A sentence on the first cell of these columns that is no number."""
    for line in rows:
        found = cells(line.removesuffix("\n"), rows.sep)
        for n in columns:
            if not is_number(found[n]) and found[n] not in {*NO_NUMBER, *missing}:
                return InputError(
                    f"{rows.name}, line {rows.number}, has the text {found[n]!r} where a number "
                    f"belongs, at {found[0]}, column {rows.columns[n]}: correct this cell or leave "
                    f"it empty."
                )
    return None


def is_number(cell: str) -> bool:
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|[+-]?inf", cell) is not None


def unreadable(path: str | Path, error: Exception) -> InputError:
    reason = " ".join(str(error).removeprefix("Error tokenizing data. C error: ").split())[:200]
    return InputError(f"{Path(path).name} is not a readable table ({reason}): {AGAIN}.")


def refuse_numbers_as_header(columns: pd.Index, path: str | Path) -> None:
    number = next((c for c in columns if is_number(c)), None)
    if number is not None:
        raise InputError(
            f"{Path(path).name} has the number {number} in its header where a name belongs: its "
            f"header row is missing, {AGAIN}."
        )


def require(columns, need: tuple[str, ...], path: str | Path) -> None:
    """Refuse a table that has not the columns of its format."""
    missing = [column for column in need if column not in columns]
    if missing:
        raise InputError(
            f"{Path(path).name} has no column {few(missing)} (it has "
            f"{few(columns, 4)}): it is not the file that this reader reads, check its name."
        )
