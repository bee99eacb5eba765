"""One eigendecomposition for every penalty; on NumPy's arrays, or on tensors of any device.

For centred Z (lines, dims) the ridge weights at every alpha are

    w(alpha) = B diag(1 / (d + alpha)) C y,      from  Z'Z = B d B',  C = B'Z'    (few dims)
                                             or  Z Z' = C' d C,  B = Z'C'         (few lines)
"""

import numpy as np
import torch
from scipy.linalg import eigh as scipy_eigh

Array = np.ndarray | torch.Tensor
Spectrum = tuple[Array, Array, Array]


def spectrum(z: Array) -> Spectrum:
    """B, d, C such that  w(alpha) = B diag(1 / (d + alpha)) C y  for centred z and y."""
    lines, dims = z.shape
    if dims <= lines:
        d, V = eigh(z.T @ z)
        return V, d.clip(min=0), V.T @ z.T
    d, U = eigh(z @ z.T)
    return z.T @ U, d.clip(min=0), U.T


def weights_at(spectrum: Spectrum, y: Array, alphas: np.ndarray | float) -> Array:
    """The weights (dims, columns) of centred y, each column at its own alpha."""
    B, d, C = spectrum
    return B @ (C @ y / (d[:, None] + like(d, alphas)))


def validation_errors(
    spectrum: Spectrum, y: Array, mean: Array, z: Array, truth: Array, alpha: float
) -> np.ndarray:
    """Squared error in validation rows z (centred), a column; NaN where none is known."""
    squares = (truth - z @ weights_at(spectrum, y, alpha) - mean) ** 2  # (rows, columns)
    known = ~np.isnan(here(squares))
    return np.where(known.any(axis=0), np.where(known, here(squares), 0.0).sum(axis=0), np.nan)


def rotate(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z and R with X = Z R' and R'R = 1: ridge on Z is ridge on X, with at most `lines` dims."""
    lines, features = x.shape
    if features <= lines:
        return x, np.eye(features)
    d, U = scipy_eigh(x @ x.T)
    keep = d > d[-1] * lines * np.finfo(float).eps
    size = np.sqrt(d[keep])
    return U[:, keep] * size, x.T @ (U[:, keep] / size)


def eigh(a: Array) -> tuple[Array, Array]:
    if len(a) == 0:  # features that are all constant; some versions of LAPACK refuse it
        return a.diagonal(), a
    return torch.linalg.eigh(a) if isinstance(a, torch.Tensor) else scipy_eigh(a)


def solve(a: Array, b: Array) -> Array:
    return (torch if isinstance(a, torch.Tensor) else np).linalg.solve(a, b)


def identity(size: int, kind: Array) -> Array:
    return like(kind, np.eye(size))


def like(kind: Array, values: np.ndarray | float) -> Array:
    """`values` as what `kind` is, in the same place."""
    return torch.as_tensor(values, device=kind.device) if isinstance(kind, torch.Tensor) else values


def here(a: Array) -> np.ndarray:
    return a.cpu().numpy() if isinstance(a, torch.Tensor) else a


def single(a: Array) -> Array:
    return a.float() if isinstance(a, torch.Tensor) else a.astype(np.float32)
