"""Recurrent layers: a state that is carried from step to step of a sequence ``(steps, features)``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from workbench.engine.backend import Array, Shape
from workbench.engine.initializers import ZEROS, Initializer, InitializerName, Stacked
from workbench.engine.layer import Calls, Layer, OnnxNode, Parameter, ShapeError, Site, TorchModule
from workbench.layers.both_ways import merging
from workbench.layers.cells import Cell, GruCell, LstmCell, ReluCell, TanhCell
from workbench.layers.recurrence import compile_recurrence
from workbench.layers.recurrence_compiled import compiled_recurrence
from workbench.layers.recurrence_cuda import recurrence_on_cuda
from workbench.recipe.fields import knob

Derived = Callable[[Mapping[str, Array]], Array]


class Recurrent(Layer):
    """What the recurrent layers share; parameters are named and laid out as in PyTorch.

    ``weight_ih_l0`` ``(gates * units, features)``, ``weight_hh_l0`` ``(gates * units, units)``, ``bias_ih_l0`` and
    ``bias_hh_l0`` ``(gates * units,)``, and the same with ``_reverse`` for the second direction.
    """

    role = "weights"
    output_is_free = True
    width_field = "units"
    gates: ClassVar[int] = 1
    """How many blocks of ``units`` rows the weights consist of."""
    torch_class: ClassVar[str] = ""
    torch_state: ClassVar[str] = "[1]"
    """Where the PyTorch module's result has the last state, ``(directions, N, units)``."""
    onnx_operator: ClassVar[str] = ""
    onnx_order: ClassVar[tuple[int, ...]] = (0,)
    """The gates as ONNX orders them, by their place in the weights."""

    units: int = knob(help="The size of the state.", ge=1, le=65_536, log=True)
    sequences: bool = knob(
        False, help="Give the state after every step, for a layer that reads sequences; off: the last."
    )
    bidirectional: bool = knob(False, help="Read each sequence from both ends, and give both states.")
    merge_mode: Literal["concatenate", "sum", "mean"] = knob(
        "concatenate",
        help="How bidirectional layers give both states: side by side, which is twice as wide, or as one.",
        advanced=True,
    )
    bias: bool = knob(True, help="Add trained constants.")
    initializer: InitializerName = knob("glorot_uniform", help="How the weights of the input start.")
    recurrent_initializer: InitializerName = knob(
        "orthogonal", help="How the weights of the state start; orthogonal ones keep its size over many steps."
    )
    constant: float = knob(0.0, help="The value that `constant` fills in.", advanced=True)

    @abstractmethod
    def cell(self) -> type[Cell]:
        """How it computes a step."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        steps, _ = _sequence(inputs[0])
        width = self.units * (1 if self.merges() else self.directions())
        return (steps, width) if self.sequences else (width,)

    def directions(self) -> int:
        """1 or 2."""
        return 2 if self.bidirectional else 1

    def merges(self) -> bool:
        """Whether two directions give one state."""
        return self.bidirectional and self.merge_mode != "concatenate"

    def suffixes(self) -> tuple[str, ...]:
        """What the parameters' names end in, by direction."""
        return ("_l0", "_l0_reverse")[: self.directions()]

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        return tuple(parameter for suffix in self.suffixes() for parameter in self._parameters(suffix, inputs[0][1]))

    def _parameters(self, suffix: str, features: int) -> list[Parameter]:
        height = self.gates * self.units
        found = []
        for name, width, rule in (("ih", features, self.initializer), ("hh", self.units, self.recurrent_initializer)):
            # Each gate is a matrix of its own: its fans are not those of the whole.
            start = Stacked([Initializer(rule, self.constant)] * self.gates)
            shape = (height, width)
            found.append(Parameter(f"weight_{name}{suffix}", shape, start, width, self.units, decays=True))
        if self.bias:
            found.append(Parameter(f"bias_ih{suffix}", (height,), self.bias_initializer()))
            found.append(Parameter(f"bias_hh{suffix}", (height,), ZEROS))
        return found

    def bias_initializer(self) -> Initializer:
        """How the input's bias starts."""
        return ZEROS

    def compile(self, site: Site) -> Calls:
        compiler = compiled_recurrence if site.compiled else recurrence_on_cuda if site.cuda else compile_recurrence
        if not self.merges():
            return compiler(site, self.cell(), self.units)
        share = 0.5 if self.merge_mode == "mean" else 1.0
        return merging(site, share, lambda inner: compiler(inner, self.cell(), self.units))

    def multiply_adds(self, inputs: Sequence[Shape]) -> int:
        steps, features = inputs[0]
        return steps * self.directions() * self.gates * self.units * (features + self.units)

    def summary(self) -> str:
        size = f"2 × {self.units}" if self.bidirectional else str(self.units)
        return f"{size} units · {'every step' if self.sequences else 'last step'}"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        steps = inputs[0][0]
        both = self.directions() == 2
        reads = ("-1", "W", "R", "B") if self.bias else ("-1", "W", "R")
        attributes = {"hidden_size": self.units, "direction": "bidirectional" if both else "forward"}
        start = [
            OnnxNode("Transpose", attributes={"perm": [2, 0, 1]}),
            OnnxNode(
                self.onnx_operator, reads, {**attributes, **self.onnx_attributes()}, outputs=2, derived=self._derived()
            ),
        ]
        if self.merges():
            return [*start, *self._merged_nodes()]
        if not self.sequences:
            return [*start, OnnxNode("Transpose", ("-1:1",), {"perm": [1, 0, 2]}), OnnxNode("Flatten", ("-1",))]
        shape = np.array([-1, self.units * self.directions(), steps])
        return [
            *start,
            OnnxNode("Transpose", ("-1",), {"perm": [2, 1, 3, 0]}),
            OnnxNode("Reshape", ("-1", "shape"), constants={"shape": shape}),
        ]

    def _merged_nodes(self) -> list[OnnxNode]:
        """From the operator's outputs, of which the first has an axis of directions after the steps."""
        axis = 1 if self.sequences else 0
        reads = "-1" if self.sequences else "-1:1"
        if self.merge_mode == "mean":
            merged = OnnxNode("ReduceMean", (reads,), {"axes": [axis], "keepdims": 0})
        else:
            axes = {"axes": np.array([axis], np.int64)}
            merged = OnnxNode("ReduceSum", (reads, "axes"), {"keepdims": 0}, axes)
        return [merged, OnnxNode("Transpose", ("-1",), {"perm": [1, 2, 0]})] if self.sequences else [merged]

    def onnx_attributes(self) -> dict[str, Any]:
        """More attributes of its ONNX operator."""
        return {}

    def _derived(self) -> dict[str, Derived]:
        def joined(*names: str) -> Derived:
            return lambda weights: np.stack(
                [
                    np.concatenate([self._in_onnx_order(weights[f"{name}{suffix}"]) for name in names])
                    for suffix in self.suffixes()
                ]
            )

        derived = {"W": joined("weight_ih"), "R": joined("weight_hh")}
        return {**derived, "B": joined("bias_ih", "bias_hh")} if self.bias else derived

    def _in_onnx_order(self, array: Array) -> Array:
        blocks = array.reshape(self.gates, self.units, -1)[list(self.onnx_order)]
        return blocks.reshape(array.shape)

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        options = [f"{inputs[0][1]}, {self.units}", *self.torch_options()]
        if not self.bias:
            options.append("bias=False")
        options.append("batch_first=True")
        if self.bidirectional:
            options.append("bidirectional=True")
        module = f"nn.{self.torch_class}({', '.join(options)})"
        call = "{self}({0}.transpose(1, 2))"
        if self.merges():
            if self.sequences:
                both = f"{call}[0].unflatten(2, (2, {self.units}))"
                return TorchModule(module, f"{both}.{self.merge_mode}(2).transpose(1, 2)")
            return TorchModule(module, f"{call}{self.torch_state}.{self.merge_mode}(0)")
        if self.sequences:
            return TorchModule(module, f"{call}[0].transpose(1, 2)")
        state = f"{call}{self.torch_state}"
        return TorchModule(module, f"{state}.transpose(0, 1).flatten(1)" if self.bidirectional else f"{state}[0]")

    def torch_options(self) -> list[str]:
        """More arguments of its PyTorch module."""
        return []


def _sequence(shape: Shape) -> Shape:
    if len(shape) != 2:
        given = " × ".join(map(str, shape)) if len(shape) > 1 else f"a vector of {shape[0]}"
        raise ShapeError(f"reads a sequence of steps × features, not {given}; put reshape before it")
    return shape


class SimpleRnn(Recurrent):
    """``h = tanh(W x + b + U h + c)`` at each step (Elman, Finding structure in time, 1990)."""

    kind = "simple_rnn"
    stem = "rnn"
    title = "simple RNN"
    about = "Carries one state through a sequence: small and quick, but it forgets after some steps."
    torch_class = "RNN"
    onnx_operator = "RNN"

    nonlinearity: Literal["tanh", "relu"] = knob("tanh", help="What bends the state; relu may grow without limit.")

    def cell(self) -> type[Cell]:
        return TanhCell if self.nonlinearity == "tanh" else ReluCell

    def onnx_attributes(self) -> dict[str, Any]:
        return {"activations": [{"tanh": "Tanh", "relu": "Relu"}[self.nonlinearity]] * self.directions()}

    def torch_options(self) -> list[str]:
        return [] if self.nonlinearity == "tanh" else ['nonlinearity="relu"']


class Lstm(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997) with a forget gate (Gers et al., 2000).

    Gates in PyTorch's order i, f, g, o: ``c = f * c + i * g``, ``h = o * tanh(c)``.
    """

    kind = "lstm"
    title = "LSTM"
    about = "Carries a state and a memory through a sequence: for dependencies over many steps."
    torch_class = "LSTM"
    torch_state = "[1][0]"
    onnx_operator = "LSTM"
    gates = 4
    onnx_order = (0, 3, 1, 2)

    forget_bias: float = knob(
        1.0, help="Where the forget gates' bias starts: above 0, the memory lasts from the start.", ge=-10, le=10,
        advanced=True,
    )  # fmt: skip

    def cell(self) -> type[Cell]:
        return LstmCell

    def bias_initializer(self) -> Initializer:
        # Jozefowicz et al., An empirical exploration of recurrent network architectures, ICML 2015.
        return Stacked([ZEROS, Initializer("constant", self.forget_bias), ZEROS, ZEROS])


class Gru(Recurrent):
    """Gated recurrent unit (Cho et al., EMNLP 2014) in the form of cuDNN and PyTorch.

    Gates r, z, n: ``n = tanh(W x + b + r * (U h + c))``, ``h = (1 - z) * n + z * h``.
    """

    kind = "gru"
    title = "GRU"
    about = "Nearly as good a memory as an LSTM's with three quarters of its numbers."
    torch_class = "GRU"
    onnx_operator = "GRU"
    gates = 3
    onnx_order = (1, 0, 2)

    def cell(self) -> type[Cell]:
        return GruCell

    def onnx_attributes(self) -> dict[str, Any]:
        return {"linear_before_reset": 1}
