"""Install exactly the lower bounds of pyproject.toml, and run the tests of models, readers, splits.

    python tests/lower_bounds.py [--python python3.11] [--newest] [--keep FOLDER] [TEST ...]

makes a virtual environment in a temporary folder (or FOLDER), and ends with the exit status of
pytest. torch is the one of constraints.txt: its old builds for CPU are not at hand everywhere. What
no bound names is the newest that fits. `--newest` installs the newest of everything instead, for
another Python. The environment takes 2 GB.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/unit/models", "tests/unit/splits", "tests/unit/data/readers", "tests/unit/evaluate")
NEEDED = ("pytest", "hypothesis", "pytest-benchmark", "pytest-xdist", "openpyxl", "pyreadr")


def bounds() -> list[str]:
    """The requirements of the library and of these tests, each as "name>=version"."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tests = project["optional-dependencies"]["test"]
    return project["dependencies"] + [line for line in tests if line.split(">=")[0] in NEEDED]


def exact(requirement: str) -> str:
    """The oldest version that a bound allows; torch as in constraints.txt."""
    if requirement.startswith("torch"):
        constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
        return re.search(r"^torch==.*$", constraints, flags=re.M)[0]
    name, version = requirement.split(">=")
    return f"{name}=={version}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--newest", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("tests", nargs="*", default=TESTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch) / "venv"
        python = folder / "bin" / "python"
        if not python.exists():
            subprocess.run([given.python, "-m", "venv", folder], check=True)
            wanted = bounds() if given.newest else [exact(each) for each in bounds()]
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *wanted], check=True)
            subprocess.run([*pip, "--no-deps", ROOT], check=True)
        subprocess.run([python, "-m", "pip", "check"], check=False)
        subprocess.run([python, "-m", "pip", "list", "--format=freeze"], check=False)
        return subprocess.run([python, "-m", "pytest", "-q", *given.tests], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
