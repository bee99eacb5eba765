"""The same work on a real Dask cluster: identical numbers, also when its workers are killed."""

import multiprocessing
import os
import signal
import threading
import time
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_validate, running
from cdp_lib.evaluate.checkpoint import Checkpoint
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.splits import leave_lines_out

distributed = pytest.importorskip(
    "distributed", reason="no Dask here: pip install 'cdp-lib[cluster]' to test it"
)
dask = pytest.importorskip("dask")
cloudpickle = pytest.importorskip("cloudpickle")
cluster = pytest.importorskip("cdp_lib.evaluate._dask")
cloudpickle.register_pickle_by_value(__import__(__name__))  # a worker cannot import a test


HERE = os.getpid()
FORKED = {"distributed.worker.multiprocessing-method": "forkserver"}


@pytest.fixture(scope="module")
def clusters():
    """A list of the client of a cluster; its workers are forked, so that they start in no time."""
    with pytest.MonkeyPatch.context() as patch, dask.config.set(FORKED):
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            patch.setenv(name, "1")
        distributed.utils.get_mp_context()
        needed = ["distributed", "cdp_lib.evaluate._dask"]
        multiprocessing.get_context("forkserver").set_forkserver_preload(needed)
        clients = []
        yield clients
        close(clients)


@pytest.fixture
def client(clusters):
    """The client of a cluster of two living workers of one thread each."""
    if clusters:
        try:
            clusters[0].wait_for_workers(2, timeout=4)
        except TimeoutError:  # a nanny whose worker is killed while it starts may give up
            close(clusters)
    if not clusters:
        local = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        )
        clusters.append(distributed.Client(local))
    return clusters[0]


def close(clients: list) -> None:
    for client in clients:
        client.close(timeout=5)
        client.cluster.close(timeout=5)
    clients.clear()


@pytest.fixture(scope="module")
def cohort():
    rng = np.random.default_rng(0)
    names = pd.Index([f"line {i}" for i in range(60)], name="line")
    X = pd.DataFrame(rng.normal(size=(60, 30)), names).add_prefix("gene ")
    Y = pd.DataFrame(X.to_numpy() @ rng.normal(size=(30, 10)), names).add_prefix("drug ")
    Y = Y.mask(rng.random(Y.shape) < 0.1).astype("float32")
    lines = pd.DataFrame({"tissue": rng.choice(["lung", "skin"], 60)}, names)
    return SimpleNamespace(Y=Y, lines=lines, X=lambda omics: X)


@pytest.fixture
def one_thread():
    """As many threads here as a worker has: sums in another order differ in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


def test_two_workers_give_the_same_numbers_as_one_process(client, cohort, one_thread):
    training = Training(epochs=5, device="cpu")
    models = {"ridge": Ridge(), "network": FeedForward(dropout=0.1, training=training)}
    split = leave_lines_out(cohort, n_folds=3)
    here = cross_validate(models, cohort, split, axis=("perturbation", "line", "global"))
    with joblib.parallel_config("dask"):
        there = cross_validate(models, cohort, split, axis=("perturbation", "line", "global"))
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_the_work_is_done_by_both_workers(client, cohort, tmp_path):
    class SignsItsWork(BaseEstimator):  # defined here, so that it travels to the workers whole
        def __init__(self, folder):
            self.folder = folder

        def fit(self, X, Y):

            time.sleep(0.2)  # leave the other worker something to do
            self.columns_ = Y.columns
            (self.folder / f"{os.getpid()}").touch()
            return self

        def predict(self, X):
            return pd.DataFrame(0.0, X.index, self.columns_)

    with joblib.parallel_config("dask"):
        cross_validate(
            {"signs": SignsItsWork(tmp_path)}, cohort, leave_lines_out(cohort, 8), baselines=False
        )
    signed = {int(path.name) for path in tmp_path.iterdir()}
    assert signed == set(client.run(os.getpid).values())
    assert os.getpid() not in signed


def test_a_failure_on_a_worker_names_model_and_fold(client, cohort):
    with joblib.parallel_config("dask"), pytest.raises(InputError, match="in model 'bad', fold"):
        cross_validate({"bad": Ridge(alphas=())}, cohort, leave_lines_out(cohort, 2))


# Workers that are killed


class Moment:
    """Kills workers once, at one moment of a call."""

    def __init__(self, at: str, folder, workers: tuple[int, ...] = ()):
        self.at, self.folder, self.workers = at, folder, workers

    def __call__(self, moment: str, pids) -> None:
        if moment != self.at or not pids:
            return
        try:
            (self.folder / "killed").touch(exist_ok=False)
        except FileExistsError:
            return
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def own(self, moment: str) -> None:
        """Kill the process that asks, if it is a worker."""
        if os.getpid() != HERE:
            self(moment, [os.getpid()])


class Table:
    """The tables of a call; that a worker, and that a second worker has them are moments."""

    def __init__(self, values, moment: Moment):
        self.values, self.moment = values, moment

    def __setstate__(self, state):
        self.__dict__.update(state)
        if os.getpid() == HERE:
            return
        self.moment.own("a worker unpacks the tables")
        (self.moment.folder / f"{os.getpid()}.has").touch()
        first = {int(path.stem) for path in self.moment.folder.glob("*.has")} - {os.getpid()}
        if first:
            self.moment.own("a second worker has copied the tables")
            self.moment("a second worker has the tables of the first", first)


class Result(dict):
    """A result whose packing is a moment."""

    def __init__(self, values, moment=None):
        super().__init__(values)
        self.moment = moment

    def __reduce__(self):
        if self.moment is not None:
            self.moment.own("a worker packs a result")
        return dict, (dict(self),)


def ridge_fit(table: Table, number: int, moment: Moment) -> dict:
    """One fold of ridge, by hand, slow enough that both workers get some."""
    time.sleep(0.05)
    patience = time.monotonic() + 30
    while "second" in moment.at and len(list(moment.folder.glob("*.has"))) < 2:
        if time.monotonic() > patience:
            break  # the other worker never came; the test will say so
        time.sleep(0.05)
    moment.own(f"a worker is at task {number}")
    X, y = table.values[:, :-1], table.values[:, -1]
    train = np.arange(len(y)) % 8 != number
    A = X[train].T @ X[train] + np.eye(X.shape[1])
    return Result({"P": X[~train] @ np.linalg.solve(A, X[train].T @ y[train])}, moment)


class Watch(distributed.SchedulerPlugin):
    """What the scheduler sees of a call: on which worker the tables and the results are."""

    def __init__(self, scheduler, moment: Moment, pids):
        self.scheduler, self.moment, self.pids = scheduler, moment, pids

    def transition(self, key, start, finish, *args, **kwargs):
        task = self.scheduler.tasks.get(key)
        if task is None or not str(key).startswith("cdp_"):
            return
        what = "the tables are" if str(key).startswith("cdp_tables") else "a result is"
        if finish == "processing":
            self.moment(f"{what} to be made", self.at({task.processing_on}))
        if finish == "memory":
            self.moment(f"{what} on one worker", self.at(task.who_has))

    def at(self, workers) -> list[int]:
        return [self.pids[worker.address] for worker in workers if worker.address in self.pids]


MOMENTS = [  # when, and which of the two workers
    ("before anything is sent", (0, 1)),
    ("the tables are sent", (0, 1)),
    ("all is sent", (0,)),
    ("the tables are to be made", ()),
    ("the tables are on one worker", ()),
    ("a worker unpacks the tables", ()),
    ("a second worker has copied the tables", ()),
    ("a second worker has the tables of the first", ()),
    ("a worker is at task 0", ()),
    ("a worker is at task 7", ()),
    ("a worker packs a result", ()),
    ("a result is on one worker", ()),
    ("two results have come", (0, 1)),
]


def in_time(call, seconds=150):
    """What the call returns or raises; a call that hangs fails the test."""
    outcome = []

    def run():
        try:
            outcome.append(call())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert outcome, f"no word for {seconds} seconds"
    return outcome[0]


@pytest.mark.parametrize(("at", "workers"), MOMENTS)
def test_killed_workers_leave_the_same_results(client, tmp_path, monkeypatch, at, workers):
    nannies = client.cluster.workers.values()
    pids = {nanny.worker_address: nanny.pid for nanny in nannies}
    moment = Moment(at, tmp_path)
    values = np.random.default_rng(0).normal(size=(160, 200))
    tasks = [(number, moment) for number in range(8)]

    def here(what):
        moment(what, [list(pids.values())[which] for which in workers])

    def submit(*arguments):
        here("before anything is sent")
        future = send(*arguments)
        sent.append(future.key)
        here({1: "the tables are sent", 9: "all is sent"}.get(len(sent)))
        return future

    def save(checkpoint, key, result):
        keep(checkpoint, key, result)
        if len(list(checkpoint.folder.iterdir())) == 2:
            here("two results have come")

    sent, send, keep = [], cluster._submit, Checkpoint.save
    monkeypatch.setattr(cluster, "_submit", submit)
    monkeypatch.setattr(Checkpoint, "save", save)
    watch = Watch(client.cluster.scheduler, moment, pids)
    client.cluster.scheduler.add_plugin(watch, name="watch")

    def call():
        with joblib.parallel_config("dask"):
            return running.carry_out(
                ridge_fit,
                (Table(values, moment),),
                tasks,
                checkpoint=tmp_path / "kept",
                keys=[str(number) for number, _ in tasks],
                patience=60,
            )

    results = in_time(call)
    client.cluster.scheduler.remove_plugin("watch")
    assert (tmp_path / "killed").exists(), "the moment never came"
    assert not isinstance(results, Exception), results
    with threadpool_limits(1):
        expected = running.carry_out(ridge_fit, (Table(values, moment),), tasks)
    for one, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(one["P"], other["P"])


def test_a_task_that_kills_every_worker_ends_in_a_sentence(client, monkeypatch):
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 1)

    def work(number):
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    def call():
        with joblib.parallel_config("dask"):
            return running.carry_out(
                work, (), [(0,), (1,)], names=["the first", "the second"], errors="keep"
            )

    first, second = in_time(call)
    assert first == 0
    assert (second.task, second.kind) == ("the second", "KilledWorker")
    with pytest.raises(InputError, match="2 .*the second.*memory"):
        running.reraise(second)


def test_waiting_for_workers_that_never_come_has_an_end():
    local = distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0")
    with local, distributed.Client(local, set_as_default=False) as client:
        tasks, names = {0: (), 1: ()}, ["one", "two"]
        error = in_time(lambda: list(cluster.on_dask(client, len, (), tasks, names, 3, 1.5)))
    assert isinstance(error, InputError)
    assert "1.5 seconds" in str(error)
    assert "2 of 2" in str(error)


def test_a_cluster_that_ends_is_told():
    local = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    )
    client = distributed.Client(local, set_as_default=False)
    threading.Timer(0.3, local.close).start()
    tasks, names = dict.fromkeys(range(4), (1.0,)), list("abcd")
    error = in_time(lambda: list(cluster.on_dask(client, time.sleep, (), tasks, names, 3, 1.5)))
    client.close()
    assert isinstance(error, InputError)
    assert "cluster" in str(error)
