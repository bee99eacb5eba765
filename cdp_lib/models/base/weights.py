"""Weights on disk: a safetensors file, which holds numbers and nothing to run, and their digest.

    sha256 over the tensors by name: name, type, shape, bytes

A file in which a single bit has changed is refused or gives the same weights.
"""

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cdp_lib.errors import InputError


def save_weights(module: nn.Module, path: str | Path) -> None:
    """Write the module's weights, and nothing else, to `path`."""
    weights = {name: tensor.cpu().clone() for name, tensor in module.state_dict().items()}
    save_file(weights, path, metadata={"sha256": digest_of(weights)})


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Read weights written by `save_weights` into a module of the same shape."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            digest = (file.metadata() or {}).get("sha256")
            weights = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is not a file of weights ({error}): write it with save_weights, or fetch it "
            "again."
        ) from None
    if digest != digest_of(weights):
        raise InputError(
            f"The weights in {path} are not those that were saved, by their sha256: fetch it again."
        )
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    stored = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = [name for name in wanted | stored if wanted.get(name) != stored.get(name)]
    if wrong:
        name = wrong[0]
        raise InputError(
            f"The weights in {path} do not fit this module: {name!r} is "
            f"{stored.get(name, 'absent')} in the file and {wanted.get(name, 'absent')} here; "
            "build the module with the settings it was saved with."
        )
    module.load_state_dict(weights)


def digest_of(weights: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
