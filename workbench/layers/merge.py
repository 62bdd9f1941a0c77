"""Layers that join branches, which makes a network a graph."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import inf, prod

from workbench.engine.backend import Array, Call, Shape
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, ShapeError, Site, TorchModule
from workbench.layers.activation import is_relu


class Add(Layer):
    """The sum of outputs of one shape: what makes a residual block (He et al., CVPR 2016)."""

    kind = "add"
    about = "Adds branches up: a way around some layers, for deep networks."
    role = "merge"
    output_is_free = True
    passes_gradient = True
    most_inputs = 64
    least_inputs = 2

    def absorbs(self, after: Layer) -> bool:
        return is_relu(after)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if any(shape != inputs[0] for shape in inputs):
            raise ShapeError(f"adds outputs of one shape, not {_listed(inputs)}")
        return inputs[0]

    def compile(self, site: Site) -> Calls:
        if site.compiled:
            return _compiled_sum(site)
        if site.cuda:
            return _sum_on_cuda(site, site.cuda)
        xp, y, dy = site.xp, site.output, site.d_output

        def forward() -> None:
            xp.add(site.inputs[0], site.inputs[1], out=y)
            for other in site.inputs[2:]:
                xp.add(y, other, out=y)

        def backward() -> None:
            for dx in site.d_inputs:
                if dx is not None:
                    xp.copyto(dx, dy)

        return Calls(forward, backward)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("Sum", tuple(str(number) for number in range(len(inputs))))]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule("", " + ".join(f"{{{number}}}" for number in range(len(inputs))))


class Concatenate(Layer):
    """Outputs side by side: vectors end to end, pictures and sequences of one size channel on channel."""

    kind = "concatenate"
    stem = "concat"
    about = "Puts branches side by side, so that the next layer reads them all."
    role = "merge"
    output_is_free = True
    most_inputs = 64
    least_inputs = 2

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if any(shape[:-1] != inputs[0][:-1] for shape in inputs):
            raise ShapeError(f"joins outputs that differ in their last number only, not {_listed(inputs)}")
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))

    def compile(self, site: Site) -> Calls:
        xp, stops = site.xp, [0]
        for x in site.inputs:
            stops.append(stops[-1] + x.shape[-1])
        if site.compiled:
            return _compiled_join(site, stops)
        if site.cuda:
            return _join_on_cuda(site, site.cuda, stops)
        cuts = [slice(start, stop) for start, stop in itertools.pairwise(stops)]

        def forward() -> None:
            for x, cut in zip(site.inputs, cuts, strict=True):
                xp.copyto(site.output[..., cut], x)

        def backward() -> None:
            for dx, cut in zip(site.d_inputs, cuts, strict=True):
                if dx is not None:
                    xp.copyto(dx, site.d_output[..., cut])

        return Calls(forward, backward)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("Concat", tuple(str(number) for number in range(len(inputs))), {"axis": 1})]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule("", "torch.cat([{all}], dim=1)")


def _listed(shapes: Sequence[Shape]) -> str:
    return " and ".join(" × ".join(map(str, shape)) for shape in shapes)


def _compiled_sum(site: Site) -> Calls:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import add_values

    y, size = site.output, prod(site.output.shape[1:])
    bytes_each = size * y.itemsize
    firsts, last = [site.inputs[0], *[y] * (len(site.inputs) - 2)], len(site.inputs) - 2
    sums = [
        NativeCall(
            add_values, site.rows, before, other, y, size, 0.0 if site.absorbs and number == last else -inf,
            row_bytes=3 * bytes_each,
        )
        for number, (before, other) in enumerate(zip(firsts, site.inputs[1:], strict=True))
    ]  # fmt: skip
    return Calls(Chain(*sums), Chain(*_compiled_shares(site, size)))


def _compiled_shares(site: Site, size: int) -> list[Call]:
    from workbench.engine.kernels.activation import relu_backward
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import copy_values

    dy, moved, found = site.d_output, size * site.output.itemsize, list[Call]()
    if site.absorbs and dy is not None:
        found.append(NativeCall(relu_backward, site.rows, site.output, dy, dy, size, row_bytes=3 * moved))
    others = [dx for dx in site.d_inputs if dx is not None and dx is not dy]
    return found + [NativeCall(copy_values, site.rows, dy, dx, size, row_bytes=2 * moved) for dx in others]


def _compiled_join(site: Site, stops: list[int]) -> Calls:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import join_channels

    places, many = prod(site.output.shape[1:-1]), stops[-1]

    def moving(narrow: Array, wide: Array, start: int, stop: int, out: int) -> NativeCall:
        fields = narrow, wide, places, stop - start, many, start, out
        return NativeCall(join_channels, site.rows, *fields, row_bytes=2 * places * (stop - start) * wide.itemsize)

    ends = list(itertools.pairwise(stops))
    into = [moving(x, site.output, *end, 0) for x, end in zip(site.inputs, ends, strict=True)]
    back = [moving(dx, site.d_output, *end, 1) for dx, end in zip(site.d_inputs, ends, strict=True) if dx is not None]
    return Calls(Chain(*into), Chain(*back))


def _sum_on_cuda(site: Site, launcher: Launcher) -> Calls:
    y, count = site.output, prod(site.output.shape)
    befores = [site.inputs[0], *[y] * (len(site.inputs) - 2)]
    sums = [
        launcher.over(count, "add_values", before, other, y, count)
        for before, other in zip(befores, site.inputs[1:], strict=True)
    ]
    found = [dx for dx in site.d_inputs if dx is not None]
    return Calls(Chain(*sums), Chain(*(launcher.over(count, "copy_values", site.d_output, dx, count) for dx in found)))


def _join_on_cuda(site: Site, launcher: Launcher, stops: list[int]) -> Calls:
    many = stops[-1]

    def moving(narrow: Array, wide: Array, start: int, stop: int, out: int) -> Call:
        count, few = prod(narrow.shape), stop - start
        return launcher.over(count, "join_channels", narrow, wide, few, many, start, out, count)

    ends = list(itertools.pairwise(stops))
    into = [moving(x, site.output, *end, 0) for x, end in zip(site.inputs, ends, strict=True)]
    back = [moving(dx, site.d_output, *end, 1) for dx, end in zip(site.d_inputs, ends, strict=True) if dx is not None]
    return Calls(Chain(*into), Chain(*back))
