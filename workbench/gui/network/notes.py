"""What there is to say about a layer: how its weights start, and what it could do without."""

from __future__ import annotations

from math import prod
from typing import Any

from PySide6.QtCore import QCoreApplication

from workbench.engine.layer import Parameter
from workbench.engine.network import Network, Node

_FAMILIES = {
    "he": ("He", "2 / ({fan_in})", "Suits ReLU and its relatives."),
    "glorot": ("Glorot", "2 / ({fan_in} + {fan_out})", "Suits tanh and sigmoid."),
    "lecun": ("LeCun", "1 / ({fan_in})", "The lecture's Xavier; suits tanh."),
}


def initializer_note(node: Node) -> str:
    """``He: zero mean, variance 2 / (3·3·32). Suits ReLU and its relatives.``; empty for layers without weights."""
    weight = next((parameter for parameter in node.parameters if parameter.decays), None)
    name = str(getattr(node.layer, "initializer", ""))
    if weight is None or not name:
        return ""
    family, _, form = name.partition("_")
    if name in ("normal", "uniform"):
        return _tr("Zero mean, deviation {0}.").format(f"{getattr(node.layer, 'deviation', 1):g}")
    if name == "orthogonal":
        return _tr("Orthogonal: keeps the length of what it multiplies, so far as its shape allows.")
    if family not in _FAMILIES:
        return _constant_note(name, node.layer)
    title, variance, suits = _FAMILIES[family]
    inner = "·".join(map(str, _summed_over(weight)))
    fans = variance.format(fan_in=inner, fan_out=str(weight.fan_out))
    text = _tr("{0}: zero mean, variance {1}, {2}. {3}")
    return text.format(
        title, fans.replace("(", "", 1).replace(")", "", 1) if _single(fans) else fans, _tr(form), _tr(suits)
    )


def _summed_over(weight: Parameter) -> tuple[int, ...]:
    """The sizes of what an output sums over, whichever end of the array the outputs stand at."""
    ends = (weight.shape[:-1], weight.shape[1:])
    return next((sizes for sizes in ends if prod(sizes) == weight.fan_in), (weight.fan_in,))


def _single(text: str) -> bool:
    """Whether the brackets hold one number only."""
    return text.partition("(")[2].partition(")")[0].isdigit()


def _constant_note(name: str, layer: Any) -> str:
    if name == "zeros" or getattr(layer, "constant", 0) == 0:
        return _tr("All weights start at 0: units that start alike learn alike. For output layers only.")
    return _tr("All weights start at {0}: units that start alike learn alike.").format(f"{layer.constant:g}")


def needless_bias(network: Network, name: str) -> str:
    """A hint where a bias does nothing, because every reader takes the mean away; empty elsewhere."""
    readers = [node for node in network.nodes if name in node.inputs]
    if readers and all(node.layer.kind == "batch_norm" for node in readers):
        return _tr("could go: a batch norm follows")
    return ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("network", text)
