"""Counter-based random numbers: a value is a function of (seed, purpose, epoch, step, ...) and of its index.

Nothing is drawn "next": order of calls, number of threads and the point of a resume change nothing, and NumPy and
CuPy give the same bits. The generator is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
generators, OOPSLA 2014): element ``i`` of a stream is ``mix(key + (i + 1) * golden)``, the key itself a chain of mixes.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def key_of(*parts: int | str) -> int:
    """A 64-bit key for a stream; a text stands for its CRC-32, so keys are the same in every process.

    ``key_of(seed, "dropout", "drop_1", epoch, step)``
    """
    key = 0
    for part in parts:
        number = zlib.crc32(part.encode()) | 1 << 32 if isinstance(part, str) else part
        key = _mix_int((key + _GOLDEN) & _MASK ^ _mix_int((number + _GOLDEN) & _MASK))
    return key


def bits(xp: Any, key: int, indices: Any) -> Any:
    """64 random bits for each index.

    Args:
        xp: NumPy or CuPy.
        key: of ``key_of``.
        indices: uint64 array of any shape.

    Returns:
        uint64 array of the same shape.
    """
    z = (indices + np.uint64(1)) * np.uint64(_GOLDEN)
    z += np.uint64(key)
    z ^= z >> np.uint64(30)
    z *= np.uint64(_FIRST)
    z ^= z >> np.uint64(27)
    z *= np.uint64(_SECOND)
    z ^= z >> np.uint64(31)
    return z


def uniform(xp: Any, key: int, start: int, count: int, dtype: Any = np.float32) -> Any:
    """Elements ``start`` to ``start + count`` of a stream, uniform in [0, 1).

    In float32 each 64-bit draw gives two values (24 bits each), so ``start`` must be even there.

    Returns:
        array ``(count,)`` of the dtype.
    """
    if np.dtype(dtype) == np.float64:
        draws = bits(xp, key, xp.arange(start, start + count, dtype=np.uint64))
        return (draws >> np.uint64(11)).astype(np.float64) * 2.0**-53
    assert start % 2 == 0, "a float32 stream is read in pairs"
    pairs = bits(xp, key, xp.arange(start // 2, (start + count + 1) // 2, dtype=np.uint64))
    halves = pairs.view(np.uint32)[:count]
    return (halves >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def uniform_of(xp: Any, key: int, indices: Any) -> Any:
    """A uniform float64 in [0, 1) for each index (an example's number): the same whatever batch it stands in."""
    return (bits(xp, key, indices.astype(np.uint64)) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(xp: Any, key: int, start: int, count: int) -> Any:
    """Elements of a standard normal stream, float64 ``(count,)``, by Box and Muller's transform."""
    radius = uniform(xp, key_of(key & 0xFFFFFFFF, key >> 32, 1), start, count, np.float64)
    angle = uniform(xp, key_of(key & 0xFFFFFFFF, key >> 32, 2), start, count, np.float64)
    # 1 - u lies in (0, 1], so the logarithm is finite.
    return xp.sqrt(-2.0 * xp.log1p(-radius)) * xp.cos(2.0 * np.pi * angle)


def permutation(xp: Any, key: int, count: int) -> Any:
    """The numbers 0 to ``count - 1`` in random order, int64: the order of their random bits."""
    return xp.argsort(bits(xp, key, xp.arange(count, dtype=np.uint64)), kind="stable").astype(np.int64)


def _mix_int(z: int) -> int:
    z = ((z ^ z >> 30) * _FIRST) & _MASK
    z = ((z ^ z >> 27) * _SECOND) & _MASK
    return z ^ z >> 31
