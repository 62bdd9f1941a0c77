"""Normalization of each example by itself: the same in training and in inference, whatever the batch."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

import numpy as np

from workbench.engine.backend import Array, Call, Shape
from workbench.engine.initializers import ONES, ZEROS
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, Parameter, ShapeError, Site, TorchModule
from workbench.layers.norm import channel_sums
from workbench.recipe.fields import knob


class LayerNorm(Layer):
    """Layer normalization (Ba, Kiros and Hinton, 2016): ``weight * (x - mean) / sqrt(variance + epsilon) + bias``.

    Mean and (biased) variance are those of the features of one step or the channels of one pixel, or with
    ``axes = "all"`` of all values of the example; the scale and shift have the shape of what is normalized.
    """

    kind = "layer_norm"
    stem = "norm"
    title = "layer norm"
    about = "Keeps each example's answers in the same range, whatever the batch: for sequences and small batches."
    role = "norm"
    output_is_free = True

    axes: Literal["features", "all"] = knob(
        "features", help="Normalize over the features of each step or pixel, or over all values of an example."
    )
    affine: bool = knob(True, help="Scale the normalized values by trained weights.")
    bias: bool = knob(True, help="With the trained weights, add a trained shift.", advanced=True)
    epsilon: float = knob(1e-5, help="Added to the variance.", gt=0, le=1, log=True, advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if prod(self._normalized(inputs)) == 1:
            mend = "" if prod(inputs[0]) == 1 else '; axes = "all" normalizes whole examples'
            raise ShapeError(f"normalizes a single value, which leaves nothing of it{mend}")
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        shape = self._normalized(inputs)
        axes = (len(shape) - 1, *range(len(shape) - 1)) if len(shape) > 1 else ()
        made = Parameter("weight", shape, ONES, axes=axes), Parameter("bias", shape, ZEROS, axes=axes)
        return made[: 1 + self.bias] if self.affine else ()

    def compile(self, site: Site) -> Calls:
        shape = tuple(site.inputs[0].shape[1:])
        places = prod(shape[:-1]) if self.axes == "all" else 1
        return _over_examples(site, self.epsilon, (places, 1, shape[-1]))

    def summary(self) -> str:
        return "over all values" if self.axes == "all" else "over features"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        shape, rank = self._normalized(inputs), len(inputs[0])
        turns = rank > len(shape)
        names = ("weight", "bias")[: 1 + self.bias] if self.affine else ("ones",)
        constants = {} if self.affine else {"ones": np.ones(_first(shape), np.float32)}
        attributes = {"axis": -len(shape), "epsilon": self.epsilon}
        norm = OnnxNode("LayerNormalization", ("-1" if turns else "0", *names), attributes, constants)
        if not turns:
            return [norm]
        last, first = [0, *range(2, rank + 1), 1], [0, rank, *range(1, rank)]
        return [
            OnnxNode("Transpose", attributes={"perm": last}),
            norm,
            OnnxNode("Transpose", ("-1",), {"perm": first}),
        ]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        shape = self._normalized(inputs)
        size = _first(shape) if len(shape) > 1 else shape[0]
        extra = "" if self.affine else ", elementwise_affine=False"
        extra += ", bias=False" if self.affine and not self.bias else ""
        module = f"nn.LayerNorm({size}, eps={self.epsilon!r}{extra})"
        if len(inputs[0]) == len(shape):
            return TorchModule(module)
        return TorchModule(module, "{self}({0}.movedim(1, -1)).movedim(-1, 1)")

    def _normalized(self, inputs: Sequence[Shape]) -> Shape:
        """The shape of what is normalized together."""
        return inputs[0] if self.axes == "all" else inputs[0][-1:]


class GroupNorm(Layer):
    """Group normalization (Wu and He, ECCV 2018): the channels in groups, each over all steps or pixels.

    One group normalizes the whole example, with a scale and shift for each channel; as many groups as channels is
    instance normalization.
    """

    kind = "group_norm"
    stem = "norm"
    title = "group norm"
    about = "Normalizes each example by itself, group of channels by group: for pictures in small batches."
    role = "norm"
    output_is_free = True

    groups: int = knob(8, help="How many groups the channels are cut into; must divide them.", ge=1, le=65_536)
    affine: bool = knob(True, help="Scale and shift each channel by trained numbers.")
    epsilon: float = knob(1e-5, help="Added to the variance.", gt=0, le=1, log=True, advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels = inputs[0][-1]
        if channels % self.groups:
            fitting = [str(count) for count in range(1, channels + 1) if channels % count == 0]
            few = fitting if len(fitting) <= 8 else [*fitting[:7], "..."]
            raise ShapeError(f"cannot cut {channels} channels into {self.groups} groups; take {', '.join(few)}")
        if prod(inputs[0]) == self.groups:
            raise ShapeError("has groups of a single value, of which normalizing leaves nothing; take fewer groups")
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        shape = inputs[0][-1:]
        return (Parameter("weight", shape, ONES), Parameter("bias", shape, ZEROS)) if self.affine else ()

    def compile(self, site: Site) -> Calls:
        *places, channels = site.inputs[0].shape[1:]
        return _over_examples(site, self.epsilon, (prod(places), self.groups, channels // self.groups))

    def summary(self) -> str:
        return f"{self.groups} groups" if self.groups > 1 else "1 group"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        # Opset 17 has no operator for it: each group is an instance of one channel.
        shape = _first(inputs[0])
        grouped = {"groups": np.array((-1, self.groups, prod(shape) // self.groups), np.int64)}
        ones, zeros = np.ones(self.groups, np.float32), np.zeros(self.groups, np.float32)
        nodes = [
            OnnxNode("Reshape", ("0", "groups"), constants=grouped),
            OnnxNode(
                "InstanceNormalization",
                ("-1", "ones", "zeros"),
                {"epsilon": self.epsilon},
                {"ones": ones, "zeros": zeros},
            ),
            OnnxNode("Reshape", ("-1", "shape"), constants={"shape": np.array((-1, *shape), np.int64)}),
        ]
        if self.affine:
            column = {"shape": np.array((shape[0], *(1 for _ in shape[1:])), np.int64)}
            for op, name in (("Mul", "weight"), ("Add", "bias")):
                nodes += [OnnxNode("Reshape", (name, "shape"), constants=column), OnnxNode(op, ("-2", "-1"))]
        return nodes

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        extra = "" if self.affine else ", affine=False"
        return TorchModule(f"nn.GroupNorm({self.groups}, {inputs[0][-1]}, eps={self.epsilon!r}{extra})")


def _first(shape: Shape) -> Shape:
    """A shape channels-first."""
    return (shape[-1], *shape[:-1])


def _over_examples(site: Site, epsilon: float, parts: tuple[int, int, int]) -> Calls:
    """Normalizes stretches of ``(places, groups, values)``, each group over its places and values."""
    if site.compiled:
        return _compiled(site, epsilon, parts)
    if site.cuda:
        from workbench.layers.example_norm_cuda import norm_over_examples_on_cuda

        return norm_over_examples_on_cuda(site, epsilon, parts)
    return _OverExamples(site, epsilon, parts).calls()


def _compiled(site: Site, epsilon: float, parts: tuple[int, int, int]) -> Calls:
    from workbench.engine.kernels import example_norm as kernels
    from workbench.engine.kernels.calls import NativeCall

    x, dy, dx, rows, weights = site.inputs[0], site.d_output, site.d_inputs[0], site.rows, site.weights
    size, moved = prod(x.shape[1:]), 2 * x.itemsize * prod(x.shape[1:])
    items, weight = size // prod(parts), weights.get("weight", 0)
    means, inverses = (site.buffer(name, (rows * items * parts[1],), x.dtype) for name in ("means", "inverses"))
    whole = "weight" in weights and weights["weight"].size == prod(parts) and parts[0] > 1
    sizes = items, *parts, int(whole)
    statistics = means, inverses

    def call(kernel: Any, *fields: Any) -> Call:
        return NativeCall(kernel, rows, *fields, row_bytes=moved)

    forward = call(
        kernels.example_norm_forward, x, site.output, *statistics, weight, weights.get("bias", 0), *sizes,
        float(epsilon),
    )  # fmt: skip
    backward, learned = [], site.gradients
    if "weight" in learned:
        sums = site.buffer("sums", (2 * learned["weight"].size,), np.float64)
        gradients = sums, learned["weight"], learned.get("bias", 0)
        backward.append(call(kernels.example_norm_slopes, x, dy, *statistics, *gradients, *sizes))
    if dx is not None:
        backward.append(call(kernels.example_norm_backward, x, dy, dx, *statistics, weight, *sizes))
    return Calls(forward, Chain(*backward))


class _OverExamples:
    """Normalizes ``(rows, places, groups, values)`` over places and values: each row and group by itself.

    Args:
        site: input, output and parameters; the parameters' shape is ``(values,)`` a group, or that of an example.
        epsilon: added to the variance.
        parts: places, groups and values of one row.
    """

    def __init__(self, site: Site, epsilon: float, parts: tuple[int, int, int]) -> None:
        self.site, self.epsilon = site, epsilon
        self.places, self.groups, self.values = parts
        self.x = site.inputs[0].reshape(-1, *parts)
        self.y = site.output.reshape(self.x.shape)
        self.normal = site.like("normal", self.x)
        self.ones = site.buffer("ones", (self.values, 1), self.x.dtype)
        self.ones[...] = 1
        self.sums = site.buffer("sums", (self.x.size // self.values, 1), self.x.dtype)
        self.inverse: Array = None

    def calls(self) -> Calls:
        return Calls(self.forward, self.backward)

    def means(self, array: Array) -> Array:
        """Over places and values, ``(rows, 1, groups, 1)``: over values as a matrix product, over places in float64."""
        self.site.xp.matmul(array.reshape(-1, self.values), self.ones, out=self.sums)
        by_place = self.sums.reshape(-1, self.places, self.groups, 1)
        return by_place.sum(axis=1, keepdims=True, dtype=np.float64) / (self.places * self.values)

    def weight(self, name: str) -> Array | None:
        """A parameter so that it multiplies ``(rows, places, groups, values)``; None without."""
        array = self.site.weights.get(name)
        return None if array is None else array.reshape(-1, self.groups, self.values)

    def forward(self) -> None:
        xp, x, y, normal = self.site.xp, self.x, self.y, self.normal
        xp.subtract(x, self.means(x).astype(x.dtype), out=normal)
        xp.multiply(normal, normal, out=y)
        self.inverse = (1.0 / xp.sqrt(self.means(y) + self.epsilon)).astype(x.dtype)
        xp.multiply(normal, self.inverse, out=normal)
        weight, bias = self.weight("weight"), self.weight("bias")
        if weight is None:
            xp.copyto(y, normal)
        else:
            xp.multiply(normal, weight, out=y)
        if bias is not None:
            xp.add(y, bias, out=y)

    def backward(self) -> None:
        xp, dy, weight = self.site.xp, self.site.d_output.reshape(self.x.shape), self.weight("weight")
        product = self.site.like("product", self.x)
        if self.site.gradients:
            xp.multiply(dy, self.normal, out=product)
            self._sum_up("weight", product)
            self._sum_up("bias", dy)
        if self.site.d_inputs[0] is None:
            return
        dx = self.site.d_inputs[0].reshape(self.x.shape)
        if weight is not None:
            xp.multiply(dy, weight, out=dy)
        # dx = (d - mean(d) - normal * mean(d * normal)) / deviation, with d = dy * weight
        xp.multiply(dy, self.normal, out=product)
        xp.multiply(self.normal, self.means(product).astype(dy.dtype), out=product)
        xp.subtract(dy, self.means(dy).astype(dy.dtype), out=dx)
        xp.subtract(dx, product, out=dx)
        xp.multiply(dx, self.inverse, out=dx)

    def _sum_up(self, name: str, array: Array) -> None:
        gradient = self.site.gradients.get(name)
        if gradient is None:
            return
        if gradient.ndim > 1:
            self.site.xp.sum(array.reshape(-1, *gradient.shape), axis=0, out=gradient)
        else:
            gradient[...] = channel_sums(self.site.xp, array.reshape(self.site.output.shape))
