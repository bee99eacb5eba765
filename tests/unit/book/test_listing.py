"""The pages of the library: ten lines that run, what users import, and every module once."""

import importlib
import re
from pathlib import Path

import pytest

from cdp_book.sphinx import docstrings, listing
from cdp_lib import load

BOOK = Path(__file__).resolve().parents[3] / "book"


def test_the_first_lines_run_on_tables_of_a_users_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cohort = load("drug-response", omics=["expression"], lines=90, genes=200, perturbed=81, drugs=6)
    cohort.Y.to_csv("response.csv")
    cohort.X("expression").to_csv("expression.csv")
    cohort.lines[["tissue", "donor"]].to_csv("lines.csv")
    (code,) = re.findall(r"```python\n(.*?)```", (BOOK / "api.md").read_text(), flags=re.S)
    exec(code, {})
    out = capsys.readouterr().out
    assert "my model" in out and "tissue mean" in out


def test_every_public_module_stands_on_one_page():
    pages = [listing.modules(page) for page in listing.PAGES]
    listed = re.findall(r"^## (.+)$", "\n".join(pages), flags=re.M)
    assert sorted(listed) == listing.public_modules()
    for page in listing.PAGES:
        text = (BOOK / f"api_{page}.md").read_text()
        assert f"<!-- generated: api {page} -->" in text


def test_what_users_import_is_listed_with_a_sentence():
    text = listing.imports()
    for room in listing.IMPORTED:
        module = importlib.import_module(f"cdp_lib.{room}")
        for key, thing in listing.named(module):
            assert f"{{py:obj}}`{room}.{key} <{thing.__module__}.{key}>`\n: " in text
    for model in ("Ridge", "TissueMean", "PerPerturbation", "FeedForward"):
        assert f"`{model} <cdp_lib.models." in text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("from cdp_lib import load\n\ncohort = load()", "python"),
        ("P = evaluate.cross_predict(models, cohort, split)", "python"),
        ("r2 = 1 - sum (y - p)^2", "text"),
        ("y = a * x + b", "text"),
        ("from lines and drugs, any", "text"),
    ],
)
def test_only_python_is_coloured_as_python(text, language):
    assert docstrings.rst("    " + text.replace("\n", "\n    ")).startswith(
        f".. code-block:: {language}\n"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A *claim* is one.", "A *claim* is one."),
        ("Of *two words* it.", "Of *two words* it."),
        ("a * b * c", "a \\* b \\* c"),
        ("f(*args, **more)", "f(\\*args, \\*\\*more)"),
    ],
)
def test_a_stressed_word_is_stressed_and_a_product_is_none(text, shown):
    assert docstrings.rst(text) == shown + "\n"
