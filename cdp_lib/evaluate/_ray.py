"""Tasks on a Ray cluster, which does a task again whose worker died.

ray.util.joblib.register_ray()
with joblib.parallel_config("ray"):
    evaluate.cross_predict(models, cohort, split)
"""

import traceback
from collections.abc import Callable, Iterator
from time import monotonic

import cloudpickle
import ray
from ray.exceptions import RayError, RayTaskError

from cdp_lib.errors import InputError
from cdp_lib.evaluate.running import Failure, attempt_far

LOOK = 1.0  # seconds between two looks at a cluster from which nothing comes


def on_ray(
    work: Callable,
    shared: tuple,
    tasks: dict[int, tuple],
    names: list[str],
    retries: int,
    patience: float,
) -> Iterator[tuple]:
    """Pairs of a task's number and its result or Failure, in the order in which they finish."""
    packed = cloudpickle.dumps(shared)
    tables = ray.put(packed)
    far = ray.remote(max_retries=retries)(_task)
    left = {
        far.remote(cloudpickle.dumps((work, task)), tables): number
        for number, task in tasks.items()
    }
    last = monotonic()
    while left:
        for reference in ray.wait(list(left), timeout=LOOK)[0]:
            number, last = left.pop(reference), monotonic()
            yield number, _outcome(reference, names[number], retries, len(packed))
        if _busy():
            last = monotonic()
        elif monotonic() - last > patience:
            raise InputError(
                f"Waited {patience:g} seconds for the Ray cluster, which runs nothing, with "
                f"{len(left)} of {len(tasks)} tasks unfinished: start workers there."
            )


def _task(packed: bytes, tables: bytes):
    work, task = cloudpickle.loads(packed)
    return attempt_far(work, cloudpickle.loads(tables), task)


def _outcome(reference, name: str, retries: int, size: int):
    try:
        return ray.get(reference)
    except RayTaskError as error:  # it could not be unpacked there, or its result not sent
        text = "".join(traceback.format_exception(error))
        return Failure("", type(error).__name__, str(error), text, error)
    except RayError as error:
        sentence = InputError(
            f"{retries + 1} Ray workers died one after the other at {name}, most likely because "
            f"their memory was too small for it and for tables of {size / 2**20:.3g} MiB: give "
            "each more memory, or take fewer at a time."
        )
        return Failure("", type(error).__name__, str(sentence), str(error), sentence)


def _busy() -> bool:
    """Whether some of the cluster's processors are taken."""
    return ray.available_resources().get("CPU", 0) < ray.cluster_resources().get("CPU", 0)
