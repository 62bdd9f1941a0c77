"""Named arrays as safetensors: a format that holds numbers only, read here with bounds on everything it claims."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import InputError

Tensors = dict[str, np.ndarray[Any, Any]]

_LARGEST_HEADER = 2**20
_MOST_TENSORS = 10_000
_MOST_AXES = 16
_DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
BFLOAT16 = "BF16"
"""The upper half of a float32. NumPy has no such type: it is read as float32, and never written."""


def to_bytes(tensors: Mapping[str, np.ndarray[Any, Any]], metadata: Mapping[str, str]) -> bytes:
    """Arrays and texts as a safetensors file; equal content gives equal bytes.

    Written here and not by the safetensors package, whose metadata come in random order. As there, longer numbers come
    first, so that every array is aligned.
    """
    names = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header: dict[str, Any] = {"__metadata__": {key: metadata[key] for key in sorted(metadata)}} if metadata else {}
    parts: list[Any] = []
    end = 0
    for name in order:
        array = tensors[name]
        # A view, not a copy: a checkpoint of a large network is in memory often enough.
        parts.append(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8))
        start, end = end, end + array.nbytes
        dtype = names[array.dtype.newbyteorder("=")]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def from_bytes(data: bytes, where: str) -> tuple[Tensors, dict[str, str]]:
    """The arrays and texts of a safetensors file; bfloat16 becomes float32.

    Args:
        data: the file.
        where: its name for messages.

    Raises:
        InputError: it is no sound safetensors file: a header over 1 MB, over 10,000 tensors, sizes that do not
            add up, gaps or overlaps.
    """
    header, body = _split(data, where)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _bad(where, "its metadata is no table of texts")
    if len(header) > _MOST_TENSORS:
        raise _bad(where, f"it claims {len(header):,} tensors, more than {_MOST_TENSORS:,}")
    spans = []
    tensors: Tensors = {}
    for name, entry in header.items():
        dtype, shape, start, stop = _entry(name, entry, len(body), where)
        spans.append((start, stop))
        array: np.ndarray[Any, Any] = np.frombuffer(body[start:stop], dtype)
        if entry["dtype"] == BFLOAT16:
            array = (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
        tensors[name] = array.reshape(shape).copy()
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise _bad(where, "its tensors leave gaps or overlap")
        end = stop
    if end != len(body):
        raise _bad(where, "its tensors do not fill the file")
    return tensors, metadata


def kinds_of(data: bytes, where: str) -> dict[str, str]:
    """The types of a sound file's tensors by name, as it calls them: ``F32``, ``BF16``.

    Raises:
        InputError: its header is damaged.
    """
    header, _ = _split(data, where)
    return {name: str(entry["dtype"]) for name, entry in header.items() if name != "__metadata__"}


def load(path: Path) -> tuple[Tensors, dict[str, str]]:
    """As ``from_bytes``, of a file.

    Raises:
        InputError: the file cannot be read or is no sound safetensors file.
    """
    try:
        return from_bytes(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None


def _split(data: bytes, where: str) -> tuple[dict[str, Any], memoryview]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(_LARGEST_HEADER, len(data) - 8):
        raise _bad(where, "its header is cut off or larger than 1 MB")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        raise _bad(where, "its header is no JSON") from None
    if not isinstance(header, dict):
        raise _bad(where, "its header is no table")
    return header, memoryview(data)[8 + length :]


def _entry(name: str, entry: Any, size: int, where: str) -> tuple[Any, tuple[int, ...], int, int]:
    try:
        dtype = np.dtype(np.uint16 if entry["dtype"] == BFLOAT16 else _DTYPES[entry["dtype"]])
        shape, (start, stop) = tuple(entry["shape"]), entry["data_offsets"]
        numbers = (*shape, start, stop)
        sound = len(shape) <= _MOST_AXES and all(type(n) is int and 0 <= n <= 2**48 for n in numbers)
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound or stop > size or stop - start != prod(shape) * dtype.itemsize:
        raise _bad(where, f"its entry {name[:80]!r} makes no sense")
    return dtype, shape, start, stop


def _bad(where: str, what: str) -> InputError:
    return InputError(f"is no sound safetensors file: {what}", where=where)
