"""A trained model as readable PyTorch source: one file that needs nothing but torch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from workbench.data.encoder import Encoder
from workbench.engine.layer import Loss
from workbench.engine.network import Network, Node
from workbench.export.onnx_graph import channels_first
from workbench.export.weights import normalizes
from workbench.recipe.network import INPUT
from workbench.recipe.tasks import TASKS
from workbench.store.names import NORMALIZE, module_names, renamed

_WIDTH = 88
"""The line length that PyTorch users' formatters (black, ruff) have as their default."""

_NAMES_IN_USE = {"self", "x", "y", "torch", "nn", "F", "inputs"}

_NORMALIZE_CLASS = '''
class Normalize(nn.Module):
    """Shifts and scales each {unit} as the training data were: (x - shift) * scale."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.shift) * self.scale

'''

_USAGE = """
# How to use it with the weights that were exported as safetensors:
#
#     from safetensors.torch import load_file
#
#     model = Model()
#     model.load_state_dict(load_file("model.safetensors"), strict=True)
#     model.eval()
#     with torch.inference_mode():
#         {result} = model.predict(torch.zeros({shape}))
"""


def torch_source(network: Network, encoder: Encoder, loss: Loss, name: str, fingerprint: str) -> str:
    """A Python file with ``class Model(nn.Module)``.

    ``forward`` reads what the ONNX export reads and gives logits, for regression the prediction in the target's unit;
    ``predict`` gives probabilities. Submodules have the layers' names (see ``names.module_names``), so that
    ``load_state_dict`` takes the exported safetensors as they are.

    Args:
        network: the layers.
        encoder: how its input is normalized, and the names of classes and features.
        loss: what says how logits become probabilities.
        name: of the experiment.
        fingerprint: of the recipe.
    """
    return _Writer(network, encoder, loss).source(name, fingerprint)


class _Writer:
    def __init__(self, network: Network, encoder: Encoder, loss: Loss) -> None:
        self.network, self.encoder, self.loss = network, encoder, loss
        self.modules = module_names(network)
        self.variables = renamed(self.modules.values(), lambda name: name not in _NAMES_IN_USE)
        self.named = TASKS[encoder.task].named
        self.shape = channels_first(network.input_shape)

    def source(self, name: str, fingerprint: str) -> str:
        forward, helpers = list(self._forward()), self._helpers()
        functional = any(re.search(r"\bF\.", text) for text in (*forward, *helpers))
        parts = [
            '"""A network trained with Workbench, as a PyTorch module."""\n\n',
            "import torch\n",
            "import torch.nn.functional as F\n" if functional else "",
            "from torch import nn\n\n",
            f"NAME = {_quoted(name)}\nRECIPE = {_quoted(fingerprint)}  # SHA-256 of the recipe\n",
            _listed("CLASSES", self.encoder.classes) if self.named else "",
            _listed("FEATURES", self.encoder.feature_names) if self.encoder.feature_names else "",
            self._normalize_class(),
            *helpers,
            "\n\nclass Model(nn.Module):\n",
            _indented([f'"""Reads {self._reads()}."""', ""], 1),
            _indented(["def __init__(self) -> None:"], 1),
            _indented(["super().__init__()", *self._submodules()], 2),
            _indented(["", "def forward(self, x: torch.Tensor) -> torch.Tensor:"], 1),
            _indented([f'"""{self._gives()}."""', *forward], 2),
            _indented(["", "def predict(self, x: torch.Tensor) -> torch.Tensor:"], 1),
            _indented(self._predict(), 2),
            self._usage(),
        ]
        return "".join(parts)

    def _reads(self) -> str:
        if len(self.shape) == 3:
            return f"pictures ({_listed_shape(self.shape)}) with pixel values as stored"
        if len(self.shape) == 2:
            return f"sequences ({_listed_shape(self.shape)}), features before steps, before normalization"
        return f"features ({_listed_shape(self.shape)}) as they are, before normalization"

    def _gives(self) -> str:
        return f"Logits (N, {self.network.outputs})" if self.named else "Predictions in the target's unit"

    def _normalize_class(self) -> str:
        if not normalizes(self.encoder):
            return ""
        return "\n" + _NORMALIZE_CLASS.format(unit="channel" if len(self.shape) == 3 else "feature").rstrip("\n") + "\n"

    def _helpers(self) -> list[str]:
        sources = (node.layer.torch(node.input_shapes).helper for node in self.network.nodes)
        return [f"\n\n{source.strip()}\n" for source in dict.fromkeys(sources) if source]

    def _submodules(self) -> Iterator[str]:
        if normalizes(self.encoder):
            sizes = (self.shape[0], *(1 for _ in self.shape[1:]))
            yield f"self.{NORMALIZE} = Normalize({', '.join(map(str, sizes))})"
        for node in self.network.nodes:
            module = node.layer.torch(node.input_shapes).module
            if module:
                yield f"self.{self.modules[node.name]} = {module}"

    def _forward(self) -> Iterator[str]:
        nodes = self.network.nodes
        variable = {INPUT: "x" if _flows(nodes, -1) else "inputs"}
        if normalizes(self.encoder):
            yield f"{variable[INPUT]} = self.{NORMALIZE}(x)"
        elif variable[INPUT] != "x":
            yield f"{variable[INPUT]} = x"
        for index, node in enumerate(nodes[:-1]):
            variable[node.name] = "x" if _flows(nodes, index) else self.variables[self.modules[node.name]]
            yield f"{variable[node.name]} = {self._call(node, variable)}"
        yield from self._return(self._call(nodes[-1], variable))

    def _call(self, node: Node, variable: dict[str, str]) -> str:
        reads = [variable[name] for name in node.inputs]
        call = node.layer.torch(node.input_shapes).call
        return call.format(*reads, self=f"self.{self.modules[node.name]}", all=", ".join(reads))

    def _return(self, output: str) -> list[str]:
        shift, scale = self.encoder.target_shift, self.encoder.target_scale
        if self.named or (shift == 0 and scale == 1):
            return [f"return {output}"]
        return [f"y = {output}", f"return y * {scale!r} + {shift!r}"]

    def _predict(self) -> list[str]:
        if not self.named:
            return ['"""The same as forward."""', "return self(x)"]
        text = f'"""Probabilities (N, {len(self.encoder.classes)}) in the order of CLASSES."""'
        return [text, "logits = self(x)", f"return {self.loss.torch_prediction()}"]

    def _usage(self) -> str:
        result = "probabilities" if self.named else "predictions"
        return "\n" + _USAGE.format(result=result, shape=", ".join(map(str, (1, *self.shape))))


def _flows(nodes: Sequence[Node], index: int) -> bool:
    """Whether nothing but the next node reads this one (-1: the network's input), so that ``x`` may carry it there."""
    name = INPUT if index < 0 else nodes[index].name
    return {number for number, node in enumerate(nodes) if name in node.inputs} == {index + 1}


def _listed_shape(shape: Sequence[int]) -> str:
    return ", ".join(map(str, ("N", *shape)))


def _indented(lines: Sequence[str], depth: int) -> str:
    return "".join(f"{'    ' * depth}{line}\n" if line else "\n" for line in lines)


def _listed(name: str, texts: Sequence[str]) -> str:
    """A tuple of texts, on one line where it fits."""
    items = [_quoted(text) for text in texts]
    line = f"{name} = ({', '.join(items)}{',' if len(items) == 1 else ''})\n"
    if len(line) <= _WIDTH + 1:
        return line
    return f"{name} = (\n{_indented([f'{item},' for item in items], 1)})\n"


def _quoted(text: str) -> str:
    """A Python literal in double quotes; what cannot be seen (control and direction characters) is escaped."""
    literal = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in literal)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
