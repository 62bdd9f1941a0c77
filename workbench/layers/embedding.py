"""Embedding: whole numbers (words, categories, places) looked up in a trained table of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from workbench.engine.backend import Array, Call, Shape
from workbench.engine.initializers import Initializer
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, Parameter, ShapeError, Site, TorchModule
from workbench.layers import embedding_cuda
from workbench.recipe.fields import knob


class Embedding(Layer):
    """A vector of whole numbers ``(T,)`` becomes the sequence ``(T, dimension)`` of their rows in the table.

    Weights ``(vocabulary, dimension)``. What the numbers come from gets no gradient: a step in them moves nothing
    or everything.
    """

    kind = "embedding"
    stem = "embed"
    about = "Gives each word or category a vector of its own, which is learned; the start of networks on such numbers."
    role = "weights"
    looks_up = True
    output_is_free = True

    vocabulary: int = knob(
        10_000,
        help="How many different numbers there are, from 0 on; numbers below 0 or beyond the last are taken for the "
        "nearest, fractions are cut off.",
        ge=1,
        le=16_777_216,
        log=True,
    )
    dimension: int = knob(64, help="How many values stand for each number.", ge=1, le=65_536, log=True)
    padding_index: int | None = knob(
        None,
        help="The number that fills short examples up: its vector starts at 0 and is not trained.",
        ge=0,
        placeholder="none",
    )
    initializer: Literal["normal", "uniform", "zeros"] = knob("normal", help="How the table starts.")
    deviation: float = knob(1.0, help="The standard deviation of its first values.", gt=0, le=100, advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        (shape,) = inputs
        if len(shape) != 1:
            raise ShapeError(f"reads a vector of whole numbers, not {' × '.join(map(str, shape))}")
        if self.padding_index is not None and self.padding_index >= self.vocabulary:
            raise ShapeError(f"has no number {self.padding_index} for padding: they go from 0 to {self.vocabulary - 1}")
        return shape[0], self.dimension

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        start = Initializer(self.initializer, self.deviation, empty_row=self.padding_index)
        return (Parameter("weight", (self.vocabulary, self.dimension), start, decays=True),)

    def compile(self, site: Site) -> Calls:
        if site.compiled:
            return _compiled(self, site)
        if site.cuda and embedding_cuda.fits(self):
            return embedding_cuda.embedding_on_cuda(self, site)
        xp, x, y, dx, weight = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.weights["weight"]
        inside, rows = site.like("inside", x), site.like("rows", x, np.int64)
        last = self.vocabulary - 1

        def forward() -> None:
            # These two take a number too where there is none (NaN), with which a look-up could read anywhere.
            xp.fmax(x, 0, out=inside)
            xp.fmin(inside, last, out=inside)
            xp.copyto(rows, inside, casting="unsafe")
            xp.take(weight, rows, axis=0, out=y)

        def backward() -> None:
            if "weight" in site.gradients:
                _sum_by_row(site, rows.reshape(-1), site.gradients["weight"])
                if self.padding_index is not None:
                    site.gradients["weight"][self.padding_index] = 0
            if dx is not None:
                dx[...] = 0

        return Calls(forward, backward)

    def summary(self) -> str:
        return f"{self.vocabulary:,} numbers · {self.dimension} values"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        ends = {"first": np.float32(0), "last": np.float32(self.vocabulary - 1)}
        return [
            OnnxNode("Clip", ("0", "first", "last"), constants=ends),
            OnnxNode("Cast", ("-1",), {"to": 7}),  # TensorProto.INT64
            OnnxNode("Gather", ("weight", "-1"), {"axis": 0}),
            OnnxNode("Transpose", ("-1",), {"perm": [0, 2, 1]}),
        ]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        padding = "" if self.padding_index is None else f", padding_idx={self.padding_index}"
        return TorchModule(
            f"nn.Embedding({self.vocabulary}, {self.dimension}{padding})",
            f"{{self}}({{0}}.clamp(0, {self.vocabulary - 1}).long()).movedim(-1, 1)",
        )


def _compiled(layer: Embedding, site: Site) -> Calls:
    from workbench.engine.kernels import embedding as kernels
    from workbench.engine.kernels.calls import NativeCall

    x, dx, weight, backward = site.inputs[0], site.d_inputs[0], site.weights["weight"], list[Call]()
    sizes = x.shape[1], layer.dimension, layer.vocabulary
    moved = x.itemsize * x.shape[1] * (1 + 2 * layer.dimension)
    forward = NativeCall(kernels.embed, site.rows, x, weight, site.output, *sizes, row_bytes=moved)
    if "weight" in site.gradients:
        places = site.buffer("places", (layer.vocabulary,), np.int64)
        places[...] = -1
        most = min(x.size, layer.vocabulary)
        sums, found = site.buffer("sums", (most, layer.dimension), np.float64), site.like("found", x, np.int64)
        kept = -1 if layer.padding_index is None else layer.padding_index
        arrays = x, site.d_output, site.gradients["weight"], sums, places, found
        backward.append(NativeCall(kernels.embedding_gradient, site.rows, *arrays, *sizes, kept))
    if dx is not None:
        backward.append(
            NativeCall(kernels.no_gradient, site.rows, dx, dx.shape[1], row_bytes=dx.itemsize * dx.shape[1])
        )
    return Calls(forward, Chain(*backward))


def _sum_by_row(site: Site, rows: Array, total: Array) -> None:
    """Add up the output's gradient by table row: sorted, summed on in float64, and read where the row changes.

    Unlike additions in place on a GPU, this gives the same sums each time; and as nothing's shape depends on the rows,
    nobody has to wait for them.
    """
    xp, d_output = site.xp, site.d_output.reshape(rows.shape[0], -1)
    order = xp.argsort(rows, kind="stable")
    found = rows[order]
    sums = site.buffer("sums", (rows.shape[0] + 1, d_output.shape[1]), np.float64)
    sums[0] = 0
    xp.cumsum(d_output[order], axis=0, dtype=np.float64, out=sums[1:])
    parts = sums[xp.searchsorted(found, found, side="right")] - sums[xp.searchsorted(found, found)]
    total[...] = 0
    # A row that occurs several times is written as often, each time its whole sum.
    total[found] = parts.astype(total.dtype)
