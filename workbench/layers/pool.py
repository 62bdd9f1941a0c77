"""Pooling: the largest or the mean value of each window of a picture or a sequence."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from workbench.engine.backend import Shape
from workbench.engine.layer import Calls, Layer, OnnxNode, ShapeError, Site, TorchModule
from workbench.layers.activation import is_relu
from workbench.layers.windows import ALONE, Axis, Margin, Pair, Size, axes_of, axis_of, pair, shown
from workbench.recipe.fields import knob

_PADDING = "Places around the input that count for nothing: `same` gives the size divided by the stride."


class _Pool(Layer):
    """Windows that move over the input; padding counts for nothing, neither as a largest value nor in a mean."""

    stem = "pool"
    largest: ClassVar[bool]

    @abstractmethod
    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        """Where the windows lie; a sequence is a picture of one row.

        Raises:
            ShapeError: they do not fit.
        """

    @abstractmethod
    def _flat(self, axis_values: tuple[Any, Any]) -> list[Any]:
        """What of a pair (rows, columns) counts."""

    def takes_over(self, before: Layer) -> bool:
        # The largest of some values floored at 0 is the largest of them, floored: so a quarter of the work is left.
        return self.largest and is_relu(before)

    def compile(self, site: Site) -> Calls:
        axes = _checked(self.axes(tuple(site.inputs[0].shape[1:])))
        if site.compiled:
            from workbench.layers.pool_compiled import compiled_pooling

            return compiled_pooling(site, axes, self.largest)
        if site.cuda:
            from workbench.layers.pool_cuda import pooling_on_cuda

            return pooling_on_cuda(site, axes, self.largest)
        from workbench.layers.pool_arrays import average_pooling, max_pooling

        return max_pooling(site, axes) if self.largest else average_pooling(site, axes)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        rows, columns = self.axes(inputs[0])
        attributes = {
            "kernel_shape": self._flat((rows.window, columns.window)),
            "strides": self._flat((rows.stride, columns.stride)),
            "pads": [*self._flat((rows.before, columns.before)), *self._flat((rows.after, columns.after))],
        }
        return [OnnxNode("MaxPool" if self.largest else "AveragePool", attributes=attributes)]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        rows, columns = self.axes(inputs[0])
        kind = f"nn.{'Max' if self.largest else 'Avg'}Pool{len(inputs[0]) - 1}d"
        sizes = f"{self._written(rows.window, columns.window)}, stride={self._written(rows.stride, columns.stride)}"
        if not any((rows.before, rows.after, columns.before, columns.after)):
            return TorchModule(f"{kind}({sizes})")
        margins = self._written(rows.before, columns.before)
        if (rows.before, columns.before) == (rows.after, columns.after) and _halves((rows, columns)):
            plain = "" if self.largest else ", count_include_pad=False"
            return TorchModule(f"{kind}({sizes}, padding={margins}{plain})")
        pads = tuple(end for side in reversed(self._flat((rows, columns))) for end in (side.before, side.after))
        if self.largest:
            return TorchModule(f"{kind}({sizes})", f'{{self}}(F.pad({{0}}, {pads}, value=float("-inf")))')
        # The mean of what is there: the mean with zeros, by the mean of ones with zeros.
        mean = "{self}(F.pad({values}, {pads}))"
        over, under = (
            mean.replace("{values}", values).replace("{pads}", str(pads)) for values in ("{0}", "torch.ones_like({0})")
        )
        return TorchModule(f"{kind}({sizes})", f"{over} / {under}")

    def _written(self, *value: int) -> str:
        flat = self._flat((value[0], value[1]))
        return str(flat[0] if len(flat) == 1 else tuple(flat))


class _Pool2d(_Pool):
    window: Pair = knob(2, help="Height and width of a window.", unit="px")
    stride: Pair | None = knob(None, help="How far the windows move at a time.", unit="px", placeholder="the window")
    padding: Literal["valid", "same"] | Margin | tuple[Margin, Margin] = knob("valid", help=_PADDING, advanced=True)

    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        return axes_of("window", shape, self.window, self.stride or self.window, self.padding)

    def _flat(self, axis_values: tuple[Any, Any]) -> list[Any]:
        return list(axis_values)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        rows, columns = _checked(self.axes(inputs[0]))
        return rows.count, columns.count, inputs[0][2]

    def summary(self) -> str:
        moved = self.stride is not None and pair(self.stride) != pair(self.window)
        return shown(self.window) + (f" · stride {shown(self.stride or 1)}" if moved else "")


class _Pool1d(_Pool):
    window: Size = knob(2, help="Length of a window.", unit="steps")
    stride: Size | None = knob(None, help="How far the windows move at a time.", unit="steps", placeholder="the window")
    padding: Literal["valid", "same"] | Margin = knob("valid", help=_PADDING, advanced=True)

    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        return ALONE, axis_of("window", shape, self.window, self.stride or self.window, self.padding)

    def _flat(self, axis_values: tuple[Any, Any]) -> list[Any]:
        return [axis_values[1]]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        _, columns = _checked(self.axes(inputs[0]))
        return columns.count, inputs[0][1]

    def summary(self) -> str:
        moved = self.stride is not None and self.stride != self.window
        return str(self.window) + (f" · stride {self.stride}" if moved else "")


class MaxPool2d(_Pool2d):
    """The largest value of each window; of several equal ones the first gets the gradient."""

    kind = "max_pool2d"
    title = "max pooling 2d"
    about = "Halves a picture's size and keeps the strongest answers."
    largest = True


class AveragePool2d(_Pool2d):
    """The mean of each window."""

    kind = "average_pool2d"
    title = "average pooling 2d"
    about = "Halves a picture's size and smooths it."
    largest = False


class MaxPool1d(_Pool1d):
    """The largest value of each window of a sequence; of several equal ones the first gets the gradient."""

    kind = "max_pool1d"
    title = "max pooling 1d"
    about = "Halves a sequence's length and keeps the strongest answers."
    largest = True


class AveragePool1d(_Pool1d):
    """The mean of each window of a sequence."""

    kind = "average_pool1d"
    title = "average pooling 1d"
    about = "Halves a sequence's length and smooths it."
    largest = False


class _GlobalAverage(Layer):
    stem = "pool"
    rank: ClassVar[int]
    reads: ClassVar[str]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != self.rank:
            raise ShapeError(f"reads {self.reads}, not {' × '.join(map(str, inputs[0]))}")
        return (inputs[0][-1],)

    def compile(self, site: Site) -> Calls:
        if site.compiled:
            from workbench.layers.pool_compiled import compiled_global_average

            return compiled_global_average(site)
        if site.cuda:
            from workbench.layers.pool_cuda import global_average_on_cuda

            return global_average_on_cuda(site)
        from workbench.layers.pool_arrays import global_average

        return global_average(site)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("GlobalAveragePool"), OnnxNode("Flatten", ("-1",), {"axis": 1})]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule("", f"{{0}}.mean(dim={'(2, 3)' if self.rank == 3 else '2'})")


class GlobalAveragePool2d(_GlobalAverage):
    """The mean of each channel over the whole picture: a vector, whatever the picture's size."""

    kind = "global_average_pool2d"
    title = "global average pooling 2d"
    about = "One number a channel: ends a convolutional network with few parameters."
    rank, reads = 3, "a picture (height × width × channels)"


class GlobalAveragePool1d(_GlobalAverage):
    """The mean of each feature over the whole sequence: a vector, whatever its length."""

    kind = "global_average_pool1d"
    title = "global average pooling 1d"
    about = "One number a feature: ends a network for sequences with few parameters."
    rank, reads = 2, "a sequence (steps × features)"


class _GlobalMax(_Pool):
    """One window over all places."""

    largest = True
    rank: ClassVar[int]
    reads: ClassVar[str]

    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        rows, columns = shape[:-1] if len(shape) == 3 else (1, shape[0])
        return Axis(rows, rows, rows, 0, 0, 1), Axis(columns, columns, columns, 0, 0, 1)

    def _flat(self, axis_values: tuple[Any, Any]) -> list[Any]:
        return list(axis_values)[3 - self.rank :]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != self.rank:
            raise ShapeError(f"reads {self.reads}, not {' × '.join(map(str, inputs[0]))}")
        return (inputs[0][-1],)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("GlobalMaxPool"), OnnxNode("Flatten", ("-1",), {"axis": 1})]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule(f"nn.AdaptiveMaxPool{self.rank - 1}d(1)", "{self}({0}).flatten(1)")


class GlobalMaxPool2d(_GlobalMax):
    """The largest value of each channel of the whole picture: a vector, whatever the picture's size."""

    kind = "global_max_pool2d"
    title = "global max pooling 2d"
    about = "The strongest answer of each channel: whether a pattern is anywhere in a picture."
    rank, reads = 3, "a picture (height × width × channels)"


class GlobalMaxPool1d(_GlobalMax):
    """The largest value of each feature of the whole sequence: a vector, whatever its length."""

    kind = "global_max_pool1d"
    title = "global max pooling 1d"
    about = "The strongest answer of each feature: whether a pattern is anywhere in a sequence."
    rank, reads = 2, "a sequence (steps × features)"


def _checked(axes: tuple[Axis, Axis]) -> tuple[Axis, Axis]:
    if any(axis.before >= axis.window or axis.after >= axis.window for axis in axes):
        raise ShapeError("padding is as large as the window: some windows would hold nothing")
    return axes


def _halves(axes: tuple[Axis, Axis]) -> bool:
    """Whether PyTorch takes the padding as it is: at most half a window."""
    return all(2 * axis.before <= axis.window for axis in axes)
