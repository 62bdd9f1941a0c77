"""The initializers of an ONNX model, read as numbers only: no graph is run, and no other file is opened."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from workbench.errors import InputError
from workbench.store.tensors import Tensors

_LARGEST = 2**31
"""Protocol buffers hold less than 2 GiB."""
_MOST_TENSORS, _MOST_AXES = 10_000, 16
_PER_BYTE = 2
"""Elements that a byte of a file can stand for at most: the narrowest numbers of ONNX have 4 bits."""


def read_initializers(data: bytes, where: str) -> Tensors:
    """The initializers of the model's own graph by name.

    Those that are no real numbers are passed over, and what only steers operators: shapes, axes, single factors.

    Matrices that the graph multiplies by from the right are turned, so that all stand as ``(units, inputs)``.

    Args:
        data: the file.
        where: its name for messages.

    Raises:
        InputError: it is no ONNX model, refers to another file, or claims sizes that it cannot hold.
    """
    graph = _graph(data, where)
    initializers, turned = graph.initializer, _inputs_first(graph)
    if len(initializers) > _MOST_TENSORS:
        raise _bad(where, f"it holds {len(initializers):,} tensors, more than {_MOST_TENSORS:,}")
    tensors: Tensors = {}
    for each in initializers:
        name = str(each.name)
        if name in tensors:
            raise _bad(where, f"two of its tensors are called {name[:80]!r}")
        array = _array(each, len(data), where)
        if array is not None and not _steers(array):
            tensors[name] = array.T if name in turned and array.ndim == 2 else array
    return tensors


def _steers(array: np.ndarray[Any, Any]) -> bool:
    return array.ndim == 0 or (array.dtype == np.int64 and array.ndim == 1)


def _graph(data: bytes, where: str) -> Any:
    import onnx

    if len(data) >= _LARGEST:
        raise _bad(where, "it is larger than 2 GiB")
    try:
        model = onnx.load_model_from_string(data)
    except Exception:  # protobuf's own errors differ from version to version
        raise _bad(where, "it cannot be decoded") from None
    if not model.graph.ByteSize():
        raise _bad(where, "it holds no graph")
    return model.graph


def _inputs_first(graph: Any) -> set[str]:
    """What stands as ``(inputs, units)``: the right side of MatMul, and of Gemm unless it says otherwise."""
    return {
        str(node.input[1])
        for node in graph.node
        if len(node.input) > 1
        and (node.op_type == "MatMul" or (node.op_type == "Gemm" and not _number(node, "transB")))
    }


def _number(node: Any, name: str) -> int:
    return next((int(each.i) for each in node.attribute if each.name == name), 0)


def _array(tensor: Any, size: int, where: str) -> np.ndarray[Any, Any] | None:
    from onnx import TensorProto, numpy_helper

    name = str(tensor.name)[:80]
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise InputError(
            f"keeps {name!r} in another file, which is not opened",
            where=where,
            mend="Save it as one file: onnx.save(model, path, save_as_external_data=False).",
        )
    shape = tuple(tensor.dims)
    sound = len(shape) <= _MOST_AXES and all(0 <= length < 2**48 for length in shape)
    if not sound or prod(shape) > _PER_BYTE * size:
        raise _bad(where, f"its tensor {name!r} claims the shape {shape[:_MOST_AXES]}")
    try:
        array = np.asarray(numpy_helper.to_array(tensor))
        # bfloat16 and narrower ones are types of their own beside NumPy's, of the kind V.
        return array if array.dtype.kind in "fiubV" else None
    except Exception:  # whatever the helper says of content that does not fill the shape
        raise _bad(where, f"its tensor {name!r} makes no sense") from None


def _bad(where: str, what: str) -> InputError:
    return InputError(f"is no sound ONNX model: {what}", where=where)
