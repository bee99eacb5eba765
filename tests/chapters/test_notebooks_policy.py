"""Every chapter keeps to the skeleton of the book; each rule is shown to bite on a specimen."""

import ast
import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import yaml

from cdp_book import notebook
from cdp_book.setup_cell import setup_cell
from cdp_lib.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SPECIMEN = ROOT / "tests" / "data" / "notebooks" / "92_specimen.ipynb"
SPECIMEN_ADDRESS = "https://github.com/someone/book"

HEADINGS = [
    "The question",
    "The data",
    "The model",
    "The reproduction",
    "The audit",
    "Exercises",
    "Summary",
    "Further reading",
    "References",
]
FOUNDATIONS = ("00", "01", "02")  # chapters without a paper: no model, reproduction or audit
FOUNDATION_HEADINGS = [*HEADINGS[:2], *HEADINGS[5:]]
FRAME = ("objectives", "prerequisites", "run time", "memory", "gpu", "download")
EXERCISE = re.compile(r"^### Exercise (\d\d-\d+) \((easy|medium|hard)\)", re.MULTILINE)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
REMOTE_IMAGE = re.compile(r"!\[[^\]]*\]\(https?:|<img[^>]+src=[\"']https?:")
MUTE_IMAGE = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt=[\"'][^\"'])[^>]*>")


def problems(path: Path, repository: str, branch: str = "main") -> Iterator[str]:
    """What a chapter's file does against the rules."""
    chapter = notebook.read(path)
    try:
        nbformat.validate(chapter)
    except nbformat.ValidationError as error:
        yield f"it is not a valid notebook: {error.message}"
    if chapter["metadata"].get("kernelspec", {}).get("name") != "python3":
        yield "its kernel is not python3"
    code = [cell for cell in chapter["cells"] if cell["cell_type"] == "code"]
    if any(cell["outputs"] or cell["execution_count"] for cell in code):
        yield "its outputs are not stripped"
    yield from parameter_problems(path, chapter)
    if not code or "setup" not in notebook.tags(code[0]):
        yield "its first code cell is not tagged setup"
    elif notebook.source(code[0]) != setup_cell(repository, branch):
        yield "its set-up cell is not the one that cdp_book.setup_cell writes"
    yield from opening_problems(path, chapter, repository, branch)
    yield from heading_problems(path, chapter)
    yield from exercise_problems(path, chapter)
    yield from student_problems(chapter)


def parameter_problems(path: Path, chapter: dict) -> Iterator[str]:
    count = sum("parameters" in notebook.tags(cell) for cell in chapter["cells"])
    if count != 1:
        yield f"{count} cells are tagged parameters"
        return
    try:
        values = notebook.parameters(path)
    except InputError as error:
        yield str(error)
        return
    common = {"profile": "quick", "data": "pocket", "seed": 0}
    if {name: values.get(name) for name in common} != common:
        yield f"its parameters do not start from {common}"


def opening_problems(path: Path, chapter: dict, repository: str, branch: str) -> Iterator[str]:
    """The badge row and the frame, above the first `##`."""
    prose = markdown(chapter)
    opening = prose.partition("\n## ")[0]
    if not opening.startswith("# "):
        yield "it does not open with its title"
    place = repository.removeprefix("https://github.com/")
    file = f"{place}/blob/{branch}/notebooks/{path.name}"
    colab = f"(https://colab.research.google.com/github/{file})"
    if colab not in opening:
        yield f"its opening has no Colab link to {colab}"
    for word in FRAME:
        if word not in opening.lower():
            yield f"its frame does not state: {word}"
    if REMOTE_IMAGE.search(prose):
        yield "it shows a picture from the network: the site must work without"
    if "{bibliography}" in prose:
        yield "it has a bibliography of its own: link to the page References, which holds them all"
    if MUTE_IMAGE.search(prose):
        yield "it shows a picture without alternative text"


def heading_problems(path: Path, chapter: dict) -> Iterator[str]:
    found = HEADING.findall(markdown(chapter))
    needed = FOUNDATION_HEADINGS if path.name.startswith(FOUNDATIONS) else HEADINGS
    places = []
    for heading in needed:
        place = next((n for n, text in enumerate(found) if text.startswith(heading)), None)
        if place is None:
            yield f"it has no section '## {heading}'"
        else:
            places.append(place)
    if places != sorted(places):
        yield f"its sections are not in the order {', '.join(needed)}"


def exercise_problems(path: Path, chapter: dict) -> Iterator[str]:
    """Each exercise: stub, check, solution, in this order, under a heading with its id."""
    exercises: dict[str, list[dict]] = {}
    current: list[dict] = []
    for cell in chapter["cells"]:
        if cell["cell_type"] == "markdown":
            for name, _ in EXERCISE.findall(notebook.source(cell)):
                if name in exercises:
                    yield f"two exercises are called {name}"
                current = exercises[name] = []
        current.append(cell)
    if len(exercises) < 3:
        yield f"it has {len(exercises)} exercises, not at least three"
    roles = ("exercise", "check", "solution")
    for name, cells in exercises.items():
        if not name.startswith(f"{path.name[:2]}-"):
            yield f"exercise {name} is not numbered after its chapter"
        tagged = [(role, cell) for cell in cells for role in roles if role in notebook.tags(cell)]
        if len(tagged) == 1 and tagged[0][1]["cell_type"] == "markdown":
            if "<details" not in notebook.source(tagged[0][1]):
                yield f"exercise {name} asks without code, and folds no answer (<details>)"
            continue
        if tuple(role for role, _ in tagged) != roles:
            yield f"exercise {name} has not one stub, one check and one solution, in this order"
            continue
        stub, check, solution = (cell for _, cell in tagged)
        if "..." not in notebook.source(stub):
            yield f"the stub of exercise {name} leaves nothing open (...)"
        if any(not checks(notebook.source(cell), name) for cell in (check, solution)):
            yield f"the check or solution of exercise {name} does not check {name}"
        if "must_pass=True" not in notebook.source(solution):
            yield f"the solution of exercise {name} is not held to its check (must_pass=True)"
        if "must_pass" in notebook.source(check):
            yield f"the check of exercise {name} would stop a student (must_pass)"
        if "hide-cell" not in notebook.tags(solution):
            yield f"the solution of exercise {name} is not tagged hide-cell"


def checks(code: str, name: str) -> bool:
    """Is exercise "05-2" checked here, by `c.check("05-2", ...)` or `exercises.check_2(...)`?"""
    return f'"{name}"' in code or f"exercises.check_{name.partition('-')[2]}(" in code


def student_problems(chapter: dict) -> Iterator[str]:
    """A cell that needs what only a solution defines would stop the student edition."""
    by_solution: dict[str, bool] = {}
    for cell in chapter["cells"]:
        if cell["cell_type"] != "code":
            continue
        try:
            stored, loaded = names(notebook.source(cell))
        except SyntaxError as error:
            yield f"a code cell is not plain Python: {error.msg}"
            continue
        solution = "solution" in notebook.tags(cell)
        if not solution:
            for name in sorted(loaded - stored):
                if by_solution.get(name):
                    yield f"{name} is used outside of the solution that defines it"
        by_solution |= dict.fromkeys(stored, solution)


def names(code: str) -> tuple[set[str], set[str]]:
    """The names that a piece of code sets, and those that it reads."""
    stored, loaded = set(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (loaded if isinstance(node.ctx, ast.Load) else stored).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            stored.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            stored |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return stored, loaded


def markdown(chapter: dict) -> str:
    cells = chapter["cells"]
    return "\n".join(notebook.source(cell) for cell in cells if cell["cell_type"] == "markdown")


def test_every_chapter_keeps_to_the_rules():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    found = {path.name: list(problems(path, config["url"], config["branch"])) for path in CHAPTERS}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_specimen_keeps_to_the_rules():
    assert list(problems(SPECIMEN, SPECIMEN_ADDRESS)) == []


def edit(chapter: dict, old: str, new: str) -> None:
    """Replace a text wherever it stands."""
    for cell in chapter["cells"]:
        cell["source"] = notebook.source(cell).replace(old, new)


def tag(chapter: dict, old: str, new: str) -> None:
    for cell in chapter["cells"]:
        if old in notebook.tags(cell):
            renamed = [new if name == old else name for name in notebook.tags(cell)]
            cell["metadata"]["tags"] = renamed


def cells_tagged(chapter: dict, name: str) -> list[dict]:
    return [cell for cell in chapter["cells"] if name in notebook.tags(cell)]


def run_once(chapter: dict) -> None:
    cells_tagged(chapter, "check")[0]["execution_count"] = 1


def double_parameters(chapter: dict) -> None:
    chapter["cells"].append({**cells_tagged(chapter, "parameters")[0], "id": "again"})


def solution_first(chapter: dict) -> None:
    cells = chapter["cells"]
    cells.insert(
        cells.index(cells_tagged(chapter, "exercise")[0]),
        cells.pop(cells.index(cells_tagged(chapter, "solution")[0])),
    )


def without_an_answer(chapter: dict) -> None:
    question = {"cell_type": "markdown", "id": "question", "metadata": {"tags": ["exercise"]}}
    chapter["cells"].append(question | {"source": "### Exercise 92-9 (easy): read a figure"})


BROKEN: list[tuple[Callable[[dict], object], str]] = [
    (lambda c: edit(c, "## The data", "```{bibliography}\n```\n\n## The data"), "bibliography of"),
    (run_once, "outputs are not stripped"),
    (lambda c: c["cells"][1].update(id="two words"), "not a valid notebook"),
    (lambda c: c["metadata"].pop("kernelspec"), "kernel is not python3"),
    (double_parameters, "2 cells are tagged parameters"),
    (lambda c: tag(c, "parameters", "other"), "0 cells are tagged parameters"),
    (lambda c: edit(c, 'profile = "quick"', 'profile = "full"'), "parameters do not start from"),
    (lambda c: edit(c, "seed = 0", "seed = int(0)"), "must hold only lines like"),
    (lambda c: tag(c, "setup", "other"), "not tagged setup"),
    (lambda c: edit(c, "@main", "@v1"), "set-up cell is not the one"),
    (lambda c: edit(c, "# A specimen", "A specimen"), "does not open with its title"),
    (lambda c: edit(c, "92_specimen.ipynb", "93.ipynb"), "no Colab link"),
    (lambda c: edit(c, "Prerequisites", "Before"), "does not state: prerequisites"),
    (lambda c: edit(c, "Do all", "![x](https://x.org/x.png)"), "picture from the network"),
    (lambda c: edit(c, "Do all", "![](x.png)"), "without alternative text"),
    (lambda c: edit(c, "Do all", '<img src="x.png">'), "without alternative text"),
    (lambda c: edit(c, "## The audit", "## Audit"), "no section '## The audit'"),
    (lambda c: c["cells"].insert(2, c["cells"].pop()), "not in the order"),
    (lambda c: edit(c, "### Exercise 92-2", "### Exercise 92-1"), "two exercises are called 92-1"),
    (lambda c: edit(c, "### Exercise 92-3", "### Task"), "2 exercises, not at least three"),
    (lambda c: edit(c, "92-3", "91-3"), "not numbered after its chapter"),
    (solution_first, "in this order"),
    (lambda c: tag(c, "check", "other"), "not one stub, one check and one solution"),
    (lambda c: edit(c, "answer = ...", "answer = 1"), "leaves nothing open"),
    (lambda c: edit(c, 'c.check("92-2"', 'c.check("92-1"'), "does not check 92-2"),
    (lambda c: edit(c, 'c.check("92-2", ', "exercises.check_1(c, "), "does not check 92-2"),
    (without_an_answer, "folds no answer"),
    (lambda c: edit(c, "must_pass=True", ""), "not held to its check"),
    (lambda c: edit(c, '."))', '."), must_pass=False)'), "would stop a student"),
    (lambda c: tag(c, "hide-cell", "other"), "not tagged hide-cell"),
    (lambda c: edit(c, "count = ...", "count = ... if answer else 0"), "answer is used outside"),
    (lambda c: edit(c, "count = ...", "%time"), "not plain Python"),
]


@pytest.mark.parametrize(("break_it", "sentence"), BROKEN, ids=[words for _, words in BROKEN])
def test_each_rule_bites(tmp_path, break_it, sentence):
    chapter = copy.deepcopy(notebook.read(SPECIMEN))
    break_it(chapter)
    path = tmp_path / SPECIMEN.name
    notebook.write(path, chapter)
    assert any(sentence in problem for problem in problems(path, SPECIMEN_ADDRESS))


def test_checks_of_the_library_and_questions_without_code_keep_to_the_rules(tmp_path):
    chapter = notebook.read(SPECIMEN)
    edit(chapter, 'c.check("92-2", ', "exercises.check_2(c, ")
    without_an_answer(chapter)
    chapter["cells"][-1]["source"] += "\n\n<details><summary>Answer</summary>Yes.</details>"
    path = tmp_path / SPECIMEN.name
    notebook.write(path, chapter)
    assert list(problems(path, SPECIMEN_ADDRESS)) == []


def test_a_foundation_chapter_needs_no_paper(tmp_path):
    chapter = notebook.read(SPECIMEN)
    left_out = ("## The model", "## The reproduction", "## The audit")
    chapter["cells"] = [
        cell for cell in chapter["cells"] if not notebook.source(cell).startswith(left_out)
    ]
    path = tmp_path / "02_specimen.ipynb"
    edit(chapter, "92", "02")
    notebook.write(path, chapter)
    assert list(problems(path, SPECIMEN_ADDRESS)) == []


def test_the_address_stands_in_the_configuration_and_in_set_up_cells_only():
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    holders = [*(ROOT / "cdp_lib").rglob("*.py"), *(ROOT / "book").glob("*.md")]
    assert [path.name for path in holders if address in path.read_text()] == []
