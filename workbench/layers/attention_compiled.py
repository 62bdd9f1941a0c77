"""Self-attention as machine code; see ``workbench.engine.kernels.attention``."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Calls, Chain, SharedGradient, Site
from workbench.engine.random import key_of
from workbench.layers.dense import shared_product


def compiled_attention(site: Site, heads: int, depth: int, causal: bool, dropout: float) -> Calls:
    """The calls of self-attention in float32 on a CPU."""
    attention = _Attention(site, heads, depth, causal, dropout)
    forward = Chain(*attention.forward())
    start = attention.choose if dropout else None
    if not site.training or site.d_output is None:
        return Calls(forward, Chain(), start)
    backward = attention.backward()
    return Calls(forward, Chain(*backward), start, tuple(attention.shared))


class _Attention:
    """One shard's memory, and what is called with it."""

    def __init__(self, site: Site, heads: int, depth: int, causal: bool, dropout: float) -> None:
        from workbench.engine.kernels.tile import tile_address

        self.site, self.dropout, self.tile = site, dropout, tile_address()
        rows, steps, self.features = site.inputs[0].shape
        self.inner, self.lines, self.scale = heads * depth, rows * steps, float(depth**-0.5)
        self.sizes = np.array([steps, heads, depth, causal], np.int64)
        self.projected = self._buffer("projected", self.lines, 3 * self.inner)
        self.context = self._buffer("context", self.lines, self.inner)
        self.room = self._buffer("room", depth, steps)
        # Nobody asks for the weights again but the backward pass.
        self.own = heads * steps * steps
        self.weights = self._buffer("weights", rows if site.training else 1, self.own)
        self.used = self._buffer("used", rows, self.own) if dropout else self.weights
        self.key = site.buffer("key", (1,), np.uint64) if dropout else None
        self.shared: list[SharedGradient] = []
        self.row_bytes = 4 * (4 * steps * self.inner + 2 * self.own)

    def _buffer(self, name: str, *shape: int) -> Array:
        return self.site.buffer(name, shape, self.site.output.dtype)

    def _call(self, kernel: Any, *arguments: Any) -> Call:
        """What is done example by example."""
        from workbench.engine.kernels.calls import NativeCall

        return NativeCall(kernel, self.site.rows, *arguments, row_bytes=self.row_bytes)

    def _product(self, x: Array, weight: Array, bias: Array | None, y: Array) -> Call:
        """``y = x w + b``, for all steps of all examples."""
        from workbench.engine.kernels.calls import NativeCall
        from workbench.engine.kernels.dense import dense_forward

        added = 0 if bias is None else bias
        sizes = *weight.shape, 0, weight.shape[0]
        return NativeCall(dense_forward, self.lines, self.tile, x, weight, added, y, *sizes)

    def _turned(self, name: str) -> tuple[Call, Array]:
        """What turns a weight ``(units, inputs)``, and where to."""
        from workbench.engine.kernels.calls import NativeCall
        from workbench.engine.kernels.shaping import channels_first

        weight = self.site.weights[name]
        turned = self._buffer(f"turned {name}", *weight.shape[::-1])
        return NativeCall(channels_first, 1, weight, turned, *weight.shape), turned

    def choose(self) -> None:
        """Another step drops other weights."""
        assert self.key is not None
        clock = self.site.clock
        self.key[0] = key_of(clock.seed, "dropout", self.site.key, clock.step)

    def _drop(self, source: Array, target: Array) -> Call:
        from workbench.engine.kernels.shaping import dropped

        fields = self.key, self.own, self.site.first_row, float(self.dropout), 1.0 / (1.0 - self.dropout)
        return self._call(dropped, source, target, *fields)

    def forward(self) -> list[Call]:
        """Queries, keys and values of all steps, what each step reads with them, and the last product."""
        from workbench.engine.kernels import attention as kernels

        site = self.site
        (turn_in, w_in), (turn_out, w_out) = self._turned("in_proj_weight"), self._turned("out_proj.weight")
        start, rest = (self.tile, self.projected, self.weights), (self.room, self.sizes)
        if self.dropout:
            read = [
                self._call(kernels.attention_weights, *start, *rest, self.scale),
                self._drop(self.weights, self.used),
                self._call(kernels.attention_context, self.tile, self.used, self.projected, self.context, self.sizes),
            ]
        else:
            own = self.own if site.training else 0
            read = [self._call(kernels.attention_forward, *start, self.context, *rest, own, self.scale)]
        return [
            turn_in,
            self._product(site.inputs[0], w_in, site.weights.get("in_proj_bias"), self.projected),
            *read,
            turn_out,
            self._product(self.context, w_out, site.weights.get("out_proj.bias"), site.output),
        ]

    def backward(self) -> list[Call]:
        """All gradients but those by the weights, which the threads share."""
        from workbench.engine.kernels import attention as kernels

        site, weights = self.site, self.site.weights
        d_context = self._buffer("d_context", *self.context.shape)
        d_projected = self._buffer("d_projected", *self.projected.shape)
        d_weights = self._buffer("d_weights", site.rows, self.own)
        inside = self.tile, self.used, self.projected, d_context, d_projected, d_weights, self.room, self.sizes
        outside = self.tile, self.weights, d_weights, self.context, d_context, self.projected, d_projected, self.sizes
        found = [
            self._product(site.d_output, weights["out_proj.weight"], None, d_context),
            self._call(kernels.attention_values_backward, *inside),
            *([self._drop(d_weights, d_weights)] if self.dropout else []),
            self._call(kernels.attention_scores_backward, *outside, self.scale),
            *self._bias_gradients(d_projected),
            *self._weight_gradients(d_projected),
        ]
        dx = site.d_inputs[0]
        return found if dx is None else [*found, self._product(d_projected, weights["in_proj_weight"], None, dx)]

    def _bias_gradients(self, d_projected: Array) -> list[Call]:
        from workbench.engine.kernels.calls import NativeCall
        from workbench.engine.kernels.dense import dense_bias_gradient

        pairs = (("out_proj.bias", self.site.d_output), ("in_proj_bias", d_projected))
        return [
            NativeCall(dense_bias_gradient, self.lines, d, self.site.gradients[name], d.shape[-1])
            for name, d in pairs
            if name in self.site.gradients
        ]

    def _weight_gradients(self, d_projected: Array) -> list[Call]:
        """What copies their right sides; the rest is left to all threads."""
        if not self.site.gradients:
            return []
        products = [
            shared_product(self.site, "in_proj_weight", d_projected, self.site.inputs[0]),
            shared_product(self.site, "out_proj.weight", self.site.d_output, self.context),
        ]
        self.shared = [gradient for _, gradient in products]
        return [copy for copy, _ in products]
