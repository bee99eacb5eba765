"""The ways to install the project agree with each other."""

import re
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def requirements(repository: Path) -> list[str]:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    optional = [line for lines in project["optional-dependencies"].values() for line in lines]
    return project["dependencies"] + optional


def name(requirement: str) -> str:
    return re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-")


def test_conda_environment_has_the_bounds_of_pyproject(repository, requirements):
    text = (repository / "environment.yml").read_text()
    listed = re.findall(r'^ +- "([^"]+)"$', text, flags=re.M)
    assert sorted(listed) == sorted([*requirements, "-e ."])


def test_pyproject_states_lower_bounds_only(requirements):
    for requirement in requirements:
        if name(requirement) != "jupyter-book":  # version 2 is another program
            assert re.fullmatch(r"[\w.\[\]-]+>=[\d.]+", requirement), requirement


def test_constraints_are_exact_and_cover_every_requirement(repository, requirements):
    lines = (repository / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    pinned = {name(pin) for pin in pins}
    assert {name(requirement) for requirement in requirements} <= pinned
    assert "torch==2.13.0" in pins and "jupyter-book==1.0.4.post1" in pins
