"""Docstrings are plain text, written to be read in an editor; here they become reStructuredText.

A flush paragraph is prose, `code` is code, *word* is stressed, a line that starts with "- " is an
item. Whatever is indented (an equation, a table, lines of Python) and whatever starts with ">>>" is
shown as it stands. So a bar or an asterisk in a formula is never taken for markup, and no author
needs to know about markup.
"""

import ast
import re
from itertools import groupby

MARKED = re.compile(r"``(.+?)``|`([^`]+)`|(?<![\w*])\*([A-Za-z][\w\s-]*?)\*(?![\w*])")


def process(app, what, name, obj, options, lines: list[str]) -> None:
    lines[:] = rst("\n".join(lines)).split("\n")


def rst(text: str) -> str:
    """Plain text as reStructuredText."""
    lines = [line.rstrip() for line in text.split("\n")]
    blocks = [list(block) for filled, block in groupby(lines, key=bool) if filled]
    return "\n\n".join(part for block in blocks for part in parts(block)) + "\n"


def parts(block: list[str]) -> list[str]:
    """A block without empty lines, cut where prose, items and indented lines meet."""
    kinds = [kind(line) for line in block]
    for i in range(1, len(block)):
        if kinds[i] == "shown" and kinds[i - 1] in ("item", "doctest"):
            kinds[i] = kinds[i - 1]  # a continued item, the output of an example
    if kinds[0] == "doctest":
        kinds = ["doctest"] * len(block)
    runs = groupby(zip(kinds, block), key=lambda pair: pair[0])
    return [WRITE[name]([line for _, line in run]) for name, run in runs]


def kind(line: str) -> str:
    if line.startswith(">>>"):
        return "doctest"
    if line.startswith("- "):
        return "item"
    return "shown" if line.startswith(" ") else "prose"


def shown(lines: list[str]) -> str:
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    text = "\n".join(line[margin:] for line in lines)
    language = "python" if is_python(text) else "text"
    return f".. code-block:: {language}\n\n" + "\n".join(f"    {line[margin:]}" for line in lines)


def is_python(text: str) -> bool:
    """Statements or calls; an equation or a table of words is neither."""
    try:
        lines = ast.parse(text).body
    except SyntaxError:
        return False
    calls = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.For, ast.With)
    return any(
        isinstance(line, calls) or isinstance(getattr(line, "value", None), ast.Call)
        for line in lines
    )


def prose(lines: list[str]) -> str:
    """Escape what would be markup; turn `code` into a literal, and *word* into emphasis."""
    text, out, end = "\n".join(lines), [], 0
    for mark in MARKED.finditer(text):
        literal = mark[1] or mark[2]
        out += [escape(text[end : mark.start()]), f"``{literal}``" if literal else f"*{mark[3]}*"]
        end = mark.end()
    return "".join([*out, escape(text[end:])])


def escape(text: str) -> str:
    return re.sub(r"([\\*|_`])", r"\\\1", text)


WRITE = {"doctest": "\n".join, "item": prose, "prose": prose, "shown": shown}
