"""The weights alone, read back and compared."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.errors import RunError
from workbench.export.formats.base import Exported, Exporter
from workbench.export.source import ExportSource
from workbench.export.weights import model_tensors, read_safetensors, to_npz, to_safetensors


class Safetensors(Exporter):
    """Named tensors, as PyTorch's ``load_state_dict`` takes them."""

    kind = "safetensors"
    title = "safetensors weights"
    suffix = ".safetensors"
    about = "The weights in the layout of PyTorch, for the source that `pytorch` writes, or for any other program."

    def export(self, source: ExportSource) -> Exported:
        model = source.model
        data = to_safetensors(model.network, model.tensors, model.encoder, source.metadata)
        found, _ = read_safetensors(data, "the exported file")
        return Exported(data, _compared(found, source))


class Npz(Exporter):
    """The same for NumPy."""

    kind = "npz"
    title = "NumPy arrays"
    suffix = ".npz"
    about = "The weights as named arrays that numpy.load reads, with the names of classes and features."

    def export(self, source: ExportSource) -> Exported:
        model = source.model
        data = to_npz(model.network, model.tensors, model.encoder, source.metadata)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            found = {name: file[name] for name in file.files if file[name].dtype.kind == "f"}
        return Exported(data, _compared(found, source))


def _compared(found: Mapping[str, np.ndarray[Any, Any]], source: ExportSource) -> str:
    """See that the tensors read back are the model's, bit by bit.

    Raises:
        RunError: they are not.
    """
    model = source.model
    wanted = model_tensors(model.network, model.tensors, model.encoder)
    wrong = [name for name in {*wanted, *found} if not _equal(wanted.get(name), found.get(name))]
    if wrong:
        raise RunError(f"the file did not read back as it was written: {sorted(wrong)[0]}", mend="Nothing was written.")
    numbers = sum(array.size for array in wanted.values())
    return f"read back: {len(wanted)} tensors, {numbers:,} numbers, all equal"


def _equal(one: Any, other: Any) -> bool:
    same = one is not None and other is not None and one.dtype == other.dtype and one.shape == other.shape
    return bool(same and one.tobytes() == other.tobytes())
