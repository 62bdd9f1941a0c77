"""The dense (fully connected) layer: ``y = x W' + b``."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod
from typing import Any, Literal

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
    keeps_gradient = True
    output_is_free = True
    width_field = "units"

    units: int | Literal["classes"] = knob(
        help="Outputs; `classes` is as many as the task needs: one for each class, label or number to predict.",
        placeholder="classes",
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
        if site.cuda:
            from workbench.layers.dense_cuda import dense_on_cuda

            return dense_on_cuda(site)
        xp, x, y = site.xp, _lines(site.inputs[0]), _lines(site.output)
        dx, dy = _lines(site.d_inputs[0]), _lines(site.d_output)
        matmul = site.backend.matmul
        weight, bias = site.weights["weight"], site.weights.get("bias")
        d_weight, d_bias = site.gradients.get("weight"), site.gradients.get("bias")

        def forward() -> None:
            matmul(x, weight, out=y)
            if bias is not None:
                xp.add(y, bias, out=y)

        def backward() -> None:
            if d_weight is not None:
                matmul(x.T, dy, out=d_weight)
            if d_bias is not None:
                xp.sum(dy, axis=0, out=d_bias)
            if dx is not None:
                matmul(dy, weight.T, out=dx)

        return Calls(forward, backward)

    def multiply_adds(self, inputs: Sequence[Shape]) -> int:
        return self._units() * prod(inputs[0])

    def summary(self) -> str:
        return "a unit for each output" if self.units == "classes" else f"{self.units} units"

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
    from workbench.engine.kernels.calls import NativeCall, stretches
    from workbench.engine.kernels.shaping import add_values
    from workbench.engine.kernels.tile import tile_address

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    weight, bias, gradients = site.weights["weight"], site.weights.get("bias"), site.gradients
    tile, lines, sizes = tile_address(), prod(site.output.shape[:-1]), weight.shape

    def some_inputs(begin: int, end: int, bias: Any, y: Array, pieces: Any = None) -> NativeCall:
        return NativeCall(kernels.dense_forward, lines, tile, x, weight, bias, y, *sizes, begin, end, pieces=pieces)

    def pieces(count: int) -> list[list[NativeCall]]:
        first, *others = stretches(sizes[0], count, -(-kernels.LEAST_CUT // sizes[1]))
        parts = [site.like(f"part {number}", y) for number in range(len(others))]
        found = [some_inputs(*first, start, y)]
        found += [some_inputs(*inputs, 0, part) for inputs, part in zip(others, parts, strict=True)]
        return [found, *([NativeCall(add_values, site.rows, y, part, y, prod(y.shape[1:]), -inf)] for part in parts)]

    start = 0 if bias is None else bias
    forward = some_inputs(0, sizes[0], start, y, pieces)
    backward, shared = [], []
    if "weight" in gradients:
        copy, gradient = shared_product(site, "weight", x, dy)
        backward.append(copy)
        shared.append(gradient)
    if "bias" in gradients:
        backward.append(NativeCall(kernels.dense_bias_gradient, lines, dy, gradients["bias"], sizes[1]))
    if dx is not None:
        backward.append(NativeCall(kernels.dense_input_gradient, lines, tile, dy, weight, dx, *sizes))
    return Calls(forward, Chain(*backward), shared=tuple(shared))


def shared_product(site: Site, parameter: str, left: Array, right: Array) -> tuple[Call, SharedGradient]:
    """A weight's gradient ``left' right``, summed over all vectors of both.

    Returns:
        what copies the right side together once it is there, and what all threads do then.
    """
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.dense import LEAST, dense_panels, dense_weight_gradient
    from workbench.engine.kernels.products import WIDTH
    from workbench.engine.kernels.tile import tile_address

    inputs, units, lines = left.shape[-1], right.shape[-1], prod(left.shape[:-1])
    panels = site.buffer(f"panels {parameter}", (lines * -(-units // WIDTH) * WIDTH,), right.dtype)

    def call(first: int, gradient: Array, add: bool) -> Call:
        fields = tile_address(), left, first, panels, gradient, inputs, units, lines, int(add)
        row_bytes = gradient.itemsize * (units + lines)
        return NativeCall(dense_weight_gradient, len(gradient), *fields, row_bytes=row_bytes, least_rows=LEAST)

    return NativeCall(dense_panels, lines, right, panels, units), SharedGradient(parameter, call)
