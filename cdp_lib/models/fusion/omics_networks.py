"""One network an omics, and networks on all omics at once.

Wang et al. (2022) predict all drugs of a line from one omics table at a time,

    y = W2 f(W1 f(embed(x))),      embed: dense, or a graph layer x (W o A) (see graph.py)

and let attention combine the networks (see attention.py).  Beside them stand the same networks
with attention trained in one go (`JointFusion`), and a fusion of autoencoders in the manner of
DeepDR (Chiu et al. 2019).
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.blocks import ACTIVATION, ACTIVATIONS, mlp
from cdp_lib.models.base.scaled import ScaledNetwork, network_columns, omics_columns
from cdp_lib.models.base.settings import (
    WIDTHS,
    Component,
    Instance,
    Number,
    OneOf,
    Tuple,
    check_settings,
)
from cdp_lib.models.base.training import ALL_EPOCHS, Training, train
from cdp_lib.models.fusion.attention import KINDS, Attention
from cdp_lib.models.fusion.graph import GraphLayer, edges_among

HIDDEN = {"expression": 64, "mutation": 32, "copy_number": 32, "rppa": 128, "metabolites": 64}
STRONG_DROPOUT = ("copy_number", "rppa")  # 0.4; the others 0.2
NO_GENES = ("rppa", "metabolites")  # their columns are no genes, so no graph joins them


@dataclass(frozen=True, repr=False)
class DenseEmbedding(Component):
    """Any table in `size` values, each of which listens to all columns."""

    size: int = 200

    _settings: ClassVar = {"size": Number(least=1, whole=True)}

    def layer(self, columns: int, names: pd.Index | None) -> nn.Module:
        return nn.Linear(columns, self.size)


@dataclass(frozen=True, repr=False, eq=False)
class GraphEmbedding(Component):
    """A table of genes in as many values, along the interactions of `graph` (gene_a, gene_b)."""

    graph: pd.DataFrame

    _settings: ClassVar = {"graph": Instance(pd.DataFrame)}

    def layer(self, columns: int, names: pd.Index | None) -> nn.Module:
        if names is None:
            raise InputError("A graph embedding needs X as a DataFrame whose columns name genes.")
        return GraphLayer(edges_among(self.graph, names), columns)


class OmicsNetwork(ScaledNetwork):
    """One omics -> all perturbations: embedding, hidden layers, output.

    hidden=None is one layer as wide as there are perturbations.  Columns that are zero in more
    than a share `max_zeros` of the training lines are left out.
    """

    _settings = {
        "embedding": Instance(DenseEmbedding, GraphEmbedding),
        "hidden": [WIDTHS, None],
        "dropout": Number(below=1),
        "activation": ACTIVATION,
        "max_zeros": Number(),
        "training": Instance(Training),
    }

    def __init__(
        self,
        embedding: DenseEmbedding | GraphEmbedding = DenseEmbedding(),
        hidden: tuple[int, ...] | None = (64,),
        dropout: float = 0.2,
        activation: str = "relu",
        max_zeros: float = 0.95,
        training: Training = ALL_EPOCHS,
    ):
        self.embedding = embedding
        self.hidden = hidden
        self.dropout = dropout
        self.activation = activation
        self.max_zeros = max_zeros
        self.training = training

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        return self.build(x, self.features_, outputs)

    def build(self, x: np.ndarray, features: pd.Index | None, outputs: int) -> nn.Module:
        """The untrained module for training rows x (lines, features) before scaling."""
        kept = np.flatnonzero((x == 0).mean(axis=0) <= self.max_zeros)
        if len(kept) == 0:
            raise InputError(
                f"All {x.shape[1]} columns are zero in more than "
                f"{100 * self.max_zeros:g} % of the lines: raise max_zeros."
            )
        embed = self.embedding.layer(len(kept), None if features is None else features[kept])
        hidden = (outputs,) if self.hidden is None else self.hidden
        sizes = [embed.out_features, *hidden, outputs]
        return nn.Sequential(
            Columns(kept),  # (rows, kept)
            embed,  # (rows, embed.out_features)
            ACTIVATIONS[self.activation](),
            nn.Dropout(self.dropout),
            mlp(sizes, self.activation, self.dropout),  # (rows, outputs)
        )


def paper_networks(
    omics: list[str], graph: pd.DataFrame | None, hidden: str = "text", **training: Any
) -> dict[str, OmicsNetwork]:
    """The paper's network for each omics: graph embeddings for genes, dense ones for the others.

    graph=None embeds all densely; `training` changes the paper's (seed, lr, epochs, ...).
    hidden="text" gives the sizes of the methods (64, 32, 32, 128, 64); "equation 7" makes all as
    wide as there are drugs, as the attention there needs.  The text embeds RPPA along the graph,
    Figure 2 and Table 1 densely; proteins and phosphosites are no genes, so here it is dense.
    """
    if hidden not in ("text", "equation 7"):
        raise InputError(f"Unknown reading {hidden!r} of the sizes: use 'text' or 'equation 7'.")
    unknown = [name for name in omics if name not in HIDDEN]
    if unknown:
        raise InputError(
            f"The paper has no network for {unknown[0]!r}: choose from {', '.join(HIDDEN)}."
        )
    networks = {}
    for name in omics:
        dense = graph is None or name in NO_GENES
        network = OmicsNetwork(
            DenseEmbedding() if dense else GraphEmbedding(graph),
            hidden=(HIDDEN[name],) if hidden == "text" else None,
            dropout=0.4 if name in STRONG_DROPOUT else 0.2,
            training=replace(ALL_EPOCHS, epochs=1000 if dense else 200),
        )
        changes = {f"training__{setting}": value for setting, value in training.items()}
        networks[name] = network.set_params(**changes)
    return networks


class JointFusion(ScaledNetwork):
    """The networks of several omics and the attention over them, trained together.

    `networks`: omics name -> OmicsNetwork, of which the architecture is used; they are trained as
    `training` says here.  `weights_` (perturbations, omics) is the mean attention over
    the training lines.
    """

    _settings = {"attention": OneOf(*KINDS), "training": Instance(Training)}

    def __init__(
        self,
        networks: dict[str, OmicsNetwork],
        attention: str = "drug",
        training: Training = ALL_EPOCHS,
    ):
        self.networks = networks
        self.attention = attention
        self.training = training

    def _learn(self, x: np.ndarray, *rows_and_monitor) -> None:
        super()._learn(x, *rows_and_monitor)
        device = next(self.module_.parameters()).device
        with torch.no_grad():
            P = self.module_.parts(self._scaled(x).to(device))
            weights = self.module_.attention.weights(P).mean(dim=0)  # (omics, perturbations)
        self.weights_ = pd.DataFrame(weights.cpu().numpy().T, self.perturbations_, self.networks)

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        columns = network_columns(self.networks, self.features_)
        parts = []
        for name, network in self.networks.items():
            if not isinstance(network, OmicsNetwork):
                raise InputError(
                    f"The network of {name!r} is of {type(network).__name__}: "
                    "JointFusion trains an OmicsNetwork for each omics."
                )
            check_settings(network)
            at = columns[name]
            body = network.build(x[:, at], self.features_[at].droplevel(0), outputs)
            parts.append(nn.Sequential(Columns(at), body))
        return Side(parts, Attention(len(parts), outputs, self.attention))


class AutoencoderFusion(ScaledNetwork):
    """One autoencoder an omics; a network on their latent values, encoders and all.

    The autoencoders learn first, for `pretrain_epochs`, to restore the omics of the training lines;
    then the whole learns to predict.  (DeepDR pretrains on tumours, which a cohort of lines does
    not have.)
    """

    _settings = {
        "encoder": Tuple(Number(least=1, whole=True), least=1),
        "hidden": WIDTHS,
        "dropout": Number(below=1),
        "activation": ACTIVATION,
        "pretrain_epochs": Number(whole=True),
        "training": Instance(Training),
    }

    def __init__(
        self,
        encoder: tuple[int, ...] = (128, 32),
        hidden: tuple[int, ...] = (64,),
        dropout: float = 0.2,
        activation: str = "relu",
        pretrain_epochs: int = 50,
        training: Training = replace(ALL_EPOCHS, epochs=100),
    ):
        self.encoder = encoder
        self.hidden = hidden
        self.dropout = dropout
        self.activation = activation
        self.pretrain_epochs = pretrain_epochs
        self.training = training

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        z, omics = self._scaled(x), omics_columns(self.features_).values()
        encoders = [nn.Sequential(Columns(at), self._pretrained(z[:, at])) for at in omics]
        width = len(encoders) * self.encoder[-1]
        head = mlp([width, *self.hidden, outputs], self.activation, self.dropout)
        return nn.Sequential(Side(encoders, nn.Flatten()), ACTIVATIONS[self.activation](), head)

    def _pretrained(self, z: Tensor) -> nn.Module:
        """An encoder of z (lines, columns of one omics) from which a decoder can restore it."""
        sizes = (z.shape[1], *self.encoder)
        encoder, decoder = mlp(sizes, self.activation), mlp(sizes[::-1], self.activation)
        train(
            nn.Sequential(encoder, decoder),
            lambda module, z: (module(z) - z).square().mean(),
            (z,),
            training=replace(self.training, epochs=self.pretrain_epochs),
        )
        return encoder


class Columns(nn.Module):
    """Some columns of the input: (rows, all) -> (rows, some)."""

    def __init__(self, positions: np.ndarray):
        super().__init__()
        self.register_buffer("positions", torch.as_tensor(positions))

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(1, self.positions)


class Side(nn.Module):
    """Modules side by side, and what becomes of their outputs (rows, modules, width)."""

    def __init__(self, modules: list[nn.Module], attention: nn.Module):
        super().__init__()
        self.side = nn.ModuleList(modules)
        self.attention = attention

    def parts(self, x: Tensor) -> Tensor:
        return torch.stack([module(x) for module in self.side], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(self.parts(x))
