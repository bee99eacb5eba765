"""Weights come back as they were saved, or not at all."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.training import seeded
from cdp_lib.models.base.weights import load_weights, save_weights


def network():
    with seeded(0):
        return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


def weights_of(module):
    return torch.cat([tensor.flatten() for tensor in module.state_dict().values()])


def test_weights_survive_the_disk(tmp_path):
    first, second = network(), network()
    nn.init.zeros_(second[0].weight)
    save_weights(first, tmp_path / "weights.safetensors")
    load_weights(second, tmp_path / "weights.safetensors")
    assert torch.equal(weights_of(first), weights_of(second))


def test_shared_and_transposed_weights_survive_the_disk(tmp_path):
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    module[1].weight = module[0].weight
    module[0].bias = nn.Parameter(torch.arange(8.0)[::2])
    before = weights_of(module).clone()
    save_weights(module, tmp_path / "weights.safetensors")
    nn.init.zeros_(module[0].weight)
    load_weights(module, tmp_path / "weights.safetensors")
    assert torch.equal(weights_of(module), before)


def test_a_flipped_bit_or_a_missing_end_gives_no_other_weights(tmp_path):
    path = tmp_path / "weights.safetensors"
    saved = network()
    save_weights(saved, path)
    whole = path.read_bytes()
    damaged = [whole[:end] for end in range(0, len(whole), 7)]
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        damaged.append(bytes(changed))
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        module = network()
        nn.init.zeros_(module[0].weight)
        try:
            load_weights(module, path)
        except InputError:
            refused += 1
        else:
            assert torch.equal(weights_of(module), weights_of(saved))
    assert refused > 0.9 * len(damaged)


def test_weights_that_do_not_fit_are_one_sentence(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(nn.Linear(4, 2), path)
    with pytest.raises(InputError, match=r"\(2, 4\) .* \(2, 5\)"):
        load_weights(nn.Linear(5, 2), path)
    with pytest.raises(InputError, match=r"'bias' .*absent"):
        load_weights(nn.Linear(4, 2, bias=False), path)


def test_a_file_that_holds_no_weights_is_one_sentence(tmp_path):
    class Trap:
        def __reduce__(self):
            return print, ("unpickled!",)

    torch.save({"weight": Trap()}, tmp_path / "trap.pt")
    (tmp_path / "text.pt").write_text("no weights, but a line of text")
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "folder.pt").mkdir()
    for name in ("trap.pt", "text.pt", "empty.pt", "folder.pt", "absent.pt"):
        with pytest.raises(InputError, match=f"{name}"):
            load_weights(nn.Linear(4, 2), tmp_path / name)


def test_weights_without_a_digest_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file(nn.Linear(4, 2).state_dict(), path)
    with pytest.raises(InputError, match="sha256"):
        load_weights(nn.Linear(4, 2), path)
