"""Activation functions: what makes a network more than one linear map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log1p, pi, prod, sqrt
from typing import Any, Literal

import numpy as np
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from workbench.engine.backend import Array, Shape
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Calls, Chain, FlatPart, Layer, OnnxNode, Site, TorchModule
from workbench.layers.shaping import copying
from workbench.recipe.fields import knob

FunctionName = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus", "linear"]


_FLAT = 0.03
"""A bounded function counts as flat within this distance of a bound, elu and softplus where their slope is below it.
What passes of a gradient is then 3 % or less (tanh: 6 %)."""


class Activation(Layer):
    """A function of each value by itself."""

    kind = "activation"
    about = "Bends the answers of the layer before: without it, layers in a row are no more than one."
    role = "activation"

    function: FunctionName = knob("relu", help="The function; relu suits most networks.")
    slope: float = knob(0.01, help="The slope of leaky_relu below 0.", ge=0, le=1, advanced=True)
    alpha: float = knob(1.0, help="What elu comes near to far below 0, negated.", gt=0, le=10, advanced=True)

    @field_validator("function", mode="before")
    @classmethod
    def _softmax_is_the_losses(cls, value: object) -> object:
        if value in ("softmax", "log_softmax"):
            text = "has no softmax: the loss and what is predicted have theirs; let the network end before it"
            raise PydanticCustomError("softmax", text)
        return value

    def name_stem(self) -> str:
        return self.function

    def overwrites(self) -> bool:
        return self.function in ("relu", "tanh", "sigmoid")

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def compile(self, site: Site) -> Calls:
        if site.compiled and self.function in _COMPILED:
            return _compiled(self, site)
        if site.cuda and self.function in _COMPILED:
            return _on_cuda(self, site, site.cuda)
        return _FUNCTIONS[self.function].compile(self, site)

    def flat_part(self) -> FlatPart | None:
        return _FUNCTIONS[self.function].flat(self)

    def summary(self) -> str:
        return self.function.replace("_", " ")

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return _FUNCTIONS[self.function].onnx(self)

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule(_FUNCTIONS[self.function].torch(self))


def is_relu(layer: Layer) -> bool:
    """Whether a layer is the function that other layers can do along with their own work."""
    return isinstance(layer, Activation) and layer.function == "relu"


@dataclass(frozen=True)
class _Function:
    compile: Callable[[Activation, Site], Calls]
    onnx: Callable[[Activation], Sequence[OnnxNode]]
    torch: Callable[[Activation], str]
    flat: Callable[[Activation], FlatPart | None] = lambda _: None


def _calls(site: Site, forward: Callable[[], None], derivative: Callable[[Array], None]) -> Calls:
    """``derivative`` fills its argument with the function's slope at each input."""
    xp, dx, dy = site.xp, site.d_inputs[0], site.d_output

    def backward() -> None:
        if dx is not None:
            derivative(dx)
            xp.multiply(dx, dy, out=dx)

    return Calls(forward, backward)


def _relu(layer: Activation, site: Site) -> Calls:
    xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
    zero = y.dtype.type(0)
    mask = site.like("mask", y, np.bool_) if dx is not None else None

    def forward() -> None:
        xp.maximum(x, zero, out=y)

    def backward() -> None:
        if dx is not None:
            xp.greater(y, zero, out=mask)
            xp.multiply(dy, mask, out=dx)

    return Calls(forward, backward)


def _leaky_relu(layer: Activation, site: Site) -> Calls:
    xp, x, y, slope = site.xp, site.inputs[0], site.output, site.output.dtype.type(layer.slope)

    def forward() -> None:
        xp.multiply(x, slope, out=y)
        xp.maximum(x, y, out=y)

    def derivative(d: Array) -> None:
        d[...] = xp.where(x > 0, y.dtype.type(1), slope)

    return _calls(site, forward, derivative)


def _elu(layer: Activation, site: Site) -> Calls:
    xp, x, y, alpha = site.xp, site.inputs[0], site.output, site.output.dtype.type(layer.alpha)

    def forward() -> None:
        # Below 0 only, so that the exponential never overflows.
        xp.minimum(x, 0, out=y)
        xp.expm1(y, out=y)
        xp.multiply(y, alpha, out=y)
        xp.copyto(y, x, where=x > 0)

    def derivative(d: Array) -> None:
        d[...] = xp.where(x > 0, y.dtype.type(1), y + alpha)

    return _calls(site, forward, derivative)


def _gelu(layer: Activation, site: Site) -> Calls:
    # Hendrycks and Gimpel, Gaussian error linear units, 2016: x * Phi(x), exactly, not the tanh form.
    xp, x, y, number = site.xp, site.inputs[0], site.output, site.output.dtype.type
    share = site.like("share", y)

    def forward() -> None:
        xp.multiply(x, number(1 / sqrt(2)), out=share)
        site.backend.erf(share, share)
        xp.add(share, number(1), out=share)
        xp.multiply(share, number(0.5), out=share)
        xp.multiply(x, share, out=y)

    def derivative(d: Array) -> None:
        xp.multiply(x, x, out=d)
        xp.multiply(d, number(-0.5), out=d)
        xp.exp(d, out=d)
        xp.multiply(d, number(1 / sqrt(2 * pi)), out=d)
        xp.multiply(d, x, out=d)
        xp.add(d, share, out=d)

    return _calls(site, forward, derivative)


def _logistic(xp: Any, x: Array, out: Array) -> None:
    # 1 / (1 + exp(-x)) by way of tanh, which overflows nowhere.
    half = out.dtype.type(0.5)
    xp.multiply(x, half, out=out)
    xp.tanh(out, out=out)
    xp.multiply(out, half, out=out)
    xp.add(out, half, out=out)


def _silu(layer: Activation, site: Site) -> Calls:
    xp, x, y = site.xp, site.inputs[0], site.output
    gate, one = site.like("gate", y), site.output.dtype.type(1)

    def forward() -> None:
        _logistic(xp, x, gate)
        xp.multiply(x, gate, out=y)

    def derivative(d: Array) -> None:
        # s (1 + x (1 - s)) = s + y (1 - s)
        xp.subtract(one, gate, out=d)
        xp.multiply(d, y, out=d)
        xp.add(d, gate, out=d)

    return _calls(site, forward, derivative)


def _tanh(layer: Activation, site: Site) -> Calls:
    xp, x, y, one = site.xp, site.inputs[0], site.output, site.output.dtype.type(1)

    def derivative(d: Array) -> None:
        xp.multiply(y, y, out=d)
        xp.subtract(one, d, out=d)

    return _calls(site, lambda: xp.tanh(x, out=y), derivative)


def _sigmoid(layer: Activation, site: Site) -> Calls:
    xp, x, y, one = site.xp, site.inputs[0], site.output, site.output.dtype.type(1)

    def derivative(d: Array) -> None:
        xp.subtract(one, y, out=d)
        xp.multiply(d, y, out=d)

    return _calls(site, lambda: _logistic(xp, x, y), derivative)


def _softplus(layer: Activation, site: Site) -> Calls:
    xp, x, y = site.xp, site.inputs[0], site.output
    zero = y.dtype.type(0)
    return _calls(site, lambda: xp.logaddexp(x, zero, out=y), lambda d: _logistic(xp, x, d))


def _linear(layer: Activation, site: Site) -> Calls:
    return copying(site)


def _gelu_nodes(layer: Activation) -> list[OnnxNode]:
    def constant(value: float) -> dict[str, Any]:
        return {"c": np.array(value, np.float32)}

    return [
        OnnxNode("Mul", ("0", "c"), constants=constant(1 / sqrt(2))),
        OnnxNode("Erf", ("-1",)),
        OnnxNode("Add", ("-1", "c"), constants=constant(1.0)),
        OnnxNode("Mul", ("-1", "0")),
        OnnxNode("Mul", ("-1", "c"), constants=constant(0.5)),
    ]


_FUNCTIONS: dict[str, _Function] = {
    "relu": _Function(_relu, lambda _: [OnnxNode("Relu")], lambda _: "nn.ReLU()", lambda _: FlatPart(0.0)),
    "leaky_relu": _Function(
        _leaky_relu,
        lambda layer: [OnnxNode("LeakyRelu", attributes={"alpha": layer.slope})],
        lambda layer: f"nn.LeakyReLU({layer.slope!r})",
    ),
    "elu": _Function(
        _elu,
        lambda layer: [OnnxNode("Elu", attributes={"alpha": layer.alpha})],
        lambda layer: f"nn.ELU({layer.alpha!r})",
        lambda layer: FlatPart(-(1 - _FLAT) * layer.alpha),
    ),
    "gelu": _Function(_gelu, _gelu_nodes, lambda _: "nn.GELU()"),
    "silu": _Function(_silu, lambda _: [OnnxNode("Sigmoid"), OnnxNode("Mul", ("0", "-1"))], lambda _: "nn.SiLU()"),
    "tanh": _Function(
        _tanh, lambda _: [OnnxNode("Tanh")], lambda _: "nn.Tanh()", lambda _: FlatPart(_FLAT - 1, 1 - _FLAT)
    ),
    "sigmoid": _Function(
        _sigmoid, lambda _: [OnnxNode("Sigmoid")], lambda _: "nn.Sigmoid()", lambda _: FlatPart(_FLAT, 1 - _FLAT)
    ),
    # The slope is 1 - exp(-y).
    "softplus": _Function(
        _softplus, lambda _: [OnnxNode("Softplus")], lambda _: "nn.Softplus()", lambda _: FlatPart(-log1p(-_FLAT))
    ),
    "linear": _Function(_linear, lambda _: [OnnxNode("Identity")], lambda _: "nn.Identity()"),
}

_COMPILED = {
    # By function: whether its slope is worked out from the output (else from the input), and its field.
    "relu": (True, ""),
    "leaky_relu": (False, "slope"),
    "elu": (True, "alpha"),
    "gelu": (False, ""),
    "silu": (False, ""),
    "tanh": (True, ""),
    "sigmoid": (True, ""),
    "softplus": (False, ""),
}


def _compiled(layer: Activation, site: Site) -> Calls:
    from workbench.engine.kernels import activation as kernels
    from workbench.engine.kernels.calls import NativeCall

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    from_output, field = _COMPILED[layer.function]
    size, fields = prod(x.shape[1:]), [float(getattr(layer, field))] if field else []
    moved = size * x.dtype.itemsize
    forward = NativeCall(
        getattr(kernels, f"{layer.function}_forward"), site.rows, x, y, size, *fields, row_bytes=2 * moved
    )
    if dx is None:
        return Calls(forward, Chain())
    backward = getattr(kernels, f"{layer.function}_backward")
    read = y if from_output else x
    return Calls(forward, NativeCall(backward, site.rows, read, dy, dx, size, *fields, row_bytes=3 * moved))


def _on_cuda(layer: Activation, site: Site, launcher: Launcher) -> Calls:
    from workbench.engine.cuda.pointwise import bent, bent_back

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    from_output, field = _COMPILED[layer.function]
    slope = float(getattr(layer, field)) if field else 0.0
    forward = bent(launcher, layer.function, slope, x, y)
    if dx is None:
        return Calls(forward, Chain())
    return Calls(forward, bent_back(launcher, layer.function, slope, y if from_output else x, dy, dx))
