"""Weights from a file that anybody may have written: safetensors, .npz and ONNX, as float32 arrays by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.content import counted
from workbench.data.npformat import Header, load_npz
from workbench.errors import InputError
from workbench.store import tensors as safetensors
from workbench.store.files import sha256
from workbench.store.onnx_weights import read_initializers
from workbench.store.tensors import Tensors

SUFFIXES = (".safetensors", ".npz", ".onnx")
LARGEST = 8 * 2**30
"""Bytes of a file of weights: more than any network that is trained here has."""
_SAVED_BY_PICKLE = {".pt", ".pth", ".ckpt", ".bin", ".pkl", ".h5", ".keras"}


@dataclass(frozen=True, eq=False)
class WeightFile:
    """What a file holds.

    Attributes:
        tensors: float32 arrays by the file's own names.
        sha256: of the file.
        notes: what was done to them, in sentences.
    """

    tensors: Tensors
    sha256: str
    notes: tuple[str, ...] = ()


def is_weight_file(path: Path) -> bool:
    """Whether a file's name is that of weights that can be read."""
    return path.suffix.lower() in SUFFIXES


def read_weights(path: Path) -> WeightFile:
    """The arrays of numbers in a file; nothing in it is executed, unpickled, or looked for elsewhere.

    Raises:
        InputError: it cannot be read, is no such file, or claims what cannot be.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError("holds no weights that can be read", where=str(path), mend=_mend(suffix))
    data = _bytes_of(path)
    if suffix == ".npz":
        arrays, notes = _npz(path)
    elif suffix == ".onnx":
        arrays, notes = read_initializers(data, str(path)), []
    else:
        arrays, notes = _safetensors(data, path)
    if not arrays:
        raise InputError("holds no arrays of numbers", where=str(path))
    return WeightFile(in_float32(arrays), sha256(data), (*notes, *_conversions(arrays.values())))


def in_float32(arrays: Tensors) -> Tensors:
    """The same numbers in float32; what is beyond its range becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def _mend(suffix: str) -> str:
    offer = f"Give a run's folder or one of {', '.join(SUFFIXES)}."
    if suffix not in _SAVED_BY_PICKLE:
        return offer
    return f"{offer} From PyTorch: safetensors.torch.save_file(model.state_dict(), 'model.safetensors')."


def _bytes_of(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(
                f"is too large ({size / 2**30:.0f} GiB; up to {LARGEST // 2**30} are read)", where=str(path)
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except MemoryError:
        raise InputError("needs more memory than there is", where=str(path)) from None


def _npz(path: Path) -> tuple[Tensors, list[str]]:
    pickled: list[str] = []

    def wanted(headers: list[Header]) -> set[str]:
        pickled.extend(header.name for header in headers if header.dtype.hasobject)
        return {header.name for header in headers if header.dtype.kind in "fiub"}

    arrays = load_npz(path, wanted)
    return arrays, [f"{counted(len(pickled), 'pickled object')} in it left alone."] if pickled else []


def _safetensors(data: bytes, path: Path) -> tuple[Tensors, list[str]]:
    arrays, _ = safetensors.from_bytes(data, str(path))
    narrow = sum(kind == safetensors.BFLOAT16 for kind in safetensors.kinds_of(data, str(path)).values())
    return arrays, [_converted(narrow, "bfloat16")] if narrow else []


def _conversions(arrays: Iterable[np.ndarray[Any, Any]]) -> list[str]:
    kinds = Counter(str(array.dtype) for array in arrays if array.dtype != np.float32)
    return [_converted(count, kind) for kind, count in sorted(kinds.items())]


def _converted(count: int, kind: str) -> str:
    return f"{counted(count, 'tensor')} converted from {kind} to float32."
