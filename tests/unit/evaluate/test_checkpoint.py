"""What a stopped run had finished is taken from a folder, and is the same to the bit."""

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator

from cdp_lib.chapter import Chapter
from cdp_lib.data.files.download import cache_dir
from cdp_lib.evaluate import remember
from cdp_lib.evaluate.checkpoint import fingerprint
from cdp_lib.models.base.training import Training
from cdp_lib.models.networks.autoencoders import AutoEncoder
from cdp_lib.models.representations import PrincipalComponents

calls = []


def work(number, table):
    calls.append(number)
    return {"P": number * table, "inner": {"a": table.iloc[:2], "b": table.T}, "seen": "all"}


def test_a_finished_call_is_not_made_again_and_gives_the_same(tmp_path):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(4, 3)), list("wxyz"), list("abc"))
    first, again = (remember(tmp_path, work, 2, table) for _ in range(2))
    assert calls == [2]
    plain = work(2, table)
    for found in (first, again):
        assert list(found) == ["P", "inner", "seen"] and found["seen"] == "all"
        pd.testing.assert_frame_equal(found["P"], plain["P"], check_exact=True)
        pd.testing.assert_frame_equal(found["inner"]["b"], plain["inner"]["b"], check_exact=True)


def test_another_argument_or_a_damaged_file_is_computed(tmp_path):
    calls.clear()
    table = pd.DataFrame([[1.0, np.nan]], ["x"], ["a", "b"])
    remember(tmp_path, work, 1, table)
    remember(tmp_path, work, 1, table + 1)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-7])
    remember(tmp_path, work, 1, table)
    assert calls == [1, 1, 1]
    remember(None, work, 1, table)
    assert calls == [1, 1, 1, 1]


def test_only_a_full_run_keeps_what_it_finished():
    folders = [
        Chapter("00_specimen", p, "teaching", 0, "cpu").unfinished for p in ("teach", "full")
    ]
    assert folders == [None, cache_dir() / "unfinished" / "00_specimen"]


def test_what_a_frozen_model_has_learned_counts():
    table = np.random.default_rng(0).normal(size=(20, 4))
    training = Training(epochs=2, validation_fraction=0.0, device="cpu")
    keys = [
        fingerprint(FrozenEstimator(make().fit(rows)))
        for make in (lambda: PrincipalComponents(2), lambda: AutoEncoder((2,), training=training))
        for rows in (table, table[:15], table)
    ]
    assert keys[0] == keys[2] != keys[1] and keys[3] != keys[4]
