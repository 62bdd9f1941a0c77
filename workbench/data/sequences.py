"""From arrays of numbers to sequences as they are stored here: ``(N, steps, features)``, float32."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np

from workbench.data.content import LARGEST, Array, rows_listed
from workbench.errors import InputError

_PIECE = 4096
_NAMES = {
    "pictures": re.compile(r"(?i)image|picture|photo"),
    "sequences": re.compile(r"(?i)sequence|series|signal|steps"),
}


def are_sequences(data: Array, name: str, asked: Literal["auto", "pictures", "sequences"]) -> bool:
    """Whether an array of examples holds sequences: as asked, else by its name, else by its numbers and sizes.

    Of three axes are gray pictures as well, which have whole numbers from 0 to 255 or sides that are alike; all
    others are taken for sequences.
    """
    if asked != "auto" or data.ndim != 3:
        return asked == "sequences"
    for what, pattern in _NAMES.items():
        if pattern.search(name):
            return what == "sequences"
    return data.shape[1] != data.shape[2] and not _are_bytes(data)


def _are_bytes(data: Array) -> bool:
    if data.dtype.kind == "b" or data.dtype == np.uint8:
        return True
    return all(
        bool(((piece >= 0) & (piece <= 255) & (piece == np.floor(piece))).all())
        for start in range(0, len(data), _PIECE)
        for piece in (data[start : start + _PIECE],)
    )


def sequences_of(data: Array, where: str) -> Array:
    """Put an array of numbers into the form of sequences.

    Args:
        data: ``(N, steps, features)``, or ``(N, steps)`` of one feature.

    Raises:
        InputError: it has other axes, no steps, or values that are not finite.
    """
    if data.ndim == 2:
        data = data[..., None]
    if data.ndim != 3 or 0 in data.shape:
        size = " × ".join(map(str, data.shape))
        raise InputError(f"holds {size} numbers; sequences have examples × steps × features", where=where)
    bad = _unusable(data) if data.dtype.kind == "f" else np.zeros(0, np.int64)
    if len(bad):
        raise InputError(
            f"sequences in {rows_listed(bad)} hold values that are missing, infinite or far too large",
            where=where,
            mend="Fill shorter sequences up with zeros; mend or remove others.",
        )
    return np.ascontiguousarray(data, np.float32)


def _unusable(data: np.ndarray[Any, Any]) -> Array:
    wrong = [
        start + np.flatnonzero(~(np.abs(piece) <= LARGEST).all(axis=(1, 2)))
        for start in range(0, len(data), _PIECE)
        for piece in (data[start : start + _PIECE],)
    ]
    return np.concatenate([np.zeros(0, np.int64), *wrong])
