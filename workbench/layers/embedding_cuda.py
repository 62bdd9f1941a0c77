"""Embedding on a GPU; see ``embedding.cu``."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import Launcher
from workbench.engine.cuda.pointwise import stretches_of
from workbench.engine.cuda.products import launcher_of
from workbench.engine.layer import Calls, Chain, Site

if TYPE_CHECKING:
    from workbench.layers.embedding import Embedding

_MOST_VALUES = 2**30
"""Of a table: kernels count in 32 bits."""
_CHUNK = 1024
"""Keys that a block sorts; see ``embedding.cu``."""
_LEAST_EACH, _MOST_STRETCHES = 32, 512


def fits(layer: Embedding) -> bool:
    """Whether the kernels can count the table's values."""
    return layer.vocabulary * layer.dimension <= _MOST_VALUES


def embedding_on_cuda(layer: Embedding, site: Site) -> Calls:
    """An embedding's calls in float32."""
    launcher, x, y, dx = launcher_of(site.backend), site.inputs[0], site.output, site.d_inputs[0]
    sizes = layer.dimension, layer.vocabulary - 1, prod(y.shape)
    forward = launcher.over(prod(y.shape), "embed", x, site.weights["weight"], y, *sizes)
    backward: list[Call] = []
    if "weight" in site.gradients:
        backward += _gradient(layer, site, launcher, site.gradients["weight"])
    if dx is not None:
        backward.append(_zeros(launcher, dx))
    return Calls(forward, Chain(*backward))


def _zeros(launcher: Launcher, array: Array) -> Call:
    return launcher.over(prod(array.shape), "fill_zeros", array, prod(array.shape))


def _gradient(layer: Embedding, site: Site, launcher: Launcher, d_table: Array) -> Iterator[Call]:
    x, dimension = site.inputs[0], layer.dimension
    count = prod(x.shape)
    keys = site.buffer("keys", (_power_of_two(count),), np.uint64)
    yield launcher.over(len(keys), "occurrences", x, keys, layer.vocabulary - 1, count, len(keys))
    yield from _sorted(launcher, keys)
    yield _zeros(launcher, d_table)
    stretches, each = stretches_of(count, _LEAST_EACH, _MOST_STRETCHES)
    parts = site.buffer("parts", (stretches, 2, dimension), np.float64)
    padding = -1 if layer.padding_index is None else layer.padding_index
    blocks, sizes = (-(-dimension // 32), -(-stretches // 8)), (dimension, padding, each, count)
    yield launcher.call("embedding_sums", blocks, (32, 8), keys, site.d_output, d_table, parts, *sizes)
    if stretches > 1:
        yield launcher.call("embedding_join", blocks, (32, 8), keys, d_table, parts, *sizes)


def _power_of_two(count: int) -> int:
    return max(_CHUNK, 1 << (count - 1).bit_length())


def _sorted(launcher: Launcher, keys: Array) -> Iterator[Call]:
    """What sorts a power of two of keys: runs of ever twice the length, within a block as far as it goes."""
    count, pairs = len(keys), len(keys) // 2
    chunks = count // _CHUNK
    yield launcher.call("sort_within", chunks, _CHUNK // 2, keys, 2, _CHUNK)
    run = 2 * _CHUNK
    while run <= count:
        step = run // 2
        while step >= _CHUNK:
            yield launcher.over(pairs, "sort_across", keys, run, step, pairs)
            step //= 2
        yield launcher.call("sort_within", chunks, _CHUNK // 2, keys, run, run)
        run *= 2
