"""The official edition from files of its formats and shapes, through the same way as a reader's.

At a twentieth of the features always; at the full shapes, with the five chapters, where the slow
tests are asked for:

    python -m pytest -m slow tests/unit/data/studies/test_official.py
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdp_book import runner
from cdp_lib.data import load
from cdp_lib.data.files import catalogue
from cdp_lib.data.files.pins import Pins
from cdp_lib.data.studies import STUDIES
from cdp_lib.data.studies.draw import QUICK

ROOT = Path(__file__).resolve().parents[4]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SCALE = 0.05
GIB = 2**30
OPTIONS = {
    "gene-dependency": {
        "complete_lines": True,
        "shared_genes": True,
        "min_sd": 0.1,
        "max_zeros": 0.8,
    },
    "drug-response": {"release": "19Q3", "screen": "GDSC2 25Feb20"},
}
LOAD = """
import importlib.util, json, resource, sys, time
spec = importlib.util.spec_from_file_location("official", {official!r})
official = importlib.util.module_from_spec(spec)
sys.modules["official"] = official
spec.loader.exec_module(official)
official.takes()
from cdp_lib.data import load
started = time.process_time()
cohort = load({study!r}, "official", at_most={at_most!r}, **{options!r})
print(json.dumps([cohort.steps[0].shape, list(cohort.Y.shape), time.process_time() - started,
                  resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                  [[step.what, step.shape, step.note] for step in cohort.steps]]))
"""
STARTUP = LOAD.split("from cdp_lib")[0]


@pytest.fixture(scope="module")
def official():
    spec = importlib.util.spec_from_file_location("official", ROOT / "tests" / "official.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["official"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(official, tmp_path_factory):
    return official.write(tmp_path_factory.mktemp("official"), SCALE)


@pytest.fixture
def taken(official, folder, monkeypatch, tmp_path):
    """The library, which takes these files for the releases."""
    monkeypatch.setenv("CDP_MIRROR", str(folder))
    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    official.takes(monkeypatch.setattr)
    return folder


def scaled(n):
    return round(n * SCALE)


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_loads_from_files_of_the_official_formats(study, taken, tmp_path):
    cohort = load(study, "official", **OPTIONS.get(study, {}))
    assert cohort.edition == "official" and cohort.truth is None
    first = cohort.steps[0]
    expected = {
        "gene-dependency": (round(689 * 0.2), scaled(18_333)),
        "dependency-classes": (round(689 * 0.2), scaled(18_333)),
        "drug-response": (round(809 * 0.2), 60),
        "drug-rows": (None, None),
        "drug-pairs": (60, None),
        "prism": (round(578 * 0.2) - 8, scaled(4_686)),  # eight lines failed STR typing
        "synergy": (39, 583),
        "xenografts": (None, None),
    }[study]
    assert expected[0] in (None, first.shape[0]) and expected[1] in (None, *first.shape[1:])
    differs = any("differs from the paper" in step.note for step in cohort.steps)
    # no paper reports the shape of classes, and the simulated synergy has that of the paper
    assert differs or study in ("dependency-classes", "synergy")
    pins = json.loads((tmp_path / "catalogue.lock.json").read_text())
    assert len(pins) > 5 and Pins(tmp_path).expected(
        catalogue.dataset("hint").file("HomoSapiens_binary_hq.txt")
    )


def test_both_definitions_of_growth_come_from_one_file(taken):
    """Each line holds twenty pairs in both orders, whose second wells only one definition shows."""
    means, replicates = (
        load("drug-pairs", "official", response=response, omics="expression")
        for response in ("min of means", "min of replicates")
    )
    lower = (means.Y - replicates.Y).stack() > 1e-6
    assert 0 < lower.sum() <= 20 * len(means.Y)
    step = next(s for s in means.steps if s.what == "sets of a line and two drugs")
    assert step.paper_shape == (311_737,) and "differs from the paper" in step.note
    wells = next(s for s in means.steps if s.what == "drug pairs").note
    assert "min of means of " in wells


def test_the_shipped_catalogue_refuses_them(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("CDP_MIRROR", str(folder))
    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match="md5|sha256|connection"):
        load("gene-dependency", "official")


def test_smiles_that_begin_with_a_comma_have_a_structure(taken):
    cohort = load("prism", "official", omics="expression")
    assert cohort.perturbations["smiles"].iloc[-2:].str.startswith(",").sum() == 0
    assert cohort.perturbations["inchikey"].notna().all()


@pytest.fixture(scope="module")
def whole(official, tmp_path_factory):
    """The full shapes, 2.6 GB; CDP_OFFICIAL names a folder that holds them already."""
    known = os.environ.get("CDP_OFFICIAL")
    folder = Path(known) if known else official.write(tmp_path_factory.mktemp("whole"))
    cache = folder.parent / "official-cache"
    return {"CDP_MIRROR": str(folder), "CDP_CACHE": str(cache)}


@pytest.fixture(scope="module")
def pairs(official, tmp_path_factory):
    """The screen of pairs alone at its full size; CDP_OFFICIAL names a folder that holds it."""
    known = os.environ.get("CDP_OFFICIAL")
    folder = tmp_path_factory.mktemp("pairs")
    source = Path(known) if known else official.write_screen_of_pairs(folder / "official")
    return {"CDP_MIRROR": str(source), "CDP_CACHE": str(folder / "cache")}


@pytest.mark.slow
@pytest.mark.parametrize("response", ("min of means", "min of replicates"))
def test_growth_of_the_full_size_has_the_sets_and_rows_of_the_paper(official, pairs, response):
    """In both definitions: the counts are those of the file, whatever is made of its wells."""
    compounds = list(official.compounds()["NSC"][: official.DESCRIBED])
    options = {"response": response, "singles": True, "compounds": compounds}
    code = LOAD.format(
        official=str(ROOT / "tests/official.py"), study="drug-pairs", at_most={}, options=options
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | pairs,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    read, _, seconds, peak, steps = json.loads(done.stdout.splitlines()[-1])
    print(f"growth, {response}: {read} read, CPU {seconds:.1f} s, {peak / GIB:.2f} GiB")
    shapes = {what: shape for what, shape, _ in steps}
    assert shapes["sets of a line and two drugs"] == [311_737]
    assert shapes["sets of these compounds"] == [85_303] and shapes["compounds asked for"] == [54]
    notes = {what: note for what, _, note in steps}
    assert f"{response} of 3480000 wells" in notes["drug pairs"]
    assert "differs" not in notes["sets of a line and two drugs"] + notes["sets of these compounds"]
    assert read[0] == 60 and peak < 3 * GIB


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_a_study_of_the_full_size_needs_less_than_three_gib(study, whole):
    at_most, options = QUICK[study], OPTIONS.get(study, {})
    code = LOAD.format(
        official=str(ROOT / "tests/official.py"), study=study, at_most=at_most, options=options
    )
    for _ in range(2):  # as parsed the first time, and from the cache
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | whole,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        read, drawn, seconds, peak, _ = json.loads(done.stdout.splitlines()[-1])
        print(f"{study}: {read} read, {drawn} drawn, CPU {seconds:.0f} s, {peak / GIB:.2f} GiB")
        assert peak < 3 * GIB
        assert all(
            size <= at_most.get(n, size) for n, size in zip(("lines", "perturbations"), drawn)
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "chapter", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem
)
def test_a_chapter_runs_in_quick_on_files_of_the_full_size(chapter, whole, tmp_path, monkeypatch):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    official = str(ROOT / "tests/official.py")
    (startup / "00-official.py").write_text(STARTUP.format(official=official))
    for name, value in (whole | {"IPYTHONDIR": str(tmp_path / "ipython")}).items():
        monkeypatch.setenv(name, value)
    done = runner.run(chapter, tmp_path, {"profile": "quick", "data": "official"})
    assert done.status == "ok", done.failure
