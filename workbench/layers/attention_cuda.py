"""Self-attention on a GPU; see ``attention.cu``. Heads are read and written where they lie beside each other."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import Words
from workbench.engine.cuda.pointwise import column_sums
from workbench.engine.cuda.products import head_products, launcher_of, product
from workbench.engine.layer import Calls, Chain, Site
from workbench.engine.random import key_of

_MOST_VALUES = 2**30
"""Of the square weights: kernels count in 32 bits."""
_LINES = 8
"""Of a block, a warp each."""


def fits(site: Site, heads: int) -> bool:
    """Whether the kernels can count the weights of a batch."""
    return site.rows * heads * int(site.inputs[0].shape[1]) ** 2 <= _MOST_VALUES


def attention_on_cuda(site: Site, heads: int, depth: int, causal: bool, dropout: float) -> Calls:
    """The calls of self-attention in float32."""
    attention = _Attention(site, heads, depth, causal, dropout)
    start, forward = attention.choose if dropout else None, Chain(*attention.forward())
    if not site.training or site.d_output is None:
        return Calls(forward, Chain(), start)
    return Calls(forward, Chain(*attention.backward()), start)


class _Attention:
    """The memory of attention, and what is launched with it."""

    def __init__(self, site: Site, heads: int, depth: int, causal: bool, dropout: float) -> None:
        self.site, self.launcher, self.heads, self.depth = site, launcher_of(site.backend), heads, depth
        rows, self.steps, features = site.inputs[0].shape
        self.x, self.y = site.inputs[0].reshape(-1, features), site.output.reshape(-1, features)
        self.projected = self._buffer("projected", rows * self.steps, 3 * heads * depth)
        self.context = self._buffer("context", rows * self.steps, heads * depth)
        self.square = (rows, heads, self.steps, self.steps)
        self.weights = self._buffer("weights", *self.square)
        self.used = self._buffer("used", *self.square) if dropout else self.weights
        self.key = Words(self.launcher, site.buffer("key", (1,), np.uint64)) if dropout else None
        # A rate as float32 has it, so that the very same weights are dropped on each backend.
        rate, kept = float(np.float32(dropout)), 1.0 / (1.0 - dropout)
        size = heads * self.steps**2
        drop = size, site.first_row, rate, kept
        self.numbers = self.steps, int(causal), float(depth**-0.5), *drop, rows * heads * self.steps

    def _buffer(self, name: str, *shape: int) -> Array:
        return self.site.buffer(name, shape, self.site.output.dtype)

    def _heads(self, array: Array) -> Array:
        """``(rows * steps, heads * depth)`` as ``(rows, heads, steps, depth)``, a view."""
        return array.reshape(-1, self.steps, self.heads, self.depth).transpose(0, 2, 1, 3)

    def _three(self, array: Array) -> Array:
        """``(rows * steps, 3 * heads * depth)`` as three views of heads."""
        return array.reshape(-1, self.steps, 3, self.heads, self.depth).transpose(2, 0, 3, 1, 4)

    def choose(self) -> None:
        """Another step drops other weights."""
        assert self.key is not None
        clock = self.site.clock
        self.key.set(key_of(clock.seed, "dropout", self.site.key, clock.step))

    def _product(self, left: Array, right: Array, out: Array, bias: Array | None = None) -> list[Call]:
        return product(self.site.backend, left, right, out, self.site.buffer, bias)

    def _by_line(self, kernel: str, *arrays: Any) -> Call:
        key = self.key.array if self.key else 0
        blocks = -(-prod(self.square[:3]) // _LINES)
        return self.launcher.call(kernel, blocks, 32 * _LINES, *arrays, key, *self.numbers)

    def forward(self) -> list[Call]:
        """Queries, keys and values of all steps, what each step reads with them, and the last product."""
        weights, backend = self.site.weights, self.site.backend
        queries, keys, values = self._three(self.projected)
        w_in, w_out = weights["in_proj_weight"].T, weights["out_proj.weight"].T
        return [
            *self._product(self.x, w_in, self.projected, weights.get("in_proj_bias")),
            head_products(backend, queries, keys.swapaxes(2, 3), self.weights),
            self._by_line("attention_softmax", self.weights, self.used),
            head_products(backend, self.used, values, self._heads(self.context)),
            *self._product(self.context, w_out, self.y, weights.get("out_proj.bias")),
        ]

    def backward(self) -> list[Call]:
        """All gradients."""
        site, backend = self.site, self.site.backend
        dy = site.d_output.reshape(self.y.shape)
        d_projected = self._buffer("d_projected", *self.projected.shape)
        d_weights, d_context = self._buffer("d_weights", *self.square), self._buffer("d_context", *self.context.shape)
        queries, keys, values = self._three(self.projected)
        d_queries, d_keys, d_values = self._three(d_projected)
        seen = self._heads(d_context)
        calls = self._product(dy, site.weights["out_proj.weight"], d_context)
        calls += [
            head_products(backend, self.used.swapaxes(2, 3), seen, d_values),
            head_products(backend, seen, values.swapaxes(2, 3), d_weights),
            self._by_line("attention_softmax_back", self.weights, d_weights),
            head_products(backend, d_weights, keys, d_queries),
            head_products(backend, d_weights.swapaxes(2, 3), queries, d_keys),
        ]
        calls += self._parameter_gradients(dy, d_projected)
        dx = site.d_inputs[0]
        if dx is not None:
            calls += self._product(d_projected, site.weights["in_proj_weight"], dx.reshape(self.x.shape))
        return calls

    def _parameter_gradients(self, dy: Array, d_projected: Array) -> list[Call]:
        gradients, calls = self.site.gradients, list[Call]()
        if "in_proj_bias" in gradients:
            calls += column_sums(self.launcher, dy, gradients["out_proj.bias"], self.site.buffer)
            calls += column_sums(self.launcher, d_projected, gradients["in_proj_bias"], self.site.buffer)
        if gradients:
            calls += self._product(dy.T, self.context, gradients["out_proj.weight"])
            calls += self._product(d_projected.T, self.x, gradients["in_proj_weight"])
        return calls
