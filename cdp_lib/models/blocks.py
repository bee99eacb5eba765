"""Building blocks that the networks of several chapters share."""

from collections.abc import Sequence

from torch import nn

from cdp_lib.errors import InputError

ACTIVATIONS = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "linear": nn.Identity,
}


def activation_layer(name: str) -> nn.Module:
    """The activation called `name`."""
    if name not in ACTIVATIONS:
        raise InputError(f"Unknown activation {name!r}: use one of {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]()


def mlp(
    sizes: Sequence[int], activation: str = "relu", dropout: float = 0.0, last: str = "linear"
) -> nn.Sequential:
    """Fully connected layers (rows, sizes[0]) -> ... -> (rows, sizes[-1]).

    Each hidden layer is linear, activation, dropout; the last is linear and then `last`.
    """
    layers: list[nn.Module] = []
    for before, after in zip(sizes[:-2], sizes[1:-1], strict=True):
        layers += [nn.Linear(before, after), activation_layer(activation)]  # (rows, after)
        layers += [nn.Dropout(dropout)] if dropout else []
    layers += [nn.Linear(sizes[-2], sizes[-1])]  # (rows, sizes[-1])
    layers += [] if last == "linear" else [activation_layer(last)]
    return nn.Sequential(*layers)
