"""One network an omics, and networks on all omics at once.

Wang et al. (2022) predict all drugs of a line from one omics table at a time,

    y = W2 f(W1 f(embed(x))),      embed: dense, or a graph layer x (W o A) (see graph.py)

and let attention combine the networks (see attention.py).  Beside them stand the same networks
with attention trained in one go (`JointFusion`), and a fusion of autoencoders in the manner of
DeepDR (Chiu et al. 2019).
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.blocks import activation_layer, mlp, widths
from cdp_lib.models.base.scaled import ScaledNetwork, network_columns, omics_columns
from cdp_lib.models.base.training import check_number, train
from cdp_lib.models.fusion.attention import Attention
from cdp_lib.models.fusion.graph import GraphEmbedding, edges_among

HIDDEN = {"expression": 64, "mutation": 32, "copy_number": 32, "rppa": 128, "metabolites": 64}
STRONG_DROPOUT = ("copy_number", "rppa")  # 0.4; the others 0.2
NO_GENES = ("rppa", "metabolites")  # their columns are no genes, so no graph joins them


class OmicsNetwork(ScaledNetwork):
    """One omics -> all perturbations: embedding, hidden layer, output.

    embedding="graph" embeds a table of genes along the interactions of `graph` (columns gene_a,
    gene_b), in as many values as genes; "dense" embeds any table in `embedding_size` values.
    hidden=None makes the hidden layer as wide as there are perturbations.  Columns that are zero
    in more than a share `max_zeros` of the training lines are left out.
    """

    def __init__(
        self,
        embedding: str = "dense",
        graph: pd.DataFrame | None = None,
        embedding_size: int = 200,
        hidden: int | None = 64,
        dropout: float = 0.2,
        activation: str = "relu",
        max_zeros: float = 0.95,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        epochs: int = 200,
        batch_size: int = 64,
        seed: int = 0,
        device: str = "auto",
    ):
        self.embedding = embedding
        self.graph = graph
        self.embedding_size = embedding_size
        self.hidden = hidden
        self.dropout = dropout
        self.activation = activation
        self.max_zeros = max_zeros
        self.lr = lr
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.seed = seed
        self.device = device

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        return self.build(x, self.features_, outputs)

    def build(self, x: np.ndarray, features: pd.Index | None, outputs: int) -> nn.Module:
        """The untrained module for training rows x (lines, features) before scaling."""
        check_number("embedding_size", self.embedding_size, least=1, whole=True)
        check_number("dropout", self.dropout, below=1)
        check_number("max_zeros", self.max_zeros)
        if self.hidden is not None:
            check_number("hidden", self.hidden, least=1, whole=True)
        kept = np.flatnonzero((x == 0).mean(axis=0) <= self.max_zeros)
        if len(kept) == 0:
            raise InputError(
                f"All {x.shape[1]} columns are zero in more than "
                f"{100 * self.max_zeros:g} % of the lines: raise max_zeros."
            )
        if self.embedding == "graph":
            if self.graph is None or features is None:
                raise InputError(
                    "A graph embedding needs graph=, a table of interactions, and X "
                    "as a DataFrame whose columns name genes."
                )
            embed = GraphEmbedding(edges_among(self.graph, features[kept]), len(kept))
            width = len(kept)
        elif self.embedding == "dense":
            if self.graph is not None:
                raise InputError(
                    "A dense embedding cannot use a graph: set embedding='graph', or graph=None."
                )
            embed, width = nn.Linear(len(kept), self.embedding_size), self.embedding_size
        else:
            raise InputError(f"Unknown embedding {self.embedding!r}: use 'graph' or 'dense'.")
        hidden = outputs if self.hidden is None else self.hidden
        return nn.Sequential(
            Columns(kept),  # (rows, kept)
            embed,  # (rows, width)
            activation_layer(self.activation),
            nn.Dropout(self.dropout),
            mlp([width, hidden, outputs], self.activation, self.dropout),  # (rows, outputs)
        )


def published_networks(
    omics: list[str], graph: pd.DataFrame, hidden: str = "text", **settings
) -> dict[str, OmicsNetwork]:
    """The paper's network for each omics: graph embeddings for genes, dense ones for the others.

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
    return {
        name: OmicsNetwork(
            **(
                {
                    "embedding": "dense" if name in NO_GENES else "graph",
                    "graph": None if name in NO_GENES else graph,
                    "hidden": HIDDEN[name] if hidden == "text" else None,
                    "dropout": 0.4 if name in STRONG_DROPOUT else 0.2,
                    "epochs": 1000 if name in NO_GENES else 200,
                }
                | settings
            )
        )
        for name in omics
    }


class JointFusion(ScaledNetwork):
    """The networks of several omics and the attention over them, trained together.

    `networks`: omics name -> OmicsNetwork, of which the architecture is used; lr, epochs and
    batch_size are those given here.  `weights_` (perturbations, omics) is the mean attention.
    """

    def __init__(
        self,
        networks: dict[str, OmicsNetwork],
        attention: str = "drug",
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        epochs: int = 200,
        batch_size: int = 64,
        seed: int = 0,
        device: str = "auto",
    ):
        self.networks = networks
        self.attention = attention
        self.lr = lr
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.seed = seed
        self.device = device

    def fit(self, X: pd.DataFrame, Y: pd.DataFrame) -> "JointFusion":
        super().fit(X, Y)
        with torch.no_grad():
            device = next(self.module_.parameters()).device
            P = self.module_.parts(self._scaled(self._read_x(X)).to(device))
            weights = self.module_.attention.weights(P).mean(dim=0)  # (omics, perturbations)
        self.weights_ = pd.DataFrame(weights.cpu().numpy().T, self.perturbations_, self.networks)
        return self

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        columns = network_columns(self.networks, self.features_)
        parts = []
        for name, network in self.networks.items():
            if not isinstance(network, OmicsNetwork):
                raise InputError(
                    f"The network of {name!r} is of {type(network).__name__}: "
                    "JointFusion trains an OmicsNetwork for each omics."
                )
            at = columns[name]
            body = network.build(x[:, at], self.features_[at].droplevel(0), outputs)
            parts.append(nn.Sequential(Columns(at), body))
        return Side(parts, Attention(len(parts), outputs, self.attention))


class AutoencoderFusion(ScaledNetwork):
    """One autoencoder an omics; a network on their latent values, encoders and all.

    The autoencoders learn first, to restore the omics of the training lines; then the whole
    learns to predict.  (DeepDR pretrains on tumours, which a cohort of lines does not have.)
    """

    def __init__(
        self,
        encoder: tuple[int, ...] = (128, 32),
        hidden: tuple[int, ...] = (64,),
        dropout: float = 0.2,
        activation: str = "relu",
        pretrain_epochs: int = 50,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        epochs: int = 100,
        batch_size: int = 64,
        seed: int = 0,
        device: str = "auto",
    ):
        self.encoder = encoder
        self.hidden = hidden
        self.dropout = dropout
        self.activation = activation
        self.pretrain_epochs = pretrain_epochs
        self.lr = lr
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.seed = seed
        self.device = device

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        check_number("pretrain_epochs", self.pretrain_epochs, whole=True)
        encoder_widths = widths("encoder", self.encoder, least=1)
        hidden = widths("hidden", self.hidden)
        encoders = []
        for at in omics_columns(self.features_).values():
            sizes = (len(at), *encoder_widths)
            encoder = mlp(sizes, self.activation)
            self._pretrain(encoder, mlp(sizes[::-1], self.activation), self._scaled(x)[:, at])
            encoders.append(nn.Sequential(Columns(at), encoder))
        width = len(encoders) * encoder_widths[-1]
        head = mlp([width, *hidden, outputs], self.activation, self.dropout)
        return nn.Sequential(Side(encoders, nn.Flatten()), activation_layer(self.activation), head)

    def _pretrain(self, encoder: nn.Module, decoder: nn.Module, x: Tensor) -> None:
        train(
            nn.Sequential(encoder, decoder),
            lambda module, x: (module(x) - x).square().mean(),
            (x,),
            epochs=self.pretrain_epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            weight_decay=self.weight_decay,
            seed=self.seed,
            device=self.device,
        )


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
