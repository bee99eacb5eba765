"""A chapter as Colab runs it: one file, an empty folder, a Python that lacks the library.

The Python is a fresh virtual environment that sees the packages of this one (as Colab comes with
torch and pandas) but not `cdp_lib`; `google.colab` is a stub. The file is the student edition, so
the run also shows that open exercises stop nobody who presses "run all".
"""

import json
import os
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from cdp_book import notebook
from cdp_book.editions import edition
from cdp_lib.claims.recorded import runs

ROOT = Path(__file__).resolve().parents[2]
SPECIMEN = ROOT / "tests" / "data" / "notebooks" / "92_specimen.ipynb"
NO_NETWORK = {
    "cell_type": "code",
    "id": "no-network",
    "metadata": {},
    "execution_count": None,
    "outputs": [],
    "source": "import os\n\nos.environ.update(HTTP_PROXY='http://127.0.0.1:9', "
    "HTTPS_PROXY='http://127.0.0.1:9')",
}
CHAPTERS = [SPECIMEN, ROOT / "notebooks" / "00_quickstart.ipynb"]  # all set-up cells are equal


@pytest.fixture(scope="module")
def colab(tmp_path_factory) -> Path:
    """The folder of a Python that has everything but the library, and of its kernel."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder / "python", with_pip=True)
    packages = next((folder / "python" / "lib").glob("python*/site-packages"))
    (packages / "preinstalled.pth").write_text("\n".join(site.getsitepackages()))
    (packages / "google" / "colab").mkdir(parents=True)
    (packages / "google" / "colab" / "__init__.py").write_text("")
    kernel = folder / "kernels" / "python3"
    kernel.mkdir(parents=True)
    python = str(folder / "python" / "bin" / "python")
    command = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    source = folder / "source"  # what `pip install git+...` would fetch
    for package in ("cdp_lib", "cdp_book"):
        shutil.copytree(ROOT / package, source / package)
    for part in ("claims", "results"):
        shutil.copytree(ROOT / "book" / part, source / "book" / part)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    return folder


def python_of(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """Run that Python where no checkout is near."""
    command = [folder / "python" / "bin" / "python", *words]
    outside = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=outside)


def test_that_python_lacks_the_library_at_first(colab):
    assert python_of(colab, "-c", "import torch, google.colab").returncode == 0
    assert "No module named 'cdp_lib'" in python_of(colab, "-c", "import cdp_lib").stderr


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_alone_in_an_empty_folder(chapter, colab, tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_INSTALL", str(colab / "source"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("PATH", f"{colab / 'python' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    handed_out = edition("student", notebook.read(chapter))
    setup = next(n for n, cell in enumerate(handed_out["cells"]) if "setup" in notebook.tags(cell))
    handed_out["cells"].insert(setup + 1, NO_NETWORK)
    kernels = KernelSpecManager(kernel_dirs=[str(colab / "kernels")], ensure_native_kernel=False)
    page = nbformat.reads(json.dumps(handed_out), as_version=4)
    NotebookClient(
        page,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels),
        timeout=600,
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    text, opened = json.dumps(page), notebook.parameters(chapter)
    assert "simulated data" in text and "not attempted yet" in text
    assert ("SIMULATED DATA" in text) == (opened["data"] == "pocket"), "what it runs on is hidden"
    place = python_of(colab, "-c", "import cdp_lib; print(cdp_lib.__file__)").stdout
    assert place.startswith(str(colab)), "the chapter ran on a library from elsewhere"
    assert sys.prefix not in place
    assert list(tmp_path.iterdir()) == [], "a chapter leaves nothing in the reader's folder"
    count = "from cdp_lib.claims.recorded import runs; print(*(len(run.figures) for run in runs()))"
    carried = python_of(colab, "-c", count).stdout.split()
    assert carried == [str(len(run.figures)) for run in runs(ROOT / "book")]
