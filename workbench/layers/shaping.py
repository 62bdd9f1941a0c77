"""Layers that change nothing but the shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from workbench.engine.backend import Shape
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, Site, TorchModule


class Flatten(Layer):
    """A picture as a vector, channel by channel.

    The order is the ecosystem's (channels, height, width), not the engine's own (height, width, channels): the dense
    layers after it then have the same weights here, in PyTorch and in ONNX.
    """

    kind = "flatten"
    stem = "flat"
    about = "Makes a vector of a picture, for the dense layers after it."

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (prod(inputs[0]),)

    def compile(self, site: Site) -> Calls:
        if site.compiled:
            return _compiled(site)
        xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
        order = (0, x.ndim - 1, *range(1, x.ndim - 1))
        turned = x.transpose(order)
        y_turned = y.reshape(turned.shape)
        d_turned = dx.transpose(order) if dx is not None else None

        def forward() -> None:
            xp.copyto(y_turned, turned)

        def backward() -> None:
            if d_turned is not None:
                xp.copyto(d_turned, dy.reshape(d_turned.shape))

        return Calls(forward, backward)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("Flatten", attributes={"axis": 1})]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule("", "{0}.flatten(1)")


def _compiled(site: Site) -> Calls:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import channels_first

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    size, channels = prod(x.shape[1:]), x.shape[-1]
    places, moved = size // channels, 2 * size * x.dtype.itemsize
    forward = NativeCall(channels_first, site.rows, x, y, places, channels, row_bytes=moved)
    if dx is None:
        return Calls(forward, Chain())
    return Calls(forward, NativeCall(channels_first, site.rows, dy, dx, channels, places, row_bytes=moved))
