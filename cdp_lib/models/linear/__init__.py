"""Linear models: whole paths of ridge and lasso, CCA, and kernels combined by Bayes."""

from cdp_lib.models.linear.bemkl import BEMKL
from cdp_lib.models.linear.cca import CCA, CCAReduced
from cdp_lib.models.linear.lasso import ElasticNet, Lasso
from cdp_lib.models.linear.paths import ridge_path, ridge_scores
from cdp_lib.models.linear.ridge import AlphaAtEdge, LinearRegression, Ridge
from cdp_lib.models.linear.single_gene import SingleGene

__all__ = [
    "AlphaAtEdge",
    "BEMKL",
    "CCA",
    "CCAReduced",
    "ElasticNet",
    "Lasso",
    "LinearRegression",
    "Ridge",
    "SingleGene",
    "ridge_path",
    "ridge_scores",
]
