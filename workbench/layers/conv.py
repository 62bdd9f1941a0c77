"""Convolutions over pictures and sequences."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, Literal

from pydantic import Field

from workbench.engine.backend import Shape
from workbench.engine.initializers import ZEROS, Initializer, InitializerName
from workbench.engine.layer import Calls, Layer, OnnxNode, Parameter, ShapeError, Site, TorchModule
from workbench.layers.windows import ALONE, Axis, Margin, Padding, Pair, Size, axes_of, axis_of, pair, shown
from workbench.recipe.fields import knob


@dataclass(frozen=True)
class Geometry:
    """A convolution's sizes; a sequence is a picture of one row.

    Attributes:
        rows, columns: where the windows lie.
        channels: of the input.
        filters: of the output.
        groups: parts of the channels that do not see each other.
    """

    rows: Axis
    columns: Axis
    channels: int
    filters: int
    groups: int

    @property
    def taps(self) -> int:
        """Values of a filter for one channel."""
        return self.rows.window * self.columns.window

    @property
    def weight_shape(self) -> Shape:
        """``(kernel height, kernel width, channels / groups, filters)``."""
        return self.rows.window, self.columns.window, self.channels // self.groups, self.filters


def _on_device(site: Site, geometry: Geometry) -> Calls:
    # In less than float32 the library's products are worth copying windows together for.
    if site.backend.precision == "float32":
        from workbench.layers.conv_cuda import convolution_on_cuda

        return convolution_on_cuda(site, geometry)
    from workbench.layers.conv_arrays import convolution

    return convolution(site, geometry)


class _Conv(Layer):
    """Filters that slide over the input, by one product for each window.

    Weights ``(height, width, channels / groups, filters)`` in the engine, filters first in files.
    """

    role = "weights"
    keeps_gradient = True
    output_is_free = True
    adds_gradient = True
    width_field = "filters"

    filters: int = knob(32, help="How many patterns to look for.", ge=1, le=65_536, log=True)
    groups: int = knob(
        1, help="Parts of the channels that are looked at apart from each other.", ge=1, le=65_536, advanced=True
    )
    bias: bool = knob(True, help="Add a trained constant to each filter; a batch norm right after makes it needless.")
    initializer: InitializerName = knob("he_normal", help="How the weights start.")
    constant: float = knob(0.0, help="The value that `constant` fills in.", advanced=True)

    @abstractmethod
    def geometry(self, shape: Shape) -> Geometry:
        """Its sizes for an input of a shape.

        Raises:
            ShapeError: it does not fit.
        """

    @abstractmethod
    def _flat(self, axis_values: tuple[Any, Any]) -> list[Any]:
        """What of a pair (rows, columns) counts."""

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        geometry = self.geometry(inputs[0])
        shape = (*self._flat(geometry.weight_shape[:2]), *geometry.weight_shape[2:])  # type: ignore[arg-type]
        last = len(shape) - 1
        weight = Parameter(
            "weight",
            shape,
            Initializer(self.initializer, self.constant),
            fan_in=prod(shape[:-1]),
            fan_out=geometry.filters // geometry.groups * geometry.taps,
            decays=True,
            axes=(last, last - 1, *range(last - 1)),
        )
        return (weight, Parameter("bias", (self.filters,), ZEROS)) if self.bias else (weight,)

    def compile(self, site: Site) -> Calls:
        geometry = self.geometry(tuple(site.inputs[0].shape[1:]))
        if site.compiled:
            from workbench.layers.conv_compiled import compiled_convolution

            return compiled_convolution(site, geometry)
        if site.cuda:
            from workbench.layers.conv_cudnn import quicker

            return quicker(site, geometry, lambda where: _on_device(where, geometry))
        from workbench.layers.conv_arrays import convolution

        return convolution(site, geometry)

    def multiply_adds(self, inputs: Sequence[Shape]) -> int:
        geometry = self.geometry(inputs[0])
        return geometry.rows.count * geometry.columns.count * prod(geometry.weight_shape)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        geometry = self.geometry(inputs[0])
        rows, columns = geometry.rows, geometry.columns
        attributes = {
            "kernel_shape": self._flat((rows.window, columns.window)),
            "strides": self._flat((rows.stride, columns.stride)),
            "pads": [*self._flat((rows.before, columns.before)), *self._flat((rows.after, columns.after))],
            "dilations": self._flat((rows.dilation, columns.dilation)),
            "group": geometry.groups,
        }
        return [OnnxNode("Conv", ("0", "weight", "bias") if self.bias else ("0", "weight"), attributes)]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        geometry = self.geometry(inputs[0])
        rows, columns = geometry.rows, geometry.columns
        kind = f"nn.Conv{len(inputs[0]) - 1}d"
        even = (rows.before, columns.before) == (rows.after, columns.after)
        fields = {
            "stride": (rows.stride, columns.stride),
            "padding": (rows.before, columns.before) if even else (0, 0),
            "dilation": (rows.dilation, columns.dilation),
        }
        usual = {"stride": 1, "padding": 0, "dilation": 1}
        parts = [str(geometry.channels), str(geometry.filters), self._written((rows.window, columns.window))]
        parts += [f"{name}={self._written(value)}" for name, value in fields.items() if set(value) != {usual[name]}]
        parts += [f"groups={geometry.groups}"] if geometry.groups > 1 else []
        parts += [] if self.bias else ["bias=False"]
        module = f"{kind}({', '.join(parts)})"
        if even:
            return TorchModule(module)
        pads = tuple(end for side in reversed(self._flat((rows, columns))) for end in (side.before, side.after))
        return TorchModule(module, f"{{self}}(F.pad({{0}}, {pads}))")

    def _written(self, value: tuple[int, int]) -> str:
        flat = self._flat(value)
        return str(flat[0] if len(flat) == 1 else tuple(flat))

    def _checked(self, geometry: Geometry) -> Geometry:
        for count, name in ((geometry.channels, "channels"), (geometry.filters, "filters")):
            if count % geometry.groups:
                raise ShapeError(f"groups {geometry.groups} does not divide its {count} {name}")
        return geometry


class Conv2d(_Conv):
    """Filters that slide over a picture."""

    kind = "conv2d"
    stem = "conv"
    title = "convolution 2d"
    about = "Looks for the same small patterns everywhere in a picture."

    kernel: Pair = knob(3, help="Height and width of a filter.", unit="px")
    stride: Pair = knob(1, help="How far the filters move at a time.", unit="px")
    padding: Padding = knob("same", help="Zeros around the picture: `same` keeps its size, `valid` adds none.")
    dilation: Pair = knob(1, help="How far apart the pixels of a filter stand.", unit="px", advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        geometry = self.geometry(inputs[0])
        return geometry.rows.count, geometry.columns.count, self.filters

    def geometry(self, shape: Shape) -> Geometry:
        rows, columns = axes_of("kernel", shape, self.kernel, self.stride, self.padding, self.dilation)
        return self._checked(Geometry(rows, columns, shape[2], self.filters, self.groups))

    def _flat(self, axis_values: tuple[Any, Any]) -> list[Any]:
        return list(axis_values)

    def summary(self) -> str:
        stride = "" if pair(self.stride) == (1, 1) else f" · stride {shown(self.stride)}"
        padding = self.padding if isinstance(self.padding, str) else f"padding {shown(self.padding)}"
        return f"{self.filters} filters · {shown(self.kernel)}{stride} · {padding}"


class Conv1d(_Conv):
    """Filters that slide along a sequence ``(steps, features)``."""

    kind = "conv1d"
    stem = "conv"
    title = "convolution 1d"
    about = "Looks for the same short patterns everywhere in a sequence."

    kernel: Size = knob(3, help="Length of a filter.", unit="steps")
    stride: Size = knob(1, help="How far the filters move at a time.", unit="steps")
    padding: Literal["same", "valid", "causal"] | Margin = knob(
        "same", help="Zeros around the sequence: `same` keeps its length, `causal` puts all of them before it."
    )
    dilation: Annotated[int, Field(ge=1, le=1024)] = knob(
        1, help="How far apart the steps of a filter stand.", unit="steps", advanced=True
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.geometry(inputs[0]).columns.count, self.filters

    def geometry(self, shape: Shape) -> Geometry:
        columns = axis_of("kernel", shape, self.kernel, self.stride, self.padding, self.dilation)
        return self._checked(Geometry(ALONE, columns, shape[1], self.filters, self.groups))

    def _flat(self, axis_values: tuple[Any, Any]) -> list[Any]:
        return [axis_values[1]]

    def summary(self) -> str:
        stride = "" if self.stride == 1 else f" · stride {self.stride}"
        padding = self.padding if isinstance(self.padding, str) else f"padding {self.padding}"
        return f"{self.filters} filters · {self.kernel}{stride} · {padding}"
