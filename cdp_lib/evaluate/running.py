"""Carry out many independent fits: here, on several processes, or on a cluster.

    results[i] = work(*shared, *tasks[i])

`carry_out` gives the same results, in the order of the tasks, wherever they were computed.  It
runs where `joblib.parallel_config` says; on a cluster of Dask or Ray it goes past joblib's
backend, because a worker may die there.  Finished results can be kept in a folder, from which a
second call goes on.
"""

import pickle
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path

import joblib
from joblib.parallel import get_active_backend

from cdp_lib.errors import InputError
from cdp_lib.evaluate.checkpoint import Checkpoint


@dataclass(frozen=True)
class Failure:
    """What stands in the place of the result of a task that raised an error."""

    task: str
    kind: str  # the name of the error's class
    message: str
    traceback: str
    error: Exception | None = field(default=None, repr=False, compare=False)


def carry_out(
    work: Callable,
    shared: tuple,
    tasks: Sequence[tuple],
    *,
    n_jobs: int | None = None,
    errors: str = "raise",
    checkpoint: str | Path | None = None,
    keys: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    retries: int = 3,
    patience: float = 300.0,
) -> list:
    """The results of `work(*shared, *task)` for every task, in the order of `tasks`.

    `n_jobs=None` means one process, or what `joblib.parallel_config` says.  `errors="keep"` puts a
    `Failure` in the place of a task that raised an error, where "raise" ends with that error.

    `checkpoint` is a folder in which every finished result is a file of its own, and stays when
    a later task fails or the run is ended; a second call takes the results from there.  `keys`
    has a text a task, of all that decides its result (see `fingerprint`).  Results are then
    dictionaries of arrays, numbers, texts and None, and nothing is unpickled from the folder.
    A damaged file is computed anew; a `Failure` is never kept.

    On Dask and Ray (`joblib.parallel_config("dask")`) a task whose worker died is done again.
    After more than `retries` losses of one task, or after `patience` seconds in which nothing was
    finished and no worker ran anything, the call ends in one sentence.
    """
    if errors not in ("raise", "keep"):
        raise InputError(f"errors={errors!r}: use 'raise' or 'keep'.")
    if checkpoint is not None and (keys is None or len(set(keys)) != len(tasks)):
        raise InputError("A checkpoint needs a key of its own for each task: give keys.")
    tasks = list(tasks)
    names = [f"task {number}" for number in range(len(tasks))] if names is None else list(names)
    results, kept = {}, None
    if checkpoint is not None:
        kept = Checkpoint(checkpoint)
        stored = {number: kept.load(key) for number, key in enumerate(keys)}
        results = {number: result for number, result in stored.items() if result is not None}
    left = {number: task for number, task in enumerate(tasks) if number not in results}
    for number, result in _outcomes(work, shared, left, names, n_jobs, retries, patience):
        if isinstance(result, Failure):
            result = replace(result, task=names[number])
            if errors == "raise":
                reraise(result)
        elif kept is not None:
            kept.save(keys[number], result)
        results[number] = result
    return [results[number] for number in range(len(tasks))]


def _outcomes(work, shared, left, names, n_jobs, retries, patience) -> Iterator[tuple]:
    """Pairs of a task's number and its result or Failure, in the order in which they finish."""
    backend = get_active_backend()[0]
    if not left:
        return iter(())
    if hasattr(backend, "client"):
        from cdp_lib.evaluate._dask import on_dask

        return on_dask(backend.client, work, shared, left, names, retries, patience)
    if type(backend).__name__ == "RayBackend":
        from cdp_lib.evaluate._ray import on_ray

        return on_ray(work, shared, left, names, retries, patience)
    if joblib.effective_n_jobs(n_jobs) == 1 or len(left) == 1:
        return ((number, _attempt(work, shared, task)) for number, task in left.items())
    return _on_joblib(work, shared, left, n_jobs)


def _attempt(work: Callable, shared: tuple, task: tuple):
    """The result of a task, or the Failure that tells its error."""
    try:
        return work(*shared, *task)
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        return Failure("", type(error).__name__, str(error), text, error)


def attempt_far(work: Callable, shared: tuple, task: tuple):
    """`_attempt` in another process: an error that cannot travel stays there."""
    result = _attempt(work, shared, task)
    if isinstance(result, Failure):
        try:
            pickle.loads(pickle.dumps(result.error))
        except Exception:
            return replace(result, error=None)
    return result


def _numbered(number: int, work: Callable, shared: tuple, task: tuple) -> tuple:
    return number, attempt_far(work, shared, task)


def reraise(failure: Failure) -> None:
    """Raise the error of a failed task, with the traceback of the process where it happened."""
    if failure.error is None:
        raise RuntimeError(
            f"{failure.kind}: {failure.message} ({failure.task})\n{failure.traceback}"
        )
    if failure.error.__traceback__ is None:
        raise failure.error from RuntimeError(f"in another process:\n{failure.traceback}")
    raise failure.error


def _on_joblib(work, shared, left, n_jobs) -> Iterator[tuple]:
    streams = getattr(get_active_backend()[0], "supports_return_generator", False)
    parallel = joblib.Parallel(n_jobs, return_as="generator_unordered" if streams else "list")
    outcomes = parallel(
        joblib.delayed(_numbered)(number, work, shared, task) for number, task in left.items()
    )
    unfinished = len(left)
    try:
        for outcome in outcomes:
            unfinished -= 1
            yield outcome
    except BrokenProcessPool:
        raise InputError(
            f"A process died with {unfinished} of {len(left)} tasks unfinished, most likely "
            "because the memory was too small: take fewer processes (n_jobs) or smaller tables; "
            "a checkpoint keeps what was finished."
        ) from None
    finally:
        with warnings.catch_warnings():  # of the tasks that were still being carried out
            warnings.simplefilter("ignore", UserWarning)
            del outcomes
