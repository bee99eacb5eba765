"""Weights on disk: nothing but numbers, and nothing is ever unpickled."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import nn

from cdp_lib.errors import InputError


def save_weights(module: nn.Module, path: str | Path) -> None:
    """Write the module's weights, and nothing else, to `path`."""
    weights = {name: tensor.cpu() for name, tensor in module.state_dict().items()}
    torch.save(weights, path)


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Read weights written by `save_weights` into a module of the same shape."""
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, OSError):
        raise InputError(
            f"{path} is not a file of weights: write it with save_weights, or fetch it again."
        ) from None
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = [name for name in wanted | found if wanted.get(name) != found.get(name)]
    if wrong:
        name = wrong[0]
        raise InputError(
            f"The weights in {path} do not fit this module: {name!r} is "
            f"{found.get(name, 'absent')} in the file and {wanted.get(name, 'absent')} here; "
            "build the module with the settings it was saved with."
        )
    module.load_state_dict(weights)
