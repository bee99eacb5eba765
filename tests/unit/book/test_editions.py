"""editions.py: what students and teachers get, made from one source."""

import shutil
from pathlib import Path

import pytest

from cdp_book import notebook
from cdp_book.editions import write_editions
from cdp_lib.errors import InputError

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "notebooks"


@pytest.fixture
def book(tmp_path) -> Path:
    """A repository with the specimen chapter, its cells run."""
    (tmp_path / "notebooks").mkdir()
    chapter = notebook.read(FIXTURES / "92_specimen.ipynb")
    for cell in chapter["cells"]:
        if cell["cell_type"] == "code":
            printed = {"output_type": "stream", "name": "stdout", "text": ["secret"]}
            cell.update(execution_count=3, outputs=[printed])
    notebook.write(tmp_path / "notebooks" / "92_specimen.ipynb", chapter)
    return tmp_path


def cells(path: Path, tag: str) -> list[dict]:
    return [cell for cell in notebook.read(path)["cells"] if tag in notebook.tags(cell)]


def test_students_get_stubs_and_checks_but_no_solution(book, tmp_path):
    (path,) = write_editions("student", book, tmp_path / "course")
    assert cells(path, "solution") == []
    assert len(cells(path, "exercise")) == len(cells(path, "check")) == 3
    assert "must_pass" not in path.read_text()


def test_teachers_get_the_solutions_open(book, tmp_path):
    (path,) = write_editions("teacher", book, tmp_path / "course")
    assert [notebook.tags(cell) for cell in cells(path, "solution")] == [["solution"]] * 3


def test_only_a_solution_is_opened(book, tmp_path):
    source = book / "notebooks" / "92_specimen.ipynb"
    chapter = notebook.read(source)
    chapter["cells"][1]["metadata"]["tags"] = ["setup", "hide-input"]
    notebook.write(source, chapter)
    (path,) = write_editions("teacher", book, tmp_path / "course")
    assert len(cells(path, "hide-input")) == 1


@pytest.mark.parametrize("which", ["student", "teacher"])
def test_no_output_is_handed_out_and_the_source_is_untouched(book, tmp_path, which):
    source = book / "notebooks" / "92_specimen.ipynb"
    before = source.read_bytes()
    (path,) = write_editions(which, book, tmp_path / "deep" / "course")
    assert "secret" not in path.read_text()
    assert all(cell.get("execution_count") is None for cell in notebook.read(path)["cells"])
    assert source.read_bytes() == before


@pytest.mark.parametrize("inside", ["notebooks", "notebooks/course", "link"])
def test_the_chapters_own_folder_is_refused(book, inside):
    (book / "link").symlink_to(book / "notebooks")
    with pytest.raises(InputError, match="--out"):
        write_editions("student", book, book / inside)
    assert [path.name for path in (book / "notebooks").iterdir()] == ["92_specimen.ipynb"]


def test_an_empty_book_is_one_sentence(book, tmp_path):
    shutil.rmtree(book / "notebooks")
    (book / "notebooks").mkdir()
    with pytest.raises(InputError, match="holds no notebook"):
        write_editions("student", book, tmp_path / "course")
