"""From arrays of pixel values to pictures as they are stored here: ``(N, H, W, C)``, uint8 or float32."""

from __future__ import annotations

import numpy as np

from workbench.data.content import LARGEST, Array, rows_listed
from workbench.errors import InputError

_CHANNELS = (1, 3, 4)
_MOST_SIDE = 16_384


def pictures_of(data: Array, where: str, notes: list[str]) -> Array:
    """Put an array of numbers into the form of pictures; what was decided is added to ``notes``.

    Args:
        data: ``(N, H, W)``, ``(N, H, W, C)`` or ``(N, C, H, W)`` with 1, 3 or 4 channels.

    Raises:
        InputError: there are no pixels, or too large, or values that are not finite.
    """
    if data.ndim == 3:
        data = data[..., None]
    elif data.shape[1] in _CHANNELS and data.shape[3] not in _CHANNELS:
        notes.append("channels first: turned to channels last")
        data = data.transpose(0, 2, 3, 1)
    if 0 in data.shape[1:] or max(data.shape[1:3]) > _MOST_SIDE:
        size = " × ".join(map(str, data.shape[1:]))
        raise InputError(f"holds pictures of {size} pixels, which cannot be used", where=where)
    return np.ascontiguousarray(_pixels(data, where, notes))


def _pixels(data: Array, where: str, notes: list[str]) -> Array:
    if data.dtype == np.uint8:
        return data
    if data.dtype.kind == "b":
        return data.astype(np.uint8)
    if data.dtype.kind in "iu" and data.size and data.min() >= 0 and data.max() <= 255:
        notes.append(f"{data.dtype} pixels within 0 to 255: kept as bytes")
        return data.astype(np.uint8)
    bad = _unusable(data) if data.dtype.kind == "f" else np.zeros(0, np.int64)
    if len(bad):
        raise InputError(
            f"pictures in {rows_listed(bad)} hold values that are missing, infinite or far too large",
            where=where,
            mend="Mend or remove these pictures.",
        )
    return data.astype(np.float32, copy=False)


def _unusable(data: Array) -> Array:
    wrong = [
        start + np.flatnonzero(~(np.abs(piece) <= LARGEST).all(axis=(1, 2, 3)))
        for start in range(0, len(data), 4096)
        for piece in (data[start : start + 4096],)
    ]
    return np.concatenate([np.zeros(0, np.int64), *wrong])
