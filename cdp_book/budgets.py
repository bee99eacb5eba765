"""How much of a chapter a reader meets: lines of code, figures, words, quizzes, exercises.

    python -m cdp_book.budgets          a table of all chapters, and what is above the budget

A budget holds a page to what can be read in one sitting. It is met by moving machinery into the
library and details into a fold "Deeper", never by packing lines.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from cdp_book import notebook

ROOT = Path(__file__).resolve().parents[1]
# Code cells with one of these tags are folded on the site, or not on it at all.
FOLDED = {
    "setup", "parameters", "injected-parameters", "hide-input", "hide-cell", "remove-cell",
    "remove-input", "deeper", "check", "solution", "quiz",
}  # fmt: skip
OFF_THE_PATH = {"deeper", "remove-cell", "solution", "setup"}
MACHINERY = {"record", "figure", "conclude", "say", "check"}  # c.record(...), ...: never visible

MOST = {"visible lines": 200, "lines": 700, "figures": 12, "words": 4500}
LEAST = {"quizzes": 2, "exercises without code": 2}
LONGEST_CELL = 20  # lines
WIDEST_LINE = 80  # columns

Cell = dict[str, Any]


@dataclass
class Page:
    """What one chapter holds, and every sentence that says what is wrong with it."""

    name: str
    counts: dict[str, int]
    faults: list[str] = field(default_factory=list)


def measure(path: Path) -> Page:
    """Count one chapter, and compare it with the budgets."""
    cells = notebook.read(path)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    seen = [cell for cell in code if not FOLDED & set(notebook.tags(cell))]
    path_cells = [cell for cell in cells if not OFF_THE_PATH & set(notebook.tags(cell))]
    quizzes = [cell for cell in cells if is_quiz(cell)]
    counts = {
        "visible lines": sum(map(length, seen)),
        "longest cell": max(map(length, seen), default=0),
        "widest line": max((len(line) for cell in seen for line in lines(cell)), default=0),
        "lines": sum(map(length, code)),
        "figures": sum(map(figures, path_cells)),
        "words": sum(map(words, path_cells)),
        "quizzes": len(quizzes),
        "exercises without code": sum(map(without_code, cells)),
    }
    faults = [f"{counts[what]} {what}, above {most}" for what, most in MOST.items()
              if counts[what] > most]  # fmt: skip
    faults += [f"{counts[what]} {what}, fewer than {least}" for what, least in LEAST.items()
               if counts[what] < least]  # fmt: skip
    for cell in seen:
        faults += faults_of_code(cell)
    for cell in quizzes:
        faults += [f"quiz {cell.get('id')}: {fault}" for fault in faults_of_quiz(source(cell))]
    return Page(path.stem, counts, faults)


def source(cell: Cell) -> str:
    return notebook.source(cell)


def lines(cell: Cell) -> list[str]:
    return source(cell).split("\n") if source(cell) else []


def length(cell: Cell) -> int:
    """Blank lines and comments count, too: they take as much room as any other."""
    return len(lines(cell))


def faults_of_code(cell: Cell) -> Iterator[str]:
    """What a visible cell of code holds that a reader should not have to read."""
    name = f"cell {cell.get('id')}"
    if length(cell) > LONGEST_CELL:
        yield f"{name}: {length(cell)} visible lines, above {LONGEST_CELL}"
    for line in lines(cell):
        if len(line) > WIDEST_LINE:
            yield f"{name}: {len(line)} columns, above {WIDEST_LINE}: {line.strip()[:40]}"
    tree = ast.parse(source(cell))
    if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        yield f"{name}: a visible assert"
    for called in sorted(MACHINERY & set(methods_of_c(tree))):
        yield f"{name}: a visible c.{called}"


def methods_of_c(tree: ast.AST) -> list[str]:
    """`figure`, once for each call `c.figure(...)`."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [
        call.attr
        for call in calls
        if isinstance(call, ast.Attribute)
        and isinstance(call.value, ast.Name)
        and call.value.id == "c"
    ]


def figures(cell: Cell) -> int:
    """Figures that a cell puts on the page: drawn by a call, or linked from the prose."""
    if cell["cell_type"] == "code":
        return methods_of_c(ast.parse(source(cell))).count("figure")
    return len(re.findall(r"!\[|<img\b|<svg\b|^[`:]{3,}\{(?:figure|image)\}", source(cell), re.M))


def words(cell: Cell) -> int:
    """Words of prose: of Markdown, and of what `c.say` writes from this run's numbers."""
    if cell["cell_type"] == "code":
        return sum(len(text.split()) for text in said(ast.parse(source(cell))))
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1", " ", source(cell), flags=re.S | re.M)  # code
    text = re.sub(r"<!--.*?-->|<[^>]+>|\$\$.*?\$\$", " ", text, flags=re.S)
    text = re.sub(r"\]\([^)]*\)|\{[\w:]+\}`[^`]*`", " ", text)  # addresses, citations
    return len(re.findall(r"[^\W\d_][\w'’-]*", text))


def said(tree: ast.AST) -> Iterator[str]:
    """The literal text in calls of `c.say(...)`; the format of a number is no text."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if getattr(call.func, "attr", None) != "say":
            continue
        inside = list(ast.walk(call))
        formats = [part.format_spec for part in inside if isinstance(part, ast.FormattedValue)]
        specs = {id(part) for spec in formats if spec for part in ast.walk(spec)}
        for part in inside:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                if id(part) not in specs:
                    yield part.value


def is_quiz(cell: Cell) -> bool:
    return "quiz" in notebook.tags(cell) and "exercise" not in notebook.tags(cell)


def without_code(cell: Cell) -> bool:
    """An exercise that asks to read, judge or choose.

    Either a Markdown cell tagged `exercise` whose answers are folded (<details>), or a stub of
    code tagged `exercise` which only names an answer: `answer = "..."`.
    """
    if "exercise" not in notebook.tags(cell):
        return False
    if cell["cell_type"] == "markdown":
        return "<details" in source(cell)
    body = ast.parse(source(cell)).body
    return bool(body) and all(
        isinstance(line, ast.Assign)
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
        for line in body
    )


class Answers(HTMLParser):
    """The choices of a quiz, each with what it answers, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unbalanced = False
        self.attributes: dict[str, str | None] = {}
        self.answers: list[str] = []
        self.choices: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes = self.attributes or dict(attrs)
        self.open.append(tag)
        if tag == "details":
            self.answers.append("")
        if tag == "summary":
            self.choices.append("")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced = True

    def handle_data(self, data: str) -> None:
        if "summary" in self.open and self.choices:
            self.choices[-1] += data
        elif "details" in self.open:
            self.answers[-1] += data


def faults_of_quiz(text: str) -> Iterator[str]:
    """A quiz is one block of HTML: it must look alike on Colab, in JupyterLab and on the site."""
    quiz = Answers(text)
    first = [answer.split()[0].rstrip(".,:;") for answer in quiz.answers if answer.split()]
    if not text.startswith('<div class="quiz"'):
        yield 'does not begin with <div class="quiz"'
    if quiz.attributes.get("role") != "group" or not quiz.attributes.get("aria-label"):
        yield "lacks role or aria-label"
    if re.search(r"\n\s*\n", text):
        yield "a blank line ends the HTML early"
    if quiz.unbalanced or quiz.open:
        yield "a tag is not closed in order"
    if re.search(r"&(?!#?\w+;)|<(?![a-z/!])", text):
        yield "a bare < or &: write &lt; or &amp;"
    if len(quiz.choices) < 2 or not all(choice.strip() for choice in quiz.choices):
        yield "fewer than two choices"
    if first.count("Yes") != 1 or first.count("No") != len(quiz.answers) - 1:
        yield 'one answer must begin with "Yes", each other with "No"'


def table(pages: list[Page]) -> str:
    """The counts of all chapters, for a terminal."""
    heads = ["chapter", *pages[0].counts]
    rows = [[page.name, *map(str, page.counts.values())] for page in pages]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip()
        for row in [heads, *rows]
    )


def main() -> None:
    pages = [measure(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    print(table(pages))
    for page in pages:
        for fault in page.faults:
            print(f"{page.name}: {fault}")


if __name__ == "__main__":
    main()
