"""A toy model that knows its few molecules by heart, and one that has learned nothing."""

from dataclasses import replace

import pytest
import torch

from cdp_lib.models.junction_tree import JunctionTree
from cdp_lib.models.junction_tree.fitting import ONCE_THROUGH
from cdp_lib.models.junction_tree.trees import tree
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE

KNOWN = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "CN1CCC[C@H]1c1cccnc1",
    "CCCS(=O)(=O)Nc1ccc(F)c(C(=O)c2c[nH]c3ncc(Cl)cc23)c1F",  # PLX-4720
    "O=C(Nc1nc[nH]n1)c1cccnc1Nc1cccc(F)c1",
    "Cc1c(CC)cnc(CCO)c1",
)
RINGS = ("C1CC2CCC1C2", "C1CCC2(CC1)OCCO2", "C1CC2(C1)CCC21CC1", "c1ccc2c(c1)Cc1ccccc12")


@pytest.fixture(scope="session")
def known() -> tuple[str, ...]:
    return KNOWN


@pytest.fixture(scope="session")
def by_heart() -> JunctionTree:
    training = replace(ONCE_THROUGH, epochs=150, lr=6e-3, batch_size=6, device="cpu")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    fitted = JunctionTree(width=32, latent=12, beta=(0.0, 0.001), training=training).fit(KNOWN)
    torch.set_num_threads(before)
    return fitted


@pytest.fixture(scope="session")
def untrained() -> JunctionTreeVAE:
    """Words of many kinds, and no idea which to take."""
    words = sorted({word for text in (*KNOWN, *RINGS) for word in tree(text).words})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = JunctionTreeVAE(words, width=24, latent=12)
        with torch.no_grad():
            for weight in module.parameters():
                weight *= 3  # decided, but at random
    return module.eval()
