"""A model on disk: half precision, words and record in the header, nothing to run."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from cdp_lib.errors import InputError
from cdp_lib.models.junction_tree import JunctionTree, load, save
from cdp_lib.models.junction_tree.fitting import ONCE_THROUGH

MOLECULES = ["CC(=O)Nc1ccc(O)cc1", "CCO", "CN1CCCC1c1cccnc1"]


@pytest.fixture(scope="module")
def fitted():
    training = replace(ONCE_THROUGH, epochs=2, device="cpu")
    return JunctionTree(width=8, latent=4, training=training).fit(MOLECULES)


@pytest.fixture
def saved(fitted, tmp_path):
    save(fitted, tmp_path / "model.safetensors", {"molecules": 3})
    return tmp_path / "model.safetensors"


def test_what_is_loaded_is_what_was_saved(fitted, saved):
    model = load(saved)
    np.testing.assert_allclose(
        model.transform(MOLECULES), fitted.transform(MOLECULES), atol=0.02
    )  # half precision
    assert model.module_.vocabulary == fitted.module_.vocabulary
    assert model.record_["molecules"] == 3 and "rdkit" in model.record_["versions"]
    assert (model.width, model.latent) == (8, 4)


def contents(path):
    with safe_open(path, framework="pt") as file:
        return file.metadata(), {name: file.get_tensor(name) for name in file.keys()}


def test_a_loaded_model_is_saved_as_it_was(saved, tmp_path):
    save(load(saved), tmp_path / "again", {"molecules": 3})
    (about, weights), (old_about, old_weights) = contents(tmp_path / "again"), contents(saved)
    assert about == old_about
    assert all(torch.equal(weights[name], tensor) for name, tensor in old_weights.items())


def damaged(saved, place):
    data = bytearray(saved.read_bytes())
    data[place] ^= 1
    saved.write_bytes(data)
    return saved


@pytest.mark.parametrize("place", [-1, -500, 3, 200])
def test_a_bit_that_has_changed_is_refused(saved, place):
    with pytest.raises(InputError):
        load(damaged(saved, place))


def test_a_changed_word_is_refused(saved):
    data = saved.read_bytes()
    assert data.count(b"CCO") == 0 and b"C=O" in data
    saved.write_bytes(data.replace(b"C=O", b"C=N", 1))
    with pytest.raises(InputError, match="damaged"):
        load(saved)


@pytest.mark.parametrize("size", [0, 5, 100, -1])
def test_a_file_that_was_cut_is_refused(saved, size):
    saved.write_bytes(saved.read_bytes()[:size])
    with pytest.raises(InputError, match="not a junction-tree model"):
        load(saved)


def test_a_file_of_something_else_is_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="other weights"):
        load(tmp_path / "other.safetensors")
    (tmp_path / "text").write_text("CCO")
    with pytest.raises(InputError, match="not a junction-tree model"):
        load(tmp_path / "text")
    with pytest.raises(InputError, match="nowhere"):
        load(tmp_path / "nowhere")


def test_a_file_of_another_version_is_refused(saved):
    about, weights = contents(saved)
    save_file(weights, saved, metadata=about | {"format": "cdp junction tree 0"})
    with pytest.raises(InputError, match="junction tree 0"):
        load(saved)


def test_older_spellings_are_brought_up_to_date(fitted, tmp_path):
    model = JunctionTree(width=8, latent=4)
    model.module_ = type(fitted.module_)(["C1=C[NH]N=C1", "CC"], 8, 4)
    save(model, tmp_path / "old", {})
    assert load(tmp_path / "old").module_.vocabulary == ("C1=CNN=C1", "CC")
    assert json.loads(contents(tmp_path / "old")[0]["vocabulary"])[0] == "C1=C[NH]N=C1"
