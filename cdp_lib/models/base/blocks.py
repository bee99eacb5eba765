"""Building blocks that the networks of several chapters share."""

from collections.abc import Sequence

from torch import Tensor, nn

from cdp_lib.models.base.settings import OneOf

ACTIVATIONS = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "linear": nn.Identity,
}


ACTIVATION = OneOf(*ACTIVATIONS)


def mlp(
    sizes: Sequence[int], activation: str = "relu", dropout: float = 0.0, last: str = "linear"
) -> nn.Sequential:
    """Fully connected layers (rows, sizes[0]) -> ... -> (rows, sizes[-1]).

    Each hidden layer is linear, activation, dropout; the last is linear and then `last`.
    """
    layers: list[nn.Module] = []
    for before, after in zip(sizes[:-2], sizes[1:-1], strict=True):
        layers += [nn.Linear(before, after), ACTIVATIONS[activation]()]  # (rows, after)
        layers += [nn.Dropout(dropout)] if dropout else []
    layers += [nn.Linear(sizes[-2], sizes[-1])]  # (rows, sizes[-1])
    layers += [] if last == "linear" else [ACTIVATIONS[last]()]
    return nn.Sequential(*layers)


class HiddenLayers(nn.Module):
    """h <- dropout(f(W h + b)), layer after layer; with `residual`, + h where W keeps the width."""

    def __init__(
        self, sizes: Sequence[int], activation: str = "relu", dropout: float = 0.0, residual=False
    ):
        super().__init__()
        both = list(zip(sizes[:-1], sizes[1:], strict=True))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(*one), ACTIVATIONS[activation](), nn.Dropout(dropout))
            for one in both
        )
        self.added = [residual and before == after for before, after in both]

    def forward(self, h: Tensor) -> Tensor:
        for layer, added in zip(self.layers, self.added, strict=True):
            h = h + layer(h) if added else layer(h)  # (rows, after)
        return h
