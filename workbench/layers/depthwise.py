"""Depthwise convolution: filters that each look at one channel alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.engine.backend import Array, Shape
from workbench.engine.initializers import InitializerName
from workbench.engine.layer import Calls, Layer, OnnxNode, Parameter, Site, TorchModule
from workbench.layers.conv import Conv2d, Geometry
from workbench.layers.windows import Padding, Pair, offset_view, pair, shown
from workbench.recipe.fields import knob


class DepthwiseConv2d(Layer):
    """Filters that slide over one channel of a picture each; of a channel they stand side by side.

    Weights ``(height, width, 1, channels * multiplier)`` in the engine, ``(channels * multiplier, 1, height, width)``
    in files. With a 1x1 convolution after it, it makes the separable convolution of MobileNet (Howard et al., 2017).
    """

    kind = "depthwise_conv2d"
    stem = "depthwise"
    title = "depthwise convolution 2d"
    about = "Looks for patterns in each channel by itself: with a 1×1 convolution after it a cheap convolution."
    role = "weights"
    output_is_free = True

    multiplier: int = knob(1, help="How many filters each channel has.", ge=1, le=1024)
    kernel: Pair = knob(3, help="Height and width of a filter.", unit="px")
    stride: Pair = knob(1, help="How far the filters move at a time.", unit="px")
    padding: Padding = knob("same", help="Zeros around the picture: `same` keeps its size, `valid` adds none.")
    dilation: Pair = knob(1, help="How far apart the pixels of a filter stand.", unit="px", advanced=True)
    bias: bool = knob(True, help="Add a trained constant to each filter; a batch norm right after makes it needless.")
    initializer: InitializerName = knob("he_normal", help="How the weights start.")
    constant: float = knob(0.0, help="The value that `constant` fills in.", advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self._grouped(inputs[0][-1]).output_shape(inputs)

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        return self._grouped(inputs[0][-1]).parameters(inputs)

    def compile(self, site: Site) -> Calls:
        shape = tuple(site.inputs[0].shape[1:])
        geometry = self._grouped(shape[-1]).geometry(shape)
        if site.compiled:
            from workbench.layers.depthwise_compiled import compiled_depthwise

            return compiled_depthwise(site, geometry)
        if site.cuda:
            from workbench.layers.depthwise_cuda import depthwise_on_cuda

            return depthwise_on_cuda(site, geometry)
        return _ByTap(site, geometry).calls()

    def multiply_adds(self, inputs: Sequence[Shape]) -> int:
        return self._grouped(inputs[0][-1]).multiply_adds(inputs)

    def summary(self) -> str:
        stride = "" if pair(self.stride) == (1, 1) else f" · stride {shown(self.stride)}"
        padding = self.padding if isinstance(self.padding, str) else f"padding {shown(self.padding)}"
        many = f"{self.multiplier} a channel · " if self.multiplier > 1 else ""
        return f"{many}{shown(self.kernel)}{stride} · {padding}"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return self._grouped(inputs[0][-1]).onnx(inputs)

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return self._grouped(inputs[0][-1]).torch(inputs)

    def _grouped(self, channels: int) -> Conv2d:
        """The same as a convolution with a group for each channel."""
        shared = ("kernel", "stride", "padding", "dilation", "bias", "initializer", "constant")
        fields = {name: getattr(self, name) for name in shared}
        return Conv2d.model_construct(filters=channels * self.multiplier, groups=channels, **fields)


class _ByTap:
    """In array operations: what stands at one place of every window, times one weight of each filter, added up."""

    def __init__(self, site: Site, geometry: Geometry) -> None:
        self.site, self.geometry, self.rows, self.columns = site, geometry, geometry.rows, geometry.columns
        self.times = geometry.filters // geometry.channels
        x = site.inputs[0]
        self.padded = self._framed("padded", x)
        self.y = self._by_channel(site.output)
        self.part = site.like("part", self.y)
        self.weight = site.weights["weight"].reshape(geometry.taps, geometry.channels, self.times)

    def calls(self) -> Calls:
        return Calls(self.forward, self.backward)

    def forward(self) -> None:
        xp, x, bias = self.site.xp, self.site.inputs[0], self.site.weights.get("bias")
        if self.padded is not x:
            xp.copyto(self._inner(self.padded), x)
        self.y[...] = 0
        for tap, seen in self._taps(self.padded):
            xp.multiply(seen[..., None], self.weight[tap], out=self.part)
            xp.add(self.y, self.part, out=self.y)
        if bias is not None:
            xp.add(self.site.output, bias, out=self.site.output)

    def backward(self) -> None:
        xp, dy, gradients = self.site.xp, self.site.d_output, self.site.gradients
        slopes = self._by_channel(dy)
        if "bias" in gradients:
            # Picture by picture first: a single long float32 sum loses digits.
            xp.sum(dy.sum(axis=(1, 2)), axis=0, out=gradients["bias"])
        if "weight" in gradients:
            by_tap = gradients["weight"].reshape(self.weight.shape)
            for tap, seen in self._taps(self.padded):
                xp.multiply(seen[..., None], slopes, out=self.part)
                xp.sum(self.part.sum(axis=(1, 2)), axis=0, out=by_tap[tap])
        if self.site.d_inputs[0] is not None:
            self._input_gradient(slopes, self.site.d_inputs[0])

    def _input_gradient(self, slopes: Array, dx: Array) -> None:
        xp, padded = self.site.xp, self._framed("d_padded", dx)
        padded[...] = 0
        for tap, place in self._taps(padded):
            xp.multiply(slopes, self.weight[tap], out=self.part)
            xp.add(place, self.part.sum(axis=-1) if self.times > 1 else self.part[..., 0], out=place)
        if padded is not dx:
            xp.copyto(dx, self._inner(padded))

    def _taps(self, pictures: Array) -> Iterator[tuple[int, Array]]:
        """By place in a window: what stands there in all windows."""
        rows, columns = self.rows, self.columns
        for tap in range(self.geometry.taps):
            down, across = tap // columns.window * rows.dilation, tap % columns.window * columns.dilation
            yield tap, offset_view(pictures, rows, columns, down, across)

    def _framed(self, name: str, pictures: Array) -> Array:
        """The pictures themselves where there are no zeros around them, else a buffer that has these."""
        sizes = self.rows.padded, self.columns.padded
        if sizes == pictures.shape[1:3]:
            return pictures
        padded = self.site.buffer(name, (len(pictures), *sizes, self.geometry.channels), pictures.dtype)
        padded[...] = 0
        return padded

    def _inner(self, padded: Array) -> Array:
        top, left = self.rows.before, self.columns.before
        return padded[:, top : top + self.rows.size, left : left + self.columns.size]

    def _by_channel(self, array: Array) -> Array:
        """``(rows, height, width, channels, filters a channel)``."""
        return array.reshape(*array.shape[:3], self.geometry.channels, self.times)
