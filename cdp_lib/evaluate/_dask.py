"""Tasks on a Dask cluster, where a worker may die at any moment.

The tables travel to the scheduler once, packed, as the input of a task that hands them on, and
every other task depends on that one.  So when the only worker that holds them dies, Dask itself
sends them anew, at start-up and while they are copied, too; scattered tables would be gone.
What Dask gives up is sent again, and waiting has a bound.
"""

import traceback
import uuid
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic

import cloudpickle
from distributed import CancelledError, Client, Future, KilledWorker, wait

from cdp_lib.errors import InputError
from cdp_lib.evaluate.running import Failure, attempt_far

LOOK = 1.0  # seconds between two looks at a cluster from which nothing comes


def on_dask(
    client: Client,
    work: Callable,
    shared: tuple,
    tasks: dict[int, tuple],
    names: list[str],
    retries: int,
    patience: float,
) -> Iterator[tuple]:
    """Pairs of a task's number and its result or Failure, in the order in which they finish."""
    packed = cloudpickle.dumps(shared)
    tables: Future | None = None
    futures: dict[int, Future] = {}
    lost = Counter()  # how often a task had to be sent again
    suspects: list[int] = []  # tasks whose workers died: each is tried once more, alone
    alone: set[int] = set()
    last = monotonic()  # when something happened

    def send(number: int) -> None:
        nonlocal tables
        if tables is None or tables.status not in ("pending", "finished"):
            tables = _submit(client, _tables, packed)
        task = cloudpickle.dumps((work, tasks[number]))
        futures[number] = _submit(client, _task, task, tables)

    def left() -> int:
        return len(futures) + len(suspects)

    for number in tasks:
        send(number)
    while futures or suspects:
        if not futures:
            alone.add(suspects[0])
            send(suspects.pop(0))
        _wait(futures)
        for number, future in list(futures.items()):
            if future.status == "pending":
                continue
            last = monotonic()
            try:
                result = future.result(timeout=patience)
            except KilledWorker as error:
                if number not in alone:  # perhaps it only waited where another task killed
                    suspects.append(number)
                    del futures[number]
                    continue
                result = _killed(error, names[number], len(packed))
            except (CancelledError, OSError) as error:  # lost between the machines
                lost[number] += 1
                if lost[number] > retries:
                    raise InputError(
                        f"The Dask cluster lost {names[number]} {lost[number]} times "
                        f"({type(error).__name__}), with {left()} of {len(tasks)} tasks "
                        "unfinished: look at its workers' logs and memory."
                    ) from None
                send(number)
                continue
            except Exception as error:  # it could not be unpacked there, or its result not sent
                text = "".join(traceback.format_exception(error))
                result = Failure("", type(error).__name__, str(error), text, error)
            del futures[number]
            yield number, result
        workers, running = _activity(client)
        if running:
            last = monotonic()
        elif monotonic() - last > patience and left():
            whom = f"{workers} workers that run nothing" if workers else "a worker"
            raise InputError(
                f"Waited {patience:g} seconds for {whom} of the Dask cluster at "
                f"{client.scheduler.address}, with {left()} of {len(tasks)} tasks "
                "unfinished: start workers there, or compute without a cluster."
            )


def _submit(client: Client, function: Callable, *arguments) -> Future:
    if client.status in ("closing", "closed"):
        raise InputError("The Dask cluster is gone: start another, or compute without one.")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph")
        key = f"cdp{function.__name__}-{uuid.uuid4().hex}"
        return client.submit(function, *arguments, key=key, pure=False)


def _wait(futures: dict[int, Future]) -> None:
    try:
        wait(list(futures.values()), timeout=LOOK, return_when="FIRST_COMPLETED")
    except (CancelledError, OSError):  # nothing yet, or a loss: the futures' status tells
        pass


def _tables(packed: bytes) -> bytes:
    return packed


def _task(packed: bytes, tables: bytes):
    """A task unpacks tables of its own: aligned in memory as here, so that sums are equal."""
    work, task = cloudpickle.loads(packed)
    return attempt_far(work, cloudpickle.loads(tables), task)


def _activity(client: Client) -> tuple[int, int]:
    """How many workers there are, and how many tasks they are at."""
    workers = client.scheduler_info(n_workers=-1).get("workers", {}).values()
    counts = [worker["metrics"].get("task_counts", {}) for worker in workers]
    return len(counts), sum(count.get("executing", 0) for count in counts)


def _killed(error: KilledWorker, name: str, size: int) -> Failure:
    deaths = error.allowed_failures + 1
    sentence = InputError(
        f"{deaths} Dask workers died one after the other at {name}, most likely because their "
        f"memory was too small for it and for tables of {size / 2**20:.3g} MiB: give each worker "
        "more memory, or take fewer workers."
    )
    return Failure("", "KilledWorker", str(sentence), str(error), sentence)
