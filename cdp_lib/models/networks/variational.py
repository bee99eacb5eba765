"""A variational autoencoder of expression: a line's row as a cloud of points in a narrow space.

Each gene is brought to [0, 1] over the lines that are fitted, x = (value - low) / (high - low).
The encoder gives each line a normal distribution over k latent units, the decoder gives each
latent point a number between 0 and 1 for every gene:

    q(z | x) = N(mu(x), diag s(x)^2),    z = mu(x) + s(x) e,  e ~ N(0, I),    x^ = decode(z)

The evidence lower bound (ELBO) of a line is at most the log likelihood of its row.  Training
minimises its negative, which has two terms:

    reconstruction   -sum over genes of  x log x^ + (1 - x) log(1 - x^),   averaged over z
    kl               KL(q(z | x) || N(0, I)) = 1/2 sum over units of  mu^2 + s^2 - 1 - log s^2
    loss             reconstruction + beta kl

For two normals in one dimension the second has this closed form because  E_q[z^2] = mu^2 + s^2:

    KL = E_q[log q - log p] = -1/2 log s^2 - 1/2 + 1/2 (mu^2 + s^2)

beta rises from 0 to its final value, so that the units learn to say something before the second
term charges for it.  With beta = 0 this is an autoencoder: nothing keeps s above 0.

x is no 0 or 1, and so no decoder brings the reconstruction to 0.  Its least value is the entropy,

    -sum over genes of  x log x + (1 - x) log(1 - x)       reached at x^ = x

and a printed loss means something only beside it (`reductions`).
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from scipy.special import entr
from sklearn.base import TransformerMixin
from torch import Tensor, nn
from torch.nn import functional as F

from cdp_lib import machine
from cdp_lib.errors import InputError
from cdp_lib.models.base.blocks import mlp
from cdp_lib.models.base.protocols import PROTOCOLS
from cdp_lib.models.base.settings import WIDTHS, Instance, Number, OneOf
from cdp_lib.models.base.stopping import set_aside
from cdp_lib.models.base.tables import Table, TableEstimator, check_names, floats
from cdp_lib.models.base.training import Training, seeded, train

STEADY = Training(
    lr=3e-3,
    epochs=100,
    patience=None,
    plateau=5,
    plateau_factor=0.8,
    lowest_lr=3e-4,
    validation_fraction=0.0,
)
AS_DESCRIBED = replace(STEADY, lr=0.1, lowest_lr=0.01)
COPIES = 4  # of each weight while it learns: itself, its gradient, and two moments of Adam
ACTIVE = 0.1  # nats: a unit with less tells hardly anything about a line


class Variational(nn.Module):
    """Encoder, the two heads of q(z | x), and decoder; `rectified` has ReLU on mu as well."""

    def __init__(self, features: int, hidden: int, k: int, decoder: tuple, rectified: bool):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(features, hidden), nn.BatchNorm1d(hidden), nn.ReLU()
        )  # (lines, hidden)
        after = [nn.BatchNorm1d(k), nn.ReLU()] if rectified else []
        self.mean = nn.Sequential(nn.Linear(hidden, k), *after)  # (lines, k)
        self.log_variance = nn.Linear(hidden, k)  # (lines, k)
        self.decoder = mlp([k, *decoder, features], "relu")  # (lines, features), before the sigmoid

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu and log s^2 of each row."""
        h = self.encoder(x)
        return self.mean(h), self.log_variance(h)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of x^ at one z drawn for each row, mu and log s^2."""
        mean, log_variance = self.encode(x)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        return self.decoder(z), mean, log_variance


def kl_by_unit(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) of each line and unit: (lines, k)."""
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2


def terms(module: Variational, x: Tensor, beta: float) -> dict[str, Tensor]:
    """The named terms of the loss, each the mean over the lines of a batch."""
    logits, mean, log_variance = module(x)
    wrong = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1).mean()
    kl = kl_by_unit(mean, log_variance).sum(dim=1).mean()
    weight = torch.tensor(beta, dtype=torch.float64)
    return {"loss": wrong + beta * kl, "reconstruction": wrong, "kl": kl, "beta": weight}


class GeneVAE(TransformerMixin, TableEstimator):
    """Features -> 256 -> a normal over 256 units -> as many as features -> features.

    `transform` gives mu.  `decoder` has the widths between latent units and features; None is one
    layer as wide as the features, which the paper describes.  A table of g genes then has a layer
    of g x g weights: 0.4 million for 642 genes, 3.3 thousand million for 57,820.

    With protocol="as_published" mu passes through batch normalisation and ReLU, so that no latent
    value is below 0 and half of each normal that the second term asks for cannot be reached.  With
    protocol="repaired" mu is linear.  Either learns everything, the range of each gene included,
    from the rows of X alone.  The paper fits on all lines before any is held out: fit on all lines,
    or give `predict_layers` and `LayeredEnsemble` all of them as `pretraining`, to do the same.

    beta rises in equal steps over `beta_epochs`.  A `validation_fraction` of the rows, or else the
    rows themselves, decides the plateaus and the best epoch, by the loss with the final beta.
    A value outside the range of the fitted lines counts as the end of that range.

    `AS_DESCRIBED` starts at the paper's learning rate of 0.1.  With the directions of Adam every
    weight then moves by about 0.1 a step, and on 642 cancer genes the training breaks, or ends
    where every line is decoded to the means of the genes; `STEADY` starts at 0.003.
    """

    _settings = {
        "n_components": Number(least=1, whole=True),
        "hidden": Number(least=1, whole=True),
        "decoder": [WIDTHS, None],
        "protocol": OneOf(*PROTOCOLS),
        "beta": Number(),
        "beta_epochs": Number(whole=True),
        "training": Instance(Training),
    }

    def __init__(
        self,
        n_components: int = 256,
        hidden: int = 256,
        decoder: tuple[int, ...] | None = None,
        protocol: str = "repaired",
        beta: float = 1.0,
        beta_epochs: int = 50,
        training: Training = STEADY,
    ):
        self.n_components = n_components
        self.hidden = hidden
        self.decoder = decoder
        self.protocol = protocol
        self.beta = beta
        self.beta_epochs = beta_epochs
        self.training = training

    def fit(self, X: Table, Y: None = None) -> "GeneVAE":
        """Learn from the rows of X; Y plays no part."""
        x = self._open_x(X)  # (lines, features)
        stop = set_aside(x, self.training.validation_fraction, self.training.seed)
        check_batches(int((~stop).sum()), self.training.batch_size)
        decoder = (x.shape[1],) if self.decoder is None else tuple(self.decoder)
        check_memory(x.shape[1], self.hidden, self.n_components, decoder)
        self.low_ = x[~stop].min(axis=0)
        spread = np.ptp(x[~stop], axis=0)
        self.range_ = np.where(spread > 0, spread, 1.0)
        with seeded(self.training.seed):  # the initial weights
            self.module_ = Variational(
                x.shape[1],
                self.hidden,
                self.n_components,
                decoder,
                rectified=self.protocol == "as_published",
            )
        rows = (self._scaled(x[~stop]),)
        judges = (self._scaled(x[stop]),) if stop.any() else rows
        beta = self.beta

        def begin(epoch: int) -> None:
            nonlocal beta
            beta = self.beta * min(1.0, epoch / max(self.beta_epochs, 1))

        def loss(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
            return terms(module, x, beta if module.training else self.beta)

        self.history_ = train(self.module_, loss, rows, judges, self.training, begin=begin)
        return self

    def transform(self, X: Table) -> Table:
        """mu of each row: (lines, n_components)."""
        latent = self._encoded(X)[0].cpu().numpy().astype(float)
        return pd.DataFrame(latent, X.index, self._units()) if _named(X) else latent

    def decode(self, latent: Table) -> Table:
        """The rows that latent points stand for, in the units of the fitted table."""
        self._check_fitted()
        if np.ndim(latent) != 2 or np.shape(latent)[1] != self.n_components:
            raise InputError(
                f"The latent table has the shape {np.shape(latent)}, but this GeneVAE has "
                f"{self.n_components} latent units: pass what transform gave."
            )
        if _named(latent):
            check_names(self._units(), latent.columns, "The latent table", "latent units")
        z = torch.tensor(floats(latent, "The latent table"), dtype=torch.float32)
        if not torch.isfinite(z).all():
            raise InputError("The latent table has NaN or infinite values: leave these rows out.")
        with torch.no_grad():
            x = torch.sigmoid(self.module_.decoder(z.to(self._device()))).cpu().numpy()
        x = self.low_ + self.range_ * x.astype(float)
        return pd.DataFrame(x, latent.index, self.features_) if _named(latent) else x

    def reconstruct(self, X: Table) -> Table:
        """Each row, from its mu: (lines, features)."""
        return self.decode(self.transform(X))

    inverse_transform = decode

    def kl_by_unit(self, X: Table) -> pd.Series:
        """The second term of each unit, the mean over the rows of X, the largest first."""
        kl = kl_by_unit(*self._encoded(X)).mean(dim=0).cpu().numpy().astype(float)
        return pd.Series(kl, self._units(), name="kl").sort_values(ascending=False)

    def active_units(self, X: Table, least: float = ACTIVE) -> int:
        """How many units tell more than `least` nats about a line; the others have collapsed."""
        return int((self.kl_by_unit(X) > least).sum())

    def terms_by_line(self, X: Table) -> pd.DataFrame:
        """reconstruction (at mu), kl, and the entropy of each row, in nats."""
        x = self._scaled(self._read_x(X)).to(self._device())
        with torch.no_grad():
            mean, log_variance = self.module_.encode(x)
            wrong = F.binary_cross_entropy_with_logits(
                self.module_.decoder(mean), x, reduction="none"
            )
            kl = kl_by_unit(mean, log_variance).sum(dim=1)
        x = x.cpu().numpy().astype(float)
        found = {
            "reconstruction": wrong.sum(dim=1).cpu().numpy(),
            "kl": kl.cpu().numpy(),
            "entropy": (entr(x) + entr(1 - x)).sum(axis=1),
        }
        return pd.DataFrame(found, X.index if _named(X) else None, dtype=float)

    def _encoded(self, X: Table) -> tuple[Tensor, Tensor]:
        x = self._scaled(self._read_x(X)).to(self._device())
        with torch.no_grad():
            return self.module_.encode(x)

    def _scaled(self, x: np.ndarray) -> Tensor:
        unit = np.clip((x - self.low_) / self.range_, 0, 1)
        return torch.tensor(unit, dtype=torch.float32)

    def _device(self) -> torch.device:
        return next(self.module_.parameters()).device

    def _units(self) -> pd.Index:
        return pd.Index([f"latent {number}" for number in range(1, self.n_components + 1)])


def reductions(model: GeneVAE, X: Table) -> pd.DataFrame:
    """One trained model's loss under each way to add up its terms, beside what no model can beat.

    A row a way: reconstruction (at mu), kl, their sum, `floor`, the entropy, which is the least
    reconstruction of any model, and `gene_means`, what one number a gene reaches on these lines.
    A mean over genes goes with a mean over units.
    """
    terms = model.terms_by_line(X)
    x = model._scaled(model._read_x(X)).numpy().astype(float)
    mean = x.mean(axis=0)
    level = float((entr(mean) + entr(1 - mean)).sum())  # of a line, the mean over lines
    genes, units, lines = x.shape[1], model.n_components, len(x)
    rows = {}
    for over, share, unit_share in (("sum", 1, 1), ("mean", 1 / genes, 1 / units)):
        for across, times in (("mean", 1), ("sum", lines)):
            wrong = terms["reconstruction"].mean() * times * share
            kl = terms["kl"].mean() * times * unit_share
            rows[f"{over} over genes, {across} over lines"] = {
                "reconstruction": wrong,
                "kl": kl,
                "loss": wrong + model.beta * kl,
                "floor": terms["entropy"].mean() * times * share,
                "gene_means": level * times * share,
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("loss added up as")


def check_batches(lines: int, batch_size: int | None) -> None:
    """Batch normalisation compares the lines of a batch: one line alone has no spread."""
    batches = -(-lines // (batch_size or max(lines, 1)))
    if lines < 2 or lines // batches < 2:
        raise InputError(
            f"GeneVAE got {lines} lines (n_samples={lines}) in batches of {batch_size}, and one of "
            "them would hold a single line: give more lines or a larger batch_size."
        )


def check_memory(features: int, hidden: int, k: int, decoder: tuple[int, ...]) -> None:
    """Refuse a network that this machine cannot hold while it learns."""
    sizes = [features, hidden, 2 * k], [k, *decoder, features]
    weights = sum(a * b for part in sizes for a, b in zip(part[:-1], part[1:], strict=True))
    needed, there = COPIES * 4 * weights / 2**30, machine.memory()
    if there is not None and needed > there:
        raise InputError(
            f"With {features} features and decoder={decoder} there are {weights:,} weights, which "
            f"need {needed:.0f} GiB while they learn, and this machine has {there:.0f}: give fewer "
            "features, or decoder=() for a single layer."
        )


def _named(table: Table) -> bool:
    return isinstance(table, pd.DataFrame)
