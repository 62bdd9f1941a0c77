"""The dense (fully connected) layer: ``y = x W' + b``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Literal

from pydantic import field_validator
from pydantic_core import PydanticCustomError

from workbench.engine.backend import Array, Call, Shape
from workbench.engine.initializers import ZEROS, Initializer, InitializerName
from workbench.engine.layer import (
    Calls,
    Chain,
    Layer,
    OnnxNode,
    Parameter,
    SharedGradient,
    Site,
    TorchModule,
)
from workbench.recipe.fields import knob


class Dense(Layer):
    """Every unit reads every input; of sequences and pictures, every feature of one step or pixel.

    Weights ``(inputs, units)`` in the engine, ``(units, inputs)`` in files.
    """

    kind = "dense"
    about = "Every unit reads every input: for vectors, and at the end of most networks; in sequences, step by step."
    role = "weights"
    output_is_free = True
    width_field = "units"

    units: int | Literal["classes"] = knob(
        help="Outputs; `classes` is as many as the loss needs.", placeholder="classes"
    )
    bias: bool = knob(True, help="Add a trained constant to each unit; a batch norm right after makes it needless.")
    initializer: InitializerName = knob("he_normal", help="How the weights start.")
    constant: float = knob(0.0, help="The value that `constant` fills in.", advanced=True)

    @field_validator("units", mode="after")
    @classmethod
    def _units_in_range(cls, value: int | str) -> int | str:
        if isinstance(value, int) and not 1 <= value <= 1_000_000:
            raise PydanticCustomError(
                "units", 'must be from 1 to 1,000,000 or "classes", not {value}', {"value": value}
            )
        return value

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        (shape,) = inputs
        return (*shape[:-1], self._units())

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        units, features = self._units(), inputs[0][-1]
        start = Initializer(self.initializer, self.constant)
        weight = Parameter("weight", (features, units), start, fan_in=features, fan_out=units, decays=True, axes=(1, 0))
        return (weight, Parameter("bias", (units,), ZEROS)) if self.bias else (weight,)

    def compile(self, site: Site) -> Calls:
        if site.compiled:
            return _compiled(site)
        xp, x, y = site.xp, _lines(site.inputs[0]), _lines(site.output)
        dx, dy = _lines(site.d_inputs[0]), _lines(site.d_output)
        weight, bias = site.weights["weight"], site.weights.get("bias")
        d_weight, d_bias = site.gradients.get("weight"), site.gradients.get("bias")

        def forward() -> None:
            xp.matmul(x, weight, out=y)
            if bias is not None:
                xp.add(y, bias, out=y)

        def backward() -> None:
            if d_weight is not None:
                xp.matmul(x.T, dy, out=d_weight)
            if d_bias is not None:
                xp.sum(dy, axis=0, out=d_bias)
            if dx is not None:
                xp.matmul(dy, weight.T, out=dx)

        return Calls(forward, backward)

    def multiply_adds(self, inputs: Sequence[Shape]) -> int:
        return self._units() * prod(inputs[0])

    def summary(self) -> str:
        return "a unit a class" if self.units == "classes" else f"{self.units} units"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        reads = ("0", "weight", "bias") if self.bias else ("0", "weight")
        axes = len(inputs[0]) - 1
        if not axes:
            return [OnnxNode("Gemm", reads, {"transB": 1})]
        # Channels-first, the same product for each position is a convolution with windows of one.
        kernel = {"weight": lambda numbers: numbers["weight"].reshape(*numbers["weight"].shape, *[1] * axes)}
        return [OnnxNode("Conv", reads, {"kernel_shape": [1] * axes}, derived=kernel)]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        extra = "" if self.bias else ", bias=False"
        module = f"nn.Linear({inputs[0][-1]}, {self._units()}{extra})"
        if len(inputs[0]) == 1:
            return TorchModule(module)
        return TorchModule(module, "{self}({0}.movedim(1, -1)).movedim(-1, 1)")

    def _units(self) -> int:
        # `classes` has been counted out by the time a network is built; shapes may be asked for before.
        return self.units if isinstance(self.units, int) else 1


def _lines(array: Array) -> Array:
    """The vectors of an array, one below the other: ``(rows * positions, features)``, a view; None stays None."""
    return None if array is None else array.reshape(-1, array.shape[-1])


def _compiled(site: Site) -> Calls:
    from workbench.engine.kernels import dense as kernels
    from workbench.engine.kernels.calls import ONE, NativeCall
    from workbench.engine.kernels.tile import tile_address

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    weight, bias, gradients = site.weights["weight"], site.weights.get("bias"), site.gradients
    tile, lines, sizes = tile_address(), _count(site), weight.shape
    forward = NativeCall(kernels.dense_forward, lines, tile, x, weight, 0 if bias is None else bias, y, *sizes)
    backward, shared = [], []
    if "weight" in gradients:
        shared.append(SharedGradient("weight", _weight_gradient(site)))
    if "bias" in gradients:
        backward.append(NativeCall(kernels.dense_bias_gradient, lines, tile, dy, gradients["bias"], ONE, sizes[1]))
    if dx is not None:
        room = site.buffer("turned", (lines * (sizes[1] + min(sizes[0], kernels.MOST)),), weight.dtype)
        backward.append(NativeCall(kernels.dense_input_gradient, lines, tile, dy, weight, dx, room, *sizes))
    return Calls(forward, Chain(*backward), shared=tuple(shared))


def _count(site: Site) -> int:
    """How many vectors are multiplied."""
    return prod(site.output.shape[:-1])


def _weight_gradient(site: Site) -> Callable[[tuple[int, int], Array, bool], Call]:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.dense import MOST, dense_weight_gradient
    from workbench.engine.kernels.tile import tile_address

    x, dy, sizes, lines = site.inputs[0], site.d_output, site.weights["weight"].shape, _count(site)

    def call(rows: tuple[int, int], gradient: Array, add: bool) -> Call:
        fields = tile_address(), x, dy, gradient, *sizes, lines, int(add)
        row_bytes = gradient.itemsize * (sizes[1] + lines)
        # Each time the right side of the product is copied together anew.
        return NativeCall(dense_weight_gradient, rows, *fields, row_bytes=row_bytes, least_rows=MOST)

    return call
