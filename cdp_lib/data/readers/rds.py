"""What an R file (.Rds, .rda) holds: a data frame, or an object with slots and what lies in them.

R's serialisation (XDR, "X\\n") is a stream of items.  An item begins with four bytes of flags; the
lowest eight bits say what it is.  Lists are bounded in depth, so that a crafted file ends in a
sentence, and no library in C reads bytes that somebody else has written.  A table of millions of
cells that hold one of three words is read a column at a time: where a column is nothing but these
words, each word is replaced by its number.
"""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.readers.files import AGAIN, opened
from cdp_lib.data.readers.tables import TEXT
from cdp_lib.errors import InputError

DEEPEST = 20  # lists in lists; a data frame of readr has four
NULL, REFERENCE, SYMBOL, PAIRS = 254, 255, 1, 2
ENVIRONMENT, SLOTS = 4, 25
KNOWN_PLACES = (241, 242, 253)  # environments of R itself, which hold nothing of ours
CHARACTERS, LOGICAL, INTEGER, REAL, STRING, LIST = 9, 10, 13, 14, 16, 19
NUMBERED = -1  # a column of words by their numbers
FIRST = 0x80  # the byte of the first word: no ASCII word and no record holds it
MISSING_WORD = struct.pack(">ii", 9, -1)
KINDS = {LOGICAL: ">i4", INTEGER: ">i4", REAL: ">f8"}
MISSING = -(2**31)


def stored(word: str) -> bytes:
    """A word of ASCII letters as R writes it."""
    return struct.pack(">ii", 0x40009, len(word)) + word.encode("ascii")


class Odd(ValueError):
    """Something that no data frame holds."""


DAMAGES = (  # what a damaged file leads to
    Odd,
    struct.error,
    UnicodeDecodeError,
    KeyError,
    AttributeError,
    TypeError,
    ValueError,
    IndexError,
)


class Item:
    """A value of R and its attributes."""

    def __init__(self, kind: int, value: object) -> None:
        self.kind, self.value, self.attributes = kind, value, {}


def rds(path: str | Path) -> pd.DataFrame:
    """The one data frame in an R file (.Rds)."""
    return data_frame(path, lambda content: Items(content).whole())


def rda(path: str | Path, words: tuple[str, ...] = ()) -> pd.DataFrame:
    """The one data frame in a file of named R objects (.rda, .RData).

    A column that holds nothing but `words` becomes their numbers, 0, 1, ... and NaN.
    """

    def only_object(content: bytes) -> Item:
        if not re.match(rb"RDX[23]\n", content):
            raise Odd("it does not begin like one")
        objects = Items(content, start=5, words=words).whole()
        if objects is None or objects.kind != PAIRS or len(objects.value) != 1:
            raise Odd("it does not hold one object")
        return next(iter(objects.value.values()))

    return data_frame(path, only_object)


def inside(path: str | Path, find: Callable[[Item], pd.DataFrame], what: str) -> pd.DataFrame:
    """What `find` takes out of the one object of an R file; a sentence where it is not there."""
    with opened(path) as file:
        content = file.read()
    try:
        return find(Items(content).whole())
    except DAMAGES as error:
        raise InputError(
            f"{Path(path).name} holds no {what} ({error or 'it ends too early'}): check its name, "
            f"or {AGAIN}."
        ) from error


def part(item: Item, *names: str) -> Item:
    """A slot, a value of an environment or an entry of a list with names, and so on inwards."""
    for name in names:
        if item.kind == LIST:
            item = item.value[item.attributes["names"].value.index(name)]
        else:
            item = (item.value if item.kind == ENVIRONMENT else item.attributes)[name]
    return item


def frame(item: Item) -> pd.DataFrame:
    """The columns of a data frame inside an object."""
    names = item.attributes["names"].value
    table = pd.DataFrame(dict(zip(names, map(column, item.value), strict=True)))
    if len(names) != table.shape[1]:
        raise Odd("two columns of one name")
    return table


def matrix(item: Item) -> pd.DataFrame:
    """A matrix of numbers with the names of its rows and columns."""
    rows, columns = (part.value for part in item.attributes["dimnames"].value)
    if item.kind not in KINDS or item.value.size != len(rows) * len(columns):
        raise Odd("no matrix of numbers")
    values = item.value.reshape(len(columns), len(rows)).T  # R writes column by column
    with np.errstate(over="ignore", invalid="ignore"):  # too large a number is infinite
        return pd.DataFrame(values.astype(np.float32), index=rows, columns=columns)


def data_frame(path: str | Path, parse: Callable[[bytes], Item]) -> pd.DataFrame:
    name = Path(path).name
    with opened(path) as file:
        content = file.read()
    try:
        item = parse(content)
        attributes = item.attributes
        names, classes = attributes["names"].value, attributes["class"].value
        columns = [column(part) for part in item.value]
    except DAMAGES as error:
        raise InputError(
            f"{name} is not a readable R data frame ({error or 'it ends too early'}): {AGAIN}."
        ) from error
    if "data.frame" not in classes or len({len(c) for c in columns}) != 1:
        raise InputError(f"{name} holds no data frame: check its name.")
    if len(names) != len(columns) or len(set(names)) < len(names) or not all(names):
        raise InputError(f"{name} has columns without a name of their own: {AGAIN}.")
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def column(item: Item) -> np.ndarray | pd.Series:
    """A column as pandas holds it: text, numbers with NaN, or the words of a factor."""
    if item.kind == STRING:
        return pd.array(item.value, dtype=TEXT)
    if "levels" in item.attributes:
        words = item.attributes["levels"].value
        if max(item.value, default=0) > len(words):
            raise Odd("a factor without its level")
        return pd.array([words[n - 1] if n > 0 else None for n in item.value], dtype=TEXT)
    if item.kind == NUMBERED:
        return item.value
    if item.kind == REAL:
        return item.value.astype(np.float64)
    if item.kind == LOGICAL:
        return pd.array([None if n == MISSING else bool(n) for n in item.value], dtype=object)
    if item.kind == INTEGER:
        return np.where(item.value == MISSING, np.nan, item.value)
    raise Odd(f"a column of kind {item.kind}")


class Items:
    """The items of a stream, read one after another."""

    def __init__(self, content: bytes, start: int = 0, words: tuple[str, ...] = ()) -> None:
        self.content, self.at = content, start + 2
        self.shared = []  # symbols and environments, to which a reference may point
        self.words = [MISSING_WORD, *map(stored, words)] if words else []
        if content[start : start + 2] != b"X\n":
            raise Odd("it does not begin like one")
        version = self.integer()
        self.at += 8  # who wrote it, and who may read it
        if version == 3:
            self.take(self.integer())  # the native encoding
        elif version != 2:
            raise Odd(f"version {version}")

    def whole(self) -> Item:
        item = self.item(0)
        if self.at != len(self.content):
            raise Odd("something follows it")
        return item

    def take(self, length: int) -> bytes:
        if length < 0 or self.at + length > len(self.content):
            raise Odd("it ends too early")
        self.at += length
        return self.content[self.at - length : self.at]

    def integer(self) -> int:
        return struct.unpack(">i", self.take(4))[0]

    def item(self, depth: int) -> Item | None:
        if depth > DEEPEST:
            raise Odd("lists in lists without end")
        flags = self.integer()
        kind, has_attributes = flags & 0xFF, flags & 0x200
        if kind == NULL or kind in KNOWN_PLACES:
            return None
        if kind == REFERENCE:
            number = (flags >> 8) or self.integer()
            if not 0 < number <= len(self.shared):
                raise Odd("a reference to nothing")
            return self.shared[number - 1]
        if kind == SYMBOL:
            self.shared.append(self.item(depth + 1))
            return self.shared[-1]
        if kind == ENVIRONMENT:
            return self.environment(depth)
        if kind == CHARACTERS:
            length = self.integer()
            encoding = "latin-1" if flags >> 12 & 4 else "utf-8"
            return Item(kind, None if length == -1 else self.take(length).decode(encoding))
        if kind in KINDS:
            size = int(KINDS[kind][-1])
            item = Item(kind, np.frombuffer(self.take(self.integer() * size), KINDS[kind]))
        elif kind == STRING:
            number = self.count()
            numbers = self.numbered(number)
            if numbers is not None:
                item = Item(NUMBERED, numbers)
            else:
                item = Item(kind, [self.item(depth + 1).value for _ in range(number)])
        elif kind == LIST:
            item = Item(kind, [self.item(depth + 1) for _ in range(self.count())])
        elif kind == PAIRS:
            return self.pairs(flags, depth)
        elif kind == SLOTS and has_attributes:
            item = Item(kind, None)
        else:
            raise Odd(f"an object of kind {kind}")
        if has_attributes:
            item.attributes = self.item(depth + 1).value
        return item

    def environment(self, depth: int) -> Item:
        """Names and their values: a list of pairs, and a table of such lists."""
        item = Item(ENVIRONMENT, {})
        self.shared.append(item)  # what lies in it may refer to it
        self.integer()  # whether it is locked
        _, pairs, table, _ = (self.item(depth + 1) for _ in range(4))
        for found in (pairs, *(table.value if table else ())):
            item.value |= found.value if found else {}
        return item

    def count(self) -> int:
        """How many items follow; each takes four bytes at least."""
        number = self.integer()
        if not 0 <= number <= (len(self.content) - self.at) // 4:
            raise Odd("it ends too early")
        return number

    def numbered(self, count: int) -> np.ndarray | None:
        """The numbers of so many of `words`, NaN where a word is missing; None if others follow."""
        if not self.words or not count:
            return None
        one_of = b"|".join(map(re.escape, self.words))
        column = re.compile(b"(?:%s){%d}+" % (one_of, count)).match(self.content, self.at)
        if column is None:
            return None
        self.at, bytes_ = column.end(), column[0]
        for number, word in enumerate(self.words):
            bytes_ = bytes_.replace(word, bytes([FIRST + number]))  # no word holds such a byte
        numbers = np.frombuffer(bytes_, np.uint8).astype(np.float32) - (FIRST + 1)  # (count,)
        return np.where(numbers < 0, np.float32(np.nan), numbers)

    def pairs(self, flags: int, depth: int) -> Item:
        """Attributes: names and values until there is no more."""
        found = {}
        while flags & 0xFF == PAIRS:
            if not flags & 0x400 or flags & 0x200:
                raise Odd("a value without a name")
            name = self.item(depth + 1)
            found[name.value] = self.item(depth + 1)
            flags = self.integer()
        if flags & 0xFF != NULL:
            raise Odd("a list without end")
        return Item(PAIRS, found)
