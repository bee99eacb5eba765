"""A trained junction-tree autoencoder on disk: numbers, words and a record, and nothing to run.

A safetensors file holds the weights in half precision; its header holds the vocabulary, the
settings, the versions it was written with and the record of the training.  A digest over all of it
tells a damaged file.  The words are spelled anew by the installed RDKit, because spellings change.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import rdkit
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cdp_lib import __version__
from cdp_lib.errors import InputError
from cdp_lib.models.base.weights import digest_of
from cdp_lib.models.junction_tree.fitting import JunctionTree
from cdp_lib.models.junction_tree.trees import respelled
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE

TRAINED = Path(__file__).with_name("zinc.safetensors")
FORMAT = "cdp junction tree 1"


def save(model: JunctionTree, path: str | Path, record: dict[str, Any]) -> None:
    """Write a fitted model and the record of its training."""
    model._check_fitted()
    weights = {
        name: tensor.detach().cpu().half().contiguous()
        for name, tensor in model.module_.named_parameters()  # what is shared, once
    }
    about = {
        "format": FORMAT,
        "settings": json.dumps(model.module_.settings),
        "vocabulary": json.dumps(model.module_.vocabulary),
        "versions": json.dumps({"cdp-lib": __version__, "rdkit": rdkit.__version__}),
        "record": json.dumps(record),
    }
    save_file(weights, path, metadata=about | {"sha256": _digest(about, weights)})


def load(path: str | Path | None = None) -> JunctionTree:
    """The model that `save` wrote; None: the one that comes with the library.

    `record_` tells how it was trained.
    """
    path = TRAINED if path is None else Path(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            about = dict(file.metadata() or {})
            weights = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is not a junction-tree model ({error}): write it with save, or fetch it again."
        ) from None
    if about.get("format") != FORMAT:
        raise InputError(
            f"{path} holds no {FORMAT!r} but {about.get('format', 'other weights')!r}: "
            "it was written by something else, or by another version of this library."
        )
    if about.pop("sha256", None) != _digest(about, weights):
        raise InputError(f"{path} is damaged, by its sha256: fetch it again.")
    settings, words = json.loads(about["settings"]), json.loads(about["vocabulary"])
    vocabulary = respelled(words)
    if len(vocabulary) != len(words):
        raise InputError(
            f"RDKit {rdkit.__version__} spells two of the {len(words)} words of {path} alike: "
            "use the version that wrote it, " + json.loads(about["versions"])["rdkit"] + "."
        )
    model = JunctionTree(**settings, vocabulary=tuple(vocabulary))
    model.module_ = JunctionTreeVAE(vocabulary, **settings)
    with torch.no_grad():
        for name, tensor in model.module_.named_parameters():
            tensor.copy_(weights[name])
    model.module_.eval()
    model.left_out_ = {}
    model.record_ = json.loads(about["record"]) | {"versions": json.loads(about["versions"])}
    return model


def _digest(about: dict[str, str], weights: dict[str, torch.Tensor]) -> str:
    text = json.dumps(about, sort_keys=True) + digest_of(weights)
    return hashlib.sha256(text.encode()).hexdigest()
