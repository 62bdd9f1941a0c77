"""Zeros around a picture, or before and after a sequence; or a border made of the values inside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import prod

import numpy as np

from workbench.engine.backend import Shape
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, ShapeError, Site, TorchModule
from workbench.layers.borders import Mode, Sides, bordered, check_border, sources
from workbench.layers.windows import Margin
from workbench.recipe.fields import knob

_MODE = (
    "What is put there: zeros, the values inside mirrored at the edge (reflect), the outermost value (replicate), or"
    " what stands at the other end (circular)."
)
_ONNX = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}
_TORCH = {"zeros": "Zero", "reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}


class _ZeroPadding(Layer):
    """Places added at the ends of some axes."""

    stem = "pad"
    output_is_free = True

    @abstractmethod
    def sides(self) -> Sides:
        """Places before and after, for each axis."""

    @abstractmethod
    def border(self) -> Mode:
        """What is put there."""

    def compile(self, site: Site) -> Calls:
        mode = self.border()
        return _calls(site, self.sides()) if mode == "zeros" else bordered(site, mode, self.sides())

    def summary(self) -> str:
        padding = self.model_dump()["padding"]
        sizes = ", ".join(map(str, (padding,) if isinstance(padding, int) else padding))
        return sizes if self.border() == "zeros" else f"{sizes} · {self.border()}"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        mode = self.border()
        if mode == "circular":
            return [self._gathered(inputs[0], axis) for axis in range(len(self.sides()))]
        starts, ends = zip(*self.sides(), strict=True)
        pads = {"pads": np.array((0, 0, *starts, 0, 0, *ends), np.int64)}
        return [OnnxNode("Pad", ("0", "pads"), {"mode": _ONNX[mode]} if mode != "zeros" else {}, pads)]

    def _gathered(self, shape: Shape, axis: int) -> OnnxNode:
        """One axis put together anew: the operator's own mode for it comes with opset 19."""
        places = {"places": sources("circular", shape[axis], self.sides()[axis])}
        return OnnxNode("Gather", ("-1" if axis else "0", "places"), {"axis": 2 + axis}, places)

    def _padded(self, shape: Shape) -> Shape:
        check_border(self.border(), shape, self.sides())
        grown = (size + before + after for size, (before, after) in zip(shape, self.sides(), strict=False))
        return (*grown, shape[-1])


class ZeroPadding2d(_ZeroPadding):
    """Zeros, or a border made of the values inside, on the four sides of a picture."""

    kind = "zero_padding2d"
    title = "zero padding 2d"
    about = "Puts zeros around a picture, where a convolution's own padding will not do."

    padding: Margin | tuple[Margin, Margin] | tuple[Margin, Margin, Margin, Margin] = knob(
        1,
        help="One number for all sides; two: above and below, left and right; four: top, bottom, left, right.",
        unit="px",
    )
    mode: Mode = knob("zeros", help=_MODE, advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != 3:
            raise ShapeError(f"reads a picture (height × width × channels), not {' × '.join(map(str, inputs[0]))}")
        return self._padded(inputs[0])

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        rows, columns = self.sides()
        return TorchModule(f"nn.{_TORCH[self.mode]}Pad2d({(*columns, *rows)})")

    def border(self) -> Mode:
        return self.mode

    def sides(self) -> Sides:
        if isinstance(self.padding, int):
            return (self.padding, self.padding), (self.padding, self.padding)
        if len(self.padding) == 2:
            high, wide = self.padding
            return (high, high), (wide, wide)
        top, bottom, left, right = self.padding
        return (top, bottom), (left, right)


class ZeroPadding1d(_ZeroPadding):
    """Zeros, or what the sequence holds, before its first and after its last step."""

    kind = "zero_padding1d"
    title = "zero padding 1d"
    about = "Puts zeros before and after a sequence; before only, a convolution sees nothing of what is to come."

    padding: Margin | tuple[Margin, Margin] = knob(
        1, help="One number for both ends; two: before the first step, after the last one.", unit="steps"
    )
    mode: Mode = knob("zeros", help=_MODE, advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != 2:
            raise ShapeError(f"reads a sequence (steps × features), not {' × '.join(map(str, inputs[0]))}")
        return self._padded(inputs[0])

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule(f"nn.{_TORCH[self.mode]}Pad1d({self.sides()[0]})")

    def border(self) -> Mode:
        return self.mode

    def sides(self) -> Sides:
        return ((self.padding, self.padding) if isinstance(self.padding, int) else self.padding,)


def _calls(site: Site, sides: Sides) -> Calls:
    if site.compiled:
        return _compiled(site, sides)
    if site.cuda:
        return _on_cuda(site, site.cuda, sides)
    xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
    cuts = [slice(before, before + size) for size, (before, _) in zip(x.shape[1:], sides, strict=False)]
    inner = (slice(None), *cuts)
    edges = []
    for axis, cut in enumerate(cuts, start=1):
        lead = (slice(None),) * axis
        edges += [y[(*lead, slice(0, cut.start))], y[(*lead, slice(cut.stop, None))]]
    edges = [edge for edge in edges if edge.size]

    def forward() -> None:
        # Each time: what the memory of the edges held before was another layer's.
        for edge in edges:
            edge[...] = 0
        xp.copyto(y[inner], x)

    def backward() -> None:
        if dx is not None:
            xp.copyto(dx, dy[inner])

    return Calls(forward, backward)


def _compiled(site: Site, sides: Sides) -> Calls:
    from workbench.engine.kernels import resizing as kernels
    from workbench.engine.kernels.calls import NativeCall

    x, y, dx, one_row = site.inputs[0], site.output, site.d_inputs[0], (1,) if len(sides) == 1 else ()
    starts = [before for before, _ in sides]
    sizes = *one_row, *x.shape[1:], *one_row, *y.shape[1:-1], *([0] if one_row else []), *starts
    moved = x.itemsize * (prod(x.shape[1:]) + prod(y.shape[1:]))
    forward = NativeCall(kernels.pad_forward, site.rows, x, y, *sizes, row_bytes=moved)
    if dx is None:
        return Calls(forward, Chain())
    return Calls(forward, NativeCall(kernels.pad_backward, site.rows, site.d_output, dx, *sizes, row_bytes=moved))


def _on_cuda(site: Site, launcher: Launcher, sides: Sides) -> Calls:
    x, y, dx, one_row = site.inputs[0], site.output, site.d_inputs[0], (1,) if len(sides) == 1 else ()
    top, left = (*([0] if one_row else []), *(before for before, _ in sides))
    inner, outer, channels = (*one_row, *x.shape[1:-1]), (*one_row, *y.shape[1:-1]), x.shape[-1]
    there = *inner, channels, *outer, top, left
    forward = launcher.over(prod(y.shape), "frame_pictures", x, y, there, prod(y.shape))
    if dx is None:
        return Calls(forward, Chain())
    back = *outer, channels, *inner, -top, -left
    return Calls(forward, launcher.over(prod(dx.shape), "frame_pictures", site.d_output, dx, back, prod(dx.shape)))
