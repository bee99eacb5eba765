"""Tasks carried out here and on two processes: the same results, failures told, work kept."""

import os
import signal
import time

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge as PlainRidge

from cdp_lib.errors import InputError
from cdp_lib.evaluate.checkpoint import Checkpoint, fingerprint
from cdp_lib.evaluate.running import Failure, carry_out

TABLE = np.random.default_rng(0).normal(size=(50, 4))


def scaled(table, factor, folder=None):
    """A task that fails at 3 and leaves a file a call in `folder`."""
    if folder is not None:
        (folder / f"{factor} {time.time_ns()}").touch()
    if factor == 3:
        error = KeyError("weights")
        error.add_note("in model 'mine'")
        raise error
    return {
        "table": table * factor,
        "names": np.array(["a", "b"]),
        "mean": table.mean() * factor,
        "model": "mine",
        "seed": factor,
        "alpha": None,
        "nothing": np.nan,
    }


def calls(folder):
    return sorted(path.name.split()[0] for path in folder.iterdir())


def equal(one, other):
    assert list(one) == list(other)
    for name, value in one.items():
        assert type(value) is type(other[name])
        np.testing.assert_array_equal(value, other[name])


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_results_stand_in_the_order_of_the_tasks(n_jobs):
    tasks = [(5,), (1,), (4,), (2,)]
    results = carry_out(scaled, (TABLE,), tasks, n_jobs=n_jobs)
    for (factor,), result in zip(tasks, results, strict=True):
        equal(result, scaled(TABLE, factor))
    assert carry_out(scaled, (TABLE,), []) == []


def test_the_processes_are_taken_from_joblibs_configuration():
    with joblib.parallel_config(n_jobs=2):
        pids = carry_out(lambda number: os.getpid(), (), [(1,), (2,)])
    assert os.getpid() not in pids


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_keeps_its_class_its_notes_and_its_traceback(n_jobs):
    with pytest.raises(KeyError, match="weights") as caught:
        carry_out(scaled, (TABLE,), [(1,), (3,), (2,)], n_jobs=n_jobs)
    assert caught.value.__notes__ == ["in model 'mine'"]
    told = str(caught.getrepr(chain=True))
    assert "raise error" in told and "scaled" in told


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failure_is_kept_and_the_others_go_on(n_jobs):
    names = ["first", "second", "third"]
    first, second, third = carry_out(
        scaled, (TABLE,), [(1,), (3,), (2,)], n_jobs=n_jobs, errors="keep", names=names
    )
    assert isinstance(second, Failure)
    assert (second.task, second.kind, second.message) == ("second", "KeyError", "'weights'")
    assert "in scaled" in second.traceback
    equal(first, scaled(TABLE, 1))
    equal(third, scaled(TABLE, 2))


def test_an_error_that_cannot_travel_is_told_in_words():
    class Local(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one} and {two}")

    def fail(number):
        raise Local(number, number)

    with pytest.raises(RuntimeError, match="Local: 1 and 1"):
        carry_out(fail, (), [(1,), (1,)], n_jobs=2)


def test_a_killed_process_ends_in_a_sentence_and_loses_no_finished_task(tmp_path):
    def work(number):
        if number == 2 and not (tmp_path / "again").exists():
            while len(list((tmp_path / "kept").iterdir())) < 2:
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        return {"number": number}

    keys = ["0", "1", "2", "3"]
    options = {"n_jobs": 2, "checkpoint": tmp_path / "kept", "keys": keys}
    (tmp_path / "kept").mkdir()
    with pytest.raises(InputError, match="[12] of 4 .*memory"):
        carry_out(work, (), [(0,), (1,), (2,), (3,)], **options)
    assert {Checkpoint(tmp_path / "kept").load(key)["number"] for key in keys[:2]} == {0, 1}
    (tmp_path / "again").touch()
    results = carry_out(work, (), [(0,), (1,), (2,), (3,)], **options)
    assert [result["number"] for result in results] == [0, 1, 2, 3]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_second_call_does_what_the_first_left(tmp_path, n_jobs):
    seen = tmp_path / "seen"
    seen.mkdir()
    tasks, keys = [(1, seen), (3, seen), (2, seen)], ["one", "three", "two"]
    options = {"checkpoint": tmp_path / "kept", "keys": keys, "errors": "keep", "n_jobs": n_jobs}
    first = carry_out(scaled, (TABLE,), tasks, **options)
    assert calls(seen) == ["1", "2", "3"]
    second = carry_out(scaled, (TABLE,), tasks, **options)
    assert calls(seen) == ["1", "2", "3", "3"]  # a failure is tried again
    equal(first[0], second[0])
    equal(first[2], second[2])
    other = carry_out(scaled, (TABLE,), tasks, **options | {"keys": ["1 b", "3 b", "2 b"]})
    assert calls(seen) == ["1", "1", "2", "2", "3", "3", "3"]  # other keys, other results
    equal(other[0], first[0])


def test_an_error_loses_nothing_that_was_finished(tmp_path):
    options = {"checkpoint": tmp_path, "keys": ["one", "three"]}
    with pytest.raises(KeyError):
        carry_out(scaled, (TABLE,), [(1,), (3,)], **options)
    equal(Checkpoint(tmp_path).load("one"), scaled(TABLE, 1))


def test_a_damaged_file_counts_as_absent(tmp_path):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.save("key", scaled(TABLE, 1))
    path = checkpoint.path("key")
    content = path.read_bytes()
    for place in (0, 31, 32, 40, len(content) // 2, len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        assert checkpoint.load("key") is None
    for size in (0, 10, 32, len(content) - 1):
        path.write_bytes(content[:size])
        assert checkpoint.load("key") is None
    path.write_bytes(content)
    equal(checkpoint.load("key"), scaled(TABLE, 1))
    os.replace(path, checkpoint.path("another"))
    assert checkpoint.load("another") is None


def test_a_checkpoint_keeps_plain_results_only_and_leaves_nothing_half_written(tmp_path):
    checkpoint = Checkpoint(tmp_path)
    for result in ({"names": np.array(["a", None])}, {"model": PlainRidge()}):
        with pytest.raises((InputError, TypeError)):
            checkpoint.save("key", result)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_needs_a_key_a_task(tmp_path):
    for keys in (None, ["a"], ["a", "a"]):
        with pytest.raises(InputError, match="keys"):
            carry_out(scaled, (TABLE,), [(1,), (2,)], checkpoint=tmp_path, keys=keys)


def test_errors_has_two_words():
    with pytest.raises(InputError, match="'ignore'"):
        carry_out(scaled, (TABLE,), [(1,)], errors="ignore")


def test_a_fingerprint_tells_what_decides_a_result():
    frame = pd.DataFrame(TABLE, [f"line {i}" for i in range(50)], list("abcd"))
    changed = frame.copy()
    changed.iloc[3, 2] += 1e-12
    things = [
        frame,
        changed,
        frame.rename(index={"line 0": "line 00"}),
        frame.astype("float32"),
        frame[["b", "a", "c", "d"]],
        PlainRidge(),
        PlainRidge(alpha=2.0),
        {"model": PlainRidge()},
        (PlainRidge(), frame),
        lambda x: x + 1,
        lambda x: x + 2,
        None,
        "a",
    ]
    prints = [fingerprint(thing) for thing in things]
    assert len(set(prints)) == len(things)
    assert fingerprint(frame.copy()) == prints[0]
    assert fingerprint(PlainRidge(alpha=2.0)) == prints[6]


def test_a_fingerprint_sees_another_code_under_the_same_name():
    def made(rate):
        if rate == 1:

            class Mine(BaseEstimator):
                def fit(self, X, Y):
                    return 1

        else:

            class Mine(BaseEstimator):
                def fit(self, X, Y):
                    return 2

        return Mine()

    assert fingerprint(made(1)) != fingerprint(made(2))
    assert fingerprint(made(1)) == fingerprint(made(1))
