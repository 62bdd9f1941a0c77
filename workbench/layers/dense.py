"""The dense (fully connected) layer: ``y = x W' + b``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    ShapeError,
    SharedGradient,
    Site,
    TorchModule,
)
from workbench.recipe.fields import knob


class Dense(Layer):
    """Every unit reads every input. Weights ``(inputs, units)`` in the engine, ``(units, inputs)`` in files."""

    kind = "dense"
    about = "Every unit reads every input: for vectors, and at the end of most networks."
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
        if len(shape) != 1:
            instead = "; for each step by itself use conv1d with kernel 1" if len(shape) == 2 else ""
            text = f"reads a vector, not {' × '.join(map(str, shape))}; put flatten or a global pool before it{instead}"
            raise ShapeError(text)
        return (self._units(),)

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        units, features = self._units(), inputs[0][0]
        start = Initializer(self.initializer, self.constant)
        weight = Parameter("weight", (features, units), start, fan_in=features, fan_out=units, decays=True, axes=(1, 0))
        return (weight, Parameter("bias", (units,), ZEROS)) if self.bias else (weight,)

    def compile(self, site: Site) -> Calls:
        if site.compiled:
            return _compiled(site)
        if site.cuda:
            from workbench.layers.dense_cuda import dense_on_cuda

            return dense_on_cuda(site)
        xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
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
        return self._units() * inputs[0][0]

    def summary(self) -> str:
        return "a unit a class" if self.units == "classes" else f"{self.units} units"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        reads = ("0", "weight", "bias") if self.bias else ("0", "weight")
        return [OnnxNode("Gemm", reads, {"transB": 1})]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        extra = "" if self.bias else ", bias=False"
        return TorchModule(f"nn.Linear({inputs[0][0]}, {self._units()}{extra})")

    def _units(self) -> int:
        # `classes` has been counted out by the time a network is built; shapes may be asked for before.
        return self.units if isinstance(self.units, int) else 1


def _compiled(site: Site) -> Calls:
    from workbench.engine.kernels import dense as kernels
    from workbench.engine.kernels.calls import ONE, NativeCall
    from workbench.engine.kernels.products import WIDTH
    from workbench.engine.kernels.tile import tile_address

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    weight, bias, gradients = site.weights["weight"], site.weights.get("bias"), site.gradients
    tile, rows, sizes = tile_address(), site.rows, weight.shape
    forward = NativeCall(kernels.dense_forward, rows, tile, x, weight, 0 if bias is None else bias, y, *sizes)
    backward, shared = [], []
    if "weight" in gradients:
        panels = site.buffer("panels", (rows * -(-sizes[1] // WIDTH) * WIDTH,), weight.dtype)
        backward.append(NativeCall(kernels.dense_panels, rows, dy, panels, sizes[1]))
        shared.append(SharedGradient("weight", _weight_gradient(site, panels)))
    if "bias" in gradients:
        backward.append(NativeCall(kernels.dense_bias_gradient, rows, tile, dy, gradients["bias"], ONE, sizes[1]))
    if dx is not None:
        backward.append(NativeCall(kernels.dense_input_gradient, rows, tile, dy, weight, dx, *sizes))
    return Calls(forward, Chain(*backward), shared=tuple(shared))


def _weight_gradient(site: Site, panels: Array) -> Callable[[int, Array, bool], Call]:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.dense import LEAST, dense_weight_gradient
    from workbench.engine.kernels.tile import tile_address

    x, sizes = site.inputs[0], site.weights["weight"].shape

    def call(first: int, gradient: Array, add: bool) -> Call:
        fields = tile_address(), x, first, panels, gradient, *sizes, site.rows, int(add)
        row_bytes = gradient.itemsize * (sizes[1] + site.rows)
        return NativeCall(dense_weight_gradient, len(gradient), *fields, row_bytes=row_bytes, least_rows=LEAST)

    return call
