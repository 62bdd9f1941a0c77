"""A fingerprint of data: equal for equal content, wherever it lies and however it was written."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from workbench.data.content import Array, Content

_PIECE = 2**16


def fingerprint_of(content: Content) -> str:
    """SHA-256 over names, types, values, examples and the sets that are fixed; notes and paths do not count."""
    digest = hashlib.sha256()
    for column in content.columns:
        digest.update(json.dumps([column.name, column.type, column.categories]).encode())
        _add(digest, column.values)
    if content.arrays is not None:
        _add(digest, content.arrays)
    if content.sets is not None:
        _add(digest, content.sets)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, array: Array) -> None:
    digest.update(json.dumps([array.dtype.name, array.shape]).encode())
    # One bit pattern for each value: little-endian on every machine, one NaN, no negative zero.
    plain = array.dtype.newbyteorder("<")
    for start in range(0, len(array), _PIECE):
        piece = np.ascontiguousarray(array[start : start + _PIECE], plain)
        if piece.dtype.kind == "f":
            piece = np.where(np.isnan(piece), np.nan, piece).astype(plain) + plain.type(0)
        digest.update(piece.tobytes())
