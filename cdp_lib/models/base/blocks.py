"""Building blocks that the networks of several chapters share."""

from collections.abc import Sequence

from torch import nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.training import check_number

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


def widths(name: str, given: Sequence[int], least: int = 0) -> tuple[int, ...]:
    """The layer widths `given` as the setting `name`: at least so many, none of them empty."""
    if not isinstance(given, (tuple, list)) or len(given) < least:
        some = "one or more layer widths" if least else "layer widths"
        raise InputError(f"{name} is {given!r}: give a tuple of {some}, such as (64, 32).")
    for width in given:
        check_number(f"A layer width in {name}", width, least=1, whole=True)
    return tuple(given)


def mlp(
    sizes: Sequence[int], activation: str = "relu", dropout: float = 0.0, last: str = "linear"
) -> nn.Sequential:
    """Fully connected layers (rows, sizes[0]) -> ... -> (rows, sizes[-1]).

    Each hidden layer is linear, activation, dropout; the last is linear and then `last`.
    """
    check_number("dropout", dropout, below=1)
    layers: list[nn.Module] = []
    for before, after in zip(sizes[:-2], sizes[1:-1], strict=True):
        layers += [nn.Linear(before, after), activation_layer(activation)]  # (rows, after)
        layers += [nn.Dropout(dropout)] if dropout else []
    layers += [nn.Linear(sizes[-2], sizes[-1])]  # (rows, sizes[-1])
    layers += [] if last == "linear" else [activation_layer(last)]
    return nn.Sequential(*layers)
