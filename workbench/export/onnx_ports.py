"""What an ONNX file reads and gives, read from the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Port:
    """A tensor that a model reads or gives.

    Attributes:
        way: which of them.
        name: what it is called.
        type: of its numbers, ``float32``.
        shape: its sizes, of which one that is free has a name, ``batch``.
        about: what it is, as the file says it; empty where it does not.
    """

    way: Literal["input", "output"]
    name: str
    type: str
    shape: tuple[int | str, ...]
    about: str

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {"name": self.name, "type": self.type, "shape": list(self.shape), "about": self.about}


def ports_of(data: bytes) -> tuple[Port, ...]:
    """The inputs of an ONNX model, then its outputs.

    Args:
        data: a sound file.
    """
    import onnx

    graph = onnx.load_model_from_string(data).graph
    # Earlier versions of ONNX list weights among the inputs.
    known = {one.name for one in graph.initializer}
    return (*_ports("input", [one for one in graph.input if one.name not in known]), *_ports("output", graph.output))


def _ports(way: Literal["input", "output"], infos: Sequence[Any]) -> tuple[Port, ...]:
    from onnx import helper

    found = []
    for info in infos:
        tensor = info.type.tensor_type
        dtype = str(helper.tensor_dtype_to_np_dtype(tensor.elem_type))
        shape = tuple(one.dim_param or one.dim_value for one in tensor.shape.dim)
        found.append(Port(way, info.name, dtype, shape, info.doc_string))
    return tuple(found)
