"""A model's numbers as safetensors and npz, in the ecosystem's layout and under the names of the PyTorch source."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.data.encoder import Encoder
from workbench.engine.backend import Backend
from workbench.engine.network import Network
from workbench.engine.parameters import Parameters, Tensors
from workbench.store.names import NORMALIZE, module_names
from workbench.store.tensors import from_bytes, to_bytes


def checked_tensors(network: Network, tensors: Mapping[str, np.ndarray[Any, Any]]) -> Tensors:
    """The network's tensors in float32, in the order of its layers.

    Raises:
        InputError: one is missing or has another shape.
    """
    parameters = Parameters(network, Backend())
    parameters.load(tensors)
    return parameters.export()


def normalizes(encoder: Encoder) -> bool:
    """Whether normalization changes anything."""
    return bool(np.any(encoder.shift != 0) or np.any(encoder.scale != 1))


def per_channel(values: np.ndarray[Any, Any], encoder: Encoder) -> np.ndarray[Any, Any]:
    """A value for each feature ``(F,)``, channels-first also ``(F, 1)`` and ``(C, 1, 1)``; float32."""
    return np.asarray(values, np.float32).reshape(-1, *(1 for _ in encoder.input_shape[1:]))


def model_tensors(network: Network, tensors: Mapping[str, np.ndarray[Any, Any]], encoder: Encoder) -> Tensors:
    """The state of the PyTorch model: all weights and running statistics, and ``normalize.shift`` and ``.scale``.

    Raises:
        InputError: a tensor is missing or has another shape.
    """
    names, state = module_names(network), {}
    if normalizes(encoder):
        state[f"{NORMALIZE}.shift"] = per_channel(encoder.shift, encoder)
        state[f"{NORMALIZE}.scale"] = per_channel(encoder.scale, encoder)
    for name, array in checked_tensors(network, tensors).items():
        layer, _, parameter = name.partition(".")
        state[f"{names[layer]}.{parameter}"] = array
    return state


def facts_of(encoder: Encoder, metadata: Mapping[str, str]) -> dict[str, str]:
    """What an exported model says of itself: task, and class and feature names as JSON lists, besides ``metadata``."""
    own = {
        "task": encoder.task,
        "classes": json.dumps(encoder.classes),
        "features": json.dumps(encoder.feature_names),
    }
    return dict(sorted({**metadata, **own}.items()))


def to_safetensors(
    network: Network, tensors: Mapping[str, np.ndarray[Any, Any]], encoder: Encoder, metadata: Mapping[str, str]
) -> bytes:
    """A safetensors file for ``load_state_dict`` of the PyTorch source; equal models give equal bytes.

    Args:
        network: the layers.
        tensors: their numbers, ``<layer>.<parameter>``.
        encoder: how its input is normalized, and the names of classes and features.
        metadata: more texts to keep, such as the recipe's fingerprint.

    Raises:
        InputError: a tensor is missing or has another shape.
    """
    return to_bytes(model_tensors(network, tensors, encoder), facts_of(encoder, metadata))


def to_npz(
    network: Network, tensors: Mapping[str, np.ndarray[Any, Any]], encoder: Encoder, metadata: Mapping[str, str]
) -> bytes:
    """The same as an npz file for NumPy; the texts are arrays named ``task``, ``classes``, ``features`` and so on.

    Raises:
        InputError: a tensor is missing or has another shape.
    """
    texts: dict[str, Any] = {
        **metadata,
        "task": encoder.task,
        "classes": encoder.classes,
        "features": encoder.feature_names,
    }
    arrays = model_tensors(network, tensors, encoder)
    arrays |= {name: np.array(text, np.str_) for name, text in sorted(texts.items())}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def read_safetensors(data: bytes, where: str) -> tuple[Tensors, dict[str, str]]:
    """The tensors and texts of a safetensors file from anywhere; nothing that it claims is believed unchecked.

    Args:
        data: the file.
        where: its name for messages.

    Raises:
        InputError: it is no sound safetensors file.
    """
    return from_bytes(data, where)
