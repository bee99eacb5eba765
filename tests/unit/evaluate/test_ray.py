"""The same tasks on a Ray cluster, where there is one; a killed worker changes nothing."""

import os
import signal

import joblib
import numpy as np
import pytest

from cdp_lib.errors import InputError
from cdp_lib.evaluate import running

ray = pytest.importorskip("ray", reason="no Ray here: pip install ray to test it")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    register_ray()
    yield
    ray.shutdown()


def on_ray(work, *arguments, **options):
    with joblib.parallel_config("ray"):
        return running.carry_out(work, *arguments, **options)


def test_ray_gives_the_results_of_one_process_also_when_a_worker_dies(tmp_path):
    here = os.getpid()

    def work(table, number):
        if number == 2 and os.getpid() != here and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return {"sums": table.sum(axis=0) * number, "far": os.getpid() != here}

    table, tasks = np.random.default_rng(0).normal(size=(300, 50)), [(n,) for n in range(6)]
    there = on_ray(work, (table,), tasks)
    assert (tmp_path / "killed").exists() and all(result["far"] for result in there)
    for one, other in zip(there, running.carry_out(work, (table,), tasks), strict=True):
        np.testing.assert_array_equal(one["sums"], other["sums"])


def test_a_failure_on_ray_is_told():
    def work(number):
        if number == 1:
            raise KeyError("weights")
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    zero, one, two = on_ray(work, (), [(0,), (1,), (2,)], errors="keep", retries=1)
    assert zero == 0
    assert (one.kind, one.message) == ("KeyError", "'weights'")
    with pytest.raises(InputError, match="task 2"):
        running.reraise(two)
