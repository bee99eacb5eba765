"""Train the junction-tree autoencoder, and use it as a transformer of molecules.

Without the KL term latent vectors run away in the first steps, and with all of it from the start
they say nothing.  So its weight rises (Jin et al. raise theirs in steps):

    beta = low                                  in the first tenth of the steps
           low + (high - low) (t - 0.1) / 0.4   until half of the steps are done
           high                                 then

With 0.05 in the end, the latent vectors of ZINC's molecules, means and noise together, spread about
as far as the prior, so that what is drawn from the prior is decoded to molecules like them.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.base import TransformerMixin
from torch import Tensor

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Estimator, Instance, Number, Tuple, Workers, check_settings
from cdp_lib.models.base.tables import NotFitted
from cdp_lib.models.base.training import Training, seeded, train
from cdp_lib.models.junction_tree.batch import Batch
from cdp_lib.models.junction_tree.prepared import Prepared, prepare
from cdp_lib.models.junction_tree.trees import respelled, tree
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE

AT_ONCE = 256  # molecules that are encoded together
ONCE_THROUGH = Training(
    lr=1e-3, epochs=10, batch_size=64, patience=None, decay=True, validation_fraction=0.0
)


class JunctionTree(TransformerMixin, Estimator):
    """Molecules as `latent` numbers, the first half from the tree and the second from the graph.

    `vocabulary` lists the words that molecules may be made of; None takes those of the training
    molecules.  A training molecule with another word is left out; `left_out_` names it and its
    words, and a warning counts them.  Afterwards such a molecule is refused.
    """

    _settings = {
        "width": Number(least=2, whole=True),
        "latent": Number(least=2, whole=True),
        "vocabulary": [Instance(tuple, list), None],
        "beta": Tuple(Number(), least=2),
        "training": Instance(Training),
        "n_jobs": Workers(),
    }

    def __init__(
        self,
        width: int = 200,
        latent: int = 56,
        vocabulary: Sequence[str] | None = None,
        beta: tuple[float, float] = (0.001, 0.05),
        training: Training = ONCE_THROUGH,
        n_jobs: int = 1,
    ):
        self.width = width
        self.latent = latent
        self.vocabulary = vocabulary
        self.beta = beta
        self.training = training
        self.n_jobs = n_jobs

    def fit(self, X: Iterable[str], y: None = None) -> "JunctionTree":
        """Learn from the SMILES of molecules."""
        check_settings(self)
        if self.latent % 2:
            raise InputError(f"latent={self.latent} cannot be halved: give an even number.")
        if len(self.beta) != 2:
            raise InputError(f"beta={self.beta!r} must be two numbers: the lowest and the highest.")
        smiles = texts(X)
        words = self.vocabulary
        if words is None:
            words = sorted({word for text in smiles for word in tree(text).words})
        prepared = prepare(smiles, respelled(words), self.n_jobs)
        self.left_out_ = prepared.unknown
        if not prepared.smiles:
            raise InputError(
                f"None of the {len(smiles)} molecules is made of words of the vocabulary: "
                "there is nothing to learn from."
            )
        if self.left_out_:
            warnings.warn(
                f"{len(smiles) - len(prepared.smiles)} of {len(smiles)} molecules hold words "
                "outside the vocabulary and are left out: see left_out_.",
                stacklevel=2,
            )
        with seeded(self.training.seed):  # the initial weights
            self.module_ = JunctionTreeVAE(respelled(words), self.width, self.latent)
        rows = torch.arange(len(prepared.smiles))
        steps = self.training.epochs * math.ceil(
            len(rows) / (self.training.batch_size or len(rows))
        )
        loss = annealed(prepared, self.beta, steps)
        self.history_ = train(self.module_, loss, (rows,), training=self.training)
        return self

    def transform(self, X: Iterable[str]) -> pd.DataFrame:
        """Latent means (molecules, latent); rows are named as a Series names them, or by SMILES."""
        smiles = texts(X)
        prepared = self._prepared(smiles, choose=False)
        self.module_.eval()
        means = [torch.zeros(0, self.module_.latent)]
        with torch.no_grad():
            means += [self.module_.encode(batch)[0].cpu() for batch in self._batches(prepared)]
        names = X.index if isinstance(X, pd.Series) else pd.Index(smiles, name="smiles")
        half = self.module_.latent // 2
        columns = [f"{part} {n}" for part in ("tree", "graph") for n in range(1, half + 1)]
        return pd.DataFrame(torch.cat(means).double().numpy(), names, columns)

    def inverse_transform(self, Z: pd.DataFrame | np.ndarray) -> pd.Series:
        """The SMILES that latent vectors are decoded to; None where nothing valid was found."""
        from cdp_lib.models.junction_tree.decoding import decode

        self._check_fitted()
        names = Z.index if isinstance(Z, pd.DataFrame) else None
        return pd.Series(decode(self.module_, np.asarray(Z)).smiles, names, name="smiles")

    def losses(self, X: Iterable[str]) -> dict[str, float]:
        """The terms of the loss for molecules, decoded from their latent means, beta = 1."""
        prepared, totals = self._prepared(texts(X)), {}
        if not prepared.smiles:
            raise InputError("There is no molecule to judge: give at least one.")
        self.module_.eval()
        with torch.no_grad():
            for batch in self._batches(prepared):
                for name, value in self.module_(batch, noise=False).items():
                    totals[name] = totals.get(name, 0.0) + float(value) * batch.count
        return {name: total / len(prepared.smiles) for name, total in totals.items()}

    def _batches(self, prepared: Prepared) -> Iterable[Batch]:
        device = next(self.module_.parameters()).device
        count = len(prepared.smiles)
        for start in range(0, count, AT_ONCE):
            yield Batch.of(prepared, np.arange(start, min(start + AT_ONCE, count)), device)

    def _prepared(self, smiles: Sequence[str], choose: bool = True) -> Prepared:
        self._check_fitted()
        prepared = prepare(smiles, self.module_.vocabulary, self.n_jobs, choose=choose)
        for text, words in prepared.unknown.items():
            raise InputError(
                f"{len(smiles) - len(prepared.smiles)} of {len(smiles)} molecules hold rings or "
                f"bonds that this model has never seen, the first {text!r} with "
                f"{', '.join(words)}: leave them out, or fit a model with these words."
            )
        return prepared

    def _check_fitted(self) -> None:
        if not hasattr(self, "module_"):
            raise NotFitted(f"This {type(self).__name__} is not fitted yet: call fit first.")


def texts(X: Iterable[str]) -> list[str]:
    """The SMILES of a list or a column."""
    if isinstance(X, str) or not isinstance(X, Iterable):
        raise InputError(f"{X!r} is no list of SMILES: give a list, or a column of a table.")
    return list(X)


def annealed(
    prepared: Prepared, beta: tuple[float, float], steps: int
) -> Callable[[JunctionTreeVAE, Tensor], dict[str, Tensor]]:
    """The loss of a batch of rows, with the beta of its step."""
    done = 0

    def loss(module: JunctionTreeVAE, rows: Tensor) -> dict[str, Tensor]:
        nonlocal done
        now = rising(done / max(steps, 1), *beta)
        done += module.training
        return module(Batch.of(prepared, rows.cpu().numpy(), rows.device), now)

    return loss


def rising(share: float, low: float, high: float) -> float:
    """beta when this share of the steps is done."""
    return low + (high - low) * min(max((share - 0.1) / 0.4, 0.0), 1.0)
